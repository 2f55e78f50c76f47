//! The append run: sends of one round, written with one call. A send is one message or a batch of them.
//!
//! A send that passes its checks is appended to the store's run and remembered here. The run is settled by the first poll
//! after it (or earlier: when it is large, or when its connection asks something that should see it): one write, then the
//! records become visible, held pulls are woken, producers are answered. Under synchronous flush the last two wait for the
//! flush instead.

use std::net::SocketAddr;

use crate::filter::Filter;
use crate::record::message_id;
use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::output::{ConnId, Level};
use crate::session::refusal::Refusal;
use crate::session::settings::Now;
use crate::store::{Arrival, FlushMode, Placed, ReadOutcome, ReadRequest, Store, StoreError};
use crate::wire::Fields;
use crate::wire::codes::response;

/// A run of this many bytes is settled without waiting for the poll: it would only hold memory.
const RUN_BYTES: u64 = 4 * 1024 * 1024;

/// Room for an answer: its fields, their text without ids, and an id with its comma.
const ANSWER_FIELDS: usize = 6;
const ANSWER_TEXT: usize = 160;
const ID_TEXT: usize = 33;

/// A send whose messages have their place in the log.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) asker: Asker,
    /// When it was received, on the monotonic clock.
    pub(super) began_ms: u64,
    pub(super) queue_id: i32,
    /// In log order, with consecutive queue offsets; never empty.
    pub(super) placed: Places,
    /// What the answer calls the transaction; none of a batch without a key of its own.
    pub(super) unique_key: Option<String>,
    /// Whether the producer waits for the flush (property `WAIT`).
    pub(super) waits: bool,
}

/// Where the messages of a send are. One is kept without an allocation.
#[derive(Debug)]
pub(super) enum Places {
    One(Placed),
    Batch(Vec<Placed>),
}

impl Places {
    pub(super) fn as_slice(&self) -> &[Placed] {
        match self {
            Self::One(placed) => std::slice::from_ref(placed),
            Self::Batch(placed) => placed,
        }
    }

    fn bytes(&self) -> u64 {
        self.as_slice().iter().map(|placed| u64::from(placed.size)).sum()
    }

    /// The log position behind the last message.
    pub(super) fn end(&self) -> u64 {
        self.as_slice().last().map_or(0, |placed| placed.end)
    }

    /// Queue offset of the first message.
    fn queue_offset(&self) -> i64 {
        self.as_slice().first().map_or(0, |placed| placed.queue_offset)
    }
}

/// The sends of the current run.
#[derive(Debug)]
pub(super) struct Run {
    /// Number of the run, for connections to remember that they have a part in it.
    pub(super) number: u64,
    sends: Vec<Stored>,
    bytes: u64,
}

impl Default for Run {
    fn default() -> Self {
        Self { number: 1, sends: Vec::new(), bytes: 0 }
    }
}

impl Run {
    pub(super) fn is_empty(&self) -> bool {
        self.sends.is_empty()
    }

    pub(super) fn push(&mut self, stored: Stored) {
        self.bytes += stored.placed.bytes();
        self.sends.push(stored);
    }

    fn take(&mut self) -> Vec<Stored> {
        self.number += 1;
        self.bytes = 0;
        std::mem::take(&mut self.sends)
    }
}

impl Broker {
    /// Settles the run if it has grown large.
    pub(super) fn settle_large(&mut self, now: Now) {
        if self.run.bytes >= RUN_BYTES {
            self.settle(now);
        }
    }

    /// Settles the run if the connection has sends in it: what it asks next comes after them.
    pub(super) fn settle_own(&mut self, conn: ConnId, now: Now) {
        let number = self.run.number;
        if !self.run.is_empty() && self.connections.get(conn).is_some_and(|c| c.run == number) {
            self.settle(now);
        }
    }

    /// Writes the run and answers its sends, or has them wait for the flush.
    pub(super) fn settle(&mut self, now: Now) {
        if self.run.is_empty() {
            return;
        }
        let sends = self.run.take();
        match self.store.write_run() {
            Ok(end) => self.written(sends, end, now),
            Err(error) => self.unwritten(sends, &error, now),
        }
    }

    fn written(&mut self, sends: Vec<Stored>, end: u64, now: Now) {
        let messages = sends.iter().map(|stored| stored.placed.as_slice().len()).sum();
        self.counters.runs += 1;
        self.counters.largest_run = self.counters.largest_run.max(messages);
        self.counters.messages_in += messages as u64;
        self.counters.bytes_in += sends.iter().map(|stored| stored.placed.bytes()).sum::<u64>();
        let sync = matches!(self.store.flush_mode(), FlushMode::Sync);
        if !sync {
            self.make_visible(end, now);
        }
        for stored in sends {
            if sync && stored.waits {
                self.flushing.wait(stored, now.mono_ms);
            } else {
                self.answer_stored(&stored, response::SUCCESS);
            }
        }
        self.want_flush(now);
    }

