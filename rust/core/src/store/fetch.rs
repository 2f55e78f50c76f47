//! Reading messages out of a queue: what to return is decided by the queue, what it says comes from the log.
//!
//! The rules, names and limits are those of Apache's `getMessage` (store.md 15).

use bytes::Bytes;

use super::{
    consume_queue::{ENTRY_SIZE, QueueEntry, QueueView, Slot},
    error::StoreError,
    read::LogView,
    segment::Wait,
};
use crate::filter::tags::TagFilter;

/// Entries of a queue that one fetch looks at, at most.
const SCAN_ENTRIES: u64 = 800;
/// Entries read at a time: most fetches need no more.
const CHUNK_ENTRIES: u64 = 64;

/// What a fetch found, in Apache's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchStatus {
    /// At least one message.
    Found,
    /// Nothing that the filter selects among what was looked at.
    NoMatchedMessage,
    /// The messages are not in the log any more.
    MessageWasRemoving,
    /// There is no such queue.
    NoMatchedLogicQueue,
    /// The queue never had a message.
    NoMessageInQueue,
    /// A piece of the queue is missing.
    OffsetFoundNull,
    /// The offset is the next one to be written.
    OffsetOverflowOne,
    /// The offset is beyond that.
    OffsetOverflowBadly,
    /// The offset is before the first message.
    OffsetTooSmall,
}

impl FetchStatus {
    /// Apache's name, the remark of an answer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "FOUND",
            Self::NoMatchedMessage => "NO_MATCHED_MESSAGE",
            Self::MessageWasRemoving => "MESSAGE_WAS_REMOVING",
            Self::NoMatchedLogicQueue => "NO_MATCHED_LOGIC_QUEUE",
            Self::NoMessageInQueue => "NO_MESSAGE_IN_QUEUE",
            Self::OffsetFoundNull => "OFFSET_FOUND_NULL",
            Self::OffsetOverflowOne => "OFFSET_OVERFLOW_ONE",
            Self::OffsetOverflowBadly => "OFFSET_OVERFLOW_BADLY",
            Self::OffsetTooSmall => "OFFSET_TOO_SMALL",
        }
    }
}

/// The outcome of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What was found.
    pub status: FetchStatus,
    /// Where the next fetch should begin.
    pub next_offset: i64,
    /// The queue's first offset.
    pub min: i64,
    /// The offset behind the queue's last message.
    pub max: i64,
    /// Messages in `body`.
    pub count: u32,
    /// The records, back to back.
    pub body: Vec<Bytes>,
}

/// What is asked of a queue.
#[derive(Debug, Clone)]
pub(crate) struct Fetch {
    pub(crate) offset: i64,
    pub(crate) max_messages: u32,
    pub(crate) max_bytes: u32,
    pub(crate) filter: TagFilter,
}

impl Fetch {
    /// Reads; `None` when that would mean to wait for the disk and `wait` says not to.
    pub(crate) fn run(
        &self,
        queue: Option<&QueueView>,
        log: &LogView,
        wait: Wait,
    ) -> Result<Option<Fetched>, StoreError> {
        let Some(queue) = queue.filter(|queue| queue.max > 0) else {
            return Ok(Some(nothing(FetchStatus::NoMessageInQueue, 0, None)));
        };
        let (min, max) = (queue.min as i64, queue.max as i64);
        let outside = if self.offset < min {
            Some((FetchStatus::OffsetTooSmall, min))
        } else if self.offset == max {
            Some((FetchStatus::OffsetOverflowOne, max))
        } else if self.offset > max {
            Some((FetchStatus::OffsetOverflowBadly, max))
        } else {
            None
        };
        if let Some((status, next)) = outside {
            return Ok(Some(nothing(status, next, Some(queue))));
        }
        let Some(scan) = self.scan(queue, log, wait)? else { return Ok(None) };
        let Some(body) = log.read_records(&scan.selected, wait)? else { return Ok(None) };
        let found = if scan.selected.is_empty() { scan.status } else { FetchStatus::Found };
        let count = scan.selected.len() as u32;
        Ok(Some(Fetched { status: found, next_offset: scan.next as i64, min, max, count, body }))
    }

    /// Looks at entries until the answer is full or enough were looked at.
    fn scan(&self, queue: &QueueView, log: &LogView, wait: Wait) -> Result<Option<Scan>, StoreError> {
        let first = self.offset.max(0) as u64;
        let mut scan =
            Scan { next: first, bytes: 0, selected: Vec::new(), status: FetchStatus::NoMatchedMessage };
        let end = queue.max.min(first.saturating_add(SCAN_ENTRIES));
        while scan.next < end {
            let Some(slots) = read_slots(queue, scan.next, end, wait)? else { return Ok(None) };
            if slots.is_empty() {
                break;
            }
            for slot in slots {
                if !self.look_at(slot, log, &mut scan) {
                    return Ok(Some(scan));
                }
            }
        }
        Ok(Some(scan))
    }

    /// Takes one entry into account; false when the answer is complete.
    fn look_at(&self, slot: Slot, log: &LogView, scan: &mut Scan) -> bool {
        let entry = match slot {
            Slot::Message(entry) => entry,
            Slot::Blank => {
                scan.next += 1;
                return true;
            }
            Slot::Unwritten => {
                scan.status = FetchStatus::OffsetFoundNull;
                scan.next += 1;
                return false;
            }
        };
        if entry.physical < log.start() {
            scan.status = FetchStatus::MessageWasRemoving;
        } else if self.filter.matches_code(entry.tags_code) {
            if self.is_full(scan, &entry) {
                return false;
            }
            scan.bytes = scan.bytes.saturating_add(entry.size);
            scan.selected.push(entry);
        }
        scan.next += 1;
        true
    }

    /// The first message is given however large it is.
    fn is_full(&self, scan: &Scan, entry: &QueueEntry) -> bool {
        let more_bytes = scan.bytes.saturating_add(entry.size);
        !scan.selected.is_empty()
            && (scan.selected.len() as u64 >= u64::from(self.max_messages) || more_bytes > self.max_bytes)
    }
}

/// What a scan has come to.
#[derive(Debug)]
struct Scan {
    next: u64,
    bytes: u32,
    selected: Vec<QueueEntry>,
    status: FetchStatus,
}

/// Some entries from `from` on, at most up to `end` and to the end of their file.
fn read_slots(queue: &QueueView, from: u64, end: u64, wait: Wait) -> Result<Option<Vec<Slot>>, StoreError> {
    let position = from.saturating_mul(ENTRY_SIZE);
    let Some(segment) = queue.segments.find(position) else { return Ok(Some(Vec::new())) };
    let count = CHUNK_ENTRIES.min(end - from).min((segment.end() - position) / ENTRY_SIZE);
    let mut bytes = vec![0; (count * ENTRY_SIZE) as usize];
    if segment.read(position, &mut bytes, wait)?.is_none() {
        return Ok(None);
    }
    let (entries, _) = bytes.as_chunks::<{ ENTRY_SIZE as usize }>();
    Ok(Some(entries.iter().map(Slot::decode).collect()))
}

fn nothing(status: FetchStatus, next_offset: i64, queue: Option<&QueueView>) -> Fetched {
    let (min, max) = queue.map_or((0, 0), |queue| (queue.min as i64, queue.max as i64));
    Fetched { status, next_offset, min, max, count: 0, body: Vec::new() }
}
