//! Segments in a row: one stretch of logical positions without gaps, in one directory or, for the log, in several.
//!
//! Positions map to files by division, so files whose names are not multiples of the configured distance are refused.
//! Readers take a [`Segments`] snapshot, which stays whole whatever happens to the list.
//!
//! A file that is made is durable, by name and length, with the next flush that covers it. If the power goes before, any of
//! those that were made meanwhile may be missing or have no length yet, so there may be *strays*: files behind a gap. They
//! belong to nothing; whether that is all right is for recovery to say, and [`SegmentList::cut`] removes them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::StoreError,
    fs::{self, FileSystem},
    places::Places,
    segment::{self, Segment, Wait},
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
                path: self.0.last().map_or_else(PathBuf::new, |last| last.path().to_owned()),
                offset,
                what: "the end of what is read",
                expected: self.0.last().map_or(0, |last| last.end()) as i64,
                found: end as i64,
            }),
        }
    }

    /// Whether one segment holds all of `[offset, offset + len)`.
    pub(crate) fn holds(&self, offset: u64, len: u64) -> bool {
        self.find(offset).is_some_and(|segment| len <= segment.end() - offset)
    }
}

impl Segments {
    /// Opens what is there to be read only, with the strays that a [`SegmentList`] would have; the first file says how long
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
        Ok((Self(Arc::new(row.segments)), row.strays))
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

/// The one writer of a row of segments.
#[derive(Debug)]
pub(crate) struct SegmentList {
    fs: Arc<dyn FileSystem>,
    places: Places,
    segment_size: u64,
    segments: Segments,
    strays: Vec<Arc<Segment>>,
    // Directories whose names no flush has taken up yet.
    changed: BTreeSet<PathBuf>,
}

impl SegmentList {
    /// Opens what is there; a directory that does not exist has no segments.
    pub(crate) fn open(
        fs: Arc<dyn FileSystem>,
        places: impl Into<Places>,
        segment_size: u64,
    ) -> Result<Self, StoreError> {
        let places = places.into();
        let mut row = Row::default();
        for Name { base, len, dir } in names_in(&*fs, &places)? {
            let segment = match len {
                0 => Segment::open_read_only(&*fs, dir, base)?,
                _ => Segment::open(&*fs, dir, base, segment_size)?,
            };
            row.add(segment, segment_size)?;
        }
        let Row { segments, strays } = row;
        // Whoever made these names may have died before it synced them.
        let changed = segments.iter().map(|segment| segment.dir().to_owned()).collect();
        Ok(Self { fs, places, segment_size, segments: Segments(Arc::new(segments)), strays, changed })
    }

    /// What a reader keeps.
    pub(crate) fn segments(&self) -> &Segments {
        &self.segments
    }

    /// Files that belong to nothing, in order.
    pub(crate) fn strays(&self) -> &[Arc<Segment>] {
        &self.strays
    }

    pub(crate) fn segment_size(&self) -> u64 {
        self.segment_size
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// See [`Places::set_full`].
    pub(crate) fn set_full(&mut self, full: Vec<PathBuf>) {
        self.places.set_full(full);
    }

    /// The first position of the segment that a position falls into, whether that exists or not.
    pub(crate) fn base_of(&self, offset: u64) -> u64 {
        offset - offset.checked_rem(self.segment_size).unwrap_or(0)
    }

    /// Writes at a logical position, one write a segment; makes the segments that are missing.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let segment = self.segment_for(at)?;
            let room = usize::try_from(segment.end() - at).unwrap_or(usize::MAX);
            let (piece, tail) = rest.split_at(room.min(rest.len()));
            segment.write(at, piece)?;
            at = at.saturating_add(piece.len() as u64);
            rest = tail;
        }
        Ok(())
    }

    /// Makes everything from `offset` on read as zeros, and removes strays and the segments that only lie behind it.
    ///
    /// The first segment stays, whatever `offset` is: its name is what tells where the list begins.
    pub(crate) fn cut(&mut self, offset: u64) -> Result<(), StoreError> {
        self.remove_strays()?;
        while let Some(last) = self.segments.0.last().cloned() {
            if last.base() < offset || self.segments.0.len() == 1 {
                return if offset < last.end() { last.zero(offset, last.end()) } else { Ok(()) };
            }
            self.remove(&last)?;
        }
        Ok(())
    }

