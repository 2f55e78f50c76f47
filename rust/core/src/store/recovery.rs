//! Finding out where the log ends after a start, and making the queues agree with it.
//!
//! Three endings: clean (the last record ends where the zeros begin); torn (something is behind the last whole
//! record: it is cut off, zeroed and reported); and an error, when a file cannot be read.
//!
//! Rules:
//! - A record counts if it decodes, its checksum is right, and it says itself that it lies where it lies. The
//!   last is what keeps bytes of an earlier life from coming back (Apache does not check it).
//! - The scan begins at the last record whose queue entry is known to be durable, and at the first segment when there is
//!   none: it reaches every segment, also without consume queues. (Apache looks at ten files at most.)
//! - What is cut off is zeroed, in the log and in the queues, and the last entry of each queue is checked against its
//!   record.

use super::{
    checkpoint::Positions,
    commit_log::CommitLog,
    consume_queue::{Put, QueueEntry, Slot},
    dispatch::{Dispatch, Queues, tags_code},
    error::StoreError,
    segment::{Segment, Wait},
};
use crate::record::{self, BLANK_LEN, Decoded, Message};

/// Bytes of the log read at a time; a record that is larger gets a larger read.
const SCAN_BYTES: usize = 4 * 1024 * 1024;

/// What a start found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whether the store had been closed in order.
    pub clean: bool,
    /// Where the scan of the log began.
    pub scanned_from: u64,
    /// Records the scan went over.
    pub records: u64,
    /// Queue entries that were missing and made again.
    pub redispatched: u64,
    /// Where the log ends.
    pub end: u64,
    /// Bytes behind the end that were no whole record and were cut off.
    pub cut_bytes: u64,
}

/// Position and store time of a record.
type Last = Option<(u64, i64)>;

/// Scans the log, cuts it where it ends, and brings the queues in line.
pub(crate) fn recover(
    log: &mut CommitLog,
    queues: &mut Queues,
    clean: bool,
    positions: Positions,
) -> Result<Recovery, StoreError> {
    let mut indexed = 0;
    for (_, _, queue) in queues.iter_mut() {
        queue.recover_end()?;
        indexed = indexed.max(last_entry(queue)?.map_or(0, |entry| entry.physical));
    }
    let from = start_of_scan(log, clean, positions, indexed)?;
    let mut scan = Scan { log, queues, position: from, last: None, records: 0, redispatched: 0 };
    scan.run()?;
    let (end, last, records, redispatched) = (scan.position, scan.last, scan.records, scan.redispatched);
    let cut_bytes = if log.segments().start().is_some() { log.list_mut().data_behind(end)? } else { 0 };
    log.cut(end)?;
    align_queues(log, queues)?;
    if let Some((physical, store_timestamp)) = last {
        queues.set_dispatched(physical, store_timestamp);
    }
    Ok(Recovery { clean, scanned_from: from, records, redispatched, end, cut_bytes })
}

/// The position of a record from which on everything is looked at.
fn start_of_scan(
    log: &CommitLog,
    clean: bool,
    positions: Positions,
    indexed: u64,
) -> Result<u64, StoreError> {
    let durable = u64::try_from(positions.logics_physical).unwrap_or(0);
    // After a crash only what the checkpoint vouches for is known to have its entries on the disk. If the queues know
    // less than it, they were lost, and everything is made again.
    let from = if clean { indexed } else { durable.min(indexed) };
    let from = if durable > indexed { 0 } else { from };
    let start = log.start();
    let begins_there = from > start && record_begins_at(log, from)?;
    Ok(if begins_there { from } else { start })
}

fn record_begins_at(log: &CommitLog, offset: u64) -> Result<bool, StoreError> {
    let Some(segment) = log.segments().find(offset) else { return Ok(false) };
    let mut buffer = Vec::new();
    Ok(matches!(look(segment, offset, &mut buffer)?, Found::Record { .. }))
}

fn last_entry(queue: &super::consume_queue::ConsumeQueue) -> Result<Option<QueueEntry>, StoreError> {
    match queue.max().checked_sub(1).filter(|last| *last >= queue.min()) {
        None => Ok(None),
        Some(last) => match queue.slot(last)? {
            Slot::Message(entry) => Ok(Some(entry)),
            Slot::Blank | Slot::Unwritten => Ok(None),
        },
    }
}

/// What stands at a position of the log.
enum Found {
    /// A whole record of this size.
    Record { size: u64 },
    /// The rest of the segment is declared empty.
    Blank,
    /// The log's end: nothing, or nothing whole.
    End,
}

/// Reads what stands at a position into `buffer`, which afterwards begins with the record if there is one.
fn look(segment: &Segment, position: u64, buffer: &mut Vec<u8>) -> Result<Found, StoreError> {
    let room = segment.end() - position;
    let mut want = (BLANK_LEN as u64).min(room);
    loop {
        buffer.resize(want as usize, 0);
        segment.read(position, buffer, Wait::Yes)?;
        match judge(buffer, position) {
            Judgement::Found(found) => return Ok(found),
            Judgement::Needs(size) if size > want && size <= room => want = size,
            Judgement::Needs(_) => return Ok(Found::End),
        }
    }
}

enum Judgement {
    Found(Found),
    Needs(u64),
}

fn judge(bytes: &[u8], position: u64) -> Judgement {
    match record::decode(bytes) {
        Ok(Decoded::Message(message)) if counts(&message, position) => {
            Judgement::Found(Found::Record { size: message.total_size as u64 })
        }
        Ok(Decoded::Blank { .. }) => Judgement::Found(Found::Blank),
        Ok(Decoded::NeedMore) => {
            let size = bytes.first_chunk::<4>().map_or(0, |word| u32::from_be_bytes(*word));
            Judgement::Needs(u64::from(size).max(BLANK_LEN as u64))
        }
        Ok(Decoded::Message(_)) | Err(_) => Judgement::Found(Found::End),
    }
}

