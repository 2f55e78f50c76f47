//! A file system that remembers every change it was asked for, so that a test can cut the power.
//!
//! In reading order: here the file system, which passes everything on to a [`MemFs`] and writes it down; `journal`, what
//! was written down; `power_cut`, the disks that a cut at any moment may leave; `tree`, which name means which file.
//!
//! What a disk is taken to promise, and no more:
//! - What was written to a file is there after a sync of that file; before, any of its blocks may be, in any order.
//! - A name that was made, moved or removed is so after a sync of its directory (for a move: of both); before, any
//!   such change may have happened, whatever became of the others. Syncing a file says nothing about its name.
//! - A move happens or does not. So does each change of a length, and those of one file happen in their order: file
//!   systems keep lengths in their journals.

mod journal;
mod power_cut;
mod tree;

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use self::{journal::Journal, power_cut::PowerCut};
use self::{journal::Op, tree::Node};
use super::{
    fs::{Entry, File, FileSystem, Open},
    mem_fs::MemFs,
};

/// Files in memory, with a journal. Clones are the same file system.
#[derive(Debug, Clone)]
pub struct JournalFs {
    inner: MemFs,
    journal: Arc<Mutex<Journal>>,
}

impl JournalFs {
    /// Goes on with a disk as it is: what is there is durable.
    pub fn new(disk: MemFs) -> io::Result<Self> {
        let journal = Arc::new(Mutex::new(Journal::new(&disk)?));
        Ok(Self { inner: disk, journal })
    }

    /// Writes down that something happened which is no change of the disk: an acknowledgement.
    pub fn note(&self, what: u64) {
        self.journal().push(Op::Note(what));
    }

