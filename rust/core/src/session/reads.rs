//! Reads: tried at once, and left to the owner where the disk would make us wait.

use crate::session::Broker;
use crate::session::output::{Level, Output};
use crate::session::query::Query;
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::session::waiting::{READS_TOTAL, Reading};
use crate::store::{ReadOutcome, ReadRequest, StoreError};
use crate::wire::codes::response;

impl Broker {
    /// Reads what a request needs and finishes it, now or when the owner has read it.
    pub(super) fn read(&mut self, reading: Reading, request: ReadRequest, now: Now) {
        let plan = self.store.plan_read(request);
        match plan.run_now() {
            Ok(Some(outcome)) => self.finish(reading, Ok(outcome), now),
            Ok(None) if self.waiting.reads_len() >= READS_TOTAL => self.overloaded(reading.asker()),
            Ok(None) => {
                let conn = reading.asker().conn;
                let token = self.waiting.park_read(reading);
                self.outputs.push_back(Output::Read(token, plan));
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
        let conn = reading.asker().conn;
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.reads = connection.reads.saturating_sub(1);
        }
        self.finish(reading, outcome, now);
        self.resume_if_room(conn, now);
    }

    fn finish(&mut self, reading: Reading, outcome: Result<ReadOutcome, StoreError>, now: Now) {
        let asker = reading.asker();
        match (reading, outcome) {
            (Reading::Pull(pull), Ok(ReadOutcome::Fetched(fetched))) => self.finish_pull(*pull, fetched, now),
            (Reading::Query(_, Query::Record(offset)), Ok(ReadOutcome::Record(record))) => {
                self.finish_view(asker, offset, record);
            }
            (Reading::Query(_, Query::Offset), Ok(ReadOutcome::Offset(offset))) => {
                self.answer_number(asker, "offset", offset);
            }
            (Reading::Query(_, Query::StoreTime), Ok(ReadOutcome::StoreTime(time))) => {
                self.answer_number(asker, "timestamp", time);
            }
            (_, Err(error)) => {
                self.log(Level::Error, format!("a read failed: {error}"), now);
                self.refuse(asker, Refusal::new(response::SYSTEM_ERROR, error.to_string()));
            }
            (_, Ok(_)) => {
                let remark = "internal error: a read gave something else than was asked; please report it";
                self.refuse(asker, Refusal::new(response::SYSTEM_ERROR, remark));
            }
        }
    }
}
