//! The numbers of the I/O around the engine, each with its reason. The engine's own limits are in the core.

use std::time::Duration;

/// Bytes taken from one socket by one `read`: the size of the buffer that all connections of a reactor share.
pub(crate) const READ_CHUNK: usize = 64 * 1024;

/// Bytes taken from one connection in one turn of the loop. A peer that fills its socket faster than this waits for the
/// next turn behind all the others that are ready, so nobody starves.
pub(crate) const READ_BUDGET: usize = 256 * 1024;

/// Bytes taken from all connections in one turn. Those that are left have to wait for the engine to look at what there is: it
/// may find that it is too much, and nobody is to be read.
pub(crate) const TURN_BUDGET: usize = 16 * 1024 * 1024;

/// Chunks handed to one vectored write. Linux takes 1024; past 64 the copy into the socket costs far more than the call.
pub(crate) const WRITE_CHUNKS: usize = 64;

/// Connections accepted from one listener in one turn, so that a storm of new peers does not starve the old ones.
pub(crate) const ACCEPT_BATCH: usize = 256;

/// How long a listener rests after `accept` failed for want of descriptors or memory. The backlog stays full meanwhile and
/// epoll would report it at once, again and again.
pub(crate) const ACCEPT_REST_MS: u64 = 100;

/// Length of the queue of connections that the kernel holds for us (RocketMQ's server uses the same).
pub(crate) const BACKLOG: i32 = 1024;

/// How long a connection that is to be closed may still take what was written to it.
pub(crate) const LINGER_MS: u64 = 2_000;

/// Threads that read what the page cache does not hold. Two: one cold backlog does not wait behind another, and a laptop's
/// disk gains nothing from more.
pub(crate) const READER_THREADS: usize = 2;

/// Readiness events taken from the kernel at a time.
pub(crate) const EVENTS: usize = 1024;

/// How much longer than it was given `close` waits for threads that are inside a system call.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_secs(1);
