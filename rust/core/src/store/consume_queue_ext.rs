//! What the entries of one queue have beside themselves, with `enableConsumeQueueExt`: a unit each, in files of their own,
//! with what the 20 bytes of an entry have no room for.
//!
//! ```text
//!  0      2           10           18         20
//!  | size | tags code | store time | map size | filter bit map |    big-endian; the size is that of all of it
//! ```
//!
//! Rules:
//! - Apache's dispatcher makes the bit map with `enableCalcFilterBitMap`. Here it is empty, and passed over when read.
//! - A unit lies in one segment, with at least 4 bytes behind it: where the next would not, a size of −1 ends the segment.
//! - Units are made together with entries, from the log. One whose address no entry has means nothing: Apache's broker
//!   leaves some behind when it recovers.
//! - They can be done without: who finds no unit takes what it would say from the record. But an address must not lead to
//!   another message's unit, so none is given twice as long as a readable entry has it.
//! - Behind the last unit the files read as zeros, as with entries.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use super::{
    delays::SCHEDULE_TOPIC,
    error::StoreError,
    fs::FileSystem,
    places::QUEUE_DEPTH,
    queue_entry::{MAX_UNIT_POSITION, Slot},
    reader::{Reader, Stop},
    segment::{Segment, Wait},
    segment_list::SegmentList,
    segments::Segments,
};
use crate::{cursor::Cursor, filter::tags::tags_hash, record::Message};

/// Bytes of a unit without a bit map. Apache's `MIN_EXT_UNIT_SIZE`.
const UNIT_LEN: usize = 20;
/// Bytes that stay behind the last unit of a segment. Apache's `END_BLANK_DATA_LENGTH`.
const END_LEN: u64 = 4;
/// What is where a size would be at the end of a segment.
const END_MARK: i16 = -1;

/// One unit, but for its bit map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// What the entry would have for a tags code without extensions.
    pub(crate) tags_code: i64,
    /// When the message was stored, in milliseconds since the epoch.
    pub(crate) store_timestamp: i64,
    map_len: u16,
}

impl Unit {
    pub(crate) fn new(tags_code: i64, store_timestamp: i64) -> Self {
        Self { tags_code, store_timestamp, map_len: 0 }
    }

    /// The unit that begins with these bytes; `None` if they are too few, or none of a unit's.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Cursor::new(bytes);
        let len = usize::try_from(fields.i16()?).ok()?;
        let (tags_code, store_timestamp) = (fields.i64()?, fields.i64()?);
        let map_len = u16::try_from(fields.i16()?).ok()?;
        let unit = Self { tags_code, store_timestamp, map_len };
        (unit.encoded_len() == len).then_some(unit)
    }

    /// Bytes of the unit, with its bit map.
    pub(crate) fn encoded_len(&self) -> usize {
        UNIT_LEN + usize::from(self.map_len)
    }

    /// Whether it says of a message what a unit of it would. The delivery time of a scheduled message cannot be compared.
    pub(super) fn is_of(&self, message: &Message<'_>) -> bool {
        self.store_timestamp == message.store_timestamp
            && (self.tags_code == tags_hash(message.properties) || message.topic == SCHEDULE_TOPIC)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(UNIT_LEN as i16).to_be_bytes());
        out.extend_from_slice(&self.tags_code.to_be_bytes());
        out.extend_from_slice(&self.store_timestamp.to_be_bytes());
        out.extend_from_slice(&0_i16.to_be_bytes());
    }
}

/// The unit at a position of the extension files, if one is there.
pub(super) fn unit_at(units: &Segments, at: u64) -> Result<Option<Unit>, StoreError> {
    let mut bytes = [0; UNIT_LEN];
    if !units.holds(at, UNIT_LEN as u64) {
        return Ok(None);
    }
    units.read(at, &mut bytes, Wait::Yes)?;
    Ok(Unit::decode(&bytes))
}

/// Puts the tags codes of units where entries have their addresses. Where there is no unit the address stays.
pub(super) fn resolve(reader: &Reader<'_>, units: &Segments, slots: &mut [Slot]) -> Result<(), Stop> {
    let mut window = UnitWindow::default();
    let mut left = slots.len();
    for slot in slots {
        if let Slot::Message(entry) = slot
            && let Some(at) = entry.unit_at()
            && let Some(unit) = window.unit(reader, units, at, left)?
        {
            entry.tags_code = unit.tags_code;
        }
        left -= 1;
    }
    Ok(())
}

