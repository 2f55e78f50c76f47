//! The log's files, byte for byte: where a segment ends, what a run writes, what a reader is given across files.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{
    DiskFs, Fault, FaultFs, FileSystem, MemFs, Open, Store, StoreError, StoreSettings,
};
use support::{ROOT, WALL_MS, append, bodies, open, send, settings, settle};

/// What a record is larger than its body, as [`append`] makes it for topic `T`.
const OVERHEAD: usize = 91 + 1 + "TAGS\u{1}a\u{2}".len();

fn bytes_of(fs: &dyn FileSystem, base: u64, from: u64, len: usize) -> Vec<u8> {
    let path = Path::new(ROOT).join(format!("commitlog/{base:020}"));
    let mut bytes = vec![0; len];
    fs.open(&path, Open::Read).unwrap().read_at(&mut bytes, from).unwrap();
    bytes
}

#[test]
fn a_record_fits_if_a_blank_still_fits_behind_it() {
    for (room, next) in [(8, 4096), (9, 4096), (7, 0), (0, 0)] {
        let fs = MemFs::new();
        let (mut store, _) = open(&fs);
        let first = 1000;
        append(&mut store, "T", 0, &vec![1; first - OVERHEAD], "a").unwrap();
        let second = 4096 - first - room;
        let placed = append(&mut store, "T", 0, &vec![2; second - OVERHEAD], "a").unwrap();
        settle(&mut store).unwrap();
        let goes_on = room < 8;
        assert_eq!(placed.physical_offset, if goes_on { 4096 } else { first as i64 }, "{room}");
        if goes_on {
            let blank = [&((4096 - first) as u32).to_be_bytes()[..], &[0xcb, 0xd4, 0x31, 0x94]].concat();
            assert_eq!(bytes_of(&fs, 0, first as u64, 8), blank);
            assert_eq!(bytes_of(&fs, 0, first as u64 + 8, 4096 - first - 8), vec![0; 4096 - first - 8]);
        } else {
            let third = send(&mut store, "T", 0, b"third");
            assert_eq!(third.physical_offset, next);
        }
    }
}

#[test]
fn the_largest_record_fills_a_segment_and_one_byte_more_is_refused() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let largest = 4096 - 8 - OVERHEAD;
    for n in 0..3_i64 {
        let placed = append(&mut store, "T", 0, &vec![n as u8; largest], "a").unwrap();
        assert_eq!((placed.physical_offset, placed.size), (n * 4096, 4088));
        append(&mut store, "T", 0, &vec![0; largest + 1], "a").unwrap_err();
    }
    settle(&mut store).unwrap();
    drop(store);
    let (store, recovery) = open(&fs);
    assert_eq!((recovery.records, recovery.cut_bytes), (3, 0));
    assert_eq!(bodies(&store, "T", 0).len(), 3);
}

#[test]
fn a_run_takes_one_write_a_segment_and_its_entries_one_a_queue() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let (mut store, _) = open(&fs);
    let large = StoreSettings { consume_queue_entries: 100, ..settings("/large") };
    let (mut wide, _) = Store::open(Arc::new(fs.clone()), large, WALL_MS).unwrap();
    for store in [&mut store, &mut wide] {
        for n in 0..40 {
            append(store, "T", n % 2, &[7; 200], "a").unwrap();
        }
    }
    let writes = |store: &mut Store| {
        let before = fs.calls(Fault::Write);
        let end = store.write_run().unwrap();
        let log = fs.calls(Fault::Write) - before;
        store.release(end).unwrap();
        (log, fs.calls(Fault::Write) - before - log)
    };
    // 40 records of 299 bytes are 13 to a segment; 20 entries are three files of eight, or one of a hundred.
    assert_eq!(writes(&mut store), (4, 6));
    assert_eq!(writes(&mut wide), (4, 2));
    assert_eq!(bodies(&store, "T", 1).len(), 20);
}

#[test]
fn records_appended_together_are_all_there_or_none() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let fitting = [0_u8; 3_000];
    let records = |last: &'static [u8]| {
        [&b"small"[..], &fitting, &fitting, last].map(|body| support::record("T", 0, body, b""))
    };
    // By then the run has come to its third segment.
    let error = store.append_all(records(&[0; 4_096]), WALL_MS).unwrap_err();
    assert!(matches!(error, StoreError::RecordTooLarge { .. }), "{error}");
    settle(&mut store).unwrap();
    assert_eq!(store.appended_end(), 0);
    let placed = store.append_all(records(b"last"), WALL_MS).unwrap();
    settle(&mut store).unwrap();
    let offsets: Vec<_> = placed.iter().map(|placed| placed.queue_offset).collect();
    assert_eq!((offsets, placed[0].physical_offset), (vec![0, 1, 2, 3], 0));
    assert_eq!((placed[1].physical_offset, placed[2].physical_offset), (97, 4_096));
    assert_eq!(placed.last().map(|placed| placed.end), Some(store.appended_end()));
    assert_eq!(support::bodies(&store, "T", 0).len(), 4);
}

#[test]
fn files_have_their_full_length_from_the_start_and_take_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let settings = StoreSettings { segment_size: 1 << 30, ..StoreSettings::new(folder.path()) };
    let (mut store, _) = Store::open(Arc::new(DiskFs), settings, WALL_MS).unwrap();
    send(&mut store, "T", 0, b"small");
    for (path, len) in [
        ("commitlog/00000000000000000000", 1 << 30),
        ("consumequeue/T/0/00000000000000000000", 6_000_000),
        ("checkpoint", 4096),
    ] {
        let metadata = std::fs::metadata(folder.path().join(path)).unwrap();
        assert_eq!(metadata.len(), len, "{path}");
        let taken = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
        assert!(taken <= 65_536, "{path} takes {taken} bytes");
    }
}

#[test]
fn the_worked_example_of_the_format() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let record = rocketmq_lite_core::record::NewRecord {
        properties: b"UNIQ_KEY\x01AC110001\x02TAGS\x01TagA\x02KEYS\x01k1\x02",
        ..support::record("TopicTest", 1, b"hello", b"")
    };
    for _ in 0..2 {
        let placed = store.append(&record, WALL_MS).unwrap();
        assert_eq!(placed.size, 141);
    }
    settle(&mut store).unwrap();
    let head = bytes_of(&fs, 0, 141, 36);
    let expected = [
        0, 0, 0, 0x8d, 0xda, 0xa3, 0x20, 0xa7, 0x36, 0x10, 0xa6, 0x86, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 141,
    ];
    assert_eq!(head, expected);
    let mut entry = [0; 20];
    let queue = Path::new("/store/consumequeue/TopicTest/1/00000000000000000000");
    fs.open(queue, Open::Read).unwrap().read_at(&mut entry, 20).unwrap();
    assert_eq!(entry, [0, 0, 0, 0, 0, 0, 0, 141, 0, 0, 0, 0x8d, 0, 0, 0, 0, 0, 0x27, 0xa8, 0x07]);
}
