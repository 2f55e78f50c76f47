//! Going through the log record by record, believing nothing.
//!
//! A record counts if it lies within its segment, decodes to exactly its size, has the checksum of its body, and
//! says itself that it begins where it was found. The last is what tells a record from the bytes of an older one
//! (Apache does not check it, and can bring stale records back to life: store.md 13.3).
//!
//! Where a record does not count, the scan ends, and [`LogScan::flaw`] says why.

use super::{error::StoreError, segment::Wait, segments::Segments};
use crate::record::{
    self, BLANK_LEN, Decoded, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, Message, RecordError, sys_flag,
};

/// Bytes read at a time.
const WINDOW: u64 = 1024 * 1024;
/// The smallest record there is.
const MIN_RECORD: u64 = 91;

/// A record found by a scan.
#[derive(Debug)]
pub(super) enum Scanned<'a> {
    /// A whole message.
    Message(Message<'a>),
    /// A whole record with a text that is not UTF-8: it is passed over and cannot be delivered.
    Unreadable,
}

/// Why what lies at a place of the log is no whole record: the first thing about it that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) what: &'static str,
    pub(super) expected: i64,
    pub(super) found: i64,
}

impl Flaw {
    fn new(what: &'static str, expected: impl Into<i64>, found: impl Into<i64>) -> Self {
        Self { what, expected: expected.into(), found: found.into() }
    }
}

/// A walk through the log.
#[derive(Debug)]
pub(super) struct LogScan {
    segments: Segments,
    at: u64,
    window: Vec<u8>,
    window_at: u64,
    flaw: Option<Flaw>,
}

impl LogScan {
    /// Begins at a position where a record, a blank or nothing begins.
    pub(super) fn new(segments: Segments, at: u64) -> Self {
        Self { segments, at, window: Vec::new(), window_at: at, flaw: None }
    }

    /// Behind the last record returned, and the blank behind it: the end of the log once [`Self::next`] is `None`.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// What is wrong with what lies at the position, once [`Self::next`] is `None`; nothing where the files end.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// The next whole record; `None` where there is none.
    pub(super) fn next(&mut self) -> Result<Option<Scanned<'_>>, StoreError> {
        let Some(size) = self.find_record()? else { return Ok(None) };
        let at = self.at;
        if !self.fill(size)? {
            return Ok(None);
        }
        let start = (at - self.window_at) as usize;
        let bytes = self.window.get(start..start.saturating_add(size as usize)).unwrap_or_default();
        match whole(bytes, at) {
            Ok(found) => {
                self.at = at.saturating_add(size);
                Ok(Some(found))
            }
            Err(flaw) => {
                self.flaw = Some(flaw);
                Ok(None)
            }
        }
    }

    /// Goes on at the next place behind the position where a whole record begins. False if there is none.
    ///
    /// Looks at every byte, so it is for logs that are damaged.
    pub(super) fn resync(&mut self) -> Result<bool, StoreError> {
        let from = self.at;
        let mut at = from.saturating_add(1);
        while let Some(found) = self.next_magic(at)? {
            self.at = found;
            if self.next()?.is_some() {
                self.at = found;
                self.flaw = None;
                return Ok(true);
            }
            at = found.saturating_add(1);
        }
        self.at = from;
        Ok(false)
    }

    /// The next position at or behind `at` that has a record's magic in its place.
    fn next_magic(&mut self, at: u64) -> Result<Option<u64>, StoreError> {
        let mut at = at;
        while let Some(segment) = self.segments.find(at) {
            let (end, data) = (segment.end(), segment.next_data(at)?);
            let Some(data) = data.filter(|data| data.saturating_add(MIN_RECORD) <= end) else {
                at = end;
                continue;
            };
            self.at = data;
            self.fill(MIN_RECORD)?;
            let start = (data - self.window_at) as usize;
            let window = self.window.get(start..).unwrap_or_default();
            let magics = window.windows(8).position(|bytes| {
                let magic = bytes.last_chunk().map(|magic| u32::from_be_bytes(*magic));
                magic == Some(MAGIC_V1) || magic == Some(MAGIC_V2)
            });
            match magics {
                Some(distance) => return Ok(Some(data.saturating_add(distance as u64))),
                // A magic may lie across the window's end.
                None => at = data.saturating_add((window.len() as u64).saturating_sub(7).max(1)),
            }
        }
        Ok(None)
    }

    /// Moves over blanks; the size that the record behind them claims, if it can be one.
    fn find_record(&mut self) -> Result<Option<u64>, StoreError> {
        self.flaw = None;
        loop {
            let Some(segment) = self.segments.find(self.at) else { return Ok(None) };
            let (end, left) = (segment.end(), segment.end() - self.at);
            if !self.fill(BLANK_LEN as u64)? {
                return Ok(None);
            }
            let start = (self.at - self.window_at) as usize;
            let head = self.window.get(start..).and_then(|bytes| bytes.first_chunk::<BLANK_LEN>());
            let head = head.map_or(0, |head| u64::from_be_bytes(*head));
            let (size, magic) = (head >> 32, head as u32);
            if magic == MAGIC_BLANK && size == left {
                self.at = end;
            } else if (MIN_RECORD..=left).contains(&size) {
                return Ok(Some(size));
            } else {
                let (what, limit) = if size < MIN_RECORD {
                    ("the least size of a record", MIN_RECORD)
                } else {
                    ("the most size of a record", left)
                };
                self.flaw = Some(Flaw::new(what, limit as i64, size as i64));
                return Ok(None);
            }
        }
    }

    /// Has `len` bytes from the position on in the window; false where the segment ends before.
    fn fill(&mut self, len: u64) -> Result<bool, StoreError> {
        let window_end = self.window_at.saturating_add(self.window.len() as u64);
        if self.at >= self.window_at && self.at.saturating_add(len) <= window_end {
            return Ok(true);
        }
        let Some(segment) = self.segments.find(self.at) else { return Ok(false) };
        let left = segment.end() - self.at;
        if len > left {
            return Ok(false);
        }
        self.window.resize(len.max(WINDOW.min(left)) as usize, 0);
        self.window_at = self.at;
        segment.read(self.at, &mut self.window, Wait::Yes)?;
        Ok(true)
    }
}

