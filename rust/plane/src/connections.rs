//! All connections of a reactor, and the lists of those that have something to do in this turn.
//!
//! A connection is in `to_read` or `to_write` at most once. `gone` collects those whose end the engine has not been told
//! yet; the loop tells it, since that may produce output for others.

use std::collections::VecDeque;
use std::mem;
use std::net::SocketAddr;

use bytes::Bytes;
use mio::event::Event;
use rocketmq_lite_core::session::ConnId;
use rustc_hash::FxHashMap;

use crate::connection::{Connection, Input, ReadEnd};
use crate::limits::{LINGER_MS, READ_CHUNK, TURN_BUDGET};
use crate::opening::Refused;

/// The connections of one event loop.
#[derive(Debug)]
pub(crate) struct Connections {
    table: FxHashMap<ConnId, Connection>,
    to_read: VecDeque<ConnId>,
    to_write: Vec<ConnId>,
    /// Connections that wait to be closed, by the time at which we stop waiting; oldest first.
    lingering: VecDeque<(u64, ConnId)>,
    gone: Vec<ConnId>,
    /// Of `gone`, those that were refused: from where, and why.
    refused: Vec<(SocketAddr, Refused)>,
    buffer: Box<[u8]>,
}

impl Connections {
    pub(crate) fn new() -> Self {
        Self {
            table: FxHashMap::default(),
            to_read: VecDeque::new(),
            to_write: Vec::new(),
            lingering: VecDeque::new(),
            gone: Vec::new(),
            refused: Vec::new(),
            buffer: vec![0; READ_CHUNK].into_boxed_slice(),
        }
    }

    pub(crate) fn insert(&mut self, id: ConnId, connection: Connection) {
        self.table.insert(id, connection);
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Notes what the kernel reported.
    pub(crate) fn ready(&mut self, id: ConnId, event: &Event) {
        if let Some(connection) = self.table.get_mut(&id) {
            connection.ended |= event.is_read_closed() || event.is_error();
            connection.readable |= event.is_readable() || connection.ended;
            connection.writable |= event.is_writable();
            self.enlist(id);
        }
    }

    /// Puts a connection on the lists that it belongs on.
    fn enlist(&mut self, id: ConnId) {
        let Some(connection) = self.table.get_mut(&id) else { return };
        if connection.wants_read() && !mem::replace(&mut connection.listed_to_read, true) {
            self.to_read.push_back(id);
        }
        if connection.wants_write() && !mem::replace(&mut connection.listed_to_write, true) {
            self.to_write.push(id);
        }
    }

    /// Whether a socket is known to hold bytes, so that the loop may not sleep.
    pub(crate) fn any_to_read(&self) -> bool {
        !self.to_read.is_empty()
    }

    /// Gives every connection that can be read one budget of bytes, until the turn's is used up; what came goes into `sink`.
    pub(crate) fn read(&mut self, mut sink: impl FnMut(ConnId, Input<'_>)) {
        let mut total = 0;
        for _ in 0..self.to_read.len() {
            if total >= TURN_BUDGET {
                return;
            }
            let Some(id) = self.to_read.pop_front() else { break };
            let Some(connection) = self.table.get_mut(&id) else { continue };
            connection.listed_to_read = false;
            if !connection.wants_read() {
                continue;
            }
            match connection.read(&mut self.buffer, |input| {
                if let Input::Bytes(bytes) = input {
                    total += bytes.len();
                }
                sink(id, input);
            }) {
                Ok(Ok(ReadEnd::Finished)) => self.gone.push(id),
                // Empty, it may still have something to write: TLS answers by itself.
                Ok(Ok(ReadEnd::Budget | ReadEnd::Empty)) => self.enlist(id),
                Ok(Err(why)) => self.refuse(id, why),
                Err(_) => self.drop_failed(id),
            }
        }
    }

    /// Writes for every connection that has output and room; closes those that are done with it. What each has taken goes
    /// into `sink`.
    pub(crate) fn write(&mut self, mut sink: impl FnMut(ConnId, usize)) {
        for id in mem::take(&mut self.to_write) {
            let Some(connection) = self.table.get_mut(&id) else { continue };
            connection.listed_to_write = false;
            match connection.write() {
                Ok(count) => {
                    if count > 0 {
                        sink(id, count);
                    }
                    if connection.is_over() {
                        self.remove(id);
                    } else {
                        self.enlist(id);
                    }
                }
                Err(_) => self.drop_failed(id),
            }
        }
    }

    pub(crate) fn send(&mut self, id: ConnId, chunks: Vec<Bytes>) {
        if let Some(connection) = self.table.get_mut(&id) {
            connection.push(chunks);
            self.enlist(id);
        }
    }

    /// Stops or resumes reading at the engine's wish.
    pub(crate) fn pause(&mut self, id: ConnId, paused: bool) {
        if let Some(connection) = self.table.get_mut(&id) {
            connection.paused = paused;
            self.enlist(id);
        }
    }

    /// Closes a connection once its output is written, or `LINGER_MS` after now.
    pub(crate) fn end(&mut self, id: ConnId, mono_ms: u64) {
        let Some(connection) = self.table.get_mut(&id) else { return };
        if !mem::replace(&mut connection.ending, true) {
            self.lingering.push_back((mono_ms + LINGER_MS, id));
        }
        self.enlist(id);
    }

    /// Those that ended by themselves since the last call; the engine has to be told.
    pub(crate) fn take_gone(&mut self) -> Vec<ConnId> {
        mem::take(&mut self.gone)
    }

    pub(crate) fn any_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// When the first lingering connection is closed with or without its output.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.lingering.front().map(|(deadline, _)| *deadline)
    }

    /// Closes those that lingered too long.
    pub(crate) fn expire(&mut self, mono_ms: u64) {
        while let Some((deadline, id)) = self.lingering.front().copied() {
            if deadline > mono_ms && self.table.contains_key(&id) {
                return;
            }
            self.lingering.pop_front();
            self.remove(id);
        }
    }

    /// Whether output is left that a peer may still take.
    pub(crate) fn any_unsent(&self) -> bool {
        self.table.values().any(Connection::has_unsent)
    }

    /// Those that were refused since the last call: where from, and why.
    pub(crate) fn take_refused(&mut self) -> Vec<(SocketAddr, Refused)> {
        mem::take(&mut self.refused)
    }

    /// Ends a connection; the peer may still be told why, where the layer has words for it.
    fn refuse(&mut self, id: ConnId, why: Refused) {
        let peer = self.table.get(&id).and_then(|connection| connection.stream.peer_addr().ok());
        // Without an address the peer has gone already, and nobody needs to know.
        self.refused.extend(peer.map(|peer| (peer, why)));
        self.gone.push(id);
    }

    fn drop_failed(&mut self, id: ConnId) {
        self.remove(id);
        self.gone.push(id);
    }

    /// Dropping the stream closes the socket and takes it out of the kernel's interest list.
    fn remove(&mut self, id: ConnId) {
        self.table.remove(&id);
    }
}
