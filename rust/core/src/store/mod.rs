//! The message store: Apache's files, one owner.
//!
//! In reading order:
//! - [`FileSystem`] with [`DiskFs`], [`MemFs`] and [`FaultFs`]; `segment`, `segment_list`: fixed-size files in a row.
//! - `commit_log`: the records, the single source of truth; `consume_queue`, `dispatch`: the queues made from it.
//! - `flush`, `checkpoint`: what is durable; `recovery`: what a start makes of what it finds.
//! - `read`, `fetch`: snapshots for readers.
//!
//! A message goes `append` → `write_run` → (`plan_flush`, `flushed`) → `release`, after which consumers can see it. Reads and
//! flushes are values that may be run elsewhere; everything else is called by the one owner, who never waits for
//! another. A failed fsync poisons the store: appends are refused from then on, reads go on.

mod checkpoint;
mod commit_log;
mod consume_queue;
mod directory;
mod disk_fs;
mod dispatch;
mod error;
mod fault_fs;
mod fetch;
mod flush;
mod fs;
mod mem_fs;
mod read;
mod recovery;
mod segment;
mod segment_list;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

pub use disk_fs::DiskFs;
pub use dispatch::Arrival;
pub use error::StoreError;
pub use fault_fs::{Fault, FaultFs};
pub use fetch::{FetchStatus, Fetched};
pub use flush::{FlushPlan, FlushResult};
pub use fs::{Entry, File, FileSystem, Open};
pub use mem_fs::MemFs;
pub use read::{Boundary, ReadOutcome, ReadPlan, ReadRequest};
pub use recovery::Recovery;

use checkpoint::Checkpoint;
use commit_log::CommitLog;
use consume_queue::QueueEntry;
use directory::Directory;
use dispatch::{Dispatch, Queues};
use read::LogView;

use crate::record::NewRecord;

/// Consume queues are synced when this long has passed since the last time (Apache: 60 s). It bounds what a
/// restart after a crash has to go over.
const QUEUE_SYNC_MS: i64 = 10_000;

/// When an append is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushMode {
    /// Some time after it was answered.
    Async {
        /// At the latest this long after it was written.
        interval_ms: u64,
    },
    /// Before it is answered.
    Sync,
}

/// Where and how a store is kept.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Apache's `storePathRootDir`.
    pub root: PathBuf,
    /// Bytes of a commit log file.
    pub segment_size: u64,
    /// Entries of a consume queue file.
    pub consume_queue_entries: u64,
    /// When appends become durable.
    pub flush: FlushMode,
    /// Written to the `abort` file.
    pub process_id: u32,
}

impl StoreSettings {
    /// Apache's sizes, flushed every 500 ms.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            segment_size: 1024 * 1024 * 1024,
            consume_queue_entries: 300_000,
            flush: FlushMode::Async { interval_ms: 500 },
            process_id: 0,
        }
    }
}

/// Where an appended message lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its number in its queue.
    pub queue_offset: i64,
    /// Its position in the log.
    pub physical_offset: i64,
    /// Bytes in the log.
    pub size: u32,
    /// The position behind it: what has to be written, flushed, released.
    pub end: u64,
}

/// The offsets that a queue has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The first.
    pub min: i64,
    /// The one behind the last that consumers can see.
    pub max: i64,
}

/// Figures of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStatistics {
    /// The log's first position.
    pub log_start: u64,
    /// The end of what was written.
    pub appended_end: u64,
    /// The end of what is durable.
    pub flushed_end: u64,
    /// Consume queues.
    pub queues: usize,
    /// Written records that consumers cannot see yet.
    pub undispatched: usize,
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    fs: Arc<dyn FileSystem>,
    settings: StoreSettings,
    directory: Directory,
    log: CommitLog,
    queues: Queues,
    checkpoint: Checkpoint,
    visible_end: u64,
    flushed_end: u64,
    last_store_timestamp: i64,
    queues_synced_at: i64,
    checkpoint_dirty: bool,
    refuses: Option<Arc<str>>,
    closed: bool,
}

