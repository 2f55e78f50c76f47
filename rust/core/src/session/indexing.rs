//! When the index by key is brought up to date: a little after the log became durable, a step at a time, by whoever may
//! wait for a disk. No send waits for it.

use crate::session::Broker;
use crate::session::output::{Level, Output};
use crate::session::settings::Now;
use crate::store::IndexResult;

/// Between two beginnings of catching up: what is flushed meanwhile is indexed together.
const PAUSE_MS: u64 = 200;
/// From the first entry on to making the index durable.
const SYNC_MS: u64 = 10_000;
/// After an error.
const RETRY_MS: u64 = 10_000;

/// The clock of the index.
#[derive(Debug, Default)]
pub(super) struct Indexing {
    pub(super) in_flight: bool,
    due: Option<u64>,
    rests_until: u64,
}

impl Indexing {
    /// What an earlier life has left to do is begun at once.
    pub(super) fn new(is_behind: bool) -> Self {
        Self { due: is_behind.then_some(0), ..Self::default() }
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.due.filter(|_| !self.in_flight)
    }

    fn at(&mut self, mono_ms: u64) {
        let due = self.due.map_or(mono_ms, |due| due.min(mono_ms));
        self.due = Some(due);
    }
}

impl Broker {
    /// More of the log is durable.
    pub(super) fn want_index(&mut self, now: Now) {
        self.indexing.at(self.indexing.rests_until.max(now.mono_ms));
    }

    /// Hands the next step to the owner when it is time.
    pub(super) fn tick_index(&mut self, now: Now) {
        if self.indexing.in_flight || self.indexing.due.is_none_or(|due| due > now.mono_ms) {
            return;
        }
        self.indexing.due = None;
        self.indexing.rests_until = now.mono_ms.saturating_add(PAUSE_MS);
        if let Some(plan) = self.store.plan_index(now.wall_ms) {
            self.indexing.in_flight = true;
            self.outputs.push_back(Output::Index(plan));
        }
    }

    /// The owner has run the plan of the last `Output::Index`.
    pub fn indexed(&mut self, result: IndexResult, now: Now) {
        self.indexing.in_flight = false;
        match self.store.indexed(result) {
            Ok(progress) => {
                if progress.unreadable > 0 {
                    let text = format!("{} bytes of the log cannot be read any more", progress.unreadable);
                    self.log(Level::Error, format!("{text}: messages there have no keys"), now);
                }
                if progress.has_more {
                    self.indexing.at(now.mono_ms);
                    self.tick_index(now);
                } else if progress.is_unsynced {
                    self.indexing.at(now.mono_ms.saturating_add(SYNC_MS));
                }
            }
            Err(error) => {
                self.log(Level::Error, format!("messages cannot be indexed by their keys: {error}"), now);
                self.indexing.due = Some(now.mono_ms.saturating_add(RETRY_MS));
                self.indexing.rests_until = now.mono_ms.saturating_add(RETRY_MS);
            }
        }
        self.step_stop(now);
    }
}
