//! The checkpoint: how far log and queues are known to be on the disk.
//!
//! ```text
//!  0 physic timestamp | 8 logics timestamp | 16 index timestamp | 24 master flushed offset
//!  | 32 confirm offset | 40 logics physical offset | zeros up to 4096       i64, big-endian
//! ```
//!
//! Rule: a field is never newer than durable data. It may be as old as it likes, recovery only takes longer then;
//! so the file is written after the flush that it tells of and itself becomes durable with a later one.

use std::{path::Path, sync::Arc};

use super::{
    error::StoreError,
    fs::{File, FileSystem, Open},
};

/// The file's length, Apache's page.
const FILE_LEN: u64 = 4096;
const FIELDS: usize = 6;

/// What the checkpoint says. Store times are milliseconds; offsets are positions in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Positions {
    /// Store time up to which the log is durable.
    pub(crate) physic_timestamp: i64,
    /// Store time up to which the consume queues are durable.
    pub(crate) logics_timestamp: i64,
    /// Start of the last record whose consume queue entry is durable; 0 when not known.
    pub(crate) logics_physical: i64,
}

/// The open file and what it says.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    file: Arc<dyn File>,
    fields: [i64; FIELDS],
}

impl Checkpoint {
    /// Opens the file; one that does not exist is made and says zero.
    pub(crate) fn open(fs: &dyn FileSystem, path: &Path) -> Result<Self, StoreError> {
        let file = fs.open(path, Open::Create).map_err(StoreError::io("open", path))?;
        if file.len().map_err(StoreError::io("measure", path))? < FILE_LEN {
            file.set_len(FILE_LEN).map_err(StoreError::io("extend", path))?;
        }
        let mut bytes = [0; FIELDS * 8];
        file.read_at(&mut bytes, 0).map_err(StoreError::io("read", path))?;
        let mut fields = [0; FIELDS];
        let (words, _) = bytes.as_chunks::<8>();
        for (field, word) in fields.iter_mut().zip(words) {
            *field = i64::from_be_bytes(*word);
        }
        Ok(Self { file, fields })
    }

    pub(crate) fn positions(&self) -> Positions {
        let [physic_timestamp, logics_timestamp, _, _, _, logics_physical] = self.fields;
        Positions { physic_timestamp, logics_timestamp, logics_physical }
    }

    /// Writes what a flush has made true.
    pub(crate) fn set(&mut self, positions: Positions) -> std::io::Result<()> {
        self.fields[0] = positions.physic_timestamp;
        self.fields[1] = positions.logics_timestamp;
        self.fields[5] = positions.logics_physical;
        let bytes: Vec<u8> = self.fields.iter().flat_map(|field| field.to_be_bytes()).collect();
        self.file.write_all_at(&bytes, 0)
    }

    pub(crate) fn file(&self) -> &Arc<dyn File> {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemFs;

    #[test]
    fn positions_survive_reopening_and_foreign_fields_are_kept() {
        let fs = MemFs::new();
        let path = Path::new("/store/checkpoint");
        fs.create_dir_all(Path::new("/store")).unwrap();
        let mut checkpoint = Checkpoint::open(&fs, path).unwrap();
        assert_eq!(checkpoint.positions(), Positions::default());
        checkpoint.file().write_all_at(&7_i64.to_be_bytes(), 16).unwrap();
        checkpoint = Checkpoint::open(&fs, path).unwrap();
        let positions = Positions { physic_timestamp: 3, logics_timestamp: 2, logics_physical: 1 };
        checkpoint.set(positions).unwrap();
        let reopened = Checkpoint::open(&fs, path).unwrap();
        assert_eq!(reopened.positions(), positions);
        assert_eq!(reopened.fields, [3, 2, 7, 0, 0, 1]);
        assert_eq!(reopened.file().len().unwrap(), FILE_LEN);
    }
}
