//! The real file system.
//!
//! What is used beyond plain files, each with a fallback where the kernel or the file system lacks it:
//! `preadv2(RWF_NOWAIT)` to read only what is in the page cache, `SEEK_DATA` to skip holes, and
//! `FALLOC_FL_PUNCH_HOLE` to zero a range without writing it.
//!
//! The lock is a POSIX record lock, because that is what a Java broker's `FileChannel.tryLock` takes. Such a lock
//! excludes other *processes* only, and closing any descriptor of the file drops it; hence the table of files
//! locked by this process, which is asked before the file is opened at all.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::fs::{FlockOperation, fcntl_lock};

use super::{
    fs::{Entry, File, FileSystem, Open, overwrite_with_zeros},
    open_files::PooledFile,
};

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFs;

impl FileSystem for DiskFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(how != Open::Read).create(how == Open::Create);
        Ok(Arc::new(DiskFile { file: PooledFile::open(path, options)? }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // Follows links: a commit log on another disk is often a link to it.
            let metadata = fs::metadata(entry.path())?;
            if let Ok(name) = entry.file_name().into_string() {
                let is_dir = metadata.is_dir();
                entries.push(Entry { name, is_dir, len: if is_dir { 0 } else { metadata.len() } });
            }
        }
        Ok(entries)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        fs::exists(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut locked = LOCKED.lock().unwrap_or_else(PoisonError::into_inner);
        if fs::metadata(path).is_ok_and(|found| locked.contains(&(found.dev(), found.ino()))) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(held_elsewhere)?;
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        locked.insert(identity);
        Ok(Box::new(DiskLock { identity, file: Some(file) }))
    }
}

/// Device and inode of each file this process holds a lock on. Guards against a second store in one process, and
/// against opening (and so closing) a locked file, which would drop the kernel's lock.
static LOCKED: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

struct DiskLock {
    identity: (u64, u64),
    file: Option<fs::File>,
}

impl Drop for DiskLock {
    fn drop(&mut self) {
        let mut locked = LOCKED.lock().unwrap_or_else(PoisonError::into_inner);
        locked.remove(&self.identity);
        // Closing releases the record lock; done under the table's lock, or it could release the next holder's.
        drop(self.file.take());
    }
}

/// POSIX lets the kernel choose between two codes for a lock that somebody else holds.
fn held_elsewhere(error: rustix::io::Errno) -> io::Error {
    match error {
        rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN => io::ErrorKind::WouldBlock.into(),
        other => other.into(),
    }
}

#[derive(Debug)]
struct DiskFile {
    file: Arc<PooledFile>,
}

impl File for DiskFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let file = self.file.handle()?;
        let mut done = 0;
        while done < buf.len() {
            match file.read_at(&mut buf[done..], offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    #[cfg(target_os = "linux")]
    fn read_now(&self, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        use rustix::io::{Errno, ReadWriteFlags, preadv2};
        let file = self.file.handle()?;
        let mut done = 0;
        while done < buf.len() {
            let rest = &mut [io::IoSliceMut::new(&mut buf[done..])];
            match preadv2(&*file, rest, offset.saturating_add(done as u64), ReadWriteFlags::NOWAIT) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(done))
    }

    #[cfg(not(target_os = "linux"))]
    fn read_now(&self, _buf: &mut [u8], _offset: u64) -> io::Result<Option<usize>> {
        Ok(None)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.file.handle()?.write_all_at(buf, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.handle()?.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.handle()?.metadata()?.len())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.handle()?.sync_data()
    }

    fn pin(&self) -> io::Result<()> {
        self.file.pin()
    }

    #[cfg(target_os = "linux")]
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        use rustix::{fs::SeekFrom, io::Errno};
        match rustix::fs::seek(&*self.file.handle()?, SeekFrom::Data(offset)) {
            Ok(data) => Ok(Some(data)),
            Err(Errno::NXIO) => Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok((offset < self.len()?).then_some(offset)),
            Err(error) => Err(error.into()),
        }
    }

    fn zero(&self, from: u64, to: u64) -> io::Result<()> {
        let to = to.min(self.len()?);
        if from >= to || self.next_data(from)?.is_none_or(|data| data >= to) {
            return Ok(());
        }
        match punch(&*self.file.handle()?, from, to) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => overwrite_with_zeros(self, from, to),
            result => result,
        }
    }
}

#[cfg(target_os = "linux")]
fn punch(file: &fs::File, from: u64, to: u64) -> io::Result<()> {
    use rustix::{
        fs::{FallocateFlags, fallocate},
        io::Errno,
    };
    match fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, from, to - from) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Err(io::ErrorKind::Unsupported.into()),
        result => Ok(result?),
    }
}

#[cfg(not(target_os = "linux"))]
fn punch(_file: &fs::File, _from: u64, _to: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
