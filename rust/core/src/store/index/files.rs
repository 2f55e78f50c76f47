//! The index files in a row, oldest first, and what a query sees of them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    file::{IndexFile, Slots},
    layout::{Header, IndexShape},
    stamp,
};
use crate::store::{error::StoreError, fs::FileSystem};

/// One file as of some moment: entries that are numbered below its header's `next` do not change any more.
#[derive(Debug, Clone)]
pub(super) struct FileView {
    pub(super) file: Arc<IndexFile>,
    pub(super) header: Header,
    /// Of the file that grows, once it does; those of the others are read where they lie.
    pub(super) slots: Option<Arc<Slots>>,
}

impl FileView {
    /// The newest entry of a slot that may be looked at, or a newer one; 0 for none.
    pub(super) fn slot(&self, slot: u32) -> Result<u32, StoreError> {
        match &self.slots {
            Some(slots) => Ok(slots.get(slot)),
            None => self.file.slot(slot),
        }
    }
}

/// How much of the files is known to be durable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Durable {
    /// The store time of the last message.
    pub(super) timestamp: i64,
    /// Where that message begins.
    pub(super) physical: i64,
}

impl Durable {
    fn covers(&self, header: &Header) -> bool {
        let is_older = header.end_timestamp < self.timestamp;
        let is_as_old = header.end_timestamp == self.timestamp && header.end_physical <= self.physical;
        header.has_entries() && (is_older || is_as_old)
    }
}

/// All of them. Clones are snapshots.
#[derive(Debug, Clone, Default)]
pub(super) struct IndexFiles(Arc<Vec<FileView>>);

impl IndexFiles {
    /// Opens what a directory holds and can be believed: the files up to the first that cannot.
    ///
    /// That is one whose header makes no sense; one that knows of messages which the log has not; and after a crash
    /// one that ends behind what was `durable`, or is empty. It and those behind it are removed, and their number is
    /// returned: the log has what they knew.
    pub(super) fn open(
        fs: &dyn FileSystem,
        dir: &Path,
        shape: IndexShape,
        log_end: u64,
        durable: Option<Durable>,
    ) -> Result<(Self, u64), StoreError> {
        let mut files = Vec::new();
        let mut removed = 0;
        for path in paths_in(fs, dir)? {
            let file = IndexFile::open(fs, path, shape)?;
            let mut header = file.header()?;
            if !header.has_entries() {
                header = Header::after(files.last().map(|last: &FileView| &last.header));
            }
            let is_in_log = !header.has_entries() || (header.end_physical as u64) < log_end;
            let is_trusted = durable.is_none_or(|durable| durable.covers(&header));
            if removed > 0 || !(header.is_sane(shape) && is_in_log && is_trusted) {
                fs.remove_file(file.path()).map_err(StoreError::io("remove", file.path()))?;
                removed += 1;
            } else {
                files.push(FileView { file: Arc::new(file), header, slots: None });
            }
        }
        if let Some(last) = files.last().filter(|_| durable.is_some()) {
            last.file.repair_slots(last.header.next)?;
        }
        if removed > 0 {
            fs.sync_dir(dir).map_err(StoreError::io("sync", dir))?;
        }
        Ok((Self(Arc::new(files)), removed))
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, FileView> {
        self.0.iter()
    }

    pub(super) fn last(&self) -> Option<&FileView> {
        self.0.last()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut FileView> {
        Arc::make_mut(&mut self.0).last_mut()
    }

    /// Adds one; the one before it does not grow any more.
    pub(super) fn push(&mut self, view: FileView) {
        if let Some(last) = self.last_mut() {
            last.slots = None;
        }
        Arc::make_mut(&mut self.0).push(view);
    }

    /// The first, if it is not also the last.
    pub(super) fn first_of_many(&self) -> Option<&FileView> {
        self.0.first().filter(|_| self.0.len() > 1)
    }

    pub(super) fn remove_first(&mut self) {
        Arc::make_mut(&mut self.0).remove(0);
    }
}

/// The index files of a directory, in order. Other names are passed over; a file without a byte is removed, as it was
/// about to be made when its broker died.
fn paths_in(fs: &dyn FileSystem, dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !fs.exists(dir).map_err(StoreError::io("look for", dir))? {
        return Ok(Vec::new());
    }
    let entries = fs.list(dir).map_err(StoreError::io("list", dir))?;
    let mut found: Vec<_> = entries
        .into_iter()
        .filter(|entry| !entry.is_dir && stamp::parse(&entry.name).is_some())
        .map(|entry| (entry.name, entry.len))
        .collect();
    found.sort_unstable();
    for (name, _) in found.extract_if(.., |(_, len)| *len == 0) {
        let path = dir.join(name);
        fs.remove_file(&path).map_err(StoreError::io("remove", &path))?;
    }
    Ok(found.into_iter().map(|(name, _)| dir.join(name)).collect())
}
