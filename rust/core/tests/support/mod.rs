//! What the black-box tests of the store share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "for tests, which each use a part of it"
)]

pub mod chance;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::record::{self, Decoded, NewRecord};
use rocketmq_lite_core::store::{
    Arrival, Fetched, FileSystem, FlushMode, Placed, ReadOutcome, ReadRequest, Recovery, Store, StoreError,
    StoreSettings,
};

pub const WALL_MS: i64 = 1_700_000_000_000;
pub const ROOT: &str = "/store";

pub fn host() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 10911))
}

pub fn settings(root: impl Into<PathBuf>) -> StoreSettings {
    StoreSettings {
        segment_size: 4096,
        consume_queue_entries: 8,
        flush: FlushMode::Async { interval_ms: 500 },
        process_id: 42,
        ..StoreSettings::new(root)
    }
}

/// With extensions, three units a file.
pub fn extended(root: impl Into<PathBuf>) -> StoreSettings {
    StoreSettings { ext_segment_size: Some(64), ..settings(root) }
}

pub fn open(fs: &(impl FileSystem + Clone + 'static)) -> (Store, Recovery) {
    Store::open(Arc::new(fs.clone()), settings(ROOT), WALL_MS).unwrap()
}

pub fn try_open(fs: &(impl FileSystem + Clone + 'static)) -> Result<(Store, Recovery), StoreError> {
    Store::open(Arc::new(fs.clone()), settings(ROOT), WALL_MS)
}

pub fn append(
    store: &mut Store,
    topic: &str,
    queue_id: i32,
    body: &[u8],
    tag: &str,
) -> Result<Placed, StoreError> {
    let properties = format!("TAGS\u{1}{tag}\u{2}");
    store.append(&record(topic, queue_id, body, properties.as_bytes()), WALL_MS)
}

pub fn record<'a>(topic: &'a str, queue_id: i32, body: &'a [u8], properties: &'a [u8]) -> NewRecord<'a> {
    NewRecord {
        topic,
        queue_id,
        flag: 0,
        sys_flag: 0,
        born_timestamp: WALL_MS,
        born_host: host(),
        store_host: host(),
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body,
        properties,
    }
}

/// Writes the run and makes it visible.
pub fn settle(store: &mut Store) -> Result<Vec<Arrival>, StoreError> {
    let end = store.write_run()?;
    store.release(end)
}

/// Append, write, release: what an acknowledged send under asynchronous flush has gone through.
pub fn send(store: &mut Store, topic: &str, queue_id: i32, body: &[u8]) -> Placed {
    let placed = append(store, topic, queue_id, body, "TagA").unwrap();
    settle(store).unwrap();
    placed
}

pub fn flush(store: &mut Store) -> Result<u64, StoreError> {
    match store.plan_flush(WALL_MS) {
        Some(plan) => store.flushed(plan.run()),
        None => Ok(store.flushed_end()),
    }
}

pub fn fetch(store: &Store, topic: &str, queue_id: i32, offset: i64, filter: &TagFilter) -> Fetched {
    let request = ReadRequest::Fetch {
        topic: topic.to_owned(),
        queue_id,
        offset,
        max_messages: 32,
        max_bytes: 262_144,
        filter: filter.clone().into(),
    };
    match store.plan_read(request).run().unwrap() {
        ReadOutcome::Fetched(fetched) => fetched,
        other => panic!("{other:?}"),
    }
}

/// The offsets of a queue that a filter by tags lets through.
pub fn offsets_tagged(store: &Store, topic: &str, queue_id: i32, tags: &str) -> Vec<i64> {
    let filter = TagFilter::parse(tags).unwrap();
    let (mut found, bounds) = (Vec::new(), store.bounds(topic, queue_id));
    let mut offset = bounds.min;
    while offset < bounds.max {
        let fetched = fetch(store, topic, queue_id, offset, &filter);
        assert!(fetched.next_offset > offset, "{fetched:?}");
        let body = fetched.body.concat();
        let mut rest: &[u8] = &body;
        while let Ok(Decoded::Message(message)) = record::decode(rest) {
            found.push(message.queue_offset);
            rest = &rest[message.total_size..];
        }
        offset = fetched.next_offset;
    }
    found
}

/// Every body of a queue, in order; offsets are checked to be without gaps.
pub fn bodies(store: &Store, topic: &str, queue_id: i32) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let bounds = store.bounds(topic, queue_id);
    let mut offset = bounds.min;
    while offset < bounds.max {
        let fetched = fetch(store, topic, queue_id, offset, &TagFilter::all());
        assert!(fetched.count > 0, "{fetched:?} at {offset} of {bounds:?}");
        for chunk in &fetched.body {
            let mut rest: &[u8] = chunk;
            while !rest.is_empty() {
                let Decoded::Message(message) = record::decode(rest).unwrap() else { panic!("no message") };
                assert!(message.crc_matches());
                assert_eq!(
                    (message.topic, message.queue_id, message.queue_offset),
                    (topic, queue_id, offset)
                );
                found.push(message.body.to_vec());
                offset += 1;
                rest = &rest[message.total_size..];
            }
        }
        assert_eq!(fetched.next_offset, offset);
    }
    found
}
