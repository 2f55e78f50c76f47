//! The index of one queue: entry q, at byte q × 20, points to the message with queue offset q in the log.
//!
//! ```text
//!  0        8          12         20
//!  | physical | size     | tags code |      big-endian; a size of 0 (never written) or less ends the queue
//! ```
//!
//! Rules:
//! - Entries are made from the log and nothing else; a queue can always be made again from it.
//! - Positions are exact: an entry for an offset that is already there is a repeat and is dropped; offsets that are
//!   jumped over get *blank* entries (size `i32::MAX`), with physical 0 as Apache's when a queue begins late, else with
//!   that of the next message, so that positions never go down.
//! - Behind the last entry the files read as zeros. Apache does not keep that rule, and after a crash its stale
//!   entries come back to life (store.md 13.3); so what recovery cuts off it also zeroes.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use super::{
    error::StoreError,
    fs::FileSystem,
    segment::{Segment, Wait},
    segment_list::{SegmentList, Segments},
};

/// Bytes of an entry.
pub(crate) const ENTRY_SIZE: u64 = 20;

/// Entries read at a time when a queue is gone through.
const SCAN_ENTRIES: u64 = 4096;

/// The size that marks a blank entry.
const BLANK_SIZE: i32 = i32::MAX;

/// Tags codes at or below this, which no hash can be, are addresses in extension files (`enableConsumeQueueExt`).
const MAX_EXTENSION_ADDRESS: i64 = i32::MIN as i64 - 1;

/// Where a message lies, and what a filter asks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueEntry {
    pub(crate) physical: u64,
    pub(crate) size: u32,
    pub(crate) tags_code: i64,
}

/// One entry of 20 bytes, as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Points to a message.
    Message(QueueEntry),
    /// Stands for an offset that has no message, or for many at the front of a queue that begins late.
    Blank {
        /// Where the next message lies; 0 at the front of a queue.
        before: u64,
    },
    /// Nothing that a dispatcher writes: the end, or damage.
    Unwritten,
}

impl QueueEntry {
    /// The log position behind the message.
    pub(crate) fn end(&self) -> u64 {
        self.physical.saturating_add(self.size.into())
    }

    /// Whether the tags code is an address in one of Apache's extension files, and the code has to be taken from the record.
    pub(crate) fn is_extended(&self) -> bool {
        self.tags_code <= MAX_EXTENSION_ADDRESS
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode(self.physical as i64, self.size as i32, self.tags_code, out);
    }
}

impl Slot {
    pub(crate) fn decode(bytes: &[u8; ENTRY_SIZE as usize]) -> Self {
        let [p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3, t @ ..] = *bytes;
        let physical = i64::from_be_bytes([p0, p1, p2, p3, p4, p5, p6, p7]);
        let size = i32::from_be_bytes([s0, s1, s2, s3]);
        match (u64::try_from(physical), u32::try_from(size)) {
            (Ok(_), Ok(0)) | (Err(_), _) | (_, Err(_)) => Self::Unwritten,
            (Ok(before), Ok(_)) if size == BLANK_SIZE => Self::Blank { before },
            (Ok(physical), Ok(size)) => {
                Self::Message(QueueEntry { physical, size, tags_code: i64::from_be_bytes(t) })
            }
        }
    }
}

