//! `ROOT/lite-queues.cbor`: which queues there are, so that one whose directory alone is lost does not pass for one that
//! never was.
//!
//! A map of topics to arrays of queue numbers, behind it its CRC-32, all in CBOR. It is replaced as a whole when a queue has
//! come or gone, together with a round of flushes that makes the queue's files durable. A file that is missing or damaged
//! says nothing: Apache's directories have none.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
};

use minicbor::{Decoder, Encoder, decode, encode};

use super::{
    error::StoreError,
    fs::{FileSystem, Open},
    sealed::{is_whole, seal},
};

const NAME: &str = "lite-queues.cbor";

/// The queues of a store, by topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KnownQueues(BTreeMap<Arc<str>, BTreeSet<i32>>);

impl KnownQueues {
    /// What the file says.
    pub(crate) fn read(fs: &dyn FileSystem, root: &Path) -> Result<Option<Self>, StoreError> {
        let path = root.join(NAME);
        if !fs.exists(&path).map_err(StoreError::io("look for", &path))? {
            return Ok(None);
        }
        let file = fs.open(&path, Open::Read).map_err(StoreError::io("open", &path))?;
        let len = file.len().map_err(StoreError::io("measure", &path))?;
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        let count = file.read_at(&mut bytes, 0).map_err(StoreError::io("read", &path))?;
        bytes.truncate(count);
        Ok(Self::decode(&bytes).ok().flatten())
    }

    /// Replaces the file; on return the new one is durable.
    pub(crate) fn write(&self, fs: &dyn FileSystem, root: &Path) -> Result<(), StoreError> {
        let (path, fresh) = (root.join(NAME), root.join(format!("{NAME}.tmp")));
        let bytes = self.encode().map_err(std::io::Error::other);
        bytes
            .and_then(|bytes| {
                let file = fs.open(&fresh, Open::Create)?;
                file.set_len(0)?;
                file.write_all_at(&bytes, 0)?;
                file.sync_data()
            })
            .and_then(|()| fs.rename(&fresh, &path))
            .and_then(|()| fs.sync_dir(root))
            .map_err(StoreError::io("write", &path))
    }

    pub(crate) fn insert(&mut self, topic: &Arc<str>, queue_id: i32) {
        self.0.entry(Arc::clone(topic)).or_default().insert(queue_id);
    }

    /// Those that are not among the others, but for topics that are known to have been removed.
    pub(crate) fn lost(&self, others: &Self, topics: Option<&BTreeSet<String>>) -> Vec<(Arc<str>, i32)> {
        let still_there = |topic: &Arc<str>| topics.is_none_or(|topics| topics.contains(&**topic));
        let queues = self.0.iter().filter(|(topic, _)| still_there(topic));
        queues
            .flat_map(|(topic, ids)| ids.iter().map(|id| (Arc::clone(topic), *id)))
            .filter(|(topic, id)| others.0.get(topic).is_none_or(|ids| !ids.contains(id)))
            .collect()
    }

    fn encode(&self) -> Result<Vec<u8>, encode::Error<Infallible>> {
        let mut map = Encoder::new(Vec::new());
        map.map(self.0.len() as u64)?;
        for (topic, ids) in &self.0 {
            map.str(topic)?.array(ids.len() as u64)?;
            for id in ids {
                map.i32(*id)?;
            }
        }
        seal(map)
    }

    /// `None` for anything that was not written whole.
    fn decode(bytes: &[u8]) -> Result<Option<Self>, decode::Error> {
        let mut decoder = Decoder::new(bytes);
        let mut known = Self::default();
        for _ in 0..decoder.map()?.unwrap_or(0) {
            let topic: Arc<str> = decoder.str()?.into();
            for _ in 0..decoder.array()?.unwrap_or(0) {
                known.insert(&topic, decoder.i32()?);
            }
        }
        Ok(is_whole(&mut decoder)?.then_some(known))
    }
}

/// The directory of a queue.
pub(crate) fn queue_dir(root: &Path, topic: &str, queue_id: i32) -> PathBuf {
    root.join("consumequeue").join(topic).join(queue_id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemFs;

    fn known(queues: &[(&str, i32)]) -> KnownQueues {
        let mut known = KnownQueues::default();
        for (topic, id) in queues {
            known.insert(&Arc::from(*topic), *id);
        }
        known
    }

    #[test]
    fn the_file_says_what_was_written_last_or_nothing() {
        let (fs, root) = (MemFs::new(), Path::new("/s"));
        fs.create_dir_all(root).unwrap();
        assert_eq!(KnownQueues::read(&fs, root).unwrap(), None);
        let many: Vec<_> = (0..5_000).map(|id| ("a-topic", id)).collect();
        for queues in [&many[..], &[("é", 7), ("b", 0)], &[]] {
            known(queues).write(&fs, root).unwrap();
            assert_eq!(KnownQueues::read(&fs, root).unwrap(), Some(known(queues)));
        }
        known(&many).write(&fs, root).unwrap();
        let file = fs.open(&root.join(NAME), Open::ReadWrite).unwrap();
        file.set_len(file.len().unwrap() - 1).unwrap();
        assert_eq!(KnownQueues::read(&fs, root).unwrap(), None);
    }

    #[test]
    fn lost_is_what_is_missing_of_topics_that_are_still_there() {
        let (all, some) = (known(&[("a", 0), ("a", 1), ("b", 0)]), known(&[("a", 1), ("c", 0)]));
        let lost = |topics: Option<&[&str]>| {
            let topics = topics.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            all.lost(&some, topics.as_ref())
        };
        assert_eq!(lost(None), [("a".into(), 0), ("b".into(), 0)]);
        assert_eq!(lost(Some(&["a", "c"])), [("a".into(), 0)]);
        assert_eq!(lost(Some(&[])), []);
    }
}
