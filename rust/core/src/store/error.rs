//! What can go wrong in the store, as values: which file, where, what was expected and what was found.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use thiserror::Error;

use crate::error::RecordError;

/// An error of the store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {op} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `open`, `write`, `sync`, …
        op: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no room left on the device. Nothing of what was to be written counts.
    #[error("no room left to write {}", path.display())]
    Full {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// Another broker, ours or Apache's, has this store open.
    #[error("the store is in use by another broker: {} is locked", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// An fsync failed earlier, so nothing can be promised any more: writes are refused, reads go on.
    #[error("the store takes no more writes, since an earlier flush failed: {reason}")]
    Poisoned {
        /// The first failure.
        reason: Arc<str>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A record does not fit into a segment of the log.
    #[error("a record of {size} bytes does not fit: {limit} bytes are the most for one segment")]
    RecordTooLarge {
        /// Encoded size.
        size: u64,
        /// The most that fits.
        limit: u64,
    },
    /// A topic name that cannot be the name of a directory.
    #[error("{topic:?} cannot be the name of a topic")]
    BadTopic {
        /// The name.
        topic: String,
    },
    /// Queues are numbered from 0.
    #[error("topic {topic} cannot have a queue {queue_id}")]
    BadQueue {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
    },
    /// A segment file has another length than the settings say. Apache refuses to start then, and so do we:
    /// the file was cut, or the store was written with another segment size.
    #[error(
        "{} is {found} bytes long, but the settings say {expected}: open the store with the segment size it was \
         written with",
        path.display()
    )]
    SegmentLength {
        /// The file.
        path: PathBuf,
        /// The configured segment size.
        expected: u64,
        /// Its length.
        found: u64,
    },
    /// The content of a file contradicts itself or another file.
    #[error("{} is damaged at {offset}: {what} should be {expected}, but is {found}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the log or queue, as a logical position (not within the file).
        offset: u64,
        /// Which field or property was checked.
        what: &'static str,
        /// What it should have been.
        expected: i64,
        /// What it is.
        found: i64,
    },
    /// The record cannot be encoded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl StoreError {
    /// Names the operation and the file of a file system error; no room left is told apart.
    pub(crate) fn io(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path: path.to_owned() },
            _ => Self::Io { op, path: path.to_owned(), source },
        }
    }
}
