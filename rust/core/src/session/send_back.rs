//! `CONSUMER_SEND_MSG_BACK` (36): a consumer could not handle a message. It comes back later by its group's retry topic, or
//! goes to the group's dead letters when it has been tried often enough or the consumer gives it up.

use bytes::Bytes;

use crate::record::{self, Decoded, Message, NewRecord, message_id, properties};
use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::halt::Halt;
use crate::session::names::{DLQ_PREFIX, RETRY_PREFIX};
use crate::session::output::{ConnId, Missing, MissingKind};
use crate::session::reading::{Reading, SendBack};
use crate::session::refusal::Refusal;
use crate::session::run::refusal_of;
use crate::session::schedule::Place;
use crate::session::send::VERSION_WITH_MAX_ATTEMPTS;
use crate::session::settings::Now;
use crate::session::tables::PERM_WRITE;
use crate::store::ReadRequest;
use crate::wire::codes::response;
use crate::wire::{BadField, Command};

/// The level of the first retry, when the consumer leaves the delay to the broker; each later one waits a level longer.
const FIRST_RETRY_LEVEL: i32 = 3;
/// Queues of a group's dead letters.
const DLQ_QUEUES: i32 = 1;

struct Header<'a> {
    group: &'a str,
    offset: i64,
    delay_level: i32,
    unit_mode: bool,
    max_reconsume_times: Option<i32>,
}

impl<'a> Header<'a> {
    fn read(command: &'a Command) -> Result<Self, BadField> {
        let fields = &command.fields;
        let asked = fields.i32("maxReconsumeTimes")?;
        Ok(Self {
            group: fields.required_str("group")?,
            offset: fields.required_i64("offset")?,
            delay_level: fields.required_i32("delayLevel")?,
            unit_mode: fields.bool("unitMode").unwrap_or_default(),
            max_reconsume_times: asked.filter(|_| command.version >= VERSION_WITH_MAX_ATTEMPTS),
        })
    }
}

impl Broker {
    /// Takes a message back, refuses to, or has the request wait for its group or topic.
    pub(super) fn send_back(&mut self, conn: ConnId, command: Command, now: Now) {
        let asker = Asker::of(conn, &command);
        match self.check_send_back(&command) {
            Ok(Some(physical_offset)) => {
                let request = ReadRequest::Record { physical_offset };
                let back = Box::new(SendBack { asker, command });
                self.read(Reading::SendBack(back), request, now);
            }
            Ok(None) => self.answer(asker, &asker.answer(response::SUCCESS)),
            Err(Halt::Refused(refusal)) => self.refuse(asker, refusal),
            Err(Halt::Missing(missing)) => self.park(missing, conn, command, now),
        }
    }

    /// Where the message is; `None` if its group does not want it back.
    fn check_send_back(&mut self, command: &Command) -> Result<Option<i64>, Halt> {
        let header = Header::read(command).map_err(Refusal::from)?;
        let queues = self.group_or_missing(header.group)?.retry_queues;
        if self.settings.permission & PERM_WRITE == 0 {
            let remark =
                format!("the broker[{}] sending message is forbidden", self.settings.store_host.ip());
            return Err(Refusal::new(response::NO_PERMISSION, remark).into());
        }
        if queues <= 0 {
            return Ok(None);
        }
        self.own_topic(&format!("{RETRY_PREFIX}{}", header.group), queues, header.unit_mode)?;
        self.check_accepting()?;
        Ok(Some(header.offset))
    }

    /// Refuses if the group's topic may not be written to; Python is asked for one that does not exist.
    fn own_topic(&self, name: &str, queue_nums: i32, unit: bool) -> Result<(), Halt> {
        match self.tables.topic(name) {
            Some(topic) if !self.missing.waits(MissingKind::Topic, name) => {
                if topic.permission & PERM_WRITE == 0 {
                    let remark = format!("the topic[{name}] sending message is forbidden");
                    return Err(Refusal::new(response::NO_PERMISSION, remark).into());
                }
                Ok(())
            }
            _ => Err(Halt::Missing(Missing::Topic {
                name: name.to_owned(),
                default_topic: String::new(),
                queue_nums,
                unit,
            })),
        }
    }

    /// Goes on once the message has been read.
    pub(super) fn finish_send_back(&mut self, back: SendBack, record: Option<&Bytes>, now: Now) {
        let asker = back.asker;
        match self.try_send_back(&back.command, record, now) {
            Ok(()) => self.answer(asker, &asker.answer(response::SUCCESS)),
            Err(Halt::Refused(refusal)) => self.refuse(asker, refusal),
            Err(Halt::Missing(missing)) => self.park(missing, asker.conn, back.command, now),
        }
    }

    fn try_send_back(&mut self, command: &Command, record: Option<&Bytes>, now: Now) -> Result<(), Halt> {
        let header = Header::read(command).map_err(Refusal::from)?;
        let Some(Ok(Decoded::Message(message))) = record.map(|bytes| record::decode(bytes)) else {
            let remark = format!("look message by offset failed, {}", header.offset);
            return Err(Refusal::new(response::SYSTEM_ERROR, remark).into());
        };
        let group = self.group_or_missing(header.group)?;
        let (queues, times) = (group.retry_queues, group.retry_max_times);
        let limit = header.max_reconsume_times.unwrap_or(times);
        let dead = message.reconsume_times >= limit || header.delay_level < 0;
        let place = if dead {
            let topic = format!("{DLQ_PREFIX}{}", header.group);
            self.own_topic(&topic, DLQ_QUEUES, false)?;
            Place { topic, queue_id: 0, text: back_text(&message, 0) }
        } else {
            let topic = format!("{RETRY_PREFIX}{}", header.group);
            let level = match header.delay_level {
                0 => FIRST_RETRY_LEVEL.saturating_add(message.reconsume_times),
                level => level,
            };
            let queue_id = self.chance.below(queues).unwrap_or(0);
            Place { topic, queue_id, text: back_text(&message, level) }.delayed(self.store.delays())
        };
        let again = NewRecord {
            topic: &place.topic,
            queue_id: place.queue_id,
            flag: message.flag,
            sys_flag: message.sys_flag,
            born_timestamp: message.born_timestamp,
            born_host: message.born_host,
            store_host: self.settings.store_host,
            reconsume_times: message.reconsume_times.saturating_add(1),
            prepared_transaction_offset: 0,
            body: message.body,
            properties: place.text.as_bytes(),
        };
        self.put_own([again], now).map_err(|error| refusal_of(&error).into())
    }
}

/// The message's properties, and how it came to be where it is.
fn back_text(message: &Message<'_>, level: i32) -> String {
    let mut text = properties::Builder::from_text(message.properties);
    if properties::get(message.properties, properties::RETRY_TOPIC).is_none() {
        text.push(properties::RETRY_TOPIC, message.topic);
    }
    if properties::get(message.properties, properties::ORIGIN_MESSAGE_ID).is_none() {
        let id = message_id::offset_id(message.store_host, message.physical_offset);
        text.push(properties::ORIGIN_MESSAGE_ID, &id);
    }
    text.set(properties::WAIT, "false");
    text.set(properties::DELAY, &level.to_string());
    text.finish()
}