fn counts(message: &Message<'_>, position: u64) -> bool {
    u64::try_from(message.physical_offset) == Ok(position) && message.crc_matches() && is_whole(message)
}

/// The checksum covers the body only. A page that never reached the disk reads as zeros, which would pass for an empty
/// topic or the end of the properties; no writer of ours ends either with a zero (`NewRecord::encode` refuses that).
fn is_whole(message: &Message<'_>) -> bool {
    let ends_in_zero = |text: &str| text.as_bytes().last() == Some(&0);
    !message.topic.is_empty()
        && !ends_in_zero(message.topic)
        && !ends_in_zero(message.properties)
        && message.fields_len() == message.total_size
}

/// The walk over the log.
struct Scan<'a> {
    log: &'a CommitLog,
    queues: &'a mut Queues,
    position: u64,
    last: Last,
    records: u64,
    redispatched: u64,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), StoreError> {
        let mut buffer = Vec::new();
        while let Some(segment) = self.log.segments().find(self.position).cloned() {
            if !self.walk(&segment, &mut buffer)? {
                break;
            }
        }
        self.queues.write_touched()
    }

    /// Goes over a segment; true when the log goes on in the next one.
    fn walk(&mut self, segment: &Segment, buffer: &mut Vec<u8>) -> Result<bool, StoreError> {
        while self.position < segment.end() {
            let room = segment.end() - self.position;
            buffer.resize((SCAN_BYTES as u64).min(room) as usize, 0);
            segment.read(self.position, buffer, Wait::Yes)?;
            let used = self.take_records(buffer)?;
            if used > 0 {
                continue;
            }
            match look(segment, self.position, buffer)? {
                Found::Record { .. } => {
                    self.take_records(buffer)?;
                }
                Found::Blank => {
                    self.position = segment.end();
                    return Ok(true);
                }
                Found::End => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Takes the whole records at the front of the buffer; how many bytes they are.
    fn take_records(&mut self, buffer: &[u8]) -> Result<usize, StoreError> {
        let mut used = 0;
        while let Some(rest) = buffer.get(used..)
            && let Ok(Decoded::Message(message)) = record::decode(rest)
            && counts(&message, self.position)
        {
            self.take(&message)?;
            used += message.total_size;
            self.position = self.position.saturating_add(message.total_size as u64);
        }
        Ok(used)
    }

    fn take(&mut self, message: &Message<'_>) -> Result<(), StoreError> {
        self.records += 1;
        self.last = Some((self.position, message.store_timestamp));
        if message.is_transaction_prepared_or_rollback() {
            return Ok(());
        }
        let dispatch = Dispatch {
            topic: message.topic.into(),
            queue_id: message.queue_id,
            queue_offset: u64::try_from(message.queue_offset).unwrap_or(0),
            entry: QueueEntry {
                physical: self.position,
                size: message.total_size as u32,
                tags_code: tags_code(message.topic, message.properties, message.store_timestamp),
            },
            store_timestamp: message.store_timestamp,
        };
        self.index(&dispatch)
    }

    fn index(&mut self, dispatch: &Dispatch) -> Result<(), StoreError> {
        let mut put = self.queues.put(dispatch)?;
        let queue = &mut self.queues.queue_mut(&dispatch.topic, dispatch.queue_id)?.index;
        match put {
            Put::Added => {}
            Put::Repeat if dispatch.queue_offset >= queue.max() => {}
            Put::Repeat if dispatch.queue_offset < queue.min() => {}
            Put::Repeat => {
                if queue.slot(dispatch.queue_offset)? == Slot::Message(dispatch.entry) {
                    return Ok(());
                }
                // An entry of an earlier life: it and all behind it are made again.
                queue.write_pending()?;
                queue.cut(dispatch.queue_offset)?;
                put = self.queues.put(dispatch)?;
            }
            Put::Gap => {
                let path = self.log.segments().find(self.position).map(|segment| segment.path().to_owned());
                queue.bridge(dispatch.queue_offset, &path.unwrap_or_default(), self.position)?;
                put = self.queues.put(dispatch)?;
            }
        }
        self.redispatched += u64::from(put == Put::Added);
        Ok(())
    }
}

/// Drops entries that lead nowhere, and lets numbering go on behind those that are left.
fn align_queues(log: &CommitLog, queues: &mut Queues) -> Result<(), StoreError> {
    let (start, end) = (log.start(), log.end());
    for (topic, queue_id, queue) in queues.iter_mut() {
        queue.cut_at_physical(end)?;
        while let Some(entry) = last_entry(queue)?.filter(|entry| entry.physical >= start) {
            let last = queue.max() - 1;
            if leads_to(log, topic, queue_id, last, &entry)? {
                break;
            }
            queue.cut(last)?;
        }
        queue.correct_min(start)?;
    }
    queues.restart_numbering();
    Ok(())
}

/// Whether an entry's record is the one that belongs there.
fn leads_to(
    log: &CommitLog,
    topic: &str,
    queue_id: i32,
    offset: u64,
    entry: &QueueEntry,
) -> Result<bool, StoreError> {
    let Some(segment) = log.segments().find(entry.physical) else { return Ok(false) };
    let mut buffer = Vec::new();
    let Found::Record { size } = look(segment, entry.physical, &mut buffer)? else { return Ok(false) };
    let Ok(Decoded::Message(message)) = record::decode(&buffer) else { return Ok(false) };
    Ok(size == u64::from(entry.size)
        && message.topic == topic
        && message.queue_id == queue_id
        && u64::try_from(message.queue_offset) == Ok(offset))
}
