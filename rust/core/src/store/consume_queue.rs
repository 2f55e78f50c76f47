//! The index of one queue: entry q, at byte q × 20, points to the message with queue offset q in the log.
//!
//! Rules:
//! - Entries are made from the log and nothing else; a queue can always be made again from it.
//! - Positions are exact: an entry for an offset that is already there is a repeat and is dropped; offsets that are
//!   jumped over get *blank* entries (size `i32::MAX`), with physical 0 as Apache's when a queue begins late, else with
//!   that of the next message, so that positions never go down.
//! - With extensions on, each new entry has a unit (`consume_queue_ext`), which is written before it. One queue may have
//!   entries with and without: extensions are turned on and off between two starts.
//! - Behind the last entry the files read as zeros. Apache does not keep that rule, and after a crash its stale
//!   entries come back to life (store.md 13.3); so what recovery cuts off it also zeroes.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use super::{
    consume_queue_ext::{ConsumeQueueExt, Unit},
    error::StoreError,
    fs::FileSystem,
    places::QUEUE_DEPTH,
    queue_entry::{ENTRY_SIZE, QueueEntry, QueueView, Slot, encode_blanks},
    segment::{Segment, Wait},
    segment_list::SegmentList,
    segments::Segments,
};

/// Entries read at a time when a queue is gone through.
const SCAN_ENTRIES: u64 = 4096;

/// The writer of one queue's entries.
#[derive(Debug)]
pub(crate) struct ConsumeQueue {
    list: SegmentList,
    ext: Option<ConsumeQueueExt>,
    min: u64,
    // Entries written, and so visible; those in `pending` come after them.
    max: u64,
    pending: Vec<u8>,
    // Where the message of the last entry lies, pending or not.
    last_physical: Option<u64>,
    unsynced_from: Option<u64>,
}

impl ConsumeQueue {
    /// Opens a queue's directory; its entries are believed only after [`Self::recover_end`]. With `ext`, those that are
    /// put have units.
    pub(crate) fn open(
        fs: Arc<dyn FileSystem>,
        dir: PathBuf,
        entries_per_segment: u64,
        ext: Option<ConsumeQueueExt>,
    ) -> Result<Self, StoreError> {
        let list = SegmentList::open(fs, dir, entries_per_segment.saturating_mul(ENTRY_SIZE))?;
        let min = list.segments().start().unwrap_or(0) / ENTRY_SIZE;
        Ok(Self { list, ext, min, max: min, pending: Vec::new(), last_physical: None, unsynced_from: None })
    }

    /// The first offset that has a message.
    pub(crate) fn min(&self) -> u64 {
        self.min
    }

    /// The offset behind the last entry that readers may see.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// The offset that the next entry gets.
    pub(crate) fn next(&self) -> u64 {
        self.max.saturating_add(self.pending.len() as u64 / ENTRY_SIZE)
    }

    /// Whether there is a file of it.
    pub(crate) fn has_files(&self) -> bool {
        self.list.segments().start().is_some()
    }

    pub(crate) fn view(&self) -> QueueView {
        let units = self.units().cloned().unwrap_or_default();
        QueueView { segments: self.list.segments().clone(), units, min: self.min, max: self.max }
    }

    /// The extension files, where extensions are on.
    pub(crate) fn units(&self) -> Option<&Segments> {
        self.ext.as_ref().map(ConsumeQueueExt::units)
    }

    /// Takes an entry for offset `at`; it becomes visible with [`Self::write_pending`]. False if it is there already, or
    /// belongs to messages that are older than the queue.
    ///
    /// An empty queue may begin at any offset; otherwise nothing may be missing before it (see [`Self::bridge`]). One
    /// whose offsets begin at 0 again, later in the log, was removed and made anew: what it has belongs to the
    /// removed one.
    pub(crate) fn put(
        &mut self,
        at: u64,
        entry: &QueueEntry,
        store_timestamp: i64,
    ) -> Result<bool, StoreError> {
        let next = self.next();
        let is_old = self.last_physical.is_some_and(|last| entry.physical <= last);
        if is_old || (at != next && at != 0 && next > self.min) {
            return Ok(false);
        }
        if at != next {
            self.begin_at(at)?;
        }
        let unit = Unit::new(entry.tags_code, store_timestamp);
        let unit_at = self.ext.as_mut().and_then(|ext| ext.put(&unit));
        unit_at.map_or(*entry, |at| entry.with_unit_at(at)).encode(&mut self.pending);
        self.last_physical = Some(entry.physical);
        Ok(true)
    }

