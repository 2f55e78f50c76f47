//! Going through the log record by record, believing nothing.
//!
//! A record counts if it lies within its segment, decodes to exactly its size, has the checksum of its body, and
//! says itself that it begins where it was found. The last is what tells a record from the bytes of an older one
//! (Apache does not check it, and can bring stale records back to life: store.md 13.3).

use super::{error::StoreError, segment::Wait, segment_list::Segments};
use crate::record::{self, BLANK_LEN, Decoded, MAGIC_BLANK, Message, RecordError, sys_flag};

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

/// A walk through the log.
#[derive(Debug)]
pub(super) struct LogScan {
    segments: Segments,
    at: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl LogScan {
    /// Begins at a position where a record, a blank or nothing begins.
    pub(super) fn new(segments: Segments, at: u64) -> Self {
        Self { segments, at, window: Vec::new(), window_at: at }
    }

    /// Behind the last record returned, and the blank behind it: the end of the log once [`Self::next`] is `None`.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// The next whole record; `None` where there is none.
    pub(super) fn next(&mut self) -> Result<Option<Scanned<'_>>, StoreError> {
        let Some(size) = self.find_record()? else { return Ok(None) };
        let at = self.at;
        if !self.fill(size)? {
            return Ok(None);
        }
        let start = (at - self.window_at) as usize;
        let found =
            self.window.get(start..start.saturating_add(size as usize)).and_then(|bytes| whole(bytes, at));
        if found.is_some() {
            self.at = at.saturating_add(size);
        }
        Ok(found)
    }

    /// Moves over blanks; the size that the record behind them claims, if it can be one.
    fn find_record(&mut self) -> Result<Option<u64>, StoreError> {
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
            } else {
                return Ok((MIN_RECORD..=left).contains(&size).then_some(size));
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
    buffer.resize(size as usize, 0);
    segments.read(at, buffer, Wait::Yes)?;
    Ok(match whole(buffer, at) {
        Some(Scanned::Message(message)) => Some(message),
        Some(Scanned::Unreadable) | None => None,
    })
}

/// The record that all of `bytes` is, if it is one that belongs at `at`.
fn whole(bytes: &[u8], at: u64) -> Option<Scanned<'_>> {
    match record::decode(bytes) {
        Ok(Decoded::Message(message)) => {
            let belongs = u64::try_from(message.physical_offset) == Ok(at) && message.queue_offset >= 0;
            (belongs && is_written(&message) && message.crc_matches()).then_some(Scanned::Message(message))
        }
        Err(RecordError::NotUtf8 { .. }) => is_unreadable_at(bytes, at).then_some(Scanned::Unreadable),
        _ => None,
    }
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
