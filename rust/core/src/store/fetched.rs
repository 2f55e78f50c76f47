//! What a fetch may be asked for, and what it found.

use bytes::Bytes;

use super::queue_entry::QueueEntry;

/// What a Java client may ask for at most (`pullBatchSize`). Apache's brokers give 32, by `maxTransferCountOnMessageInMemory`;
/// here bytes are the limit: of small messages 32 cost more to ask for than to read.
pub const MAX_MESSAGES: u32 = 1024;
/// Apache's `maxTransferBytesOnMessageInMemory`.
pub const MAX_BYTES: u32 = 256 * 1024;

/// How a fetch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchStatus {
    /// There are messages.
    Found,
    /// Some were looked at, none matched.
    NoMatchedMessage,
    /// The log no longer has what the queue points to.
    MessageWasRemoving,
    /// The entry at the offset cannot be read.
    OffsetFoundNull,
    /// The offset lies beyond the end by more than one.
    OffsetOverflowBadly,
    /// The offset is the one that the next message will get.
    OffsetOverflowOne,
    /// The offset lies before the first message.
    OffsetTooSmall,
    /// There is no such queue. Apache makes one when it is asked for, and so answers as for an empty one; as we do.
    NoMatchedLogicQueue,
    /// The queue never had a message.
    NoMessageInQueue,
}

impl FetchStatus {
    /// Apache's name, the remark of an answer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "FOUND",
            Self::NoMatchedMessage => "NO_MATCHED_MESSAGE",
            Self::MessageWasRemoving => "MESSAGE_WAS_REMOVING",
            Self::OffsetFoundNull => "OFFSET_FOUND_NULL",
            Self::OffsetOverflowBadly => "OFFSET_OVERFLOW_BADLY",
            Self::OffsetOverflowOne => "OFFSET_OVERFLOW_ONE",
            Self::OffsetTooSmall => "OFFSET_TOO_SMALL",
            Self::NoMatchedLogicQueue => "NO_MATCHED_LOGIC_QUEUE",
            Self::NoMessageInQueue => "NO_MESSAGE_IN_QUEUE",
        }
    }
}

/// What a fetch found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// How it ended.
    pub status: FetchStatus,
    /// Where to go on.
    pub next_offset: i64,
    /// The first offset of the queue that has a message.
    pub min: i64,
    /// The offset that the next message will get.
    pub max: i64,
    /// How many messages are in `body`.
    pub count: u32,
    /// The records, one after the other, cut into chunks anywhere.
    pub body: Vec<Bytes>,
    /// The queue's entries of these messages.
    pub(crate) entries: Vec<QueueEntry>,
}

/// Limits of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct FetchLimits {
    pub(super) max_messages: u32,
    pub(super) max_bytes: u32,
}
