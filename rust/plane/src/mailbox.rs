//! What the engine has for Python, in order, and the wake-up that goes with it.
//!
//! The engine bounds the commands in here (64 a connection, 10,000 in all); the rest are answers to what Python asked.
//! One byte is written to the wake socket when the mailbox stops being empty, so a reader drains the socket first, then
//! takes until [`Mailbox::take`] gives fewer than asked for.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rocketmq_lite_core::session::{Cold, Value};

use crate::guard::Failure;
use crate::wake::WakeSocket;

/// One thing for Python to look at.
#[derive(Debug)]
pub enum Event {
    /// The engine leaves this to Python.
    Cold(Cold),
    /// The answer to the control that was submitted under this token.
    Done(u64, Value),
    /// A thread of the plane died; nothing follows.
    Failed(Failure),
}

/// The queue between the owner of the engine and Python.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Guards the queue alone; held for a few moves, never while anything else is locked.
    events: Mutex<VecDeque<Event>>,
    wake: WakeSocket,
}

impl Mailbox {
    pub(crate) fn new(wake: WakeSocket) -> Self {
        Self { events: Mutex::new(VecDeque::new()), wake }
    }

    /// Moves `fresh` into the mailbox and wakes Python if it had been empty.
    pub(crate) fn publish(&self, fresh: &mut Vec<Event>) {
        if fresh.is_empty() {
            return;
        }
        let was_empty = {
            let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            let was_empty = events.is_empty();
            events.extend(fresh.drain(..));
            was_empty
        };
        if was_empty {
            self.wake.wake();
        }
    }

    /// Up to `limit` events, oldest first.
    pub(crate) fn take(&self, limit: usize) -> Vec<Event> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let count = limit.min(events.len());
        events.drain(..count).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
