//! Requests that wait for something with a token: for Python's answer, or for the disk.
//!
//! Tokens are never used twice, so an answer that comes too late (its request expired, its connection closed) finds nothing
//! and is ignored. Cold requests are bounded here: `COLD_PER_CONNECTION` and `COLD_TOTAL`; only heartbeats always get in,
//! because a client whose heartbeats are dropped loses its queues.

use std::collections::{HashMap, VecDeque};

use crate::session::asker::Asker;
use crate::session::reading::Reading;

/// Unanswered cold requests of one connection, and its one-way cold commands a second.
pub(super) const COLD_PER_CONNECTION: usize = 64;
/// Unanswered cold requests of all connections.
pub(super) const COLD_TOTAL: usize = 10_000;
/// Reads handed to the owner and not back yet.
pub(super) const READS_TOTAL: usize = 10_000;
/// After this long without Python's answer a request is forgotten: its client has given up long before.
pub(super) const COLD_LIMIT_MS: u64 = 60_000;

/// The two tables of tokens.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    last: u64,
    cold: HashMap<u64, Asker>,
    /// Deadlines in order, since all wait equally long; entries of answered requests stay until their time.
    expiry: VecDeque<(u64, u64)>,
    reads: HashMap<u64, Reading>,
}

impl Waiting {
    /// Remembers a cold request; its token.
    pub(super) fn park_cold(&mut self, asker: Asker, mono_ms: u64) -> u64 {
        let token = self.token();
        self.cold.insert(token, asker);
        self.expiry.push_back((mono_ms + COLD_LIMIT_MS, token));
        token
    }

    /// The request a token stands for, once.
    pub(super) fn take_cold(&mut self, token: u64) -> Option<Asker> {
        self.cold.remove(&token)
    }

    /// Requests that were never answered.
    pub(super) fn expire(&mut self, mono_ms: u64) -> Vec<(u64, Asker)> {
        let mut expired = Vec::new();
        while let Some((deadline, token)) = self.expiry.front().copied() {
            let asker = self.cold.get(&token).copied();
            if asker.is_some() && deadline > mono_ms {
                break;
            }
            self.expiry.pop_front();
            self.cold.remove(&token);
            expired.extend(asker.map(|asker| (token, asker)));
        }
        expired
    }

    /// Remembers a read that was handed to the owner; its token.
    pub(super) fn park_read(&mut self, reading: Reading) -> u64 {
        let token = self.token();
        self.reads.insert(token, reading);
        token
    }

    /// The request a finished read is for.
    pub(super) fn take_read(&mut self, token: u64) -> Option<Reading> {
        self.reads.remove(&token)
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.expiry.front().map(|(deadline, _)| *deadline)
    }

    pub(super) fn cold_len(&self) -> usize {
        self.cold.len()
    }

    pub(super) fn reads_len(&self) -> usize {
        self.reads.len()
    }

    fn token(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}