    /// Forgets the segments that end at or before a position, but never the last one; their files are to be removed.
    pub(crate) fn forget_before(&mut self, offset: u64) -> Vec<Arc<Segment>> {
        let last = self.segments.0.len().saturating_sub(1);
        let old = self.segments.0.iter().take(last).take_while(|segment| segment.end() <= offset).count();
        if old == 0 {
            return Vec::new();
        }
        Arc::make_mut(&mut self.segments.0).drain(..old).collect()
    }

    /// Removes every segment, so that the list can begin anywhere.
    pub(crate) fn clear(&mut self) -> Result<(), StoreError> {
        self.remove_strays()?;
        while let Some(last) = self.segments.0.last().cloned() {
            self.remove(&last)?;
        }
        Ok(())
    }

    /// Makes written bytes that turned out not to count read as zeros again; missing segments are fine.
    pub(crate) fn zero(&self, from: u64, to: u64) -> Result<(), StoreError> {
        self.segments.covering(from, to).try_for_each(|segment| segment.zero(from, to))
    }

    /// See [`Segments::data_behind`].
    pub(crate) fn data_behind(&self, offset: u64) -> Result<u64, StoreError> {
        self.segments.data_behind(offset)
    }

    /// Whether names changed that no flush has taken up yet.
    pub(crate) fn has_changed_dirs(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The directories to sync if names changed since this was last asked: those of the names and so many above each, since
    /// the first segment may have made them all.
    pub(crate) fn take_changed_dirs(&mut self, above: usize) -> BTreeSet<PathBuf> {
        let changed = std::mem::take(&mut self.changed);
        changed.iter().flat_map(|dir| dir.ancestors().take(1 + above)).map(Path::to_owned).collect()
    }

    /// Makes the names durable that changed.
    pub(crate) fn sync_names(&mut self) -> Result<(), StoreError> {
        let changed = self.take_changed_dirs(0);
        changed.iter().try_for_each(|dir| self.fs.sync_dir(dir).map_err(StoreError::io("sync", dir)))
    }

    fn segment_for(&mut self, offset: u64) -> Result<Arc<Segment>, StoreError> {
        if let Some(segment) = self.segments.find(offset) {
            return Ok(Arc::clone(segment));
        }
        let base = self.base_of(offset);
        let dir = self.places.of_new(base.checked_div(self.segment_size).unwrap_or(0));
        if !self.segments.iter().any(|segment| segment.dir() == dir) {
            self.fs.create_dir_all(dir).map_err(StoreError::io("create", dir))?;
        }
        let segment = Segment::create(&*self.fs, dir, base, self.segment_size)?;
        follows(self.segments.0.last(), &segment, self.segment_size)?;
        let segment = Arc::new(segment);
        Arc::make_mut(&mut self.segments.0).push(Arc::clone(&segment));
        self.note_changed(&segment);
        Ok(segment)
    }

    fn remove_strays(&mut self) -> Result<(), StoreError> {
        while let Some(stray) = self.strays.last().cloned() {
            self.remove(&stray)?;
            self.strays.pop();
        }
        Ok(())
    }

    fn remove(&mut self, segment: &Segment) -> Result<(), StoreError> {
        self.fs.remove_file(segment.path()).map_err(StoreError::io("remove", segment.path()))?;
        Arc::make_mut(&mut self.segments.0).retain(|kept| kept.base() != segment.base());
        self.note_changed(segment);
        Ok(())
    }

    fn note_changed(&mut self, segment: &Segment) {
        if !self.changed.contains(segment.dir()) {
            self.changed.insert(segment.dir().to_owned());
        }
    }
}

/// Files of a directory, taken one after the other.
#[derive(Debug, Default)]
struct Row {
    segments: Vec<Arc<Segment>>,
    strays: Vec<Arc<Segment>>,
}

impl Row {
    /// Adds the next file: to the row, or to the strays if it has no length or lies behind a gap.
    fn add(&mut self, segment: Segment, size: u64) -> Result<(), StoreError> {
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

    fn segment_size(&self) -> Option<u64> {
        self.segments.first().map(|first| first.end() - first.base())
    }
}

/// The file of a segment, as a directory lists it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name<'a> {
    base: u64,
    len: u64,
    dir: &'a Path,
}

/// The files of all directories, in order; none of one that is not there. Directories and names that are no position
/// are passed over.
fn names_in<'a>(fs: &dyn FileSystem, places: &'a Places) -> Result<Vec<Name<'a>>, StoreError> {
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
fn follows(previous: Option<&Arc<Segment>>, next: &Segment, size: u64) -> Result<(), StoreError> {
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
