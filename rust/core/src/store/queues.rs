//! All consume queues, and the table of the offsets that the next messages get.
//!
//! `next` runs ahead of what a queue holds: it counts what was appended, a queue what was dispatched.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    consume_queue::ConsumeQueue,
    consume_queue_ext::ConsumeQueueExt,
    delays::Delays,
    error::StoreError,
    fs::FileSystem,
    known_queues::KnownQueues,
    queue_entry::{QueueEntry, QueueView},
    segment::Segment,
    settings::StoreSettings,
};

/// Directories of the store's root: of queues, and of their extensions.
pub(crate) const QUEUES: &str = "consumequeue";
pub(crate) const EXTENSIONS: &str = "consumequeue_ext";

/// Which queue; valid until its topic is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueueId(usize);

/// One queue with its names.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) topic: Arc<str>,
    pub(crate) id: i32,
    /// The offset for the next message appended.
    pub(crate) next: i64,
    pub(crate) entries: ConsumeQueue,
}

/// The consume queues of a store.
#[derive(Debug)]
pub(crate) struct Queues {
    fs: Arc<dyn FileSystem>,
    root: PathBuf,
    entries_per_segment: u64,
    ext_root: PathBuf,
    ext_segment_size: Option<u64>,
    delays: Delays,
    topics: HashMap<Arc<str>, BTreeMap<i32, QueueId>>,
    // Places of removed queues stay empty: an id is never used for another queue.
    all: Vec<Option<Queue>>,
    // Queues with entries that are not written yet.
    pending: BTreeSet<QueueId>,
    // Queues with entries that no flush has taken up yet.
    unsynced: BTreeSet<QueueId>,
    were_lost: bool,
    // Whether a queue has come or gone since the list of them was written.
    has_changed: bool,
}

impl Queues {
    /// Opens every queue of a store. Names that are no queue's are passed over.
    pub(crate) fn open(fs: Arc<dyn FileSystem>, settings: &StoreSettings) -> Result<Self, StoreError> {
        let root = settings.root.join(QUEUES);
        let were_lost = !fs.exists(&root).map_err(StoreError::io("look for", &root))?;
        let mut queues = Self {
            fs,
            root,
            entries_per_segment: settings.consume_queue_entries,
            ext_root: settings.root.join(EXTENSIONS),
            ext_segment_size: settings.ext_segment_size,
            delays: settings.delays.clone(),
            topics: HashMap::new(),
            all: Vec::new(),
            pending: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            were_lost,
            has_changed: false,
        };
        for topic in dirs_in(&*queues.fs, &queues.root)? {
            for name in dirs_in(&*queues.fs, &queues.root.join(&topic))? {
                if let Some(queue_id) = name.parse().ok().filter(|id: &i32| *id >= 0) {
                    queues.add(&topic, queue_id)?;
                }
            }
        }
        Ok(queues)
    }

    /// What entries of delayed messages are made with.
    pub(crate) fn delays(&self) -> &Delays {
        &self.delays
    }

    /// Whether not even their directory was there.
    pub(crate) fn were_lost(&self) -> bool {
        self.were_lost
    }

    /// The queues that have files.
    pub(crate) fn known(&self) -> KnownQueues {
        let mut known = KnownQueues::default();
        for (_, queue) in self.iter().filter(|(_, queue)| queue.entries.has_files()) {
            known.insert(&queue.topic, queue.id);
        }
        known
    }

    /// Says what the written list of queues is.
    pub(crate) fn compare_known(&mut self, written: Option<&KnownQueues>) {
        self.has_changed = written != Some(&self.known());
    }

    /// Has the list of queues written again.
    pub(crate) fn note_changed(&mut self) {
        self.has_changed = true;
    }

    /// The queues, if some have come or gone since this was last asked.
    pub(crate) fn take_changed(&mut self) -> Option<KnownQueues> {
        std::mem::take(&mut self.has_changed).then(|| self.known())
    }

    /// Makes that directory: from here on it is known which queues there are.
    pub(crate) fn make_root(&self) -> Result<(), StoreError> {
        self.fs.create_dir_all(&self.root).map_err(StoreError::io("create", &self.root))
    }

    /// The queue of that name, if there is one.
    pub(crate) fn find(&self, topic: &str, queue_id: i32) -> Option<QueueId> {
        self.topics.get(topic)?.get(&queue_id).copied()
    }

    /// The queue of that name; made, in memory only, if there is none.
    pub(crate) fn find_or_add(&mut self, topic: &str, queue_id: i32) -> Result<QueueId, StoreError> {
        match self.find(topic, queue_id) {
            Some(id) => Ok(id),
            None => self.add(topic, queue_id),
        }
    }

    pub(crate) fn get(&self, id: QueueId) -> Option<&Queue> {
        self.all.get(id.0)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: QueueId) -> Option<&mut Queue> {
        self.all.get_mut(id.0)?.as_mut()
    }

    /// How many queues there are.
    pub(crate) fn len(&self) -> usize {
        self.iter().count()
    }

