//! The one writer of the index: messages in, in the order of the log, entries out.
//!
//! It may run on any thread, and never where messages are appended. What it is given it has either taken as a whole,
//! or, after an error, up to some key; given the same messages again, it goes on behind that key.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use super::{
    file::{IndexFile, Slots},
    files::{FileView, IndexFiles},
    keys::keys_of,
    layout::{Header, IndexEntry, IndexShape},
    stamp,
};
use crate::{
    record::Message,
    store::{
        error::StoreError,
        fs::{FileSystem, make_dir},
    },
};

/// Where the index is, and how large its files are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) dir: PathBuf,
    pub(super) shape: IndexShape,
    /// Added to the wall clock for file names, which are local times.
    pub(super) utc_offset_s: i32,
}

/// The writer. See the top of the file.
#[derive(Debug)]
pub(super) struct IndexBuilder {
    place: Place,
    files: IndexFiles,
    batch: Batch,
    // Pages of slots of the last file that are not written.
    dirty: BTreeSet<u32>,
    unsynced: BTreeSet<PathBuf>,
    names_changed: bool,
}

/// Entries of the last file that are not written yet.
#[derive(Debug, Default)]
struct Batch {
    header: Option<Header>,
    first: u32,
    entries: Vec<u8>,
    slots: HashMap<u32, u32>,
}

impl IndexBuilder {
    pub(super) fn new(place: Place, files: IndexFiles) -> Self {
        Self {
            place,
            files,
            batch: Batch::default(),
            dirty: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            names_changed: false,
        }
    }

    /// What readers may see: everything written.
    pub(super) fn files(&self) -> &IndexFiles {
        &self.files
    }

    /// Whether there is something that [`Self::sync`] would make durable.
    pub(super) fn is_unsynced(&self) -> bool {
        !self.unsynced.is_empty()
    }

    /// Takes the keys of a message; [`Self::write`] makes them visible. Messages that came before are passed over.
    pub(super) fn put(&mut self, message: &Message<'_>, wall_ms: i64) -> Result<(), StoreError> {
        if self.files.last().is_some_and(|last| message.physical_offset < last.header.end_physical) {
            return Ok(());
        }
        let mut keys = keys_of(message).peekable();
        let known = if keys.peek().is_none() { 0 } else { self.known_keys(message.physical_offset)? };
        for key in keys.skip(known) {
            self.make_room(wall_ms)?;
            self.add(key.hash(), message.physical_offset, message.store_timestamp)?;
        }
        Ok(())
    }

