//! Files that are open, at most so many at a time: a broker with ten thousand queues has more files than it may open.
//!
//! Each file keeps its handle until others need the room; then the one that was not used for longest (about: it is a clock
//! with a second chance) is closed, and opened again by its path when it is next used. Whoever is using a handle at
//! that moment keeps it.
//!
//! A file that is about to be removed is *pinned* first: its handle stays, so that readers can end what they began.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// Handles kept at a time. Well below the 1024 that a process usually may have.
const MAX_OPEN: usize = 512;

/// The files of a process.
static OPEN: Mutex<Clock> = Mutex::new(Clock { files: Vec::new(), hand: 0 });

/// A file that can be closed and opened again.
#[derive(Debug)]
pub(super) struct PooledFile {
    path: PathBuf,
    options: fs::OpenOptions,
    // Lock order: the clock's, then a file's.
    handle: Mutex<Option<Arc<fs::File>>>,
    used: AtomicBool,
    pinned: AtomicBool,
}

impl PooledFile {
    /// Opens a file, making it now if the options say so.
    pub(super) fn open(path: &Path, options: fs::OpenOptions) -> io::Result<Arc<Self>> {
        let file = Arc::new(options.open(path)?);
        let mut again = options;
        again.create(false).truncate(false);
        let pooled = Arc::new(Self {
            path: path.to_owned(),
            options: again,
            handle: Mutex::new(Some(file)),
            used: AtomicBool::new(true),
            pinned: AtomicBool::new(false),
        });
        lock(&OPEN).add(Arc::downgrade(&pooled));
        Ok(pooled)
    }

    /// A handle to use; while it is held the file stays open.
    pub(super) fn handle(self: &Arc<Self>) -> io::Result<Arc<fs::File>> {
        self.used.store(true, Ordering::Relaxed);
        if let Some(file) = &*lock(&self.handle) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.options.open(&self.path)?);
        let mut handle = lock(&self.handle);
        if let Some(theirs) = &*handle {
            return Ok(Arc::clone(theirs));
        }
        *handle = Some(Arc::clone(&file));
        drop(handle);
        lock(&OPEN).add(Arc::downgrade(self));
        Ok(file)
    }

    /// Keeps the file open for as long as anybody has it.
    pub(super) fn pin(self: &Arc<Self>) -> io::Result<()> {
        self.pinned.store(true, Ordering::Relaxed);
        self.handle().map(drop)
    }
}

/// Which files have handles, in a ring.
#[derive(Debug)]
struct Clock {
    files: Vec<Weak<PooledFile>>,
    hand: usize,
}

impl Clock {
    fn add(&mut self, file: Weak<PooledFile>) {
        if self.files.len() >= MAX_OPEN {
            self.make_room();
        }
        self.files.push(file);
    }

    /// Closes one file. If all are pinned there is one too many.
    fn make_room(&mut self) {
        // Twice around: in the first round everybody may have been used.
        for _ in 0..self.files.len().saturating_mul(2) {
            self.hand = if self.hand < self.files.len() { self.hand } else { 0 };
            let Some(file) = self.files.get(self.hand).map(Weak::upgrade) else { return };
            match file {
                Some(file)
                    if file.pinned.load(Ordering::Relaxed) || file.used.swap(false, Ordering::Relaxed) =>
                {
                    self.hand += 1;
                }
                file => {
                    if let Some(file) = file {
                        *lock(&file.handle) = None;
                    }
                    self.files.swap_remove(self.hand);
                    return;
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
