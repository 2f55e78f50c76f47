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
type Table = HashMap<String, HashMap<String, BTreeMap<i32, i64>>>;

/// What groups have committed, and the resets that their consumers have not heard of.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    topics: Table,
    /// Lost in a restart, unlike the offsets that they set; consumers ask for theirs then.
    resets: Table,
}

impl Offsets {
    /// Stores an offset; false, and nothing is stored, while a reset is on its way.
    pub(super) fn commit(&mut self, topic: &str, group: &str, queue_id: i32, offset: i64) -> bool {
        let free = find(&self.resets, topic, group, queue_id).is_none();
        if free {
            put(&mut self.topics, topic, group, queue_id, offset);
        }
        free
    }

    /// Stores an offset whatever consumers say until they have heard of it.
    pub(super) fn reset(&mut self, topic: &str, group: &str, queue_id: i32, offset: i64) {
        put(&mut self.topics, topic, group, queue_id, offset);
        put(&mut self.resets, topic, group, queue_id, offset);
    }

    /// The reset that a pull asking for `offset` has to be told of.
    ///
    /// A fresh pull is the last to be told, and one that asks for the very offset knows. One that was held since before the
    /// reset does not settle it: whoever sent it may have given up the queue meanwhile.
    pub(super) fn heard_of_reset(
        &mut self,
        (topic, group, queue_id): (&str, &str, i32),
        offset: i64,
        fresh: bool,
    ) -> Option<i64> {
        let queues = self.resets.get_mut(topic)?.get_mut(group)?;
        let reset = if fresh { queues.remove(&queue_id) } else { queues.get(&queue_id).copied() };
        reset.filter(|reset| *reset != offset)
    }

    pub(super) fn get(&self, topic: &str, group: &str, queue_id: i32) -> Option<i64> {
        find(&self.topics, topic, group, queue_id)
    }

    /// Forgets what belongs to the topic and to the group; to either, if the other is not given.
    pub(super) fn remove(&mut self, topic: Option<&str>, group: Option<&str>) {
        for table in [&mut self.topics, &mut self.resets] {
            table.retain(|name, groups| {
                if topic.is_none_or(|topic| topic == name) {
                    groups.retain(|name, _| group.is_some_and(|group| group != name));
                }
                !groups.is_empty()
            });
        }
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

fn find(table: &Table, topic: &str, group: &str, queue_id: i32) -> Option<i64> {
    table.get(topic)?.get(group)?.get(&queue_id).copied()
}

fn put(table: &mut Table, topic: &str, group: &str, queue_id: i32, offset: i64) {
    if let Some(queues) = table.get_mut(topic).and_then(|groups| groups.get_mut(group)) {
        queues.insert(queue_id, offset);
    } else {
        let groups = table.entry(topic.to_owned()).or_default();
        groups.entry(group.to_owned()).or_default().insert(queue_id, offset);
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
            Ok(taken) => {
                let mut answer = asker.answer(response::SUCCESS);
                if !taken {
                    answer.remark = Some("Offset has been previously reset".to_owned());
                }
                self.answer(asker, &answer);
            }
            Err(refusal) => self.refuse(asker, refusal),
        }
    }

    /// Whether it was stored.
    fn commit_offset(&mut self, fields: &Fields) -> Result<bool, Refusal> {
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
        Ok(self.offsets.commit(topic, group, queue_id, offset))
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
    fn a_reset_counts_until_it_was_heard_of() {
        let mut offsets = filled();
        offsets.reset("t", "g", 1, 2);
        assert!(!offsets.commit("t", "g", 1, 9));
        assert!(offsets.commit("t", "g", 0, 9), "another queue");
        assert_eq!((offsets.get("t", "g", 1), offsets.get("t", "g", 0)), (Some(2), Some(9)));
        assert_eq!(offsets.heard_of_reset(("t", "h", 0), 9, true), None);
        for held in [1, 2] {
            assert_eq!(offsets.heard_of_reset(("t", "g", 1), 9, false), Some(2), "{held}");
        }
        assert!(!offsets.commit("t", "g", 1, 9), "a held pull may be of somebody who has gone");
        assert_eq!(offsets.heard_of_reset(("t", "g", 1), 9, true), Some(2));
        assert_eq!(offsets.heard_of_reset(("t", "g", 1), 9, true), None);
        assert!(offsets.commit("t", "g", 1, 9));
        offsets.reset("t", "g", 1, 2);
        offsets.remove(None, Some("g"));
        assert_eq!(offsets.heard_of_reset(("t", "g", 1), 9, true), None);
    }

    #[test]
    fn who_asks_for_the_offset_of_a_reset_has_heard_of_it() {
        let mut offsets = filled();
        offsets.reset("t", "g", 1, 2);
        assert_eq!(offsets.heard_of_reset(("t", "g", 1), 2, false), None);
        assert!(!offsets.commit("t", "g", 1, 9));
        assert_eq!(offsets.heard_of_reset(("t", "g", 1), 2, true), None);
        assert!(offsets.commit("t", "g", 1, 9));
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
