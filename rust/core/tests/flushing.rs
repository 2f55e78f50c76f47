//! What is durable when, and what the checkpoint says of it.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{Fault, FaultFs, FileSystem, FlushPlan, MemFs, Open, Store};
use support::{WALL_MS, append, flush, open, send, settle};

/// The checkpoint's fields that we keep: times of log and queues, and the last record with its entry.
fn checkpoint(fs: &dyn FileSystem) -> [i64; 3] {
    let mut bytes = [0; 48];
    fs.open(Path::new("/store/checkpoint"), Open::Read).unwrap().read_at(&mut bytes, 0).unwrap();
    let (fields, _) = bytes.as_chunks::<8>();
    [0, 1, 5].map(|at| i64::from_be_bytes(fields[at]))
}

fn plan_at(store: &mut Store, wall_ms: i64) -> FlushPlan {
    store.plan_flush(wall_ms).unwrap()
}

#[test]
fn there_is_a_plan_while_something_is_not_durable_and_no_other_is_out() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    assert!(store.plan_flush(WALL_MS).is_none());
    append(&mut store, "T", 0, b"in the run", "a").unwrap();
    assert!(store.plan_flush(WALL_MS).is_none(), "not written yet");
    settle(&mut store).unwrap();
    let first = plan_at(&mut store, WALL_MS);
    let end = store.appended_end();
    assert_eq!((first.upto(), store.flushed_end()), (end, 0));
    send(&mut store, "T", 0, b"meanwhile");
    assert!(store.plan_flush(WALL_MS).is_none(), "one at a time");
    assert_eq!(store.flushed(first.run()).unwrap(), end);
    let second = plan_at(&mut store, WALL_MS);
    assert_eq!(store.flushed(second.run()).unwrap(), store.appended_end());
    assert!(store.plan_flush(WALL_MS).is_none());
}

#[test]
fn only_what_was_written_since_is_synced_and_directories_when_names_changed() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let (mut store, _) = open(&fs);
    let synced = |store: &mut Store| {
        let before = (fs.calls(Fault::Sync), fs.calls(Fault::SyncDir));
        flush(store).unwrap();
        (fs.calls(Fault::Sync) - before.0, fs.calls(Fault::SyncDir) - before.1)
    };
    send(&mut store, "T", 0, &[1; 1000]);
    assert_eq!(synced(&mut store), (1, 2), "the first segment, its name, and its directory's");
    send(&mut store, "T", 0, &[1; 1000]);
    assert_eq!(synced(&mut store), (1, 0));
    for _ in 0..6 {
        send(&mut store, "T", 0, &[1; 1000]);
    }
    assert_eq!(synced(&mut store), (3, 2), "the log has reached its third segment");
}

#[test]
fn the_checkpoint_follows_the_log_at_once_and_the_queues_by_rounds() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let mut last = 0;
    for queue in 0..40 {
        last = append(&mut store, "T", queue, b"body", "a").unwrap().physical_offset;
    }
    settle(&mut store).unwrap();
    let plan = plan_at(&mut store, WALL_MS + 2_000);
    assert_eq!(checkpoint(&fs), [0; 3]);
    store.flushed(plan.run()).unwrap();
    assert_eq!(checkpoint(&fs), [WALL_MS, 0, 0]);
    assert!(!store.is_flushing_queues());

    // The round takes 40 queues in three plans, and says nothing before the third has run.
    send(&mut store, "T", 0, b"begins the round");
    for _ in 0..2 {
        let plan = plan_at(&mut store, WALL_MS + 20_000);
        store.flushed(plan.run()).unwrap();
        assert!(store.is_flushing_queues());
        assert_eq!(checkpoint(&fs)[1..], [0, 0]);
    }
    let later = send(&mut store, "T", 0, b"comes too late for this round").physical_offset;
    let plan = plan_at(&mut store, WALL_MS + 20_000);
    assert!(!store.is_flushing_queues());
    assert_eq!(checkpoint(&fs)[1..], [0, 0], "not before it has run");
    store.flushed(plan.run()).unwrap();
    let [_, time, position] = checkpoint(&fs);
    assert!(time == WALL_MS && position > last && position < later, "{position}");
}

#[test]
fn a_failed_round_does_not_move_the_checkpoint() {
    let disk = MemFs::new();
    let fs = FaultFs::new(Arc::new(disk.clone()));
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"body");
    flush(&mut store).unwrap();
    send(&mut store, "T", 0, b"body");
    let plan = plan_at(&mut store, WALL_MS + 20_000);
    // The log first, then the queue.
    fs.fail(Fault::Sync, 2, std::io::ErrorKind::Other);
    let result = plan.run();
    assert!(!result.is_ok());
    store.flushed(result).unwrap_err();
    assert_eq!(checkpoint(&disk)[1..], [0, 0]);
}

#[test]
fn a_topic_removed_while_its_queues_are_flushed_is_no_failure() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"body");
    let plan = plan_at(&mut store, WALL_MS + 20_000);
    store.remove_topic("T").unwrap();
    store.flushed(plan.run()).unwrap();
    send(&mut store, "T", 0, b"anew");
    store.close(WALL_MS).unwrap();
    assert!(open_again(store, &fs).1);
}

#[test]
fn a_clock_that_goes_back_does_not_stop_the_rounds() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"body");
    let last = send(&mut store, "T", 0, b"body").physical_offset;
    let plan = plan_at(&mut store, WALL_MS - 3_600_000);
    store.flushed(plan.run()).unwrap();
    assert_eq!(checkpoint(&fs)[2], last);
}

#[test]
fn closing_syncs_what_a_plan_that_is_still_out_has_taken() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let (mut store, _) = open(&fs);
    for queue in 0..5 {
        send(&mut store, "T", queue, b"body");
    }
    let out = plan_at(&mut store, WALL_MS + 20_000);
    let before = fs.calls(Fault::Sync);
    store.close(WALL_MS).unwrap();
    // The log, five queues, the checkpoint; the log perhaps once for each plan.
    assert!(fs.calls(Fault::Sync) - before >= 7);
    drop(out);
    assert!(open_again(store, &fs).1);
}

#[test]
fn what_a_crash_left_is_durable_before_the_store_is_open() {
    let disk = MemFs::new();
    let (mut store, _) = open(&disk);
    send(&mut store, "T", 0, b"body");
    drop(store);
    let fs = FaultFs::new(Arc::new(disk));
    let (store, _) = open(&fs);
    assert!(fs.calls(Fault::Sync) > 0);
    assert_eq!(store.flushed_end(), store.appended_end());
}

/// Whether it had been left in order.
fn open_again(store: Store, fs: &(impl FileSystem + Clone + 'static)) -> (Store, bool) {
    drop(store);
    let (store, recovery) = open(fs);
    (store, recovery.clean)
}
