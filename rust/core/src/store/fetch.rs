//! Messages of a queue from an offset on: the rules of Apache's `getMessage`.
//!
//! One call looks at no more than [`SCAN_ENTRIES`] entries and returns no more than [`MAX_MESSAGES`] messages and [`MAX_BYTES`] bytes, but always the first
//! message that matches, however large. Records that lie next to each other in the log are read at once.

use bytes::Bytes;

use super::{
    consume_queue::{ENTRY_SIZE, QueueEntry, QueueView, Slot},
    read::{Reader, Stop, check_head},
};
use crate::filter::tags::TagFilter;

/// Apache's `maxTransferCountOnMessageInMemory`.
pub const MAX_MESSAGES: u32 = 32;
/// Apache's `maxTransferBytesOnMessageInMemory`.
pub const MAX_BYTES: u32 = 256 * 1024;
/// Apache's `maxFilterMessageSize`, 16,000 bytes of consume queue.
pub const SCAN_ENTRIES: u32 = 800;
/// Fewer bytes than this are never what the caller meant.
const MIN_BYTES: u32 = 100;

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
}

/// Limits of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct FetchLimits {
    pub(super) max_messages: u32,
    pub(super) max_bytes: u32,
}

/// Fetches from a queue.
pub(super) fn fetch(
    reader: &Reader<'_>,
    queue: Option<&QueueView>,
    offset: i64,
    limits: FetchLimits,
    filter: &TagFilter,
) -> Result<Fetched, Stop> {
    let Some(queue) = queue else {
        return Ok(nothing(FetchStatus::NoMessageInQueue, 0, 0, 0));
    };
    let from = match check_bounds(queue, offset) {
        Ok(from) => from,
        Err(answer) => return Ok(answer),
    };
    // Without a filter every entry is a message, so entries beyond the limit are never looked at.
    let scan = if filter.is_all() { limits.max_messages.clamp(1, MAX_MESSAGES) } else { SCAN_ENTRIES };
    let slots = reader.slots(queue, from, scan.into())?;
    let picked = pick(&slots, reader.log_start(), limits, filter);
    let next = match picked.status {
        FetchStatus::OffsetFoundNull => next_segment(queue, from).min(queue.max),
        _ => from.saturating_add(picked.examined),
    };
    Ok(Fetched {
        status: picked.status,
        next_offset: next as i64,
        min: queue.min as i64,
        max: queue.max as i64,
        count: picked.entries.len() as u32,
        body: read_records(reader, &picked.entries)?,
    })
}

fn nothing(status: FetchStatus, next_offset: i64, min: i64, max: i64) -> Fetched {
    Fetched { status, next_offset, min, max, count: 0, body: Vec::new() }
}

/// The offset, if it lies within the queue, else the answer.
fn check_bounds(queue: &QueueView, offset: i64) -> Result<u64, Fetched> {
    let (min, max) = (queue.min as i64, queue.max as i64);
    let (status, next) = match offset {
        _ if max == 0 => (FetchStatus::NoMessageInQueue, 0),
        offset if offset < min => (FetchStatus::OffsetTooSmall, min),
        offset if offset == max => (FetchStatus::OffsetOverflowOne, offset),
        offset if offset > max => (FetchStatus::OffsetOverflowBadly, max),
        offset => return Ok(offset as u64),
    };
    Err(nothing(status, next, min, max))
}

#[derive(Debug, PartialEq, Eq)]
struct Picked {
    status: FetchStatus,
    entries: Vec<QueueEntry>,
    // Entries that need not be looked at again.
    examined: u64,
}

/// Chooses among entries in order; looks at no message.
fn pick(slots: &[Slot], log_start: u64, limits: FetchLimits, filter: &TagFilter) -> Picked {
    let mut entries = Vec::new();
    let (mut examined, mut bytes, mut removed) = (0, 0, false);
    for slot in slots {
        match slot {
            Slot::Unwritten if examined == 0 => {
                return Picked { status: FetchStatus::OffsetFoundNull, entries, examined };
            }
            Slot::Unwritten => break,
            Slot::Blank { .. } => removed = true,
            Slot::Message(entry) if entry.physical < log_start => removed = true,
            Slot::Message(entry) if !filter.matches_code(entry.tags_code) => {}
            Slot::Message(entry) => {
                if is_full(entries.len(), bytes, entry.size, limits) {
                    break;
                }
                bytes = bytes.saturating_add(u64::from(entry.size));
                entries.push(*entry);
            }
        }
        examined += 1;
    }
    let status = match (entries.is_empty(), removed) {
        (false, _) => FetchStatus::Found,
        (true, true) => FetchStatus::MessageWasRemoving,
        (true, false) => FetchStatus::NoMatchedMessage,
    };
    Picked { status, entries, examined }
}

