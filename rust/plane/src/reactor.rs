//! The handle on a running reactor: starting it, talking to it, ending it.
//!
//! The thread behind it owns the engine, all sockets and the workers. Everything here may be called from any thread and
//! none of it waits, but for `close`.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use mio::{Interest, Poll, Registry, Token, Waker};
use rocketmq_lite_core::session::{Broker, Control};
use rocketmq_lite_core::store::{FlushPlan, IndexPlan, PurgePlan, ReadPlan};
use thiserror::Error;

use crate::clock::Clock;
use crate::counters::{Counters, PlaneStatistics};
use crate::event_loop::{Disk, Ended, EventLoop, Shared, WAKER};
use crate::guard::{Failure, guarded};
use crate::inbox::{Closed, Inbox, Message};
use crate::limits::{CLOSE_GRACE, READER_THREADS};
use crate::listener::bind;
use crate::mailbox::{Event, Mailbox};
use crate::settings::ReactorSettings;
use crate::wake::WakeSocket;
use crate::worker::Workers;

const THREAD: &str = "rmq-reactor";

/// A broker served over TCP by threads of its own. Dropping it without [`Reactor::close`] lets go of everything without
/// waiting; the store is then left as after a crash.
#[derive(Debug)]
pub struct Reactor {
    shared: Shared,
    registry: Registry,
    /// Listeners so far: each has a token of its own, counted down from the waker's.
    listeners: AtomicUsize,
    end: Mutex<End>,
}

/// What is known of the thread's end. Locked by `close` alone, for as long as it waits.
#[derive(Debug)]
struct End {
    ended: Receiver<Ended>,
    seen: Option<Result<(), CloseError>>,
}

/// Why an address is not listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The operating system refused, as with a port in use.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The reactor is closed.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Why a reactor did not end as it should. It has ended all the same, or will when the disk lets go of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CloseError {
    /// The store is left as after a crash; the next start recovers it.
    #[error("the broker did not stop within {timeout_ms} ms; the next start will recover its store")]
    TimedOut {
        /// What `close` was given.
        timeout_ms: u64,
    },
    /// The last flush or the clean end of the store failed.
    #[error(
        "the broker stopped, but its store could not be closed: {reason}; the next start will recover it"
    )]
    Store {
        /// The store's error.
        reason: String,
    },
    /// A thread had died before.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Reactor {
    /// Starts the threads. `wake` gets one byte when there is something to [`take`](Self::take) and there was nothing
    /// before. `clock` goes on from where the engine was made.
    pub fn start(
        broker: Broker,
        clock: Clock,
        wake: WakeSocket,
        settings: ReactorSettings,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let inbox = Arc::new(Inbox::new(Waker::new(&registry, WAKER)?));
        let mailbox = Arc::new(Mailbox::new(wake));
        let shared = Shared { inbox, mailbox, counters: Arc::new(Counters::default()) };
        let disk = start_disk(&shared.inbox)?;
        let event_loop = EventLoop::new(poll, broker, clock, shared.clone(), disk, settings);
        let (sender, ended) = bounded(1);
        let theirs = shared.clone();
        Builder::new().name(THREAD.to_owned()).spawn(move || run(event_loop, &theirs, &sender))?;
        let end = Mutex::new(End { ended, seen: None });
        Ok(Self { shared, registry, listeners: AtomicUsize::new(0), end })
    }

    /// Listens on one more address; port 0 picks a free one. Gives the address that was bound.
    pub fn listen(&self, address: SocketAddr) -> Result<SocketAddr, ListenError> {
        let mut socket = bind(address)?;
        let bound = socket.local_addr()?;
        let token = Token(WAKER.0 - 1 - self.listeners.fetch_add(1, Relaxed));
        self.registry.register(&mut socket, token, Interest::READABLE)?;
        self.shared.inbox.push(Message::Listen(token, socket))?;
        Ok(bound)
    }

    /// Hands a control to the engine; never waits. With a token other than 0 an [`Event::Done`] follows.
    pub fn submit(&self, token: u64, control: Control) -> Result<(), Closed> {
        self.shared.inbox.push(Message::Submit(token, control))
    }

    /// Up to `limit` events, oldest first. Fewer than `limit` means that the next one comes with a wake-up.
    pub fn take(&self, limit: usize) -> Vec<Event> {
        self.shared.mailbox.take(limit)
    }

    /// Has the thread panic as a bug would, for tests of what becomes of a broker then. Nothing that a peer sends leads here.
    pub fn panic(&self) -> Result<(), Closed> {
        self.shared.inbox.push(Message::Panic)
    }

    /// The I/O counters; the engine's own come by `Control::Statistics`.
    pub fn statistics(&self) -> PlaneStatistics {
        self.shared.counters.read(self.shared.mailbox.len())
    }

    /// Stops in order and waits for it: no new connections, held pulls answered, waiting sends flushed and answered, the
    /// store closed, threads joined. A second call gives the result of the first.
    pub fn close(&self, timeout: Duration) -> Result<(), CloseError> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = &end.seen {
            return seen.clone();
        }
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        // Refused when the loop has ended by itself, and then the reason waits for us already.
        let _ = self.shared.inbox.push(Message::Close { timeout_ms });
        let result = match end.ended.recv_timeout(timeout.saturating_add(CLOSE_GRACE)) {
            Ok(Ended::Stopped | Ended::Abandoned) => Ok(()),
            Ok(Ended::StopFailed(reason)) => Err(CloseError::Store { reason }),
            Ok(Ended::Failed(failure)) => Err(failure.into()),
            Ok(Ended::TimedOut) | Err(_) => Err(CloseError::TimedOut { timeout_ms }),
        };
        end.seen = Some(result.clone());
        result
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        let _ = self.shared.inbox.push(Message::Abandon);
    }
}

/// The body of the thread. When it reports the end, sockets, workers and engine are gone.
fn run(event_loop: EventLoop, shared: &Shared, end: &Sender<Ended>) {
    let ended = guarded(THREAD, || event_loop.run()).unwrap_or_else(Ended::Failed);
    shared.inbox.close();
    if let Ended::Failed(failure) = &ended {
        shared.mailbox.publish(&mut vec![Event::Failed(failure.clone())]);
    }
    // Fails when the handle is gone: nobody wants to know.
    let _ = end.send(ended);
}

/// Starts the threads that wait for the disk.
fn start_disk(inbox: &Arc<Inbox>) -> io::Result<Disk> {
    let readers: Vec<_> = (0..READER_THREADS).map(|index| format!("rmq-read-{index}")).collect();
    Ok(Disk {
        flusher: Workers::start(&["rmq-flush".to_owned()], inbox, |plan: FlushPlan| {
            Message::Flushed(plan.run())
        })?,
        indexer: Workers::start(&["rmq-index".to_owned()], inbox, |plan: IndexPlan| {
            Message::Indexed(plan.run())
        })?,
        purger: Workers::start(&["rmq-purge".to_owned()], inbox, |plan: PurgePlan| {
            Message::Purged(plan.run())
        })?,
        readers: Workers::start(&readers, inbox, |(token, plan): (u64, ReadPlan)| {
            Message::Read(token, plan.run())
        })?,
    })
}
