//! A panic stays in its thread: it is caught, named and handed on as a value.
//!
//! The engine's threads share no data that a panic could leave half changed: the engine belongs to one thread and is
//! dropped with it, queues are moved whole under their lock. That is why asserting unwind safety here is right.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

/// A thread of the plane died of a bug of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the {thread} thread failed: {reason}; this is a bug in RocketMQ Lite, please report it")]
pub struct Failure {
    /// Which thread: `rmq-reactor`, `rmq-flush` or `rmq-read-N`.
    pub thread: String,
    /// The panic's own message.
    pub reason: String,
}

/// Runs `body` and turns a panic into a [`Failure`] of the thread called `thread`.
pub(crate) fn guarded<T>(thread: &str, body: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(body))
        .map_err(|panic| Failure { thread: thread.to_owned(), reason: reason(panic.as_ref()) })
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_named_failure() {
        let failure = guarded("rmq-flush", || panic!("offset {} went back", 7)).map(|(): ()| ()).unwrap_err();
        assert_eq!(failure.thread, "rmq-flush");
        assert_eq!(failure.reason, "offset 7 went back");
        assert!(failure.to_string().contains("please report it"));
        assert_eq!(guarded("rmq-flush", || 3), Ok(3));
    }
}
