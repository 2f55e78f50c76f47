//! A disk that fails: what is refused, what can be tried again, and what a restart finds.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::io::ErrorKind;
use std::sync::Arc;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::store::{Fault, FaultFs, FetchStatus, MemFs, ReadRequest, StoreError};
use support::{WALL_MS, append, bodies, fetch, flush, open, send, settle, try_open};

fn faulty() -> (MemFs, FaultFs) {
    let disk = MemFs::new();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    (disk, faults)
}

#[test]
fn a_run_that_fails_is_undone_and_leaves_nothing_behind() {
    for fault in [Fault::Write, Fault::ShortWrite, Fault::LateWrite] {
        for zero_fails_too in [false, true] {
            let (disk, fs) = faulty();
            let (mut store, _) = open(&fs);
            send(&mut store, "T", 0, b"before");
            let end = store.appended_end();
            for body in [b"lost-1", b"lost-2", b"lost-3"] {
                append(&mut store, "T", 0, body, "a").unwrap();
            }
            fs.fail(fault, 1, ErrorKind::Other);
            if zero_fails_too {
                fs.fail(Fault::Zero, 1, ErrorKind::Other);
            }
            assert!(matches!(store.write_run(), Err(StoreError::Io { op: "write", .. })));
            assert_eq!(store.appended_end(), end);
            assert_eq!(store.release(u64::MAX).unwrap(), []);

            // As long as the first of the lost ones: the second would come next, were it still there.
            let placed = append(&mut store, "T", 0, b"kept-1", "a").unwrap();
            assert_eq!((placed.queue_offset, placed.physical_offset as u64), (1, end));
            settle(&mut store).unwrap();
            drop(store);
            let (store, recovery) = open(&disk);
            assert_eq!(recovery.cut_bytes, 0, "{fault:?}");
            assert_eq!(bodies(&store, "T", 0), [b"before".to_vec(), b"kept-1".to_vec()], "{fault:?}");
        }
    }
}

#[test]
fn nothing_is_written_over_bytes_that_cannot_be_zeroed() {
    let (disk, fs) = faulty();
    let (mut store, _) = open(&fs);
    append(&mut store, "T", 0, b"lost", "a").unwrap();
    fs.fail(Fault::LateWrite, 1, ErrorKind::Other);
    fs.fail_from(Fault::Zero, 1, ErrorKind::Other);
    store.write_run().unwrap_err();
    append(&mut store, "T", 0, b"also lost", "a").unwrap();
    assert!(matches!(store.write_run(), Err(StoreError::Io { op: "zero", .. })));
    fs.heal();
    send(&mut store, "T", 0, b"kept");
    drop(store);
    assert_eq!(bodies(&open(&disk).0, "T", 0), [b"kept"]);
}

#[test]
fn a_full_disk_is_told_apart_and_can_be_waited_out() {
    let (_, fs) = faulty();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"before");
    append(&mut store, "T", 0, b"no room", "a").unwrap();
    fs.fail(Fault::ShortWrite, 1, ErrorKind::StorageFull);
    match store.write_run() {
        Err(StoreError::Full { path }) => {
            assert!(path.ends_with("commitlog/00000000000000000000"), "{path:?}");
        }
        other => panic!("{other:?}"),
    }
    send(&mut store, "T", 0, b"after");
    assert_eq!(bodies(&store, "T", 0), [b"before".to_vec(), b"after".to_vec()]);
}

#[test]
fn a_segment_that_cannot_be_made_is_tried_again() {
    for fault in [Fault::Create, Fault::SetLen] {
        let (disk, fs) = faulty();
        let (mut store, _) = open(&fs);
        for _ in 0..2 {
            send(&mut store, "T", 0, &[7; 1500]);
        }
        append(&mut store, "T", 0, &[8; 1500], "a").unwrap();
        fs.fail(fault, 1, ErrorKind::Other);
        store.write_run().unwrap_err();
        let placed = send(&mut store, "T", 0, &[9; 1500]);
        assert_eq!((placed.queue_offset, placed.physical_offset), (2, 4096), "{fault:?}");
        drop(store);
        let (store, recovery) = open(&disk);
        assert_eq!((recovery.cut_bytes, bodies(&store, "T", 0).len()), (0, 3));
    }
}

#[test]
fn messages_that_a_queue_cannot_take_become_visible_later() {
    let (disk, fs) = faulty();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"first");
    append(&mut store, "T", 0, b"second", "a").unwrap();
    append(&mut store, "Other", 0, b"third", "a").unwrap();
    let end = store.write_run().unwrap();
    fs.fail_from(Fault::Write, 1, ErrorKind::Other);
    assert!(matches!(store.release(end), Err(StoreError::Io { op: "write", .. })));
    assert_eq!(store.bounds("T", 0).max, 1, "in the log, but not to be seen");
    let refused = append(&mut store, "T", 0, b"fourth", "a");
    assert!(
        matches!(refused, Err(StoreError::Io { op: "write", .. })),
        "entries do not pile up: {refused:?}"
    );
    fs.heal();
    let placed = append(&mut store, "T", 0, b"fourth", "a").unwrap();
    assert_eq!(placed.queue_offset, 2);
    let arrivals = settle(&mut store).unwrap();
    let seen: Vec<_> = arrivals.iter().map(|arrival| (&*arrival.topic, arrival.max_offset)).collect();
    assert_eq!(seen, [("T", 2), ("Other", 1), ("T", 3)]);
    drop(store);
    assert_eq!(bodies(&open(&disk).0, "T", 0).len(), 3);
}

