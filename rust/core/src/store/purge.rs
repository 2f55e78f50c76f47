//! Old messages go: whole segments of the log from its beginning, and what pointed to them.
//!
//! What goes is gone at once for whoever asks from then on; readers with a snapshot keep their files, so nothing is
//! pulled from under them. Removing the files and finding where each queue now begins is a plan that another thread
//! runs. A crash in between leaves files that the next start finds, and the next purge removes. So does a file that cannot
//! be removed: it and those behind it stay until the next purge, which begins with them.
//!
//! Files go one after the other, from the oldest on, and each for good before the next one goes, in the log before in queues
//! and index. So if the power goes, no file is missing between two that are there, nor for a message that came back.

use std::{io, sync::Arc};

use super::{
    error::StoreError,
    fs::FileSystem,
    queue_entry::{QueueView, Slot},
    queues::{QueueId, Queues},
    reader::{Reader, Stop},
    segment::{Segment, Wait},
    segments::Segments,
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
    log_start: u64,
    first: Vec<(QueueId, First)>,
    /// What is still there.
    left: Vec<Arc<Segment>>,
    outcome: Result<(), StoreError>,
}

/// Where a queue begins now.
#[derive(Debug)]
struct First {
    offset: u64,
    /// The position of that entry's unit, if it has one.
    unit_at: Option<u64>,
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
    /// The first file that cannot be removed is the error of the result, and no other is removed after it.
    pub fn run(mut self) -> PurgeResult {
        let mut gone = 0;
        let removed = self.files.iter().try_for_each(|segment| {
            remove(&*self.fs, segment)?;
            gone += 1;
            Ok(())
        });
        let left = self.files.split_off(gone);
        let mut first = Vec::with_capacity(self.queues.len());
        let looked = self.queues.iter().try_for_each(|(id, view)| {
            first.push((*id, self.first_of(view)?));
            Ok(())
        });
        PurgeResult { log_start: self.log_start(), first, left, outcome: removed.and(looked) }
    }

    fn log_start(&self) -> u64 {
        self.log.start().unwrap_or(0)
    }

    fn first_of(&self, queue: &QueueView) -> Result<First, StoreError> {
        let reader = Reader::new(&self.log, 0, Wait::Yes);
        let slot = |at| match reader.slots(queue, at, 1) {
            Ok(slots) => Ok(slots.first().copied()),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::WouldBlock) => Ok(None),
        };
        let offset = queue.first_at(self.log_start(), slot)?;
        let unit_at = match slot(offset)? {
            Some(Slot::Message(entry)) => entry.unit_at(),
            _ => None,
        };
        Ok(First { offset, unit_at })
    }
}

/// Removes a segment's file, which does not come back if the power goes; readers that have the segment keep it. A file that
/// is gone already is as good.
fn remove(fs: &dyn FileSystem, segment: &Segment) -> Result<(), StoreError> {
    let path = segment.path();
    let dir = path.parent().unwrap_or(path);
    or_gone(segment.file().pin()).map_err(StoreError::io("open", path))?;
    or_gone(fs.remove_file(path)).map_err(StoreError::io("remove", path))?;
    or_gone(fs.sync_dir(dir)).map_err(StoreError::io("sync", dir))
}

fn or_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

impl PurgeResult {
    /// Where the log begins for good, if all went well.
    pub(super) fn log_start(&self) -> Option<u64> {
        self.outcome.is_ok().then_some(self.log_start)
    }

    /// Lets the queues begin where they do now. The files that are to be removed yet, in order, and whether all went well
    /// so far.
    pub(super) fn apply(self, queues: &mut Queues) -> (Vec<Arc<Segment>>, Result<(), StoreError>) {
        let mut files = self.left;
        for (id, first) in self.first {
            if let Some(queue) = queues.get_mut(id) {
                files.extend(queue.entries.begin_later(first.offset, first.unit_at));
            }
        }
        (files, self.outcome)
    }
}
