//! What each decoder has to do with arbitrary bytes: say something sensible about them, or refuse them. One function a decoder;
//! it panics if that is not so. Shared by the property tests here and by the fuzz targets in `rust/fuzz`.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "for tests and fuzz targets, which each use a part of it"
)]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::record::{self, Decoded, NewRecord};
use rocketmq_lite_core::store::{
    FileSystem, FlushMode, IndexShape, KeyKind, MemFs, Open, ReadOutcome, ReadRequest, Store, StoreError,
    StoreSettings,
};
use rocketmq_lite_core::wire::{FrameDecoder, MAX_FRAME, encode};

const ROOT: &str = "/store";
const LOG: &str = "/store/commitlog/00000000000000000000";
const QUEUE: &str = "/store/consumequeue/T/0/00000000000000000000";
const EXT: &str = "/store/consumequeue_ext/T/0/00000000000000000000";
const SEGMENT: u64 = 4096;
const EXT_SEGMENT: u64 = 256;
const QUEUE_ENTRIES: u64 = 16;
const MESSAGES: i64 = 8;
const NOW: i64 = 1_700_000_000_000;
const SHAPE: IndexShape = IndexShape { slots: 8, entries: 32 };

/// Bytes from a socket. Whatever is taken for a command can be written again.
pub fn frame(bytes: &[u8]) {
    let mut decoder = FrameDecoder::new(MAX_FRAME);
    decoder.feed(bytes);
    while let Ok(Some(command)) = decoder.next() {
        // Refused where a text is longer than the header's codec has room for.
        let _ = encode(&command, &mut Vec::new());
    }
}

/// The header of a frame; the first byte says in which codec.
pub fn header(bytes: &[u8]) {
    let Some((codec, header)) = bytes.split_first() else { return };
    let head = u32::from(codec % 2) << 24 | header.len() as u32;
    let lengths = [(header.len() as u32 + 4).to_be_bytes(), head.to_be_bytes()].concat();
    frame(&[&lengths, header].concat());
}

/// Records one after the other.
pub fn record(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Decoded::Message(message)) = record::decode(rest) {
        assert!(message.total_size > 0 && message.total_size <= rest.len());
        rest = &rest[message.total_size..];
    }
}

/// A commit log, and of the first byte whether it was in use and whether something is known to be durable.
pub fn recovery(bytes: &[u8]) {
    let Some((kind, log)) = bytes.split_first() else { return };
    let disk = sample().snapshot();
    if kind & 1 == 0 {
        disk.remove_file(Path::new("/store/abort")).unwrap();
    }
    if kind & 2 == 0 {
        disk.remove_file(Path::new("/store/lite.cbor")).unwrap();
    }
    if kind & 4 == 0 {
        disk.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
    }
    overwrite(&disk, LOG, log, SEGMENT);
    let Some(found) = open(&disk).map(|store| messages(&store)) else { return };
    // After a clean stop only the end of the log is looked at, so the next start may be the first to see what is before.
    if kind & 1 == 0 {
        return;
    }
    assert!(found.iter().all(|(.., is_right)| *is_right), "{found:?}");
    let again = open(&disk).unwrap_or_else(|| panic!("what was opened once is refused"));
    assert_eq!(messages(&again), found);
}

/// A consume queue beside a log that is whole. After a crash all messages are there; after a clean stop, when only its end
/// is compared with the log, it may hide some or show them again, but shows no others.
pub fn queue(bytes: &[u8]) {
    let Some((kind, entries)) = bytes.split_first() else { return };
    let disk = sample().snapshot();
    if kind & 1 == 0 {
        disk.remove_file(Path::new("/store/abort")).unwrap();
    }
    overwrite(&disk, QUEUE, entries, QUEUE_ENTRIES * 20);
    let store = open(&disk).unwrap_or_else(|| panic!("the log is whole"));
    let found = messages(&store);
    assert!(found.iter().all(|(.., is_right)| *is_right), "{found:?}");
    if kind & 1 == 1 {
        assert_eq!(found.len() as i64, MESSAGES);
    }
}

/// Extensions beside a log and a queue that are whole. A filter by tag may miss messages, since a start compares only the last
/// unit with the log; all messages are there, and every offset is passed over.
pub fn extensions(bytes: &[u8]) {
    let Some((kind, units)) = bytes.split_first() else { return };
    let disk = sample().snapshot();
    if kind & 1 == 0 {
        disk.remove_file(Path::new("/store/abort")).unwrap();
    }
    overwrite(&disk, EXT, units, EXT_SEGMENT);
    let store = open(&disk).unwrap_or_else(|| panic!("the log is whole"));
    assert_eq!(messages(&store).len() as i64, MESSAGES);
    let (topic, filter) = ("T".to_owned(), TagFilter::parse("t").unwrap().into());
    let request =
        ReadRequest::Fetch { topic, queue_id: 0, offset: 0, max_messages: 32, max_bytes: 65_536, filter };
    let Ok(ReadOutcome::Fetched(fetched)) = store.plan_read(request).run() else { panic!("it can be read") };
    assert_eq!(fetched.next_offset, MESSAGES, "{fetched:?}");
}

