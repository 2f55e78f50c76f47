//! What is in a store, without reading all of it.

use std::sync::Arc;

use super::OfflineStore;

/// The offsets of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueBounds {
    /// The topic.
    pub topic: Arc<str>,
    /// The queue.
    pub queue_id: i32,
    /// The first offset that has a message.
    pub min: u64,
    /// The next one.
    pub max: u64,
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether the last broker stopped in order.
    pub clean: bool,
    /// Where the log begins.
    pub log_start: u64,
    /// Where its last file ends.
    pub log_files_end: u64,
    /// Files of the log.
    pub segments: usize,
    /// Bytes of each.
    pub segment_size: u64,
    /// The end of the log that was durable, where one of our brokers wrote it down.
    pub durable: Option<u64>,
    /// `physicMsgTimestamp`, `logicsMsgTimestamp` and `indexMsgTimestamp` of the checkpoint.
    pub checkpoint: Option<[i64; 3]>,
    /// All queues, by topic and number.
    pub queues: Vec<QueueBounds>,
    /// Files of queue extensions.
    pub ext_segments: usize,
    /// Bytes of each.
    pub ext_segment_size: u64,
    /// Names of the files of the index by key.
    pub index_files: Vec<String>,
}

impl OfflineStore {
    /// What the directory holds.
    pub fn inspect(&self) -> Inspection {
        let first = self.log.iter().next();
        let queues = self.queues.iter().map(|queue| QueueBounds {
            topic: Arc::clone(&queue.topic),
            queue_id: queue.id,
            min: queue.view.min,
            max: queue.view.max,
        });
        let mut queues: Vec<_> = queues.collect();
        queues.sort_by(|one, other| (&one.topic, one.queue_id).cmp(&(&other.topic, other.queue_id)));
        Inspection {
            clean: self.clean,
            log_start: self.start(),
            log_files_end: self.log.iter().last().map_or(0, |last| last.end()),
            segments: self.log.iter().count(),
            segment_size: first.map_or(0, |first| first.end() - first.base()),
            durable: self.marks.map(|marks| marks.durable),
            checkpoint: self
                .checkpoint
                .map(|values| [values.physic_timestamp, values.logics_timestamp, values.index_timestamp]),
            queues,
            ext_segments: self.queues.iter().map(|queue| queue.view.units.iter().count()).sum(),
            ext_segment_size: self.ext_segment_size().unwrap_or(0),
            index_files: self.index_files.clone(),
        }
    }
}
