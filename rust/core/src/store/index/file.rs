//! One index file on disk, and the slots of the one that grows.
//!
//! A file's entries are written as they come, its header and slots only when it is synced: what lies on the disk in
//! between is the file as it was last synced, followed by entries that nothing points to.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::layout::{ENTRY_LEN, HEADER_LEN, Header, IndexEntry, IndexShape};
use crate::store::{
    error::StoreError,
    fs::{File, FileSystem, Open},
};

/// Slots kept and written together.
const PAGE_SLOTS: u32 = 1024;
/// Entries read at a time when all of a file are.
const READ_ENTRIES: u32 = 16 * 1024;

/// An open file.
#[derive(Debug)]
pub(super) struct IndexFile {
    shape: IndexShape,
    path: PathBuf,
    file: Arc<dyn File>,
}

impl IndexFile {
    /// Opens a file that is there, which must have the length of its shape.
    pub(super) fn open(fs: &dyn FileSystem, path: PathBuf, shape: IndexShape) -> Result<Self, StoreError> {
        let file = fs.open(&path, Open::ReadWrite).map_err(StoreError::io("open", &path))?;
        let found = file.len().map_err(StoreError::io("measure", &path))?;
        if found != shape.file_len() {
            return Err(StoreError::SegmentLength { path, expected: shape.file_len(), found });
        }
        Ok(Self { shape, path, file })
    }

    /// Makes a file that reads as zeros. What an earlier attempt left under the name is thrown away.
    pub(super) fn create(fs: &dyn FileSystem, path: PathBuf, shape: IndexShape) -> Result<Self, StoreError> {
        let file = fs.open(&path, Open::Create).map_err(StoreError::io("create", &path))?;
        let made = file.set_len(0).and_then(|()| file.set_len(shape.file_len()));
        if made.is_err() {
            // The next attempt may have another name. What cannot be removed now is, when the store is opened.
            let _ = fs.remove_file(&path);
        }
        made.map_err(StoreError::io("extend", &path))?;
        Ok(Self { shape, path, file })
    }

