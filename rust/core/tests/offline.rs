//! What the offline tools say of a store is true, and they change nothing.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use rocketmq_lite_core::store::{
    DiskFs, FileSystem, FindingKind, MemFs, OfflineStore, Open, Outside, Report, Store, StoreError, Verify,
};
use support::{ROOT, WALL_MS, flush, open, send};

const LOG: &str = "/store/commitlog/00000000000000000000";
const QUEUE: &str = "/store/consumequeue/T/0/00000000000000000000";

fn verify(fs: &dyn FileSystem, root: &Path) -> Report {
    let mut check = Verify::new(OfflineStore::open(fs, root, &Outside::default()).unwrap());
    while check.step(1000).unwrap() {}
    check.report().clone()
}

fn counts(report: &Report) -> Vec<(FindingKind, u64)> {
    let mut counts = report.counts.clone();
    counts.sort_unstable();
    counts
}

/// Twelve messages in two queues, durable; where they begin.
fn filled(clean: bool) -> (MemFs, Vec<u64>) {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let places = (0..12).map(|i| send(&mut store, "T", i % 2, &[b'x'; 20]).physical_offset as u64).collect();
    flush(&mut store).unwrap();
    if clean {
        store.close(WALL_MS).unwrap();
    }
    drop(store);
    (fs, places)
}

fn write(fs: &MemFs, path: &str, at: u64, bytes: &[u8]) {
    fs.open(Path::new(path), Open::ReadWrite).unwrap().write_all_at(bytes, at).unwrap();
}

#[test]
fn apaches_sample_is_sound_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sample-store.tar.gz");
    tar::Archive::new(GzDecoder::new(fs::File::open(archive).unwrap())).unpack(folder.path()).unwrap();
    let root = folder.path().join("sample-store");
    let report = verify(&DiskFs, &root);
    assert_eq!((report.records, report.end, report.unreadable), (254, 94_066, 0));
    assert_eq!((report.entries, counts(&report), report.is_sound()), (254, vec![], true));
    let store = OfflineStore::open(&DiskFs, &root, &Outside::default()).unwrap();
    let found = store.inspect();
    assert_eq!((found.clean, found.segments, found.segment_size, found.durable), (true, 2, 65_536, None));
    assert_eq!((found.queues.len(), found.index_files.len()), (15, 3));
    let first = found.queues.iter().find(|queue| &*queue.topic == "SampleA").unwrap();
    assert_eq!((first.queue_id, first.min, first.max), (0, 0, 50));
    let (records, next) = store.records(0, 1).unwrap();
    assert_eq!((records.len(), records[0].len(), next), (1, 276, Some(276)));
    let (records, next) = store.records(276, usize::MAX).unwrap();
    assert_eq!((records.len(), next), (253, None));
}

#[test]
fn a_store_in_use_is_left_alone() {
    let fs = MemFs::new();
    let (_store, _): (Store, _) = open(&fs);
    assert!(matches!(OfflineStore::open(&fs, ROOT, &Outside::default()), Err(StoreError::Locked { .. })));
    assert!(
        OfflineStore::open(&MemFs::new(), ROOT, &Outside::default())
            .is_ok_and(|empty| empty.inspect().segments == 0)
    );
}

#[test]
fn each_kind_of_fault_is_found_where_it_is() {
    let (fs, places) = filled(true);
    assert!(verify(&fs, Path::new(ROOT)).is_sound());
    write(&fs, LOG, places[3] + 90, b"?");
    write(&fs, QUEUE, 2 * 20 + 8, &[0, 0, 0, 9]);
    write(&fs, QUEUE, 3 * 20, &[0; 20]);
    write(&fs, QUEUE, 6 * 20, &[0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 120, 0, 0, 0, 0, 0, 0, 0, 0]);
    let report = verify(&fs, Path::new(ROOT));
    let kinds = [
        (FindingKind::DamagedRecord, 1),
        (FindingKind::QueueGap, 1),
        (FindingKind::WrongEntry, 1),
        (FindingKind::MissingEntry, 1),
        (FindingKind::DanglingEntry, 1),
    ];
    assert_eq!((report.records, counts(&report), report.is_sound()), (11, kinds.to_vec(), false));
    let damaged = report.findings.iter().find(|found| found.kind == FindingKind::DamagedRecord).unwrap();
    assert_eq!((damaged.offset, &*damaged.what), (places[3], "the checksum of the body"));
    assert_eq!(damaged.path, Path::new(LOG));
    let wrong = report.findings.iter().find(|found| found.kind == FindingKind::WrongEntry).unwrap();
    assert_eq!((wrong.offset, wrong.found), (places[4], 9));
}

#[test]
fn a_torn_tail_is_no_damage() {
    let (fs, places) = filled(false);
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"torn");
    let at = store.appended_end();
    send(&mut store, "T", 0, b"torn");
    drop(store);
    write(&fs, LOG, at + 90, b"?");
    let report = verify(&fs, Path::new(ROOT));
    assert_eq!((counts(&report), report.is_sound()), (vec![(FindingKind::TornTail, 1)], true));
    assert_eq!((report.records, report.end), (places.len() as u64 + 1, at));
    let (_, recovery) = Store::open(Arc::new(fs.clone()), support::settings(ROOT), WALL_MS).unwrap();
    assert_eq!(recovery.end, at);
    let report = verify(&fs, Path::new(ROOT));
    assert_eq!((counts(&report), report.is_sound()), (vec![], true));
}
