//! A file system in memory, for tests and for brokers that must leave nothing behind.
//!
//! Clones share their files, so a store can be closed and another opened on the same content. Files are kept as
//! pages and only pages that were written exist: a preallocated 1 GiB segment costs nothing.
//!
//! Syncing does nothing: what was written is there for as long as the file system is. [`MemFs::block_reads`]
//! makes every read say that it would have to wait, which is how the cold read path is tested.

use std::{
    collections::{BTreeMap, HashSet},
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::fs::{Entry, File, FileSystem, Open};

const PAGE: u64 = 4096;

/// Files in memory; clones are the same file system.
#[derive(Clone, Default)]
pub struct MemFs {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    // Lock order: `names`, then `locked`; a file's pages are locked with neither held.
    names: Mutex<Names>,
    locked: Mutex<HashSet<PathBuf>>,
    reads_block: Arc<AtomicBool>,
}

#[derive(Default)]
struct Names {
    files: BTreeMap<PathBuf, Arc<MemFile>>,
    dirs: HashSet<PathBuf>,
}

impl MemFs {
    /// An empty file system.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on (or no longer) [`File::read_now`] answers that it would block.
    pub fn block_reads(&self, block: bool) {
        self.shared.reads_block.store(block, Ordering::Relaxed);
    }

    /// A file system with the same content that shares nothing with this one, as if the machine had stopped now.
    /// Locks are not carried over.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let names = self.names();
        let reads_block = Arc::new(AtomicBool::new(false));
        let files = names.files.iter().map(|(path, file)| (path.clone(), file.copy(&reads_block))).collect();
        let names = Mutex::new(Names { files, dirs: names.dirs.clone() });
        Self { shared: Arc::new(Shared { names, locked: Mutex::default(), reads_block }) }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        unpoisoned(self.shared.names.lock())
    }
}

impl fmt::Debug for MemFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemFs").field("files", &self.names().files.len()).finish_non_exhaustive()
    }
}

impl FileSystem for MemFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let mut names = self.names();
        if let Some(file) = names.files.get(path) {
            return Ok(Arc::<MemFile>::clone(file));
        }
        if how != Open::Create || !path.parent().is_some_and(|dir| names.dirs.contains(dir)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = Arc::new(MemFile {
            content: RwLock::default(),
            reads_block: Arc::clone(&self.shared.reads_block),
        });
        names.files.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let names = self.names();
        if !names.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let name_of = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let files =
            names.files.iter().filter(|(path, _)| path.parent() == Some(dir)).filter_map(|(path, file)| {
                Some(Entry { name: name_of(path)?, is_dir: false, len: file.content().len })
            });
        let dirs = names
            .dirs
            .iter()
            .filter(|path| path.parent() == Some(dir))
            .filter_map(|path| Some(Entry { name: name_of(path)?, is_dir: true, len: 0 }));
        Ok(files.chain(dirs).collect())
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut names = self.names();
        for dir in dir.ancestors() {
            names.dirs.insert(dir.to_owned());
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut names = self.names();
        if let Some(file) = names.files.remove(from) {
            names.files.insert(to.to_owned(), file);
            return Ok(());
        }
        if !names.dirs.contains(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let Names { files, dirs } = &mut *names;
        let moved = |path: &Path| path.strip_prefix(from).ok().map(|rest| to.join(rest));
        *dirs = dirs.iter().map(|path| moved(path).unwrap_or_else(|| path.clone())).collect();
        *files = std::mem::take(files)
            .into_iter()
            .map(|(path, file)| (moved(&path).unwrap_or(path), file))
            .collect();
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.names().files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut names = self.names();
        if !names.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        names.files.retain(|path, _| !path.starts_with(dir));
        names.dirs.retain(|path| !path.starts_with(dir));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.names().dirs.contains(dir) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let names = self.names();
        Ok(names.files.contains_key(path) || names.dirs.contains(path))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.open(path, Open::Create)?;
        if !unpoisoned(self.shared.locked.lock()).insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(MemLock { shared: Arc::clone(&self.shared), path: path.to_owned() }))
    }
}

