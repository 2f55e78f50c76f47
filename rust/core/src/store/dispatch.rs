//! From the log to the consume queues, in this direction only.
//!
//! Every written record waits here until it becomes visible (at once under asynchronous flush, after the flush under
//! synchronous flush); then its entry goes to its queue. All queues can be made again from the log.

use std::{
    collections::{BTreeMap, HashMap, VecDeque, hash_map::Entry},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    consume_queue::{ConsumeQueue, QueueEntry},
    error::StoreError,
    fs::FileSystem,
};
use crate::{filter::tags::java_hash, record::properties};

/// The topic whose queue entries hold a delivery time where others hold the tag's hash.
const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";

/// Delays in milliseconds by level, from level 1 on (Apache's default `messageDelayLevel`).
const DELAYS_MS: [i64; 18] = [
    1_000, 5_000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000, 480_000,
    540_000, 600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000,
];

/// A record on its way to its queue.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    pub(crate) topic: Arc<str>,
    pub(crate) queue_id: i32,
    pub(crate) queue_offset: u64,
    pub(crate) entry: QueueEntry,
    pub(crate) store_timestamp: i64,
}

/// A queue got messages that consumers can see now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The topic.
    pub topic: Arc<str>,
    /// The queue.
    pub queue_id: i32,
    /// The queue's new maximum: one behind this message.
    pub max_offset: i64,
    /// Hash of this message's tag.
    pub tags_code: i64,
}

/// What the queue entry of a message holds beside its place.
pub(crate) fn tags_code(topic: &str, text: &str, store_timestamp: i64) -> i64 {
    if topic == SCHEDULE_TOPIC
        && let Some(level) =
            properties::get(text, properties::DELAY).and_then(|level| level.parse::<usize>().ok())
        && level > 0
    {
        let delay = DELAYS_MS.get(level.min(DELAYS_MS.len()) - 1).copied().unwrap_or(1_000);
        return store_timestamp.saturating_add(delay);
    }
    properties::get(text, properties::TAGS).map_or(0, |tag| i64::from(java_hash(tag)))
}

/// One queue and the offset that its next record gets.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) index: ConsumeQueue,
    next: u64,
}

/// All consume queues, and the records that are on their way to them.
#[derive(Debug)]
pub(crate) struct Queues {
    fs: Arc<dyn FileSystem>,
    root: PathBuf,
    entries_per_segment: u64,
    topics: HashMap<Arc<str>, BTreeMap<i32, Queue>>,
    waiting: VecDeque<Dispatch>,
    // What was assigned since the last write of a run, to be taken back if it fails.
    assigned: Vec<(Arc<str>, i32)>,
    // Queues with entries that are put but not written.
    touched: Vec<(Arc<str>, i32)>,
    dispatched: Option<(u64, i64)>,
}

impl Queues {
    /// Opens every queue below `root`.
    pub(crate) fn open(
        fs: Arc<dyn FileSystem>,
        root: PathBuf,
        entries_per_segment: u64,
    ) -> Result<Self, StoreError> {
        let mut queues = Self {
            fs,
            root,
            entries_per_segment,
            topics: HashMap::new(),
            waiting: VecDeque::new(),
            assigned: Vec::new(),
            touched: Vec::new(),
            dispatched: None,
        };
        for topic in queues.directories(&queues.root)? {
            for id in queues.directories(&queues.root.join(&topic))? {
                if let Ok(queue_id) = id.parse() {
                    queues.queue_mut(&topic.as_str().into(), queue_id)?;
                }
            }
        }
        Ok(queues)
    }