/// The message at a place of the log, if a whole one of that size begins there.
pub(super) fn read_message<'a>(
    segments: &Segments,
    at: u64,
    size: u32,
    buffer: &'a mut Vec<u8>,
) -> Result<Option<Message<'a>>, StoreError> {
    if u64::from(size) < MIN_RECORD || !segments.holds(at, size.into()) {
        return Ok(None);
    }
    // Whoever asks may have been told any size; a record has the one it says itself.
    let mut first = [0; 4];
    segments.read(at, &mut first, Wait::Yes)?;
    if u32::from_be_bytes(first) != size {
        return Ok(None);
    }
    buffer.resize(size as usize, 0);
    segments.read(at, buffer, Wait::Yes)?;
    Ok(match whole(buffer, at) {
        Ok(Scanned::Message(message)) => Some(message),
        Ok(Scanned::Unreadable) | Err(_) => None,
    })
}

/// The record that all of `bytes` is, if it is one that belongs at `at`.
fn whole(bytes: &[u8], at: u64) -> Result<Scanned<'_>, Flaw> {
    match record::decode(bytes) {
        Ok(Decoded::Message(message)) => match flaw_of(&message, at) {
            None => Ok(Scanned::Message(message)),
            Some(flaw) => Err(flaw),
        },
        Err(RecordError::NotUtf8 { .. }) if is_unreadable_at(bytes, at) => Ok(Scanned::Unreadable),
        Err(RecordError::BadMagic { found }) => Err(Flaw::new("the record magic", MAGIC_V1, found)),
        _ => Err(Flaw::new("the number of whole records", 1, 0)),
    }
}

fn flaw_of(message: &Message<'_>, at: u64) -> Option<Flaw> {
    if message.physical_offset as u64 != at {
        return Some(Flaw::new("the physical offset", at as i64, message.physical_offset));
    }
    if message.queue_offset < 0 {
        return Some(Flaw::new("the least queue offset", 0, message.queue_offset));
    }
    if !message.crc_matches() {
        let computed = crc32fast::hash(message.body) & 0x7fff_ffff;
        return Some(Flaw::new("the checksum of the body", message.body_crc, computed));
    }
    let size = message.fields_len();
    (!is_written(message))
        .then(|| Flaw::new("the sum of the fields' sizes", message.total_size as i64, size as i64))
}

/// Whether all of a message is there. The checksum covers the body only; a page that never reached the disk reads as
/// zeros, which would pass for an empty topic or the end of the properties. No writer of ours ends either with a zero
/// (`NewRecord::encode` refuses that).
fn is_written(message: &Message<'_>) -> bool {
    let ends_in_zero = |text: &str| text.as_bytes().last() == Some(&0);
    !message.topic.is_empty()
        && !ends_in_zero(message.topic)
        && !ends_in_zero(message.properties)
        && message.fields_len() == message.total_size
}

/// Whether these are the head and the body of a record that belongs at `at`, whatever its texts are.
fn is_unreadable_at(bytes: &[u8], at: u64) -> bool {
    let word =
        |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_be_bytes(*word));
    let parts = || {
        let flags = word(36)? as i32;
        let hosts =
            (flags & sys_flag::BORN_HOST_V6).count_ones() + (flags & sys_flag::STORE_HOST_V6).count_ones();
        let body_at = 84 + hosts as usize * 12;
        let body_len = word(body_at)? as usize;
        let body = bytes.get(body_at + 4..)?.get(..body_len)?;
        let physical = u64::from(word(28)?) << 32 | u64::from(word(32)?);
        Some((physical, word(8)?, body))
    };
    parts().is_some_and(|(physical, crc, body)| physical == at && crc == crc32fast::hash(body) & 0x7fff_ffff)
}
