//! What each control does.

use crate::session::Broker;
use crate::session::control::Control;
use crate::session::output::{Level, Output, Value};
use crate::session::reading::{Look, Reading};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::session::stop::Phase;
use crate::store::{Boundary, PurgeResult, ReadRequest};

impl Broker {
    /// Applies a control of Python's. With a token other than 0 it gives one `Output::Done` with that token.
    pub fn submit(&mut self, token: u64, control: Control, now: Now) {
        match control {
            Control::Push { conn, command } => return self.push(token, conn, command),
            Control::Stop => return self.begin_stop(token, now),
            Control::RemoveTopic { name } => {
                let value = self.remove_topic(&name, now);
                return self.done(token, value);
            }
            Control::CloseConnection { conn } => {
                let delivered = self.close(conn);
                return self.done(token, Value::Delivered(delivered));
            }
            Control::Offsets => {
                let snapshot = self.offsets.snapshot();
                return self.done(token, Value::Offsets(snapshot));
            }
            Control::Bounds { topic, queues } => {
                let bounds = |queue| {
                    let bounds = self.store.bounds(&topic, queue);
                    (queue, bounds.min, bounds.max)
                };
                let all = queues.into_iter().map(bounds).collect();
                return self.done(token, Value::Bounds(all));
            }
            Control::SearchTime { topic, queue_id, timestamp } => {
                let boundary = Boundary::Lower;
                let request = ReadRequest::SearchTime { topic, queue_id, timestamp, boundary };
                return self.read(Reading::Own(token), request, now);
            }
            Control::EarliestTime => {
                return self.read(Reading::Own(token), ReadRequest::EarliestTime, now);
            }
            Control::StoreTime { topic, queue_id, offset } => {
                let request = ReadRequest::StoreTime { topic, queue_id, offset };
                return self.read(Reading::Own(token), request, now);
            }
            Control::Record { physical_offset } => {
                return self.read(Reading::Own(token), ReadRequest::Record { physical_offset }, now);
            }
            Control::Skips { group } => {
                let skips = self.skips.of_group(&group);
                return self.done(token, Value::Skips(skips));
            }
            Control::DeliverScheduled { queue_id, offset } => {
                return self.deliver_scheduled(Look { token, queue_id, offset }, now);
            }
            Control::Statistics => {
                let statistics = Box::new(self.statistics());
                return self.done(token, Value::Statistics(statistics));
            }
            Control::PutTimes => return self.done(token, Value::PutTimes(self.timing.puts())),
            simple => self.apply(simple, now),
        }
        self.done(token, Value::Unit);
    }

    /// The controls that have nothing to report.
    fn apply(&mut self, control: Control, now: Now) {
        match control {
            Control::PutTopic(entry) => self.tables.put_topic(entry),
            Control::PutGroup(entry) => self.tables.put_group(entry),
            Control::RemoveGroup { name, clean_offsets } => {
                self.tables.remove_group(&name);
                self.tables.remove_subscriptions(&name);
                self.skips.forget_group(&name);
                if clean_offsets {
                    self.forget_offsets(None, Some(&name));
                }
            }
            Control::PutSubscriptions { group, broadcasting, entries } => {
                self.tables.put_subscriptions(group, broadcasting, entries);
            }
            Control::RemoveSubscriptions { group } => self.tables.remove_subscriptions(&group),
            Control::SetOrderly { group, orderly } => self.tables.set_orderly(group, orderly),
            Control::Respond { token, command } => self.respond(token, command),
            Control::Retry { kind, name } => self.retry(kind, &name, now),
            Control::Refuse { kind, name, code, remark } => {
                self.refuse_waiting(kind, &name, &Refusal::new(code, remark));
            }
            Control::LoadOffsets(offsets) => {
                for (topic, group, queue_id, offset) in offsets {
                    self.offsets.commit(&topic, &group, queue_id, offset);
                }
            }
            Control::ResetOffsets { topic, group, offsets } => {
                self.counters.offset_commits += 1;
                for (queue_id, offset) in offsets {
                    self.offsets.reset(&topic, &group, queue_id, offset);
                }
                let released = self.holds.of_group(&topic, &group);
                self.run_released(released, now);
            }
            Control::RemoveOffsets { topic, group } => {
                self.forget_offsets(topic.as_deref(), group.as_deref());
            }
            Control::Purge { before } => {
                if let Some(plan) = self.store.plan_purge(before) {
                    self.outputs.push_back(Output::Purge(plan));
                    // The names that go have to go durably, and the index with them.
                    self.want_flush(now);
                    self.want_index(now);
                }
            }
            Control::SetAcceptWrites(accept) => self.accept_writes = accept && self.phase == Phase::Serving,
            Control::SetFullLogDirs(full) => self.store.set_full_dirs(full),
            // Handled by `submit`.
            Control::RemoveTopic { .. }
            | Control::Push { .. }
            | Control::CloseConnection { .. }
            | Control::Offsets
            | Control::Bounds { .. }
            | Control::SearchTime { .. }
            | Control::EarliestTime
            | Control::StoreTime { .. }
            | Control::Record { .. }
            | Control::Skips { .. }
            | Control::DeliverScheduled { .. }
            | Control::Statistics
            | Control::PutTimes
            | Control::Stop => {}
        }
    }

    fn remove_topic(&mut self, name: &str, now: Now) -> Value {
        // Sends of this round are answered as stored; they go with the topic.
        self.settle(now);
        self.tables.remove_topic(name);
        self.skips.forget_topic(name);
        let released = self.holds.of_topic(name);
        self.run_released(released, now);
        match self.store.remove_topic(name) {
            Ok(()) => {
                // A crash brings its queues back until a flush has told the checkpoint.
                self.want_flush(now);
                Value::Unit
            }
            Err(error) => Value::Failed(error.to_string()),
        }
    }

    /// The owner has run the plan of an `Output::Purge`.
    pub fn purged(&mut self, result: PurgeResult, now: Now) {
        match self.store.purged(result) {
            Ok(Some(plan)) => self.outputs.push_back(Output::Purge(plan)),
            Ok(None) => {}
            Err(error) => self.log(Level::Error, format!("old messages are not all removed: {error}"), now),
        }
    }

    fn forget_offsets(&mut self, topic: Option<&str>, group: Option<&str>) {
        self.counters.offset_commits += 1;
        self.offsets.remove(topic, group);
    }
}
