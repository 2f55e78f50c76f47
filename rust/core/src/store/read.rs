//! Reading, as a plan: what is asked for together with a snapshot of the files it may need.
//!
//! A plan is made by the store's owner in no time, can be sent to a thread that may wait for the disk, and is not
//! disturbed by what happens to the store meanwhile. It sees the messages that were visible when it was made.

use bytes::Bytes;

use super::{
    error::StoreError,
    fetch::{self, FetchLimits, Fetched},
    index::{self, FoundByKey, IndexView, KeyKind, KeyQuery},
    queue_entry::{ENTRY_SIZE, QueueEntry, QueueView, Slot},
    search,
    segment::Wait,
    segment_list::Segments,
};
use crate::{
    filter::Filter,
    record::{self, Decoded, MAGIC_V1, MAGIC_V2, sys_flag},
};

/// Something to read.
#[derive(Debug, Clone)]
pub enum ReadRequest {
    /// Messages of a queue from an offset on.
    Fetch {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// The first offset wanted.
        offset: i64,
        /// The most messages; 32 is the limit whatever is asked for.
        max_messages: u32,
        /// The most bytes, but for the first message; 256 KiB is the limit whatever is asked for.
        max_bytes: u32,
        /// Which messages.
        filter: Filter,
    },
    /// The record at a position of the log.
    Record {
        /// The position.
        physical_offset: i64,
    },
    /// The offset of a queue that belongs to a store time.
    SearchTime {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// Milliseconds since the epoch.
        timestamp: i64,
        /// Which of the neighbours.
        boundary: Boundary,
    },
    /// Messages that have a key.
    ByKey {
        /// The topic.
        topic: String,
        /// What the key is.
        kind: KeyKind,
        /// The key.
        key: String,
        /// The most messages; 64 is the limit whatever is asked for. The newest count.
        max_messages: u32,
        /// The earliest and the latest store time, in milliseconds since the epoch.
        times: (i64, i64),
    },
    /// The store time of the oldest message of the log: [`ReadOutcome::StoreTime`].
    EarliestTime,
    /// The store time of a queue's message.
    StoreTime {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// Its offset.
        offset: i64,
    },
}

/// Which message a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// The first message stored at that time or later.
    #[default]
    Lower,
    /// The last message stored at that time or earlier.
    Upper,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Of [`ReadRequest::Fetch`].
    Fetched(Fetched),
    /// Of [`ReadRequest::Record`]; `None` where no record begins.
    Record(Option<Bytes>),
    /// Of [`ReadRequest::SearchTime`].
    Offset(i64),
    /// Of [`ReadRequest::ByKey`].
    ByKey(FoundByKey),
    /// Of [`ReadRequest::StoreTime`] and [`ReadRequest::EarliestTime`]; −1 where there is no message.
    StoreTime(i64),
}

/// A read that is ready to be executed, by any thread.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    pub(super) log: Segments,
    pub(super) log_end: u64,
    pub(super) work: Work,
}

#[derive(Debug, Clone)]
pub(super) enum Work {
    Fetch {
        queue: Option<QueueView>,
        offset: i64,
        limits: FetchLimits,
        filter: Filter,
        /// Whether the entries are to say when their messages are due.
        is_scheduled: bool,
    },
    Record {
        physical_offset: i64,
    },
    SearchTime {
        queue: Option<QueueView>,
        timestamp: i64,
        boundary: Boundary,
    },
    StoreTime {
        queue: Option<QueueView>,
        offset: i64,
    },
    EarliestTime,
    ByKey {
        index: IndexView,
        query: KeyQuery,
    },
}

