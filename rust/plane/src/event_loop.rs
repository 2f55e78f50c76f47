//! The thread that owns the engine: one turn takes all that the kernel and the inbox have, lets the engine work on it as one
//! run, and writes what comes out.
//!
//! A turn is: wait, read, tick, then settle. Settling repeats three steps until nothing is left to do: drain the engine's
//! outputs, tell it of connections that ended, write. So everything that arrived in one wake-up is one append run, and
//! everything that goes out is one vectored write a connection. Nothing here blocks but the wait, and the loop never waits
//! with a time-out that no deadline asked for: an idle broker uses no CPU.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};
use rocketmq_lite_core::flood::Flood;
use rocketmq_lite_core::session::{Broker, Cold, ConnId, Control, Level, Now, Output, Value};
use rocketmq_lite_core::store::{FlushPlan, IndexPlan, PurgePlan, ReadPlan};

use crate::clock::Clock;
use crate::connection::{Connection, Input};
use crate::connections::Connections;
use crate::counters::Counters;
use crate::guard::Failure;
use crate::inbox::{Inbox, Message};
use crate::limits::{EVENTS, LINGER_MS};
use crate::listeners::Listeners;
use crate::mailbox::{Event, Mailbox};
use crate::opening::Opening;
use crate::settings::ReactorSettings;
use crate::tls::Tls;
use crate::worker::Workers;

/// The waker's token; connections use their number, listeners count down from below this.
pub(crate) const WAKER: Token = Token(usize::MAX);

/// The token under which the loop itself stops the engine; its answer does not go into the mailbox.
const STOP: u64 = u64::MAX;

/// How the event loop ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Stopped in order; the store is closed.
    Stopped,
    /// The store could not be closed; why.
    StopFailed(String),
    /// Stopping took longer than it was given; the store is left as after a crash.
    TimedOut,
    /// Nobody held the reactor any more.
    Abandoned,
    /// A thread panicked, or the kernel refused to wait.
    Failed(Failure),
}

/// What other threads share with the event loop.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) counters: Arc<Counters>,
}

/// The threads that wait for the disk.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) flusher: Workers<FlushPlan>,
    /// For what nobody waits for: it may take its time.
    pub(crate) indexer: Workers<IndexPlan>,
    pub(crate) purger: Workers<PurgePlan>,
    pub(crate) readers: Workers<(u64, ReadPlan)>,
}

/// How far the engine is with stopping, whoever asked it to.
#[derive(Debug, Default)]
enum Stop {
    #[default]
    NotAsked,
    /// The answer comes under this token.
    Asked(u64),
    Answered(Ended),
}

/// The state of the thread. Fields are dropped in this order: sockets first, then the workers (which finishes what they
/// do), then the engine with its store.
#[derive(Debug)]
pub(crate) struct EventLoop {
    connections: Connections,
    listeners: Listeners,
    poll: Poll,
    workers: Disk,
    broker: Broker,
    clock: Clock,
    shared: Shared,
    stop: Stop,
    /// When `close` was called: what is to be over by then.
    close_by: Option<u64>,
    /// Events of this turn, published at its end.
    fresh: Vec<Event>,
    /// The inbox's messages of this turn.
    messages: Vec<Message>,
    tls: Arc<Tls>,
    /// Complaints about connections that were refused at their first bytes.
    refusals: Flood,
}

impl EventLoop {
    pub(crate) fn new(
        poll: Poll,
        broker: Broker,
        clock: Clock,
        shared: Shared,
        workers: Disk,
        settings: ReactorSettings,
    ) -> Self {
        Self {
            connections: Connections::new(),
            listeners: Listeners::new(settings.max_connections, Arc::clone(&shared.counters)),
            poll,
            workers,
            broker,
            clock,
            shared,
            stop: Stop::default(),
            close_by: None,
            fresh: Vec::new(),
            messages: Vec::new(),
            tls: Arc::new(settings.tls),
            refusals: Flood::default(),
        }
    }