    /// Writes what was put. After an error nothing of it is there.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut self.batch);
        let (Some(header), Some(last)) = (batch.header, self.files.last_mut()) else { return Ok(()) };
        let Some(slots) = &last.slots else { return Ok(()) };
        last.file.write_entries(batch.first, &batch.entries)?;
        for (slot, entry) in batch.slots {
            slots.set(slot, entry);
            self.dirty.insert(Slots::page_of(slot));
        }
        last.header = header;
        self.unsynced.insert(last.file.path().to_owned());
        Ok(())
    }

    /// Makes what was written durable; the store time up to which the index is that now.
    pub(super) fn sync(&mut self) -> Result<i64, StoreError> {
        self.finish_last()?;
        for view in self.files.iter().filter(|view| self.unsynced.contains(view.file.path())) {
            view.file.sync()?;
        }
        self.unsynced.clear();
        if std::mem::take(&mut self.names_changed) {
            let dir = &self.place.dir;
            self.place.fs.sync_dir(dir).map_err(StoreError::io("sync", dir))?;
        }
        Ok(self.files.last().map_or(0, |last| last.header.end_timestamp))
    }

    /// Removes the files that only know messages before a log position; the last one stays.
    pub(super) fn purge(&mut self, log_start: i64) -> Result<(), StoreError> {
        while let Some(first) =
            self.files.first_of_many().filter(|first| first.header.end_physical < log_start)
        {
            let path = first.file.path().to_owned();
            self.place.fs.remove_file(&path).map_err(StoreError::io("remove", &path))?;
            self.unsynced.remove(&path);
            self.files.remove_first();
            self.names_changed = true;
        }
        Ok(())
    }

    /// Throws away what was put and not written.
    pub(super) fn discard(&mut self) {
        self.batch = Batch::default();
    }

    /// How many of the keys of the message at a log position are written: the last entries may be its.
    fn known_keys(&self, physical: i64) -> Result<usize, StoreError> {
        let mut known = 0;
        for view in self.files.iter().rev().take_while(|view| view.header.end_physical == physical) {
            for number in (1..view.header.next).rev() {
                if view.file.entry(number)?.physical != physical {
                    return Ok(known);
                }
                known += 1;
            }
        }
        Ok(known)
    }

    /// Sees to it that the last file has room for an entry.
    fn make_room(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        let next = self.batch.header.or(self.files.last().map(|last| last.header)).map(|header| header.next);
        if next.is_none_or(|next| next >= self.place.shape.entries) {
            self.write()?;
            self.finish_last()?;
            self.begin_file(wall_ms)?;
        }
        Ok(())
    }

    fn begin_file(&mut self, wall_ms: i64) -> Result<(), StoreError> {
        let Place { fs, dir, shape, utc_offset_s } = &self.place;
        make_dir(&**fs, dir).map_err(StoreError::io("create", dir))?;
        let previous = self.files.last().map(|last| last.file.path());
        let name = stamp::next_name(wall_ms, *utc_offset_s, previous);
        let file = IndexFile::create(&**fs, dir.join(name), *shape)?;
        let header = Header::after(self.files.last().map(|last| &last.header));
        let slots = Arc::new(file.load_slots(header.next)?);
        self.files.push(FileView { file: Arc::new(file), header, slots: Some(slots) });
        self.names_changed = true;
        Ok(())
    }

    /// Writes header and slots of the last file.
    fn finish_last(&mut self) -> Result<(), StoreError> {
        let Some(last) = self.files.last() else { return Ok(()) };
        let Some(slots) = last.slots.as_ref().filter(|_| !self.dirty.is_empty()) else { return Ok(()) };
        // The header first: slots that point behind it would read as empty.
        last.file.write_header(&last.header)?;
        for page in &self.dirty {
            last.file.write_slots(slots, *page)?;
        }
        self.dirty.clear();
        Ok(())
    }

    fn add(&mut self, hash: u32, physical: i64, timestamp: i64) -> Result<(), StoreError> {
        let Some(last) = self.files.last_mut() else { return Ok(()) };
        let slots = match &last.slots {
            Some(slots) => slots,
            None => last.slots.insert(Arc::new(last.file.load_slots(last.header.next)?)),
        };
        self.batch.add(last.header, self.place.shape.slot_of(hash), slots, |header, previous| IndexEntry {
            hash,
            physical,
            seconds: header.seconds(timestamp),
            previous,
        });
        let Some(header) = &mut self.batch.header else { return Ok(()) };
        if !header.has_entries() {
            (header.begin_timestamp, header.begin_physical) = (timestamp, physical);
        }
        (header.end_timestamp, header.end_physical) = (timestamp, physical);
        header.next += 1;
        Ok(())
    }
}

impl Batch {
    fn add(
        &mut self,
        written: Header,
        slot: u32,
        slots: &Slots,
        entry: impl FnOnce(&Header, u32) -> IndexEntry,
    ) {
        if self.header.is_none() {
            self.first = written.next;
        }
        let header = self.header.get_or_insert(written);
        let previous = self.slots.insert(slot, header.next).unwrap_or_else(|| slots.get(slot));
        entry(header, previous).encode(&mut self.entries);
        header.used_slots += u32::from(previous == 0);
    }
}
