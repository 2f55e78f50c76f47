//! All listening sockets of a reactor, and who may come in.
//!
//! Two things can be missing for one more connection: a place below the limit, and then the peer is turned away at once; or
//! a descriptor, and then it waits in the kernel's queue. Each is counted, and logged once a minute.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use mio::Token;
use mio::net::{TcpListener, TcpStream};
use rocketmq_lite_core::flood::Flood;

use crate::counters::Counters;
use crate::limits::ACCEPT_BATCH;
use crate::listener::{Accepted, Listener};

/// What helps against a lack of descriptors or memory.
const WANTING: &str = "this process has no more open files, or no memory; raise the limit (ulimit -n)";

/// The listeners of one event loop.
#[derive(Debug)]
pub(crate) struct Listeners {
    open: Vec<(Token, Listener)>,
    max_connections: usize,
    counters: Arc<Counters>,
    exhausted: Flood,
    refused: Flood,
}

/// What there is to do after a look at the listeners.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    pub(crate) peers: Vec<(TcpStream, SocketAddr)>,
    /// Lines for the log.
    pub(crate) complaints: Vec<String>,
}

impl Listeners {
    pub(crate) fn new(max_connections: usize, counters: Arc<Counters>) -> Self {
        Self {
            open: Vec::new(),
            max_connections,
            counters,
            exhausted: Flood::default(),
            refused: Flood::default(),
        }
    }

    pub(crate) fn add(&mut self, token: Token, socket: TcpListener) {
        self.open.push((token, Listener::new(socket)));
    }

    /// Stops listening.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }

    /// Notes that the kernel has somebody for a listener; whether the token is one's.
    pub(crate) fn ready(&mut self, token: Token) -> bool {
        let found = self.open.iter_mut().find(|(known, _)| *known == token);
        found.map(|(_, listener)| listener.ready = true).is_some()
    }

    /// Whether somebody may be waiting, so that the loop may not sleep.
    pub(crate) fn any_ready(&self) -> bool {
        self.open.iter().any(|(_, listener)| listener.ready)
    }

    /// When the first resting listener is to be tried again.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.open.iter().filter_map(|(_, listener)| listener.rests_until()).min()
    }

    /// Accepts what is there, up to a batch for each listener; `connections` are open already.
    pub(crate) fn accept(&mut self, connections: usize, mono_ms: u64) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for index in 0..self.open.len() {
            let Some((_, listener)) = self.open.get_mut(index) else { break };
            listener.end_rest(mono_ms);
            for _ in 0..ACCEPT_BATCH {
                let Some((_, listener)) = self.open.get_mut(index).filter(|(_, listener)| listener.ready)
                else {
                    break;
                };
                match listener.accept(mono_ms) {
                    Accepted::Peer(stream, peer) => {
                        let open = connections + arrivals.peers.len();
                        self.admit(stream, peer, open, mono_ms, &mut arrivals);
                    }
                    Accepted::Nobody => {}
                    Accepted::Exhausted => arrivals.complaints.extend(self.complain_exhausted(mono_ms)),
                }
            }
        }
        arrivals
    }

    fn admit(
        &mut self,
        stream: TcpStream,
        peer: SocketAddr,
        open: usize,
        mono_ms: u64,
        arrivals: &mut Arrivals,
    ) {
        if open < self.max_connections {
            self.counters.accepted.fetch_add(1, Relaxed);
            arrivals.peers.push((stream, peer));
            return;
        }
        self.counters.refused.fetch_add(1, Relaxed);
        arrivals.complaints.extend(self.refused.admit(mono_ms).map(|untold| {
            format!("refused a connection of {peer}: {open} are open, the most that are allowed (--max-connections){untold}")
        }));
    }

    fn complain_exhausted(&mut self, mono_ms: u64) -> Option<String> {
        self.counters.accept_failures.fetch_add(1, Relaxed);
        let untold = self.exhausted.admit(mono_ms)?;
        Some(format!("no connection can be accepted: {WANTING}{untold}"))
    }
}
