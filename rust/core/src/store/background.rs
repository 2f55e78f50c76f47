//! What is done behind the owner's back, a plan at a time: the index by key is built, old messages are removed.

use std::sync::Arc;

use super::{
    Store,
    error::StoreError,
    index::{IndexPlan, IndexProgress, IndexResult},
    purge::{PurgePlan, PurgeResult},
    queue_entry::QueueView,
    queues::{EXTENSIONS, QUEUES, QueueId},
    segment::Segment,
};

/// Log that is still indexed when a store is closed: a fraction of a second's work.
const MAX_INDEX_AT_CLOSE: u64 = 64 * 1024 * 1024;

impl Store {
    /// The next step of the index; `None` when it knows all that is visible and durable, or when the result of another
    /// step is still owed.
    pub fn plan_index(&mut self, wall_ms: i64) -> Option<IndexPlan> {
        self.check_open().ok()?;
        let upto = self.indexable_end();
        self.index.plan(self.log.segments(), upto, wall_ms)
    }

    /// Whether the index has something to catch up with.
    pub fn is_index_behind(&self) -> bool {
        self.index.reached() < self.indexable_end()
    }

    /// Takes the result of a step of the index. After an error it is as far as it was, and can be tried again.
    pub fn indexed(&mut self, result: IndexResult) -> Result<IndexProgress, StoreError> {
        let upto = self.indexable_end();
        self.index.done(result, upto)
    }

    /// What the index may know: what consumers may see, and what no crash takes back.
    pub(super) fn indexable_end(&self) -> u64 {
        self.visible_end.min(self.flush.flushed())
    }

    /// Lets the log begin at the first segment that ends behind a position; `None` if it does already, and no earlier
    /// purge left files. The segment that is written stays.
    ///
    /// From here on the messages before that are gone; queues follow when the plan was run and [`Self::purged`] was told.
    pub fn plan_purge(&mut self, before: u64) -> Option<PurgePlan> {
        // What is not durable or not visible yet has not been kept for any time.
        let mut files = std::mem::take(&mut self.unremoved);
        files.extend(self.log.forget_before(before.min(self.indexable_end())));
        let queues = self.queues.iter().map(|(id, queue)| (id, queue.entries.view())).collect();
        (!files.is_empty()).then(|| self.make_purge(files, queues))
    }

    /// Takes the result of a plan; another one, if there are queue files to remove. What an error left is the first that the
    /// next purge removes.
    pub fn purged(&mut self, result: PurgeResult) -> Result<Option<PurgePlan>, StoreError> {
        if let Some(log_start) = result.log_start() {
            self.index.begin_later(log_start);
        }
        let (files, outcome) = result.apply(&mut self.queues);
        if let Err(error) = outcome {
            self.unremoved = files;
            return Err(error);
        }
        Ok((!files.is_empty()).then(|| self.make_purge(files, Vec::new())))
    }

    /// Files of a removed topic are gone, and their names may come to stand for others.
    pub(super) fn forget_unremoved(&mut self, topic: &str) {
        let dirs = [QUEUES, EXTENSIONS].map(|name| self.settings.root.join(name).join(topic));
        self.unremoved.retain(|segment| !dirs.iter().any(|dir| segment.path().starts_with(dir)));
    }

    fn make_purge(&self, files: Vec<Arc<Segment>>, queues: Vec<(QueueId, QueueView)>) -> PurgePlan {
        PurgePlan::new(self.flush.file_system(), files, self.log.segments().clone(), queues)
    }

    /// Brings the index up to date, unless that is so much that it had better wait for the next start.
    pub(super) fn finish_index(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        let upto = self.indexable_end();
        if upto.saturating_sub(self.index.reached()) > MAX_INDEX_AT_CLOSE {
            return Ok(());
        }
        while let Some(plan) = self.index.plan_last(self.log.segments(), upto, wall_ms) {
            self.index.done(plan.run(), upto)?;
        }
        Ok(())
    }
}
