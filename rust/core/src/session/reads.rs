//! Reads: tried at once, and left to the owner where the disk would make us wait.

use crate::session::Broker;
use crate::session::output::{Level, Output, Value};
use crate::session::reading::{Query, Reading};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::session::waiting::READS_TOTAL;
use crate::store::{ReadOutcome, ReadRequest, StoreError};
use crate::wire::codes::response;

impl Broker {
    /// Reads what a request needs and finishes it, now or when the owner has read it.
    pub(super) fn read(&mut self, reading: Reading, request: ReadRequest, now: Now) {
        let plan = self.store.plan_read(request);
        match plan.run_now() {
            Ok(Some(outcome)) => self.finish(reading, Ok(outcome), now),
            Ok(None) if self.waiting.reads_len() >= READS_TOTAL => self.too_many_reads(&reading),
            Ok(None) => {
                let conn = reading.asker().map(|asker| asker.conn);
                let token = self.waiting.park_read(reading);
                self.outputs.push_back(Output::Read(token, plan));
                let Some(conn) = conn else { return };
                if let Some(connection) = self.connections.get_mut(conn) {
                    connection.reads += 1;
                }
                self.pause_if_full(conn);
            }
            Err(error) => self.finish(reading, Err(error), now),
        }
    }

    /// The owner has run the plan of the `Output::Read` with this token.
    pub fn read_done(&mut self, token: u64, outcome: Result<ReadOutcome, StoreError>, now: Now) {
        let Some(reading) = self.waiting.take_read(token) else { return };
        let conn = reading.asker().map(|asker| asker.conn);
        if let Some(connection) = conn.and_then(|conn| self.connections.get_mut(conn)) {
            connection.reads = connection.reads.saturating_sub(1);
        }
        self.finish(reading, outcome, now);
        if let Some(conn) = conn {
            self.resume_if_room(conn, now);
        }
    }

    fn finish(&mut self, reading: Reading, outcome: Result<ReadOutcome, StoreError>, now: Now) {
        match (reading, outcome) {
            (Reading::Pull(pull), Ok(ReadOutcome::Fetched(fetched))) => self.finish_pull(*pull, fetched, now),
            (Reading::Query(asker, Query::Record(offset)), Ok(ReadOutcome::Record(record))) => {
                self.finish_view(asker, offset, record);
            }
            (Reading::Query(asker, Query::Offset), Ok(ReadOutcome::Offset(offset))) => {
                self.answer_number(asker, "offset", offset);
            }
            (Reading::Query(asker, Query::ByKey), Ok(ReadOutcome::ByKey(found))) => {
                self.finish_by_key(asker, found);
            }
            (Reading::Query(asker, Query::StoreTime), Ok(ReadOutcome::StoreTime(time))) => {
                self.answer_number(asker, "timestamp", time);
            }
            (Reading::SendBack(back), Ok(ReadOutcome::Record(record))) => {
                self.finish_send_back(*back, record.as_ref(), now);
            }
            (Reading::Scheduled(look), Ok(ReadOutcome::Fetched(fetched))) => {
                self.finish_scheduled(look, &fetched, now);
            }
            (Reading::Own(token), Ok(ReadOutcome::Offset(offset))) => self.done(token, Value::Offset(offset)),
            (Reading::Own(token), Ok(ReadOutcome::StoreTime(time))) => {
                self.done(token, Value::StoreTime(time));
            }
            (Reading::Own(token), Ok(ReadOutcome::Record(record))) => self.done(token, Value::Record(record)),
            (reading, Err(error)) => {
                self.log(Level::Error, format!("a read failed: {error}"), now);
                self.not_read(&reading, error.to_string());
            }
            (reading, Ok(_)) => {
                let remark = "internal error: a read gave something else than was asked; please report it";
                self.not_read(&reading, remark.to_owned());
            }
        }
    }

    fn too_many_reads(&mut self, reading: &Reading) {
        match reading.asker() {
            Some(asker) => self.overloaded(asker),
            None => self.not_read(reading, "too many reads are waiting for the disk".to_owned()),
        }
    }

    /// Tells whoever asked that there is no answer, and why.
    fn not_read(&mut self, reading: &Reading, why: String) {
        match reading {
            Reading::Pull(pull) => self.refuse(pull.asker, Refusal::new(response::SYSTEM_ERROR, why)),
            Reading::Query(asker, _) => self.refuse(*asker, Refusal::new(response::SYSTEM_ERROR, why)),
            Reading::SendBack(back) => self.refuse(back.asker, Refusal::new(response::SYSTEM_ERROR, why)),
            Reading::Scheduled(look) => self.done(look.token, Value::Failed(why)),
            Reading::Own(token) => self.done(*token, Value::Failed(why)),
        }
    }
}
