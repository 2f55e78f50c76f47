//! What becomes durable when.
//!
//! The owner asks for a [`FlushPlan`], has it run by whoever may wait for a disk, and hands the [`FlushResult`] back.
//! One plan is out at a time. A plan syncs, in this order: the log's segments up to a position, queue segments,
//! directories in which names changed; then it writes the marks and the checkpoint, which thus never say more than what is
//! durable.
//!
//! Every [`ROUND_MS`] a *round* over all queues with unsynced entries begins. It is spread over plans, a few queues
//! each, so that nobody who waits for the log waits for all of them; the plan that ends the round moves the
//! checkpoint's queue fields to the record that was last dispatched when the round began.
//!
//! A plan that fails poisons the store: after a failed fsync the kernel may have dropped the very pages that were
//! not written, and a second fsync would say that all is well.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
    path::PathBuf,
    sync::Arc,
};

use super::{
    checkpoint::{Checkpoint, CheckpointFile, Position},
    commit_log::CommitLog,
    error::StoreError,
    fs::FileSystem,
    known_queues::KnownQueues,
    marks::{Marks, MarksFile},
    queues::{QueueId, Queues},
    segment::Segment,
};

/// Bounds what a restart after a crash has to go over. (Apache's `flushConsumeQueueThoroughInterval` is 60 s.)
const ROUND_MS: i64 = 10_000;
/// Queues synced by one plan of a round.
const ROUND_STEP: usize = 16;
/// Apache flushes the checkpoint every second.
const CHECKPOINT_MS: i64 = 1000;

/// A flush that is ready to be executed, by any thread.
#[derive(Debug)]
#[must_use = "the store makes no other plan before it knows the result of this one"]
pub struct FlushPlan {
    upto: u64,
    fs: Arc<dyn FileSystem>,
    targets: Arc<Targets>,
    marks: (MarksFile, Marks),
    checkpoint: Option<(CheckpointFile, Checkpoint)>,
    sync_checkpoint: bool,
    known: Option<KnownQueues>,
}

/// How a [`FlushPlan`] ended; goes back to the store that made it.
#[derive(Debug)]
#[must_use = "the store waits for it"]
pub struct FlushResult {
    upto: u64,
    checkpoint: Option<Checkpoint>,
    outcome: Result<(), StoreError>,
}

#[derive(Debug, Default, Clone)]
struct Targets {
    segments: Vec<Arc<Segment>>,
    dirs: BTreeSet<PathBuf>,
}

impl FlushPlan {
    /// The log position up to which all is durable if the plan succeeds.
    pub fn upto(&self) -> u64 {
        self.upto
    }

    /// Syncs. May take as long as the disk does.
    pub fn run(self) -> FlushResult {
        let outcome = self.sync();
        FlushResult { upto: self.upto, checkpoint: self.checkpoint.map(|(_, values)| values), outcome }
    }

    fn sync(&self) -> Result<(), StoreError> {
        for segment in &self.targets.segments {
            segment.file().sync_data().map_err(StoreError::io("sync", segment.path()))?;
        }
        for dir in &self.targets.dirs {
            match self.fs.sync_dir(dir) {
                // Its topic was removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(StoreError::io("sync", dir))?,
            }
        }
        let (file, marks) = &self.marks;
        if let Some(known) = &self.known {
            known.write(&*self.fs, file.root())?;
        }
        file.write(marks, self.sync_checkpoint)?;
        match &self.checkpoint {
            Some((file, values)) => file.write(values, self.sync_checkpoint),
            None => Ok(()),
        }
    }
}

impl FlushResult {
    /// Whether all of the plan is durable.
    pub fn is_ok(&self) -> bool {
        self.outcome.is_ok()
    }
}

/// What the store's owner knows when it asks for a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// The end of the written log.
    pub(crate) written: u64,
    /// The store time of the last record before it.
    pub(crate) written_timestamp: i64,
    /// The last record whose queue entry is written; `None` while entries wait for a failing disk.
    pub(crate) dispatched: Option<Position>,
    /// What is durable of the index: see [`Marks`].
    pub(crate) index_mark: (u64, i64),
}

/// Which parts are durable, and when the next flush is due.
#[derive(Debug)]
pub(crate) struct FlushState {
    fs: Arc<dyn FileSystem>,
    flushed: u64,
    file: CheckpointFile,
    checkpoint: Checkpoint,
    marks: MarksFile,
    in_flight: Option<Arc<Targets>>,
    round: Option<Round>,
    round_wanted: bool,
    round_ms: i64,
    checkpoint_ms: i64,
}

#[derive(Debug)]
struct Round {
    queues: VecDeque<QueueId>,
    reached: Position,
    // The list of queues, if it has changed.
    known: Option<KnownQueues>,
}

impl FlushState {
    pub(crate) fn new(
        fs: Arc<dyn FileSystem>,
        flushed: u64,
        (file, checkpoint): (CheckpointFile, Checkpoint),
        marks: MarksFile,
        wall_ms: i64,
    ) -> Self {
        Self {
            fs,
            flushed,
            file,
            checkpoint,
            marks,
            in_flight: None,
            round: None,
            round_wanted: false,
            round_ms: wall_ms,
            checkpoint_ms: wall_ms,
        }
    }

