//! What a store has to keep, whatever disk it is opened on.

use std::collections::BTreeMap;
use std::path::Path;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::record::{self, Decoded};
use rocketmq_lite_core::store::{
    FileSystem, FlushMode, KeyKind, MemFs, OfflineStore, Open, Outside, ReadOutcome, ReadRequest, Store,
    Verify,
};

use crate::support::{WALL_MS, fetch, offsets_tagged};
use crate::workload::{INTERVAL_MS, Log, QUEUES, Sent, TAGS, TOPICS};

/// The messages of a queue: offset, position in the log, body.
type Messages = Vec<(i64, u64, Vec<u8>)>;

/// All that a store has.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    end: u64,
    queues: BTreeMap<(&'static str, i32), Messages>,
}

pub(crate) fn state(store: &Store) -> State {
    let queues = TOPICS.iter().flat_map(|topic| (0..QUEUES).map(move |queue| (*topic, queue)));
    let queues = queues.map(|(topic, queue)| ((topic, queue), messages(store, topic, queue))).collect();
    State { end: store.appended_end(), queues }
}

/// Two stores have the same.
pub(crate) fn same(found: &State, expected: &State, context: &str) {
    assert_eq!(found.end, expected.end, "{context}");
    for (queue, expected) in &expected.queues {
        let offsets = |messages: &Messages| messages.iter().map(|(offset, ..)| *offset).collect::<Vec<_>>();
        let found = &found.queues[queue];
        assert_eq!(offsets(found), offsets(expected), "{queue:?}: {context}");
        assert!(found == expected, "{queue:?}: {context}");
    }
}

/// Opens a store on what a cut at some moment left, and checks it. What it has.
pub(crate) fn check(log: &Log, moment: usize, disk: &MemFs, context: &str) -> State {
    let fs = disk.snapshot();
    let (mut store, recovery) = log.try_open(&fs).unwrap_or_else(|error| panic!("{context}: {error}"));
    let context = format!("{context}: {recovery:?}");
    let state = state(&store);
    acknowledged_is_there(log, moment, &store, &state, &context);
    nothing_else_is_there(log, &state, &context);
    checkpoint_is_behind(disk, &state, &context);
    keys_find(log, moment, &mut store, &state, &context);
    tags_find(log, &store, &state, &context);
    drop(store);
    let again = log.open(&fs);
    same(&crate::promises::state(&again), &state, &format!("{context}; after another crash"));
    close_and_verify(again, &fs, &context);
    let (last, recovery) = log.try_open(&fs).unwrap();
    assert!(recovery.clean && recovery.redispatched == 0 && recovery.cut_bytes == 0, "{context}");
    same(&crate::promises::state(&last), &state, &format!("{context}; after a clean stop"));
    state
}

fn acknowledged_is_there(log: &Log, moment: usize, store: &Store, state: &State, context: &str) {
    let (now, purged) = (log.time_at(moment), log.purged_before(moment));
    let has_to_be_there = |sent: &Sent| match log.flush {
        FlushMode::Sync => true,
        FlushMode::Async { .. } => sent.acknowledged_ms < now - INTERVAL_MS,
    };
    for number in log.journal.notes(moment) {
        let sent = &log.sent[number as usize];
        if sent.physical < purged || !has_to_be_there(sent) {
            continue;
        }
        let bounds = store.bounds(sent.topic, sent.queue);
        let found =
            state.queues[&(sent.topic, sent.queue)].iter().find(|(offset, ..)| *offset == sent.offset);
        assert!(
            found.is_some_and(|(_, _, body)| *body == sent.body),
            "{}-{} at {} ({}), acknowledged, is lost: {bounds:?}, now {}; {context}",
            sent.topic,
            sent.queue,
            sent.offset,
            sent.physical,
            now - sent.acknowledged_ms,
        );
    }
}

/// Each message was sent to where it is, and queues have them in the order of the log. (Offsets of messages that were lost are
/// given again, so the same place may have had several.)
fn nothing_else_is_there(log: &Log, state: &State, context: &str) {
    for ((topic, queue), messages) in &state.queues {
        assert!(messages.is_sorted_by_key(|(_, physical, _)| *physical), "{topic}-{queue}: {context}");
        for (offset, physical, body) in messages {
            let was_sent = log.sent.iter().any(|sent| {
                (sent.topic, sent.queue, sent.offset, sent.physical) == (*topic, *queue, *offset, *physical)
                    && sent.body == *body
            });
            assert!(was_sent, "{topic}-{queue} has at {offset} what nobody sent; {context}");
        }
    }
}

