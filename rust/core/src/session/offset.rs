//! Consumer offsets: the table, `QUERY_CONSUMER_OFFSET` (14) and `UPDATE_CONSUMER_OFFSET` (15).
//!
//! The table lives here because pulls carry commits; Python loads it at start and writes snapshots of it. An offset is the next
//! one to consume. The last write wins, even one that goes back or beyond the queue (as in Apache).

use std::collections::{BTreeMap, HashMap};

use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::output::ConnId;
use crate::session::refusal::Refusal;
use crate::wire::codes::response;
use crate::wire::{Command, Fields};

/// Offsets by topic, group and queue.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    topics: HashMap<String, HashMap<String, BTreeMap<i32, i64>>>,
}

impl Offsets {
    pub(super) fn commit(&mut self, topic: &str, group: &str, queue_id: i32, offset: i64) {
        if let Some(queues) = self.topics.get_mut(topic).and_then(|groups| groups.get_mut(group)) {
            queues.insert(queue_id, offset);
        } else {
            let groups = self.topics.entry(topic.to_owned()).or_default();
            groups.entry(group.to_owned()).or_default().insert(queue_id, offset);
        }
    }

    fn get(&self, topic: &str, group: &str, queue_id: i32) -> Option<i64> {
        self.topics.get(topic)?.get(group)?.get(&queue_id).copied()
    }

    /// Forgets what belongs to the topic and to the group; to either, if the other is not given.
    pub(super) fn remove(&mut self, topic: Option<&str>, group: Option<&str>) {
        self.topics.retain(|name, groups| {
            if topic.is_none_or(|topic| topic == name) {
                groups.retain(|name, _| group.is_some_and(|group| group != name));
            }
            !groups.is_empty()
        });
    }

    /// Everything, sorted.
    pub(super) fn snapshot(&self) -> Vec<(String, String, i32, i64)> {
        let mut all = Vec::new();
        for (topic, groups) in &self.topics {
            for (group, queues) in groups {
                all.extend(
                    queues.iter().map(|(queue, offset)| (topic.clone(), group.clone(), *queue, *offset)),
                );
            }
        }
        all.sort_unstable();
        all
    }
}

impl Broker {
    pub(super) fn query_offset(&mut self, conn: ConnId, command: &Command) {
        let asker = Asker::of(conn, command);
        match self.stored_offset(&command.fields) {
            Ok(offset) => self.answer_number(asker, "offset", offset),
            Err(refusal) => self.refuse(asker, refusal),
        }
    }

    /// The stored offset; 0 for a queue that still has its first message and a group that may start there.
    fn stored_offset(&self, fields: &Fields) -> Result<i64, Refusal> {
        let group = fields.required_str("consumerGroup")?;
        let topic = fields.required_str("topic")?;
        let queue_id = fields.required_i32("queueId")?;
        if let Some(offset) = self.offsets.get(topic, group, queue_id).filter(|offset| *offset >= 0) {
            return Ok(offset);
        }
        if fields.bool("setZeroIfNotFound") == Some(false) {
            let remark = "Not found, do not set to zero, maybe this group boot first";
            return Err(Refusal::new(response::QUERY_NOT_FOUND, remark));
        }
        let bounds = self.store.bounds(topic, queue_id);
        if bounds.min <= 0 && bounds.max > 0 {
            return Ok(0);
        }
        Err(Refusal::new(response::QUERY_NOT_FOUND, "Not found, maybe this group consumer boot first"))
    }

    pub(super) fn update_offset(&mut self, conn: ConnId, command: &Command) {
        let asker = Asker::of(conn, command);
        match self.commit_offset(&command.fields) {
            Ok(()) => self.answer(asker, &asker.answer(response::SUCCESS)),
            Err(refusal) => self.refuse(asker, refusal),
        }
    }

    fn commit_offset(&mut self, fields: &Fields) -> Result<(), Refusal> {
        let group = fields.required_str("consumerGroup")?;
        let topic = fields.required_str("topic")?;
        let (queue_id, offset) = (fields.i32("queueId")?, fields.i64("commitOffset")?);
        if self.tables.group(group).is_none() {
            let remark = format!("Group {group} not exist!");
            return Err(Refusal::new(response::SUBSCRIPTION_GROUP_NOT_EXIST, remark));
        }
        if self.tables.topic(topic).is_none() {
            return Err(Refusal::new(response::TOPIC_NOT_EXIST, format!("Topic {topic} not exist!")));
        }
        let absent = |what: &str| {
            Refusal::new(response::INVALID_PARAMETER, format!("{what} is null, topic is {topic}"))
        };
        let queue_id = queue_id.ok_or_else(|| absent("QueueId"))?;
        let offset = offset.ok_or_else(|| absent("Offset"))?;
        self.counters.offset_commits += 1;
        self.offsets.commit(topic, group, queue_id, offset);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Offsets;

    fn filled() -> Offsets {
        let mut offsets = Offsets::default();
        for (topic, group, queue, offset) in
            [("t", "g", 1, 5), ("t", "h", 0, 6), ("u", "g", 0, 7), ("t", "g", 0, 8)]
        {
            offsets.commit(topic, group, queue, offset);
        }
        offsets
    }

    fn keys(offsets: &Offsets) -> Vec<String> {
        offsets
            .snapshot()
            .into_iter()
            .map(|(topic, group, queue, offset)| format!("{topic}@{group}:{queue}={offset}"))
            .collect()
    }

    #[test]
    fn the_last_commit_counts() {
        let mut offsets = filled();
        offsets.commit("t", "g", 1, 2);
        assert_eq!(keys(&offsets), ["t@g:0=8", "t@g:1=2", "t@h:0=6", "u@g:0=7"]);
        assert_eq!((offsets.get("t", "g", 1), offsets.get("t", "g", 2)), (Some(2), None));
    }

    #[test]
    fn topics_groups_and_pairs_can_be_forgotten() {
        let removed = |topic, group| {
            let mut offsets = filled();
            offsets.remove(topic, group);
            keys(&offsets)
        };
        assert_eq!(removed(Some("t"), None), ["u@g:0=7"]);
        assert_eq!(removed(None, Some("g")), ["t@h:0=6"]);
        assert_eq!(removed(Some("t"), Some("g")), ["t@h:0=6", "u@g:0=7"]);
        assert!(removed(None, None).is_empty());
    }
}