    /// What readers need of a queue.
    pub(crate) fn view(&self, topic: &str, queue_id: i32) -> Option<QueueView> {
        self.find(topic, queue_id).and_then(|id| self.get(id)).map(|queue| queue.entries.view())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (QueueId, &Queue)> {
        self.all.iter().enumerate().filter_map(|(at, queue)| Some((QueueId(at), queue.as_ref()?)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.all.iter_mut().flatten()
    }

    /// Takes an entry that has its queue's next offset; [`Self::write_pending`] makes it visible.
    pub(crate) fn put(
        &mut self,
        id: QueueId,
        at: u64,
        entry: &QueueEntry,
        store_timestamp: i64,
    ) -> Result<(), StoreError> {
        if let Some(queue) = self.all.get_mut(id.0).and_then(Option::as_mut) {
            queue.entries.put(at, entry, store_timestamp)?;
            self.pending.insert(id);
        }
        Ok(())
    }

    /// Notes that entries were put into a queue directly.
    pub(crate) fn note_pending(&mut self, id: QueueId) {
        self.pending.insert(id);
    }

    /// Writes all entries that were put. What fails stays pending, and is what the next call starts with.
    pub(crate) fn write_pending(&mut self) -> Result<(), StoreError> {
        while let Some(&id) = self.pending.first() {
            if let Some(queue) = self.get_mut(id) {
                let is_new = !queue.entries.has_files();
                queue.entries.write_pending()?;
                self.has_changed |= is_new;
            }
            self.pending.remove(&id);
            self.unsynced.insert(id);
        }
        Ok(())
    }

    /// Whether entries wait for [`Self::write_pending`].
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Segments of a queue to sync, and directories whose names have to be; they count as synced from here on.
    pub(crate) fn take_unsynced(&mut self, id: QueueId, names: &mut BTreeSet<PathBuf>) -> Vec<Arc<Segment>> {
        self.unsynced.remove(&id);
        self.get_mut(id).map_or_else(Vec::new, |queue| queue.entries.take_unsynced(names))
    }

    /// The queues with entries that no flush has taken up yet.
    pub(crate) fn unsynced(&self) -> impl Iterator<Item = QueueId> {
        self.unsynced.iter().copied()
    }

    /// Notes the queues that were changed directly.
    pub(crate) fn note_unsynced(&mut self) {
        let changed = self.iter().filter(|(_, queue)| queue.entries.is_unsynced()).map(|(id, _)| id);
        self.unsynced = changed.collect();
    }

    /// Removes the queues of a topic and their files.
    pub(crate) fn remove_topic(&mut self, topic: &str) -> Result<(), StoreError> {
        let Some(queues) = self.topics.get(topic) else { return Ok(()) };
        let ids: Vec<QueueId> = queues.values().copied().collect();
        // Extensions may be there from before they were turned off.
        for root in [&self.root, &self.ext_root] {
            remove_dir(&*self.fs, root, topic)?;
        }
        self.has_changed = true;
        self.topics.remove(topic);
        for id in &ids {
            self.pending.remove(id);
            self.unsynced.remove(id);
            if let Some(place) = self.all.get_mut(id.0) {
                *place = None;
            }
        }
        Ok(())
    }

    fn add(&mut self, topic: &str, queue_id: i32) -> Result<QueueId, StoreError> {
        let name = name_of(topic, queue_id)?;
        let ext = match self.ext_segment_size {
            Some(size) => Some(ConsumeQueueExt::open(Arc::clone(&self.fs), self.ext_root.join(&name), size)?),
            None => None,
        };
        let (fs, dir) = (Arc::clone(&self.fs), self.root.join(&name));
        let mut entries = ConsumeQueue::open(fs, dir, self.entries_per_segment, ext)?;
        if !entries.has_files() {
            // Units of a queue that was lost, or removed by a broker that did not look here.
            entries.cut_units(0)?;
        }
        let topic = match self.topics.get_key_value(topic) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(topic),
        };
        let id = QueueId(self.all.len());
        self.topics.entry(Arc::clone(&topic)).or_default().insert(queue_id, id);
        self.all.push(Some(Queue { topic, id: queue_id, next: entries.max() as i64, entries }));
        Ok(id)
    }
}

/// Of the directory of a queue, below that of all queues. Topics come from clients: theirs must stay one name.
fn name_of(topic: &str, queue_id: i32) -> Result<PathBuf, StoreError> {
    if topic.is_empty() || topic == "." || topic == ".." || topic.contains(['/', '\0']) {
        return Err(StoreError::BadTopic { topic: topic.to_owned() });
    }
    if queue_id < 0 {
        return Err(StoreError::BadQueue { topic: topic.to_owned(), queue_id });
    }
    Ok(Path::new(topic).join(queue_id.to_string()))
}

/// Removes a directory with all that is in it, for good; it need not be there.
fn remove_dir(fs: &dyn FileSystem, root: &Path, name: &str) -> Result<(), StoreError> {
    let dir = root.join(name);
    if fs.exists(&dir).map_err(StoreError::io("look for", &dir))? {
        fs.remove_dir_all(&dir).map_err(StoreError::io("remove", &dir))?;
    }
    if fs.exists(root).map_err(StoreError::io("look for", root))? {
        fs.sync_dir(root).map_err(StoreError::io("sync", root))?;
    }
    Ok(())
}

/// The directories in a directory, in order; none in one that is not there.
pub(super) fn dirs_in(fs: &dyn FileSystem, dir: &Path) -> Result<Vec<String>, StoreError> {
    if !fs.exists(dir).map_err(StoreError::io("look for", dir))? {
        return Ok(Vec::new());
    }
    let entries = fs.list(dir).map_err(StoreError::io("list", dir))?;
    let mut names: Vec<String> =
        entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name).collect();
    names.sort_unstable();
    Ok(names)
}