struct MemLock {
    shared: Arc<Shared>,
    path: PathBuf,
}

impl Drop for MemLock {
    fn drop(&mut self) {
        unpoisoned(self.shared.locked.lock()).remove(&self.path);
    }
}

struct MemFile {
    content: RwLock<Content>,
    reads_block: Arc<AtomicBool>,
}

#[derive(Default, Clone)]
struct Content {
    len: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE as usize]>>,
}

impl MemFile {
    fn content(&self) -> std::sync::RwLockReadGuard<'_, Content> {
        unpoisoned(self.content.read())
    }

    fn content_mut(&self) -> std::sync::RwLockWriteGuard<'_, Content> {
        unpoisoned(self.content.write())
    }

    fn copy(&self, reads_block: &Arc<AtomicBool>) -> Arc<Self> {
        let content = RwLock::new(self.content().clone());
        Arc::new(Self { content, reads_block: Arc::clone(reads_block) })
    }
}

impl fmt::Debug for MemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemFile").field("len", &self.content().len).finish_non_exhaustive()
    }
}

impl File for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let content = self.content();
        let count = content.len.saturating_sub(offset).min(buf.len() as u64) as usize;
        for (page, at, chunk) in pieces(&mut buf[..count], offset) {
            match content.pages.get(&page) {
                Some(bytes) => chunk.copy_from_slice(&bytes[at..at + chunk.len()]),
                None => chunk.fill(0),
            }
        }
        Ok(count)
    }

    fn read_now(&self, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        if self.reads_block.load(Ordering::Relaxed) { Ok(None) } else { self.read_at(buf, offset).map(Some) }
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        let end = offset.checked_add(buf.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        let mut content = self.content_mut();
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            let within = (at % PAGE) as usize;
            let count = rest.len().min(PAGE as usize - within);
            let (chunk, tail) = rest.split_at(count);
            let page = content.pages.entry(at / PAGE).or_insert_with(|| Box::new([0; PAGE as usize]));
            page[within..within + count].copy_from_slice(chunk);
            rest = tail;
            at += count as u64;
        }
        content.len = content.len.max(end);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let old = self.content().len;
        if len < old {
            self.zero(len, old)?;
        }
        self.content_mut().len = len;
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.content().len)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        let content = self.content();
        let page = content.pages.range(offset / PAGE..).next();
        Ok(page.map(|(&page, _)| offset.max(page * PAGE)).filter(|&at| at < content.len))
    }

    fn zero(&self, from: u64, to: u64) -> io::Result<()> {
        let mut content = self.content_mut();
        let to = to.min(content.len);
        if from >= to {
            return Ok(());
        }
        for (&page, bytes) in content.pages.range_mut(from / PAGE..=(to - 1) / PAGE) {
            let start = from.saturating_sub(page * PAGE).min(PAGE) as usize;
            let end = to.saturating_sub(page * PAGE).min(PAGE) as usize;
            bytes[start..end].fill(0);
        }
        content.pages.retain(|&page, _| page * PAGE < from || (page + 1) * PAGE > to);
        Ok(())
    }
}

/// Cuts a buffer at page borders: page number, position in the page, piece.
fn pieces(buf: &mut [u8], offset: u64) -> impl Iterator<Item = (u64, usize, &mut [u8])> {
    let head = (PAGE - offset % PAGE).min(buf.len() as u64) as usize;
    let (first, rest) = buf.split_at_mut(head);
    let next = offset + head as u64;
    std::iter::once((offset / PAGE, (offset % PAGE) as usize, first)).chain(
        rest.chunks_mut(PAGE as usize).enumerate().map(move |(n, chunk)| (next / PAGE + n as u64, 0, chunk)),
    )
}

/// A panic elsewhere while the lock was held cannot leave these tables half changed.
fn unpoisoned<T>(guard: Result<T, PoisonError<T>>) -> T {
    guard.unwrap_or_else(PoisonError::into_inner)
}
