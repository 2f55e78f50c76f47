//! `PULL_MESSAGE` (11) and `LITE_PULL_MESSAGE` (361): checks, filter, read, answer; holding is in `hold.rs`.
//!
//! A pull that finds nothing and may wait is held and later run again from the start, as Apache does; the second pass neither
//! holds nor commits. The remark of an answer is the name of what the store found, in Apache's words.

use crate::filter::Filter;
use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::halt::Halt;
use crate::session::output::ConnId;
use crate::session::pull_request::Pull;
use crate::session::reading::Reading;
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::session::stop::Phase;
use crate::session::tables::{GroupEntry, PERM_READ, TopicEntry, Unfiltered, parse_filter};
use crate::store::{FetchStatus, Fetched, MAX_MESSAGES, ReadRequest};
use crate::wire::Command;
use crate::wire::codes::response;

/// Bytes of one answer at most, except that a single message is always given. The header's `maxMsgBytes` is not applied by
/// Apache either.
const MAX_BYTES: u32 = 262_144;
/// Held pulls of all connections (Apache's pull queue has this capacity).
const HELD_TOTAL: usize = 100_000;

/// `forbiddenType` of a refused pull: which permission is lacking.
const FORBIDDEN_BROKER: &str = "1";
const FORBIDDEN_GROUP: &str = "2";
const FORBIDDEN_TOPIC: &str = "3";
const FORBIDDEN_BROADCASTING: &str = "4";

impl Broker {
    /// Serves a pull, refuses it, or has it wait for its group.
    pub(super) fn pull(&mut self, conn: ConnId, command: Command, now: Now) {
        let asker = Asker::of(conn, &command);
        let mut pull = match Pull::read(asker, &command.fields) {
            Ok(pull) => pull,
            Err(refusal) => return self.refuse(asker, refusal),
        };
        match self.check_pull(&mut pull) {
            Ok(()) => self.read_pull(pull, now),
            Err(Halt::Refused(refusal)) => self.refuse(asker, refusal),
            Err(Halt::Missing(missing)) => self.park(missing, conn, command, now),
        }
    }

    /// Runs pulls that are held no more. Those of connections that cannot take more bytes wait until they can.
    pub(super) fn run_released(&mut self, released: Vec<(u64, Pull)>, now: Now) {
        for (id, mut pull) in released {
            pull.first = false;
            let Some(connection) = self.connections.get_mut(pull.asker.conn) else { continue };
            connection.holds.remove(&id);
            if connection.paused {
                connection.deferred.push_back(pull);
            } else {
                self.run_again(pull, now);
            }
        }
    }

    /// The second pass of a pull that was held.
    pub(super) fn run_again(&mut self, mut pull: Pull, now: Now) {
        match self.check_pull(&mut pull) {
            Ok(()) => self.read_pull(pull, now),
            Err(Halt::Refused(refusal)) => self.refuse(pull.asker, refusal),
            Err(Halt::Missing(_)) => self.refuse(pull.asker, Refusal::no_group(&pull.group)),
        }
    }

    fn check_pull(&self, pull: &mut Pull) -> Result<(), Halt> {
        if self.settings.permission & PERM_READ == 0 {
            let remark =
                format!("the broker[{}] pulling message is forbidden", self.settings.store_host.ip());
            return Err(forbidden(remark, FORBIDDEN_BROKER).into());
        }
        let group = self.group_or_missing(&pull.group)?;
        if !group.consume_enable {
            let remark = format!("subscription group no permission, {}", pull.group);
            return Err(forbidden(remark, FORBIDDEN_GROUP).into());
        }
        let topic = self.tables.topic(&pull.topic).ok_or_else(|| Refusal::no_topic(&pull.topic))?;
        if topic.permission & PERM_READ == 0 {
            let remark = format!("the topic[{}] pulling message is forbidden", pull.topic);
            return Err(forbidden(remark, FORBIDDEN_TOPIC).into());
        }
        check_queue(pull, topic)?;
        let filter = match &pull.expression {
            Some((kind, expression)) => match parse_filter(kind, expression) {
                Ok(filter) => filter,
                // As in Apache: a condition that comes with the pull and does not compile filters nothing.
                Err(Unfiltered::Uncompiled) => Filter::all(),
                Err(Unfiltered::NoTags | Unfiltered::NoText) => return Err(unparsed().into()),
            },
            None => self.subscribed(pull, group)?,
        };
        (pull.topic_sys_flag, pull.group_sys_flag) = (topic.sys_flag, group.sys_flag);
        pull.filter = filter;
        Ok(())
    }

    /// The filter the group's heartbeats registered for the topic.
    fn subscribed(&self, pull: &Pull, group: &GroupEntry) -> Result<Filter, Refusal> {
        let Some(subscriptions) = self.tables.subscriptions(&pull.group) else {
            let remark = format!("the consumer's group info not exist: {}", pull.group);
            return Err(Refusal::new(response::SUBSCRIPTION_NOT_EXIST, remark));
        };
        if subscriptions.broadcasting && !group.broadcast_enable {
            let remark = format!("the consumer group[{}] can not consume by broadcast way", pull.group);
            return Err(forbidden(remark, FORBIDDEN_BROADCASTING));
        }
        let Some(subscription) = subscriptions.topics.get(&pull.topic) else {
            let remark = format!("the consumer's subscription not exist: {} of {}", pull.topic, pull.group);
            return Err(Refusal::new(response::SUBSCRIPTION_NOT_EXIST, remark));
        };
        if subscription.version < pull.subscription_version {
            return Err(Refusal::new(
                response::SUBSCRIPTION_NOT_LATEST,
                "the consumer's subscription not latest",
            ));
        }
        subscription.filter.clone().map_err(|reason| match reason {
            Unfiltered::NoTags => unparsed(),
            Unfiltered::NoText | Unfiltered::Uncompiled => no_filter(),
        })
    }

