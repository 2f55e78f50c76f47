//! What the measuring programs share: how a latency becomes a figure, and what a process costs.
//!
//! - `rmq-load` (`src/bin/rmq-load`) puts a broker under load over TCP, or answers in a broker's place.
//! - `rmq-micro` (`src/bin/rmq-micro`) measures the engine alone against what the machine itself can do.
//!
//! Nothing here is installed, and nothing that is installed depends on it.

#![expect(clippy::cast_precision_loss, reason = "figures are told to three digits")]

pub mod frames;
mod latencies;
pub mod process;

pub use latencies::Latencies;