    pub(super) fn shape(&self) -> IndexShape {
        self.shape
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn header(&self) -> Result<Header, StoreError> {
        let mut bytes = [0; HEADER_LEN];
        self.read(&mut bytes, 0)?;
        Ok(Header::decode(&bytes))
    }

    pub(super) fn write_header(&self, header: &Header) -> Result<(), StoreError> {
        self.write(&header.encode(), 0)
    }

    pub(super) fn slot(&self, slot: u32) -> Result<u32, StoreError> {
        let mut bytes = [0; 4];
        self.read(&mut bytes, IndexShape::slot_at(slot))?;
        Ok(u32::from_be_bytes(bytes))
    }

    pub(super) fn entry(&self, number: u32) -> Result<IndexEntry, StoreError> {
        let mut bytes = [0; ENTRY_LEN];
        self.read(&mut bytes, self.shape.entry_at(number))?;
        Ok(IndexEntry::decode(&bytes))
    }

    /// Writes encoded entries from a number on.
    pub(super) fn write_entries(&self, from: u32, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(bytes, self.shape.entry_at(from))
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync_data().map_err(StoreError::io("sync", &self.path))
    }

    /// The slots, as they belong to the entries before `next`.
    pub(super) fn load_slots(&self, next: u32) -> Result<Slots, StoreError> {
        let slots = Slots::new(self.shape);
        if next <= 1 {
            return Ok(slots);
        }
        if !self.read_slots(&slots, next)? {
            return self.slots_of_entries(next);
        }
        Ok(slots)
    }

    /// Makes the slots on the disk again, if they do not belong to the entries before `next`. Durable afterwards.
    pub(super) fn repair_slots(&self, next: u32) -> Result<(), StoreError> {
        if self.read_slots(&Slots::new(self.shape), next)? {
            return Ok(());
        }
        let slots = self.slots_of_entries(next)?;
        for page in 0..slots.pages() {
            self.write_slots(&slots, page)?;
        }
        self.sync()
    }

    /// Reads the slots. False if one points behind the entries: it was written by a sync that did not end.
    fn read_slots(&self, slots: &Slots, next: u32) -> Result<bool, StoreError> {
        for page in 0..slots.pages() {
            let mut bytes = [0; PAGE_SLOTS as usize * 4];
            let count = slots.count_in(page) as usize * 4;
            let bytes = bytes.get_mut(..count).unwrap_or_default();
            self.read(bytes, IndexShape::slot_at(page * PAGE_SLOTS))?;
            for (at, word) in (page * PAGE_SLOTS..).zip(bytes.as_chunks().0) {
                match u32::from_be_bytes(*word) {
                    0 => {}
                    entry if entry < next => slots.set(at, entry),
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    fn slots_of_entries(&self, next: u32) -> Result<Slots, StoreError> {
        let slots = Slots::new(self.shape);
        let mut from = 1;
        while from < next {
            let count = READ_ENTRIES.min(next - from);
            let mut bytes = vec![0; count as usize * ENTRY_LEN];
            self.read(&mut bytes, self.shape.entry_at(from))?;
            for (number, bytes) in (from..).zip(bytes.as_chunks().0) {
                slots.set(self.shape.slot_of(IndexEntry::decode(bytes).hash), number);
            }
            from += count;
        }
        Ok(slots)
    }

    /// Writes a page of slots.
    pub(super) fn write_slots(&self, slots: &Slots, page: u32) -> Result<(), StoreError> {
        let first = page * PAGE_SLOTS;
        let bytes: Vec<u8> =
            (first..first + slots.count_in(page)).flat_map(|slot| slots.get(slot).to_be_bytes()).collect();
        self.write(&bytes, IndexShape::slot_at(first))
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), StoreError> {
        let count = self.file.read_at(bytes, at).map_err(StoreError::io("read", &self.path))?;
        if count == bytes.len() {
            return Ok(());
        }
        let (expected, found) = (self.shape.file_len(), at.saturating_add(count as u64));
        Err(StoreError::SegmentLength { path: self.path.clone(), expected, found })
    }

    fn write(&self, bytes: &[u8], at: u64) -> Result<(), StoreError> {
        self.file.write_all_at(bytes, at).map_err(StoreError::io("write", &self.path))
    }
}

/// The slots of a file in memory: one thread changes them while others look up. Pages that no key fell into take no
/// room.
#[derive(Debug)]
pub(super) struct Slots {
    count: u32,
    pages: Box<[OnceLock<Box<[AtomicU32]>>]>,
}

impl Slots {
    fn new(shape: IndexShape) -> Self {
        let pages = shape.slots.div_ceil(PAGE_SLOTS);
        Self { count: shape.slots, pages: (0..pages).map(|_| OnceLock::new()).collect() }
    }

    /// The newest entry of a slot, 0 for none.
    pub(super) fn get(&self, slot: u32) -> u32 {
        let page = self.pages.get((slot / PAGE_SLOTS) as usize).and_then(OnceLock::get);
        let place = page.and_then(|page| page.get((slot % PAGE_SLOTS) as usize));
        place.map_or(0, |entry| entry.load(Ordering::Acquire))
    }

    pub(super) fn set(&self, slot: u32, entry: u32) {
        let Some(page) = self.pages.get((slot / PAGE_SLOTS) as usize) else { return };
        let page = page.get_or_init(|| (0..PAGE_SLOTS).map(|_| AtomicU32::new(0)).collect());
        if let Some(place) = page.get((slot % PAGE_SLOTS) as usize) {
            place.store(entry, Ordering::Release);
        }
    }

    /// The page that a slot lies in.
    pub(super) fn page_of(slot: u32) -> u32 {
        slot / PAGE_SLOTS
    }

    fn pages(&self) -> u32 {
        self.pages.len() as u32
    }

    /// Slots in a page; the last one may have fewer.
    fn count_in(&self, page: u32) -> u32 {
        PAGE_SLOTS.min(self.count.saturating_sub(page * PAGE_SLOTS))
    }
}