impl ReadPlan {
    /// Reads if that needs no waiting for a disk; `None` if it does.
    pub fn run_now(&self) -> Result<Option<ReadOutcome>, StoreError> {
        match self.run_with(Wait::No) {
            Ok(outcome) => Ok(Some(outcome)),
            Err(Stop::WouldBlock) => Ok(None),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Reads, waiting for the disk where needed.
    pub fn run(&self) -> Result<ReadOutcome, StoreError> {
        self.run_with(Wait::Yes).map_err(|stop| match stop {
            Stop::Failed(error) => error,
            // Reads that may wait do; a file that claims otherwise is broken.
            Stop::WouldBlock => StoreError::Io {
                op: "read",
                path: std::path::PathBuf::new(),
                source: std::io::ErrorKind::WouldBlock.into(),
            },
        })
    }

    fn run_with(&self, wait: Wait) -> Result<ReadOutcome, Stop> {
        let reader = Reader::new(&self.log, self.log_end, wait);
        match &self.work {
            Work::Fetch { queue, offset, limits, filter, is_scheduled } => {
                fetch::fetch(&reader, queue.as_ref(), *offset, *limits, filter, *is_scheduled)
                    .map(ReadOutcome::Fetched)
            }
            Work::Record { physical_offset } => reader.record(*physical_offset).map(ReadOutcome::Record),
            Work::SearchTime { queue, timestamp, boundary } => {
                search::by_time(&reader, queue.as_ref(), *timestamp, *boundary).map(ReadOutcome::Offset)
            }
            // Files of the index are looked up at random, and the log's end may have to be read.
            Work::ByKey { .. } if wait == Wait::No => Err(Stop::WouldBlock),
            Work::ByKey { index, query } => index::find(&reader, index, query).map(ReadOutcome::ByKey),
            Work::EarliestTime => reader.earliest_timestamp().map(ReadOutcome::StoreTime),
            Work::StoreTime { queue, offset } => {
                search::store_time(&reader, queue.as_ref(), *offset).map(ReadOutcome::StoreTime)
            }
        }
    }
}

/// Why a read has no result.
#[derive(Debug)]
pub(super) enum Stop {
    WouldBlock,
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Bytes of a record that hold everything before its body, whatever its hosts are.
const HEAD_LEN: usize = 76;
/// The smallest size that a record's first word can hold without being nonsense.
const MIN_RECORD: u64 = 91;

/// The files of a plan, and whether they may be waited for.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    log: &'a Segments,
    log_end: u64,
    wait: Wait,
}

impl<'a> Reader<'a> {
    pub(super) fn new(log: &'a Segments, log_end: u64, wait: Wait) -> Self {
        Self { log, log_end, wait }
    }

    /// The first position the log still has.
    pub(super) fn log_start(&self) -> u64 {
        self.log.start().unwrap_or(0)
    }

    /// The end of what was visible.
    pub(super) fn log_end(&self) -> u64 {
        self.log_end
    }

    /// Whether the disk may be waited for.
    pub(super) fn wait(&self) -> Wait {
        self.wait
    }

    pub(super) fn log_segments(&self) -> &Segments {
        self.log
    }

    /// Fills `buf` from the log.
    pub(super) fn log(&self, offset: u64, buf: &mut [u8]) -> Result<(), Stop> {
        self.log.read(offset, buf, self.wait)?.ok_or(Stop::WouldBlock)
    }

    /// The entries of a queue from an offset on, at most `count`, not beyond what is visible.
    pub(super) fn slots(&self, queue: &QueueView, from: u64, count: u64) -> Result<Vec<Slot>, Stop> {
        let end = queue.max.min(from.saturating_add(count)).saturating_mul(ENTRY_SIZE);
        let mut at = from.saturating_mul(ENTRY_SIZE);
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(at)).unwrap_or(0)];
        let mut rest = bytes.as_mut_slice();
        while let Some(segment) = queue.segments.find(at).filter(|_| !rest.is_empty()) {
            let room = usize::try_from(segment.end() - at).unwrap_or(usize::MAX);
            let (piece, behind) = rest.split_at_mut(room.min(rest.len()));
            segment.read(at, piece, self.wait)?.ok_or(Stop::WouldBlock)?;
            at = at.saturating_add(piece.len() as u64);
            rest = behind;
        }
        Ok(bytes.as_chunks().0.iter().map(Slot::decode).collect())
    }

    /// The store time of the message that an entry points to; `None` when the log no longer has it.
    pub(super) fn store_timestamp(&self, entry: &QueueEntry) -> Result<Option<i64>, Stop> {
        if entry.physical < self.log_start() {
            return Ok(None);
        }
        let head = self.head(entry)?;
        let at = if word(&head, 36) as i32 & sys_flag::BORN_HOST_V6 == 0 { 56 } else { 68 };
        Ok(Some(long(&head, at)))
    }

    /// The first bytes of the message that an entry points to, which say that it is one of this size.
    pub(super) fn head(&self, entry: &QueueEntry) -> Result<[u8; HEAD_LEN], Stop> {
        let mut head = [0; HEAD_LEN];
        self.log(entry.physical, &mut head)?;
        check_head(self.log, &head, entry)?;
        Ok(head)
    }

    /// The store time of the first record of the log, or −1: there is none, or a file is one blank.
    fn earliest_timestamp(&self) -> Result<i64, Stop> {
        let record = self.record(self.log_start() as i64)?;
        Ok(record.map_or(-1, |bytes| match record::decode(&bytes) {
            Ok(Decoded::Message(message)) => message.store_timestamp,
            _ => -1,
        }))
    }

    /// The record that begins at a position, if one does.
    pub(super) fn record(&self, physical_offset: i64) -> Result<Option<Bytes>, Stop> {
        let Ok(offset) = u64::try_from(physical_offset) else { return Ok(None) };
        let left = self.log_end.saturating_sub(offset);
        if left < MIN_RECORD || !self.log.holds(offset, MIN_RECORD) {
            return Ok(None);
        }
        let mut head = [0; HEAD_LEN];
        self.log(offset, &mut head)?;
        let size = u64::from(word(&head, 0));
        let is_record = is_magic(word(&head, 4)) && long(&head, 28) == physical_offset;
        if !is_record || size < MIN_RECORD || size > left || !self.log.holds(offset, size) {
            return Ok(None);
        }
        let mut bytes = vec![0; size as usize];
        self.log(offset, &mut bytes)?;
        let is_whole =
            matches!(record::decode(&bytes), Ok(Decoded::Message(message)) if message.crc_matches());
        Ok(is_whole.then(|| bytes.into()))
    }
}

/// Checks that a record begins where an entry says: the least that tells a message from other bytes.
pub(super) fn check_head(log: &Segments, head: &[u8], entry: &QueueEntry) -> Result<(), StoreError> {
    let damaged = |what, expected, found| {
        let path = log.find(entry.physical).map(|segment| segment.path().to_owned()).unwrap_or_default();
        Err(StoreError::Damaged { path, offset: entry.physical, what, expected, found })
    };
    let (size, magic, physical) = (word(head, 0), word(head, 4), long(head, 28));
    if size != entry.size {
        return damaged("the record size", entry.size.into(), size.into());
    }
    if !is_magic(magic) {
        return damaged("the record magic", MAGIC_V1.into(), magic.into());
    }
    if physical as u64 != entry.physical {
        return damaged("the physical offset", entry.physical as i64, physical);
    }
    Ok(())
}

fn is_magic(word: u32) -> bool {
    word == MAGIC_V1 || word == MAGIC_V2
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_be_bytes(*word))
}

fn long(bytes: &[u8], at: usize) -> i64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |long| i64::from_be_bytes(*long))
}