    /// The broker's own messages were written.
    pub(super) fn written_own(&mut self, end: u64, now: Now) {
        if !matches!(self.store.flush_mode(), FlushMode::Sync) {
            self.make_visible(end, now);
        }
        self.want_flush(now);
    }

    fn unwritten(&mut self, sends: Vec<Stored>, error: &StoreError, now: Now) {
        self.log(Level::Error, format!("{} sends could not be written: {error}", sends.len()), now);
        for stored in sends {
            self.refuse_send(stored.asker, refusal_of(error));
        }
    }

    /// Lets consumers see the log up to `end` and runs the pulls that waited for it.
    pub(super) fn make_visible(&mut self, end: u64, now: Now) {
        match self.store.release(end) {
            Ok(arrivals) => self.wake(&arrivals, now),
            Err(error) => {
                self.log(Level::Error, format!("stored messages cannot be made visible: {error}"), now);
            }
        }
    }

    fn wake(&mut self, arrivals: &[Arrival], now: Now) {
        if self.holds.len() == 0 {
            return;
        }
        for arrival in arrivals {
            let store = &self.store;
            let released = self.holds.arrived(arrival, |filter| is_for(store, arrival, filter), now.mono_ms);
            self.run_released(released, now);
        }
    }

    /// Tells the producer where its messages are. The fields and their order are Apache's.
    pub(super) fn answer_stored(&mut self, stored: &Stored, code: i32) {
        self.timing.put(stored.began_ms);
        if stored.asker.oneway {
            return;
        }
        let mut answer = stored.asker.answer(code);
        let placed = stored.placed.as_slice();
        let fields = &mut answer.fields;
        *fields = Fields::with_capacity(ANSWER_FIELDS, ANSWER_TEXT + placed.len() * ID_TEXT);
        fields.push_with("queueId", |text| push_number(text, stored.queue_id.into()));
        if let Some(key) = &stored.unique_key {
            fields.push("transactionId", key);
        }
        fields.push_with("msgId", |text| push_ids(text, self.settings.store_host, placed));
        fields.push("TRACE_ON", if self.settings.trace_on { "true" } else { "false" });
        fields.push("MSG_REGION", &self.settings.region);
        fields.push_with("queueOffset", |text| push_number(text, stored.placed.queue_offset()));
        self.answer(stored.asker, &answer);
    }

    /// Refuses a send; its answers carry region and trace switch even then.
    pub(super) fn refuse_send(&mut self, asker: Asker, refusal: Refusal) {
        self.counters.sends_refused += 1;
        let trace = if self.settings.trace_on { "true" } else { "false" };
        let refusal = refusal.with_field("TRACE_ON", trace).with_field("MSG_REGION", &self.settings.region);
        self.refuse(asker, refusal);
    }
}

/// Whether a message that has just become visible may match. A condition has to look at it; if that needs the disk, the pull
/// that waits will do so itself.
fn is_for(store: &Store, arrival: &Arrival, filter: &Filter) -> bool {
    if let Filter::Tags(tags) = filter {
        return tags.matches_code(arrival.tags_code);
    }
    let request = ReadRequest::Fetch {
        topic: arrival.topic.to_string(),
        queue_id: arrival.queue_id,
        offset: arrival.max_offset - 1,
        max_messages: 1,
        max_bytes: 0,
        filter: filter.clone(),
    };
    !matches!(store.plan_read(request).run_now(), Ok(Some(ReadOutcome::Fetched(fetched))) if fetched.count == 0)
}

/// The offset ids of a send's messages, with commas between them.
fn push_ids(text: &mut String, host: SocketAddr, placed: &[Placed]) {
    for (position, placed) in placed.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        message_id::push_offset_id(text, host, placed.physical_offset);
    }
}

fn push_number(text: &mut String, number: i64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// What a producer is told when the store does not take its message.
pub(super) fn refusal_of(error: &StoreError) -> Refusal {
    let code = match error {
        StoreError::Poisoned { .. } | StoreError::Full { .. } | StoreError::Closed => {
            response::SERVICE_NOT_AVAILABLE
        }
        StoreError::Record(_) | StoreError::RecordTooLarge { .. } => response::MESSAGE_ILLEGAL,
        _ => response::SYSTEM_ERROR,
    };
    Refusal::new(code, error.to_string())
}
