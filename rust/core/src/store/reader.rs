//! What a read reads from: the files as they were when its plan was made, up to what was visible then.
//!
//! It waits for the disk or does not, as its plan is run. What it reads of a record is checked to be one.

use bytes::Bytes;

use super::{
    error::StoreError,
    queue_entry::{ENTRY_SIZE, QueueEntry, QueueView, Slot},
    segment::Wait,
    segments::Segments,
};
use crate::record::{self, Decoded, MAGIC_V1, MAGIC_V2, sys_flag};

/// Why a read has no result.
#[derive(Debug)]
pub(super) enum Stop {
    WouldBlock,
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Bytes of a record that hold everything before its body, whatever its hosts are.
const HEAD_LEN: usize = 76;
/// The smallest size that a record's first word can hold without being nonsense.
const MIN_RECORD: u64 = 91;

/// The files of a plan, and whether they may be waited for.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    log: &'a Segments,
    log_end: u64,
    wait: Wait,
}

impl<'a> Reader<'a> {
    pub(super) fn new(log: &'a Segments, log_end: u64, wait: Wait) -> Self {
        Self { log, log_end, wait }
    }

    /// The first position the log still has.
    pub(super) fn log_start(&self) -> u64 {
        self.log.start().unwrap_or(0)
    }

    /// The end of what was visible.
    pub(super) fn log_end(&self) -> u64 {
        self.log_end
    }

    /// Whether the disk may be waited for.
    pub(super) fn wait(&self) -> Wait {
        self.wait
    }

    pub(super) fn log_segments(&self) -> &Segments {
        self.log
    }

    /// Fills `buf` from the log.
    pub(super) fn log(&self, offset: u64, buf: &mut [u8]) -> Result<(), Stop> {
        self.log.read(offset, buf, self.wait)?.ok_or(Stop::WouldBlock)
    }

    /// The entries of a queue from an offset on, at most `count`, not beyond what is visible.
    pub(super) fn slots(&self, queue: &QueueView, from: u64, count: u64) -> Result<Vec<Slot>, Stop> {
        let end = queue.max.min(from.saturating_add(count)).saturating_mul(ENTRY_SIZE);
        let mut at = from.saturating_mul(ENTRY_SIZE);
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(at)).unwrap_or(0)];
        let mut rest = bytes.as_mut_slice();
        while let Some(segment) = queue.segments.find(at).filter(|_| !rest.is_empty()) {
            let room = usize::try_from(segment.end() - at).unwrap_or(usize::MAX);
            let (piece, behind) = rest.split_at_mut(room.min(rest.len()));
            segment.read(at, piece, self.wait)?.ok_or(Stop::WouldBlock)?;
            at = at.saturating_add(piece.len() as u64);
            rest = behind;
        }
        Ok(bytes.as_chunks().0.iter().map(Slot::decode).collect())
    }

    /// The store time of the message that an entry points to; `None` when the log no longer has it.
    pub(super) fn store_timestamp(&self, entry: &QueueEntry) -> Result<Option<i64>, Stop> {
        if entry.physical < self.log_start() {
            return Ok(None);
        }
        let head = self.head(entry)?;
        let at = if word(&head, 36) as i32 & sys_flag::BORN_HOST_V6 == 0 { 56 } else { 68 };
        Ok(Some(long(&head, at)))
    }

    /// The first bytes of the message that an entry points to, which say that it is one of this size.
    pub(super) fn head(&self, entry: &QueueEntry) -> Result<[u8; HEAD_LEN], Stop> {
        let mut head = [0; HEAD_LEN];
        self.log(entry.physical, &mut head)?;
        check_head(self.log, &head, entry)?;
        Ok(head)
    }

    /// The store time of the first record of the log, or −1: there is none, or a file is one blank.
    pub(super) fn earliest_timestamp(&self) -> Result<i64, Stop> {
        let record = self.record(self.log_start() as i64)?;
        Ok(record.map_or(-1, |bytes| match record::decode(&bytes) {
            Ok(Decoded::Message(message)) => message.store_timestamp,
            _ => -1,
        }))
    }

    /// The record that begins at a position, if one does.
    pub(super) fn record(&self, physical_offset: i64) -> Result<Option<Bytes>, Stop> {
        let Ok(offset) = u64::try_from(physical_offset) else { return Ok(None) };
        let left = self.log_end.saturating_sub(offset);
        if left < MIN_RECORD || !self.log.holds(offset, MIN_RECORD) {
            return Ok(None);
        }
        let mut head = [0; HEAD_LEN];
        self.log(offset, &mut head)?;
        let size = u64::from(word(&head, 0));
        let is_record = is_magic(word(&head, 4)) && long(&head, 28) == physical_offset;
        if !is_record || size < MIN_RECORD || size > left || !self.log.holds(offset, size) {
            return Ok(None);
        }
        let mut bytes = vec![0; size as usize];
        self.log(offset, &mut bytes)?;
        let is_whole =
            matches!(record::decode(&bytes), Ok(Decoded::Message(message)) if message.crc_matches());
        Ok(is_whole.then(|| bytes.into()))
    }
}

/// Checks that a record begins where an entry says: the least that tells a message from other bytes.
pub(super) fn check_head(log: &Segments, head: &[u8], entry: &QueueEntry) -> Result<(), StoreError> {
    let damaged = |what, expected, found| {
        let path = log.find(entry.physical).map(|segment| segment.path().to_owned()).unwrap_or_default();
        Err(StoreError::Damaged { path, offset: entry.physical, what, expected, found })
    };
    let (size, magic, physical) = (word(head, 0), word(head, 4), long(head, 28));
    if size != entry.size {
        return damaged("the record size", entry.size.into(), size.into());
    }
    if !is_magic(magic) {
        return damaged("the record magic", MAGIC_V1.into(), magic.into());
    }
    if physical as u64 != entry.physical {
        return damaged("the physical offset", entry.physical as i64, physical);
    }
    Ok(())
}

fn is_magic(word: u32) -> bool {
    word == MAGIC_V1 || word == MAGIC_V2
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_be_bytes(*word))
}

fn long(bytes: &[u8], at: usize) -> i64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |long| i64::from_be_bytes(*long))
}
