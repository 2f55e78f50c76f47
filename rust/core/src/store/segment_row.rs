//! Which of the files that there are make a row of segments, and which are strays.
//!
//! Files whose names are not multiples of the segment size are refused: nothing could be found in them by its position.
//!
//! A file that is made is durable, by name and length, with the next flush that covers it. If the power goes before, any of
//! those that were made meanwhile may be missing or have no length yet, so there may be *strays*: files behind a gap. They
//! belong to nothing; whether that is all right is for recovery to say.

use std::{path::Path, sync::Arc};

use super::{
    error::StoreError,
    fs::FileSystem,
    places::Places,
    segment::{self, Segment},
};

/// Files of a directory, taken one after the other.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) strays: Vec<Arc<Segment>>,
}

impl Row {
    /// Adds the next file: to the row, or to the strays if it has no length or lies behind a gap.
    pub(super) fn add(&mut self, segment: Segment, size: u64) -> Result<(), StoreError> {
        let is_empty = segment.base() == segment.end();
        if !is_empty {
            // One position in two directories: nobody can say which of them is right.
            let mut others = self.segments.last().into_iter().chain(self.strays.last());
            follows(others.find(|other| other.base() == segment.base()), &segment, size)?;
        }
        let is_next = self.segments.last().is_none_or(|last| last.end() == segment.base());
        let is_in_row = is_next && !is_empty && self.strays.is_empty();
        let list = if is_in_row { &mut self.segments } else { &mut self.strays };
        list.push(Arc::new(segment));
        Ok(())
    }

    /// How long its segments are; none when there is none yet.
    pub(super) fn segment_size(&self) -> Option<u64> {
        self.segments.first().map(|first| first.end() - first.base())
    }
}

/// The file of a segment, as a directory lists it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name<'a> {
    pub(super) base: u64,
    pub(super) len: u64,
    pub(super) dir: &'a Path,
}

/// The files of all directories, in order; none of one that is not there. Directories and names that are no position
/// are passed over.
pub(super) fn names_in<'a>(fs: &dyn FileSystem, places: &'a Places) -> Result<Vec<Name<'a>>, StoreError> {
    let mut found = Vec::new();
    for dir in places.iter() {
        if !fs.exists(dir).map_err(StoreError::io("look for", dir))? {
            continue;
        }
        let entries = fs.list(dir).map_err(StoreError::io("list", dir))?;
        let files = entries.iter().filter(|entry| !entry.is_dir);
        found.extend(
            files.filter_map(|entry| {
                Some(Name { base: segment::parse_name(&entry.name)?, len: entry.len, dir })
            }),
        );
    }
    found.sort_unstable();
    Ok(found)
}

/// A gap between two segments means that one is missing; nothing behind it could be found by its position.
pub(super) fn follows(previous: Option<&Arc<Segment>>, next: &Segment, size: u64) -> Result<(), StoreError> {
    let expected = match previous {
        Some(previous) => previous.end(),
        None => next.base() - next.base().checked_rem(size).unwrap_or(0),
    };
    if next.base() == expected {
        return Ok(());
    }
    Err(StoreError::Damaged {
        path: next.path().to_owned(),
        offset: next.base(),
        what: "the position in the file name",
        expected: expected as i64,
        found: next.base() as i64,
    })
}
