//! Questions about the log: offset by time (29), bounds of a queue (30, 31), first store time (32), message by id (33).
//!
//! Unknown topics and queues are no errors here, they are empty (5.5.0 answers 0 and -1 for them too).

use bytes::Bytes;

use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::output::ConnId;
use crate::session::reading::{Query, Reading};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::store::{Boundary, ReadRequest};
use crate::wire::codes::response;
use crate::wire::{Command, Fields};

impl Broker {
    pub(super) fn max_offset(&mut self, conn: ConnId, command: &Command) {
        self.bound(conn, command, |bounds| bounds.max);
    }

    pub(super) fn min_offset(&mut self, conn: ConnId, command: &Command) {
        self.bound(conn, command, |bounds| bounds.min);
    }

    fn bound(&mut self, conn: ConnId, command: &Command, pick: fn(crate::store::Bounds) -> i64) {
        let asker = Asker::of(conn, command);
        match queue_of(&command.fields) {
            Ok((topic, queue_id)) => {
                let offset = pick(self.store.bounds(topic, queue_id));
                self.answer_number(asker, "offset", offset);
            }
            Err(refusal) => self.refuse(asker, refusal),
        }
    }

    pub(super) fn search_offset(&mut self, conn: ConnId, command: &Command, now: Now) {
        let asker = Asker::of(conn, command);
        match search_request(&command.fields) {
            Ok(request) => self.read(Reading::Query(asker, Query::Offset), request, now),
            Err(refusal) => self.refuse(asker, refusal),
        }
    }

    pub(super) fn earliest_store_time(&mut self, conn: ConnId, command: &Command, now: Now) {
        let asker = Asker::of(conn, command);
        let (topic, queue_id) = match queue_of(&command.fields) {
            Ok(queue) => queue,
            Err(refusal) => return self.refuse(asker, refusal),
        };
        let bounds = self.store.bounds(topic, queue_id);
        if bounds.min >= bounds.max {
            return self.answer_number(asker, "timestamp", -1);
        }
        let request = ReadRequest::StoreTime { topic: topic.to_owned(), queue_id, offset: bounds.min };
        self.read(Reading::Query(asker, Query::StoreTime), request, now);
    }

    pub(super) fn view_message(&mut self, conn: ConnId, command: &Command, now: Now) {
        let asker = Asker::of(conn, command);
        match command.fields.required_i64("offset") {
            Ok(offset) => {
                let request = ReadRequest::Record { physical_offset: offset };
                self.read(Reading::Query(asker, Query::Record(offset)), request, now);
            }
            Err(error) => self.refuse(asker, error.into()),
        }
    }

    /// Answers 33 with the record, if there is one at that offset.
    pub(super) fn finish_view(&mut self, asker: Asker, offset: i64, record: Option<Bytes>) {
        let Some(record) = record else {
            let remark = format!("can not find message by the offset, {offset}");
            return self.refuse(asker, Refusal::new(response::SYSTEM_ERROR, remark));
        };
        self.answer_with_body(asker, &asker.answer(response::SUCCESS), vec![record]);
    }

    /// An answer that is one number.
    pub(super) fn answer_number(&mut self, asker: Asker, field: &str, number: i64) {
        let mut answer = asker.answer(response::SUCCESS);
        answer.fields.push(field, &number.to_string());
        self.answer(asker, &answer);
    }
}

fn queue_of(fields: &Fields) -> Result<(&str, i32), Refusal> {
    Ok((fields.required_str("topic")?, fields.required_i32("queueId")?))
}

fn search_request(fields: &Fields) -> Result<ReadRequest, Refusal> {
    let (topic, queue_id) = queue_of(fields)?;
    let timestamp = fields.required_i64("timestamp")?;
    let upper = fields.get("boundaryType").is_some_and(|kind| kind.eq_ignore_ascii_case("UPPER"));
    let boundary = if upper { Boundary::Upper } else { Boundary::Lower };
    Ok(ReadRequest::SearchTime { topic: topic.to_owned(), queue_id, timestamp, boundary })
}
