//! The store: one door to the log, its consume queues, and what makes them durable.
//!
//! In reading order:
//! - [`fs`](self::FileSystem): all that is asked of a disk; on disk, in memory, with faults, and with a journal.
//! - `segment`, `segment_list`, `places`: files of fixed size, many of them in a row, and in which directories.
//! - `commit_log`: records over segments, written in runs. `queue_entry`, `consume_queue`, `queues`: entries that point to
//!   them. `consume_queue_ext`: what entries have no room for; `delays`: what stands in those of messages that wait.
//! - `dispatch`: from the log to the queues. `flush`, `checkpoint`, `marks`: what is durable.
//! - `log_scan`, `tail`, `recovery_start`, `recovery`, `cut_bytes`: what opening a store believes of it, and what not.
//! - `known_queues`: which queues there have been, for one that is lost to be missed.
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
mod places;
mod purge;
mod queue_entry;
mod queues;
mod read;
mod reader;
mod recovery;
mod recovery_start;
mod search;
mod segment;
mod segment_list;
mod settings;
mod tail;

use std::{path::PathBuf, sync::Arc};

pub(crate) use self::queue_entry::QueueEntry;
use self::{
    checkpoint::CheckpointFile,
    commit_log::CommitLog,
    cut_bytes::CutBytes,
    directory::Directory,
    dispatch::{Dispatcher, Note, tags_code},
    flush::{FlushState, Progress},
    index::Index,
    known_queues::KnownQueues,
    marks::MarksFile,
    queues::Queues,
    segment::Segment,
};
pub use self::{
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
use crate::record::{NewRecord, sys_flag};

/// Where a record was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its offset in its queue; 0 for half messages and roll-back marks, which are in none.
    pub queue_offset: i64,
    /// Where it begins in the log.
    pub physical_offset: i64,
    /// Its size.
    pub size: u32,
    /// The log position behind it: what [`Store::release`] and [`Store::flushed`] have to reach for it.
    pub end: u64,
}

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
    /// Locks, recovers, and opens a store, or makes a new one.
    ///
    /// On return everything in it is durable, and marked as in use: a crash from here on is noticed.
    pub fn open(
        fs: Arc<dyn FileSystem>,
        settings: StoreSettings,
        wall_ms: i64,
    ) -> Result<(Self, Recovery), StoreError> {
        let root = &settings.root;
        let directory = Directory::lock(Arc::clone(&fs), root.clone())?;
        let clean = !directory.was_in_use()?;
        let mut log = CommitLog::open(Arc::clone(&fs), settings.log_places(), settings.segment_size)?;
        let mut queues = Queues::open(Arc::clone(&fs), &settings)?;
        let (file, mut checkpoint) = CheckpointFile::open(&*fs, &root.join("checkpoint"))?;
        let (marks_file, marks) = MarksFile::open(&*fs, root)?;
        let known = KnownQueues::read(&*fs, root)?;
        let lost = known.as_ref().map(|known| known.lost(&queues.known(), settings.topics.as_ref()));
        directory.mark_in_use(settings.process_id)?;
        let evidence = recovery::Evidence {
            file: &file,
            checkpoint: &mut checkpoint,
            marks,
            clean,
            lost: lost.unwrap_or_default(),
        };
        let keep = CutBytes::new(Arc::clone(&fs), root);
        let recovered = recovery::recover(&mut log, &mut queues, evidence, &keep)?;
        queues.make_root()?;
        queues.compare_known(known.as_ref());
        let mut report = recovered.report;
        let (index, removed) = Index::open(
            index::Opening {
                fs: Arc::clone(&fs),
                dir: settings.root.join("index"),
                shape: settings.index,
                utc_offset_s: settings.utc_offset_s,
                log: log.start()..report.end,
                trusted_until: (!clean).then_some(checkpoint.index_timestamp),
                marks,
            },
            file.clone(),
            wall_ms,
        )?;
        report.index_files_removed = removed;
        // What a crash left behind may still be on its way to the disk.
        let flushed = if clean { report.end } else { report.scanned_from.min(report.end) };
        let mut store = Self {
            settings,
            directory,
            log,
            queues,
            dispatcher: Dispatcher::new(recovered.reached),
            flush: FlushState::new(fs, flushed, (file, checkpoint), marks_file, wall_ms),
            index,
            written_timestamp: recovered.timestamp,
            timestamp: 0,
            visible_end: report.end,
            unremoved: Vec::new(),
            poisoned: None,
            closed: false,
        };
        // Without marks, a gap behind the log counts as damage: there have to be some before anything is written.
        let has_lost = !report.lost_queues.is_empty() || !report.lost_units.is_empty();
        let is_changed = report.redispatched > 0 || report.cut_bytes > 0 || has_lost;
        if !clean || is_changed || marks.is_none() {
            store.flush_all(wall_ms)?;
        }
        Ok((store, report))
    }

    /// Adds a record to the run and gives it its place. Nothing is written before [`Self::write_run`].
    pub fn append(&mut self, record: &NewRecord<'_>, wall_ms: i64) -> Result<Placed, StoreError> {
        self.check_writeable()?;
        // Consumers search by store time, so it never goes back.
        let store_timestamp = wall_ms.max(self.timestamp);
        let tags_code = self.tags_code_of(record, store_timestamp);
        let id = self.queues.find_or_add(record.topic, record.queue_id)?;
        let queue = self.queues.get_mut(id).filter(|_| takes_queue_offset(record.sys_flag));
        let queue_offset = queue.as_ref().map_or(0, |queue| queue.next);
        let (physical, size) = self.log.append(record, queue_offset, store_timestamp)?;
        let entry = QueueEntry { physical, size, tags_code };
        if let Some(queue) = queue {
            queue.next = queue_offset.saturating_add(1);
            self.dispatcher.note(Note { queue: id, queue_offset, entry, store_timestamp });
        }
        self.timestamp = store_timestamp;
        Ok(Placed { queue_offset, physical_offset: physical as i64, size, end: entry.end() })
    }

    /// Appends records to the run, all of them or none: on failure the run is as it was.
    pub fn append_all<'a>(
        &mut self,
        records: impl IntoIterator<Item = NewRecord<'a>>,
        wall_ms: i64,
    ) -> Result<Vec<Placed>, StoreError> {
        let (run, log) = (self.dispatcher.run_len(), self.log.mark());
        let records = records.into_iter();
        let placed: Result<_, _> = records.map(|record| self.append(&record, wall_ms)).collect();
        if placed.is_err() {
            self.log.back_to(log);
            self.dispatcher.undo_from(run, &mut self.queues);
        }
        placed
    }

    /// Writes the run: one write, or one for each segment it reaches into. Returns the end of the log.
    ///
    /// On failure no record of the run exists or ever will, and the store is as it was before they were appended.
    pub fn write_run(&mut self) -> Result<u64, StoreError> {
        if !self.log.has_run() {
            return Ok(self.log.written());
        }
        let before = self.log.written();
        if let Err(error) = self.check_open().and_then(|()| self.log.write_run()) {
            self.log.forget_run();
            self.dispatcher.undo_from(0, &mut self.queues);
            return Err(error);
        }
        self.dispatcher.run_written();
        self.written_timestamp = self.timestamp;
        if self.settings.flush == FlushMode::Sync {
            self.log.write_ahead(self.log.written() - before);
        }
        Ok(self.log.written())
    }

    /// Makes the written records that end at or before a log position visible.
    ///
    /// If a queue cannot be written, its entries stay behind and are tried again by the next release or append;
    /// nothing is lost, and their arrivals are returned by the release that succeeds.
    pub fn release(&mut self, upto: u64) -> Result<Vec<Arrival>, StoreError> {
        let upto = upto.min(self.log.written());
        let arrivals = self.dispatcher.release(upto, &mut self.queues)?;
        self.visible_end = self.visible_end.max(upto);
        Ok(arrivals)
    }

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

    /// Writes and releases what is left, makes all of it durable, and marks the store as closed in order.
    ///
    /// Appends are refused from here on, also if that fails; then the next opening recovers as after a crash. The
    /// store is unlocked when it is dropped.
    pub fn close(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        if self.closed {
            return Ok(());
        }
        let saved = self.save(wall_ms);
        self.closed = true;
        saved.and_then(|()| self.directory.mark_closed())
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

    fn save(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        self.check_open()?;
        self.write_run()?;
        self.release(u64::MAX)?;
        self.flush_all(wall_ms)?;
        let mark = self.index.mark();
        self.finish_index(wall_ms)?;
        if self.index.mark() == mark { Ok(()) } else { self.flush_all(wall_ms) }
    }

    fn tags_code_of(&self, record: &NewRecord<'_>, store_timestamp: i64) -> i64 {
        let text = str::from_utf8(record.properties).unwrap_or_default();
        tags_code(self.queues.delays(), record.topic, text, store_timestamp)
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

    /// Entries that a queue could not take come first: they must not pile up behind a disk that fails.
    fn check_writeable(&mut self) -> Result<(), StoreError> {
        self.check_open()?;
        self.queues.write_pending()
    }
}

/// Half messages and roll-back marks have no place in a queue.
fn takes_queue_offset(sys_flag: i32) -> bool {
    let kind = sys_flag & sys_flag::TRANSACTION_KIND;
    kind != sys_flag::TRANSACTION_PREPARED && kind != sys_flag::TRANSACTION_ROLLBACK
}
