//! Messages by key (12): by one of their keys, by the unique key that their producer gave them, or by their tag.
//!
//! The answer is read where the disk may be waited for. None found is 22, with the header that the found would have.

use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::output::ConnId;
use crate::session::reading::{Query, Reading};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::store::{FoundByKey, KeyKind, ReadRequest};
use crate::wire::codes::response;
use crate::wire::{Command, Fields};

/// Apache's `defaultQueryMaxNum`, what is looked for under a unique key.
const UNIQUE_KEY_MAX: u32 = 32;
/// The field that says so.
const UNIQUE_KEY_QUERY: &str = "_UNIQUE_KEY_QUERY";
/// The `indexType` of tags; all others are keys.
const TAG: &str = "T";

impl Broker {
    pub(super) fn query_message(&mut self, conn: ConnId, command: &Command, now: Now) {
        let asker = Asker::of(conn, command);
        match request_of(&command.fields) {
            Ok(request) => self.read(Reading::Query(asker, Query::ByKey), request, now),
            Err(refusal) => self.refuse(asker, refusal),
        }
    }

    pub(super) fn finish_by_key(&mut self, asker: Asker, found: FoundByKey) {
        let of = |code, timestamp: i64, physical: i64| {
            let mut answer = asker.answer(code);
            answer.fields.push("indexLastUpdateTimestamp", &timestamp.to_string());
            answer.fields.push("indexLastUpdatePhyoffset", &physical.to_string());
            answer
        };
        if found.records.is_empty() {
            let remark = "can not find message, maybe time range not correct";
            return self.answer(asker, &of(response::QUERY_NOT_FOUND, 0, 0).with_remark(remark));
        }
        let answer = of(response::SUCCESS, found.last_timestamp, found.last_physical);
        self.answer_with_body(asker, &answer, found.records);
    }
}

fn request_of(fields: &Fields) -> Result<ReadRequest, Refusal> {
    let (topic, key) = (fields.required_str("topic")?.to_owned(), fields.required_str("key")?.to_owned());
    let max = u32::try_from(fields.required_i32("maxNum")?).unwrap_or(0);
    let times = (fields.required_i64("beginTimestamp")?, fields.required_i64("endTimestamp")?);
    let is_unique = fields.bool(UNIQUE_KEY_QUERY) == Some(true);
    let is_tag = !is_unique && fields.get("indexType") == Some(TAG);
    Ok(ReadRequest::ByKey {
        topic,
        kind: if is_tag { KeyKind::Tag } else { KeyKind::Key },
        key,
        max_messages: if is_unique { UNIQUE_KEY_MAX } else { max },
        times,
    })
}
