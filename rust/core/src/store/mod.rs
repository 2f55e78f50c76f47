//! The store: one door to the log, its consume queues, and what makes them durable.
//!
//! In reading order:
//! - [`fs`](self::FileSystem): all that is asked of a disk; on disk, in memory, with faults, and with a journal.
//! - `segment`, `segments`, `segment_row`, `segment_list`, `places`: files of fixed size, many of them in a row, which of them
//!   make one, who writes it, and in which directories.
//! - `commit_log`: records over segments, written in runs. `queue_entry`, `consume_queue`, `queues`: entries that point to
//!   them. `consume_queue_ext`: what entries have no room for; `delays`: what stands in those of messages that wait.
//! - `append`: the way of a record in. `dispatch`: from the log to the queues. `flush`, `checkpoint`, `marks`: what is durable.
//! - `opening`: the two ends of its life. `log_scan`, `tail`, `recovery_start`, `recovery`, `cut_bytes`: what opening a store
//!   believes of it, and what not.
//! - `known_queues`: which queues there have been, for one that is lost to be missed. `sealed`: how it and `marks` tell that
//!   they are whole.
//! - `purge`: what is old goes. `background`: when index and purge have their turn.
//! - `index`: from the log to the files by key.
//! - `offline`: for tools, when no broker runs.
//! - `read`: what can be asked. `fetch`, `fetched`, `choice`, `search`: how it is found. `reader`: the snapshot it is read from.
//!
//! Rules:
//! - One owner, and no locks: snapshots do not change. Whatever may wait for a disk is a plan
//!   that another thread can run: [`FlushPlan`], [`IndexPlan`], [`PurgePlan`], [`ReadPlan`].
//! - The log is the truth. A record exists once its run is written; it is visible once it is released; it is
//!   durable once a plan that covers it has succeeded. Whoever owns the store decides what an answer waits for.
//! - A write that fails is undone and can be tried again. A flush that fails is final: see [`StoreError::Poisoned`].
//! - The directory is Apache's, down to the byte: either side opens what the other left.

mod append;
mod background;
mod checkpoint;
mod choice;
mod commit_log;
mod consume_queue;
mod consume_queue_ext;
mod cut_bytes;
mod delays;
mod directory;
mod disk_fs;
mod dispatch;
mod error;
mod fault_fs;
mod fetch;
mod fetched;
mod flush;
mod fs;
mod index;
mod journal_fs;
mod known_queues;
mod log_scan;
mod marks;
mod mem_fs;
mod offline;
mod open_files;
mod opening;
mod places;
mod purge;
mod queue_entry;
mod queues;
mod read;
mod reader;
mod recovery;
mod recovery_start;
mod sealed;
mod search;
mod segment;
mod segment_list;
mod segment_row;
mod segments;
mod settings;
mod tail;

use std::{path::PathBuf, sync::Arc};

pub(crate) use self::queue_entry::QueueEntry;
pub use self::{
    append::Placed,
    delays::{Delays, SCHEDULE_TOPIC},
    disk_fs::DiskFs,
    dispatch::Arrival,
    error::StoreError,
    fault_fs::{Fault, FaultFs},
    fetch::SCAN_ENTRIES,
    fetched::{FetchStatus, Fetched, MAX_BYTES, MAX_MESSAGES},
    flush::{FlushPlan, FlushResult},
    fs::{Entry, File, FileSystem, Open},
    index::{FoundByKey, IndexPlan, IndexProgress, IndexResult, IndexShape, KeyKind},
    journal_fs::{Journal, JournalFs, PowerCut},
    mem_fs::MemFs,
    offline::{
        CutPlan, Finding, FindingKind, FirstFlaw, IndexState, Inspection, OfflineStore, Outside, QueueBounds,
        Repair, RepairPlan, Repaired, Report, Verify,
    },
    purge::{PurgePlan, PurgeResult},
    read::{ReadOutcome, ReadPlan, ReadRequest},
    recovery::Recovery,
    search::Boundary,
    settings::{FlushMode, StoreSettings},
};
use self::{
    commit_log::CommitLog,
    directory::Directory,
    dispatch::Dispatcher,
    flush::{FlushState, Progress},
    index::Index,
    queues::Queues,
    segment::Segment,
};

/// The offsets of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The first one that has a message.
    pub min: i64,
    /// The next one that will become visible.
    pub max: i64,
}

