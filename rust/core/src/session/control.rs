//! What Python tells the engine: configuration pushed, requests answered, questions asked.
//!
//! `Broker::submit` applies a control at once. One submitted with a token other than 0 gives exactly one `Output::Done` with
//! that token; all but `Control::Stop` and the questions that read the log give it at once.

use std::path::PathBuf;

use crate::session::output::{ConnId, MissingKind};
use crate::session::tables::{GroupEntry, SubscriptionEntry, TopicEntry};
use crate::wire::Command;

/// One instruction from Python.
#[derive(Debug, Clone)]
pub enum Control {
    /// Adds or replaces a topic.
    PutTopic(TopicEntry),
    /// Forgets a topic and removes its queues from the store; its held pulls are answered.
    RemoveTopic {
        /// The topic.
        name: String,
    },
    /// Adds or replaces a consumer group.
    PutGroup(GroupEntry),
    /// Forgets a consumer group.
    RemoveGroup {
        /// The group.
        name: String,
        /// Whether its stored offsets go too.
        clean_offsets: bool,
    },
    /// What a consumer group subscribes to, as its heartbeats say; replaces what was there.
    PutSubscriptions {
        /// The group.
        group: String,
        /// Whether the group consumes in broadcasting mode.
        broadcasting: bool,
        /// One entry a topic.
        entries: Vec<SubscriptionEntry>,
    },
    /// The group has no members left.
    RemoveSubscriptions {
        /// The group.
        group: String,
    },
    /// Whether a consumer group holds queue locks, and so consumes in order.
    SetOrderly {
        /// The group.
        group: String,
        /// Whether it does.
        orderly: bool,
    },
    /// Answers a cold request. Opaque and codec are taken from the request; an unknown or expired token is ignored.
    Respond {
        /// Token of the cold command.
        token: u64,
        /// Code, remark, fields and body of the answer.
        command: Command,
    },
    /// The missing name is there now (or never will be): runs the requests that wait for it, in order.
    Retry {
        /// Which table.
        kind: MissingKind,
        /// The name.
        name: String,
    },
    /// Answers all requests that wait for the missing name.
    Refuse {
        /// Which table.
        kind: MissingKind,
        /// The name.
        name: String,
        /// Response code.
        code: i32,
        /// Why.
        remark: String,
    },
    /// Sends a request to a client; the engine chooses the opaque. `Value::Delivered`. If it is not one-way, the client's
    /// answer comes later as `Cold::Command` with the token of this submission.
    Push {
        /// Whom to.
        conn: ConnId,
        /// The request.
        command: Command,
    },
    /// Closes a connection after what was sent to it has left. `Value::Delivered`.
    CloseConnection {
        /// Which.
        conn: ConnId,
    },
    /// Sets consumer offsets: topic, group, queue, offset. Others stay as they are.
    LoadOffsets(Vec<(String, String, i32, i64)>),
    /// Asks for all consumer offsets: `Value::Offsets`.
    Offsets,
    /// Forgets consumer offsets of a topic, of a group, or of a group in a topic.
    RemoveOffsets {
        /// Only this topic.
        topic: Option<String>,
        /// Only this group.
        group: Option<String>,
    },
    /// Asks for the smallest and the next offset of queues: `Value::Bounds`.
    Bounds {
        /// The topic.
        topic: String,
        /// The queues.
        queues: Vec<i32>,
    },
    /// Sets a group's offsets in queues of a topic: its consumers hear of it with their next pull of such a queue (21), and
    /// what they commit before that is not taken.
    ResetOffsets {
        /// The topic.
        topic: String,
        /// The group.
        group: String,
        /// Queue, offset.
        offsets: Vec<(i32, i64)>,
    },
    /// Asks for the first message of a queue stored at or after a time: `Value::Offset`, once the log has been read. The end
    /// of the queue, if there is none.
    SearchTime {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// Milliseconds.
        timestamp: i64,
    },
    /// Asks when the oldest message of the log was stored: `Value::StoreTime`, once it has been read.
    EarliestTime,
    /// Asks when the message at a queue offset was stored: `Value::StoreTime`, once it has been read.
    StoreTime {
        /// The topic.
        topic: String,
        /// The queue.
        queue_id: i32,
        /// The message.
        offset: i64,
    },
    /// Moves the messages that are due in a delay level's queue: `Value::Scheduled`, once they are written.
    DeliverScheduled {
        /// Its queue of the schedule topic: the level less 1.
        queue_id: i32,
        /// The first message that was not moved yet.
        offset: i64,
    },
    /// Asks for the record at a position of the log: `Value::Record`, once it has been read.
    Record {
        /// The position.
        physical_offset: i64,
    },
    /// Asks what a group could not read any more: `Value::Skips`.
    Skips {
        /// The group.
        group: String,
    },
    /// Asks for the counters: `Value::Statistics`.
    Statistics,
    /// Asks how many sends took how long: `Value::PutTimes`.
    PutTimes,
    /// Whether sends are accepted; refused ones are answered 14.
    SetAcceptWrites(bool),
    /// Lets the log begin at the first segment that ends behind a position; the segment that is written stays.
    Purge {
        /// The position.
        before: u64,
    },
    /// Names the log's directories that are so full that new files go to others, if there are others.
    SetFullLogDirs(Vec<PathBuf>),
    /// Answers held pulls 19, waits for unflushed sends (5 s at most), flushes and closes the store, then `Done`.
    Stop,
}
