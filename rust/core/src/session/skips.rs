//! Groups that fell behind what the log keeps: their consumers are sent on to the oldest message, which is told.
//!
//! Said once for each place that a group is sent on to, however many pulls ask; what was said last of each queue is kept until
//! the topic or the group goes, for whoever asks how far a group is (208). Lost in a restart.

use std::collections::HashMap;

use crate::session::Broker;
use crate::session::output::{Level, Skip};
use crate::session::pull_request::Pull;
use crate::session::settings::Now;
use crate::store::{FetchStatus, Fetched};

/// The last skip of each group in each queue.
#[derive(Debug, Default)]
pub(super) struct Skips {
    groups: HashMap<String, HashMap<(String, i32), Skip>>,
}

impl Skips {
    /// Remembers a skip; whether it is news.
    fn note(&mut self, group: &str, skip: Skip) -> bool {
        let queues = self.groups.entry(group.to_owned()).or_default();
        let key = (skip.topic.clone(), skip.queue_id);
        if queues.get(&key).is_some_and(|known| known.to == skip.to) {
            return false;
        }
        queues.insert(key, skip);
        true
    }

    /// What a group has skipped, sorted by queue.
    pub(super) fn of_group(&self, group: &str) -> Vec<Skip> {
        let mut all: Vec<Skip> =
            self.groups.get(group).into_iter().flat_map(HashMap::values).cloned().collect();
        all.sort_unstable_by(|left, right| (&left.topic, left.queue_id).cmp(&(&right.topic, right.queue_id)));
        all
    }

    pub(super) fn forget_topic(&mut self, topic: &str) {
        self.groups.retain(|_, queues| {
            queues.retain(|(name, _), _| name != topic);
            !queues.is_empty()
        });
    }

    pub(super) fn forget_group(&mut self, group: &str) {
        self.groups.remove(group);
    }
}

impl Broker {
    /// Tells that a group lost messages, if this pull shows it. One without a position has only begun too early.
    pub(super) fn note_skip(&mut self, pull: &Pull, fetched: &Fetched, now: Now) {
        if !matches!(fetched.status, FetchStatus::OffsetTooSmall) {
            return;
        }
        let stood = self.offsets.get(&pull.topic, &pull.group, pull.queue_id);
        let Some(from) = stood.filter(|from| (0..fetched.min).contains(from)) else { return };
        let (topic, queue_id, to) = (pull.topic.clone(), pull.queue_id, fetched.min);
        if self.skips.note(&pull.group, Skip { topic, queue_id, from, to, at_ms: now.wall_ms }) {
            let text = format!(
                "consumer group {} fell behind what is kept of topic {}: in queue {queue_id} it stood at offset {from} and is \
                 sent on to {to}; {} messages that it has not consumed are gone",
                pull.group,
                pull.topic,
                to - from
            );
            self.log(Level::Warning, text, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Skip, Skips};

    fn skip(topic: &str, queue_id: i32, to: i64) -> Skip {
        Skip { topic: topic.to_owned(), queue_id, from: 1, to, at_ms: 0 }
    }

    #[test]
    fn each_place_is_news_once() {
        let mut skips = Skips::default();
        assert!(skips.note("g", skip("t", 0, 5)) && skips.note("g", skip("t", 1, 5)));
        assert!(!skips.note("g", skip("t", 0, 5)));
        assert!(skips.note("h", skip("t", 0, 5)) && skips.note("g", skip("t", 0, 9)));
        assert_eq!(skips.of_group("g"), [skip("t", 0, 9), skip("t", 1, 5)]);
    }

    #[test]
    fn topics_and_groups_are_forgotten() {
        let mut skips = Skips::default();
        for (group, topic) in [("g", "t"), ("g", "u"), ("h", "t")] {
            skips.note(group, skip(topic, 0, 5));
        }
        skips.forget_topic("t");
        assert_eq!((skips.of_group("g"), skips.of_group("h")), (vec![skip("u", 0, 5)], vec![]));
        skips.forget_group("g");
        assert_eq!(skips.of_group("g"), []);
    }
}