    /// What has happened so far.
    pub fn so_far(&self) -> Journal {
        self.journal().clone()
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileSystem for JournalFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let mut journal = self.journal();
        let inner = self.inner.open(path, how)?;
        let node = journal.file_at(path)?;
        Ok(Arc::new(JournalFile { inner, node, fs: self.clone() }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut journal = self.journal();
        self.inner.create_dir_all(dir)?;
        journal.make_dirs(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut journal = self.journal();
        self.inner.rename(from, to)?;
        journal.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut journal = self.journal();
        self.inner.remove_file(path)?;
        journal.remove(path);
        Ok(())
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut journal = self.journal();
        self.inner.remove_dir_all(dir)?;
        journal.remove(dir);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut journal = self.journal();
        self.inner.sync_dir(dir)?;
        journal.sync_dir(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.inner.exists(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut journal = self.journal();
        let lock = self.inner.lock(path)?;
        journal.file_at(path)?;
        Ok(lock)
    }
}

#[derive(Debug)]
struct JournalFile {
    inner: Arc<dyn File>,
    node: Node,
    fs: JournalFs,
}

impl JournalFile {
    /// Makes a change and writes it down, with the length if that is another one now.
    fn change(&self, make: impl FnOnce(&dyn File) -> io::Result<()>, op: Option<Op>) -> io::Result<()> {
        let mut journal = self.fs.journal();
        let before = self.inner.len()?;
        make(&*self.inner)?;
        let len = self.inner.len()?;
        if len != before {
            journal.push(Op::Len { node: self.node, len });
        }
        journal.ops_mut().extend(op);
        Ok(())
    }
}

impl File for JournalFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buf, offset)
    }

    fn read_now(&self, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        self.inner.read_now(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let op = Op::Write { node: self.node, offset, bytes: Arc::from(buf) };
        self.change(|file| file.write_all_at(buf, offset), Some(op))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|file| file.set_len(len), None)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut journal = self.fs.journal();
        self.inner.sync_data()?;
        journal.push(Op::Sync(self.node));
        Ok(())
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.inner.next_data(offset)
    }

    fn zero(&self, from: u64, to: u64) -> io::Result<()> {
        let to = to.min(self.inner.len()?);
        let op = (from < to).then_some(Op::Zero { node: self.node, from, to });
        self.change(|file| file.zero(from, to), op)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/d/file";

    fn read(disk: &MemFs, path: &str) -> Option<Vec<u8>> {
        let file = disk.open(Path::new(path), Open::Read).ok()?;
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        Some(bytes)
    }

    /// A directory and a file of 1,024 bytes in it, all durable.
    fn begun() -> (JournalFs, Arc<dyn File>) {
        let disk = MemFs::new();
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.open(Path::new(FILE), Open::Create).unwrap().write_all_at(&[1; 1024], 0).unwrap();
        let fs = JournalFs::new(disk).unwrap();
        let file = fs.open(Path::new(FILE), Open::ReadWrite).unwrap();
        (fs, file)
    }

    #[test]
    fn what_was_not_synced_may_be_lost_block_by_block() {
        let (fs, file) = begun();
        file.write_all_at(&[2; 600], 400).unwrap();
        let journal = fs.so_far();
        let cut = journal.power_cut(journal.len(), 512);
        assert_eq!(cut.pieces(), 2);
        assert_eq!(read(&cut.image(|_| false).unwrap(), FILE), Some(vec![1; 1024]));
        let second = [&[1; 512][..], &[2; 488], &[1; 24]].concat();
        assert_eq!(read(&cut.image(|piece| piece == 1).unwrap(), FILE), Some(second));
        file.sync_data().unwrap();
        let journal = fs.so_far();
        assert_eq!(journal.power_cut(journal.len(), 512).pieces(), 0);
        assert_eq!(journal.power_cut(1, 512).pieces(), 2, "it had not been synced then");
    }

    #[test]
    fn a_name_needs_a_sync_of_its_directory_and_not_of_the_file() {
        let (fs, _) = begun();
        let file = fs.open(Path::new("/d/new"), Open::Create).unwrap();
        file.write_all_at(b"text", 0).unwrap();
        file.sync_data().unwrap();
        let none = |fs: &JournalFs| {
            let journal = fs.so_far();
            journal.power_cut(journal.len(), 512).image(|_| false).unwrap()
        };
        assert_eq!(read(&none(&fs), "/d/new"), None);
        fs.sync_dir(Path::new("/d")).unwrap();
        assert_eq!(read(&none(&fs), "/d/new"), Some(b"text".to_vec()));
        fs.rename(Path::new("/d/new"), Path::new(FILE)).unwrap();
        assert_eq!(read(&none(&fs), FILE), Some(vec![1; 1024]));
        fs.sync_dir(Path::new("/d")).unwrap();
        assert_eq!(read(&none(&fs), FILE), Some(b"text".to_vec()));
        assert_eq!(read(&none(&fs), "/d/new"), None);
        fs.create_dir_all(Path::new("/d/e")).unwrap();
        fs.open(Path::new("/d/e/lost"), Open::Create).unwrap();
        fs.sync_dir(Path::new("/d/e")).unwrap();
        assert!(!none(&fs).exists(Path::new("/d/e")).unwrap());
        fs.remove_dir_all(Path::new("/d")).unwrap();
        assert_eq!(read(&none(&fs), FILE), Some(b"text".to_vec()));
    }

    #[test]
    fn lengths_change_in_their_order() {
        let (fs, file) = begun();
        file.set_len(0).unwrap();
        file.set_len(2048).unwrap();
        file.write_all_at(&[3; 4], 512).unwrap();
        file.zero(0, 4096).unwrap();
        fs.note(7);
        let journal = fs.so_far();
        assert_eq!(journal.notes(journal.len()).collect::<Vec<_>>(), [7]);
        let cut = journal.power_cut(journal.len(), 512);
        assert_eq!(cut.pieces(), 2 + 1 + 4);
        assert_eq!(read(&cut.image(|piece| piece != 0).unwrap(), FILE).map(|bytes| bytes.len()), Some(1024));
        assert_eq!(read(&cut.image(|piece| piece == 0).unwrap(), FILE), Some(Vec::new()));
        let written = read(&cut.image(|piece| piece < 3).unwrap(), FILE).unwrap();
        assert_eq!((written.len(), &written[510..518]), (2048, &[0, 0, 3, 3, 3, 3, 0, 0][..]));
    }
}
