//! One file of fixed size: a piece of the commit log or of a consume queue.
//!
//! Its name is its first logical byte position in 20 decimal digits, its length never changes after it was made,
//! and what was not written yet reads as zeros (the file is sparse).

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::StoreError,
    fs::{File, FileSystem, Open},
};

/// Digits in a segment's name.
const NAME_DIGITS: usize = 20;

/// Whether a read may wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Read what is in memory, or say that it is not.
    No,
    /// Read, however long it takes.
    Yes,
}

/// An open segment. Shared between its list, readers' snapshots and flush plans.
#[derive(Debug)]
pub(crate) struct Segment {
    base: u64,
    size: u64,
    path: PathBuf,
    file: Arc<dyn File>,
}

impl Segment {
    /// Opens an existing file, which must have the configured length.
    pub(crate) fn open(fs: &dyn FileSystem, dir: &Path, base: u64, size: u64) -> Result<Self, StoreError> {
        let path = dir.join(name(base));
        let file = fs.open(&path, Open::ReadWrite).map_err(StoreError::io("open", &path))?;
        let found = file.len().map_err(StoreError::io("measure", &path))?;
        if found != size {
            return Err(StoreError::SegmentLength { path, expected: size, found });
        }
        Ok(Self { base, size, path, file })
    }

    /// Opens an existing file, whatever its length, to be read only.
    pub(crate) fn open_read_only(fs: &dyn FileSystem, dir: &Path, base: u64) -> Result<Self, StoreError> {
        let path = dir.join(name(base));
        let file = fs.open(&path, Open::Read).map_err(StoreError::io("open", &path))?;
        let size = file.len().map_err(StoreError::io("measure", &path))?;
        Ok(Self { base, size, path, file })
    }

    /// Makes a file of the configured length that reads as zeros.
    ///
    /// What an earlier attempt left under the name is thrown away: only lists that do not have a segment make it.
    pub(crate) fn create(fs: &dyn FileSystem, dir: &Path, base: u64, size: u64) -> Result<Self, StoreError> {
        let path = dir.join(name(base));
        let file = fs.open(&path, Open::Create).map_err(StoreError::io("create", &path))?;
        if file.len().map_err(StoreError::io("measure", &path))? != 0 {
            file.set_len(0).map_err(StoreError::io("empty", &path))?;
        }
        file.set_len(size).map_err(StoreError::io("extend", &path))?;
        Ok(Self { base, size, path, file })
    }

    /// Its first logical position.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// The logical position behind it.
    pub(crate) fn end(&self) -> u64 {
        self.base.saturating_add(self.size)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that the file lies in.
    pub(crate) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(crate) fn file(&self) -> &Arc<dyn File> {
        &self.file
    }

    /// Fills `buf` from a logical position. `None`: it would have to wait.
    ///
    /// The caller asks for positions within the segment only; a file that turns out shorter is an error.
    pub(crate) fn read(&self, offset: u64, buf: &mut [u8], wait: Wait) -> Result<Option<()>, StoreError> {
        let at = offset.saturating_sub(self.base);
        let result = match wait {
            Wait::Yes => self.file.read_at(buf, at).map(Some),
            Wait::No => self.file.read_now(buf, at),
        };
        match result.map_err(StoreError::io("read", &self.path))? {
            None => Ok(None),
            Some(count) if count == buf.len() => Ok(Some(())),
            Some(count) => Err(StoreError::SegmentLength {
                path: self.path.clone(),
                expected: self.size,
                found: at.saturating_add(count as u64),
            }),
        }
    }

    /// The first logical position at or behind `offset` that may hold something but zeros.
    pub(crate) fn next_data(&self, offset: u64) -> Result<Option<u64>, StoreError> {
        let found = self.file.next_data(offset.saturating_sub(self.base));
        Ok(found.map_err(StoreError::io("read", &self.path))?.map(|at| self.base.saturating_add(at)))
    }

    /// Writes at a logical position.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let at = offset.saturating_sub(self.base);
        self.file.write_all_at(bytes, at).map_err(StoreError::io("write", &self.path))
    }

    /// Makes `[from, to)`, logical positions, read as zeros.
    pub(crate) fn zero(&self, from: u64, to: u64) -> Result<(), StoreError> {
        let (from, to) = (from.max(self.base) - self.base, to.clamp(self.base, self.end()) - self.base);
        self.file.zero(from, to).map_err(StoreError::io("zero", &self.path))
    }
}

/// The file name of the segment that begins at `base`.
pub(crate) fn name(base: u64) -> String {
    format!("{base:0NAME_DIGITS$}")
}

/// The position a file name stands for; `None` for names that are not a segment's.
pub(crate) fn parse_name(name: &str) -> Option<u64> {
    let digits = name.len() == NAME_DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_positions_in_twenty_digits() {
        assert_eq!(name(1_073_741_824), "00000000001073741824");
        assert_eq!(parse_name("00000000001073741824"), Some(1_073_741_824));
        for other in ["", "lock", "1073741824", "0000000000107374182x", "99999999999999999999"] {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }
}
