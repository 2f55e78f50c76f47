//! Under synchronous flush the log writes zeros ahead of small runs: nobody may notice, whether it works or not.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::io::ErrorKind;
use std::sync::Arc;

use rocketmq_lite_core::store::{Fault, FaultFs, FileSystem, FlushMode, MemFs, Store, StoreSettings};
use support::{ROOT, WALL_MS, bodies, flush, send, settings};

const SEGMENT: u64 = 1024 * 1024;

fn open(fs: &(impl FileSystem + Clone + 'static), mode: FlushMode) -> Store {
    let settings = StoreSettings { segment_size: SEGMENT, flush: mode, ..settings(ROOT) };
    let (store, recovery) = Store::open(Arc::new(fs.clone()), settings, WALL_MS).unwrap();
    assert_eq!(recovery.cut_bytes, 0, "zeros are no tail");
    store
}

/// Stores so many messages of 1,000 bytes, each with a run and a flush of its own; the writes to the log.
fn send_each(fs: &FaultFs, store: &mut Store, count: u64) -> u64 {
    let before = fs.calls_in("commitlog", Fault::Write);
    for _ in 0..count {
        send(store, "T", 0, &[7; 1000]);
        flush(store).unwrap();
    }
    fs.calls_in("commitlog", Fault::Write) - before
}

#[test]
fn one_write_of_zeros_serves_many_small_runs() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let mut store = open(&fs, FlushMode::Sync);
    assert_eq!(send_each(&fs, &mut store, 200), 201);
    assert_eq!(send_each(&fs, &mut store, 100), 101);
    // Into the next segments: their first runs begin anew.
    let more = send_each(&fs, &mut store, 3000) - 3000;
    assert!((10..20).contains(&more), "{more} writes of zeros");
    store.close(WALL_MS).unwrap();
    drop(store);
    assert_eq!(bodies(&open(&fs, FlushMode::Sync), "T", 0).len(), 3300);
}

#[test]
fn large_runs_and_asynchronous_flushes_have_none() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let mut store = open(&fs, FlushMode::Async { interval_ms: 500 });
    assert_eq!(send_each(&fs, &mut store, 30), 30);
    store.close(WALL_MS).unwrap();
    drop(store);
    let mut store = open(&fs, FlushMode::Sync);
    let before = fs.calls_in("commitlog", Fault::Write);
    for _ in 0..10 {
        send(&mut store, "T", 0, &vec![7; 20_000]);
    }
    assert_eq!(fs.calls_in("commitlog", Fault::Write) - before, 10);
}

#[test]
fn a_crash_finds_the_end_before_the_zeros() {
    let fs = MemFs::new();
    let mut store = open(&fs, FlushMode::Sync);
    let ends: Vec<u64> = (0..3).map(|_| send(&mut store, "T", 0, b"body").end).collect();
    flush(&mut store).unwrap();
    drop(store);
    let mut store = open(&fs, FlushMode::Sync);
    assert_eq!((store.appended_end(), bodies(&store, "T", 0).len()), (ends[2], 3));
    assert_eq!(send(&mut store, "T", 0, b"next").physical_offset as u64, ends[2]);
}

#[test]
fn zeros_that_cannot_be_written_are_done_without() {
    for fault in [Fault::Write, Fault::ShortWrite, Fault::LateWrite] {
        let fs = FaultFs::new(Arc::new(MemFs::new()));
        let mut store = open(&fs, FlushMode::Sync);
        // The first write is the run's, the second that of the zeros.
        fs.fail_in("commitlog", fault, 2, ErrorKind::StorageFull);
        assert_eq!(send_each(&fs, &mut store, 20), 21, "and not once more");
        assert_eq!(bodies(&store, "T", 0), vec![vec![7; 1000]; 20], "{fault:?}");
    }
}
