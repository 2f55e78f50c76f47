//! An entry of a consume queue, and what a reader needs of a queue.
//!
//! ```text
//!  0        8          12         20
//!  | physical | size     | tags code |      big-endian; a size of 0 (never written) or less ends the queue
//! ```
//!
//! With extensions (`consume_queue_ext`), the address of a unit is in the place of the tags code.

use super::{error::StoreError, segments::Segments};

/// Bytes of an entry.
pub(crate) const ENTRY_SIZE: u64 = 20;

/// The size that marks a blank entry.
const BLANK_SIZE: i32 = i32::MAX;

/// Tags codes at or below this, which no hash can be, are addresses in extension files. Apache's `MAX_ADDR`.
const MAX_ADDRESS: i64 = i32::MIN as i64 - 1;
/// The last position in extension files that has an address. Apache's `MAX_REAL_OFFSET`.
pub(crate) const MAX_UNIT_POSITION: u64 = MAX_ADDRESS.abs_diff(i64::MIN);

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

    /// Whether the tags code is the address of a unit, and no code.
    pub(crate) fn is_extended(&self) -> bool {
        self.tags_code <= MAX_ADDRESS
    }

    /// Where its unit begins in the extension files, if it has one.
    pub(crate) fn unit_at(&self) -> Option<u64> {
        self.is_extended().then(|| self.tags_code.abs_diff(i64::MIN))
    }

    /// The same entry with the address of a unit, at [`MAX_UNIT_POSITION`] or before, for its tags code.
    pub(crate) fn with_unit_at(&self, position: u64) -> Self {
        Self { tags_code: i64::MIN.saturating_add_unsigned(position), ..*self }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
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
    /// The extension files; none where extensions are off.
    pub(crate) units: Segments,
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

/// Blank entries for offsets that have no message, ahead of the message at a log position.
pub(crate) fn encode_blanks(count: u64, before: u64, out: &mut Vec<u8>) {
    for _ in 0..count {
        encode(before as i64, BLANK_SIZE, 0, out);
    }
}

fn encode(physical: i64, size: i32, tags_code: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&physical.to_be_bytes());
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(&tags_code.to_be_bytes());
}
