//! The two ends of a store's life: it is opened, by whatever is left of the last time, and closed in order.

use std::sync::Arc;

use super::{
    Store,
    checkpoint::CheckpointFile,
    commit_log::CommitLog,
    cut_bytes::CutBytes,
    directory::Directory,
    dispatch::Dispatcher,
    error::StoreError,
    flush::FlushState,
    fs::FileSystem,
    index::{self, Index},
    known_queues::KnownQueues,
    marks::MarksFile,
    queues::Queues,
    recovery::{self, Recovery},
    settings::StoreSettings,
};

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

    fn save(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        self.check_open()?;
        self.write_run()?;
        self.release(u64::MAX)?;
        self.flush_all(wall_ms)?;
        let mark = self.index.mark();
        self.finish_index(wall_ms)?;
        if self.index.mark() == mark { Ok(()) } else { self.flush_all(wall_ms) }
    }
}
