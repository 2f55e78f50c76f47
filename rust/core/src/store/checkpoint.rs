//! `ROOT/checkpoint`: the few positions recovery starts from.
//!
//! ```text
//!  0 physicMsgTimestamp | 8 logicsMsgTimestamp | 16 indexMsgTimestamp | 24 masterFlushedOffset
//!  | 32 confirmPhyOffset | 40 logicsPhysicalOffset | zeros up to 4096      each an i64, big-endian
//! ```
//!
//! Rules: a value never runs ahead of what is durable, so it is written only after the files it speaks of were
//! synced. Each field has one writer: `indexMsgTimestamp` the index, at its own times and from its own thread, the others
//! the flush. Fields that this store does not keep are carried over as they were found.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::StoreError,
    fs::{File, FileSystem, Open},
};

const FILE_LEN: u64 = 4096;
const FIELDS: usize = 6;
const FIELD_LEN: usize = 8;
const INDEX_AT: usize = 16;

/// Apache takes this off the older of the two time stamps, since time stamps do not tell records apart.
const TIMESTAMP_MARGIN_MS: i64 = 3000;

/// A record by its place and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub(crate) physical: i64,
    pub(crate) store_timestamp: i64,
}

/// The values of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Checkpoint {
    /// Store time up to which the log is durable.
    pub(crate) physic_timestamp: i64,
    /// Store time up to which the consume queues are durable.
    pub(crate) logics_timestamp: i64,
    /// End time of the last durable full index file.
    pub(crate) index_timestamp: i64,
    /// Of the slave that acts as master.
    pub(crate) master_flushed_offset: i64,
    /// What the in-sync replicas have.
    pub(crate) confirm_offset: i64,
    /// Where the last record begins whose consume queue entry is durable; 0 when not known.
    pub(crate) logics_physical_offset: i64,
}

impl Checkpoint {
    /// Store time up to which log and consume queues are surely durable.
    pub(crate) fn min_timestamp(&self) -> i64 {
        self.physic_timestamp.min(self.logics_timestamp).saturating_sub(TIMESTAMP_MARGIN_MS).max(0)
    }

    /// The last record whose consume queue entry is durable.
    pub(crate) fn dispatched(&self) -> Position {
        Position { physical: self.logics_physical_offset, store_timestamp: self.logics_timestamp }
    }

    pub(crate) fn set_dispatched(&mut self, position: Position) {
        self.logics_physical_offset = position.physical;
        self.logics_timestamp = position.store_timestamp;
    }

    fn encode(&self) -> Vec<u8> {
        let fields = [
            self.physic_timestamp,
            self.logics_timestamp,
            self.index_timestamp,
            self.master_flushed_offset,
            self.confirm_offset,
            self.logics_physical_offset,
        ];
        fields.iter().flat_map(|field| field.to_be_bytes()).collect()
    }

    fn decode(bytes: &[u8; FIELDS * FIELD_LEN]) -> Self {
        let mut fields = bytes.as_chunks::<FIELD_LEN>().0.iter().map(|bytes| i64::from_be_bytes(*bytes));
        let mut next = || fields.next().unwrap_or(0);
        Self {
            physic_timestamp: next(),
            logics_timestamp: next(),
            index_timestamp: next(),
            master_flushed_offset: next(),
            confirm_offset: next(),
            logics_physical_offset: next(),
        }
    }
}

/// The open file. Shared with the flush plans that write it.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
    file: Arc<dyn File>,
}

impl CheckpointFile {
    /// Opens the file, making it if it is missing, and reads it. A short one counts as zeros.
    pub(crate) fn open(fs: &dyn FileSystem, path: &Path) -> Result<(Self, Checkpoint), StoreError> {
        let file = fs.open(path, Open::Create).map_err(StoreError::io("open", path))?;
        if file.len().map_err(StoreError::io("measure", path))? < FILE_LEN {
            file.set_len(FILE_LEN).map_err(StoreError::io("extend", path))?;
        }
        let mut bytes = [0; FIELDS * FIELD_LEN];
        file.read_at(&mut bytes, 0).map_err(StoreError::io("read", path))?;
        Ok((Self { path: path.to_owned(), file }, Checkpoint::decode(&bytes)))
    }

    /// Reads the values without changing anything. A short file counts as zeros.
    pub(crate) fn read(fs: &dyn FileSystem, path: &Path) -> Result<Checkpoint, StoreError> {
        let mut bytes = [0; FIELDS * FIELD_LEN];
        fs.open(path, Open::Read)
            .and_then(|file| file.read_at(&mut bytes, 0))
            .map_err(StoreError::io("read", path))?;
        Ok(Checkpoint::decode(&bytes))
    }

    /// Writes all values but the index's; with `sync` they are durable afterwards.
    pub(crate) fn write(&self, values: &Checkpoint, sync: bool) -> Result<(), StoreError> {
        let bytes = values.encode();
        let (before, rest) = bytes.split_at(INDEX_AT);
        let behind = rest.get(FIELD_LEN..).unwrap_or_default();
        let write = || -> io::Result<()> {
            self.file.write_all_at(before, 0)?;
            self.file.write_all_at(behind, (INDEX_AT + FIELD_LEN) as u64)?;
            if sync { self.file.sync_data() } else { Ok(()) }
        };
        write().map_err(StoreError::io("write", &self.path))
    }

    /// Writes the index's value, which is durable afterwards.
    pub(crate) fn write_index_timestamp(&self, timestamp: i64) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            self.file.write_all_at(&timestamp.to_be_bytes(), INDEX_AT as u64)?;
            self.file.sync_data()
        };
        write().map_err(StoreError::io("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemFs;

    #[test]
    fn fields_lie_where_apache_has_them_and_survive() {
        let fs = MemFs::new();
        fs.create_dir_all(Path::new("/s")).unwrap();
        let path = Path::new("/s/checkpoint");
        let (file, found) = CheckpointFile::open(&fs, path).unwrap();
        assert_eq!(found, Checkpoint::default());
        let values = Checkpoint {
            physic_timestamp: 1,
            logics_timestamp: 2,
            index_timestamp: 3,
            master_flushed_offset: 4,
            confirm_offset: 5,
            logics_physical_offset: 6,
        };
        file.write(&values, true).unwrap();
        file.write_index_timestamp(3).unwrap();
        let mut bytes = vec![0; 4096];
        assert_eq!(fs.open(path, Open::Read).unwrap().read_at(&mut bytes, 0).unwrap(), 4096);
        assert_eq!(
            bytes.iter().skip(7).step_by(8).take(7).copied().collect::<Vec<_>>(),
            [1, 2, 3, 4, 5, 6, 0]
        );
        assert_eq!(CheckpointFile::open(&fs, path).unwrap().1, values);
    }

    #[test]
    fn the_margin_stops_at_zero() {
        let values = Checkpoint { physic_timestamp: 10_000, logics_timestamp: 5000, ..Checkpoint::default() };
        assert_eq!(values.min_timestamp(), 2000);
        assert_eq!(Checkpoint { physic_timestamp: 10_000, ..Checkpoint::default() }.min_timestamp(), 0);
    }
}
