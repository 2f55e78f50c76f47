//! From answers to bytes, and what a full output buffer does to its connection.

use bytes::Bytes;

use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::output::{Cold, ConnId, Level, Output};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::wire::Command;
use crate::wire::codes::response;

/// Log lines a second; more are counted only.
const LOGS_PER_SECOND: u32 = 100;

impl Broker {
    /// Sends an answer, if anyone waits for it.
    pub(super) fn answer(&mut self, asker: Asker, answer: &Command) {
        self.answer_with_body(asker, answer, Vec::new());
    }

    /// Sends an answer with a body that is not copied.
    pub(super) fn answer_with_body(&mut self, asker: Asker, answer: &Command, body: Vec<Bytes>) {
        if asker.oneway || self.write(asker.conn, answer, body) {
            return;
        }
        let remark = "the answer does not fit its header type";
        let fallback = asker.answer(response::SYSTEM_ERROR).with_remark(remark);
        self.write(asker.conn, &fallback, Vec::new());
    }

    /// Refuses a request, if anyone waits for its answer.
    pub(super) fn refuse(&mut self, asker: Asker, refusal: Refusal) {
        let mut answer = asker.answer(refusal.code).with_remark(refusal.remark);
        answer.fields = refusal.fields;
        self.answer(asker, &answer);
    }

    /// Refuses a request because there are too many of its kind.
    pub(super) fn overloaded(&mut self, asker: Asker) {
        self.counters.overloaded += 1;
        self.refuse(asker, Refusal::overload());
    }

    /// Puts a command into the connection's outbox; false if it cannot be encoded. A connection that is gone takes anything.
    pub(super) fn write(&mut self, conn: ConnId, command: &Command, body: Vec<Bytes>) -> bool {
        let Some(connection) = self.connections.get_mut(conn) else { return true };
        let Ok(size) = connection.out.push(command, body) else { return false };
        connection.unsent += size;
        self.connections.mark_dirty(conn);
        self.pause_if_full(conn);
        true
    }

    /// Stops reading from a connection that has caused enough work.
    pub(super) fn pause_if_full(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if connection.is_full() && !connection.paused {
            connection.paused = true;
            self.outputs.push_back(Output::Pause(conn));
        }
    }

    /// So many bytes of the connection's `Output::Send`s have been written. Must be told, or a busy connection stays paused.
    pub fn sent(&mut self, conn: ConnId, bytes: usize, now: Now) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.unsent = connection.unsent.saturating_sub(bytes);
        connection.last_active = now.mono_ms;
        self.resume_if_room(conn, now);
    }

    /// Goes on with a paused connection if it has room: first what it left undone, then what it sent since.
    pub(super) fn resume_if_room(&mut self, conn: ConnId, now: Now) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if !connection.paused || !connection.has_room() {
            return;
        }
        connection.paused = false;
        let waited_ms = now.mono_ms.saturating_sub(connection.came_at);
        self.outputs.push_back(Output::Resume(conn));
        self.run_deferred(conn, now);
        self.process(conn, waited_ms, now);
    }

    /// Runs released pulls that waited for room in the output.
    fn run_deferred(&mut self, conn: ConnId, now: Now) {
        while let Some(connection) = self.connections.get_mut(conn).filter(|connection| !connection.paused) {
            let Some(pull) = connection.deferred.pop_front() else { return };
            self.run_again(pull, now);
        }
    }

    /// A line for the log, unless there are too many.
    pub(super) fn log(&mut self, level: Level, text: String, now: Now) {
        if self.logs.admit(LOGS_PER_SECOND, now.mono_ms) {
            self.outputs.push_back(Output::Cold(Cold::Log { level, text }));
        } else {
            self.counters.logs_dropped += 1;
        }
    }
}