    fn directories(&self, dir: &Path) -> Result<Vec<String>, StoreError> {
        if !self.fs.exists(dir).map_err(StoreError::io("look for", dir))? {
            return Ok(Vec::new());
        }
        let entries = self.fs.list(dir).map_err(StoreError::io("list", dir))?;
        Ok(entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name).collect())
    }

    /// A queue that exists.
    pub(crate) fn get(&self, topic: &str, queue_id: i32) -> Option<&ConsumeQueue> {
        self.topics.get(topic)?.get(&queue_id).map(|queue| &queue.index)
    }

    /// Every queue.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<str>, i32, &mut ConsumeQueue)> {
        let topics = self.topics.iter_mut();
        topics.flat_map(|(topic, queues)| {
            queues.iter_mut().map(move |(id, queue)| (topic, *id, &mut queue.index))
        })
    }

    /// Number of queues.
    pub(crate) fn len(&self) -> usize {
        self.topics.values().map(BTreeMap::len).sum()
    }

    /// The queue, opened or made if need be.
    pub(crate) fn queue_mut(&mut self, topic: &Arc<str>, queue_id: i32) -> Result<&mut Queue, StoreError> {
        let queues = match self.topics.entry(Arc::clone(topic)) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => {
                check_name(topic)?;
                place.insert(BTreeMap::new())
            }
        };
        match queues.entry(queue_id) {
            std::collections::btree_map::Entry::Occupied(found) => Ok(found.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => {
                let dir = self.root.join(&**topic).join(queue_id.to_string());
                let index = ConsumeQueue::open(Arc::clone(&self.fs), dir, self.entries_per_segment)?;
                let next = index.next();
                Ok(place.insert(Queue { index, next }))
            }
        }
    }

    /// The name as it is shared by everything that waits, and the offset for the next record of the queue.
    pub(crate) fn next_offset(&mut self, topic: &str, queue_id: i32) -> Result<(Arc<str>, u64), StoreError> {
        let name = match self.topics.get_key_value(topic) {
            Some((name, _)) => Arc::clone(name),
            None => topic.into(),
        };
        let next = self.queue_mut(&name, queue_id)?.next;
        Ok((name, next))
    }

    /// A record of the run has taken its queue offset.
    pub(crate) fn assign(&mut self, dispatch: Dispatch) -> Result<(), StoreError> {
        let queue = self.queue_mut(&dispatch.topic, dispatch.queue_id)?;
        queue.next = dispatch.queue_offset.saturating_add(1);
        self.assigned.push((Arc::clone(&dispatch.topic), dispatch.queue_id));
        self.waiting.push_back(dispatch);
        Ok(())
    }

    /// The run is written: its offsets are taken for good.
    pub(crate) fn keep_assigned(&mut self) {
        self.assigned.clear();
    }

    /// The run could not be written: its offsets are free again.
    pub(crate) fn undo_assigned(&mut self) {
        for (topic, queue_id) in std::mem::take(&mut self.assigned).into_iter().rev() {
            self.waiting.pop_back();
            if let Some(queue) = self.topics.get_mut(&topic).and_then(|queues| queues.get_mut(&queue_id)) {
                queue.next = queue.next.saturating_sub(1);
            }
        }
    }

    /// Makes the records that end at or before `upto` visible.
    ///
    /// On failure they stay invisible and are tried again with the next call.
    pub(crate) fn release(&mut self, upto: u64) -> Result<Vec<Arrival>, StoreError> {
        let mut arrivals = Vec::new();
        let mut last = None;
        while let Some(dispatch) =
            self.waiting.front().filter(|dispatch| dispatch.entry.end() <= upto).cloned()
        {
            self.put(&dispatch)?;
            self.waiting.pop_front();
            last = Some((dispatch.entry.physical, dispatch.store_timestamp));
            arrivals.push(Arrival {
                topic: dispatch.topic,
                queue_id: dispatch.queue_id,
                max_offset: dispatch.queue_offset.saturating_add(1) as i64,
                tags_code: dispatch.entry.tags_code,
            });
        }
        self.write_touched()?;
        self.dispatched = last.or(self.dispatched);
        Ok(arrivals)
    }

    /// Hands an entry to its queue; it is written with [`Self::write_touched`].
    pub(crate) fn put(&mut self, dispatch: &Dispatch) -> Result<super::consume_queue::Put, StoreError> {
        let queue = self.queue_mut(&dispatch.topic, dispatch.queue_id)?;
        let fresh = !queue.index.has_pending();
        let put = queue.index.put(dispatch.queue_offset, &dispatch.entry)?;
        if fresh && queue.index.has_pending() {
            self.touched.push((Arc::clone(&dispatch.topic), dispatch.queue_id));
        }
        Ok(put)
    }

    /// Writes what was put.
    pub(crate) fn write_touched(&mut self) -> Result<(), StoreError> {
        while let Some((topic, queue_id)) = self.touched.last() {
            if let Some(queue) = self.topics.get_mut(topic).and_then(|queues| queues.get_mut(queue_id)) {
                queue.index.write_pending()?;
            }
            self.touched.pop();
        }
        Ok(())
    }

    /// Where numbering goes on after recovery.
    pub(crate) fn restart_numbering(&mut self) {
        for queue in self.topics.values_mut().flat_map(BTreeMap::values_mut) {
            queue.next = queue.index.next();
        }
    }

    /// Position and store time of the last record whose entry is written.
    pub(crate) fn dispatched(&self) -> Option<(u64, i64)> {
        self.dispatched
    }

    pub(crate) fn set_dispatched(&mut self, physical: u64, store_timestamp: i64) {
        self.dispatched = Some((physical, store_timestamp));
    }

    /// Records that wait to become visible.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Removes a topic's queues and their files; what is on its way to them is dropped.
    pub(crate) fn remove_topic(&mut self, topic: &str) -> Result<(), StoreError> {
        check_name(topic)?;
        self.waiting.retain(|dispatch| &*dispatch.topic != topic);
        self.touched.retain(|(name, _)| &**name != topic);
        self.topics.remove(topic);
        let dir = self.root.join(topic);
        if self.fs.exists(&dir).map_err(StoreError::io("look for", &dir))? {
            self.fs.remove_dir_all(&dir).map_err(StoreError::io("remove", &dir))?;
            self.fs.sync_dir(&self.root).map_err(StoreError::io("sync", &self.root))?;
        }
        Ok(())
    }
}

/// A topic is a directory's name, so it must not lead anywhere else.
fn check_name(topic: &str) -> Result<(), StoreError> {
    let leads_away = topic.is_empty() || topic == "." || topic == ".." || topic.contains(['/', '\0']);
    if leads_away { Err(StoreError::BadTopic { topic: topic.to_owned() }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::tags_code;

    #[test]
    fn scheduled_messages_have_their_delivery_time_for_a_tag() {
        let text = "DELAY\u{1}18\u{2}TAGS\u{1}dl\u{2}";
        assert_eq!(tags_code("SCHEDULE_TOPIC_XXXX", text, 1_000), 7_201_000);
        assert_eq!(tags_code("SCHEDULE_TOPIC_XXXX", "DELAY\u{1}99\u{2}", 0), 7_200_000);
        assert_eq!(tags_code("SampleD", "DELAY\u{1}1\u{2}TAGS\u{1}TagA\u{2}", 1_000), 2_598_919);
        assert_eq!(tags_code("SCHEDULE_TOPIC_XXXX", "TAGS\u{1}TagA\u{2}", 1_000), 2_598_919);
        assert_eq!(tags_code("T", "", 1_000), 0);
    }
}