    pub(crate) fn file_system(&self) -> Arc<dyn FileSystem> {
        Arc::clone(&self.fs)
    }

    /// The log position up to which all is durable.
    pub(crate) fn flushed(&self) -> u64 {
        self.flushed
    }

    /// Begins the next round as soon as possible.
    pub(crate) fn want_round(&mut self) {
        self.round_wanted = true;
    }

    /// What is not durable yet, unless that is nothing or a plan is out.
    pub(crate) fn plan(
        &mut self,
        log: &mut CommitLog,
        queues: &mut Queues,
        progress: Progress,
        wall_ms: i64,
    ) -> Option<FlushPlan> {
        if self.in_flight.is_some() {
            return None;
        }
        if self.round.is_none() && (self.round_wanted || is_due(self.round_ms, ROUND_MS, wall_ms)) {
            self.begin_round(queues, progress, wall_ms);
        }
        if self.round.is_none() && progress.written == self.flushed && !log.has_changed_dirs() {
            return None;
        }
        Some(self.make(log, queues, progress, ROUND_STEP, wall_ms))
    }

    /// Everything that is not durable yet, and the checkpoint. Covers what a plan that is still out has taken up.
    pub(crate) fn plan_all(
        &mut self,
        log: &mut CommitLog,
        queues: &mut Queues,
        progress: Progress,
        wall_ms: i64,
    ) -> FlushPlan {
        if self.in_flight.is_some() {
            // The plan that is out may have the list of queues, and may never be run.
            queues.note_changed();
        }
        self.begin_round(queues, progress, wall_ms);
        let mut plan = self.make(log, queues, progress, usize::MAX, wall_ms);
        plan.sync_checkpoint = true;
        plan
    }

    /// Whether a round over the queues has begun and not ended.
    pub(crate) fn has_round(&self) -> bool {
        self.round.is_some()
    }

    /// Takes the result of a plan.
    pub(crate) fn done(&mut self, result: FlushResult) -> Result<(), StoreError> {
        self.in_flight = None;
        result.outcome?;
        self.flushed = self.flushed.max(result.upto);
        if let Some(checkpoint) = result.checkpoint {
            self.checkpoint = checkpoint;
        }
        Ok(())
    }

    fn begin_round(&mut self, queues: &mut Queues, progress: Progress, wall_ms: i64) {
        let Some(reached) = progress.dispatched else { return };
        self.round_ms = wall_ms;
        self.round_wanted = false;
        let replaced = self.round.take().and_then(|round| round.known);
        let known = queues.take_changed().or(replaced);
        let queues: VecDeque<QueueId> = queues.unsynced().collect();
        let has_moved = reached != self.checkpoint.dispatched();
        if has_moved || !queues.is_empty() || known.is_some() {
            self.round = Some(Round { queues, reached, known });
        }
    }

    /// A plan for the log and for a step of the round. The log goes with every step: the checkpoint must not name a
    /// record that is not durable itself.
    fn make(
        &mut self,
        log: &mut CommitLog,
        queues: &mut Queues,
        progress: Progress,
        step: usize,
        wall_ms: i64,
    ) -> FlushPlan {
        let mut targets = self.in_flight.take().map_or_else(Targets::default, |out| (*out).clone());
        targets.segments.extend(log.segments().covering(self.flushed, progress.written).map(Arc::clone));
        targets.dirs.extend(log.take_changed_dirs());
        let ended = self.step_round(queues, step, &mut targets);
        let mut checkpoint = self.checkpoint;
        checkpoint.physic_timestamp = progress.written_timestamp;
        let has_ended = ended.is_some();
        let known = ended.and_then(|round| {
            checkpoint.set_dispatched(round.reached);
            round.known
        });
        let write = has_ended || is_due(self.checkpoint_ms, CHECKPOINT_MS, wall_ms);
        self.checkpoint_ms = if write { wall_ms } else { self.checkpoint_ms };
        let targets = Arc::new(targets);
        let (indexed, index_end) = progress.index_mark;
        let marks = Marks { durable: progress.written, indexed, index_end };
        self.in_flight = Some(Arc::clone(&targets));
        FlushPlan {
            upto: progress.written,
            fs: Arc::clone(&self.fs),
            targets,
            marks: (self.marks.clone(), marks),
            checkpoint: write.then(|| (self.file.clone(), checkpoint)),
            sync_checkpoint: has_ended,
            known,
        }
    }

    /// Takes up to `step` queues of the round; the round if these were the last.
    fn step_round(&mut self, queues: &mut Queues, step: usize, targets: &mut Targets) -> Option<Round> {
        let round = self.round.as_mut()?;
        for id in round.queues.drain(..step.min(round.queues.len())) {
            targets.segments.extend(queues.take_unsynced(id, &mut targets.dirs));
        }
        if !round.queues.is_empty() {
            return None;
        }
        self.round.take()
    }
}

/// Whether an interval has passed. A clock that went back counts as passed, or nothing would happen for long.
fn is_due(last_ms: i64, interval_ms: i64, now_ms: i64) -> bool {
    now_ms < last_ms || now_ms.saturating_sub(last_ms) >= interval_ms
}
