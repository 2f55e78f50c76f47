//! The commit log: every record of the broker, one after the other, over fixed-size segments.
//!
//! Rules:
//! - A record never spans segments. One that does not leave room for the eight bytes of a blank is put into the next
//!   segment, and the rest of this one is declared blank (store.md 3.3).
//! - A record that fits no segment is refused before anything is blanked. (Apache blanks a whole segment for it,
//!   stores nothing and answers OK.)
//! - Records are collected in a run; `write_run` writes it with one call a segment. A run that cannot be written
//!   is wiped out, so that it cannot come back after a restart.

use std::{path::PathBuf, sync::Arc};

use super::{
    error::StoreError,
    fs::FileSystem,
    segment_list::{SegmentList, Segments},
};
use crate::record::{BLANK_LEN, NewRecord, Stamp, encode_blank};

/// A stretch of the run that lies in one segment.
#[derive(Debug)]
struct Piece {
    offset: u64,
    bytes: Vec<u8>,
}

/// The writer of the log.
#[derive(Debug)]
pub(crate) struct CommitLog {
    list: SegmentList,
    // The end of what was written; the run comes behind it.
    end: u64,
    run: Vec<Piece>,
    run_end: u64,
    spare: Vec<u8>,
}

/// Buffers of a run are kept for the next one up to this size.
const SPARE_LIMIT: usize = 8 * 1024 * 1024;

impl CommitLog {
    /// Opens the segments; where the log ends is for recovery to find out.
    pub(crate) fn open(fs: Arc<dyn FileSystem>, dir: PathBuf, segment_size: u64) -> Result<Self, StoreError> {
        let list = SegmentList::open(fs, dir, segment_size)?;
        let end = list.segments().start().unwrap_or(0);
        Ok(Self { list, end, run: Vec::new(), run_end: end, spare: Vec::new() })
    }

    /// The first position.
    pub(crate) fn start(&self) -> u64 {
        self.list.segments().start().unwrap_or(0)
    }

    /// The end of what was written.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn segments(&self) -> &Segments {
        self.list.segments()
    }

    pub(crate) fn list_mut(&mut self) -> &mut SegmentList {
        &mut self.list
    }

    /// Whether a run waits to be written.
    pub(crate) fn has_run(&self) -> bool {
        !self.run.is_empty()
    }

    /// Drops everything behind `end`, which is where the log goes on.
    pub(crate) fn cut(&mut self, end: u64) -> Result<(), StoreError> {
        self.list.cut(end)?;
        self.end = end;
        self.run_end = end;
        Ok(())
    }

    /// Adds a record to the run; its place and its size.
    pub(crate) fn append(
        &mut self,
        record: &NewRecord<'_>,
        queue_offset: u64,
        store_timestamp: i64,
    ) -> Result<(u64, u32), StoreError> {
        let size = record.encoded_len()? as u64;
        self.make_room(size)?;
        let offset = self.run_end;
        let stamp =
            Stamp { queue_offset: queue_offset as i64, physical_offset: offset as i64, store_timestamp };
        self.piece().encode_record(record, &stamp)?;
        self.run_end = offset.saturating_add(size);
        Ok((offset, size as u32))
    }

    /// Sees to it that the next `size` bytes and a blank fit into the segment where the run ends.
    fn make_room(&mut self, size: u64) -> Result<(), StoreError> {
        let segment_size = self.list.segment_size();
        let limit = segment_size.saturating_sub(BLANK_LEN as u64);
        if size > limit {
            return Err(StoreError::RecordTooLarge { size, limit });
        }
        let base = self.list.base_of(self.run_end);
        let room = base.saturating_add(segment_size) - self.run_end;
        if size.saturating_add(BLANK_LEN as u64) <= room {
            return Ok(());
        }
        let rest = u32::try_from(room).unwrap_or(u32::MAX);
        encode_blank(rest, &mut self.piece().bytes);
        self.run_end = base.saturating_add(segment_size);
        Ok(())
    }

    /// The piece that the run's end lies in.
    fn piece(&mut self) -> &mut Piece {
        let offset = self.run_end;
        let fits =
            self.run.last().is_some_and(|piece| piece.end() == offset && offset != self.list.base_of(offset));
        if !fits {
            let bytes = std::mem::take(&mut self.spare);
            self.run.push(Piece { offset, bytes });
        }
        let last = self.run.len() - 1;
        &mut self.run[last]
    }

    /// Writes the run; the new end of the log. On failure nothing of the run counts and the log is as before.
    pub(crate) fn write_run(&mut self) -> Result<u64, StoreError> {
        let run = std::mem::take(&mut self.run);
        let written = run.iter().try_for_each(|piece| self.list.write(piece.offset, &piece.bytes));
        let run_end = std::mem::replace(&mut self.run_end, self.end);
        if let Err(error) = written {
            self.list.zero(self.end, run_end)?;
            return Err(error);
        }
        self.end = run_end;
        self.run_end = run_end;
        if let Some(mut piece) = run.into_iter().next().filter(|piece| piece.bytes.capacity() <= SPARE_LIMIT)
        {
            piece.bytes.clear();
            self.spare = piece.bytes;
        }
        Ok(self.end)
    }
}

impl Piece {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.len() as u64)
    }

    fn encode_record(&mut self, record: &NewRecord<'_>, stamp: &Stamp) -> Result<(), StoreError> {
        record.encode(stamp, &mut self.bytes)?;
        Ok(())
    }
}
