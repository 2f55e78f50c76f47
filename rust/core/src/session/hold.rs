//! Held pulls (long polling): who waits for which queue, and until when.
//!
//! A matching arrival releases a pull at once. An arrival that does not match only marks its queue as grown; within
//! `CHECK_MS` all pulls of grown queues are released too, so that their clients learn to ask further on (answer 20). A
//! released pull is run once more and is then answered whatever is found.

use std::collections::{BTreeSet, HashMap};

use crate::filter::Filter;
use crate::session::pull_request::Pull;
use crate::store::Arrival;

/// How long a pull may stay held although its queue has grown (Apache's scan interval).
const CHECK_MS: u64 = 5_000;

#[derive(Debug)]
struct Held {
    pull: Pull,
    deadline: u64,
}

/// All held pulls of the broker.
#[derive(Debug, Default)]
pub(super) struct Holds {
    last: u64,
    held: HashMap<u64, Held>,
    /// Topic, queue, ids in the order they came.
    queues: HashMap<String, HashMap<i32, BTreeSet<u64>>>,
    deadlines: BTreeSet<(u64, u64)>,
    /// Queues that grew past a pull that stayed held: their next offset.
    grown: HashMap<(String, i32), i64>,
    check_at: Option<u64>,
}

impl Holds {
    /// Holds a pull until its queue grows or `deadline` passes; the id under which it is held.
    pub(super) fn hold(&mut self, pull: Pull, deadline: u64) -> u64 {
        self.last += 1;
        let id = self.last;
        let topic = self.queues.entry(pull.topic.clone()).or_default();
        topic.entry(pull.queue_id).or_default().insert(id);
        self.deadlines.insert((deadline, id));
        self.held.insert(id, Held { pull, deadline });
        id
    }

    /// Pulls that a message makes worth running: those of its queue that it `matches`.
    pub(super) fn arrived(
        &mut self,
        arrival: &Arrival,
        matches: impl Fn(&Filter) -> bool,
        mono_ms: u64,
    ) -> Vec<(u64, Pull)> {
        let (topic, queue_id, max_offset) = (&*arrival.topic, arrival.queue_id, arrival.max_offset);
        let behind = self.behind(topic, queue_id, max_offset);
        let is_match = |id: &u64| self.held.get(id).is_some_and(|held| matches(&held.pull.filter));
        let (matching, other): (Vec<u64>, Vec<u64>) = behind.into_iter().partition(is_match);
        if !other.is_empty() {
            self.grown.insert((topic.to_owned(), queue_id), max_offset);
            self.check_at.get_or_insert(mono_ms + CHECK_MS);
        }
        self.release(matching)
    }

    /// Pulls whose time is up, and those of queues that have grown without them when that is to be looked at.
    pub(super) fn due(&mut self, mono_ms: u64) -> Vec<(u64, Pull)> {
        let mut ids: Vec<u64> = self.deadlines.range(..=(mono_ms, u64::MAX)).map(|(_, id)| *id).collect();
        if self.check_at.is_some_and(|at| at <= mono_ms) {
            self.check_at = None;
            for ((topic, queue_id), max_offset) in std::mem::take(&mut self.grown) {
                ids.extend(self.behind(&topic, queue_id, max_offset));
            }
        }
        self.release(ids)
    }

    /// All pulls of a topic.
    pub(super) fn of_topic(&mut self, topic: &str) -> Vec<(u64, Pull)> {
        let ids = self.queues.get(topic).into_iter().flat_map(HashMap::values).flatten().copied().collect();
        self.release(ids)
    }

    /// A group's pulls of a topic.
    pub(super) fn of_group(&mut self, topic: &str, group: &str) -> Vec<(u64, Pull)> {
        let of_topic = self.queues.get(topic).into_iter().flat_map(HashMap::values).flatten();
        let is_its = |id: &&u64| self.held.get(id).is_some_and(|held| held.pull.group == group);
        let ids = of_topic.filter(is_its).copied().collect();
        self.release(ids)
    }

    /// All pulls.
    pub(super) fn all(&mut self) -> Vec<(u64, Pull)> {
        let mut ids: Vec<u64> = self.held.keys().copied().collect();
        ids.sort_unstable();
        self.release(ids)
    }

    /// Takes the pulls with these ids out; ids that are not held (any more) are skipped.
    pub(super) fn release(&mut self, ids: Vec<u64>) -> Vec<(u64, Pull)> {
        ids.into_iter().filter_map(|id| Some((id, self.remove(id)?))).collect()
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        let first = self.deadlines.first().map(|(deadline, _)| *deadline);
        first.into_iter().chain(self.check_at).min()
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Pulls of a queue that ask for something before `max_offset`, in the order they came.
    fn behind(&self, topic: &str, queue_id: i32, max_offset: i64) -> Vec<u64> {
        let Some(ids) = self.queues.get(topic).and_then(|queues| queues.get(&queue_id)) else {
            return Vec::new();
        };
        let is_behind = |id: &u64| self.held.get(id).is_some_and(|held| held.pull.offset < max_offset);
        ids.iter().copied().filter(is_behind).collect()
    }

    fn remove(&mut self, id: u64) -> Option<Pull> {
        let held = self.held.remove(&id)?;
        self.deadlines.remove(&(held.deadline, id));
        if let Some(queues) = self.queues.get_mut(&held.pull.topic) {
            if let Some(ids) = queues.get_mut(&held.pull.queue_id) {
                ids.remove(&id);
                if ids.is_empty() {
                    queues.remove(&held.pull.queue_id);
                }
            }
            if queues.is_empty() {
                self.queues.remove(&held.pull.topic);
            }
        }
        Some(held.pull)
    }
}
