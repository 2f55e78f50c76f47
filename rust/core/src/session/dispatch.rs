//! From bytes to the one place that handles a request.
//!
//! What is hot is listed in `route`; everything else is Python's. A frame that cannot be read closes its connection: there is
//! no way to find the next one.

use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::cold::Admitted;
use crate::session::connection::{Connection, IDLE_LIMIT_MS};
use crate::session::missing::{self, Parked};
use crate::session::output::{Cold, ConnId, Level, Missing, MissingKind, Output};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::session::stop::Phase;
use crate::wire::codes::request;
use crate::wire::{Command, WireError};

/// The requests the engine answers itself.
const HOT: [i32; 14] = [
    request::SEND_MESSAGE,
    request::SEND_MESSAGE_V2,
    request::SEND_BATCH_MESSAGE,
    request::PULL_MESSAGE,
    request::LITE_PULL_MESSAGE,
    request::QUERY_CONSUMER_OFFSET,
    request::UPDATE_CONSUMER_OFFSET,
    request::SEARCH_OFFSET_BY_TIMESTAMP,
    request::GET_MAX_OFFSET,
    request::GET_MIN_OFFSET,
    request::GET_EARLIEST_MSG_STORETIME,
    request::QUERY_MESSAGE,
    request::VIEW_MESSAGE_BY_ID,
    request::CONSUMER_SEND_MSG_BACK,
];

/// A send that has waited here for longer is refused (Apache's `waitTimeMillsInSendQueue`).
const SEND_WAIT_MS: u64 = 200;

/// The last version of clients that do not understand `GO_AWAY`: 5.3.1.
const NO_GO_AWAY: i32 = 475;

/// Whether the request stores a message.
fn is_send(code: i32) -> bool {
    matches!(code, request::SEND_MESSAGE | request::SEND_MESSAGE_V2 | request::SEND_BATCH_MESSAGE)
}

impl Broker {
    /// Handles the frames that have come in completely, until the connection owes too much output. They may have waited for
    /// that to change; a send that has waited too long is not stored, because its producer is about to give up.
    pub(super) fn process(&mut self, conn: ConnId, waited_ms: u64, now: Now) {
        self.process_frames(conn, waited_ms, now);
        self.weigh(conn);
        self.pause_if_full(conn);
    }

    fn process_frames(&mut self, conn: ConnId, waited_ms: u64, now: Now) {
        loop {
            let Some(connection) = self.connections.get_mut(conn) else { return };
            if connection.paused {
                return;
            }
            match connection.decoder.next() {
                Ok(Some(command)) if waited_ms > SEND_WAIT_MS && is_send(command.code) => {
                    self.refuse_late(conn, &command, waited_ms);
                }
                Ok(Some(command)) => self.dispatch(conn, command, now),
                Ok(None) => return,
                Err(error) => return self.malformed(conn, &error, now),
            }
        }
    }

    fn refuse_late(&mut self, conn: ConnId, command: &Command, waited_ms: u64) {
        let left = self.connections.get(conn).map_or(0, |connection| connection.decoder.buffered());
        self.counters.sends += 1;
        self.counters.sends_late += 1;
        self.refuse_send(Asker::of(conn, command), Refusal::late(waited_ms, left));
    }

    fn malformed(&mut self, conn: ConnId, error: &WireError, now: Now) {
        if let Some(untold) = self.garbage.admit(now.mono_ms) {
            let peer = self.client(conn);
            self.log(Level::Warning, format!("closing the connection from {peer}: {error}{untold}"), now);
        }
        self.close(conn);
    }

    /// Closes a connection on which nothing has moved for long; one that stopped in the middle is logged.
    pub(super) fn close_idle(&mut self, conn: ConnId, now: Now) {
        let unfinished = self.connections.get(conn).and_then(Connection::unfinished);
        if let Some(what) = unfinished
            && let Some(untold) = self.stuck.admit(now.mono_ms)
        {
            let (peer, seconds) = (self.client(conn), IDLE_LIMIT_MS / 1000);
            let text =
                format!("closing the connection from {peer}: nothing moved for {seconds} s, {what}{untold}");
            self.log(Level::Warning, text, now);
        }
        self.close(conn);
    }

