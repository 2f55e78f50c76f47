//! The header of a send: long names with code 10, single letters with codes 310 and 320.

use crate::session::refusal::Refusal;
use crate::wire::Command;
use crate::wire::codes::request;

/// What the fields are called, in the order in which clients mostly write them.
const LONG: [&str; 12] = [
    "topic",
    "defaultTopic",
    "defaultTopicQueueNums",
    "queueId",
    "sysFlag",
    "bornTimestamp",
    "flag",
    "properties",
    "reconsumeTimes",
    "unitMode",
    "maxReconsumeTimes",
    "batch",
];
const SHORT: [&str; 12] = ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];

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
        let [
            topic,
            default_topic,
            queue_nums,
            queue_id,
            sys_flag,
            born_timestamp,
            flag,
            properties,
            reconsume_times,
            unit_mode,
            max_reconsume_times,
            batch,
        ] = command.fields.pick(names);
        Ok(Self {
            topic: topic.required()?,
            default_topic: default_topic.value().unwrap_or_default(),
            queue_nums: queue_nums.number()?,
            queue_id: queue_id.required_number()?,
            sys_flag: sys_flag.required_number()?,
            born_timestamp: born_timestamp.required_number()?,
            flag: flag.required_number()?,
            properties: properties.value().unwrap_or_default(),
            reconsume_times: reconsume_times.number()?.unwrap_or_default(),
            unit_mode: unit_mode.bool().unwrap_or_default(),
            max_reconsume_times: max_reconsume_times.number()?,
            batch: command.code == request::SEND_BATCH_MESSAGE || batch.bool().unwrap_or_default(),
        })
    }
}