/// A stretch of units read at once: those of neighbours lie in a row.
#[derive(Debug, Default)]
pub(super) struct UnitWindow {
    at: u64,
    bytes: Vec<u8>,
}

impl UnitWindow {
    /// The unit at a position, read together with the units of so many entries.
    pub(super) fn unit(
        &mut self,
        reader: &Reader<'_>,
        units: &Segments,
        at: u64,
        count: usize,
    ) -> Result<Option<Unit>, Stop> {
        if self.within(at).is_none() {
            let Some(segment) = units.find(at).filter(|_| units.holds(at, UNIT_LEN as u64)) else {
                return Ok(None);
            };
            let len = (segment.end() - at).min((count * UNIT_LEN) as u64);
            self.at = at;
            self.bytes = vec![0; len as usize];
            segment.read(at, &mut self.bytes, reader.wait())?.ok_or(Stop::WouldBlock)?;
        }
        Ok(self.within(at).and_then(Unit::decode))
    }

    /// The bytes of a unit without its bit map, if they were read.
    fn within(&self, at: u64) -> Option<&[u8]> {
        let from = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(from..from.checked_add(UNIT_LEN)?)
    }
}

/// The writer of one queue's units.
#[derive(Debug)]
pub(crate) struct ConsumeQueueExt {
    list: SegmentList,
    // Behind the last unit that is written; those in `pending` come next.
    end: u64,
    pending: Vec<u8>,
    unsynced_from: Option<u64>,
}

impl ConsumeQueueExt {
    /// Opens a queue's directory; what is in it counts only after [`Self::cut`].
    pub(crate) fn open(fs: Arc<dyn FileSystem>, dir: PathBuf, segment_size: u64) -> Result<Self, StoreError> {
        let list = SegmentList::open(fs, dir, segment_size)?;
        let end = list.segments().start().unwrap_or(0);
        Ok(Self { list, end, pending: Vec::new(), unsynced_from: None })
    }

    pub(crate) fn units(&self) -> &Segments {
        self.list.segments()
    }

    /// Takes a unit, which is written with [`Self::write_pending`]; its position. `None` where no more positions have an
    /// address: as with Apache's broker, the entry keeps its tags code then.
    pub(crate) fn put(&mut self, unit: &Unit) -> Option<u64> {
        let size = self.list.segment_size();
        let need = unit.encoded_len() as u64 + END_LEN;
        let mut at = self.end.saturating_add(self.pending.len() as u64);
        let left = self.list.base_of(at).saturating_add(size).saturating_sub(at);
        if size < need || at.saturating_add(size) > MAX_UNIT_POSITION {
            return None;
        }
        if left < need {
            self.pending.extend_from_slice(&END_MARK.to_be_bytes());
            at = at.saturating_add(left);
            self.pending.resize((at - self.end) as usize, 0);
        }
        unit.encode(&mut self.pending);
        Some(at)
    }

    /// Writes what was put. On failure all of it stays pending.
    pub(crate) fn write_pending(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.list.write(self.end, &self.pending)?;
        self.unsynced_from = Some(self.unsynced_from.unwrap_or(self.end).min(self.end));
        self.end = self.end.saturating_add(self.pending.len() as u64);
        self.pending.clear();
        Ok(())
    }

    /// Drops what is at or behind a position: the next unit comes there, or where the files begin.
    pub(crate) fn cut(&mut self, end: u64) -> Result<(), StoreError> {
        self.pending.clear();
        self.list.cut(end)?;
        self.end = end.max(self.units().start().unwrap_or(0));
        self.unsynced_from = Some(self.end);
        Ok(())
    }

    /// Forgets the segments before a position, but never the last one; their files are to be removed.
    pub(crate) fn forget_before(&mut self, at: u64) -> Vec<Arc<Segment>> {
        self.list.forget_before(at)
    }

    /// As [`ConsumeQueue::take_unsynced`](super::consume_queue::ConsumeQueue::take_unsynced).
    pub(crate) fn take_unsynced(&mut self, names: &mut BTreeSet<PathBuf>) -> Vec<Arc<Segment>> {
        names.extend(self.list.take_changed_dirs(QUEUE_DEPTH));
        let Some(from) = self.unsynced_from.take() else { return Vec::new() };
        self.units().covering(from, u64::MAX).map(Arc::clone).collect()
    }
}
