//! The file system as the store sees it.
//!
//! Everything the store does to a disk goes through these two traits, so that a test can run it in memory
//! ([`MemFs`](super::MemFs)) or make any single call fail ([`FaultFs`](super::FaultFs)).
//!
//! Rules:
//! - Files are addressed by absolute positions only; there is no cursor. One file may be read by several threads
//!   while its one writer appends to it.
//! - A path is used as given; the store only ever builds paths below its root.
//! - No method retries, logs or hides an error.

use std::{fmt::Debug, io, path::Path, sync::Arc};

/// How [`FileSystem::open`] opens a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    ReadWrite,
    /// For reading and writing; made, empty, if it does not exist.
    Create,
}

/// One name in a directory, as [`FileSystem::list`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The last component of its path. Names that are not UTF-8 are not listed: the store makes none.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
}

/// Directories and the names in them.
pub trait FileSystem: Send + Sync + Debug {
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>>;
    /// What a directory holds, in no particular order. A directory that does not exist is an error.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Makes a directory and the ones above it; one that exists already is fine.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Renames a file or directory, replacing a file of the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Those who hold it open can still read it.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all below it.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Makes the names of a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Whether there is a file or directory of that name.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Locks the file against every other process and every other caller in this one, until the guard is dropped.
    ///
    /// Makes the file if needed. Held by somebody else: [`io::ErrorKind::WouldBlock`].
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// One open file.
#[expect(clippy::len_without_is_empty, reason = "a length that can fail, not a collection")]
pub trait File: Send + Sync + Debug {
    /// Reads at a position; fewer bytes than asked for only at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Like [`read_at`](Self::read_at) if that needs no waiting for a disk, else `None`.
    fn read_now(&self, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>>;
    /// Writes all of `buf`. After an error any part of it may have been written.
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts or extends the file; an extension reads as zeros and takes no room.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Makes the content durable.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes sure that whoever has the file can go on using it after its name was removed.
    fn pin(&self) -> io::Result<()> {
        Ok(())
    }

    /// The first position at or after `offset` that may hold something but zeros; `None` when the rest is a hole.
    ///
    /// A file system without holes may answer `offset` itself, so a caller still has to look at the bytes.
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok((offset < self.len()?).then_some(offset))
    }

    /// Makes `[from, to)` read as zeros without changing the length.
    fn zero(&self, from: u64, to: u64) -> io::Result<()> {
        overwrite_with_zeros(self, from, to)
    }
}

/// Makes a directory and the ones above it, and makes the names of those that were missing durable.
pub(crate) fn make_dir(fs: &dyn FileSystem, dir: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    for dir in dir.ancestors().filter(|dir| !dir.as_os_str().is_empty()) {
        if fs.exists(dir)? {
            break;
        }
        missing.push(dir);
    }
    fs.create_dir_all(dir)?;
    let parents = missing.iter().rev().filter_map(|dir| dir.parent());
    parents.filter(|parent| !parent.as_os_str().is_empty()).try_for_each(|parent| fs.sync_dir(parent))
}

/// Bytes looked at or zeroed at a time where a file has to be gone through piece by piece.
pub(crate) const BLOCK: usize = 256 * 1024;

/// [`File::zero`] for files that cannot punch holes: only blocks that hold something are written.
pub(crate) fn overwrite_with_zeros<F: File + ?Sized>(file: &F, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0_u8; BLOCK];
    let mut block = vec![0_u8; BLOCK];
    let mut at = from;
    while at < to {
        let Some(data) = file.next_data(at)?.filter(|&data| data < to) else { return Ok(()) };
        let want = (to - data).min(BLOCK as u64) as usize;
        let got = file.read_at(&mut block[..want], data)?;
        if got == 0 {
            return Ok(());
        }
        if block[..got].iter().any(|&byte| byte != 0) {
            file.write_all_at(&zeros[..got], data)?;
        }
        at = data.saturating_add(got as u64);
    }
    Ok(())
}

/// The end of the last non-zero byte in `[from, to)`, or `from` when there is none.
pub(crate) fn end_of_data(file: &dyn File, from: u64, to: u64) -> io::Result<u64> {
    let mut block = vec![0_u8; BLOCK];
    let mut end = from;
    let mut at = from;
    while at < to {
        let Some(data) = file.next_data(at)?.filter(|&data| data < to) else { break };
        let want = (to - data).min(BLOCK as u64) as usize;
        let got = file.read_at(&mut block[..want], data)?;
        if got == 0 {
            break;
        }
        if let Some(last) = block[..got].iter().rposition(|&byte| byte != 0) {
            end = data.saturating_add(last as u64).saturating_add(1);
        }
        at = data.saturating_add(got as u64);
    }
    Ok(end)
}
