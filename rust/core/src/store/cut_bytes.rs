//! What is cut off a log, and what a repair replaces, is kept beside it: `ROOT/lite-cut/<position in the log, or path below
//! ROOT>-<number>`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::StoreError,
    fs::{BLOCK, FileSystem, Open, make_dir},
    segment::{self, Wait},
    segments::Segments,
};

/// Where cut bytes go.
#[derive(Debug)]
pub(super) struct CutBytes {
    fs: Arc<dyn FileSystem>,
    dir: PathBuf,
}

impl CutBytes {
    pub(super) fn new(fs: Arc<dyn FileSystem>, root: &Path) -> Self {
        Self { fs, dir: root.join("lite-cut") }
    }

    /// Copies `[from, from + len)` of the log into a new file, which is durable afterwards, and returns its path.
    pub(super) fn save(&self, log: &Segments, from: u64, len: u64) -> Result<PathBuf, StoreError> {
        make_dir(&*self.fs, &self.dir).map_err(StoreError::io("create", &self.dir))?;
        let path = self.free_name(&segment::name(from))?;
        let file = self.fs.open(&path, Open::Create).map_err(StoreError::io("create", &path))?;
        let mut block = vec![0; BLOCK];
        let end = from.saturating_add(len);
        let mut at = from;
        while let Some(segment) = log.find(at).filter(|_| at < end) {
            let count = (end.min(segment.end()) - at).min(BLOCK as u64) as usize;
            let bytes = block.get_mut(..count).unwrap_or_default();
            segment.read(at, bytes, Wait::Yes)?;
            file.write_all_at(bytes, at - from).map_err(StoreError::io("write", &path))?;
            at = at.saturating_add(count as u64);
        }
        file.sync_data().map_err(StoreError::io("sync", &path))?;
        self.fs.sync_dir(&self.dir).map_err(StoreError::io("sync", &self.dir))?;
        Ok(path)
    }

    /// Moves a directory here, with all that is in it, and returns where it is now.
    pub(super) fn set_aside(&self, root: &Path, name: &Path) -> Result<PathBuf, StoreError> {
        let from = root.join(name);
        let to = self.free_name(&name.to_string_lossy())?;
        let (old, new) = (from.parent().unwrap_or(root), to.parent().unwrap_or(&self.dir));
        self.fs.create_dir_all(new).map_err(StoreError::io("create", new))?;
        self.fs.rename(&from, &to).map_err(StoreError::io("rename", &from))?;
        for dir in [root, &self.dir, new, old] {
            self.fs.sync_dir(dir).map_err(StoreError::io("sync", dir))?;
        }
        Ok(to)
    }

    fn free_name(&self, name: &str) -> Result<PathBuf, StoreError> {
        for number in 0_u32.. {
            let path = self.dir.join(format!("{name}-{number}"));
            if !self.fs.exists(&path).map_err(StoreError::io("look for", &path))? {
                return Ok(path);
            }
        }
        Ok(self.dir.join(name))
    }
}