/// The checkpoint that the cut left speaks of nothing that it took.
fn checkpoint_is_behind(disk: &MemFs, state: &State, context: &str) {
    let mut bytes = [0; 48];
    let Ok(file) = disk.open(Path::new("/store/checkpoint"), Open::Read) else { return };
    file.read_at(&mut bytes, 0).unwrap();
    let logics_physical_offset = i64::from_be_bytes(*bytes.last_chunk().unwrap());
    assert!(logics_physical_offset as u64 <= state.end, "{logics_physical_offset}; {context}");
}

/// Every so many messages, one is looked up.
const KEY_STEP: usize = 16;

/// Messages are found by their keys, before and after the index has caught up, and nothing else is; but those of a purge that
/// the cut took back may be.
fn keys_find(log: &Log, moment: usize, store: &mut Store, state: &State, context: &str) {
    for is_indexed in [false, true] {
        while let Some(plan) = store.plan_index(WALL_MS).filter(|_| is_indexed) {
            if !store.indexed(plan.run()).unwrap().has_more {
                break;
            }
        }
        let first = state.end as usize % KEY_STEP;
        for (number, sent) in log.sent.iter().enumerate().skip(first).step_by(KEY_STEP) {
            let request = ReadRequest::ByKey {
                topic: sent.topic.to_owned(),
                kind: KeyKind::Key,
                key: Sent::key(number),
                max_messages: 9,
                times: (0, i64::MAX),
            };
            let Ok(ReadOutcome::ByKey(found)) = store.plan_read(request).run() else { panic!("{context}") };
            let found: Vec<u64> = found.records.iter().map(|bytes| decoded(bytes).1).collect();
            let messages = &state.queues[&(sent.topic, sent.queue)];
            let is_there =
                messages.iter().any(|(_, physical, body)| *physical == sent.physical && *body == sent.body);
            let expected: Vec<u64> = is_there.then_some(sent.physical).into_iter().collect();
            let is_purged = sent.physical < log.purged_before(moment) && found == [sent.physical];
            assert!(
                found == expected || is_purged,
                "key {number} finds {found:?} for {expected:?}, indexed: {is_indexed}; {context}"
            );
        }
    }
}

/// A filter by tag finds those that have it, in one of the queues.
fn tags_find(log: &Log, store: &Store, state: &State, context: &str) {
    let which = state.end as usize % state.queues.len();
    let Some(((topic, queue), messages)) = state.queues.iter().nth(which) else { return };
    let tag_of = |(_, physical, body): &(i64, u64, Vec<u8>)| {
        let number = log.sent.iter().position(|sent| sent.physical == *physical && sent.body == *body);
        Sent::tag(number.unwrap())
    };
    for tag in TAGS {
        let expected: Vec<_> =
            messages.iter().filter(|message| tag_of(message) == tag).map(|(offset, ..)| *offset).collect();
        let found = offsets_tagged(store, topic, *queue, tag);
        assert_eq!(found, expected, "{topic}-{queue} {tag}; {context}");
    }
}

/// Every record has its entry, and every entry its record.
fn close_and_verify(mut store: Store, fs: &MemFs, context: &str) {
    store.close(WALL_MS).unwrap();
    drop(store);
    let mut verify = Verify::new(OfflineStore::open(fs, "/store", &Outside::default()).unwrap());
    while verify.step(u64::MAX).unwrap() {}
    let report = verify.report();
    assert!(report.findings.is_empty() && report.unreadable == 0, "{report:?}; {context}");
    assert_eq!(report.without_entry, 0, "{report:?}; {context}");
}

fn decoded(bytes: &[u8]) -> (i64, u64, Vec<u8>, usize) {
    let Ok(Decoded::Message(message)) = record::decode(bytes) else { panic!("no message") };
    assert!(message.crc_matches());
    (message.queue_offset, message.physical_offset as u64, message.body.to_vec(), message.total_size)
}

/// Every message of a queue; offsets are checked to be without gaps.
fn messages(store: &Store, topic: &str, queue: i32) -> Messages {
    let bounds = store.bounds(topic, queue);
    let mut found: Messages = Vec::new();
    let mut offset = bounds.min;
    while offset < bounds.max {
        let fetched = fetch(store, topic, queue, offset, &TagFilter::all());
        assert!(fetched.count > 0, "{topic}-{queue}: {fetched:?} at {offset} of {bounds:?}");
        for chunk in &fetched.body {
            let mut rest: &[u8] = chunk;
            while !rest.is_empty() {
                let (at, physical, body, size) = decoded(rest);
                assert_eq!(at, offset, "{topic}-{queue}");
                found.push((at, physical, body));
                offset += 1;
                rest = &rest[size..];
            }
        }
    }
    found
}