    fn dispatch(&mut self, conn: ConnId, command: Command, now: Now) {
        let peer = self.client(conn);
        if command.is_response() {
            return self.push_answered(conn, command, peer);
        }
        let principal = match self.gate.admit(&command, peer) {
            Ok(principal) => principal,
            Err(refusal) => return self.refuse(Asker::of(conn, &command), refusal),
        };
        if self.phase != Phase::Serving && command.version > NO_GO_AWAY && !command.is_oneway() {
            return self.refuse_command(conn, &command, Refusal::go_away());
        }
        if !HOT.contains(&command.code) {
            return self.cold(Admitted { conn, peer, principal, command }, now);
        }
        self.counters.sends += u64::from(is_send(command.code));
        self.route(conn, command, now);
    }

    /// Handles a hot request.
    fn route(&mut self, conn: ConnId, command: Command, now: Now) {
        if self.phase == Phase::Stopped {
            return self.refuse(Asker::of(conn, &command), Refusal::stopping());
        }
        if !is_send(command.code) {
            self.settle_own(conn, now);
        }
        match command.code {
            code if is_send(code) => self.send(conn, command, now),
            request::QUERY_CONSUMER_OFFSET => self.query_offset(conn, &command),
            request::UPDATE_CONSUMER_OFFSET => self.update_offset(conn, &command),
            request::SEARCH_OFFSET_BY_TIMESTAMP => self.search_offset(conn, &command, now),
            request::GET_MAX_OFFSET => self.max_offset(conn, &command),
            request::GET_MIN_OFFSET => self.min_offset(conn, &command),
            request::GET_EARLIEST_MSG_STORETIME => self.earliest_store_time(conn, &command, now),
            request::QUERY_MESSAGE => self.query_message(conn, &command, now),
            request::VIEW_MESSAGE_BY_ID => self.view_message(conn, &command, now),
            request::CONSUMER_SEND_MSG_BACK => self.send_back(conn, command, now),
            request::PULL_MESSAGE | request::LITE_PULL_MESSAGE => {
                self.counters.pulls += 1;
                self.pull(conn, command, now);
            }
            _ => {}
        }
    }

    /// Has a request wait until Python has supplied a name.
    pub(super) fn park(&mut self, missing: Missing, conn: ConnId, command: Command, now: Now) {
        if self.phase != Phase::Serving {
            return self.refuse_command(conn, &command, Refusal::stopping());
        }
        match self.missing.park(&missing, conn, command, now.mono_ms) {
            Ok(true) => self.outputs.push_back(Output::Cold(Cold::Missing(missing))),
            Ok(false) => {}
            Err(command) => {
                self.counters.overloaded += 1;
                self.refuse_command(conn, &command, Refusal::overload());
            }
        }
    }

    /// Runs the requests that waited for a name, in order. If it is not there after all, they are refused.
    pub(super) fn retry(&mut self, kind: MissingKind, name: &str, now: Now) {
        let (found, refusal) = match kind {
            MissingKind::Topic => (self.tables.topic(name).is_some(), Refusal::no_topic(name)),
            MissingKind::Group => (self.tables.group(name).is_some(), Refusal::no_group(name)),
        };
        if !found {
            return self.refuse_waiting(kind, name, &refusal);
        }
        for Parked { conn, command, .. } in self.missing.take(kind, name) {
            self.route(conn, command, now);
        }
    }

    /// Answers the requests that wait for a name.
    pub(super) fn refuse_waiting(&mut self, kind: MissingKind, name: &str, refusal: &Refusal) {
        for parked in self.missing.take(kind, name) {
            self.refuse_command(parked.conn, &parked.command, refusal.clone());
        }
    }

    /// Answers busy to requests whose name Python has not got round to.
    pub(super) fn expire_parked(&mut self, now: Now) {
        for parked in self.missing.expire(now.mono_ms) {
            let refusal = Refusal::late(missing::ASKED_LIMIT_MS, parked.command.body.len());
            self.refuse_command(parked.conn, &parked.command, refusal);
        }
    }

    /// Refuses a request of either kind.
    pub(super) fn refuse_command(&mut self, conn: ConnId, command: &Command, refusal: Refusal) {
        let asker = Asker::of(conn, command);
        if is_send(command.code) {
            self.refuse_send(asker, refusal);
        } else {
            self.refuse(asker, refusal);
        }
    }
}
