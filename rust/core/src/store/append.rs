//! The way of a record into the store: into the run, with the run into the log, and from there to where consumers see it.

use super::{
    Store,
    dispatch::{Arrival, Note, tags_code},
    error::StoreError,
    queue_entry::QueueEntry,
    settings::FlushMode,
};
use crate::record::{NewRecord, sys_flag};

/// Where a record was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its offset in its queue; 0 for half messages and roll-back marks, which are in none.
    pub queue_offset: i64,
    /// Where it begins in the log.
    pub physical_offset: i64,
    /// Its size.
    pub size: u32,
    /// The log position behind it: what [`Store::release`] and [`Store::flushed`] have to reach for it.
    pub end: u64,
}

impl Store {
    /// Adds a record to the run and gives it its place. Nothing is written before [`Self::write_run`].
    pub fn append(&mut self, record: &NewRecord<'_>, wall_ms: i64) -> Result<Placed, StoreError> {
        self.check_writeable()?;
        // Consumers search by store time, so it never goes back.
        let store_timestamp = wall_ms.max(self.timestamp);
        let tags_code = self.tags_code_of(record, store_timestamp);
        let id = self.queues.find_or_add(record.topic, record.queue_id)?;
        let queue = self.queues.get_mut(id).filter(|_| sys_flag::takes_queue_offset(record.sys_flag));
        let queue_offset = queue.as_ref().map_or(0, |queue| queue.next);
        let (physical, size) = self.log.append(record, queue_offset, store_timestamp)?;
        let entry = QueueEntry { physical, size, tags_code };
        if let Some(queue) = queue {
            queue.next = queue_offset.saturating_add(1);
            self.dispatcher.note(Note { queue: id, queue_offset, entry, store_timestamp });
        }
        self.timestamp = store_timestamp;
        Ok(Placed { queue_offset, physical_offset: physical as i64, size, end: entry.end() })
    }

    /// Appends records to the run, all of them or none: on failure the run is as it was.
    pub fn append_all<'a>(
        &mut self,
        records: impl IntoIterator<Item = NewRecord<'a>>,
        wall_ms: i64,
    ) -> Result<Vec<Placed>, StoreError> {
        let (run, log) = (self.dispatcher.run_len(), self.log.mark());
        let records = records.into_iter();
        let placed: Result<_, _> = records.map(|record| self.append(&record, wall_ms)).collect();
        if placed.is_err() {
            self.log.back_to(log);
            self.dispatcher.undo_from(run, &mut self.queues);
        }
        placed
    }

    /// Writes the run: one write, or one for each segment it reaches into. Returns the end of the log.
    ///
    /// On failure no record of the run exists or ever will, and the store is as it was before they were appended.
    pub fn write_run(&mut self) -> Result<u64, StoreError> {
        if !self.log.has_run() {
            return Ok(self.log.written());
        }
        let before = self.log.written();
        if let Err(error) = self.check_open().and_then(|()| self.log.write_run()) {
            self.log.forget_run();
            self.dispatcher.undo_from(0, &mut self.queues);
            return Err(error);
        }
        self.dispatcher.run_written();
        self.written_timestamp = self.timestamp;
        if self.settings.flush == FlushMode::Sync {
            self.log.write_ahead(self.log.written() - before);
        }
        Ok(self.log.written())
    }

    /// Makes the written records that end at or before a log position visible.
    ///
    /// If a queue cannot be written, its entries stay behind and are tried again by the next release or append;
    /// nothing is lost, and their arrivals are returned by the release that succeeds.
    pub fn release(&mut self, upto: u64) -> Result<Vec<Arrival>, StoreError> {
        let upto = upto.min(self.log.written());
        let arrivals = self.dispatcher.release(upto, &mut self.queues)?;
        self.visible_end = self.visible_end.max(upto);
        Ok(arrivals)
    }

    fn tags_code_of(&self, record: &NewRecord<'_>, store_timestamp: i64) -> i64 {
        let text = str::from_utf8(record.properties).unwrap_or_default();
        tags_code(self.queues.delays(), record.topic, text, store_timestamp)
    }

    /// Entries that a queue could not take come first: they must not pile up behind a disk that fails.
    fn check_writeable(&mut self) -> Result<(), StoreError> {
        self.check_open()?;
        self.queues.write_pending()
    }
}
