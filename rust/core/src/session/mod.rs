//! The broker's engine: sans-I/O, single-threaded, without a clock.
//!
//! One owner feeds it bytes, closed connections, the time, results of flushes and reads, and Python's controls, and does what
//! `Broker::poll` says until it says nothing more. Every deadline is on the monotonic clock; what is stored carries the wall
//! clock. No input can make it panic; no peer can make it hold more than the limits named in the modules.
//!
//! In reading order:
//!
//! - `output`, `control`, `settings`, `tables`, `statistics`: the types at its border;
//! - `dispatch`: frames to handlers, past the `gate`; `answers`: back to bytes;
//! - `send`, `send_batch`, `run`, `flush`: storing, one append run a round; `indexing`: finding by key, later;
//! - `pull`, `pull_request`, `hold`: fetching and long polling; `reads`, `reading`: what waits for the disk;
//! - `schedule`, `send_back`: delay levels, and the retries that stand on them;
//! - `offset`, `skips`, `query`, `by_key`: consumer offsets, those that fell behind, questions about the log;
//! - `connection`, `backlog`: what a connection may keep us busy with, and all of them together;
//! - `timing`: how long it all took;
//! - `cold`, `waiting`, `missing`: what waits for Python; `apply`, `stop`: what Python asks.

mod answers;
mod apply;
mod asker;
mod backlog;
mod by_key;
mod chance;
mod cold;
mod connection;
mod control;
mod dispatch;
mod flush;
mod gate;
mod halt;
mod hold;
mod indexing;
mod keys;
mod missing;
mod names;
mod offset;
mod output;
mod pull;
mod pull_request;
mod query;
mod reading;
mod reads;
mod refusal;
mod run;
mod schedule;
mod send;
mod send_back;
mod send_batch;
mod send_header;
mod send_properties;
mod settings;
mod skips;
mod statistics;
mod stop;
mod tables;
mod timing;
mod waiting;
mod window;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub use control::Control;
pub use gate::Principal;
pub use output::{Cold, ConnId, Level, Missing, MissingKind, Output, Skip, Value};
pub use settings::{Now, Settings};
pub use statistics::Statistics;
pub use tables::{GroupEntry, PERM_INHERIT, PERM_READ, PERM_WRITE, SubscriptionEntry, TopicEntry};

use crate::flood::Flood;
use crate::store::Store;

/// The address of a connection that is gone.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// All state of a broker's data plane.
#[derive(Debug)]
pub struct Broker {
    settings: Settings,
    store: Store,
    gate: gate::Gate,
    tables: tables::Tables,
    offsets: offset::Offsets,
    skips: skips::Skips,
    connections: connection::Connections,
    backlog: backlog::Backlog,
    run: run::Run,
    flushing: flush::Flushing,
    indexing: indexing::Indexing,
    holds: hold::Holds,
    waiting: waiting::Waiting,
    missing: missing::MissingNames,
    outputs: VecDeque<Output>,
    phase: stop::Phase,
    accept_writes: bool,
    push_opaque: i32,
    oneways: window::Window,
    logs: window::Window,
    garbage: Flood,
    stuck: Flood,
    chance: chance::Chance,
    keys: keys::Keys,
    timing: timing::Timing,
    counters: Statistics,
}

impl Broker {
    /// An engine over an open store, with empty tables.
    pub fn new(settings: Settings, store: Store) -> Self {
        let mut chance = chance::Chance::new(settings.seed);
        let indexing = indexing::Indexing::new(store.is_index_behind());
        let (address, salt) = (settings.store_host.ip(), chance.next() as u32);
        let keys = keys::Keys::new(address, settings.process_id, salt, settings.utc_offset_s);
        Self {
            settings,
            store,
            gate: gate::Gate,
            tables: tables::Tables::default(),
            offsets: offset::Offsets::default(),
            skips: skips::Skips::default(),
            connections: connection::Connections::default(),
            backlog: backlog::Backlog::default(),
            run: run::Run::default(),
            flushing: flush::Flushing::default(),
            indexing,
            holds: hold::Holds::default(),
            waiting: waiting::Waiting::default(),
            missing: missing::MissingNames::default(),
            outputs: VecDeque::new(),
            phase: stop::Phase::Serving,
            accept_writes: true,
            push_opaque: 0,
            oneways: window::Window::default(),
            logs: window::Window::default(),
            garbage: Flood::default(),
            stuck: Flood::default(),
            chance,
            keys,
            timing: timing::Timing::default(),
            counters: Statistics::default(),
        }
    }

