//! The bytes of an index file, Apache's.
//!
//! ```text
//! header    0 beginTimestamp | 8 endTimestamp | 16 beginPhyOffset | 24 endPhyOffset      each an i64, big-endian
//!          32 hashSlotCount (slots in use) | 36 indexCount (number of the next entry)    each an i32
//! slots    40 + slot × 4             number of the newest entry of the slot, 0 for none
//! entries  40 + slots × 4 + n × 20   0 key hash | 4 physical offset | 12 seconds | 16 entry before it in the slot
//! ```
//!
//! Entries are numbered from 1, so the room of entry 0 stays empty. An entry's seconds count from the file's
//! `beginTimestamp`; those of the first entry from the end of the file before, since its own is not set by then.

use crate::filter::tags::java_hash;

pub(super) const HEADER_LEN: usize = 40;
pub(super) const SLOT_LEN: u64 = 4;
pub(super) const ENTRY_LEN: usize = 20;

/// How large the index files of a store are. Has to be what it was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexShape {
    /// Apache's `maxHashSlotNum`.
    pub slots: u32,
    /// Apache's `maxIndexNum`: the count of a full file, which has room for one entry less.
    pub entries: u32,
}

impl Default for IndexShape {
    /// Apache's defaults.
    fn default() -> Self {
        Self { slots: 5_000_000, entries: 20_000_000 }
    }
}

impl IndexShape {
    /// The shape of files of that length; Apache's default is four entries to a slot, which others keep to as well.
    pub(crate) fn of_file(len: u64) -> Option<Self> {
        const ENTRIES_PER_SLOT: u32 = 4;
        let bytes_per_slot = SLOT_LEN + u64::from(ENTRIES_PER_SLOT) * ENTRY_LEN as u64;
        let slots = u32::try_from(len.checked_sub(HEADER_LEN as u64)?.checked_div(bytes_per_slot)?).ok()?;
        let shape = Self { slots, entries: slots.checked_mul(ENTRIES_PER_SLOT)? };
        (slots > 0 && shape.file_len() == len).then_some(shape)
    }

    pub(super) fn file_len(self) -> u64 {
        self.entry_at(self.entries)
    }

    pub(super) fn slot_of(self, hash: u32) -> u32 {
        hash.checked_rem(self.slots).unwrap_or(0)
    }

    pub(super) fn slot_at(slot: u32) -> u64 {
        HEADER_LEN as u64 + u64::from(slot) * SLOT_LEN
    }

    pub(super) fn entry_at(self, number: u32) -> u64 {
        Self::slot_at(self.slots) + u64::from(number) * ENTRY_LEN as u64
    }
}

/// What the index knows a key by.
pub(super) fn key_hash(key: &str) -> u32 {
    absolute(java_hash(key))
}

/// Java's `Math.abs` of a hash, and 0 for the one that has no absolute value.
pub(super) fn absolute(hash: i32) -> u32 {
    hash.checked_abs().unwrap_or(0).unsigned_abs()
}

/// The first 40 bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) begin_timestamp: i64,
    pub(super) end_timestamp: i64,
    pub(super) begin_physical: i64,
    pub(super) end_physical: i64,
    pub(super) used_slots: u32,
    /// The number of the next entry.
    pub(super) next: u32,
}

impl Header {
    /// Of a file that follows another one, or none. Apache has it begin and end where that one ends.
    pub(super) fn after(previous: Option<&Self>) -> Self {
        let (timestamp, physical) =
            previous.map_or((0, 0), |header| (header.end_timestamp, header.end_physical));
        Self {
            begin_timestamp: timestamp,
            end_timestamp: timestamp,
            begin_physical: physical,
            end_physical: physical,
            used_slots: 0,
            next: 1,
        }
    }

    pub(super) fn has_entries(&self) -> bool {
        self.next > 1
    }

    /// Whether a file of a shape can have it. No entry takes more than one slot into use; Apache counts the slot first, so a
    /// kill may leave one more than there are entries.
    pub(super) fn is_sane(&self, shape: IndexShape) -> bool {
        self.next <= shape.entries && self.used_slots <= self.next && self.end_physical >= 0
    }