fn is_full(count: usize, bytes: u64, size: u32, limits: FetchLimits) -> bool {
    let max_messages = limits.max_messages.clamp(1, MAX_MESSAGES) as usize;
    let max_bytes = u64::from(limits.max_bytes.clamp(MIN_BYTES, MAX_BYTES));
    count > 0 && (count >= max_messages || bytes.saturating_add(size.into()) > max_bytes)
}

/// The first offset of the queue's next file.
fn next_segment(queue: &QueueView, offset: u64) -> u64 {
    let segment = queue.segments.find(offset.saturating_mul(ENTRY_SIZE));
    segment.map_or(queue.max, |segment| segment.end() / ENTRY_SIZE)
}

/// Reads the records into one buffer, with one read for each stretch of neighbours.
fn read_records(reader: &Reader<'_>, entries: &[QueueEntry]) -> Result<Vec<Bytes>, Stop> {
    let total: u64 = entries.iter().map(|entry| u64::from(entry.size)).sum();
    let mut bytes = vec![0; usize::try_from(total).unwrap_or(0)];
    let mut rest = bytes.as_mut_slice();
    for stretch in entries.chunk_by(|before, after| before.end() == after.physical) {
        let len = stretch.iter().map(|entry| entry.size as usize).sum();
        let (target, behind) = rest.split_at_mut_checked(len).unwrap_or_default();
        if let Some(first) = stretch.first() {
            reader.log(first.physical, target)?;
        }
        let mut unchecked = &*target;
        for entry in stretch {
            check_head(reader.log_segments(), unchecked, entry)?;
            unchecked = unchecked.get(entry.size as usize..).unwrap_or_default();
        }
        rest = behind;
    }
    Ok(if bytes.is_empty() { Vec::new() } else { vec![bytes.into()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: FetchLimits = FetchLimits { max_messages: 32, max_bytes: MAX_BYTES };

    fn message(physical: u64, size: u32, tags_code: i64) -> Slot {
        Slot::Message(QueueEntry { physical, size, tags_code })
    }

    fn picked(slots: &[Slot], limits: FetchLimits, filter: &TagFilter) -> (FetchStatus, usize, u64) {
        let picked = pick(slots, 1000, limits, filter);
        (picked.status, picked.entries.len(), picked.examined)
    }

    #[test]
    fn the_first_message_is_taken_however_large() {
        let slots = [message(1000, 5_000_000, 0), message(6_000_000, 100, 0)];
        assert_eq!(picked(&slots, LIMITS, &TagFilter::all()), (FetchStatus::Found, 1, 1));
    }

    #[test]
    fn counts_and_bytes_end_a_batch_before_the_message_that_exceeds_them() {
        let slots: Vec<Slot> = (0..100).map(|n| message(1000 + n * 100, 100, 0)).collect();
        let all = TagFilter::all();
        assert_eq!(picked(&slots, LIMITS, &all), (FetchStatus::Found, 32, 32));
        let few = FetchLimits { max_messages: 5, ..LIMITS };
        assert_eq!(picked(&slots, few, &all), (FetchStatus::Found, 5, 5));
        let small = FetchLimits { max_bytes: 350, ..LIMITS };
        assert_eq!(picked(&slots, small, &all), (FetchStatus::Found, 3, 3));
    }

    #[test]
    fn entries_that_do_not_match_are_passed_for_good() {
        let slots = [message(1000, 100, 7), message(1100, 100, 8), message(1200, 100, 7)];
        let filter = TagFilter::of_codes([8]);
        assert_eq!(picked(&slots, LIMITS, &filter), (FetchStatus::Found, 1, 3));
        let none = TagFilter::of_codes([9]);
        assert_eq!(picked(&slots, LIMITS, &none), (FetchStatus::NoMatchedMessage, 0, 3));
    }

    #[test]
    fn removed_and_unreadable_entries_have_their_own_answers() {
        let all = TagFilter::all();
        let removed = [message(100, 100, 0), Slot::Blank { before: 0 }];
        assert_eq!(picked(&removed, LIMITS, &all), (FetchStatus::MessageWasRemoving, 0, 2));
        let unreadable = [Slot::Unwritten, message(1000, 100, 0)];
        assert_eq!(picked(&unreadable, LIMITS, &all), (FetchStatus::OffsetFoundNull, 0, 0));
        let later = [message(1000, 100, 0), Slot::Unwritten];
        assert_eq!(picked(&later, LIMITS, &all), (FetchStatus::Found, 1, 1));
    }
}