    fn read_pull(&mut self, mut pull: Pull, now: Now) {
        pull.began_ms = now.mono_ms;
        let place = (pull.topic.as_str(), pull.group.as_str(), pull.queue_id);
        if let Some(offset) = self.offsets.heard_of_reset(place, pull.offset, pull.first) {
            return self.answer_reset(&pull, offset);
        }
        let request = ReadRequest::Fetch {
            topic: pull.topic.clone(),
            queue_id: pull.queue_id,
            offset: pull.offset,
            max_messages: u32::try_from(pull.max_messages).unwrap_or_default().clamp(1, MAX_MESSAGES),
            max_bytes: MAX_BYTES,
            filter: pull.filter.clone(),
        };
        self.read(Reading::Pull(Box::new(pull)), request, now);
    }

    /// Tells a consumer that its position was set to another; what it commits along with this pull is of the old one.
    fn answer_reset(&mut self, pull: &Pull, offset: i64) {
        let bounds = self.store.bounds(&pull.topic, pull.queue_id);
        let mut answer = pull.asker.answer(response::PULL_OFFSET_MOVED);
        answer.remark = Some("OFFSET_RESET".to_owned());
        answer.fields = pull.answer_fields(offset, bounds.min, bounds.max);
        self.answer(pull.asker, &answer);
    }

    /// Answers a pull with what was read, or holds it.
    pub(super) fn finish_pull(&mut self, mut pull: Pull, fetched: Fetched, now: Now) {
        if pull.first
            && let Some(offset) = pull.commit.take()
        {
            self.counters.offset_commits += 1;
            self.offsets.commit(&pull.topic, &pull.group, pull.queue_id, offset);
        }
        self.note_skip(&pull, &fetched, now);
        self.counters.pulls_missed += u64::from(fetched.count == 0);
        if is_waiting_for_more(fetched.status, pull.offset) && self.may_hold(&pull) {
            return self.hold(pull, now);
        }
        self.timing.got(pull.began_ms);
        self.counters.messages_out += u64::from(fetched.count);
        self.counters.bytes_out += fetched.body.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        let mut answer = pull.asker.answer(code_of(fetched.status, pull.offset));
        answer.remark = Some(fetched.status.name().to_owned());
        answer.fields = pull.answer_fields(fetched.next_offset, fetched.min, fetched.max);
        self.answer_with_body(pull.asker, &answer, fetched.body);
    }

    fn may_hold(&self, pull: &Pull) -> bool {
        pull.first && pull.suspend_ms.is_some() && !pull.asker.oneway && self.phase == Phase::Serving
    }

    fn hold(&mut self, mut pull: Pull, now: Now) {
        let asker = pull.asker;
        if self.holds.len() >= HELD_TOTAL {
            return self.overloaded(asker);
        }
        if self.store.bounds(&pull.topic, pull.queue_id).max > pull.offset {
            // It arrived while the disk was read: this second pass answers.
            pull.first = false;
            return self.read_pull(pull, now);
        }
        let Some(connection) = self.connections.get_mut(asker.conn) else { return };
        let deadline = now.mono_ms.saturating_add(pull.suspend_ms.unwrap_or_default());
        connection.holds.insert(self.holds.hold(pull, deadline));
    }
}

fn check_queue(pull: &Pull, topic: &TopicEntry) -> Result<(), Refusal> {
    if (0..topic.read_queues).contains(&pull.queue_id) {
        return Ok(());
    }
    let remark = format!(
        "queueId[{}] is illegal, topic:[{}] topicConfig.readQueueNums:[{}] consumer:[{}]",
        pull.queue_id, pull.topic, topic.read_queues, pull.group
    );
    Err(Refusal::new(response::INVALID_PARAMETER, remark))
}

fn forbidden(remark: String, kind: &str) -> Refusal {
    Refusal::new(response::NO_PERMISSION, remark).with_field("forbiddenType", kind)
}

fn unparsed() -> Refusal {
    Refusal::new(response::SUBSCRIPTION_PARSE_FAILED, "parse the consumer's subscription failed")
}

fn no_filter() -> Refusal {
    let remark = "The broker's consumer filter data is not exist!Your expression may be wrong!";
    Refusal::new(response::FILTER_DATA_NOT_EXIST, remark)
}

/// Whether the next message of the queue is the one asked for. (A gap in the queue's files is answered 19 too, but it is not
/// an arrival that would end the wait.)
fn is_waiting_for_more(status: FetchStatus, offset: i64) -> bool {
    code_of(status, offset) == response::PULL_NOT_FOUND && !matches!(status, FetchStatus::OffsetFoundNull)
}

fn code_of(status: FetchStatus, offset: i64) -> i32 {
    match status {
        FetchStatus::Found => response::SUCCESS,
        FetchStatus::NoMatchedMessage | FetchStatus::MessageWasRemoving => response::PULL_RETRY_IMMEDIATELY,
        FetchStatus::NoMatchedLogicQueue | FetchStatus::NoMessageInQueue if offset != 0 => {
            response::PULL_OFFSET_MOVED
        }
        FetchStatus::NoMatchedLogicQueue
        | FetchStatus::NoMessageInQueue
        | FetchStatus::OffsetFoundNull
        | FetchStatus::OffsetOverflowOne => response::PULL_NOT_FOUND,
        FetchStatus::OffsetOverflowBadly | FetchStatus::OffsetTooSmall => response::PULL_OFFSET_MOVED,
    }
}
