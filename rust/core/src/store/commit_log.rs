//! The log: every message of every topic, one record after the other. The single source of truth.
//!
//! A *run* is what was appended since the last write. Records are encoded straight into the run's buffer; writing the
//! run takes one write a segment. Until then they exist nowhere else, and a run that cannot be written is forgotten
//! as a whole.
//!
//! Rules:
//! - A record lies within one segment, with at least [`BLANK_LEN`] bytes left behind it. What does
//!   not fit where the log ends goes to the next segment behind a blank record that covers the rest of this one.
//! - What fits no segment at all is refused before anything is blanked. (Apache 5.5.0 blanks two segments, stores
//!   nothing and answers success.)
//! - Behind the end of the log its segments read as zeros: bytes of a failed write must not come back as messages
//!   after a crash. If they cannot be zeroed at once, the next write starts with that.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use super::{
    error::StoreError, fs::FileSystem, places::Places, segment::Segment, segment_list::SegmentList,
    segments::Segments,
};
use crate::record::{BLANK_LEN, NewRecord, Stamp, encode_blank};

/// What a run's buffer keeps allocated between runs.
const KEPT_BUFFER: usize = 1024 * 1024;

/// How far ahead of the log zeros are written.
const AHEAD: u64 = 256 * 1024;
/// Runs larger than this need new blocks so often that writing them twice costs more than it saves. Zeros are written again
/// when less than this is left of them.
const SMALL_RUN: u64 = 16 * 1024;

/// The writer of the log.
#[derive(Debug)]
pub(crate) struct CommitLog {
    list: SegmentList,
    // Up to where zeros were written ahead.
    ahead: u64,
    // Where the written bytes end; the run begins here.
    written: u64,
    // Where bytes of failed writes may still lie, if behind `written`.
    suspect: u64,
    run: Run,
}

#[derive(Debug, Default)]
struct Run {
    bytes: Vec<u8>,
    // One for each segment the run touches, in order. The bytes of a piece reach to the start of the next.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    offset: u64,
    start: usize,
}

/// How far a run had grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunMark {
    bytes: usize,
    pieces: usize,
}

impl CommitLog {
    /// Opens a log's directories; where the log ends is for recovery to say.
    pub(crate) fn open(
        fs: Arc<dyn FileSystem>,
        places: Places,
        segment_size: u64,
    ) -> Result<Self, StoreError> {
        let list = SegmentList::open(fs, places, segment_size)?;
        let start = list.segments().start().unwrap_or(0);
        Ok(Self { list, ahead: start, written: start, suspect: start, run: Run::default() })
    }

    pub(crate) fn segments(&self) -> &Segments {
        self.list.segments()
    }

    /// Its directories.
    pub(crate) fn places(&self) -> &Places {
        self.list.places()
    }

    /// Which of its directories take no new files as long as there is another one.
    pub(crate) fn set_full(&mut self, full: Vec<PathBuf>) {
        self.list.set_full(full);
    }

    /// The first position the log still has.
    pub(crate) fn start(&self) -> u64 {
        self.list.segments().start().unwrap_or(0)
    }

    /// The end of what is written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The end of the run: where the next record goes, unless a segment ends before.
    fn end(&self) -> u64 {
        match self.run.pieces.last() {
            Some(last) => last.offset.saturating_add((self.run.bytes.len() - last.start) as u64),
            None => self.written,
        }
    }

    /// Whether a run waits to be written.
    pub(crate) fn has_run(&self) -> bool {
        !self.run.pieces.is_empty()
    }

    /// Adds a record to the run; its position and size. On failure the run is as it was.
    pub(crate) fn append(
        &mut self,
        record: &NewRecord<'_>,
        queue_offset: i64,
        store_timestamp: i64,
    ) -> Result<(u64, u32), StoreError> {
        let mark = self.mark();
        let physical = self.place(record.encoded_len()? as u64)?;
        let stamp = Stamp { queue_offset, physical_offset: physical as i64, store_timestamp };
        match record.encode(&stamp, &mut self.run.bytes) {
            Ok(size) => Ok((physical, size as u32)),
            Err(error) => {
                self.back_to(mark);
                Err(error.into())
            }
        }
    }

    /// How far the run has grown.
    pub(crate) fn mark(&self) -> RunMark {
        RunMark { bytes: self.run.bytes.len(), pieces: self.run.pieces.len() }
    }

    /// Takes back what was appended since. The run must not have been written meanwhile.
    pub(crate) fn back_to(&mut self, mark: RunMark) {
        self.run.bytes.truncate(mark.bytes);
        self.run.pieces.truncate(mark.pieces);
    }

