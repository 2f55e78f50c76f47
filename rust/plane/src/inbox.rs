//! What other threads have for the event loop: controls of Python, results of the flush, index and read threads, new listeners.
//!
//! `push` never waits: it appends under a lock that is held for a few moves and writes the waker once per
//! empty-to-non-empty change. Order is kept, so a table update that was submitted before an answer is applied before it.

use std::sync::{Mutex, PoisonError};

use mio::net::TcpListener;
use mio::{Token, Waker};
use rocketmq_lite_core::session::Control;
use rocketmq_lite_core::store::{FlushResult, IndexResult, PurgeResult, ReadOutcome, StoreError};
use thiserror::Error;

use crate::guard::Failure;

/// One message to the event loop.
#[derive(Debug)]
pub(crate) enum Message {
    Submit(u64, Control),
    Flushed(FlushResult),
    Indexed(IndexResult),
    Purged(PurgeResult),
    Read(u64, Result<ReadOutcome, StoreError>),
    Listen(Token, TcpListener),
    /// Stop in order, within so many milliseconds.
    Close {
        timeout_ms: u64,
    },
    /// Fail as a bug would.
    Panic,
    /// Nobody holds the reactor any more: let go of everything at once.
    Abandon,
    Failed(Failure),
}

/// The event loop has ended: nobody will read what is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the reactor is closed")]
pub struct Closed;

/// The queue into the event loop.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// Guards the queue alone; nothing else is locked or called while it is held.
    queue: Mutex<Queue>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Message>,
    closed: bool,
}

impl Inbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { queue: Mutex::default(), waker }
    }

    /// Adds one message and wakes the loop if it has nothing else to do.
    pub(crate) fn push(&self, message: Message) -> Result<(), Closed> {
        let was_empty = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.closed {
                return Err(Closed);
            }
            queue.messages.push(message);
            queue.messages.len() == 1
        };
        if was_empty {
            // An eventfd write fails only when its counter is full, and then the loop is awake already.
            let _ = self.waker.wake();
        }
        Ok(())
    }

    /// Swaps the waiting messages with `into`, which has to be empty.
    pub(crate) fn drain(&self, into: &mut Vec<Message>) {
        debug_assert!(into.is_empty());
        std::mem::swap(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner).messages, into);
    }

    /// From now on `push` refuses. What was still waiting is dropped.
    pub(crate) fn close(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.closed = true;
        queue.messages = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::{Events, Poll};

    use super::*;

    #[test]
    fn keeps_order_wakes_once_and_refuses_when_closed() {
        let mut poll = Poll::new().unwrap();
        let inbox = Inbox::new(Waker::new(poll.registry(), Token(0)).unwrap());
        for timeout_ms in 0..3 {
            inbox.push(Message::Close { timeout_ms }).unwrap();
        }
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.iter().count(), 1);
        let mut messages = Vec::new();
        inbox.drain(&mut messages);
        let order: Vec<_> = messages
            .iter()
            .map(|message| match message {
                Message::Close { timeout_ms } => *timeout_ms,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(order, [0, 1, 2]);
        inbox.close();
        assert_eq!(inbox.push(Message::Abandon), Err(Closed));
    }
}
