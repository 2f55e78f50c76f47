//! The connections of the engine: what was received and not yet parsed, what was answered and not yet handed out.
//!
//! Answers are encoded into the connection's outbox and handed out as one `Output::Send` a round, so that a round of requests
//! costs one write. A connection with more than `UNSENT_HIGH` bytes on their way, or `READS_LIMIT` reads at the disk, is not
//! read and its frames are not looked at until there is room again: each request makes so many bytes of answers that a
//! client could otherwise fill our memory by not reading them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::session::output::ConnId;
use crate::session::pull_request::Pull;
use crate::session::window::Window;
use crate::wire::{self, Command, FrameDecoder, WireError};

/// Above this many unsent bytes a connection is paused.
const UNSENT_HIGH: usize = 4 * 1024 * 1024;
/// Below this many it is resumed; half, so that it does not flap.
const UNSENT_LOW: usize = UNSENT_HIGH / 2;
/// Reads that one connection may have at the disk; each may bring a whole answer at any moment.
const READS_LIMIT: usize = 64;
/// A connection on which nothing moves for this long is closed, as in Apache.
pub(super) const IDLE_LIMIT_MS: u64 = 120_000;
/// Answers to pushes that one client may owe us; it is silent about the oldest beyond that.
const PUSHES_LIMIT: usize = 64;

/// Bytes to write, small answers packed together, bodies left where they are.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    chunks: Vec<Bytes>,
    tail: Vec<u8>,
}

impl Outbox {
    /// Appends a whole frame; how many bytes it is. On failure nothing was appended.
    pub(super) fn push(&mut self, command: &Command, body: Vec<Bytes>) -> Result<usize, WireError> {
        let start = self.tail.len();
        let body_len: usize = body.iter().map(Bytes::len).sum();
        let encoded = if body.is_empty() {
            wire::encode(command, &mut self.tail)
        } else {
            wire::encode_head(command, body_len, &mut self.tail)
        };
        if let Err(error) = encoded {
            self.tail.truncate(start);
            return Err(error);
        }
        let size = self.tail.len() - start + body_len;
        if !body.is_empty() {
            self.seal();
            self.chunks.extend(body);
        }
        Ok(size)
    }

    /// Everything appended since the last call.
    pub(super) fn take(&mut self) -> Vec<Bytes> {
        self.seal();
        std::mem::take(&mut self.chunks)
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push(Bytes::from(std::mem::take(&mut self.tail)));
        }
    }
}

/// One connection.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with its own source; no state has a name"
)]
pub(super) struct Connection {
    /// The other end of the socket, which stored messages carry as their born host.
    pub(super) peer: SocketAddr,
    /// Who a load balancer says the client is; else the peer.
    pub(super) client: SocketAddr,
    pub(super) decoder: FrameDecoder,
    pub(super) out: Outbox,
    /// Waits in the list of connections that have something to send.
    pub(super) dirty: bool,
    pub(super) unsent: usize,
    pub(super) paused: bool,
    /// When what it has not processed came.
    pub(super) came_at: u64,
    /// Not read because all connections together have too much that is not processed.
    pub(super) crowded: bool,
    /// What of it is counted in the backlog of all.
    pub(super) counted: usize,
    /// Its reads that the owner has.
    pub(super) reads: usize,
    pub(super) last_active: u64,
    /// Number of the append run its latest send went into.
    pub(super) run: u64,
    /// Python has seen a command of it and must hear that it closed.
    pub(super) told: bool,
    /// Tokens of its unanswered cold requests.
    pub(super) cold: HashSet<u64>,
    /// Its one-way cold commands of late.
    pub(super) oneways: Window,
    /// Its held pulls.
    pub(super) holds: HashSet<u64>,
    /// Pulls to run when it is read again.
    pub(super) deferred: VecDeque<Pull>,
    /// Pushes it owes an answer: opaque and token.
    pushes: VecDeque<(i32, u64)>,
}

