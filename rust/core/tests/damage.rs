//! Where the log was durable, a bad record is damage: the store says where, and changes nothing. Elsewhere it is a torn
//! tail: it is cut, and what was cut is kept.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use rocketmq_lite_core::store::{
    DiskFs, FileSystem, FindingKind, IndexShape, MemFs, OfflineStore, Open, Outside, Recovery, Repair, Store,
    StoreError, StoreSettings, Verify,
};
use support::{WALL_MS, bodies, flush, open, send, try_open};

const LOG: &str = "/store/commitlog/00000000000000000000";

fn write(fs: &MemFs, path: &str, at: u64, bytes: &[u8]) {
    fs.open(Path::new(path), Open::ReadWrite).unwrap().write_all_at(bytes, at).unwrap();
}

fn read(fs: &dyn FileSystem, path: &Path, at: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let count = fs.open(path, Open::Read).unwrap().read_at(&mut bytes, at).unwrap();
    bytes.truncate(count);
    bytes
}

/// Three messages that are durable, two that are not, and a process that died.
fn crashed() -> (MemFs, Vec<u64>) {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let mut places = Vec::new();
    for body in ["one", "two", "three"] {
        places.push(send(&mut store, "T", 0, body.as_bytes()).physical_offset as u64);
    }
    flush(&mut store).unwrap();
    for body in ["four", "five"] {
        places.push(send(&mut store, "T", 0, body.as_bytes()).physical_offset as u64);
    }
    (fs.snapshot(), places)
}