/// An index file beside a log that is whole. It may hide messages, since nothing in it can be checked, but shows no others.
pub fn index(bytes: &[u8]) {
    let Some((kind, file)) = bytes.split_first() else { return };
    let disk = sample().snapshot();
    if kind & 1 == 0 {
        disk.remove_file(Path::new("/store/abort")).unwrap();
    }
    let name = disk.list(Path::new("/store/index")).unwrap().remove(0).name;
    overwrite(&disk, &format!("/store/index/{name}"), file, 40 + 8 * 4 + 32 * 20);
    let mut store = open(&disk).unwrap_or_else(|| panic!("the log is whole"));
    if let Some(plan) = store.plan_index(NOW) {
        let _ = store.indexed(plan.run());
    }
    for number in 0..MESSAGES {
        let request = ReadRequest::ByKey {
            topic: "T".to_owned(),
            kind: KeyKind::Key,
            key: format!("K{number}"),
            max_messages: 32,
            times: (0, i64::MAX),
        };
        if let Ok(ReadOutcome::ByKey(found)) = store.plan_read(request).run() {
            let offsets: Vec<_> = found.records.iter().map(|bytes| queue_offset(bytes)).collect();
            assert!(offsets.is_empty() || offsets == [Some(number)], "{offsets:?}");
        }
    }
}

fn queue_offset(bytes: &[u8]) -> Option<i64> {
    match record::decode(bytes) {
        Ok(Decoded::Message(message)) => Some(message.queue_offset),
        _ => None,
    }
}

/// The first bytes of a file, up to its length.
fn overwrite(disk: &MemFs, path: &str, bytes: &[u8], len: u64) {
    let file = disk.open(Path::new(path), Open::ReadWrite).unwrap();
    file.zero(0, len).unwrap();
    file.write_all_at(&bytes[..bytes.len().min(len as usize)], 0).unwrap();
}

/// A store on what is there; `None` if it says that this is damaged.
fn open(disk: &MemFs) -> Option<Store> {
    let settings = StoreSettings {
        segment_size: SEGMENT,
        consume_queue_entries: QUEUE_ENTRIES,
        ext_segment_size: Some(EXT_SEGMENT),
        index: SHAPE,
        flush: FlushMode::Sync,
        ..StoreSettings::new(ROOT)
    };
    match Store::open(Arc::new(disk.clone()), settings, NOW) {
        Ok((store, _)) => Some(store),
        Err(StoreError::Damaged { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}

/// The messages of the sample's queue: offset, body, and whether it is whole and belongs there.
fn messages(store: &Store) -> Vec<(i64, Vec<u8>, bool)> {
    let mut found = Vec::new();
    let bounds = store.bounds("T", 0);
    let mut offset = bounds.min;
    while offset < bounds.max {
        let (topic, filter) = ("T".to_owned(), TagFilter::all().into());
        let request =
            ReadRequest::Fetch { topic, queue_id: 0, offset, max_messages: 32, max_bytes: 65_536, filter };
        let Ok(ReadOutcome::Fetched(fetched)) = store.plan_read(request).run() else { break };
        assert!(fetched.next_offset > offset, "{fetched:?}");
        offset = fetched.next_offset;
        for chunk in &fetched.body {
            let mut rest: &[u8] = chunk;
            while let Ok(Decoded::Message(message)) = record::decode(rest) {
                let is_right = message.crc_matches() && message.topic == "T" && message.queue_id == 0;
                found.push((message.queue_offset, message.body.to_vec(), is_right));
                rest = &rest[message.total_size..];
            }
        }
    }
    found
}

/// A store that died: eight messages with keys, of which nothing was flushed but the index.
fn sample() -> &'static MemFs {
    static SAMPLE: OnceLock<MemFs> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let disk = MemFs::new();
        let mut store = open(&disk).unwrap();
        for number in 0..MESSAGES {
            let properties = format!("KEYS\u{1}K{number}\u{2}TAGS\u{1}t\u{2}");
            let host = ([127, 0, 0, 1], 10_911).into();
            let record = NewRecord {
                topic: "T",
                queue_id: 0,
                flag: 0,
                sys_flag: 0,
                born_timestamp: NOW,
                born_host: host,
                store_host: host,
                reconsume_times: 0,
                prepared_transaction_offset: 0,
                body: b"body",
                properties: properties.as_bytes(),
            };
            store.append(&record, NOW).unwrap();
        }
        store.write_run().unwrap();
        let plan = store.plan_flush(NOW).unwrap();
        let end = store.flushed(plan.run()).unwrap();
        store.release(end).unwrap();
        let plan = store.plan_index(NOW + 20_000).unwrap();
        store.indexed(plan.run()).unwrap();
        disk.open(Path::new("/store/lite.cbor"), Open::ReadWrite).unwrap().set_len(0).unwrap();
        disk
    })
}

/// The files of the sample, to begin with.
fn seed(path: &str) -> Vec<u8> {
    let file = sample().open(Path::new(path), Open::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// What a decoder's damaged inputs are made from.
pub fn log_seed() -> Vec<u8> {
    seed(LOG)
}

pub fn queue_seed() -> Vec<u8> {
    seed(QUEUE)
}

pub fn ext_seed() -> Vec<u8> {
    seed(EXT)
}

pub fn index_seed() -> Vec<u8> {
    let name = sample().list(Path::new("/store/index")).unwrap().remove(0).name;
    seed(&format!("/store/index/{name}"))
}
