//! A memory file system that calls a test's function before each write, each sync and each read that may wait.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{Entry, File, FileSystem, MemFs, Open};

/// What happens before a call; may panic or wait.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

/// The file system.
#[derive(Clone)]
pub struct HookFs {
    inner: MemFs,
    on_write: Hook,
    on_sync: Hook,
    on_read: Hook,
}

impl std::fmt::Debug for HookFs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookFs")
    }
}

impl HookFs {
    pub fn on_write(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_write: Arc::new(hook), ..Self::new() }
    }

    pub fn on_sync(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_sync: Arc::new(hook), ..Self::new() }
    }

    pub fn on_read(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_read: Arc::new(hook), ..Self::new() }
    }

    /// Whether only a read that may wait gives anything.
    pub fn block_reads(&self, blocked: bool) {
        self.inner.block_reads(blocked);
    }

    fn new() -> Self {
        let nothing: Hook = Arc::new(|| ());
        Self {
            inner: MemFs::new(),
            on_write: Arc::clone(&nothing),
            on_sync: Arc::clone(&nothing),
            on_read: nothing,
        }
    }
}

impl FileSystem for HookFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(HookFile { inner: self.inner.open(path, how)?, hooks: self.clone() }))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(dir)
    }
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_file(path)
    }
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.remove_dir_all(dir)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.sync_dir(dir)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.inner.exists(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.inner.lock(path)
    }
}

#[derive(Debug)]
struct HookFile {
    inner: Arc<dyn File>,
    hooks: HookFs,
}

impl File for HookFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        (self.hooks.on_read)();
        self.inner.read_at(buf, offset)
    }
    fn read_now(&self, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        self.inner.read_now(buf, offset)
    }
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        (self.hooks.on_write)();
        self.inner.write_all_at(buf, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
    fn sync_data(&self) -> io::Result<()> {
        (self.hooks.on_sync)();
        self.inner.sync_data()
    }
}
