//! Making the log durable: what to sync is decided here, and done wherever it may block.
//!
//! A [`FlushPlan`] is taken from the store, run by whoever may wait for a disk, and its [`FlushResult`] handed back.
//! One plan at a time. A plan syncs the log first, then (when thorough) the consume queues, then the directories whose
//! names changed. If any of it fails the result is a failure, and the store takes no more writes: the kernel may
//! have dropped the dirty pages, so trying again would only look like success.

use std::{path::PathBuf, sync::Arc};

use super::{
    checkpoint::Positions,
    error::StoreError,
    fs::{File, FileSystem},
    segment::Segment,
};

/// Everything one flush has to sync.
#[derive(Debug)]
pub struct FlushPlan {
    pub(crate) fs: Arc<dyn FileSystem>,
    pub(crate) log: Vec<Arc<Segment>>,
    pub(crate) queues: Vec<Arc<Segment>>,
    pub(crate) checkpoint: Option<(PathBuf, Arc<dyn File>)>,
    pub(crate) directories: Vec<PathBuf>,
    pub(crate) upto: u64,
    pub(crate) positions: Positions,
}

/// How a flush ended.
#[derive(Debug)]
pub struct FlushResult {
    pub(crate) upto: u64,
    pub(crate) positions: Positions,
    pub(crate) outcome: Result<(), StoreError>,
}

impl FlushPlan {
    /// The log is durable up to here once the plan was run.
    pub fn upto(&self) -> u64 {
        self.upto
    }

    /// Syncs; may block for as long as the disk likes.
    pub fn run(self) -> FlushResult {
        let outcome = self.sync();
        FlushResult { upto: self.upto, positions: self.positions, outcome }
    }

    fn sync(&self) -> Result<(), StoreError> {
        for segment in self.log.iter().chain(&self.queues) {
            segment.file().sync_data().map_err(StoreError::io("sync", segment.path()))?;
        }
        for directory in &self.directories {
            self.fs.sync_dir(directory).map_err(StoreError::io("sync", directory))?;
        }
        match &self.checkpoint {
            Some((path, file)) => file.sync_data().map_err(StoreError::io("sync", path)),
            None => Ok(()),
        }
    }
}
