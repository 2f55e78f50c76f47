//! What the engine asks its owner to do.
//!
//! The owner calls `Broker::poll` until it says `None`, and does each thing in the order given. Four of them come back:
//! `Flush` as `Broker::flushed`, `Index` as `Broker::indexed`, `Purge` as `Broker::purged`, `Read` as `Broker::read_done`. A `Send` is reported by `Broker::sent` as bytes leave.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::session::gate::Principal;
use crate::session::statistics::Statistics;
use crate::store::{FlushPlan, IndexPlan, PurgePlan, ReadPlan};
use crate::wire::Command;

/// A connection of this engine; a number is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// One thing for the owner to do.
#[derive(Debug)]
pub enum Output {
    /// Write these bytes, in this order, to the connection; report them with `Broker::sent` as they leave.
    Send(ConnId, Vec<Bytes>),
    /// Stop reading from the connection: more than 4 MiB wait to be written to it.
    Pause(ConnId),
    /// Read from it again.
    Resume(ConnId),
    /// Write what was given so far, then close. The engine has already forgotten the connection.
    Close(ConnId),
    /// For Python.
    Cold(Cold),
    /// The answer to `Broker::submit` with this token.
    Done(u64, Value),
    /// Run the plan (anywhere, it may block) and hand its result to `Broker::flushed`. Never two at a time.
    Flush(FlushPlan),
    /// Run the plan (anywhere, it may block) and hand its result to `Broker::indexed`. Never two at a time.
    Index(IndexPlan),
    /// Run the plan (anywhere, it may block) and hand its result to `Broker::purged`.
    Purge(PurgePlan),
    /// Run the plan (anywhere, it may block) and hand its outcome to `Broker::read_done` with this token.
    Read(u64, ReadPlan),
}

/// What Python has to know or decide.
#[derive(Debug)]
pub enum Cold {
    /// A request that is not hot, or a client's answer to a `Control::Push` that expects one.
    Command {
        /// The connection it came by.
        conn: ConnId,
        /// For `Control::Respond`; 0 for a one-way request. For an answer (`command.is_response()`): the token of the push.
        token: u64,
        /// Address of the client: of the other end, or the one a load balancer names.
        peer: SocketAddr,
        /// Who the gate says it is.
        principal: Principal,
        /// The command as it came.
        command: Command,
    },
    /// Requests wait for a name the tables do not hold; said once a name, until `Control::Retry` or `Control::Refuse`.
    Missing(Missing),
    /// A connection that sent cold commands is gone. Those that never sent one are not mentioned.
    Closed {
        /// The connection.
        conn: ConnId,
    },
    /// A line for the log.
    Log {
        /// How bad it is.
        level: Level,
        /// What happened.
        text: String,
    },
}

/// A name the configuration tables do not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A send to an unknown topic: create it as the header asks, or refuse.
    Topic {
        /// The topic.
        name: String,
        /// The template topic the producer names, normally `TBW102`.
        default_topic: String,
        /// How many queues the producer would like.
        queue_nums: i32,
        /// Whether the producer is in unit mode.
        unit: bool,
    },
    /// A pull, or a send to a retry topic, of an unknown consumer group.
    Group {
        /// The group.
        name: String,
    },
}

/// Which table a missing name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissingKind {
    /// The topic table.
    Topic,
    /// The consumer group table.
    Group,
}

impl Missing {
    /// The table it is missing from.
    pub fn kind(&self) -> MissingKind {
        match self {
            Self::Topic { .. } => MissingKind::Topic,
            Self::Group { .. } => MissingKind::Group,
        }
    }

    /// The missing name.
    pub fn name(&self) -> &str {
        match self {
            Self::Topic { name, .. } | Self::Group { name } => name,
        }
    }
}

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Normal life.
    Info,
    /// A peer misbehaved, or something is slow.
    Warning,
    /// Data or service is at stake.
    Error,
}

/// What a submitted control gives back.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Done, nothing to say.
    Unit,
    /// `Control::Push` and `Control::CloseConnection`: whether the connection was there.
    Delivered(bool),
    /// `Control::Offsets`: topic, group, queue, next offset to consume; sorted.
    Offsets(Vec<(String, String, i32, i64)>),
    /// `Control::Bounds`: queue, min, max, in the order asked.
    Bounds(Vec<(i32, i64, i64)>),
    /// `Control::SearchTime`.
    Offset(i64),
    /// `Control::StoreTime`: milliseconds; -1 where there is no message.
    StoreTime(i64),
    /// `Control::Record`: the stored message, if there is one at that position.
    Record(Option<Bytes>),
    /// `Control::Skips`: sorted by queue.
    Skips(Vec<Skip>),
    /// `Control::DeliverScheduled`: where to go on in the level's queue, and at which wall time.
    Scheduled {
        /// The first message that was not moved.
        next_offset: i64,
        /// Milliseconds; nothing is due before.
        look_at_ms: i64,
    },
    /// `Control::Statistics`.
    Statistics(Box<Statistics>),
    /// `Control::PutTimes`: milliseconds, and how many sends took so long, but less than the next; in order.
    PutTimes(Vec<(u64, u64)>),
    /// It did not work; why.
    Failed(String),
}

/// What a group can read of a queue no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The topic.
    pub topic: String,
    /// The queue.
    pub queue_id: i32,
    /// Where the group stood.
    pub from: i64,
    /// The oldest message there was, where it was sent on to.
    pub to: i64,
    /// When, in milliseconds of wall time.
    pub at_ms: i64,
}
