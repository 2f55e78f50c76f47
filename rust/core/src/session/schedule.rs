//! Delay levels: a message that has one waits in its level's queue of the schedule topic, and is moved when it is due.
//!
//! Python says which level to look at and from which offset on, and keeps the offsets; what is due is moved here. A crash
//! between the move and Python's next snapshot delivers again: at least once, as in Apache.

use crate::filter::Filter;
use crate::record::{self, Decoded, Message, NewRecord, properties};
use crate::session::Broker;
use crate::session::output::{Level, Value};
use crate::session::reading::{Look, Reading};
use crate::session::send_properties::VOID_BY_LEVEL;
use crate::session::settings::Now;
use crate::session::stop::Phase;
use crate::store::{Delays, Fetched, MAX_BYTES, QueueEntry, ReadRequest, SCHEDULE_TOPIC, StoreError};

/// So long after it could not deliver the engine wants to be asked again.
const NOT_NOW_MS: i64 = 1_000;
/// Messages that are moved in one go; other requests wait meanwhile.
const DUE_AT_ONCE: u32 = 32;

/// Where a message is put, and its property text there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) topic: String,
    pub(super) queue_id: i32,
    pub(super) text: String,
}

impl Place {
    /// The place of a message that may have a delay level: what was meant for a topic's queue waits in the level's. A level
    /// above the highest means the highest.
    pub(super) fn delayed(self, delays: &Delays) -> Self {
        let level = delay_level(&self.text);
        if level <= 0 {
            return self;
        }
        let kept = level.min(delays.highest());
        let mut text = properties::Builder::from_text(&self.text);
        for name in VOID_BY_LEVEL {
            text.remove(name);
        }
        if kept != level {
            text.set(properties::DELAY, &kept.to_string());
        }
        text.set(properties::REAL_TOPIC, &self.topic);
        text.set(properties::REAL_QID, &self.queue_id.to_string());
        Self { topic: SCHEDULE_TOPIC.to_owned(), queue_id: kept - 1, text: text.finish() }
    }
}

/// The level that a message asks for; 0 and below mean none.
fn delay_level(text: &str) -> i32 {
    properties::get(text, properties::DELAY).and_then(|level| level.parse().ok()).unwrap_or(0)
}

/// What a look found.
struct Found<'a> {
    due: Vec<NewRecord<'a>>,
    next_offset: i64,
    look_at_ms: i64,
    /// Messages that have no place to go back to.
    lost: usize,
}

impl Broker {
    /// Moves what is due in a level's queue, from an offset on, to where it was meant for.
    pub(super) fn deliver_scheduled(&mut self, look: Look, now: Now) {
        if self.phase != Phase::Serving || !self.accept_writes {
            return self.looked(look.token, look.offset, now.wall_ms.saturating_add(NOT_NOW_MS));
        }
        let request = ReadRequest::Fetch {
            topic: SCHEDULE_TOPIC.to_owned(),
            queue_id: look.queue_id,
            offset: look.offset,
            max_messages: DUE_AT_ONCE,
            max_bytes: MAX_BYTES,
            filter: Filter::all(),
        };
        self.read(Reading::Scheduled(look), request, now);
    }

    /// Goes on once the queue has been read.
    pub(super) fn finish_scheduled(&mut self, look: Look, fetched: &Fetched, now: Now) {
        let body = fetched.body.concat();
        let found = find_due(&body, look.queue_id, fetched, self.store.delays(), now.wall_ms);
        let (next_offset, look_at_ms, lost) = (found.next_offset, found.look_at_ms, found.lost);
        if lost > 0 {
            let text = format!("{lost} delayed messages are not delivered: they do not say where to");
            self.log(Level::Error, text, now);
        }
        match self.put_own(found.due, now) {
            Ok(()) => self.looked(look.token, next_offset, look_at_ms),
            Err(error) => self.done(look.token, Value::Failed(error.to_string())),
        }
    }

    fn looked(&mut self, token: u64, next_offset: i64, look_at_ms: i64) {
        self.done(token, Value::Scheduled { next_offset, look_at_ms });
    }

    /// Stores messages of the broker's own, all or none. Nobody waits for their flush; under synchronous flush consumers see
    /// them after it.
    pub(super) fn put_own<'a>(
        &mut self,
        records: impl IntoIterator<Item = NewRecord<'a>>,
        now: Now,
    ) -> Result<(), StoreError> {
        self.settle(now);
        if self.store.append_all(records, now.wall_ms)?.is_empty() {
            return Ok(());
        }
        let end = self.store.write_run()?;
        self.written_own(end, now);
        Ok(())
    }
}

/// The messages that are due, and when the next one is. With the queue's end reached that is when one that is stored from
/// now on would be.
fn find_due<'a>(
    body: &'a [u8],
    queue_id: i32,
    fetched: &Fetched,
    delays: &Delays,
    wall_ms: i64,
) -> Found<'a> {
    let level = queue_id.saturating_add(1);
    let shortest_wait = delays.of_level(level).unwrap_or(NOT_NOW_MS);
    let at_end = fetched.next_offset >= fetched.max;
    let mut found = Found {
        due: Vec::new(),
        next_offset: fetched.next_offset,
        look_at_ms: if at_end { wall_ms.saturating_add(shortest_wait) } else { wall_ms },
        lost: 0,
    };
    let mut rest = body;
    for entry in &fetched.entries {
        let Ok(Decoded::Message(message)) = record::decode(rest) else { break };
        rest = rest.get(message.total_size..).unwrap_or_default();
        let due_ms = due_ms(&message, entry, delays, level);
        // One that was stored in the future was stored before the clock was put back: Apache delivers it at once.
        if due_ms > wall_ms && message.store_timestamp <= wall_ms {
            found.next_offset = message.queue_offset;
            found.look_at_ms = due_ms;
            break;
        }
        match restored(&message) {
            Some(record) => found.due.push(record),
            None => found.lost += 1,
        }
    }
    found
}

/// When a message is due: as it was told when it was stored, or earlier, if its level has become shorter since then. (Apache
/// delivers the latter at once.) A level that exists no more has no say.
fn due_ms(message: &Message<'_>, entry: &QueueEntry, delays: &Delays, level: i32) -> i64 {
    let after = |delay: i64| message.store_timestamp.saturating_add(delay);
    let by_level = delays.of_level(level).map(after);
    let told = (!entry.is_extended()).then_some(entry.tags_code);
    let least = by_level.into_iter().chain(told).min();
    least.unwrap_or_else(|| after(delays.of_level(delays.highest()).unwrap_or_default()))
}

/// The message as it was meant. Its properties stay as they are: Apache takes none away either.
fn restored<'a>(message: &Message<'a>) -> Option<NewRecord<'a>> {
    Some(NewRecord {
        topic: properties::get(message.properties, properties::REAL_TOPIC)?,
        queue_id: properties::get(message.properties, properties::REAL_QID)?.parse().ok()?,
        flag: message.flag,
        sys_flag: message.sys_flag,
        born_timestamp: message.born_timestamp,
        born_host: message.born_host,
        store_host: message.store_host,
        reconsume_times: message.reconsume_times,
        prepared_transaction_offset: 0,
        body: message.body,
        properties: message.properties.as_bytes(),
    })
}