    /// Counts as empty, if all its messages are gone from a log that begins at a position: then it may begin anew anywhere.
    pub(crate) fn forget_removed(&mut self, log_start: u64) {
        if self.last_physical.is_some_and(|last| last < log_start) {
            self.min = self.next();
            self.last_physical = None;
        }
    }

    /// Fills the offsets up to `at` with blank entries, ahead of the message at a log position. False if that would be
    /// more than a segment of them: no gap, but a broken offset.
    pub(crate) fn bridge(&mut self, at: u64, physical: u64) -> bool {
        let missing = at.saturating_sub(self.next());
        let is_gap = missing <= self.list.segment_size() / ENTRY_SIZE;
        if is_gap {
            encode_blanks(missing, physical, &mut self.pending);
        }
        is_gap
    }

    /// Writes what was put, one write a segment. On failure all of it stays pending and invisible.
    pub(crate) fn write_pending(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if let Some(ext) = &mut self.ext {
            ext.write_pending()?;
        }
        self.list.write(self.max.saturating_mul(ENTRY_SIZE), &self.pending)?;
        self.unsynced_from = Some(self.unsynced_from.unwrap_or(self.max).min(self.max));
        self.max = self.next();
        self.pending.clear();
        Ok(())
    }

    /// The entry at an offset that readers may see.
    pub(crate) fn slot(&self, at: u64) -> Result<Slot, StoreError> {
        let mut bytes = [0; ENTRY_SIZE as usize];
        self.list.segments().read(at.saturating_mul(ENTRY_SIZE), &mut bytes, Wait::Yes)?;
        Ok(Slot::decode(&bytes))
    }

    /// Finds the end as Apache does: from the third-last file on, up to the first entry that nobody wrote. True if
    /// there is something behind it; that stays until [`Self::cut`].
    pub(crate) fn recover_end(&mut self) -> Result<bool, StoreError> {
        let segments = self.list.segments();
        let Some(end) = segments.iter().last().map(|last| last.end() / ENTRY_SIZE) else {
            return Ok(!self.list.strays().is_empty());
        };
        let third_last = segments.iter().nth_back(2).or(segments.iter().next());
        let third_last = third_last.map_or(0, |segment| segment.base() / ENTRY_SIZE);
        self.max = third_last;
        while self.max < end && self.recover_some()? {}
        self.last_physical = self.find_last_physical()?;
        let has_data_behind = self.list.data_behind(self.max.saturating_mul(ENTRY_SIZE))? > 0;
        Ok(has_data_behind || !self.list.strays().is_empty())
    }

    fn find_last_physical(&self) -> Result<Option<u64>, StoreError> {
        if self.max <= self.min {
            return Ok(None);
        }
        Ok(match self.slot(self.max - 1)? {
            Slot::Message(entry) => Some(entry.physical),
            Slot::Blank { .. } | Slot::Unwritten => None,
        })
    }

    /// Counts the written entries from `max` on, at most [`SCAN_ENTRIES`]; false at the end of the queue.
    fn recover_some(&mut self) -> Result<bool, StoreError> {
        let Some(segment) = self.segment_of(self.max) else { return Ok(false) };
        let count = SCAN_ENTRIES.min(segment.end() / ENTRY_SIZE - self.max);
        let slots = read_slots(segment, self.max, count)?;
        let written = slots.iter().take_while(|slot| **slot != Slot::Unwritten).count() as u64;
        self.max = self.max.saturating_add(written);
        Ok(written == count && count > 0)
    }

