//! What lies behind the last whole record of a log: nothing, a torn tail that a start cuts off, or damage, with which it
//! refuses to start.
//!
//! It is damage if it had been durable. That is so up to where the marks say; without them, where a file behind a gap has
//! its length; and where a whole record follows that is older than what the checkpoint knows to be durable. (As old would
//! not do: not all records of that millisecond need to be.)

use std::sync::Arc;

use super::{
    checkpoint::Checkpoint,
    error::StoreError,
    log_scan::{Flaw, LogScan, Scanned},
    marks::Marks,
    segment::Segment,
    segments::Segments,
};

/// A log from the end of its whole records on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail<'a> {
    segments: &'a Segments,
    strays: &'a [Arc<Segment>],
    end: u64,
}

impl<'a> Tail<'a> {
    /// What is behind `end`, with files that no longer belong to the row (see `segment_list`).
    pub(super) fn new(segments: &'a Segments, strays: &'a [Arc<Segment>], end: u64) -> Self {
        Self { segments, strays, end }
    }

    /// Whether it is damage.
    pub(super) fn is_damage(
        &self,
        marks: Option<Marks>,
        checkpoint: Option<Checkpoint>,
    ) -> Result<bool, StoreError> {
        let durable = marks.map_or(0, |marks| marks.durable);
        let timestamp = checkpoint.map_or(0, |checkpoint| checkpoint.physic_timestamp);
        Ok(self.end < durable
            || (marks.is_none() && self.behind_gap().is_some())
            || self.is_older_behind(timestamp)?)
    }

    /// Where it begins, and what is wrong there, if a scan did not say so.
    pub(super) fn flaw(&self, found: Option<Flaw>, marks: Option<Marks>) -> (Option<&'a Arc<Segment>>, Flaw) {
        let gap = self.behind_gap();
        let missing = gap.map(|stray| Flaw {
            what: "the position in the file name",
            expected: self.segments.iter().last().map_or(0, |last| last.end()) as i64,
            found: stray.base() as i64,
        });
        let end = Flaw {
            what: "the end of the durable log",
            expected: marks.map_or(0, |marks| marks.durable) as i64,
            found: self.end as i64,
        };
        (self.segments.find(self.end).or(gap), found.or(missing).unwrap_or(end))
    }

    /// How many bytes there are up to the last one of each file that is not zero.
    pub(super) fn data(&self) -> Result<u64, StoreError> {
        let mut bytes = self.segments.data_behind(self.end)?;
        for stray in self.strays {
            bytes = bytes.saturating_add(Segments::only(stray).data_behind(stray.base())?);
        }
        Ok(bytes)
    }

    /// Walks over each of its parts.
    pub(super) fn scans(&self) -> Vec<LogScan> {
        let strays = self.strays.iter().map(|stray| LogScan::new(Segments::only(stray), stray.base()));
        std::iter::once(LogScan::new(self.segments.clone(), self.end)).chain(strays).collect()
    }

    fn behind_gap(&self) -> Option<&'a Arc<Segment>> {
        self.strays.iter().find(|stray| stray.end() > stray.base())
    }

    /// Whether the next whole record, or the first of a file behind a gap, is older than a time.
    fn is_older_behind(&self, timestamp: i64) -> Result<bool, StoreError> {
        let mut scans = self.scans().into_iter();
        if let Some(mut behind) = scans.next()
            && behind.resync()?
            && is_next_older(behind, timestamp)?
        {
            return Ok(true);
        }
        for scan in scans {
            if is_next_older(scan, timestamp)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn is_next_older(mut scan: LogScan, timestamp: i64) -> Result<bool, StoreError> {
    Ok(matches!(scan.next()?, Some(Scanned::Message(message)) if message.store_timestamp < timestamp))
}
