//! How a store is kept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{delays::Delays, index::IndexShape, places::Places};

/// Apache's `mappedFileSizeCommitLog`.
const DEFAULT_SEGMENT_SIZE: u64 = 1024 * 1024 * 1024;
/// Entries of Apache's `mappedFileSizeConsumeQueue`, 6,000,000 bytes.
const DEFAULT_CONSUME_QUEUE_ENTRIES: u64 = 300_000;
/// Apache's `flushIntervalCommitLog`.
const DEFAULT_FLUSH_INTERVAL_MS: u64 = 500;

/// When an answer may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushMode {
    /// Once the message is written; it becomes durable some time later.
    Async {
        /// At the latest so long after it was written. Apache's default is 500 ms.
        interval_ms: u64,
    },
    /// Once it is durable.
    Sync,
}

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Apache's `storePathRootDir`. Made if it is missing.
    pub root: PathBuf,
    /// Apache's `storePathCommitLog` with its paths, if the log does not lie in `commitlog` of `root`.
    pub log_dirs: Vec<PathBuf>,
    /// Apache's `readOnlyCommitLogStorePaths`: directories that have files of the log and get no new ones.
    pub read_only_log_dirs: Vec<PathBuf>,
    /// The topics that there are, where the owner knows: a queue of another one is not lost but was removed.
    pub topics: Option<BTreeSet<String>>,
    /// Bytes of a log segment. Has to be what the store was written with.
    pub segment_size: u64,
    /// Entries of a consume queue segment. Has to be what the store was written with.
    pub consume_queue_entries: u64,
    /// Bytes of an extension segment, if queue entries have extensions (`enableConsumeQueueExt`). Has to be what there is.
    pub ext_segment_size: Option<u64>,
    /// Of the index files.
    pub index: IndexShape,
    /// What local time is ahead of UTC, in seconds: index files are named by it.
    pub utc_offset_s: i32,
    /// When the log is flushed.
    pub flush: FlushMode,
    /// How long delayed messages wait.
    pub delays: Delays,
    /// Goes into the `abort` file, for whoever looks for the process after a crash.
    pub process_id: u32,
}

impl StoreSettings {
    /// Apache's defaults.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            log_dirs: Vec::new(),
            read_only_log_dirs: Vec::new(),
            topics: None,
            segment_size: DEFAULT_SEGMENT_SIZE,
            consume_queue_entries: DEFAULT_CONSUME_QUEUE_ENTRIES,
            ext_segment_size: None,
            index: IndexShape::default(),
            utc_offset_s: 0,
            flush: FlushMode::Async { interval_ms: DEFAULT_FLUSH_INTERVAL_MS },
            delays: Delays::default(),
            process_id: 0,
        }
    }

    pub(super) fn log_places(&self) -> Places {
        log_places(&self.root, &self.log_dirs, &self.read_only_log_dirs)
    }
}

/// Where the log lies.
pub(super) fn log_places(root: &Path, dirs: &[PathBuf], read_only: &[PathBuf]) -> Places {
    if dirs.is_empty() {
        return Places::new(&[root.join("commitlog")], read_only);
    }
    Places::new(dirs, read_only)
}
