//! The index by key: files of Apache's layout in `ROOT/index`, made from the log and never the other way.
//!
//! In reading order: `layout`, `keys` and `stamp` (bytes, key texts, file names); `file` and `files` (what lies on the
//! disk); `builder` (the writer); `query`; and here what the store's owner does with them.
//!
//! Rules:
//! - The index follows the durable log, so it never knows a message that a crash can take back. What is visible beyond
//!   it is found by reading the log's end ([`query`]).
//! - Building is a plan that another thread runs, one at a time: it takes the writer with it and brings it back. Its
//!   steps are short, so that nobody who wants to stop waits long.
//! - Every [`SYNC_MS`] the index becomes durable, and then the checkpoint's `indexMsgTimestamp` is where it ends. After
//!   a crash a file that ends later is made again from the log.
//! - An error loses nothing: the same step is tried again. The log and its queues go on meanwhile.

mod builder;
mod file;
mod files;
mod keys;
mod layout;
mod query;
mod stamp;

use std::{path::PathBuf, sync::Arc};

pub(super) use self::query::{IndexView, KeyQuery, find};
use self::{
    builder::{IndexBuilder, Place},
    files::{Durable, IndexFiles},
};
pub use self::{keys::KeyKind, layout::IndexShape, query::FoundByKey};
use super::{
    checkpoint::CheckpointFile,
    error::StoreError,
    fs::FileSystem,
    log_scan::{LogScan, Scanned},
    marks::Marks,
    segments::Segments,
};

/// Log read by one step.
const STEP_BYTES: u64 = 8 * 1024 * 1024;
/// What a crash leaves to be indexed again, besides what was not durable in the log.
const SYNC_MS: i64 = 10_000;

/// A step of building the index, ready to be executed by any thread.
#[derive(Debug)]
#[must_use = "the store has no index writer before it gets the result back"]
pub struct IndexPlan {
    builder: IndexBuilder,
    log: Segments,
    log_start: u64,
    from: u64,
    upto: u64,
    sync: Option<CheckpointFile>,
    wall_ms: i64,
}

/// How an [`IndexPlan`] ended; goes back to the store that made it.
#[derive(Debug)]
#[must_use = "the store waits for it"]
pub struct IndexResult {
    builder: IndexBuilder,
    reached: u64,
    unreadable: u64,
    synced: bool,
    wall_ms: i64,
    outcome: Result<(), StoreError>,
}

/// What a step of the index has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexProgress {
    /// Whether the next step should follow at once.
    pub has_more: bool,
    /// Whether there is something to make durable later.
    pub is_unsynced: bool,
    /// Bytes of the log in which no records could be found any more, although they had been written.
    pub unreadable: u64,
}

impl IndexPlan {
    /// Reads the log and writes the index. May take as long as the disk does.
    pub fn run(mut self) -> IndexResult {
        let (mut reached, mut unreadable) = (self.from, 0);
        let built = self.build(&mut reached, &mut unreadable);
        if built.is_err() {
            self.builder.discard();
            reached = self.from;
        }
        let outcome = built.and_then(|()| self.sync());
        IndexResult {
            synced: outcome.is_ok() && self.sync.is_some(),
            builder: self.builder,
            reached,
            unreadable,
            wall_ms: self.wall_ms,
            outcome,
        }
    }

    fn build(&mut self, reached: &mut u64, unreadable: &mut u64) -> Result<(), StoreError> {
        self.builder.purge(self.log_start as i64)?;
        let mut scan = LogScan::new(self.log.clone(), self.from);
        let stop = self.upto.min(self.from.saturating_add(STEP_BYTES));
        while scan.position() < stop {
            match scan.next()? {
                Some(Scanned::Message(message)) => self.builder.put(&message, self.wall_ms)?,
                Some(Scanned::Unreadable) => {}
                None => break,
            }
        }
        *reached = scan.position();
        if *reached < stop {
            // The disk lost what had been durable. Readers are told when they ask for it; the index goes on behind.
            *unreadable = self.upto - *reached;
            *reached = self.upto;
        }
        self.builder.write()
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let Some(checkpoint) = &self.sync else { return Ok(()) };
        let timestamp = self.builder.sync()?;
        checkpoint.write_index_timestamp(timestamp)
    }
}

/// What opening an index is told.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) dir: PathBuf,
    pub(super) shape: IndexShape,
    pub(super) utc_offset_s: i32,
    pub(super) log: std::ops::Range<u64>,
    /// After a crash: files that end later than this store time are not believed.
    pub(super) trusted_until: Option<i64>,
    pub(super) marks: Option<Marks>,
}

