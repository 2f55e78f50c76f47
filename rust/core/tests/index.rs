//! Messages are found by their keys, in files that are Apache's to the byte.
//!
//! The judges: a directory that Apache 5.5.0 wrote, whose index is read, and made again from its log; and the log
//! itself, which says what every search has to find.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use rocketmq_lite_core::record::{self, Decoded};
use rocketmq_lite_core::store::{
    DiskFs, Fault, FaultFs, FileSystem, FoundByKey, IndexShape, KeyKind, MemFs, ReadOutcome, ReadRequest,
    Store, StoreSettings,
};
use support::{WALL_MS, flush, record, settle};

const SHAPE: IndexShape = IndexShape { slots: 100, entries: 400 };
const ALWAYS: (i64, i64) = (0, i64::MAX);

fn unpack(folder: &Path) -> PathBuf {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sample-store.tar.gz");
    tar::Archive::new(GzDecoder::new(fs::File::open(archive).unwrap())).unpack(folder).unwrap();
    folder.join("sample-store")
}

fn open_sample(root: &Path) -> Store {
    let settings = StoreSettings {
        segment_size: 65_536,
        consume_queue_entries: 30,
        index: SHAPE,
        ..StoreSettings::new(root)
    };
    Store::open(Arc::new(DiskFs), settings, WALL_MS).unwrap().0
}

fn settings() -> StoreSettings {
    StoreSettings { index: IndexShape { slots: 7, entries: 20 }, ..support::settings(support::ROOT) }
}

fn open(fs: &(impl FileSystem + Clone + 'static)) -> Store {
    Store::open(Arc::new(fs.clone()), settings(), WALL_MS).unwrap().0
}

fn find(store: &Store, topic: &str, kind: KeyKind, key: &str, times: (i64, i64)) -> FoundByKey {
    let (topic, key) = (topic.to_owned(), key.to_owned());
    let request = ReadRequest::ByKey { topic, kind, key, max_messages: 64, times };
    match store.plan_read(request).run().unwrap() {
        ReadOutcome::ByKey(found) => found,
        other => panic!("{other:?}"),
    }
}

/// Where the found messages begin.
fn places(found: &FoundByKey) -> Vec<i64> {
    let place = |bytes: &bytes::Bytes| match record::decode(bytes) {
        Ok(Decoded::Message(message)) => message.physical_offset,
        other => panic!("{other:?}"),
    };
    found.records.iter().map(place).collect()
}

fn index_all(store: &mut Store) {
    while let Some(plan) = store.plan_index(WALL_MS) {
        if !store.indexed(plan.run()).unwrap().has_more {
            break;
        }
    }
}

/// What the index files of a directory hold, in order.
fn contents(dir: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// What the index files of a file system hold, in order.
fn contents_of(fs: &MemFs) -> Vec<Vec<u8>> {
    let dir = Path::new("/store/index");
    let mut names: Vec<_> = fs.list(dir).unwrap().into_iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    let content = |name: &String| {
        let file = fs.open(&dir.join(name), rocketmq_lite_core::store::Open::Read).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        bytes
    };
    names.iter().map(content).collect()
}

fn check_sample(store: &Store) {
    let count = |topic, kind, key| find(store, topic, kind, key, ALWAYS).records.len();
    assert_eq!(count("SampleA", KeyKind::Key, "key-77"), 1);
    assert_eq!(count("SampleA", KeyKind::Key, "all"), 64, "the most for one search");
    assert_eq!(count("SampleA", KeyKind::Tag, "TagA"), 64);
    assert_eq!(count("SampleA", KeyKind::Key, "TagA"), 0);
    assert_eq!(count("SampleB", KeyKind::Key, "key-77"), 0);
    assert_eq!(count("SampleB", KeyKind::Tag, "batch"), 15);
    let committed = find(store, "SampleX", KeyKind::Key, "x-0", ALWAYS);
    assert_eq!(places(&committed), [82_842]);
    let half = find(store, "RMQ_SYS_TRANS_HALF_TOPIC", KeyKind::Key, "x-0", ALWAYS);
    assert_eq!(half.records.len(), 1);
    assert_eq!(half.last_timestamp, 1_795_419_134_651);
}

#[test]
fn apaches_index_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    let before = contents(&root.join("index"));
    let mut store = open_sample(&root);
    check_sample(&store);
    index_all(&mut store);
    check_sample(&store);
    store.close(WALL_MS).unwrap();
    assert!(contents(&root.join("index")) == before, "nothing was missing, so nothing changed");
}

#[test]
fn the_index_of_apaches_log_is_apaches_index() {
    let folder = tempfile::tempdir().unwrap();
    let root = unpack(folder.path());
    let theirs = contents(&root.join("index"));
    fs::remove_dir_all(root.join("index")).unwrap();
    let mut store = open_sample(&root);
    check_sample(&store);
    index_all(&mut store);
    check_sample(&store);
    store.close(WALL_MS).unwrap();
    let ours = contents(&root.join("index"));
    assert_eq!((ours.len(), theirs.len()), (3, 3));
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let first = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
        assert_eq!((first, ours.len()), (None, theirs.len()), "file {number}");
    }
}

