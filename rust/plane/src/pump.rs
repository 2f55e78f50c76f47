//! The engine without threads: what it asks of the disk is done at once, in the call.
//!
//! For owners that bring their own streams and their own time, as the tests do. Under a clock that jumps ahead when
//! everybody waits, a worker thread would be invisible; here there is none.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use rocketmq_lite_core::session::{Broker, ConnId, Control, Now, Output, Statistics};

use crate::mailbox::Event;

/// One thing for the owner of the streams to do.
#[derive(Debug)]
pub enum Action {
    /// Write these bytes, then report them with [`Pump::sent`].
    Send(ConnId, Vec<Bytes>),
    /// Stop reading.
    Pause(ConnId),
    /// Read again.
    Resume(ConnId),
    /// Close once everything is written.
    Close(ConnId),
}

/// An engine and the events it has for Python.
#[derive(Debug)]
pub struct Pump {
    broker: Broker,
    events: VecDeque<Event>,
}

impl Pump {
    /// Takes the engine.
    pub fn new(broker: Broker) -> Self {
        Self { broker, events: VecDeque::new() }
    }

    /// A stream was opened.
    pub fn open(&mut self, now: Now, peer: SocketAddr) -> ConnId {
        self.broker.open(now, peer)
    }

    /// Bytes came.
    pub fn receive(&mut self, conn: ConnId, bytes: &[u8], now: Now) {
        self.broker.receive(conn, bytes, now);
    }

    /// So many bytes of what was to be sent have left.
    pub fn sent(&mut self, conn: ConnId, count: usize, now: Now) {
        self.broker.sent(conn, count, now);
    }

    /// The stream is closed.
    pub fn closed(&mut self, conn: ConnId, now: Now) {
        self.broker.closed(conn, now);
    }

    /// The deadline has come.
    pub fn tick(&mut self, now: Now) {
        self.broker.tick(now);
    }

    /// When `tick` is due, in monotonic milliseconds.
    pub fn next_deadline(&self) -> Option<u64> {
        self.broker.next_deadline()
    }

    /// A control of Python.
    pub fn submit(&mut self, token: u64, control: Control, now: Now) {
        self.broker.submit(token, control, now);
    }

    /// Everything the engine wants done with streams; flushes and reads have been done when this returns, and what they
    /// led to is in the list too.
    pub fn poll(&mut self, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some(output) = self.broker.poll(now) {
            match output {
                Output::Send(conn, chunks) => actions.push(Action::Send(conn, chunks)),
                Output::Pause(conn) => actions.push(Action::Pause(conn)),
                Output::Resume(conn) => actions.push(Action::Resume(conn)),
                Output::Close(conn) => actions.push(Action::Close(conn)),
                Output::Cold(cold) => self.events.push_back(Event::Cold(cold)),
                Output::Done(token, value) => self.events.push_back(Event::Done(token, value)),
                Output::Flush(plan) => self.broker.flushed(plan.run(), now),
                Output::Index(plan) => self.broker.indexed(plan.run(), now),
                Output::Purge(plan) => self.broker.purged(plan.run(), now),
                Output::Read(token, plan) => self.broker.read_done(token, plan.run(), now),
            }
        }
        self.broker.turn_over(now.mono_ms);
        actions
    }

    /// Up to `limit` events, oldest first.
    pub fn take(&mut self, limit: usize) -> Vec<Event> {
        let count = limit.min(self.events.len());
        self.events.drain(..count).collect()
    }

    /// The engine's counters.
    pub fn statistics(&self) -> Statistics {
        self.broker.statistics()
    }
}
