//! The pure core of RocketMQ Lite: formats and decisions, without sockets, clocks or threads.
//!
//! In reading order:
//! - [`error`]: what can be wrong with bytes, as fields and not as text.
//! - [`wire`]: frames and their two header codecs, and the JSON dialect of bodies.
//! - [`record`]: one stored message, its property text, ids and compression.
//! - [`filter`]: what a subscription selects.
//! - [`flood`]: how often a complaint about peers is logged.
//! - [`deliveries`]: a consumer's unfinished messages of one queue.
//! - [`store`]: the commit log and the queues made from it.
//! - [`session`]: the broker's engine: bytes of its peers in, things to do out.

pub mod deliveries;
pub mod error;
pub mod filter;
pub mod flood;
pub mod record;
pub mod session;
pub mod store;
pub mod wire;

mod cursor;
