//! From the log to the consume queues; nothing flows the other way.
//!
//! What an entry needs is noted when a record is appended, so nothing is read back. Notes wait in log order: first
//! with their run until that is written, then until the owner releases them, which is what makes a message visible.
//! Notes of a queue that was removed meanwhile go the same way and end nowhere.

use std::{collections::VecDeque, sync::Arc};

use super::{
    checkpoint::Position,
    delays::{Delays, SCHEDULE_TOPIC},
    error::StoreError,
    queue_entry::QueueEntry,
    queues::{QueueId, Queues},
};
use crate::filter::tags::tags_hash;

/// A message became visible: who waits for one on this queue can have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The topic.
    pub topic: Arc<str>,
    /// The queue.
    pub queue_id: i32,
    /// The offset behind the message.
    pub max_offset: i64,
    /// What a filter by tags asks.
    pub tags_code: i64,
    /// When it was stored, in milliseconds since the epoch.
    pub store_timestamp: i64,
}

/// What the queue entry of a message holds beside its place.
pub(crate) fn tags_code(delays: &Delays, topic: &str, text: &str, store_timestamp: i64) -> i64 {
    let due = if topic == SCHEDULE_TOPIC { delays.due(text, store_timestamp) } else { None };
    due.unwrap_or_else(|| tags_hash(text))
}

/// What a consume queue needs to know of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) queue: QueueId,
    pub(crate) queue_offset: i64,
    pub(crate) entry: QueueEntry,
    pub(crate) store_timestamp: i64,
}

/// The records on their way from the log to their queues.
#[derive(Debug, Default)]
pub(crate) struct Dispatcher {
    run: Vec<Note>,
    backlog: VecDeque<Note>,
    arrivals: Vec<Arrival>,
    reached: Position,
}

impl Dispatcher {
    /// Goes on behind what recovery dispatched.
    pub(crate) fn new(reached: Position) -> Self {
        Self { reached, ..Self::default() }
    }

    /// The last record whose entry was given to its queue.
    pub(crate) fn reached(&self) -> Position {
        self.reached
    }

    /// A record was appended to the run.
    pub(crate) fn note(&mut self, note: Note) {
        self.run.push(note);
    }

    /// The run is written: its records wait for their release.
    pub(crate) fn run_written(&mut self) {
        self.backlog.extend(self.run.drain(..));
    }

    /// How many records the run has.
    pub(crate) fn run_len(&self) -> usize {
        self.run.len()
    }

    /// The run's records from the given one on will not be written: their queue offsets are free again.
    pub(crate) fn undo_from(&mut self, first: usize, queues: &mut Queues) {
        for note in self.run.drain(first.min(self.run.len())..).rev() {
            if let Some(queue) = queues.get_mut(note.queue) {
                queue.next = note.queue_offset;
            }
        }
    }

    /// Gives the queues the entries of all records that end at or before a log position, and says what arrived.
    ///
    /// What a failing queue could not take stays pending there, invisible, and is reported by a later call that
    /// succeeds.
    pub(crate) fn release(&mut self, upto: u64, queues: &mut Queues) -> Result<Vec<Arrival>, StoreError> {
        while let Some(note) = self.backlog.front().filter(|note| note.entry.end() <= upto).copied() {
            self.backlog.pop_front();
            self.put(&note, queues)?;
        }
        queues.write_pending()?;
        Ok(std::mem::take(&mut self.arrivals))
    }

    /// How many written records wait for their release.
    pub(crate) fn backlog_len(&self) -> usize {
        self.backlog.len()
    }

    fn put(&mut self, note: &Note, queues: &mut Queues) -> Result<(), StoreError> {
        queues.put(note.queue, note.queue_offset as u64, &note.entry, note.store_timestamp)?;
        self.reached =
            Position { physical: note.entry.physical as i64, store_timestamp: note.store_timestamp };
        if let Some(queue) = queues.get(note.queue) {
            self.arrivals.push(Arrival {
                topic: Arc::clone(&queue.topic),
                queue_id: queue.id,
                max_offset: note.queue_offset.saturating_add(1),
                tags_code: note.entry.tags_code,
                store_timestamp: note.store_timestamp,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Delays, tags_code};

    #[test]
    fn scheduled_messages_have_their_delivery_time_for_a_tag() {
        let tags_code = |topic, text, time| tags_code(&Delays::default(), topic, text, time);
        let text = "DELAY\u{1}18\u{2}TAGS\u{1}dl\u{2}";
        assert_eq!(tags_code("SCHEDULE_TOPIC_XXXX", text, 1_000), 7_201_000);
        assert_eq!(tags_code("SCHEDULE_TOPIC_XXXX", "DELAY\u{1}99\u{2}", 0), 7_200_000);
        assert_eq!(tags_code("SampleD", "DELAY\u{1}1\u{2}TAGS\u{1}TagA\u{2}", 1_000), 2_598_919);
        assert_eq!(tags_code("SCHEDULE_TOPIC_XXXX", "TAGS\u{1}TagA\u{2}", 1_000), 2_598_919);
        assert_eq!(tags_code("T", "", 1_000), 0);
    }
}