impl Store {
    /// Opens the directory, made if need be, and recovers what is in it.
    pub fn open(
        fs: Arc<dyn FileSystem>,
        settings: StoreSettings,
        wall_ms: i64,
    ) -> Result<(Self, Recovery), StoreError> {
        let directory = Directory::lock(Arc::clone(&fs), settings.root.clone())?;
        let clean = !directory.was_in_use()?;
        let mut log =
            CommitLog::open(Arc::clone(&fs), settings.root.join("commitlog"), settings.segment_size)?;
        let mut queues = Queues::open(
            Arc::clone(&fs),
            settings.root.join("consumequeue"),
            settings.consume_queue_entries,
        )?;
        let checkpoint = Checkpoint::open(&*fs, &settings.root.join("checkpoint"))?;
        let recovery = recovery::recover(&mut log, &mut queues, clean, checkpoint.positions())?;
        directory.mark_in_use(settings.process_id)?;
        let end = log.end();
        let store = Self {
            fs,
            settings,
            directory,
            log,
            queues,
            checkpoint,
            visible_end: end,
            // What a crash left behind may still be on its way to the disk.
            flushed_end: if clean { end } else { recovery.scanned_from },
            last_store_timestamp: 0,
            queues_synced_at: wall_ms,
            checkpoint_dirty: false,
            refuses: None,
            closed: false,
        };
        Ok((store, recovery))
    }

    /// Adds a message to the run and gives it its place. It is in the log after [`Self::write_run`].
    pub fn append(&mut self, record: &NewRecord<'_>, wall_ms: i64) -> Result<Placed, StoreError> {
        self.check_writable()?;
        // Consumers search by store time, so it never goes back.
        let store_timestamp = wall_ms.max(self.last_store_timestamp);
        let (topic, queue_offset) = self.queues.next_offset(record.topic, record.queue_id)?;
        let (physical, size) = self.log.append(record, queue_offset, store_timestamp)?;
        self.last_store_timestamp = store_timestamp;
        let text = std::str::from_utf8(record.properties).unwrap_or_default();
        let tags_code = dispatch::tags_code(record.topic, text, store_timestamp);
        let entry = QueueEntry { physical, size, tags_code };
        self.queues.assign(Dispatch {
            topic,
            queue_id: record.queue_id,
            queue_offset,
            entry,
            store_timestamp,
        })?;
        Ok(Placed {
            queue_offset: queue_offset as i64,
            physical_offset: physical as i64,
            size,
            end: entry.end(),
        })
    }

    /// Writes the run; the new end of the log. On failure none of its messages count.
    pub fn write_run(&mut self) -> Result<u64, StoreError> {
        if !self.log.has_run() {
            return Ok(self.log.end());
        }
        match self.log.write_run() {
            Ok(end) => {
                self.queues.keep_assigned();
                Ok(end)
            }
            Err(error) => {
                self.queues.undo_assigned();
                Err(error)
            }
        }
    }

    /// Lets consumers see the messages that end at or before `upto`.
    pub fn release(&mut self, upto: u64) -> Result<Vec<Arrival>, StoreError> {
        let upto = upto.min(self.log.end());
        let arrivals = self.queues.release(upto)?;
        self.visible_end = self.visible_end.max(upto);
        Ok(arrivals)
    }

    /// When appends become durable.
    pub fn flush_mode(&self) -> FlushMode {
        self.settings.flush
    }

    /// The end of what was written.
    pub fn appended_end(&self) -> u64 {
        self.log.end()
    }

    /// The end of what is durable.
    pub fn flushed_end(&self) -> u64 {
        self.flushed_end
    }

    /// What has to be synced; `None` when nothing has.
    pub fn plan_flush(&mut self, wall_ms: i64) -> Option<FlushPlan> {
        let thorough = wall_ms.saturating_sub(self.queues_synced_at) >= QUEUE_SYNC_MS;
        self.make_plan(thorough, wall_ms)
    }

