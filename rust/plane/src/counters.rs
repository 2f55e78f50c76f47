//! What the event loop has done, readable from any thread. Each counter stands for itself; together they are no snapshot.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Written by the event loop alone.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) accept_failures: AtomicU64,
    pub(crate) bytes_received: AtomicU64,
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) wakeups: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn read(&self, events_waiting: usize) -> PlaneStatistics {
        PlaneStatistics {
            connections: self.connections.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            refused: self.refused.load(Relaxed),
            accept_failures: self.accept_failures.load(Relaxed),
            bytes_received: self.bytes_received.load(Relaxed),
            bytes_sent: self.bytes_sent.load(Relaxed),
            wakeups: self.wakeups.load(Relaxed),
            events_waiting: events_waiting as u64,
        }
    }
}

/// What a reactor has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlaneStatistics {
    /// Open connections, at the end of the last turn.
    pub connections: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections closed as they came, because there were too many.
    pub refused: u64,
    /// Times that `accept` failed for want of descriptors or memory.
    pub accept_failures: u64,
    /// Bytes read from sockets.
    pub bytes_received: u64,
    /// Bytes written to sockets.
    pub bytes_sent: u64,
    /// Turns of the event loop; stands still while nothing happens.
    pub wakeups: u64,
    /// Events that Python has not taken yet.
    pub events_waiting: u64,
}
