//! The one writer of segments in a row, in one directory or, for the log, in several: makes files, cuts and forgets them.
//!
//! Readers take a [`Segments`] snapshot. Strays (`segment_row`) are removed by [`SegmentList::cut`].

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::StoreError,
    fs::FileSystem,
    places::Places,
    segment::Segment,
    segment_row::{Name, Row, follows, names_in},
    segments::Segments,
};

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
        Ok(Self { fs, places, segment_size, segments: segments.into(), strays, changed })
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
        while let Some(last) = self.segments.last().cloned() {
            if last.base() < offset || self.segments.iter().len() == 1 {
                return if offset < last.end() { last.zero(offset, last.end()) } else { Ok(()) };
            }
            self.remove(&last)?;
        }
        Ok(())
    }

    /// Forgets the segments that end at or before a position, but never the last one; their files are to be removed.
    pub(crate) fn forget_before(&mut self, offset: u64) -> Vec<Arc<Segment>> {
        let last = self.segments.iter().len().saturating_sub(1);
        let old = self.segments.iter().take(last).take_while(|segment| segment.end() <= offset).count();
        if old == 0 {
            return Vec::new();
        }
        self.segments.make_mut().drain(..old).collect()
    }

    /// Removes every segment, so that the list can begin anywhere.
    pub(crate) fn clear(&mut self) -> Result<(), StoreError> {
        self.remove_strays()?;
        while let Some(last) = self.segments.last().cloned() {
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
        follows(self.segments.last(), &segment, self.segment_size)?;
        let segment = Arc::new(segment);
        self.segments.make_mut().push(Arc::clone(&segment));
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
        self.segments.make_mut().retain(|kept| kept.base() != segment.base());
        self.note_changed(segment);
        Ok(())
    }

    fn note_changed(&mut self, segment: &Segment) {
        if !self.changed.contains(segment.dir()) {
            self.changed.insert(segment.dir().to_owned());
        }
    }
}
