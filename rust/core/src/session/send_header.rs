//! The header of a send: long names with code 10, single letters with codes 310 and 320.

use crate::session::refusal::Refusal;
use crate::wire::codes::request;
use crate::wire::{BadField, Command, Fields};

/// What the fields are called.
struct Names {
    topic: &'static str,
    default_topic: &'static str,
    queue_nums: &'static str,
    queue_id: &'static str,
    sys_flag: &'static str,
    born_timestamp: &'static str,
    flag: &'static str,
    properties: &'static str,
    reconsume_times: &'static str,
    unit_mode: &'static str,
    max_reconsume_times: &'static str,
    batch: &'static str,
}

const LONG: Names = Names {
    topic: "topic",
    default_topic: "defaultTopic",
    queue_nums: "defaultTopicQueueNums",
    queue_id: "queueId",
    sys_flag: "sysFlag",
    born_timestamp: "bornTimestamp",
    flag: "flag",
    properties: "properties",
    reconsume_times: "reconsumeTimes",
    unit_mode: "unitMode",
    max_reconsume_times: "maxReconsumeTimes",
    batch: "batch",
};

const SHORT: Names = Names {
    topic: "b",
    default_topic: "c",
    queue_nums: "d",
    queue_id: "e",
    sys_flag: "f",
    born_timestamp: "g",
    flag: "h",
    properties: "i",
    reconsume_times: "j",
    unit_mode: "k",
    max_reconsume_times: "l",
    batch: "m",
};

/// A send's header. What Java reads without needing it may be left out.
#[derive(Debug)]
pub(super) struct SendHeader<'a> {
    pub(super) topic: &'a str,
    pub(super) default_topic: &'a str,
    /// Needed only where a topic is to be made.
    pub(super) queue_nums: Option<i32>,
    pub(super) queue_id: i32,
    pub(super) sys_flag: i32,
    pub(super) born_timestamp: i64,
    pub(super) flag: i32,
    pub(super) properties: &'a str,
    pub(super) reconsume_times: i32,
    pub(super) unit_mode: bool,
    pub(super) max_reconsume_times: Option<i32>,
    /// Whether the body is a batch, by code or by mark.
    pub(super) batch: bool,
}

impl<'a> SendHeader<'a> {
    /// Reads the header in the form that goes with the command's code.
    pub(super) fn read(command: &'a Command) -> Result<Self, Refusal> {
        let names = if command.code == request::SEND_MESSAGE { &LONG } else { &SHORT };
        let mut header = Self::read_as(names, &command.fields)?;
        header.batch |= command.code == request::SEND_BATCH_MESSAGE;
        Ok(header)
    }

    fn read_as(names: &Names, fields: &'a Fields) -> Result<Self, BadField> {
        Ok(Self {
            topic: fields.required_str(names.topic)?,
            default_topic: fields.get(names.default_topic).unwrap_or_default(),
            queue_nums: fields.i32(names.queue_nums)?,
            queue_id: fields.required_i32(names.queue_id)?,
            sys_flag: fields.required_i32(names.sys_flag)?,
            born_timestamp: fields.required_i64(names.born_timestamp)?,
            flag: fields.required_i32(names.flag)?,
            properties: fields.get(names.properties).unwrap_or_default(),
            reconsume_times: fields.i32(names.reconsume_times)?.unwrap_or_default(),
            unit_mode: fields.bool(names.unit_mode).unwrap_or_default(),
            max_reconsume_times: fields.i32(names.max_reconsume_times)?,
            batch: fields.bool(names.batch).unwrap_or_default(),
        })
    }
}