    /// Turns until the end.
    pub(crate) fn run(mut self) -> Ended {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let ended = self.turn(&mut events);
            self.shared.mailbox.publish(&mut self.fresh);
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn turn(&mut self, events: &mut Events) -> Option<Ended> {
        if let Err(error) = self.wait(events) {
            let thread = "rmq-reactor".to_owned();
            return Some(Ended::Failed(Failure { thread, reason: format!("waiting for sockets: {error}") }));
        }
        Counters::add(&self.shared.counters.wakeups, 1);
        let now = self.clock.now();
        if let Some(ended) = self.take_messages(now) {
            return Some(ended);
        }
        self.accept(now);
        self.read(now);
        if self.broker.next_deadline().is_some_and(|deadline| deadline <= now.mono_ms) {
            self.broker.tick(now);
        }
        self.connections.expire(now.mono_ms);
        self.settle(now);
        self.shared.counters.connections.store(self.connections.len() as u64, Relaxed);
        self.end_of_turn(now)
    }

    /// Waits for the kernel and notes what it says.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = self.timeout();
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            other => other?,
        }
        for event in events.iter() {
            let token = event.token();
            if token != WAKER && !self.listeners.ready(token) {
                self.connections.ready(ConnId(token.0 as u64), event);
            }
        }
        Ok(())
    }

    /// How long the kernel may let us sleep: until the next deadline of anybody, for ever without one.
    fn timeout(&self) -> Option<Duration> {
        if self.connections.any_to_read() || self.listeners.any_ready() {
            return Some(Duration::ZERO);
        }
        let (broker, connections) = (self.broker.next_deadline(), self.connections.next_deadline());
        let deadlines = [broker, connections, self.listeners.next_deadline(), self.close_by];
        let next = deadlines.into_iter().flatten().min()?;
        Some(Duration::from_millis(next.saturating_sub(self.clock.mono_ms())))
    }

    fn take_messages(&mut self, now: Now) -> Option<Ended> {
        let mut messages = std::mem::take(&mut self.messages);
        self.shared.inbox.drain(&mut messages);
        let mut ended = None;
        for message in messages.drain(..) {
            ended = ended.or_else(|| self.obey(message, now));
        }
        self.messages = messages;
        ended
    }

    fn obey(&mut self, message: Message, now: Now) -> Option<Ended> {
        match message {
            Message::Submit(token, Control::Stop) => self.stop(token, now),
            Message::Submit(token, control) => self.broker.submit(token, control, now),
            Message::Flushed(result) => self.broker.flushed(result, now),
            Message::Indexed(result) => self.broker.indexed(result, now),
            Message::Purged(result) => self.broker.purged(result, now),
            Message::Read(token, outcome) => self.broker.read_done(token, outcome, now),
            Message::Listen(token, socket) => {
                if matches!(self.stop, Stop::NotAsked) {
                    self.listeners.add(token, socket);
                }
            }
            Message::Close { timeout_ms } => {
                let stopped = matches!(self.stop, Stop::Answered(_));
                let limit = if stopped { timeout_ms.min(LINGER_MS) } else { timeout_ms };
                self.close_by = Some(now.mono_ms.saturating_add(limit));
                if matches!(self.stop, Stop::NotAsked) {
                    self.stop(STOP, now);
                }
            }
            Message::Panic => panic!("asked for by a test"),
            Message::Abandon => return Some(Ended::Abandoned),
            Message::Failed(failure) => return Some(Ended::Failed(failure)),
        }
        None
    }

    /// Tells the engine to stop. Asked again, it answers that at once.
    fn stop(&mut self, token: u64, now: Now) {
        let token = if token == 0 { STOP } else { token };
        if matches!(self.stop, Stop::NotAsked) {
            self.listeners.clear();
            self.stop = Stop::Asked(token);
        }
        self.broker.submit(token, Control::Stop, now);
    }

    fn accept(&mut self, now: Now) {
        let arrivals = self.listeners.accept(self.connections.len(), now.mono_ms);
        for (stream, peer) in arrivals.peers {
            let id = self.broker.open(now, peer);
            match register(self.poll.registry(), id, stream, Opening::new(Arc::clone(&self.tls))) {
                Ok(connection) => self.connections.insert(id, connection),
                Err(_) => self.broker.closed(id, now),
            }
        }
        arrivals.complaints.into_iter().for_each(|text| self.warn(text));
    }

    fn read(&mut self, now: Now) {
        let (broker, counters) = (&mut self.broker, &self.shared.counters);
        self.connections.read(|conn, input| match input {
            Input::Bytes(bytes) => {
                Counters::add(&counters.bytes_received, bytes.len());
                broker.receive(conn, bytes, now);
            }
            Input::Client(client) => broker.proxied(conn, client),
        });
        for (peer, why) in self.connections.take_refused() {
            if let Some(untold) = self.refusals.admit(now.mono_ms) {
                self.warn(format!("closing the connection from {peer}: {why}{untold}"));
            }
        }
    }

    fn warn(&mut self, text: String) {
        self.fresh.push(Event::Cold(Cold::Log { level: Level::Warning, text }));
    }

    /// Drains the engine, tells it of connections that ended, writes; until nothing is left to do.
    fn settle(&mut self, now: Now) {
        loop {
            while let Some(output) = self.broker.poll(now) {
                self.act(output, now);
            }
            if self.connections.any_gone() {
                for id in self.connections.take_gone() {
                    self.connections.end(id, now.mono_ms);
                    self.broker.closed(id, now);
                }
                continue;
            }
            let (broker, counters, mut wrote) = (&mut self.broker, &self.shared.counters, false);
            self.connections.write(|conn, count| {
                Counters::add(&counters.bytes_sent, count);
                broker.sent(conn, count, now);
                wrote = true;
            });
            if !wrote && !self.connections.any_gone() {
                return self.broker.turn_over(self.clock.mono_ms());
            }
        }
    }

    fn act(&mut self, output: Output, now: Now) {
        match output {
            Output::Send(conn, chunks) => self.connections.send(conn, chunks),
            Output::Pause(conn) => self.connections.pause(conn, true),
            Output::Resume(conn) => self.connections.pause(conn, false),
            Output::Close(conn) => self.connections.end(conn, now.mono_ms),
            Output::Cold(cold) => self.fresh.push(Event::Cold(cold)),
            Output::Done(token, value) => self.done(token, value, now),
            Output::Flush(plan) => self.workers.flusher.submit(plan),
            Output::Index(plan) => self.workers.indexer.submit(plan),
            Output::Purge(plan) => self.workers.purger.submit(plan),
            Output::Read(token, plan) => self.workers.readers.submit((token, plan)),
        }
    }

    fn done(&mut self, token: u64, value: Value, now: Now) {
        if matches!(self.stop, Stop::Asked(asked) if asked == token) {
            self.stop = Stop::Answered(match &value {
                Value::Failed(reason) => Ended::StopFailed(reason.clone()),
                _ => Ended::Stopped,
            });
            // Peers have a moment to take what was written to them.
            self.close_by = self.close_by.map(|deadline| deadline.min(now.mono_ms + LINGER_MS));
        }
        if token != STOP {
            self.fresh.push(Event::Done(token, value));
        }
    }

    fn end_of_turn(&mut self, now: Now) -> Option<Ended> {
        let late = self.close_by? <= now.mono_ms;
        match &self.stop {
            Stop::Answered(ended) if late || !self.connections.any_unsent() => Some(ended.clone()),
            Stop::NotAsked | Stop::Asked(_) if late => Some(Ended::TimedOut),
            _ => None,
        }
    }
}

/// Makes a fresh socket ours: no delay for small answers, and known to the kernel under the connection's number.
fn register(
    registry: &Registry,
    id: ConnId,
    mut stream: TcpStream,
    opening: Opening,
) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    registry.register(&mut stream, Token(id.0 as usize), Interest::READABLE | Interest::WRITABLE)?;
    Ok(Connection::new(stream, opening))
}
