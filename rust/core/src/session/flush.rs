//! When the log is flushed, and who waits for it.
//!
//! Asynchronous: half a second (the mode's interval) after the log got dirty, or when the flush before ends, if that is later. Synchronous: at once, all runs written
//! meanwhile sharing the next flush. Never two flushes at a time. A failed flush poisons the store, so the waiting producers
//! hear that their message is stored but not safe (10), and later ones are refused.

use std::collections::VecDeque;

use crate::session::Broker;
use crate::session::output::{Level, Output};
use crate::session::run::Stored;
use crate::session::settings::Now;
use crate::store::{FlushMode, FlushResult};
use crate::wire::codes::response;

/// A producer waits this long for its flush, then hears 10 (Apache's `syncFlushTimeout`).
const WAIT_LIMIT_MS: u64 = 5_000;

/// The flush clock and the sends that wait.
#[derive(Debug, Default)]
pub(super) struct Flushing {
    pub(super) in_flight: bool,
    /// When what no plan has taken up yet has to be on its way.
    due: Option<u64>,
    /// Ordered by log offset and by deadline alike.
    waiters: VecDeque<(u64, Stored)>,
}

impl Flushing {
    pub(super) fn wait(&mut self, stored: Stored, mono_ms: u64) {
        self.waiters.push_back((mono_ms + WAIT_LIMIT_MS, stored));
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        // While one is under way its end is what is waited for.
        let due = self.due.filter(|_| !self.in_flight);
        due.into_iter().chain(self.waiters.front().map(|(deadline, _)| *deadline)).min()
    }

    fn take_covered(&mut self, end: u64) -> Option<Stored> {
        let covered = self.waiters.front().is_some_and(|(_, stored)| stored.placed.end() <= end);
        if covered { self.waiters.pop_front().map(|(_, stored)| stored) } else { None }
    }

    fn take_late(&mut self, mono_ms: u64) -> Option<Stored> {
        let late = self.waiters.front().is_some_and(|(deadline, _)| *deadline <= mono_ms);
        if late { self.waiters.pop_front().map(|(_, stored)| stored) } else { None }
    }
}

impl Broker {
    /// The log has grown: sees to it that it will be flushed.
    pub(super) fn want_flush(&mut self, now: Now) {
        match self.store.flush_mode() {
            FlushMode::Sync => self.start_flush(now),
            FlushMode::Async { interval_ms } => {
                self.flushing.due.get_or_insert(now.mono_ms.saturating_add(interval_ms));
            }
        }
    }

    /// Hands a flush to the owner, unless one is under way.
    pub(super) fn start_flush(&mut self, now: Now) {
        if self.flushing.in_flight {
            return;
        }
        self.flushing.due = None;
        if let Some(plan) = self.store.plan_flush(now.wall_ms) {
            self.flushing.in_flight = true;
            self.outputs.push_back(Output::Flush(plan));
        }
    }

    /// The owner has run the plan of the last `Output::Flush`.
    pub fn flushed(&mut self, result: FlushResult, now: Now) {
        self.flushing.in_flight = false;
        match self.store.flushed(result) {
            Ok(end) => {
                self.counters.flushes += 1;
                self.flushed_to(end, now);
            }
            Err(error) => {
                self.log(Level::Error, format!("a flush of the log failed: {error}"), now);
                self.give_up_waiters(u64::MAX);
            }
        }
        self.step_stop(now);
    }

    fn flushed_to(&mut self, end: u64, now: Now) {
        if matches!(self.store.flush_mode(), FlushMode::Sync) {
            self.make_visible(end, now);
        }
        while let Some(stored) = self.flushing.take_covered(end) {
            self.answer_stored(&stored, response::SUCCESS);
        }
        self.want_index(now);
        if self.store.is_flushing_queues() {
            self.start_flush(now);
        } else if self.store.appended_end() > self.store.flushed_end() {
            self.want_flush(now);
            self.start_due_flush(now);
        }
    }

    /// Flushes when it is time, and answers producers that have waited too long.
    pub(super) fn tick_flush(&mut self, now: Now) {
        self.start_due_flush(now);
        self.give_up_waiters(now.mono_ms);
    }

    fn start_due_flush(&mut self, now: Now) {
        if self.flushing.due.is_some_and(|due| due <= now.mono_ms) {
            self.start_flush(now);
        }
    }

    /// Answers 10 to producers whose deadline is up by then: stored, but not known to be safe.
    pub(super) fn give_up_waiters(&mut self, mono_ms: u64) {
        while let Some(stored) = self.flushing.take_late(mono_ms) {
            self.answer_stored(&stored, response::FLUSH_DISK_TIMEOUT);
        }
    }
}
