//! What is kept of a request while the disk is read for it: of each kind as much as its own file needs to go on.

use crate::session::asker::Asker;
use crate::session::pull_request::Pull;
use crate::wire::Command;

/// Something whose answer needs what the disk holds.
#[derive(Debug)]
pub(super) enum Reading {
    /// 11, 361.
    Pull(Box<Pull>),
    /// 12, 29, 32, 33.
    Query(Asker, Query),
    /// 36.
    SendBack(Box<SendBack>),
    /// A delay level's queue.
    Scheduled(Look),
    /// A control of Python's, with its token.
    Own(u64),
}

impl Reading {
    /// Whose request it is; nobody's, if Python asks.
    pub(super) fn asker(&self) -> Option<Asker> {
        match self {
            Self::Pull(pull) => Some(pull.asker),
            Self::Query(asker, _) => Some(*asker),
            Self::SendBack(back) => Some(back.asker),
            Self::Scheduled(_) | Self::Own(_) => None,
        }
    }
}

/// What a question reads, for the answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Query {
    /// 29.
    Offset,
    /// 32.
    StoreTime,
    /// 12.
    ByKey,
    /// 33, with the offset asked for.
    Record(i64),
}

/// A look at a level's queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Of the control.
    pub(super) token: u64,
    pub(super) queue_id: i32,
    pub(super) offset: i64,
}

/// A request to take a message back.
#[derive(Debug)]
pub(super) struct SendBack {
    pub(super) asker: Asker,
    /// Kept, because it may have to wait for a topic once the message is known.
    pub(super) command: Command,
}
