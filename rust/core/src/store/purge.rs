//! Old messages go: whole segments of the log from its beginning, and what pointed to them.
//!
//! What goes is gone at once for whoever asks from then on; readers with a snapshot keep their files, so nothing is
//! pulled from under them. Removing the files and finding where each queue now begins is a plan that another thread
//! runs. A crash in between leaves files that the next start finds, and the next purge removes.

use std::{io, sync::Arc};

use super::{
    consume_queue::QueueView,
    error::StoreError,
    fs::FileSystem,
    queues::{QueueId, Queues},
    read::{Reader, Stop},
    segment::{Segment, Wait},
    segment_list::Segments,
};

/// Removal of files, ready to be executed by any thread.
#[derive(Debug)]
#[must_use = "queues begin where they did until the store gets the result back"]
pub struct PurgePlan {
    fs: Arc<dyn FileSystem>,
    files: Vec<Arc<Segment>>,
    log: Segments,
    queues: Vec<(QueueId, QueueView)>,
}

/// How a [`PurgePlan`] ended; goes back to the store that made it.
#[derive(Debug)]
#[must_use = "the store waits for it"]
pub struct PurgeResult {
    first: Vec<(QueueId, u64)>,
    outcome: Result<(), StoreError>,
}

impl PurgePlan {
    pub(super) fn new(
        fs: Arc<dyn FileSystem>,
        files: Vec<Arc<Segment>>,
        log: Segments,
        queues: Vec<(QueueId, QueueView)>,
    ) -> Self {
        Self { fs, files, log, queues }
    }

    /// Removes the files and looks through the queues. May take as long as the disk does.
    ///
    /// A file that cannot be removed is the error of the result, and the others are removed all the same.
    pub fn run(self) -> PurgeResult {
        let removed = self.files.iter().map(|segment| remove(&*self.fs, segment)).fold(Ok(()), Result::and);
        let mut first = Vec::with_capacity(self.queues.len());
        let looked = self.queues.iter().try_for_each(|(id, view)| {
            first.push((*id, self.first_of(view)?));
            Ok(())
        });
        PurgeResult { first, outcome: removed.and(looked) }
    }

    fn first_of(&self, queue: &QueueView) -> Result<u64, StoreError> {
        let reader = Reader::new(&self.log, 0, Wait::Yes);
        queue.first_at(self.log.start().unwrap_or(0), |at| match reader.slots(queue, at, 1) {
            Ok(slots) => Ok(slots.first().copied()),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::WouldBlock) => Ok(None),
        })
    }
}

/// Removes a segment's file; readers that have the segment keep it. A file that is gone already is as good.
///
/// What was removed before from its directory is durable first: if the power goes, no file may be missing between two that
/// are there.
fn remove(fs: &dyn FileSystem, segment: &Segment) -> Result<(), StoreError> {
    let path = segment.path();
    let dir = path.parent().unwrap_or(path);
    match fs.sync_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::io("sync", dir)(error));
        }
        _ => {}
    }
    match segment.file().pin() {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::io("open", path)(error));
        }
        _ => {}
    }
    match fs.remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(StoreError::io("remove", path)),
    }
}

impl PurgeResult {
    /// Lets the queues begin where they do now. The files that nobody needs any more, for another plan.
    pub(super) fn apply(self, queues: &mut Queues) -> Result<Vec<Arc<Segment>>, StoreError> {
        let mut files = Vec::new();
        for (id, first) in self.first {
            if let Some(queue) = queues.get_mut(id) {
                files.extend(queue.entries.begin_later(first));
            }
        }
        self.outcome.map(|()| files)
    }
}
