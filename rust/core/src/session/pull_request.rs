//! What a pull asks for, and what is noted of it until it is answered.

use crate::filter::Filter;
use crate::session::asker::Asker;
use crate::session::refusal::Refusal;
use crate::wire::Fields;

// Bits of `sysFlag`: what else the header says.
const COMMIT_BIT: i32 = 1;
const SUSPEND_BIT: i32 = 2;
const SUBSCRIPTION_BIT: i32 = 4;

/// One pull, from its header to its answer.
#[derive(Debug)]
pub(super) struct Pull {
    pub(super) asker: Asker,
    pub(super) topic: String,
    pub(super) queue_id: i32,
    pub(super) offset: i64,
    pub(super) filter: Filter,
    pub(super) group: String,
    pub(super) max_messages: i32,
    /// The consumer's progress, if it comes with the pull.
    pub(super) commit: Option<i64>,
    /// How long it may be held.
    pub(super) suspend_ms: Option<u64>,
    /// The filter comes with the pull: type and expression.
    pub(super) expression: Option<(String, String)>,
    pub(super) subscription_version: i64,
    /// When its reading began, on the monotonic clock.
    pub(super) began_ms: u64,
    /// Not run before: it may commit and be held.
    pub(super) first: bool,
    pub(super) topic_sys_flag: i32,
    pub(super) group_sys_flag: i32,
}

impl Pull {
    /// Reads the header; what the tables say is not known yet.
    pub(super) fn read(asker: Asker, fields: &Fields) -> Result<Self, Refusal> {
        let sys_flag = fields.required_i32("sysFlag")?;
        let has = |bit: i32| sys_flag & bit != 0;
        let text = |key: &str| fields.get(key).unwrap_or_default().to_owned();
        let commit = if has(COMMIT_BIT) { Some(fields.required_i64("commitOffset")?) } else { None };
        let suspend =
            if has(SUSPEND_BIT) { Some(fields.required_i64("suspendTimeoutMillis")?) } else { None };
        Ok(Self {
            asker,
            group: fields.required_str("consumerGroup")?.to_owned(),
            topic: fields.required_str("topic")?.to_owned(),
            queue_id: fields.required_i32("queueId")?,
            offset: fields.required_i64("queueOffset")?,
            max_messages: fields.required_i32("maxMsgNums")?,
            commit,
            suspend_ms: suspend.map(|wait| u64::try_from(wait).unwrap_or_default()),
            expression: has(SUBSCRIPTION_BIT).then(|| (text("expressionType"), text("subscription"))),
            subscription_version: fields.i64("subVersion")?.unwrap_or_default(),
            filter: Filter::all(),
            began_ms: 0,
            first: true,
            topic_sys_flag: 0,
            group_sys_flag: 0,
        })
    }

    /// The fields that every answer to it has.
    pub(super) fn answer_fields(&self, next_offset: i64, min: i64, max: i64) -> Fields {
        [
            ("suggestWhichBrokerId", "0"),
            ("groupSysFlag", &self.group_sys_flag.to_string()),
            ("nextBeginOffset", &next_offset.to_string()),
            ("maxOffset", &max.to_string()),
            ("minOffset", &min.to_string()),
            ("topicSysFlag", &self.topic_sys_flag.to_string()),
        ]
        .into_iter()
        .collect()
    }
}