impl Connection {
    /// Whether it has to be paused now.
    pub(super) fn is_full(&self) -> bool {
        self.crowded || self.unsent > UNSENT_HIGH || self.reads >= READS_LIMIT
    }

    /// Whether it may be read again, once paused.
    pub(super) fn has_room(&self) -> bool {
        !self.crowded && self.unsent <= UNSENT_LOW && self.reads < READS_LIMIT
    }

    /// What an idle connection has left undone, for the log; nothing if it is merely quiet.
    pub(super) fn unfinished(&self) -> Option<String> {
        match (self.unsent, self.decoder.buffered()) {
            (0, 0) => None,
            (0, begun) => Some(format!("{begun} bytes of a frame have come and not the rest")),
            (unsent, _) => Some(format!("{unsent} bytes of answers are not read")),
        }
    }

    /// Remembers that the answer with this opaque is for `token`.
    pub(super) fn expect_answer(&mut self, opaque: i32, token: u64) {
        if self.pushes.len() == PUSHES_LIMIT {
            self.pushes.pop_front();
        }
        self.pushes.push_back((opaque, token));
    }

    /// The token an answer is for, once.
    pub(super) fn answered(&mut self, opaque: i32) -> Option<u64> {
        let place = self.pushes.iter().position(|(expected, _)| *expected == opaque)?;
        self.pushes.remove(place).map(|(_, token)| token)
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// Numbers are ours, so nobody can choose them to collide.
    open: FxHashMap<ConnId, Connection>,
    opened: u64,
    dirty: VecDeque<ConnId>,
    /// One entry a connection: when to look whether it is idle. Looking puts it back.
    idle: BinaryHeap<Reverse<(u64, ConnId)>>,
}

impl Connections {
    pub(super) fn open(&mut self, peer: SocketAddr, max_frame: usize, mono_ms: u64) -> ConnId {
        self.opened += 1;
        let conn = ConnId(self.opened);
        let connection = Connection {
            peer,
            client: peer,
            decoder: FrameDecoder::new(max_frame),
            out: Outbox::default(),
            dirty: false,
            unsent: 0,
            paused: false,
            came_at: mono_ms,
            crowded: false,
            counted: 0,
            reads: 0,
            last_active: mono_ms,
            run: 0,
            told: false,
            cold: HashSet::new(),
            oneways: Window::default(),
            holds: HashSet::new(),
            deferred: VecDeque::new(),
            pushes: VecDeque::new(),
        };
        self.open.insert(conn, connection);
        self.idle.push(Reverse((mono_ms + IDLE_LIMIT_MS, conn)));
        conn
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Connection> {
        self.open.get(&conn)
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Connection> {
        self.open.get_mut(&conn)
    }

    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Connection> {
        self.open.remove(&conn)
    }

    /// The connection has something to send.
    pub(super) fn mark_dirty(&mut self, conn: ConnId) {
        if let Some(connection) = self.open.get_mut(&conn)
            && !connection.dirty
        {
            connection.dirty = true;
            self.dirty.push_back(conn);
        }
    }

    /// The next connection with something to send, and what.
    pub(super) fn next_send(&mut self) -> Option<(ConnId, Vec<Bytes>)> {
        while let Some(conn) = self.dirty.pop_front() {
            if let Some(connection) = self.open.get_mut(&conn) {
                connection.dirty = false;
                return Some((conn, connection.out.take()));
            }
        }
        None
    }

    /// Connections on which nothing moved for too long.
    pub(super) fn expire_idle(&mut self, mono_ms: u64) -> Vec<ConnId> {
        let mut expired = Vec::new();
        while let Some(Reverse((at, conn))) = self.idle.peek().copied() {
            if at > mono_ms {
                break;
            }
            self.idle.pop();
            let Some(connection) = self.open.get(&conn) else { continue };
            let deadline = connection.last_active + IDLE_LIMIT_MS;
            if deadline > mono_ms {
                self.idle.push(Reverse((deadline, conn)));
            } else {
                expired.push(conn);
            }
        }
        expired
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.idle.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened
    }
}