/// The owner's side of the index.
#[derive(Debug)]
pub(super) struct Index {
    // Away while a plan is out.
    builder: Option<IndexBuilder>,
    files: IndexFiles,
    // Where the log begins for good: a purge that the power may take back has not moved it.
    log_start: u64,
    reached: u64,
    // What is durable of it: see [`Self::mark`].
    mark: (u64, i64),
    synced_ms: i64,
    checkpoint: CheckpointFile,
}

impl Index {
    /// Opens what is there; also how many files were removed because they cannot be believed.
    pub(super) fn open(
        opening: Opening,
        checkpoint: CheckpointFile,
        wall_ms: i64,
    ) -> Result<(Self, u64), StoreError> {
        let Opening { fs, dir, shape, utc_offset_s, log, trusted_until, marks } = opening;
        // Apache's broker keeps no position; a time does not tell messages of one millisecond apart.
        let physical = marks.map_or(i64::MAX, |marks| marks.index_end);
        let durable = trusted_until.map(|timestamp| Durable { timestamp, physical });
        let (files, removed) = IndexFiles::open(&*fs, &dir, shape, log.end, durable)?;
        let marks = marks.unwrap_or_default();
        let index_end = end_of(&files);
        // Behind its last message the index may have seen many that have no keys.
        let is_marked = marks.index_end == index_end && marks.indexed <= log.end;
        let reached = if is_marked { marks.indexed } else { index_end.max(0) as u64 }.max(log.start);
        let place = Place { fs, dir, shape, utc_offset_s };
        let index = Self {
            builder: Some(IndexBuilder::new(place, files.clone())),
            files,
            log_start: log.start,
            reached,
            mark: (reached, index_end),
            synced_ms: wall_ms,
            checkpoint,
        };
        Ok((index, removed))
    }

    /// The log position up to which messages are found by their keys without reading the log.
    pub(super) fn reached(&self) -> u64 {
        self.reached
    }

    /// Says where the log begins, and will after any crash: what only knows messages before that may go.
    pub(super) fn begin_later(&mut self, log_start: u64) {
        self.log_start = self.log_start.max(log_start);
    }

    /// What is durable of it: how far it reaches, and where the last message that it knows begins (-1 for none).
    pub(super) fn mark(&self) -> (u64, i64) {
        self.mark
    }

    /// The next step towards a log position; `None` when there is nothing to do, or a plan is out.
    pub(super) fn plan(&mut self, log: &Segments, upto: u64, wall_ms: i64) -> Option<IndexPlan> {
        let is_due = wall_ms < self.synced_ms || wall_ms.saturating_sub(self.synced_ms) >= SYNC_MS;
        self.make(log, upto, is_due, wall_ms)
    }

    /// The next step, which makes the index durable if it is the last.
    pub(super) fn plan_last(&mut self, log: &Segments, upto: u64, wall_ms: i64) -> Option<IndexPlan> {
        let is_last = upto.saturating_sub(self.reached) <= STEP_BYTES;
        self.make(log, upto, is_last, wall_ms)
    }

    fn make(&mut self, log: &Segments, upto: u64, sync: bool, wall_ms: i64) -> Option<IndexPlan> {
        let from = self.reached.max(log.start().unwrap_or(0));
        let sync = sync && (from < upto || self.builder.as_ref()?.is_unsynced());
        if from >= upto && !sync {
            return None;
        }
        let sync = sync.then(|| self.checkpoint.clone());
        let builder = self.builder.take()?;
        Some(IndexPlan { builder, log: log.clone(), log_start: self.log_start, from, upto, sync, wall_ms })
    }

    /// Takes the result of a plan.
    pub(super) fn done(&mut self, result: IndexResult, upto: u64) -> Result<IndexProgress, StoreError> {
        self.files = result.builder.files().clone();
        let is_unsynced = result.builder.is_unsynced();
        self.builder = Some(result.builder);
        self.reached = result.reached;
        if result.synced {
            self.synced_ms = result.wall_ms;
            self.mark = (self.reached, end_of(&self.files));
        }
        result.outcome?;
        Ok(IndexProgress { has_more: self.reached < upto, is_unsynced, unreadable: result.unreadable })
    }

    /// What a query needs.
    pub(super) fn view(&self) -> IndexView {
        IndexView { files: self.files.clone(), reached: self.reached }
    }
}

/// Where the last message that the files know begins. If they know none that is -1: a message may begin at 0.
fn end_of(files: &IndexFiles) -> i64 {
    files.last().map_or(-1, |last| last.header.end_physical)
}
