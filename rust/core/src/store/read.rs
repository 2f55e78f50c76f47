//! Reading, as a plan: what is asked for together with a snapshot of the files it may need.
//!
//! A plan is made by the store's owner in no time, can be sent to a thread that may wait for the disk, and is not
//! disturbed by what happens to the store meanwhile. It sees the messages that were visible when it was made.

use bytes::Bytes;

use super::{
    Store,
    delays::SCHEDULE_TOPIC,
    error::StoreError,
    fetch,
    fetched::{FetchLimits, Fetched},
    index::{self, FoundByKey, IndexView, KeyKind, KeyQuery},
    queue_entry::QueueView,
    reader::{Reader, Stop},
    search::{self, Boundary},
    segment::Wait,
    segments::Segments,
};
use crate::filter::Filter;

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
    log: Segments,
    log_end: u64,
    work: Work,
}

#[derive(Debug, Clone)]
enum Work {
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

impl Store {
    /// A read of what is visible now, to be run here or by a thread that may wait for the disk.
    pub fn plan_read(&self, request: ReadRequest) -> ReadPlan {
        let work = match request {
            ReadRequest::Fetch { topic, queue_id, offset, max_messages, max_bytes, filter } => Work::Fetch {
                queue: self.queues.view(&topic, queue_id),
                offset,
                limits: FetchLimits { max_messages, max_bytes },
                filter,
                is_scheduled: topic == SCHEDULE_TOPIC,
            },
            ReadRequest::Record { physical_offset } => Work::Record { physical_offset },
            ReadRequest::SearchTime { topic, queue_id, timestamp, boundary } => {
                Work::SearchTime { queue: self.queues.view(&topic, queue_id), timestamp, boundary }
            }
            ReadRequest::ByKey { topic, kind, key, max_messages, times } => Work::ByKey {
                index: self.index.view(),
                query: KeyQuery::new(&topic, kind, &key, max_messages, times),
            },
            ReadRequest::EarliestTime => Work::EarliestTime,
            ReadRequest::StoreTime { topic, queue_id, offset } => {
                Work::StoreTime { queue: self.queues.view(&topic, queue_id), offset }
            }
        };
        ReadPlan { log: self.log.segments().clone(), log_end: self.visible_end, work }
    }
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
