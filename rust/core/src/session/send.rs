//! `SEND_MESSAGE` (10), `SEND_MESSAGE_V2` (310) and what they share with batches, which are in `send_batch`.
//!
//! The order of the checks decides which code a request with several faults gets; it is Apache's: serving at all, order topic
//! on an unwritable broker, topic name, forbidden topic, topic exists, queue id, body, retry topics. What this broker does not
//! support comes last and before anything is stored.

use bytes::Bytes;

use crate::record::NewRecord;
use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::halt::Halt;
use crate::session::names::{self, DLQ_PREFIX, RETRY_PREFIX};
use crate::session::output::{ConnId, Missing, MissingKind};
use crate::session::refusal::Refusal;
use crate::session::run::{Places, Stored, refusal_of};
use crate::session::schedule::Place;
use crate::session::send_header::SendHeader;
use crate::session::send_properties;
use crate::session::settings::Now;
use crate::session::tables::{GroupEntry, PERM_WRITE, TopicEntry};
use crate::wire::Command;
use crate::wire::codes::response;

/// sysFlag bit of messages of topics with several tags a message.
const MULTI_TAG_BIT: i32 = 0x02;
/// From this client version on the attempts allowed come with the request (3.4.9).
pub(super) const VERSION_WITH_MAX_ATTEMPTS: i32 = 121;
/// Queues of a group's own topics (retry and dead letters).
const OWN_TOPIC_QUEUES: i32 = 1;

/// Where the messages of a send go.
pub(super) struct Target {
    pub(super) topic: String,
    pub(super) queue_id: i32,
    pub(super) sys_flag: i32,
    dead_letter: bool,
}

impl Broker {
    /// Stores a message or a batch, refuses it, or has it wait for its topic or group.
    pub(super) fn send(&mut self, conn: ConnId, command: Command, now: Now) {
        let asker = Asker::of(conn, &command);
        match self.try_send(asker, &command, now) {
            Ok(stored) => {
                self.run.push(stored);
                if let Some(connection) = self.connections.get_mut(conn) {
                    connection.run = self.run.number;
                }
                self.settle_large(now);
            }
            Err(Halt::Refused(refusal)) => self.refuse_send(asker, refusal),
            Err(Halt::Missing(missing)) => self.park(missing, conn, command, now),
        }
    }

    fn try_send(&mut self, asker: Asker, command: &Command, now: Now) -> Result<Stored, Halt> {
        let header = SendHeader::read(command)?;
        self.check_send(asker, &header, &command.body, now)?;
        if header.batch {
            return self.try_send_batch(asker, &header, command, now);
        }
        let target = self.target(&header, command.version)?;
        let delayed =
            send_properties::check_supported(header.properties, header.sys_flag, target.dead_letter)?;
        self.check_accepting()?;
        self.check_size(command.body.len()).map_err(|why| {
            Refusal::new(response::MESSAGE_ILLEGAL, format!("the message is illegal: {why}"))
        })?;
        self.append(asker, &header, target, delayed, &command.body, now)
    }

    /// What is checked of every send, in Apache's order.
    fn check_send(&self, asker: Asker, header: &SendHeader<'_>, body: &Bytes, now: Now) -> Result<(), Halt> {
        self.check_serving(header, now)?;
        names::check_send_topic(header.topic)?;
        let topic = self.topic_or_missing(header, header.topic)?;
        if header.queue_id >= topic.read_queues.max(topic.write_queues) {
            let (id, topic, producer) = (header.queue_id, topic.describe(), self.client(asker.conn));
            let remark = format!("request queueId[{id}] is illegal, {topic} Producer: {producer}");
            return Err(Refusal::new(response::INVALID_PARAMETER, remark).into());
        }
        if body.is_empty() {
            return Err(Refusal::new(response::SYSTEM_ERROR, "the message has no body").into());
        }
        Ok(())
    }

    /// The last check before something is stored: whether the broker takes messages at all now.
    pub(super) fn check_accepting(&mut self) -> Result<(), Refusal> {
        if self.accept_writes {
            return self.check_dirty();
        }
        let remark = "the broker does not accept messages now";
        Err(Refusal::new(response::SERVICE_NOT_AVAILABLE, remark))
    }

    /// Says why what is larger than this broker was told to take is refused.
    pub(super) fn check_size(&self, bytes: usize) -> Result<(), String> {
        let limit = self.settings.max_message;
        if bytes <= limit {
            return Ok(());
        }
        Err(format!("it has {bytes} bytes, and this broker takes {limit} at most (maxMessageSize)"))
    }

    fn check_dirty(&mut self) -> Result<(), Refusal> {
        let dirty = self.store.appended_end().saturating_sub(self.store.flushed_end());
        if dirty <= self.settings.dirty_limit {
            return Ok(());
        }
        self.counters.sends_dirty += 1;
        Err(Refusal::dirty(dirty))
    }