/// Appends message `i` of a fixed sequence: several keys, one, or none; two topics; seconds apart.
fn put(store: &mut Store, i: usize) -> i64 {
    let properties = match i % 5 {
        0 => String::new(),
        1 => format!("UNIQ_KEY\u{1}u-{i}\u{2}"),
        2 => format!("KEYS\u{1}k-{} all  k-{i} all\u{2}TAGS\u{1}t\u{2}", i % 3),
        _ => format!("UNIQ_KEY\u{1}u-{i}\u{2}KEYS\u{1}all\u{2}TAGS\u{1}t-{}\u{2}", i % 2),
    };
    let topic = if i.is_multiple_of(4) { "Other" } else { "Topic" };
    let record = record(topic, 0, b"body", properties.as_bytes());
    store.append(&record, WALL_MS + i as i64 * 700).unwrap().physical_offset
}

/// The messages of that sequence among the first `count` that have a key.
fn expected(count: usize, topic: &str, has_key: impl Fn(usize) -> bool) -> Vec<usize> {
    let of_topic = |i: &usize| (i.is_multiple_of(4)) == (topic == "Other");
    (0..count).filter(of_topic).filter(|i| has_key(*i)).collect()
}

fn check_sequence(store: &Store, offsets: &[i64]) {
    let count = offsets.len();
    let at = |which: Vec<usize>| which.into_iter().map(|i| offsets[i]).collect::<Vec<_>>();
    for topic in ["Topic", "Other"] {
        let has_all = |i: usize| i % 5 >= 2;
        let all = find(store, topic, KeyKind::Key, "all", ALWAYS);
        assert_eq!(places(&all), at(expected(count, topic, has_all)), "{topic} of {count}");
        let tag = find(store, topic, KeyKind::Tag, "t", ALWAYS);
        assert_eq!(places(&tag), at(expected(count, topic, |i| i % 5 == 2)));
        for wanted in 0..count {
            let found = find(store, topic, KeyKind::Key, &format!("u-{wanted}"), ALWAYS);
            let has = |i: usize| i == wanted && !matches!(i % 5, 0 | 2);
            assert_eq!(places(&found), at(expected(count, topic, has)), "{topic} u-{wanted}");
        }
        let times = (WALL_MS + 10 * 700, WALL_MS + 20 * 700);
        let some = find(store, topic, KeyKind::Key, "all", times);
        assert_eq!(places(&some), at(expected(count, topic, |i| has_all(i) && (10..=20).contains(&i))));
    }
}

const COUNT: usize = 60;

/// A store with the sequence, indexed in one go and closed.
fn in_one_go() -> (MemFs, Vec<i64>) {
    let fs = MemFs::new();
    let mut store = open(&fs);
    let offsets = (0..COUNT).map(|i| put(&mut store, i)).collect();
    settle(&mut store).unwrap();
    flush(&mut store).unwrap();
    index_all(&mut store);
    store.close(WALL_MS).unwrap();
    (fs, offsets)
}

#[test]
fn what_the_index_does_not_know_yet_is_found_too() {
    let fs = MemFs::new();
    let mut store = open(&fs);
    let mut offsets = Vec::new();
    for i in 0..COUNT {
        offsets.push(put(&mut store, i));
        settle(&mut store).unwrap();
        if i % 7 == 0 {
            flush(&mut store).unwrap();
            index_all(&mut store);
        }
        check_sequence(&store, &offsets);
    }
    assert!(contents_of(&fs).len() > 3, "the sequence takes several files");
}

#[test]
fn steps_restarts_and_kills_give_the_same_bytes() {
    let (whole, _) = in_one_go();
    let fs = MemFs::new();
    let mut store = open(&fs);
    for i in 0..COUNT {
        put(&mut store, i);
        settle(&mut store).unwrap();
        flush(&mut store).unwrap();
        index_all(&mut store);
        if i % 11 == 3 {
            store.close(WALL_MS).unwrap();
        }
        if i % 11 == 3 || i % 13 == 5 {
            drop(store);
            store = open(&fs);
        }
    }
    store.close(WALL_MS).unwrap();
    assert!(contents_of(&fs) == contents_of(&whole));
}

