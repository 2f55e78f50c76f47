//! A directory that Apache RocketMQ 5.5.0 wrote is read record for record, and goes on being written.
//!
//! What is in `tests/data/sample-store.tar.gz` is what the checks below say; the numbers are those of the broker that
//! wrote it, with small segments.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use rocketmq_lite_core::filter::tags::{TagFilter, java_hash};
use rocketmq_lite_core::record::{self, Decoded, Message, compression, properties};
use rocketmq_lite_core::store::{
    Boundary, DiskFs, FetchStatus, IndexShape, ReadOutcome, ReadRequest, Recovery, Store, StoreError,
    StoreSettings,
};
use support::{WALL_MS, append, bodies, fetch, settle};

/// Every queue: topic, queue, messages.
const QUEUES: [(&str, i32, i64); 16] = [
    ("SampleA", 0, 50),
    ("SampleA", 1, 50),
    ("SampleA", 2, 50),
    ("SampleA", 3, 50),
    ("SampleB", 0, 15),
    ("SampleC", 0, 4),
    ("SCHEDULE_TOPIC_XXXX", 0, 1),
    ("SCHEDULE_TOPIC_XXXX", 17, 1),
    ("SampleD", 2, 1),
    ("rmq_sys_wheel_timer", 0, 14),
    ("SampleT", 2, 1),
    ("RMQ_SYS_TRANS_HALF_TOPIC", 0, 14),
    ("RMQ_SYS_TRANS_OP_HALF_TOPIC", 0, 1),
    ("SampleX", 2, 1),
    ("SampleX", 1, 1),
    ("SampleX", 0, 0),
];
const RECORDS: u64 = 254;
const END: u64 = 94_066;

fn unpack(folder: &Path) -> PathBuf {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sample-store.tar.gz");
    tar::Archive::new(GzDecoder::new(File::open(archive).unwrap())).unpack(folder).unwrap();
    folder.join("sample-store")
}

fn settings(root: &Path) -> StoreSettings {
    StoreSettings {
        segment_size: 65_536,
        consume_queue_entries: 30,
        index: IndexShape { slots: 100, entries: 400 },
        ..StoreSettings::new(root)
    }
}

fn open(root: &Path) -> (Store, Recovery) {
    Store::open(Arc::new(DiskFs), settings(root), WALL_MS).unwrap()
}

/// The messages of a queue, each as the function sees it.
fn each<T>(store: &Store, topic: &str, queue: i32, mut see: impl FnMut(&Message<'_>) -> T) -> Vec<T> {
    let (mut seen, mut offset) = (Vec::new(), 0);
    while offset < store.bounds(topic, queue).max {
        let fetched = fetch(store, topic, queue, offset, &TagFilter::all());
        let body = fetched.body.concat();
        let mut rest = &*body;
        while let Ok(Decoded::Message(message)) = record::decode(rest) {
            assert_eq!((message.topic, message.queue_id, message.queue_offset), (topic, queue, offset));
            assert!(message.crc_matches());
            seen.push(see(&message));
            rest = &rest[message.total_size..];
            offset += 1;
        }
        assert_eq!((fetched.next_offset, rest.len()), (offset, 0));
    }
    seen
}

fn check_everything(store: &Store) {
    for (topic, queue, count) in QUEUES {
        let bounds = store.bounds(topic, queue);
        assert_eq!((bounds.min, bounds.max), (0, count), "{topic} {queue}");
        assert_eq!(each(store, topic, queue, |_| ()).len() as i64, count, "{topic} {queue}");
    }
    for queue in 0..4 {
        let found = each(store, "SampleA", queue, check_sample_a);
        assert_eq!(found, (0..50).map(|n| n * 4 + i64::from(queue)).collect::<Vec<_>>());
    }
    let first_b = each(store, "SampleB", 0, |message| {
        let (k, i) = (message.queue_offset / 5, message.queue_offset % 5);
        assert_eq!(message.body, format!("sample-b-{k}-{i}").as_bytes());
        assert_eq!(properties::get(message.properties, properties::KEYS), Some(&*format!("b-{k}-{i}")));
        message.physical_offset
    });
    assert_eq!(first_b[0], 76_346);
    check_compressed(store);
}

/// The number of a message of `SampleA`, after comparing all the rest with it.
fn check_sample_a(message: &Message<'_>) -> i64 {
    let i = message.flag as usize;
    assert_eq!(message.body, format!("sample-a-{i}-{}", "x".repeat(i)).as_bytes());
    let property = |name| properties::get(message.properties, name);
    assert_eq!(property(properties::TAGS), Some(["TagA", "TagB", "TagC"][i % 3]));
    assert_eq!(property(properties::KEYS), Some(&*format!("key-{i} all")));
    assert_eq!(property("n"), Some(&*i.to_string()));
    match i {
        0 => {
            assert_eq!(
                (message.physical_offset, message.total_size, message.body_crc),
                (0, 276, 938_893_741)
            );
        }
        1 => assert_eq!(message.physical_offset, 276),
        199 => assert_eq!(
            (message.physical_offset, message.total_size, message.body_crc),
            (75_865, 481, 278_981_208)
        ),
        _ => {}
    }
    i as i64
}

fn check_compressed(store: &Store) {
    let expected = [("LZ4", 0x101, 79_466), ("ZSTD", 0x201, 79_772), ("ZLIB", 0x301, 80_068)];
    each(store, "SampleC", 0, |message| match expected.get(message.queue_offset as usize) {
        Some((name, sys_flag, physical)) => {
            assert_eq!((message.sys_flag, message.physical_offset), (*sys_flag, *physical));
            let mut plain = format!("compressible {name} ").repeat(200).into_bytes();
            plain.truncate(2000);
            assert_eq!(compression::decompress(message.sys_flag, message.body).unwrap(), plain);
        }
        None => assert_eq!((message.sys_flag, message.body), (0, &b"none-notag-body"[..])),
    });
}

#[test]
fn a_clean_directory_is_read_record_for_record() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    let (store, recovery) = open(&root);
    assert!(recovery.clean && recovery.cut_bytes == 0 && recovery.redispatched == 0, "{recovery:?}");
    assert_eq!((recovery.end, store.appended_end()), (END, END));
    check_everything(&store);
}

