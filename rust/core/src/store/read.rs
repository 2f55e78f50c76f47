//! Reads as values: planned by the store's owner, run by whoever may wait for the disk.
//!
//! A [`ReadPlan`] holds a snapshot of the segments it needs, so it stays true while the store goes on writing. Nothing
//! is read that has not been made visible.

use bytes::Bytes;

use super::{
    consume_queue::{ENTRY_SIZE, QueueEntry, QueueView, Slot},
    error::StoreError,
    fetch::{Fetch, Fetched},
    segment::Wait,
    segment_list::Segments,
};
use crate::{
    filter::tags::TagFilter,
    record::{self, Decoded, MAGIC_V1, MAGIC_V2, MAX_BODY, sys_flag},
};

/// Bytes from a record's start that hold its store time, whatever the hosts are.
const HEAD_LEN: usize = 76;
/// Where the fields of a record's head are.
const SYS_FLAG_AT: usize = 36;
const STORE_TIME_AT: usize = 56;
const STORE_TIME_AT_V6: usize = 68;
/// No record is larger: a body and 64 KiB for all else (Apache's encoder has this limit).
const MAX_RECORD: u64 = MAX_BODY as u64 + 65_536;

/// Which of two messages a time between them means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The first message stored at or after the time.
    Lower,
    /// The last message stored at or before it.
    Upper,
}

/// What can be asked of the store.
#[derive(Debug, Clone)]
pub enum ReadRequest {
    /// Messages of a queue from an offset on.
    Fetch {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// The first offset.
        offset: i64,
        /// At most so many messages.
        max_messages: u32,
        /// At most so many bytes, but at least one message.
        max_bytes: u32,
        /// Which messages.
        filter: TagFilter,
    },
    /// The record that begins at a position of the log.
    Record {
        /// The position.
        physical_offset: i64,
    },
    /// The offset that a store time stands for.
    SearchTime {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// Milliseconds.
        timestamp: i64,
        /// Which way to round.
        boundary: Boundary,
    },
    /// The store time of the message at an offset.
    StoreTime {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// The offset.
        offset: i64,
    },
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Of [`ReadRequest::Fetch`].
    Fetched(Fetched),
    /// Of [`ReadRequest::Record`]; `None` where no visible record begins.
    Record(Option<Bytes>),
    /// Of [`ReadRequest::SearchTime`].
    Offset(i64),
    /// Of [`ReadRequest::StoreTime`]; −1 where there is no message.
    StoreTime(i64),
}

/// What was read, unless that would have meant to wait for the disk.
type Now<T> = Option<T>;

/// A request with all that is needed to answer it.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    pub(crate) request: ReadRequest,
    pub(crate) queue: Option<QueueView>,
    pub(crate) log: LogView,
}

impl ReadPlan {
    /// Answers from memory; `None` when that would mean to wait for the disk.
    pub fn run_now(&self) -> Result<Option<ReadOutcome>, StoreError> {
        self.answer(Wait::No)
    }

    /// Answers, however long the disk takes.
    pub fn run(&self) -> Result<ReadOutcome, StoreError> {
        self.answer(Wait::Yes)?.ok_or_else(|| StoreError::Io {
            op: "read",
            path: std::path::PathBuf::new(),
            source: std::io::ErrorKind::WouldBlock.into(),
        })
    }

    fn answer(&self, wait: Wait) -> Result<Option<ReadOutcome>, StoreError> {
        match &self.request {
            ReadRequest::Fetch { offset, max_messages, max_bytes, filter, .. } => {
                let (max_messages, max_bytes) = (*max_messages, *max_bytes);
                let fetch = Fetch { offset: *offset, max_messages, max_bytes, filter: filter.clone() };
                let fetched = fetch.run(self.queue.as_ref(), &self.log, wait)?;
                Ok(fetched.map(ReadOutcome::Fetched))
            }
            ReadRequest::Record { physical_offset } => {
                let record = self.log.record_at(*physical_offset, wait)?;
                Ok(record.map(ReadOutcome::Record))
            }
            ReadRequest::SearchTime { timestamp, boundary, .. } => {
                Ok(self.search(*timestamp, *boundary, wait)?.map(ReadOutcome::Offset))
            }
            ReadRequest::StoreTime { offset, .. } => {
                let time = self.time_at(u64::try_from(*offset).unwrap_or(u64::MAX), wait)?;
                Ok(time.map(|time| ReadOutcome::StoreTime(time.unwrap_or(-1))))
            }
        }
    }

