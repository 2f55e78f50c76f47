//! Where recovery begins to read the log.
//!
//! After a clean stop: behind the last record that any queue knows, so that starting takes no longer for a larger log.
//! After a crash: behind what the checkpoint says is durable in log and queues. In both cases further back, if the last
//! entries of a queue do not agree with the records they point to, or something lies behind them; at the log's first
//! record, if not even a directory of queues is there. (An empty one is believed: its topics may have been removed.)
//!
//! Nothing is changed here.

use std::sync::Arc;

use super::{
    checkpoint::Checkpoint,
    commit_log::CommitLog,
    consume_queue_ext::unit_at,
    delays::SCHEDULE_TOPIC,
    error::StoreError,
    log_scan::{LogScan, Scanned, read_message},
    queue_entry::{QueueEntry, Slot},
    queues::{Queue, Queues},
    segments::Segments,
};
use crate::{filter::tags::tags_hash, record::Message};

/// What recovery starts from.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// A position where a record begins, or the log ends.
    pub(super) from: u64,
    /// What each queue keeps: entries of records before `from`.
    pub(super) kept: Vec<Kept>,
    /// Queues that keep nothing, since the units of their last entries are not there.
    pub(super) lost_units: Vec<(Arc<str>, i32)>,
    /// Whether the queues are as the checkpoint, or the clean stop, says.
    pub(super) is_trusted: bool,
}

/// What a queue keeps.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// So many entries.
    pub(super) entries: u64,
    /// The units before this position.
    pub(super) units_end: u64,
}

/// Finds the ends of the queues, and chooses.
pub(super) fn choose(
    log: &CommitLog,
    queues: &mut Queues,
    checkpoint: &Checkpoint,
    clean: bool,
) -> Result<Start, StoreError> {
    let mut damaged = Vec::new();
    for queue in queues.iter_mut() {
        damaged.push(queue.entries.recover_end()?);
    }
    let known = checkpointed_end(log.segments(), checkpoint)?;
    let mut from = match known {
        _ if queues.were_lost() => log.start(),
        _ if clean => u64::MAX,
        Some(known) if checkpoint.logics_physical_offset > 0 => known,
        known => segment_by_time(log.segments(), checkpoint)?.max(known.unwrap_or(0)),
    };
    let mut is_trusted = !queues.were_lost();
    loop {
        let ends = queue_ends(log, queues, from, &mut damaged)?;
        if ends.lowest >= from {
            let from = if from == u64::MAX { known.max(ends.highest).unwrap_or(0) } else { from };
            let start = Start { from: from.max(log.start()), is_trusted, ..Start::default() };
            return with_units(start, log, queues, &ends.counts);
        }
        is_trusted = false;
        from = ends.lowest;
    }
}

#[derive(Debug)]
struct Ends {
    counts: Vec<u64>,
    // Behind the last record any queue knows, and behind that of the damaged queue that ends first.
    highest: Option<u64>,
    lowest: u64,
}

/// What the queues agree on with the log, looking at records before `from` only. Damage found earlier counts once.
fn queue_ends(log: &CommitLog, queues: &Queues, from: u64, damaged: &mut [bool]) -> Result<Ends, StoreError> {
    let mut ends = Ends { counts: Vec::new(), highest: None, lowest: u64::MAX };
    for ((_, queue), damaged) in queues.iter().zip(damaged) {
        let limit = queue.entries.first_at(from)?;
        let count = verified_count(queue, log, limit)?;
        let end = end_of(queue, count, log.start())?;
        if count < limit || std::mem::take(damaged) {
            ends.lowest = ends.lowest.min(end.unwrap_or(0));
        }
        ends.highest = ends.highest.max(end);
        ends.counts.push(count);
    }
    Ok(ends)
}

/// Behind the last record that the checkpoint knows to be durable and to have its queue entry, if it knows one.
///
/// After a clean stop this may be further than any queue reaches: the last messages were of a topic that was removed.
/// Checkpoints of older brokers have times only; position 0 says of the first record what is true of it anyway.
fn checkpointed_end(segments: &Segments, checkpoint: &Checkpoint) -> Result<Option<u64>, StoreError> {
    if checkpoint.logics_physical_offset <= 0 && checkpoint.logics_timestamp <= 0 {
        return Ok(None);
    }
    let known = checkpoint.logics_physical_offset as u64;
    let mut scan = LogScan::new(segments.clone(), known);
    let begins_there =
        matches!(scan.next()?, Some(Scanned::Message(message)) if message.physical_offset as u64 == known);
    Ok(begins_there.then(|| scan.position()))
}