    fn check_serving(&self, header: &SendHeader<'_>, now: Now) -> Result<(), Refusal> {
        let from = self.settings.accept_sends_from_ms;
        if now.wall_ms < from {
            let remark = format!("the broker takes messages from {from} on, not before");
            return Err(Refusal::new(response::SYSTEM_ERROR, remark));
        }
        let is_order_topic = || self.tables.topic(header.topic).is_some_and(|topic| topic.order);
        if self.settings.permission & PERM_WRITE == 0 && is_order_topic() {
            let remark =
                format!("the broker[{}] sending message is forbidden", self.settings.store_host.ip());
            return Err(Refusal::new(response::NO_PERMISSION, remark));
        }
        Ok(())
    }

    fn topic_or_missing(&self, header: &SendHeader<'_>, name: &str) -> Result<&TopicEntry, Halt> {
        match self.tables.topic(name) {
            Some(topic) if !self.missing.waits(MissingKind::Topic, name) => Ok(topic),
            _ => Err(missing_topic(header, name)),
        }
    }

    /// The group, unless Python has to be asked for it or it cannot exist.
    pub(super) fn group_or_missing(&self, name: &str) -> Result<&GroupEntry, Halt> {
        match self.tables.group(name) {
            Some(group) if !self.missing.waits(MissingKind::Group, name) => Ok(group),
            _ if names::is_group(name) => Err(Halt::Missing(Missing::Group { name: name.to_owned() })),
            _ => Err(Refusal::no_group(name).into()),
        }
    }

    /// Topic, queue and flags to store under. A message that was tried too often goes to the dead letters of its group.
    pub(super) fn target(&mut self, header: &SendHeader<'_>, version: i32) -> Result<Target, Halt> {
        let retried = header.topic.strip_prefix(RETRY_PREFIX);
        let dead_letter = match retried {
            Some(group) if self.is_exhausted(header, version, group)? => Some(format!("{DLQ_PREFIX}{group}")),
            _ => None,
        };
        let name = dead_letter.as_deref().unwrap_or(header.topic);
        let topic = self.topic_or_missing(header, name)?;
        let sys_flag = header.sys_flag | if topic.multi_tag { MULTI_TAG_BIT } else { 0 };
        let write_queues = topic.write_queues;
        let asked = Some(header.queue_id).filter(|id| *id >= 0 && dead_letter.is_none());
        let queue_id = asked.or_else(|| self.chance.below(write_queues)).ok_or_else(|| {
            Refusal::new(response::SYSTEM_ERROR, format!("topic[{name}] has no queue to write to"))
        })?;
        Ok(Target { topic: name.to_owned(), queue_id, sys_flag, dead_letter: dead_letter.is_some() })
    }

    /// Whether a message for a retry topic has had all its attempts. A group that holds queue locks consumes in order: it has
    /// tried in place as often as it wants to, and sends the count that it had before the last attempt.
    fn is_exhausted(&self, header: &SendHeader<'_>, version: i32, group: &str) -> Result<bool, Halt> {
        let entry = self.group_or_missing(group)?;
        let asked = header.max_reconsume_times.filter(|_| version >= VERSION_WITH_MAX_ATTEMPTS);
        let tried_too_often = header.reconsume_times > asked.unwrap_or(entry.retry_max_times);
        Ok(tried_too_often || self.tables.is_orderly(group))
    }

    fn append(
        &mut self,
        asker: Asker,
        header: &SendHeader<'_>,
        target: Target,
        delayed: bool,
        body: &Bytes,
        now: Now,
    ) -> Result<Stored, Halt> {
        let born_host = self.peer(asker.conn);
        let keys = &mut self.keys;
        let new_key = || keys.next(now.wall_ms);
        let prepared =
            send_properties::prepare(header.properties, &self.settings, target.dead_letter, new_key);
        let place = Place { topic: target.topic, queue_id: target.queue_id, text: prepared.text };
        let place = if delayed { place.delayed(self.store.delays()) } else { place };
        let record = NewRecord {
            topic: &place.topic,
            queue_id: place.queue_id,
            flag: header.flag,
            sys_flag: target.sys_flag,
            born_timestamp: header.born_timestamp,
            born_host,
            store_host: self.settings.store_host,
            reconsume_times: header.reconsume_times,
            prepared_transaction_offset: 0,
            body,
            properties: place.text.as_bytes(),
        };
        let placed = self.store.append(&record, now.wall_ms).map_err(|error| refusal_of(&error))?;
        Ok(Stored {
            asker,
            began_ms: now.mono_ms,
            queue_id: target.queue_id,
            placed: Places::One(placed),
            unique_key: Some(prepared.unique_key),
            waits: prepared.waits,
        })
    }
}

/// A topic to be made; retry and dead letter topics are never made after a template.
fn missing_topic(header: &SendHeader<'_>, name: &str) -> Halt {
    let own = name.starts_with(RETRY_PREFIX) || name.starts_with(DLQ_PREFIX);
    match header.queue_nums.or(own.then_some(OWN_TOPIC_QUEUES)) {
        Some(queue_nums) => Halt::Missing(Missing::Topic {
            name: name.to_owned(),
            // Dead letters are the broker's own doing: their topic needs no template.
            default_topic: if name == header.topic { header.default_topic } else { "" }.to_owned(),
            queue_nums: if own { OWN_TOPIC_QUEUES } else { queue_nums },
            unit: header.unit_mode,
        }),
        None => Refusal::no_topic(name).into(),
    }
}