    /// The last entry before offset `count` that has a unit. Where none has, all of the files are read.
    pub(crate) fn last_extended(&self, count: u64) -> Result<Option<QueueEntry>, StoreError> {
        let mut end = count.min(self.max);
        while let Some(segment) = end.checked_sub(1).and_then(|last| self.segment_of(last)) {
            let from = end.saturating_sub(SCAN_ENTRIES).max(segment.base() / ENTRY_SIZE);
            let found =
                read_slots(segment, from, end - from)?.into_iter().rev().find_map(|slot| match slot {
                    Slot::Message(entry) if entry.is_extended() => Some(entry),
                    _ => None,
                });
            if found.is_some() {
                return Ok(found);
            }
            end = from;
        }
        Ok(None)
    }

    fn segment_of(&self, at: u64) -> Option<&Arc<Segment>> {
        self.list.segments().find(at.saturating_mul(ENTRY_SIZE))
    }

    /// Drops the entries from offset `count` on and the units from a position on, and whatever is behind them.
    pub(crate) fn cut(&mut self, count: u64, units_end: u64) -> Result<(), StoreError> {
        self.cut_units(units_end)?;
        self.pending.clear();
        self.list.cut(count.saturating_mul(ENTRY_SIZE))?;
        if count < self.max {
            self.max = count.max(self.list.segments().start().unwrap_or(0) / ENTRY_SIZE);
            self.min = self.min.min(self.max);
            self.last_physical = self.find_last_physical()?;
            self.unsynced_from = Some(self.unsynced_from.unwrap_or(self.max).min(self.max));
        }
        Ok(())
    }

    /// Drops the units from a position on.
    pub(crate) fn cut_units(&mut self, end: u64) -> Result<(), StoreError> {
        self.ext.as_mut().map_or(Ok(()), |ext| ext.cut(end))
    }

    /// Moves the first offset to the first message that the log still has.
    pub(crate) fn correct_min(&mut self, log_start: u64) -> Result<(), StoreError> {
        self.min = self.first_at(log_start)?;
        Ok(())
    }

    /// The first offset whose message begins at or behind a log position.
    pub(crate) fn first_at(&self, physical: u64) -> Result<u64, StoreError> {
        self.view().first_at(physical, |at| self.slot(at).map(Some))
    }

    /// Moves the first offset, and the first unit, to where a purge found them to be; the segments whose files are to be
    /// removed, since they hold only what lies before.
    pub(crate) fn begin_later(&mut self, first: u64, unit_at: Option<u64>) -> Vec<Arc<Segment>> {
        self.min = self.min.max(first.min(self.max));
        let mut files = self.list.forget_before(self.min.saturating_mul(ENTRY_SIZE));
        if let (Some(ext), Some(at)) = (&mut self.ext, unit_at) {
            files.extend(ext.forget_before(at));
        }
        files
    }

    /// What has to be synced for the written entries to be durable; they count as synced from here on.
    pub(crate) fn take_unsynced(&mut self, names: &mut BTreeSet<PathBuf>) -> Vec<Arc<Segment>> {
        let mut files = self.ext.as_mut().map_or_else(Vec::new, |ext| ext.take_unsynced(names));
        names.extend(self.list.take_changed_dirs(QUEUE_DEPTH));
        if let Some(from) = self.unsynced_from.take() {
            let segments = self.list.segments();
            files.extend(segments.covering(from.saturating_mul(ENTRY_SIZE), u64::MAX).map(Arc::clone));
        }
        files
    }

    /// Whether entries were written that no flush has taken up yet.
    pub(crate) fn is_unsynced(&self) -> bool {
        self.unsynced_from.is_some()
    }

    /// An empty queue that begins at an offset: the entries before it in its segment are blank.
    fn begin_at(&mut self, at: u64) -> Result<(), StoreError> {
        self.list.clear()?;
        let first = self.list.base_of(at.saturating_mul(ENTRY_SIZE)) / ENTRY_SIZE;
        self.min = at;
        self.max = first;
        self.pending.clear();
        encode_blanks(at - first, 0, &mut self.pending);
        Ok(())
    }
}

fn read_slots(segment: &Segment, from: u64, count: u64) -> Result<Vec<Slot>, StoreError> {
    let mut bytes = vec![0; (count * ENTRY_SIZE) as usize];
    segment.read(from.saturating_mul(ENTRY_SIZE), &mut bytes, Wait::Yes)?;
    Ok(bytes.as_chunks().0.iter().map(Slot::decode).collect())
}