fn damaged(result: Result<(Store, Recovery), StoreError>) -> (String, u64) {
    match result {
        Err(StoreError::Damaged { path, offset, .. }) => (path.to_str().unwrap().to_owned(), offset),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_flipped_bit_below_the_durable_offset_is_refused_where_it_is() {
    let (fs, places) = crashed();
    // Size, magic, checksum, physical offset, length of the body, body.
    for at in (0..12).chain(28..36).chain(84..91) {
        for (number, place) in places.iter().enumerate().take(3) {
            let fs = fs.snapshot();
            let byte = read(&fs, Path::new(LOG), place + at, 1)[0];
            write(&fs, LOG, place + at, &[byte ^ 0x04]);
            assert_eq!(damaged(try_open(&fs)), (LOG.to_owned(), *place), "byte {at} of {number}");
            assert_eq!(damaged(try_open(&fs)), (LOG.to_owned(), *place), "again");
            write(&fs, LOG, place + at, &[byte]);
            let (store, recovery) = try_open(&fs).unwrap();
            assert_eq!((recovery.cut_bytes, bodies(&store, "T", 0).len()), (0, 5));
        }
    }
}

#[test]
fn a_durable_log_that_ends_early_is_refused() {
    let (fs, places) = crashed();
    fs.open(Path::new(LOG), Open::ReadWrite).unwrap().zero(places[2], 4096).unwrap();
    assert_eq!(damaged(try_open(&fs)), (LOG.to_owned(), places[2]));
    fs.remove_file(Path::new(LOG)).unwrap();
    assert_eq!(damaged(try_open(&fs)), ("/store/commitlog".to_owned(), 0));
}

#[test]
fn what_is_cut_is_kept() {
    let (fs, places) = crashed();
    let tail = read(&fs, Path::new(LOG), places[3] + 10, 60);
    write(&fs, LOG, places[3] + 8, &[0xff; 2]);
    let (store, recovery) = try_open(&fs).unwrap();
    assert_eq!((recovery.end, bodies(&store, "T", 0).len()), (places[3], 3));
    let kept = recovery.cut_to.unwrap();
    assert_eq!(kept, Path::new("/store/lite-cut").join(format!("{:020}-0", places[3])));
    let kept = read(&fs, &kept, 0, 4096);
    assert_eq!(kept.len() as u64, recovery.cut_bytes);
    assert_eq!((&kept[8..10], &kept[10..70]), (&[0xff; 2][..], &*tail));
    drop(store);
    // A later cut at the same place does not replace it.
    write(&fs, LOG, places[3], b"more");
    let (_, recovery) = try_open(&fs).unwrap();
    assert_eq!(recovery.cut_bytes, 4);
    assert!(recovery.cut_to.unwrap().to_str().unwrap().ends_with("-1"));
}

#[test]
fn a_lost_or_torn_mark_leaves_the_times_to_go_by() {
    for torn in [true, false] {
        let (fs, places) = crashed();
        if torn {
            write(&fs, "/store/lite.cbor", 3, &[0; 40]);
        } else {
            fs.remove_file(Path::new("/store/lite.cbor")).unwrap();
        }
        write(&fs, LOG, places[1], &[0; 4]);
        // All messages are of one millisecond, and not all of that need to have been durable.
        write(&fs, "/store/checkpoint", 0, &WALL_MS.to_be_bytes());
        let (store, _) = try_open(&fs.snapshot()).unwrap();
        assert_eq!(bodies(&store, "T", 0).len(), 1);
        write(&fs, "/store/checkpoint", 0, &(WALL_MS + 1).to_be_bytes());
        assert_eq!(damaged(try_open(&fs)), (LOG.to_owned(), places[1]));
    }
}

#[test]
fn damage_in_apaches_directory_is_told_from_its_tail_by_time() {
    // Its checkpoint knows of times up to …124885, and the record at 85,638 is from then.
    for (at, is_damage) in [(276, true), (75_865, true), (93_500, false)] {
        let folder = tempfile::tempdir().unwrap();
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sample-store.tar.gz");
        tar::Archive::new(GzDecoder::new(fs::File::open(archive).unwrap())).unpack(folder.path()).unwrap();
        let root = folder.path().join("sample-store");
        fs::write(root.join("abort"), "1").unwrap();
        fs::remove_dir_all(root.join("consumequeue")).unwrap();
        let segment = root.join("commitlog").join(format!("{:020}", at / 65_536 * 65_536));
        let mut bytes = fs::read(&segment).unwrap();
        let end = bytes.len().min(at % 65_536 + 600);
        bytes[at % 65_536 + 4..end].fill(0xaa);
        fs::write(&segment, bytes).unwrap();
        let settings = StoreSettings {
            segment_size: 65_536,
            consume_queue_entries: 30,
            index: IndexShape { slots: 100, entries: 400 },
            ..StoreSettings::new(&root)
        };
        let opened = Store::open(Arc::new(DiskFs), settings, WALL_MS);
        if is_damage {
            assert_eq!(damaged(opened), (segment.to_str().unwrap().to_owned(), at as u64));
        } else {
            let recovery = opened.unwrap().1;
            assert!(recovery.end < 94_066 && recovery.cut_bytes > 0, "{recovery:?}");
        }
    }
}

/// What `rmq store verify` finds, and what a start does: the log's end, or the file that it refuses.
fn verified_and_opened(fs: &MemFs) -> (Vec<FindingKind>, Result<u64, String>) {
    let mut check = Verify::new(OfflineStore::open(fs, "/store", &Outside::default()).unwrap());
    while check.step(u64::MAX).unwrap() {}
    let opened = match try_open(&fs.snapshot()) {
        Ok((_, recovery)) => Ok(recovery.end),
        refused => Err(damaged(refused).0),
    };
    (check.report().findings.iter().map(|finding| finding.kind).collect(), opened)
}

#[test]
fn a_check_says_of_a_gap_what_a_start_does() {
    let segment = |number: u64| format!("/store/commitlog/{:020}", number * 4096);
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let fill = |store: &mut Store| (0..12).map(|n| send(store, "T", 0, &[n; 900]).end).max();
    fill(&mut store);
    flush(&mut store).unwrap();
    fill(&mut store);
    drop(store);
    let damaged = |number| (vec![FindingKind::DamagedRecord], Err(segment(number)));
    let torn = (vec![FindingKind::TornTail], Ok(4 * 4096));
    for is_short in [false, true] {
        let fs = fs.snapshot();
        if is_short {
            fs.open(Path::new(&segment(4)), Open::ReadWrite).unwrap().set_len(0).unwrap();
        } else {
            fs.remove_file(Path::new(&segment(4))).unwrap();
        }
        assert_eq!(verified_and_opened(&fs), torn, "behind the durable end");
        fs.remove_file(Path::new("/store/lite.cbor")).unwrap();
        assert_eq!(verified_and_opened(&fs), damaged(5), "Apache's");
        let mut repair =
            Repair::new(Arc::new(fs.clone()), Path::new("/store"), &Outside::default(), false).unwrap();
        while repair.step(1000).unwrap() {}
        let plan = repair.plan().unwrap();
        let cut = plan.cut.unwrap();
        assert_eq!((cut.at, cut.records_before, cut.records_behind), (4 * 4096, 16, 4));
        assert!(cut.bytes > 3600, "{cut:?}");
        repair.apply(&plan, 0, WALL_MS).unwrap();
        assert_eq!(bodies(&open(&fs).0, "T", 0).len(), 16);
    }
    fs.remove_file(Path::new(&segment(1))).unwrap();
    assert_eq!(verified_and_opened(&fs), damaged(2), "it was durable");
}