/// The last segment that begins with a record old enough for the checkpoint to vouch for all before it.
fn segment_by_time(segments: &Segments, checkpoint: &Checkpoint) -> Result<u64, StoreError> {
    for segment in segments.iter().rev() {
        let mut scan = LogScan::new(segments.clone(), segment.base());
        let Some(Scanned::Message(first)) = scan.next()? else { continue };
        let begins_here = first.physical_offset as u64 == segment.base();
        let timestamp = first.store_timestamp;
        if begins_here && timestamp != 0 && timestamp <= checkpoint.min_timestamp() {
            return Ok(segment.base());
        }
    }
    Ok(segments.start().unwrap_or(0))
}

/// How many of a queue's first `limit` entries to keep, so that the last one agrees with the record it points to.
///
/// Entries of records that the log has already removed cannot be compared, and are believed.
fn verified_count(queue: &Queue, log: &CommitLog, limit: u64) -> Result<u64, StoreError> {
    let mut buffer = Vec::new();
    let mut count = limit;
    while count > queue.entries.min() {
        let is_right = match queue.entries.slot(count - 1)? {
            Slot::Message(entry) if entry.physical < log.start() => true,
            Slot::Message(entry) => {
                let found = read_message(log.segments(), entry.physical, entry.size, &mut buffer)?;
                found.is_some_and(|message| agrees(queue, count - 1, &entry, &message))
            }
            Slot::Blank { .. } | Slot::Unwritten => false,
        };
        if is_right {
            break;
        }
        count -= 1;
    }
    Ok(count)
}

/// Whether an entry's record is the one that belongs there. The delivery time of a scheduled message cannot be compared:
/// it depends on settings that may have changed.
fn agrees(queue: &Queue, offset: u64, entry: &QueueEntry, message: &Message<'_>) -> bool {
    let has_other_code = message.topic == SCHEDULE_TOPIC || entry.is_extended();
    *message.topic == *queue.topic
        && message.queue_id == queue.id
        && message.queue_offset as u64 == offset
        && (has_other_code || tags_hash(message.properties) == entry.tags_code)
}

/// Adds what each queue keeps, and which have lost their units: the last entry with one tells.
fn with_units(
    mut start: Start,
    log: &CommitLog,
    queues: &Queues,
    counts: &[u64],
) -> Result<Start, StoreError> {
    for ((_, queue), &entries) in queues.iter().zip(counts) {
        let units_end = units_end(queue, log, entries)?;
        if units_end.is_none() {
            start.lost_units.push((Arc::clone(&queue.topic), queue.id));
        }
        start.kept.push(units_end.map_or_else(Kept::default, |units_end| Kept { entries, units_end }));
    }
    Ok(start)
}

/// The position behind the unit of a queue's last entry that has one; `None` if that unit is not there, or is another
/// message's. One whose record is gone from the log cannot be compared, and is believed.
fn units_end(queue: &Queue, log: &CommitLog, count: u64) -> Result<Option<u64>, StoreError> {
    let Some(units) = queue.entries.units() else { return Ok(Some(0)) };
    let Some(entry) = queue.entries.last_extended(count)? else { return Ok(Some(0)) };
    let at = entry.unit_at().unwrap_or(0);
    let unit = unit_at(units, at)?;
    let end = at.saturating_add(unit.map_or(0, |unit| unit.encoded_len() as u64));
    if entry.physical < log.start() {
        return Ok(Some(end));
    }
    let mut buffer = Vec::new();
    let message = read_message(log.segments(), entry.physical, entry.size, &mut buffer)?;
    let is_right = message.is_none_or(|message| unit.is_some_and(|unit| unit.is_of(&message)));
    Ok(is_right.then_some(end))
}

/// The log position behind the record of a queue's entry before `count`; the log's start for a record that was removed,
/// since that entry could not be compared with anything.
fn end_of(queue: &Queue, count: u64, log_start: u64) -> Result<Option<u64>, StoreError> {
    if count <= queue.entries.min() {
        return Ok(None);
    }
    Ok(match queue.entries.slot(count - 1)? {
        Slot::Message(entry) if entry.physical < log_start => Some(log_start),
        Slot::Message(entry) => Some(entry.end()),
        Slot::Blank { .. } | Slot::Unwritten => None,
    })
}
