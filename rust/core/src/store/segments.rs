//! Segments in a row, as readers keep them: one stretch of logical positions without gaps, which stays whole whatever happens
//! to the list that it was taken from.
//!
//! Positions map to files by division, so all have the same length.

use std::{path::PathBuf, sync::Arc};

use super::{
    error::StoreError,
    fs::{self, FileSystem},
    places::Places,
    segment::{Segment, Wait},
    segment_row::{Name, Row, names_in},
};

/// The segments of a directory, in order and without gaps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments(Arc<Vec<Arc<Segment>>>);

impl Segments {
    /// One segment alone.
    pub(crate) fn only(segment: &Arc<Segment>) -> Self {
        Self(Arc::new(vec![Arc::clone(segment)]))
    }

    /// The segment that holds a logical position.
    pub(crate) fn find(&self, offset: u64) -> Option<&Arc<Segment>> {
        let first = self.0.first()?;
        let distance = offset.checked_sub(first.base())?;
        let index = distance.checked_div(first.end() - first.base())?;
        self.0.get(usize::try_from(index).ok()?)
    }

    /// The first position, if there is any segment.
    pub(crate) fn start(&self) -> Option<u64> {
        self.0.first().map(|segment| segment.base())
    }

    /// The last one, if there is any.
    pub(crate) fn last(&self) -> Option<&Arc<Segment>> {
        self.0.last()
    }

    /// For the writer, to change: whoever has a copy keeps what it has.
    pub(super) fn make_mut(&mut self) -> &mut Vec<Arc<Segment>> {
        Arc::make_mut(&mut self.0)
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Arc<Segment>> {
        self.0.iter()
    }

    /// Those that hold a part of `[from, to)`.
    pub(crate) fn covering(&self, from: u64, to: u64) -> impl Iterator<Item = &Arc<Segment>> {
        self.0.iter().filter(move |segment| segment.base() < to && segment.end() > from)
    }

    /// Fills `buf` from one segment. `None`: it would have to wait. A range that no single segment holds is an
    /// error of whatever pointed there: the caller checks before.
    pub(crate) fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> Result<Option<()>, StoreError> {
        let end = offset.saturating_add(buf.len() as u64);
        match self.find(offset).filter(|segment| end <= segment.end()) {
            Some(segment) => segment.read(offset, buf, wait),
            None => Err(StoreError::Damaged {
                path: self.last().map_or_else(PathBuf::new, |last| last.path().to_owned()),
                offset,
                what: "the end of what is read",
                expected: self.last().map_or(0, |last| last.end()) as i64,
                found: end as i64,
            }),
        }
    }

    /// Whether one segment holds all of `[offset, offset + len)`.
    pub(crate) fn holds(&self, offset: u64, len: u64) -> bool {
        self.find(offset).is_some_and(|segment| len <= segment.end() - offset)
    }

    /// Opens what is there to be read only, with the strays that a `SegmentList` would have; the first file says how long
    /// all have to be.
    pub(crate) fn read_only(
        fs: &dyn FileSystem,
        places: &Places,
    ) -> Result<(Self, Vec<Arc<Segment>>), StoreError> {
        let mut row = Row::default();
        for Name { base, len, dir } in names_in(fs, places)? {
            let segment = Segment::open_read_only(fs, dir, base)?;
            let expected = row.segment_size().filter(|_| len > 0).unwrap_or(len);
            if len != expected {
                return Err(StoreError::SegmentLength {
                    path: segment.path().to_owned(),
                    expected,
                    found: len,
                });
            }
            row.add(segment, expected)?;
        }
        Ok((row.segments.into(), row.strays))
    }

    /// How many bytes of `[offset, end of the segments)` lie before the last one that is not zero.
    pub(crate) fn data_behind(&self, offset: u64) -> Result<u64, StoreError> {
        let mut end = offset;
        for segment in self.covering(offset, u64::MAX) {
            let from = offset.max(segment.base());
            let within = from - segment.base();
            let found = fs::end_of_data(&**segment.file(), within, segment.end() - segment.base())
                .map_err(StoreError::io("read", segment.path()))?;
            if found > within {
                end = segment.base().saturating_add(found);
            }
        }
        Ok(end - offset)
    }
}

impl From<Vec<Arc<Segment>>> for Segments {
    fn from(in_order: Vec<Arc<Segment>>) -> Self {
        Self(Arc::new(in_order))
    }
}