    /// Makes room for `len` bytes in a row and returns their position.
    fn place(&mut self, len: u64) -> Result<u64, StoreError> {
        let segment_size = self.list.segment_size();
        let limit = segment_size.saturating_sub(BLANK_LEN as u64);
        if len > limit {
            return Err(StoreError::RecordTooLarge { size: len, limit });
        }
        let end = self.end();
        let left = self.list.base_of(end).saturating_add(segment_size) - end;
        if self.run.pieces.is_empty() {
            self.run.pieces.push(Piece { offset: end, start: self.run.bytes.len() });
        }
        if len.saturating_add(BLANK_LEN as u64) <= left {
            return Ok(end);
        }
        encode_blank(u32::try_from(left).unwrap_or(u32::MAX), &mut self.run.bytes);
        let offset = end.saturating_add(left);
        self.run.pieces.push(Piece { offset, start: self.run.bytes.len() });
        Ok(offset)
    }

    /// Writes the run. On failure the log ends where it did before.
    pub(crate) fn write_run(&mut self) -> Result<(), StoreError> {
        if self.run.pieces.is_empty() {
            return Ok(());
        }
        let end = self.end();
        let result = self.clear_suspect().and_then(|()| self.write_pieces());
        self.suspect = self.suspect.max(end);
        if result.is_ok() {
            self.written = end;
        } else {
            // Tried again before the next write if it does not work now.
            let _ = self.clear_suspect();
        }
        self.forget_run();
        result
    }

    /// Sees to it that small runs find blocks that have been written before, after a run of so many bytes. Syncing such blocks
    /// writes them; syncing one that is new to the file writes the file system's journal too, and waits for both.
    ///
    /// What is written is what the file reads as anyway, so that it does no harm if it fails.
    pub(crate) fn write_ahead(&mut self, run: u64) {
        let (from, ready) = (self.ahead.max(self.written), self.written.saturating_add(SMALL_RUN));
        let Some(segment) = self.list.segments().find(self.written) else { return };
        let end = self.written.saturating_add(AHEAD).min(segment.end());
        if run > SMALL_RUN || ready <= self.ahead || end <= from {
            return;
        }
        // One that failed is not tried again: nothing depends on it, and the disk may be full.
        let _ = segment.write(from, &vec![0; (end - from) as usize]);
        self.ahead = end;
    }

    /// Lets the log begin later: forgets the segments that end at or before a position; their files are to be
    /// removed.
    pub(crate) fn forget_before(&mut self, offset: u64) -> Vec<Arc<Segment>> {
        self.list.forget_before(offset)
    }

    /// Cuts the log at `end`: what is behind it is gone, files and all.
    pub(crate) fn cut(&mut self, end: u64) -> Result<(), StoreError> {
        self.forget_run();
        self.list.cut(end)?;
        self.written = end;
        self.suspect = end;
        self.ahead = end;
        Ok(())
    }

    /// Files behind a gap: see [`SegmentList`].
    pub(crate) fn strays(&self) -> &[Arc<Segment>] {
        self.list.strays()
    }

    /// How many bytes behind `end` are, or come before, something other than zeros.
    pub(crate) fn data_behind(&self, end: u64) -> Result<u64, StoreError> {
        self.list.data_behind(end)
    }

    /// Whether names have to be synced.
    pub(crate) fn has_changed_dirs(&self) -> bool {
        self.list.has_changed_dirs()
    }

    /// Directories whose names have to be synced: its own, and those above them.
    pub(crate) fn take_changed_dirs(&mut self) -> BTreeSet<PathBuf> {
        self.list.take_changed_dirs(1)
    }

    /// Makes the directories' names durable, if they changed.
    pub(crate) fn sync_names(&mut self) -> Result<(), StoreError> {
        self.list.sync_names()
    }

    fn write_pieces(&mut self) -> Result<(), StoreError> {
        let run = &self.run;
        let ends = run.pieces.iter().skip(1).map(|piece| piece.start).chain([run.bytes.len()]);
        for (piece, end) in run.pieces.iter().zip(ends) {
            self.list.write(piece.offset, run.bytes.get(piece.start..end).unwrap_or_default())?;
        }
        Ok(())
    }

    fn clear_suspect(&mut self) -> Result<(), StoreError> {
        if self.suspect > self.written {
            self.list.zero(self.written, self.suspect)?;
            self.suspect = self.written;
        }
        Ok(())
    }

    /// Throws the run away.
    pub(crate) fn forget_run(&mut self) {
        self.run.pieces.clear();
        self.run.bytes.clear();
        self.run.bytes.shrink_to(KEPT_BUFFER);
    }
}