#[test]
fn the_disk_may_fail_at_any_call() {
    for fault in
        [Fault::Write, Fault::ShortWrite, Fault::LateWrite, Fault::SetLen, Fault::Sync, Fault::SyncDir]
    {
        let tried = (1..1000).take_while(|nth| fails_once(fault, *nth)).count();
        let least = if matches!(fault, Fault::Sync | Fault::SyncDir) { 1 } else { 5 };
        assert!(tried >= least, "{fault:?}: {tried}");
    }
}

/// Indexes the sequence while one call fails; whether one did.
fn fails_once(fault: Fault, nth: u64) -> bool {
    let (whole, offsets) = in_one_go();
    let disk = MemFs::new();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    let mut store = open(&faults);
    let _offsets: Vec<i64> = (0..COUNT).map(|i| put(&mut store, i)).collect();
    settle(&mut store).unwrap();
    flush(&mut store).unwrap();
    faults.fail(fault, nth, std::io::ErrorKind::Other);
    let mut failed = false;
    for now in [WALL_MS, WALL_MS + 10_000, WALL_MS + 20_000] {
        let Some(plan) = store.plan_index(now) else { break };
        failed |= store.indexed(plan.run()).is_err();
        check_sequence(&store, &offsets);
    }
    faults.heal();
    store.close(WALL_MS).unwrap();
    assert!(contents_of(&disk) == contents_of(&whole), "{fault:?} {nth}");
    failed
}

#[test]
fn a_crash_takes_back_what_was_not_durable() {
    let fs = MemFs::new();
    let mut store = open(&fs);
    let mut offsets: Vec<i64> = (0..30).map(|i| put(&mut store, i)).collect();
    settle(&mut store).unwrap();
    flush(&mut store).unwrap();
    index_all(&mut store);
    let plan = store.plan_index(WALL_MS + 10_000).unwrap();
    let progress = store.indexed(plan.run()).unwrap();
    assert!(!progress.is_unsynced);
    let synced = fs.snapshot();
    offsets.extend((30..COUNT).map(|i| put(&mut store, i)));
    settle(&mut store).unwrap();
    flush(&mut store).unwrap();
    index_all(&mut store);
    let killed = fs.snapshot();
    for (fs, count) in [(synced, 30), (killed, COUNT)] {
        let mut store = open(&fs);
        check_sequence(&store, &offsets[..count]);
        index_all(&mut store);
        check_sequence(&store, &offsets[..count]);
    }
}

#[test]
fn an_index_that_ends_behind_the_log_is_made_again() {
    let (fs, offsets) = in_one_go();
    let log = fs
        .open(Path::new("/store/commitlog/00000000000000000000"), rocketmq_lite_core::store::Open::ReadWrite);
    log.unwrap().zero(offsets[20] as u64, 4096).unwrap();
    // As Apache would leave it: nothing says how much was durable. Without its queues, all of a log is read.
    fs.remove_file(Path::new("/store/lite.cbor")).unwrap();
    let checkpoint = fs.open(Path::new("/store/checkpoint"), rocketmq_lite_core::store::Open::ReadWrite);
    checkpoint.unwrap().write_all_at(&[0; 16], 0).unwrap();
    fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
    let (mut store, report) = Store::open(Arc::new(fs.clone()), settings(), WALL_MS).unwrap();
    assert!(report.index_files_removed > 0, "{report:?}");
    check_sequence(&store, &offsets[..20]);
    index_all(&mut store);
    check_sequence(&store, &offsets[..20]);
}

#[test]
fn unreadable_headers_are_no_index() {
    let (fs, offsets) = in_one_go();
    let dir = Path::new("/store/index");
    let files: BTreeMap<_, _> = fs.list(dir).unwrap().into_iter().map(|file| (file.name, file.len)).collect();
    let second = dir.join(files.keys().nth(1).unwrap());
    let file = fs.open(&second, rocketmq_lite_core::store::Open::ReadWrite).unwrap();
    file.write_all_at(&[0x7f; 40], 0).unwrap();
    let (mut store, report) = Store::open(Arc::new(fs.clone()), settings(), WALL_MS).unwrap();
    assert_eq!(report.index_files_removed as usize, files.len() - 1);
    index_all(&mut store);
    check_sequence(&store, &offsets);
}

#[test]
fn a_header_that_counts_more_slots_than_entries_is_no_index() {
    let (fs, offsets) = in_one_go();
    let dir = Path::new("/store/index");
    let last = fs.list(dir).unwrap().into_iter().map(|file| file.name).max().unwrap();
    let file = fs.open(&dir.join(last), rocketmq_lite_core::store::Open::ReadWrite).unwrap();
    file.write_all_at(&u32::MAX.to_be_bytes(), 32).unwrap();
    let (mut store, report) = Store::open(Arc::new(fs.clone()), settings(), WALL_MS).unwrap();
    assert_eq!(report.index_files_removed, 1);
    index_all(&mut store);
    check_sequence(&store, &offsets);
}