#[test]
fn queues_made_again_from_apaches_log_are_apaches_queues() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    let queue_files = files_below(&root.join("consumequeue"));
    assert_eq!(queue_files.len(), 19);
    std::fs::remove_dir_all(root.join("consumequeue")).unwrap();
    let (store, recovery) = open(&root);
    assert_eq!((recovery.records, recovery.redispatched), (RECORDS, RECORDS));
    check_everything(&store);
    assert_eq!(files_below(&root.join("consumequeue")), queue_files, "byte for byte");
}

#[test]
fn a_directory_that_was_not_closed_is_scanned_from_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    std::fs::write(root.join("abort"), "4711").unwrap();
    let (store, recovery) = open(&root);
    // The checkpoint names the record at 86,633, which ends there.
    assert!(!recovery.clean && recovery.scanned_from == 87_084, "{recovery:?}");
    assert_eq!((recovery.end, recovery.cut_bytes), (END, 0));
    check_everything(&store);
    assert_eq!(std::fs::read_to_string(root.join("abort.bak")).unwrap(), "4711");
}

#[test]
fn an_older_checkpoint_without_a_position_is_used_by_its_times() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    std::fs::write(root.join("abort"), "4711").unwrap();
    let times = std::fs::read(root.join("checkpoint")).unwrap()[..16].to_vec();
    // The second segment begins with a record that is older than both times.
    for (times, from) in [(times, 65_536), (vec![0; 16], 0)] {
        std::fs::write(root.join("checkpoint"), [times, vec![0; 4080]].concat()).unwrap();
        let (store, recovery) = open(&root);
        assert_eq!((recovery.scanned_from, recovery.end), (from, END));
        check_everything(&store);
    }
}

#[test]
fn tags_and_times_are_found_as_apache_stored_them() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&unpack(folder.path()));
    let mut by_tag = BTreeMap::new();
    for queue in 0..4 {
        for tag in ["TagA", "TagB", "TagC"] {
            let filter = TagFilter::of_codes([java_hash(tag)]);
            let mut offset = 0;
            while offset < 50 {
                let found = fetch(&store, "SampleA", queue, offset, &filter);
                *by_tag.entry(tag).or_insert(0) += found.count;
                offset = found.next_offset;
            }
        }
    }
    assert_eq!(by_tag, BTreeMap::from([("TagA", 67), ("TagB", 67), ("TagC", 66)]));
    let times = each(&store, "SampleA", 1, |message| message.store_timestamp);
    for (offset, time) in times.iter().enumerate() {
        let ask = |request| store.plan_read(request).run().unwrap();
        let topic = || "SampleA".to_owned();
        let stored = ask(ReadRequest::StoreTime { topic: topic(), queue_id: 1, offset: offset as i64 });
        assert_eq!(stored, ReadOutcome::StoreTime(*time));
        let search =
            |boundary| ReadRequest::SearchTime { topic: topic(), queue_id: 1, timestamp: *time, boundary };
        let first = times.iter().position(|other| other == time).unwrap() as i64;
        let last = times.iter().rposition(|other| other == time).unwrap() as i64;
        assert_eq!(ask(search(Boundary::Lower)), ReadOutcome::Offset(first));
        assert_eq!(ask(search(Boundary::Upper)), ReadOutcome::Offset(last));
    }
}

#[test]
fn it_goes_on_where_apache_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    let (mut store, _) = open(&root);
    let placed = append(&mut store, "SampleA", 3, b"ours", "TagZ").unwrap();
    assert_eq!((placed.queue_offset, placed.physical_offset), (50, END as i64));
    settle(&mut store).unwrap();
    store.close(WALL_MS).unwrap();
    drop(store);
    assert!(!root.join("abort").exists());
    let (store, recovery) = open(&root);
    assert!(recovery.clean && recovery.redispatched == 0, "{recovery:?}");
    assert_eq!(bodies(&store, "SampleA", 3).last().unwrap(), b"ours");
    assert_eq!(fetch(&store, "SampleA", 3, 51, &TagFilter::all()).status, FetchStatus::OffsetOverflowOne);
}

#[test]
fn another_segment_size_is_refused_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    let other = StoreSettings { segment_size: 131_072, ..settings(&root) };
    match Store::open(Arc::new(DiskFs), other, WALL_MS) {
        Err(StoreError::SegmentLength { path, expected: 131_072, found: 65_536 }) => {
            assert_eq!(path, root.join("commitlog/00000000000000000000"));
        }
        result => panic!("{result:?}"),
    }
    // Nothing was touched: it is still as clean as it was.
    assert!(open(&root).1.clean);
}

fn files_below(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}
