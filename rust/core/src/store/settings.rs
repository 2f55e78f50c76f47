//! How a store is kept.

use std::path::PathBuf;

use super::index::IndexShape;

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
    /// Bytes of a log segment. Has to be what the store was written with.
    pub segment_size: u64,
    /// Entries of a consume queue segment. Has to be what the store was written with.
    pub consume_queue_entries: u64,
    /// Of the index files.
    pub index: IndexShape,
    /// What local time is ahead of UTC, in seconds: index files are named by it.
    pub utc_offset_s: i32,
    /// When the log is flushed.
    pub flush: FlushMode,
    /// Goes into the `abort` file, for whoever looks for the process after a crash.
    pub process_id: u32,
}

impl StoreSettings {
    /// Apache's defaults.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            segment_size: DEFAULT_SEGMENT_SIZE,
            consume_queue_entries: DEFAULT_CONSUME_QUEUE_ENTRIES,
            index: IndexShape::default(),
            utc_offset_s: 0,
            flush: FlushMode::Async { interval_ms: DEFAULT_FLUSH_INTERVAL_MS },
            process_id: 0,
        }
    }
}
