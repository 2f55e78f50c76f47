//! Why a request is not served: what its answer will say.

use crate::wire::codes::response;
use crate::wire::{BadField, Fields};

/// A refused request: response code, remark and, rarely, fields.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) remark: String,
    pub(super) fields: Fields,
}

impl Refusal {
    pub(super) fn new(code: i32, remark: impl Into<String>) -> Self {
        Self { code, remark: remark.into(), fields: Fields::new() }
    }

    pub(super) fn with_field(mut self, name: &str, value: &str) -> Self {
        self.fields.push(name, value);
        self
    }

    /// The broker has more to do than it is willing to queue; clients try again or elsewhere.
    pub(super) fn overload() -> Self {
        Self::new(response::SYSTEM_BUSY, "[OVERLOAD]system busy, start flow control for a while")
    }

    /// The request has waited too long, behind so many bytes; clients try again or elsewhere.
    pub(super) fn late(waited_ms: u64, behind: usize) -> Self {
        let remark = format!(
            "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: {waited_ms}ms, \
             size of queue: {behind} bytes"
        );
        Self::new(response::SYSTEM_BUSY, remark)
    }

    /// The disk does not keep up with what is stored; clients try again or elsewhere.
    pub(super) fn dirty(bytes: u64) -> Self {
        let remark = format!(
            "[PCBUSY_CLEAN_QUEUE]broker busy, start flow control for a while, {bytes} bytes are not on disk yet"
        );
        Self::new(response::SYSTEM_BUSY, remark)
    }

    /// The topic neither exists nor can be made.
    pub(super) fn no_topic(name: &str) -> Self {
        Self::new(response::TOPIC_NOT_EXIST, format!("topic[{name}] not exist, apply first please!"))
    }

    /// The consumer group neither exists nor can be made.
    pub(super) fn no_group(name: &str) -> Self {
        let remark = format!("subscription group [{name}] does not exist");
        Self::new(response::SUBSCRIPTION_GROUP_NOT_EXIST, remark)
    }

    /// The broker is on its way out, and the client knows what that means: it connects anew, or goes elsewhere.
    pub(super) fn go_away() -> Self {
        Self::new(response::GO_AWAY, "please go away")
    }

    /// The broker is on its way out.
    pub(super) fn stopping() -> Self {
        Self::new(response::SERVICE_NOT_AVAILABLE, "the broker is shutting down")
    }
}

impl From<BadField> for Refusal {
    /// Apache answers what its header decoding throws with code 1 and the exception's text.
    fn from(error: BadField) -> Self {
        Self::new(response::SYSTEM_ERROR, error.to_string())
    }
}
