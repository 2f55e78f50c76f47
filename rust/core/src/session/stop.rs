//! Stopping: held pulls are answered, unflushed sends get their flush, steps that are under way end, then the store is
//! closed.

use crate::session::Broker;
use crate::session::output::{Level, Output, Value};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;

/// How long a stop waits for the flush that producers wait for.
const STOP_LIMIT_MS: u64 = 5_000;

/// Where the broker is in its life.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Requests are served.
    #[default]
    Serving,
    /// No sends and no holds any more; the flush is awaited until the deadline.
    Stopping {
        /// Of the control that asked.
        token: u64,
        /// When the wait ends.
        deadline: u64,
    },
    /// The store is closed.
    Stopped,
}

impl Broker {
    /// Starts to stop; the control's `Done` comes when the store is closed.
    pub(super) fn begin_stop(&mut self, token: u64, now: Now) {
        match self.phase {
            Phase::Serving => {}
            Phase::Stopping { .. } => {
                return self.done(token, Value::Failed("the broker is stopping already".to_owned()));
            }
            Phase::Stopped => return self.done(token, Value::Unit),
        }
        self.accept_writes = false;
        self.settle(now);
        self.phase = Phase::Stopping { token, deadline: now.mono_ms + STOP_LIMIT_MS };
        let released = self.holds.all();
        self.run_released(released, now);
        for parked in self.missing.take_all() {
            self.refuse_command(parked.conn, &parked.command, Refusal::stopping());
        }
        self.step_stop(now);
    }

    /// Closes the store once nothing is awaited any more, or the deadline has passed.
    pub(super) fn step_stop(&mut self, now: Now) {
        let Phase::Stopping { token, deadline } = self.phase else { return };
        if self.flushing.waiting() > 0 {
            self.start_flush(now);
        }
        let waits = self.flushing.in_flight || self.indexing.in_flight;
        if waits && now.mono_ms < deadline {
            return;
        }
        self.give_up_waiters(u64::MAX);
        self.phase = Phase::Stopped;
        match self.store.close(now.wall_ms) {
            Ok(()) => self.done(token, Value::Unit),
            Err(error) => {
                self.log(Level::Error, format!("the store did not close cleanly: {error}"), now);
                self.done(token, Value::Failed(error.to_string()));
            }
        }
    }

    pub(super) fn stop_deadline(&self) -> Option<u64> {
        match self.phase {
            Phase::Stopping { deadline, .. } => Some(deadline),
            Phase::Serving | Phase::Stopped => None,
        }
    }

    /// Reports the end of a control, if anyone asked to be told.
    pub(super) fn done(&mut self, token: u64, value: Value) {
        if token != 0 {
            self.outputs.push_back(Output::Done(token, value));
        }
    }
}