/// Figures of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStatistics {
    /// The log's first position.
    pub log_start: u64,
    /// The end of the written log.
    pub appended_end: u64,
    /// The end of the durable log.
    pub flushed_end: u64,
    /// Consume queues.
    pub queues: usize,
    /// Written records that consumers cannot see yet.
    pub undispatched: usize,
    /// The end of the log whose records have their queue entries, and so are visible.
    pub dispatched_end: u64,
    /// The end of the log that is in the index by key.
    pub indexed_end: u64,
}

/// An open store. Dropping it without [`close`](Self::close) is a crash, and recovered from as one.
#[derive(Debug)]
pub struct Store {
    settings: StoreSettings,
    directory: Directory,
    log: CommitLog,
    queues: Queues,
    dispatcher: Dispatcher,
    flush: FlushState,
    index: Index,
    // Store times of the last record written, and of the last appended.
    written_timestamp: i64,
    timestamp: i64,
    visible_end: u64,
    // Files that a purge could not remove yet.
    unremoved: Vec<Arc<Segment>>,
    poisoned: Option<Arc<str>>,
    closed: bool,
}

impl Store {
    /// How long delayed messages wait.
    pub fn delays(&self) -> &Delays {
        self.queues.delays()
    }

    /// When an answer may be given.
    pub fn flush_mode(&self) -> FlushMode {
        self.settings.flush
    }

    /// Says which directories of the log are so full that new files go to others, if there are others.
    pub fn set_full_dirs(&mut self, full: Vec<PathBuf>) {
        self.log.set_full(full);
    }

    /// The end of the written log.
    pub fn appended_end(&self) -> u64 {
        self.log.written()
    }

    /// The end of the durable log.
    pub fn flushed_end(&self) -> u64 {
        self.flush.flushed()
    }

    /// What has to be flushed; `None` when nothing has, or when the result of another plan is still owed.
    pub fn plan_flush(&mut self, wall_ms: i64) -> Option<FlushPlan> {
        if self.check_open().is_err() {
            return None;
        }
        let progress = self.progress();
        self.flush.plan(&mut self.log, &mut self.queues, progress, wall_ms)
    }

    /// Whether the queues are being flushed, a few with each plan: the next plan should follow at once.
    pub fn is_flushing_queues(&self) -> bool {
        self.flush.has_round()
    }

    /// Takes the result of a plan; the end of the durable log. A failed flush poisons the store.
    pub fn flushed(&mut self, result: FlushResult) -> Result<u64, StoreError> {
        match self.flush.done(result) {
            Ok(()) => Ok(self.flush.flushed()),
            Err(error) => {
                self.poisoned.get_or_insert_with(|| error.to_string().into());
                Err(error)
            }
        }
    }

    /// The offsets of a queue; zeros when there is no such queue.
    pub fn bounds(&self, topic: &str, queue_id: i32) -> Bounds {
        let queue = self.queues.find(topic, queue_id).and_then(|id| self.queues.get(id));
        queue.map_or_else(Bounds::default, |queue| Bounds {
            min: queue.entries.min() as i64,
            max: queue.entries.max() as i64,
        })
    }

    /// Removes the queues of a topic. Its records stay in the log until that is cleaned; a queue of that name
    /// begins at 0 again.
    pub fn remove_topic(&mut self, topic: &str) -> Result<(), StoreError> {
        self.check_open()?;
        self.queues.remove_topic(topic)?;
        self.forget_unremoved(topic);
        // Recovery would make the entries again of what the checkpoint does not cover.
        self.flush.want_round();
        Ok(())
    }

    /// Figures as of now.
    pub fn statistics(&self) -> StoreStatistics {
        StoreStatistics {
            log_start: self.log.start(),
            appended_end: self.log.written(),
            flushed_end: self.flush.flushed(),
            queues: self.queues.len(),
            undispatched: self.dispatcher.backlog_len(),
            dispatched_end: self.visible_end,
            indexed_end: self.index.reached(),
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            written: self.log.written(),
            written_timestamp: self.written_timestamp,
            index_mark: self.index.mark(),
            dispatched: (!self.queues.has_pending()).then(|| self.dispatcher.reached()),
        }
    }

    fn flush_all(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        let progress = self.progress();
        let plan = self.flush.plan_all(&mut self.log, &mut self.queues, progress, wall_ms);
        self.flushed(plan.run()).map(drop)
    }

    fn check_open(&self) -> Result<(), StoreError> {
        match &self.poisoned {
            _ if self.closed => Err(StoreError::Closed),
            Some(reason) => Err(StoreError::Poisoned { reason: Arc::clone(reason) }),
            None => Ok(()),
        }
    }
}
