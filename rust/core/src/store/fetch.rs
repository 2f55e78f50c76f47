//! Messages of a queue from an offset on: the rules of Apache's `getMessage`.
//!
//! One call looks at no more than [`SCAN_ENTRIES`] entries and returns no more than [`MAX_MESSAGES`] messages and [`MAX_BYTES`] bytes, but always the first
//! message that matches, however large. Records that lie next to each other in the log are read at once.

use super::{
    choice::{Choice, Picked},
    consume_queue_ext,
    fetched::{FetchLimits, FetchStatus, Fetched, MAX_BYTES, MAX_MESSAGES},
    queue_entry::{ENTRY_SIZE, QueueEntry, QueueView, Slot},
    reader::{Reader, Stop, check_head},
};
use crate::filter::{
    Filter,
    sql::SqlFilter,
    tags::{TagFilter, tags_hash},
};
use crate::record::{self, Decoded};

/// Apache's `maxFilterMessageSize`, 16,000 bytes of consume queue.
pub const SCAN_ENTRIES: u32 = 800;
/// What a condition may cost in one call, in bytes of messages read: some milliseconds, and the last message. Apache has no such
/// limit; a client asks on at once.
const SCAN_BYTES: usize = 4 * 1024 * 1024;
/// So much of a condition's work costs about as much as reading a byte of a message.
const WORK_OF_A_BYTE: usize = 16;
/// Bytes of messages that a condition has read at once.
const READ_BYTES: u64 = 64 * 1024;

/// Fetches from a queue.
pub(super) fn fetch(
    reader: &Reader<'_>,
    queue: Option<&QueueView>,
    offset: i64,
    limits: FetchLimits,
    filter: &Filter,
    is_scheduled: bool,
) -> Result<Fetched, Stop> {
    let Some(queue) = queue else {
        return Ok(nothing(FetchStatus::NoMessageInQueue, 0, 0, 0));
    };
    let from = match check_bounds(queue, offset) {
        Ok(from) => from,
        Err(answer) => return Ok(answer),
    };
    // Without a filter every entry is a message, so entries beyond the limit are never looked at.
    let is_all = matches!(filter, Filter::Tags(tags) if tags.is_all());
    let scan = if is_all { limits.max_messages.clamp(1, MAX_MESSAGES) } else { SCAN_ENTRIES };
    let mut slots = reader.slots(queue, from, scan.into())?;
    if is_scheduled || (!is_all && matches!(filter, Filter::Tags(_))) {
        consume_queue_ext::resolve(reader, &queue.units, &mut slots)?;
    }
    let choice = Choice::new(reader.log_start(), limits);
    let (picked, body) = match filter {
        Filter::Tags(tags) if is_all || !slots.iter().any(is_extended) => {
            by_tags(reader, &slots, choice, tags)?
        }
        Filter::Tags(tags) => by_records(reader, &slots, choice, &Test::Tags(tags))?,
        Filter::Sql(condition) => by_records(reader, &slots, choice, &Test::Condition(condition))?,
    };
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
        body: if body.is_empty() { Vec::new() } else { vec![body.into()] },
        entries: picked.entries,
    })
}

fn nothing(status: FetchStatus, next_offset: i64, min: i64, max: i64) -> Fetched {
    Fetched { status, next_offset, min, max, count: 0, body: Vec::new(), entries: Vec::new() }
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

/// Chooses by tags, then reads what was chosen.
fn by_tags(
    reader: &Reader<'_>,
    slots: &[Slot],
    mut choice: Choice,
    filter: &TagFilter,
) -> Result<(Picked, Vec<u8>), Stop> {
    for slot in slots {
        if !choice.look(slot, |entry| filter.matches_code(entry.tags_code)) {
            break;
        }
    }
    let picked = choice.finish();
    let body = read_records(reader, &picked.entries)?;
    Ok((picked, body))
}

/// A look at a message that needs its properties.
#[derive(Debug)]
enum Test<'a> {
    Condition(&'a SqlFilter),
    /// Of entries that do not say the tags code, nor have a unit that does.
    Tags(&'a TagFilter),
}

impl Test<'_> {
    fn matches(&self, entry: &QueueEntry, properties: &str) -> bool {
        match self {
            Self::Condition(condition) => condition.matches(properties),
            Self::Tags(tags) if entry.is_extended() => tags.matches_code(tags_hash(properties)),
            Self::Tags(tags) => tags.matches_code(entry.tags_code),
        }
    }

    /// How much it takes: see [`SqlFilter::work`].
    fn work(&self, properties: &str) -> usize {
        match self {
            Self::Condition(condition) => condition.work(properties),
            Self::Tags(_) => 0,
        }
    }
}

fn is_extended(slot: &Slot) -> bool {
    matches!(slot, Slot::Message(entry) if entry.is_extended())
}

/// Reads stretches of the queue's messages and keeps those that pass.
fn by_records(
    reader: &Reader<'_>,
    slots: &[Slot],
    mut choice: Choice,
    test: &Test<'_>,
) -> Result<(Picked, Vec<u8>), Stop> {
    let (mut body, mut cost, mut ahead) = (Vec::new(), 0_usize, slots);
    'scan: while !ahead.is_empty() {
        let entries = read_ahead(&choice, ahead);
        let records = read_records(reader, &entries)?;
        let mut unseen = records.as_slice();
        // At least one step, over entries without a message too.
        let mut messages = entries.len();
        while let Some((slot, behind)) = ahead.split_first() {
            let size = choice.message(slot).map(|entry| entry.size as usize);
            if size.is_some() && messages == 0 {
                break;
            }
            let (record, rest) = unseen.split_at_checked(size.unwrap_or(0)).unwrap_or((unseen, &[]));
            let (before, properties) = (choice.len(), properties_of(record));
            if !choice.look(slot, |entry| test.matches(entry, properties)) {
                break 'scan;
            }
            if choice.len() > before {
                body.extend_from_slice(record);
            }
            cost = cost.saturating_add(record.len() + test.work(properties) / WORK_OF_A_BYTE);
            if cost >= SCAN_BYTES {
                break 'scan;
            }
            messages -= usize::from(size.is_some());
            (unseen, ahead) = (rest, behind);
        }
    }
    Ok((choice.finish(), body))
}

/// The next messages, as many as are read at once: at least one, if there is one.
fn read_ahead(choice: &Choice, slots: &[Slot]) -> Vec<QueueEntry> {
    let mut bytes = 0_u64;
    let messages = slots.iter().filter_map(|slot| choice.message(slot));
    messages
        .take_while(|entry| {
            let is_first = bytes == 0;
            bytes = bytes.saturating_add(entry.size.into());
            is_first || bytes <= READ_BYTES
        })
        .collect()
}

/// The property text of a record; none if it cannot be read, as in Apache.
fn properties_of(record: &[u8]) -> &str {
    match record::decode(record) {
        Ok(Decoded::Message(message)) => message.properties,
        _ => "",
    }
}

/// The first offset of the queue's next file.
fn next_segment(queue: &QueueView, offset: u64) -> u64 {
    let segment = queue.segments.find(offset.saturating_mul(ENTRY_SIZE));
    segment.map_or(queue.max, |segment| segment.end() / ENTRY_SIZE)
}

/// Reads the records into one buffer, with one read for each stretch of neighbours.
fn read_records(reader: &Reader<'_>, entries: &[QueueEntry]) -> Result<Vec<u8>, Stop> {
    // An entry that is damaged may claim any size; a record has the one it says itself.
    for entry in entries.iter().filter(|entry| entry.size > MAX_BYTES) {
        reader.head(entry)?;
    }
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
    Ok(bytes)
}