    fn make_plan(&mut self, thorough: bool, wall_ms: i64) -> Option<FlushPlan> {
        let upto = self.log.end();
        if self.refuses.is_some() || (upto == self.flushed_end && !(thorough && self.has_unsynced())) {
            return None;
        }
        let mut directories = BTreeSet::new();
        if self.log.list_mut().take_names_changed() {
            directories.insert(self.log.list_mut().dir().to_owned());
            directories.insert(self.settings.root.clone());
        }
        let mut positions = self.checkpoint.positions();
        positions.physic_timestamp = positions.physic_timestamp.max(self.last_store_timestamp);
        let mut queue_segments = Vec::new();
        if thorough {
            self.queues_synced_at = wall_ms;
            for (_, _, queue) in self.queues.iter_mut() {
                queue_segments.extend(queue.take_unsynced(&mut directories));
            }
            if let Some((physical, store_timestamp)) = self.queues.dispatched() {
                positions.logics_physical = physical as i64;
                positions.logics_timestamp = store_timestamp;
            }
        }
        let log = self.log.segments().covering(self.flushed_end, upto).map(Arc::clone).collect();
        let path = self.settings.root.join("checkpoint");
        let written_before = std::mem::take(&mut self.checkpoint_dirty);
        Some(FlushPlan {
            fs: Arc::clone(&self.fs),
            log,
            queues: queue_segments,
            checkpoint: (thorough && written_before).then(|| (path, Arc::clone(self.checkpoint.file()))),
            directories: directories.into_iter().collect(),
            upto,
            positions,
        })
    }

    fn has_unsynced(&mut self) -> bool {
        self.queues.iter_mut().any(|(_, _, queue)| queue.is_unsynced())
    }

    /// Takes note of a flush; the new durable end. A failed one poisons the store.
    pub fn flushed(&mut self, result: FlushResult) -> Result<u64, StoreError> {
        if let Err(error) = result.outcome {
            self.refuses.get_or_insert_with(|| error.to_string().into());
            return Err(error);
        }
        self.flushed_end = self.flushed_end.max(result.upto);
        let path = self.settings.root.join("checkpoint");
        self.checkpoint.set(result.positions).map_err(StoreError::io("write", &path))?;
        self.checkpoint_dirty = true;
        Ok(self.flushed_end)
    }

    /// The offsets of a queue; zeros when there is no such queue.
    pub fn bounds(&self, topic: &str, queue_id: i32) -> Bounds {
        let queue = self.queues.get(topic, queue_id);
        queue
            .map_or_else(Bounds::default, |queue| Bounds { min: queue.min() as i64, max: queue.max() as i64 })
    }

    /// A snapshot that answers the request.
    pub fn plan_read(&self, request: ReadRequest) -> ReadPlan {
        let queue = match &request {
            ReadRequest::Fetch { topic, queue_id, .. }
            | ReadRequest::SearchTime { topic, queue_id, .. }
            | ReadRequest::StoreTime { topic, queue_id, .. } => self.queues.get(topic, *queue_id),
            ReadRequest::Record { .. } => None,
        };
        let log = LogView { segments: self.log.segments().clone(), end: self.visible_end };
        ReadPlan { queue: queue.map(consume_queue::ConsumeQueue::view), log, request }
    }

    /// Removes a topic's queues; its records stay in the log until they expire. What of it is not visible yet never
    /// will be.
    pub fn remove_topic(&mut self, topic: &str) -> Result<(), StoreError> {
        self.queues.remove_topic(topic)
    }

    /// Makes everything durable and leaves the directory in order. Appends are refused from here on, also when this
    /// fails; then the next start recovers as after a crash.
    pub fn close(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        if self.closed {
            return Ok(());
        }
        self.write_run()?;
        self.release(self.log.end())?;
        self.closed = true;
        self.check_poisoned()?;
        if let Some(plan) = self.make_plan(true, wall_ms) {
            self.flushed(plan.run())?;
        }
        let path = self.settings.root.join("checkpoint");
        self.checkpoint.file().sync_data().map_err(StoreError::io("sync", &path))?;
        self.directory.mark_closed()
    }

    /// Figures as of now.
    pub fn statistics(&self) -> StoreStatistics {
        StoreStatistics {
            log_start: self.log.start(),
            appended_end: self.log.end(),
            flushed_end: self.flushed_end,
            queues: self.queues.len(),
            undispatched: self.queues.waiting(),
        }
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        if self.closed { Err(StoreError::Closed) } else { self.check_poisoned() }
    }

    fn check_poisoned(&self) -> Result<(), StoreError> {
        match &self.refuses {
            Some(reason) => Err(StoreError::Poisoned { reason: Arc::clone(reason) }),
            None => Ok(()),
        }
    }
}
