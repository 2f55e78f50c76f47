//! What the engine is told once, when it is made, and what time it is told with every input.

use std::net::SocketAddr;

/// One segment of the log: some seconds of a slow disk, and little enough for the kernel of a small machine.
const DIRTY_LIMIT: u64 = 1024 * 1024 * 1024;

/// The time of one input. What is stored uses the wall clock, every deadline the monotonic one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970, UTC.
    pub wall_ms: i64,
    /// Milliseconds since any fixed moment; never goes back.
    pub mono_ms: u64,
}

/// A broker's identity and the few switches the hot path reads.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the broker, as routes carry it.
    pub broker_name: String,
    /// Name of the cluster; stored with every message as property `CLUSTER`.
    pub cluster: String,
    /// The advertised address: stored with every message, part of every offset message id.
    pub store_host: SocketAddr,
    /// Region id, property and answer field `MSG_REGION`.
    pub region: String,
    /// Whether clients are asked to trace, property and answer field `TRACE_ON`.
    pub trace_on: bool,
    /// Permission bits of the broker itself (4 read, 2 write).
    pub permission: i32,
    /// Sends before this wall time are answered 1 (`startAcceptSendRequestTimeStamp`).
    pub accept_sends_from_ms: i64,
    /// Bytes of the largest body, and of the largest batch, that a producer may send (`maxMessageSize`).
    pub max_message: usize,
    /// Largest frame a peer may send.
    pub max_frame: usize,
    /// Bytes of the log that may be written and not on disk; sends beyond that are refused. Behind it is the kernel, which
    /// makes whoever writes wait when it has too much, and here that would be everybody.
    pub dirty_limit: u64,
    /// Process id, part of the unique keys made for messages that come without one.
    pub process_id: u32,
    /// Seed of the generator that picks queues and makes unique keys differ between processes.
    pub seed: u64,
    /// Seconds that local time is ahead of UTC: unique keys count from the start of the local month.
    pub utc_offset_s: i32,
}

impl Settings {
    /// Apache's defaults for everything but the identity.
    pub fn new(broker_name: impl Into<String>, cluster: impl Into<String>, store_host: SocketAddr) -> Self {
        Self {
            broker_name: broker_name.into(),
            cluster: cluster.into(),
            store_host,
            region: "DefaultRegion".to_owned(),
            trace_on: true,
            permission: super::tables::PERM_READ | super::tables::PERM_WRITE,
            accept_sends_from_ms: 0,
            max_message: crate::record::DEFAULT_MAX_BODY,
            max_frame: crate::wire::MAX_FRAME,
            dirty_limit: DIRTY_LIMIT,
            process_id: 0,
            seed: 0,
            utc_offset_s: 0,
        }
    }
}