    /// Store times do not decrease along a queue, so halving finds the place.
    fn search(&self, timestamp: i64, boundary: Boundary, wait: Wait) -> Result<Option<i64>, StoreError> {
        let Some(queue) = &self.queue else { return Ok(Some(0)) };
        let (mut low, mut high) = (queue.min, queue.max.max(queue.min));
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(time) = self.time_at(middle, wait)? else { return Ok(None) };
            let before = match (time, boundary) {
                (None, _) => true,
                (Some(time), Boundary::Lower) => time < timestamp,
                (Some(time), Boundary::Upper) => time <= timestamp,
            };
            if before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let offset = match boundary {
            Boundary::Lower => low,
            Boundary::Upper => low.saturating_sub(1).max(queue.min),
        };
        Ok(Some(offset as i64))
    }

    /// The store time of a queue's message, if there is one.
    fn time_at(&self, offset: u64, wait: Wait) -> Result<Now<Option<i64>>, StoreError> {
        let Some(queue) = self.queue.as_ref().filter(|queue| (queue.min..queue.max).contains(&offset)) else {
            return Ok(Some(None));
        };
        let mut bytes = [0; ENTRY_SIZE as usize];
        if queue.segments.read(offset.saturating_mul(ENTRY_SIZE), &mut bytes, wait)?.is_none() {
            return Ok(None);
        }
        match Slot::decode(&bytes) {
            Slot::Message(entry) => self.log.store_time(&entry, wait),
            Slot::Blank | Slot::Unwritten => Ok(Some(None)),
        }
    }
}

/// The part of the log that readers may see.
#[derive(Debug, Clone)]
pub(crate) struct LogView {
    pub(crate) segments: Segments,
    pub(crate) end: u64,
}

impl LogView {
    pub(crate) fn start(&self) -> u64 {
        self.segments.start().unwrap_or(0)
    }

    /// The records of these entries, one read for each stretch without gaps.
    pub(crate) fn read_records(
        &self,
        entries: &[QueueEntry],
        wait: Wait,
    ) -> Result<Option<Vec<Bytes>>, StoreError> {
        let mut chunks = Vec::new();
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let (count, length) = self.stretch(first, rest);
            let mut bytes = vec![0; length as usize];
            if self.segments.read(first.physical, &mut bytes, wait)?.is_none() {
                return Ok(None);
            }
            chunks.push(Bytes::from(bytes));
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(Some(chunks))
    }

    /// How many entries from the front lie back to back in one segment, and their length together.
    fn stretch(&self, first: &QueueEntry, entries: &[QueueEntry]) -> (usize, u64) {
        let mut length = 0_u64;
        for (count, entry) in entries.iter().enumerate() {
            let longer = length.saturating_add(entry.size.into());
            let follows = entry.physical == first.physical.saturating_add(length);
            if count > 0 && !(follows && self.segments.holds(first.physical, longer)) {
                return (count, length);
            }
            length = longer;
        }
        (entries.len(), length)
    }

    /// The record at a position, if one begins there.
    fn record_at(&self, offset: i64, wait: Wait) -> Result<Now<Option<Bytes>>, StoreError> {
        let Ok(position) = u64::try_from(offset) else { return Ok(Some(None)) };
        let mut head = [0; 8];
        if !self.is_visible(position, head.len() as u64) {
            return Ok(Some(None));
        }
        if self.segments.read(position, &mut head, wait)?.is_none() {
            return Ok(None);
        }
        let words = u64::from_be_bytes(head);
        let (size, magic) = (words >> 32, words as u32);
        let plausible = matches!(magic, MAGIC_V1 | MAGIC_V2) && size <= MAX_RECORD;
        if !plausible || !self.is_visible(position, size) {
            return Ok(Some(None));
        }
        let mut bytes = vec![0; size as usize];
        if self.segments.read(position, &mut bytes, wait)?.is_none() {
            return Ok(None);
        }
        let is_record = matches!(record::decode(&bytes), Ok(Decoded::Message(message)) if message.physical_offset == offset);
        Ok(Some(is_record.then(|| Bytes::from(bytes))))
    }

    fn store_time(&self, entry: &QueueEntry, wait: Wait) -> Result<Now<Option<i64>>, StoreError> {
        let mut head = [0; HEAD_LEN];
        if (entry.size as usize) < HEAD_LEN || !self.is_visible(entry.physical, entry.size.into()) {
            return Ok(Some(None));
        }
        if self.segments.read(entry.physical, &mut head, wait)?.is_none() {
            return Ok(None);
        }
        let flag =
            head.get(SYS_FLAG_AT..).and_then(<[u8]>::first_chunk).map_or(0, |word| i32::from_be_bytes(*word));
        let is_v6 = flag & sys_flag::BORN_HOST_V6 != 0;
        let at = if is_v6 { STORE_TIME_AT_V6 } else { STORE_TIME_AT };
        Ok(Some(head.get(at..).and_then(<[u8]>::first_chunk).map(|word| i64::from_be_bytes(*word))))
    }

    fn is_visible(&self, position: u64, length: u64) -> bool {
        position.saturating_add(length) <= self.end && self.segments.holds(position, length)
    }
}
