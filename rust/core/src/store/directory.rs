//! The store's directory as a whole: who has it open, and whether it was left in order.
//!
//! `lock` carries the lock (the one that Apache's broker takes, so neither opens what the other has open); `abort`
//! exists exactly while a broker runs or after one has died.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::StoreError,
    fs::{FileSystem, Open, make_dir},
};

/// A locked directory; unlocked when dropped.
pub(crate) struct Directory {
    fs: Arc<dyn FileSystem>,
    root: PathBuf,
    _lock: Box<dyn Send + Sync>,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Directory {
    /// Makes the directory if need be and locks it.
    pub(crate) fn lock(fs: Arc<dyn FileSystem>, root: PathBuf) -> Result<Self, StoreError> {
        make_dir(&*fs, &root).map_err(StoreError::io("create", &root))?;
        let path = root.join("lock");
        let lock = fs.lock(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => StoreError::Locked { path: path.clone() },
            _ => StoreError::Io { op: "lock", path: path.clone(), source: error },
        })?;
        Ok(Self { fs, root, _lock: lock })
    }

    /// Whether the last owner did not close it in order.
    pub(crate) fn was_in_use(&self) -> Result<bool, StoreError> {
        let path = self.root.join("abort");
        self.fs.exists(&path).map_err(StoreError::io("look for", &path))
    }

    /// Says that somebody works on it.
    pub(crate) fn mark_in_use(&self, process_id: u32) -> Result<(), StoreError> {
        let previous = self.read("abort")?;
        self.write("abort.bak", &previous)?;
        self.write("abort", process_id.to_string().as_bytes())?;
        self.sync()
    }

    /// Says that it is in order.
    pub(crate) fn mark_closed(&self) -> Result<(), StoreError> {
        let path = self.root.join("abort");
        self.fs.remove_file(&path).map_err(StoreError::io("remove", &path))?;
        self.sync()
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.root.join(name);
        if !self.fs.exists(&path).map_err(StoreError::io("look for", &path))? {
            return Ok(Vec::new());
        }
        let file = self.fs.open(&path, Open::Read).map_err(StoreError::io("open", &path))?;
        // A process id; whatever else somebody put there is not worth more.
        let mut bytes = vec![0; 64];
        let count = file.read_at(&mut bytes, 0).map_err(StoreError::io("read", &path))?;
        bytes.truncate(count);
        Ok(bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.root.join(name);
        self.fs
            .open(&path, Open::Create)
            .and_then(|file| {
                file.set_len(0).and_then(|()| file.write_all_at(bytes, 0)).and_then(|()| file.sync_data())
            })
            .map_err(StoreError::io("write", &path))
    }

    fn sync(&self) -> Result<(), StoreError> {
        let root: &Path = &self.root;
        self.fs.sync_dir(root).map_err(StoreError::io("sync", root))
    }
}