    /// What an entry says of its message's store time.
    pub(super) fn seconds(&self, timestamp: i64) -> i32 {
        if self.begin_timestamp <= 0 {
            return 0;
        }
        let seconds = timestamp.saturating_sub(self.begin_timestamp) / 1000;
        seconds.clamp(0, i32::MAX.into()) as i32
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let longs = [self.begin_timestamp, self.end_timestamp, self.begin_physical, self.end_physical];
        let mut bytes: Vec<u8> = longs.iter().flat_map(|long| long.to_be_bytes()).collect();
        bytes.extend([self.used_slots, self.next].iter().flat_map(|word| word.to_be_bytes()));
        bytes
    }

    /// A file that was just made has zeros for a header, and Apache starts counting at 1 there.
    pub(super) fn decode(bytes: &[u8; HEADER_LEN]) -> Self {
        let mut longs = bytes.as_chunks::<8>().0.iter().map(|long| i64::from_be_bytes(*long));
        let mut next = || longs.next().unwrap_or(0);
        let (begin_timestamp, end_timestamp, begin_physical, end_physical) = (next(), next(), next(), next());
        let counts = next() as u64;
        Self {
            begin_timestamp,
            end_timestamp,
            begin_physical,
            end_physical,
            used_slots: (counts >> 32) as u32,
            next: (counts as u32).max(1),
        }
    }
}

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexEntry {
    pub(super) hash: u32,
    pub(super) physical: i64,
    pub(super) seconds: i32,
    /// The entry before it in the slot, 0 for none.
    pub(super) previous: u32,
}

impl IndexEntry {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hash.to_be_bytes());
        out.extend_from_slice(&self.physical.to_be_bytes());
        out.extend_from_slice(&self.seconds.to_be_bytes());
        out.extend_from_slice(&self.previous.to_be_bytes());
    }

    pub(super) fn decode(bytes: &[u8; ENTRY_LEN]) -> Self {
        let [h0, h1, h2, h3, p0, p1, p2, p3, p4, p5, p6, p7, s0, s1, s2, s3, e @ ..] = *bytes;
        Self {
            hash: u32::from_be_bytes([h0, h1, h2, h3]),
            physical: i64::from_be_bytes([p0, p1, p2, p3, p4, p5, p6, p7]),
            seconds: i32::from_be_bytes([s0, s1, s2, s3]),
            previous: u32::from_be_bytes(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_places_are_those_of_the_format() {
        let shape = IndexShape::default();
        assert_eq!(shape.file_len(), 420_000_040);
        assert_eq!(IndexShape::slot_at(1_969_516), 40 + 1_969_516 * 4);
        assert_eq!(shape.entry_at(1), 40 + 20_000_000 + 20);
        assert_eq!(IndexShape { slots: 100, entries: 400 }.file_len(), 8_440);
    }

    #[test]
    fn hashes_are_javas_absolute_ones() {
        assert_eq!(key_hash("TopicTest#KEY1"), 1_656_969_516);
        assert_eq!(IndexShape::default().slot_of(1_656_969_516), 1_969_516);
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
        assert_eq!(key_hash("polygenelubricants"), 0);
    }

    #[test]
    fn headers_and_entries_come_back() {
        let header = Header {
            begin_timestamp: 1,
            end_timestamp: 2,
            begin_physical: 3,
            end_physical: 4,
            used_slots: 5,
            next: 6,
        };
        let bytes: [u8; HEADER_LEN] = header.encode().try_into().unwrap();
        assert_eq!(Header::decode(&bytes), header);
        assert_eq!(Header::decode(&[0; HEADER_LEN]), Header::after(None));
        let entry = IndexEntry { hash: 7, physical: 8, seconds: 9, previous: 10 };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        assert_eq!(IndexEntry::decode(&bytes.try_into().unwrap()), entry);
    }

    #[test]
    fn seconds_are_clamped_and_zero_until_the_file_has_a_beginning() {
        let header = Header { begin_timestamp: 10_000, ..Header::after(None) };
        assert_eq!(header.seconds(12_999), 2);
        assert_eq!(header.seconds(5_000), 0);
        assert_eq!(header.seconds(i64::MAX), i32::MAX);
        assert_eq!(Header::after(None).seconds(12_999), 0);
    }
}
