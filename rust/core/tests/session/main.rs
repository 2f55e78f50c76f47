//! The engine from outside: wire frames in, wire frames out, on a memory file system and in virtual time.
//!
//! Each file is one promise; `rig.rs` is the owner that all of them use.

mod asks;
mod batches;
mod by_key;
mod cold;
mod connections;
mod flushing;
mod golden_answers;
mod long_polling;
mod offsets;
mod overload;
mod parking;
mod pulls;
mod random_input;
mod refusals;
mod rig;
mod schedule;
mod send_back;
mod sends;
mod skips;
mod sql;
mod stopping;
mod timing;