#[test]
fn a_failed_flush_is_final_for_writes_and_nothing_to_readers() {
    for fault in [Fault::Sync, Fault::SyncDir] {
        let (disk, fs) = faulty();
        let (mut store, _) = open(&fs);
        send(&mut store, "T", 0, b"first");
        fs.fail(fault, 1, ErrorKind::Other);
        let failed = flush(&mut store);
        assert!(matches!(failed, Err(StoreError::Io { op: "sync", .. })), "{failed:?}");
        assert_eq!(store.flushed_end(), 0);
        for _ in 0..2 {
            match append(&mut store, "T", 0, b"second", "a") {
                Err(StoreError::Poisoned { reason }) => assert!(reason.contains("sync"), "{reason}"),
                other => panic!("{other:?}"),
            }
            assert!(store.plan_flush(WALL_MS).is_none());
        }
        assert_eq!(bodies(&store, "T", 0), [b"first"]);
        assert!(matches!(store.close(WALL_MS), Err(StoreError::Poisoned { .. })));
        drop(store);
        let (mut store, recovery) = open(&disk);
        assert!(!recovery.clean);
        send(&mut store, "T", 0, b"second");
        assert_eq!(bodies(&store, "T", 0).len(), 2);
    }
}

#[test]
fn a_run_that_waits_when_the_store_is_poisoned_is_refused() {
    let (disk, fs) = faulty();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"first");
    append(&mut store, "T", 0, b"second", "a").unwrap();
    fs.fail(Fault::Sync, 1, ErrorKind::Other);
    flush(&mut store).unwrap_err();
    assert!(matches!(store.write_run(), Err(StoreError::Poisoned { .. })));
    drop(store);
    assert_eq!(bodies(&open(&disk).0, "T", 0), [b"first"]);
}

#[test]
fn a_read_that_fails_is_an_error_and_not_an_empty_queue() {
    let (_, fs) = faulty();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"first");
    let request = || ReadRequest::Fetch {
        topic: "T".to_owned(),
        queue_id: 0,
        offset: 0,
        max_messages: 32,
        max_bytes: 1000,
        filter: TagFilter::all().into(),
    };
    for nth in 1..=2 {
        fs.fail(Fault::Read, nth, ErrorKind::Other);
        let plan = store.plan_read(request());
        assert!(matches!(plan.run(), Err(StoreError::Io { op: "read", .. })));
    }
    assert_eq!(fetch(&store, "T", 0, 0, &TagFilter::all()).status, FetchStatus::Found);
}

/// A store that a crash left with all kinds of work for the next start: a torn tail, stale entries, and one queue lost.
fn wreck() -> MemFs {
    use rocketmq_lite_core::store::{FileSystem, Open};
    use std::path::Path;
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    for n in 0..60 {
        send(&mut store, ["A", "B", "C"][n % 3], 0, &vec![n as u8; n * 9]);
        if n == 30 {
            flush(&mut store).unwrap();
        }
    }
    let last = append(&mut store, "A", 0, b"torn", "a").unwrap();
    settle(&mut store).unwrap();
    drop(store);
    fs.remove_dir_all(Path::new("/store/consumequeue/B")).unwrap();
    let base = last.physical_offset as u64 / 4096 * 4096;
    let file = fs.open(Path::new(&format!("/store/commitlog/{base:020}")), Open::ReadWrite).unwrap();
    file.write_all_at(&[0xff; 2], last.physical_offset as u64 - base + 90).unwrap();
    fs
}

#[test]
fn a_start_that_fails_anywhere_is_made_good_by_the_next() {
    let counted = FaultFs::new(Arc::new(wreck().snapshot()));
    let (store, recovery) = open(&counted);
    assert!(recovery.cut_bytes > 0 && recovery.records == 60, "{recovery:?}");
    let expected: Vec<_> = ["A", "B", "C"].map(|topic| bodies(&store, topic, 0)).into();
    assert!(expected.iter().all(|bodies| bodies.len() == 20));
    drop(store);
    let faults = [
        Fault::Create,
        Fault::Open,
        Fault::Write,
        Fault::ShortWrite,
        Fault::SetLen,
        Fault::Zero,
        Fault::Sync,
        Fault::SyncDir,
        Fault::Remove,
        Fault::Read,
    ];
    let wreck = wreck();
    for fault in faults {
        for nth in 1..=counted.calls(fault) {
            let disk = wreck.snapshot();
            let fs = FaultFs::new(Arc::new(disk.clone()));
            fs.fail(fault, nth, ErrorKind::Other);
            let failed = try_open(&fs);
            // Reads of the lists that the expectation needed come after the start.
            assert!(failed.is_err() || fault == Fault::Read, "{fault:?} {nth}");
            drop(failed);
            let (store, recovery) = open(&disk);
            assert!(!recovery.clean);
            for (topic, expected) in ["A", "B", "C"].iter().zip(&expected) {
                assert_eq!(&bodies(&store, topic, 0), expected, "{topic} after {fault:?} {nth}");
            }
        }
    }
}
