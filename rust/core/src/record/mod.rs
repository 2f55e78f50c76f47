//! One stored message, as it lies in the commit log and travels in the bodies of pulls and queries.
//!
//! The same bytes in both places, so the broker never re-encodes what it serves. Decoding borrows from the
//! buffer; encoding appends to one.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod batch;
pub mod compression;
mod message;
pub mod message_id;
pub mod properties;
mod reader;

pub use crate::error::{CompressionError, RecordError};
pub use message::{
    BLANK_LEN, DEFAULT_MAX_BODY, Decoded, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, MAX_BODY, MAX_PROPERTIES,
    MAX_TOPIC, MAX_TOPIC_LONG, Message, NewRecord, Stamp, Version, decode, encode_blank,
};

/// Bits of a message's system flag.
pub mod sys_flag {
    /// The body is compressed; the type is in [`COMPRESSION_TYPE`].
    pub const COMPRESSED: i32 = 0x1;
    /// The tags property holds several tags.
    pub const MULTI_TAGS: i32 = 0x2;
    /// Both bits of the transaction kind; 0 is none.
    pub const TRANSACTION_KIND: i32 = 0xc;
    /// Transaction kind: half message.
    pub const TRANSACTION_PREPARED: i32 = 0x4;
    /// Transaction kind: committed message.
    pub const TRANSACTION_COMMIT: i32 = 0x8;
    /// Transaction kind: roll-back mark.
    pub const TRANSACTION_ROLLBACK: i32 = 0xc;
    /// The born host has a 16-byte address.
    pub const BORN_HOST_V6: i32 = 0x10;
    /// The store host has a 16-byte address.
    pub const STORE_HOST_V6: i32 = 0x20;
    /// The three bits of the compression type.
    pub const COMPRESSION_TYPE: i32 = 0x700;
    /// Compression type LZ4 frame.
    pub const LZ4: i32 = 0x100;
    /// Compression type zstd frame.
    pub const ZSTD: i32 = 0x200;
    /// Compression type zlib stream, also meant by no type at all.
    pub const ZLIB: i32 = 0x300;

    /// Whether a record with these flags is in a queue: half messages and roll-back marks take no queue offset.
    pub fn takes_queue_offset(sys_flag: i32) -> bool {
        let kind = sys_flag & TRANSACTION_KIND;
        kind != TRANSACTION_PREPARED && kind != TRANSACTION_ROLLBACK
    }
}
