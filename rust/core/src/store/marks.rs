//! `ROOT/lite.cbor`: how far the last successful flush got, which Apache's files have no room for.
//!
//! A map of `durable` (the end of the log that a successful fsync covers), `indexed` (the end of the log that is in the
//! durable index) and `index_end` (where the last message that this index knows begins, or -1), behind it the CRC-32 of the
//! map. All in CBOR, and zeros up to [`FILE_LEN`]: the length never changes, so no power cut tears a mark by losing one.
//!
//! Rules: a mark is written after what it speaks of was synced, and so may lag behind it, but never runs ahead. It is
//! synced itself only now and then: a process that dies loses nothing of it, a power cut some seconds. A file that
//! is missing or torn is no mark: Apache's directories have none.

use std::{
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use minicbor::{Decoder, Encoder, decode, encode};

use super::{
    error::StoreError,
    fs::{File, FileSystem, Open},
    sealed::{is_whole, seal},
};

const NAME: &str = "lite.cbor";
/// More than the marks ever take.
const FILE_LEN: usize = 256;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// The log position up to which all was durable: a record before it that is not whole now is damaged.
    pub(crate) durable: u64,
    /// The log position up to which all messages were in the durable index.
    pub(crate) indexed: u64,
    /// Where the last message of that index begins, -1 if it knows none; if it now ends elsewhere, `indexed` is of another
    /// index.
    pub(crate) index_end: i64,
}

impl Marks {
    fn encode(&self) -> Result<Vec<u8>, encode::Error<Infallible>> {
        let mut map = Encoder::new(Vec::new());
        map.map(3)?.str("durable")?.u64(self.durable)?;
        map.str("indexed")?.u64(self.indexed)?.str("index_end")?.i64(self.index_end)?;
        seal(map)
    }

    /// `None` for anything that was not written whole. Members that are not known are passed over.
    fn decode(bytes: &[u8]) -> Result<Option<Self>, decode::Error> {
        let mut decoder = Decoder::new(bytes);
        let mut marks = Self::default();
        for _ in 0..decoder.map()?.unwrap_or(0) {
            match decoder.str()? {
                "durable" => marks.durable = decoder.u64()?,
                "indexed" => marks.indexed = decoder.u64()?,
                "index_end" => marks.index_end = decoder.i64()?,
                _ => decoder.skip()?,
            }
        }
        Ok(is_whole(&mut decoder)?.then_some(marks))
    }
}

/// The open file. Shared with the flush plans that write it.
#[derive(Debug, Clone)]
pub(crate) struct MarksFile {
    path: PathBuf,
    file: Arc<dyn File>,
}

impl MarksFile {
    /// Opens the file, making it if it is missing, and reads it.
    ///
    /// A file without marks is durable on return, by name and length: the first marks are as durable as their bytes.
    pub(crate) fn open(fs: &dyn FileSystem, root: &Path) -> Result<(Self, Option<Marks>), StoreError> {
        let path = root.join(NAME);
        let file = fs.open(&path, Open::Create).map_err(StoreError::io("open", &path))?;
        let marks = read(&*file).map_err(StoreError::io("read", &path))?;
        let len = file.len().map_err(StoreError::io("measure", &path))?;
        if marks.is_none() || len < FILE_LEN as u64 {
            file.set_len(FILE_LEN as u64)
                .and_then(|()| file.sync_data())
                .and_then(|()| fs.sync_dir(root))
                .map_err(StoreError::io("extend", &path))?;
        }
        Ok((Self { path, file }, marks))
    }

    /// The store's directory.
    pub(crate) fn root(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Reads a file that is there without changing anything.
    pub(crate) fn read(fs: &dyn FileSystem, root: &Path) -> Result<Option<Marks>, StoreError> {
        let path = root.join(NAME);
        fs.open(&path, Open::Read).and_then(|file| read(&*file)).map_err(StoreError::io("read", &path))
    }

    /// Writes the marks; with `sync` they are durable afterwards.
    pub(crate) fn write(&self, marks: &Marks, sync: bool) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            self.file.write_all_at(&marks.encode().map_err(io::Error::other)?, 0)?;
            if sync { self.file.sync_data() } else { Ok(()) }
        };
        write().map_err(StoreError::io("write", &self.path))
    }
}

fn read(file: &dyn File) -> io::Result<Option<Marks>> {
    let mut bytes = vec![0; FILE_LEN];
    let count = file.read_at(&mut bytes, 0)?;
    bytes.truncate(count);
    Ok(Marks::decode(&bytes).ok().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemFs;

    #[test]
    fn marks_survive_shorter_and_longer_ones_in_a_file_of_one_length() {
        let fs = MemFs::new();
        fs.create_dir_all(Path::new("/s")).unwrap();
        let (file, found) = MarksFile::open(&fs, Path::new("/s")).unwrap();
        assert_eq!(found, None);
        for durable in [1 << 40, 7, u64::MAX] {
            let marks = Marks { durable, indexed: durable / 2, index_end: durable as i64 / 3 };
            file.write(&marks, true).unwrap();
            assert_eq!(MarksFile::open(&fs, Path::new("/s")).unwrap().1, Some(marks));
            assert_eq!(file.file.len().unwrap(), FILE_LEN as u64);
        }
    }

    #[test]
    fn what_was_not_written_whole_is_no_mark() {
        let bytes = Marks { durable: 123_456_789, indexed: 5, index_end: 6 }.encode().unwrap();
        for cut in 0..bytes.len() {
            let mut torn = bytes.clone();
            torn[cut..].fill(0);
            let found = Marks::decode(&torn).ok().flatten();
            assert!(found.is_none() || torn == bytes, "{cut}: {found:?}");
            torn[cut] = bytes[cut] ^ 0x10;
            torn[cut + 1..].copy_from_slice(&bytes[cut + 1..]);
            assert_eq!(Marks::decode(&torn).ok().flatten(), None, "{cut}");
        }
    }
}
