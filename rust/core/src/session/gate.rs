//! The one check every request passes before it is dispatched, hot or cold.
//!
//! It lets everyone through until users and policies are pushed from Python; it exists so that no request can come to be
//! handled without having passed it, and so that cold handlers already receive who is asking.

use std::net::SocketAddr;

use crate::session::refusal::Refusal;
use crate::wire::Command;

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody in particular: authentication is off.
    Anyone,
}

/// The gate's rules.
#[derive(Debug, Default)]
pub(super) struct Gate;

impl Gate {
    /// Who sent this request, if it may be handled.
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the rules are empty so far, their place is not"
    )]
    pub(super) fn admit(&self, _command: &Command, _peer: SocketAddr) -> Result<Principal, Refusal> {
        Ok(Principal::Anyone)
    }
}