    /// A connection was accepted.
    pub fn open(&mut self, now: Now, peer: SocketAddr) -> ConnId {
        self.connections.open(peer, self.settings.max_frame, now.mono_ms)
    }

    /// The connection is a load balancer's and speaks for this client. From here on logs, the gate and Python know it by that
    /// address, while messages go on being born at the peer's, as in Apache.
    pub fn proxied(&mut self, conn: ConnId, client: SocketAddr) {
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.client = client;
        }
    }

    /// Bytes came in. Those of a connection that is gone are ignored.
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Now) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.last_active = now.mono_ms;
        if !connection.paused {
            connection.came_at = now.mono_ms;
        }
        connection.decoder.feed(bytes);
        self.process(conn, 0, now);
    }

    /// The connection is gone, whoever closed it. Telling it twice does no harm.
    pub fn closed(&mut self, conn: ConnId, _now: Now) {
        self.forget(conn);
    }

    /// Does what is due by now. Calling it early or late does no harm.
    pub fn tick(&mut self, now: Now) {
        self.settle(now);
        self.tick_flush(now);
        self.tick_index(now);
        let released = self.holds.due(now.mono_ms);
        self.run_released(released, now);
        self.expire_cold(now);
        self.expire_parked(now);
        self.expire_turn(now);
        for conn in self.connections.expire_idle(now.mono_ms) {
            self.close_idle(conn, now);
        }
        self.step_stop(now);
    }

    /// When `tick` should be called next, on the monotonic clock.
    pub fn next_deadline(&self) -> Option<u64> {
        let deadlines = [
            self.flushing.next_deadline(),
            self.indexing.next_deadline(),
            self.holds.next_deadline(),
            self.waiting.next_deadline(),
            self.missing.next_deadline(),
            self.connections.next_deadline(),
            self.backlog.next_deadline(),
            self.stop_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// The next thing for the owner to do; `None` when there is nothing until the next input.
    pub fn poll(&mut self, now: Now) -> Option<Output> {
        self.let_in(now);
        self.settle(now);
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.connections.next_send().map(|(conn, chunks)| Output::Send(conn, chunks))
    }

    /// The counters as they are now.
    pub fn statistics(&self) -> Statistics {
        let (topics, groups) = self.tables.sizes();
        let store = self.store.statistics();
        Statistics {
            held: self.holds.len(),
            parked: self.missing.len(),
            cold_waiting: self.waiting.cold_len(),
            reads_waiting: self.waiting.reads_len(),
            flush_waiting: self.flushing.waiting(),
            connections: self.connections.len(),
            backlog: self.backlog.bytes(),
            connections_total: self.connections.opened(),
            topics,
            groups,
            log_start: store.log_start,
            log_end: store.appended_end,
            flushed_end: store.flushed_end,
            dispatched_end: store.dispatched_end,
            indexed_end: store.indexed_end,
            put_max_ms: self.timing.put_max,
            get_max_ms: self.timing.get_max,
            ..self.counters.clone()
        }
    }

    /// Closes a connection from our side, after what it was sent so far; whether it was there.
    fn close(&mut self, conn: ConnId) -> bool {
        let Some(connection) = self.connections.get_mut(conn) else { return false };
        let chunks = connection.out.take();
        if !chunks.is_empty() {
            self.outputs.push_back(Output::Send(conn, chunks));
        }
        self.outputs.push_back(Output::Close(conn));
        self.forget(conn);
        true
    }

    /// Drops everything a connection waits for.
    fn forget(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.remove(conn) else { return };
        self.backlog.forget(conn, connection.counted);
        self.holds.release(connection.holds.into_iter().collect());
        for token in connection.cold {
            self.waiting.take_cold(token);
        }
        self.missing.drop_connection(conn);
        if connection.told {
            self.outputs.push_back(Output::Cold(Cold::Closed { conn }));
        }
    }

    /// Address of the other end; none of a connection that is gone.
    fn peer(&self, conn: ConnId) -> SocketAddr {
        self.connections.get(conn).map_or(NOBODY, |connection| connection.peer)
    }

    /// Address that a connection's client is known by; none of a connection that is gone.
    fn client(&self, conn: ConnId) -> SocketAddr {
        self.connections.get(conn).map_or(NOBODY, |connection| connection.client)
    }
}
