//! Who waits for an answer: all an answer needs of its request, so that the request need not be kept.

use crate::session::output::ConnId;
use crate::wire::{Codec, Command};

/// Where an answer goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    pub(super) conn: ConnId,
    pub(super) opaque: i32,
    pub(super) codec: Codec,
    /// Nobody waits: the answer is made nowhere.
    pub(super) oneway: bool,
}

impl Asker {
    pub(super) fn of(conn: ConnId, request: &Command) -> Self {
        Self { conn, opaque: request.opaque, codec: request.codec, oneway: request.is_oneway() }
    }

    /// An empty answer with this code.
    pub(super) fn answer(&self, code: i32) -> Command {
        Command::response(code, self.opaque, self.codec)
    }
}
