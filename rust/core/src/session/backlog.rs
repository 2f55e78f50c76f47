//! What was received and is not processed, of all connections together, and who may go on sending when it is too much.
//!
//! Such bytes are beginnings of frames, or requests of a connection that is not looked at for now. A connection has at most
//! one frame's beginning (16 MiB) and what its owner reads at a time; all of them together could fill the memory. Above
//! `TOTAL`, a connection whose frame has not come as a whole is not read, while small requests go on passing through.
//! That alone could last for ever, with memory full of beginnings: so the connections are let in again one after the other,
//! each until its frame is there. One that lets the others wait for longer than `TURN_MS` is closed.

use std::collections::VecDeque;

use crate::session::Broker;
use crate::session::output::{ConnId, Level};
use crate::session::settings::Now;

/// Unprocessed bytes of all connections above which those with a part of a frame are not read.
pub(super) const TOTAL: usize = 64 * 1024 * 1024;
/// What one connection that is read again may add before the next look; owners read less at a time.
const SHARE: usize = 1024 * 1024;
/// So long a connection may keep the others waiting for the rest of its frame.
pub(super) const TURN_MS: u64 = 5_000;

/// The unprocessed bytes and the queue for room.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    bytes: usize,
    /// Connections that are not read for want of room, longest waiting first; some are gone.
    waiting: VecDeque<ConnId>,
    /// The one that may finish its frame although there is no room, and until when.
    turn: Option<(ConnId, u64)>,
}

impl Backlog {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.turn.map(|(_, deadline)| deadline)
    }

    fn is_full(&self) -> bool {
        self.bytes > TOTAL
    }

    fn has_turn(&self, conn: ConnId) -> bool {
        self.turn.is_some_and(|(holder, _)| holder == conn)
    }

    /// A connection's bytes are no longer there.
    pub(super) fn forget(&mut self, conn: ConnId, bytes: usize) {
        self.bytes -= bytes;
        self.turn = self.turn.filter(|(holder, _)| *holder != conn);
    }
}

impl Broker {
    /// Counts what a connection has that is not processed, and has it wait if that is too much.
    pub(super) fn weigh(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let (before, now) = (connection.counted, connection.decoder.buffered());
        connection.counted = now;
        self.backlog.bytes = self.backlog.bytes - before + now;
        if now < before && self.backlog.has_turn(conn) {
            self.backlog.turn = None;
        }
        if now > 0 && !connection.crowded && self.backlog.is_full() && !self.backlog.has_turn(conn) {
            connection.crowded = true;
            self.backlog.waiting.push_back(conn);
        }
    }

    /// Reads connections again for which there is room, or whose turn it is.
    pub(super) fn let_in(&mut self, now: Now) {
        if self.backlog.waiting.is_empty() {
            return;
        }
        let room = TOTAL.saturating_sub(self.backlog.bytes) / SHARE;
        for _ in 0..room {
            let Some(conn) = self.next_waiting() else { return };
            self.uncrowd(conn, now);
        }
        if room == 0
            && self.backlog.turn.is_none()
            && let Some(conn) = self.next_waiting()
        {
            self.backlog.turn = Some((conn, now.mono_ms + TURN_MS));
            self.uncrowd(conn, now);
        }
    }

    /// Takes the turn from a connection that has had it for too long. Unless it waits for us, it is closed.
    pub(super) fn expire_turn(&mut self, now: Now) {
        let Some((conn, _)) = self.backlog.turn.filter(|(_, deadline)| *deadline <= now.mono_ms) else {
            return;
        };
        self.backlog.turn = None;
        let Some(connection) = self.connections.get(conn).filter(|connection| !connection.paused) else {
            return;
        };
        let (peer, begun) = (connection.client, connection.decoder.buffered());
        if let Some(untold) = self.stuck.admit(now.mono_ms) {
            let text = format!(
                "closing the connection from {peer}: {begun} bytes of a frame have come and not the rest within {} s, \
                 while others wait for the memory{untold}",
                TURN_MS / 1000
            );
            self.log(Level::Warning, text, now);
        }
        self.close(conn);
    }

    /// The connection that has waited longest, if it is still there.
    fn next_waiting(&mut self) -> Option<ConnId> {
        loop {
            let conn = self.backlog.waiting.pop_front()?;
            if self.connections.get(conn).is_some() {
                return Some(conn);
            }
        }
    }

    fn uncrowd(&mut self, conn: ConnId, now: Now) {
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.crowded = false;
        }
        self.resume_if_room(conn, now);
    }
}