/// What a reader needs of a queue; stays whole whatever happens to the queue.
#[derive(Debug, Clone)]
pub(crate) struct QueueView {
    pub(crate) segments: Segments,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl QueueView {
    /// The first offset whose message begins at or behind a log position, given a way to read an entry. A blank entry counts
    /// as its next message does, but for those at the front of a queue.
    pub(crate) fn first_at(
        &self,
        physical: u64,
        slot: impl Fn(u64) -> Result<Option<Slot>, StoreError>,
    ) -> Result<u64, StoreError> {
        let mut low = self.segments.start().unwrap_or(0) / ENTRY_SIZE;
        let mut high = self.max.max(low);
        while low < high {
            let middle = low + (high - low) / 2;
            let before = match slot(middle)? {
                Some(Slot::Message(entry)) => entry.physical < physical,
                Some(Slot::Blank { before }) => before == 0 || before < physical,
                Some(Slot::Unwritten) | None => true,
            };
            if before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// The writer of one queue's entries.
#[derive(Debug)]
pub(crate) struct ConsumeQueue {
    list: SegmentList,
    min: u64,
    // Entries written, and so visible; those in `pending` come after them.
    max: u64,
    pending: Vec<u8>,
    // Where the message of the last entry lies, pending or not.
    last_physical: Option<u64>,
    unsynced_from: Option<u64>,
}

impl ConsumeQueue {
    /// Opens a queue's directory; its entries are believed only after [`Self::recover_end`].
    pub(crate) fn open(
        fs: Arc<dyn FileSystem>,
        dir: PathBuf,
        entries_per_segment: u64,
    ) -> Result<Self, StoreError> {
        let list = SegmentList::open(fs, dir, entries_per_segment.saturating_mul(ENTRY_SIZE))?;
        let min = list.segments().start().unwrap_or(0) / ENTRY_SIZE;
        Ok(Self { list, min, max: min, pending: Vec::new(), last_physical: None, unsynced_from: None })
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
        QueueView { segments: self.list.segments().clone(), min: self.min, max: self.max }
    }

    /// Takes an entry for offset `at`; it becomes visible with [`Self::write_pending`]. False if it is there already, or
    /// belongs to messages that are older than the queue.
    ///
    /// An empty queue may begin at any offset; otherwise nothing may be missing before it (see [`Self::bridge`]). One
    /// whose offsets begin at 0 again, later in the log, was removed and made anew: what it has belongs to the
    /// removed one.
    pub(crate) fn put(&mut self, at: u64, entry: &QueueEntry) -> Result<bool, StoreError> {
        let next = self.next();
        let is_old = self.last_physical.is_some_and(|last| entry.physical <= last);
        if is_old || (at != next && at != 0 && next > self.min) {
            return Ok(false);
        }
        if at != next {
            self.begin_at(at)?;
        }
        entry.encode(&mut self.pending);
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
            self.add_blanks(missing, physical);
        }
        is_gap
    }

    /// Writes what was put, one write a segment. On failure all of it stays pending and invisible.
    pub(crate) fn write_pending(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
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
        let from = self.max.saturating_mul(ENTRY_SIZE);
        let Some(segment) = self.list.segments().find(from) else { return Ok(false) };
        let count = SCAN_ENTRIES.min((segment.end() - from) / ENTRY_SIZE);
        let mut bytes = vec![0; (count * ENTRY_SIZE) as usize];
        segment.read(from, &mut bytes, Wait::Yes)?;
        let (entries, _) = bytes.as_chunks::<{ ENTRY_SIZE as usize }>();
        let written =
            entries.iter().take_while(|entry| Slot::decode(entry) != Slot::Unwritten).count() as u64;
        self.max = self.max.saturating_add(written);
        Ok(written == count && count > 0)
    }

    /// Drops the entries from offset `count` on, and whatever is behind them.
    pub(crate) fn cut(&mut self, count: u64) -> Result<(), StoreError> {
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

    /// Moves the first offset to the first message that the log still has.
    pub(crate) fn correct_min(&mut self, log_start: u64) -> Result<(), StoreError> {
        self.min = self.first_at(log_start)?;
        Ok(())
    }

    /// The first offset whose message begins at or behind a log position.
    pub(crate) fn first_at(&self, physical: u64) -> Result<u64, StoreError> {
        self.view().first_at(physical, |at| self.slot(at).map(Some))
    }

    /// Moves the first offset to where a purge found it to be; the segments whose files are to be removed, since
    /// they hold only entries before it.
    pub(crate) fn begin_later(&mut self, first: u64) -> Vec<Arc<Segment>> {
        self.min = self.min.max(first.min(self.max));
        self.list.forget_before(self.min.saturating_mul(ENTRY_SIZE))
    }

    /// What has to be synced for the written entries to be durable; they count as synced from here on.
    pub(crate) fn take_unsynced(&mut self, names: &mut BTreeSet<PathBuf>) -> Vec<Arc<Segment>> {
        // Those of the topic, of all queues, and the store's root.
        names.extend(self.list.take_changed_dirs(3));
        let Some(from) = self.unsynced_from.take() else { return Vec::new() };
        let segments = self.list.segments();
        segments.covering(from.saturating_mul(ENTRY_SIZE), u64::MAX).map(Arc::clone).collect()
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
        self.add_blanks(at - first, 0);
        Ok(())
    }

    fn add_blanks(&mut self, count: u64, before: u64) {
        for _ in 0..count {
            encode(before as i64, BLANK_SIZE, 0, &mut self.pending);
        }
    }
}

fn encode(physical: i64, size: i32, tags_code: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&physical.to_be_bytes());
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(&tags_code.to_be_bytes());
}
