//! A thread that does slow work for the event loop, one piece after the other, and answers through the inbox.
//!
//! The flush thread and the read threads are such workers. A panic in one ends the reactor (see [`crate::guard`]): after it
//! nobody knows what is on the disk.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::guard::guarded;
use crate::inbox::{Inbox, Message};

/// A group of threads that take work from one queue. Dropping it finishes what was queued and joins them.
#[derive(Debug)]
pub(crate) struct Workers<T> {
    work: Option<Sender<T>>,
    threads: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static> Workers<T> {
    /// Starts one thread for each name.
    pub(crate) fn start(
        names: &[String],
        inbox: &Arc<Inbox>,
        run: impl Fn(T) -> Message + Copy + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = unbounded();
        let mut workers = Self { work: Some(sender), threads: Vec::with_capacity(names.len()) };
        for name in names {
            let (receiver, inbox, thread) = (receiver.clone(), Arc::clone(inbox), name.clone());
            let body = move || serve(&thread, &receiver, &inbox, run);
            workers.threads.push(Builder::new().name(name.clone()).spawn(body)?);
        }
        Ok(workers)
    }

    /// Queues one piece of work; never waits. The engine bounds how many are on their way.
    pub(crate) fn submit(&self, work: T) {
        if let Some(sender) = &self.work {
            // Fails only when every thread has died, and each of them has reported that as a failure.
            let _ = sender.send(work);
        }
    }
}

fn serve<T>(name: &str, work: &Receiver<T>, inbox: &Inbox, run: impl Fn(T) -> Message) {
    let ended = guarded(name, || {
        while let Ok(piece) = work.recv() {
            if inbox.push(run(piece)).is_err() {
                break;
            }
        }
    });
    if let Err(failure) = ended {
        let _ = inbox.push(Message::Failed(failure));
    }
}

impl<T> Drop for Workers<T> {
    fn drop(&mut self) {
        self.work = None;
        for thread in self.threads.drain(..) {
            // The thread's panics are caught inside it.
            let _ = thread.join();
        }
    }
}
