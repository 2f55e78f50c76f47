//! What was written is there after a reopening, whether the store was closed or its process died.

mod support;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::store::{DiskFs, FetchStatus, MemFs, StoreError};
use support::{ROOT, append, bodies, fetch, flush, open, send, settings, try_open};

use std::path::Path;
use std::sync::Arc;

fn fill(store: &mut rocketmq_lite_core::store::Store, from: usize, count: usize) -> Vec<Vec<u8>> {
    (from..from + count)
        .map(|i| {
            let body = vec![b'a' + (i % 26) as u8; i % 700];
            send(store, "T", (i % 3) as i32, &body);
            body
        })
        .collect()
}

fn of_queue(all: &[Vec<u8>], queue: usize) -> Vec<Vec<u8>> {
    all.iter().skip(queue).step_by(3).cloned().collect()
}

#[test]
fn closed_in_order() {
    let fs = MemFs::new();
    let (mut store, first) = open(&fs);
    assert!(first.clean && first.records == 0);
    let all = fill(&mut store, 0, 100);
    store.close(support::WALL_MS).unwrap();
    assert!(matches!(append(&mut store, "T", 0, b"x", "a"), Err(StoreError::Closed)));
    drop(store);
    assert!(!rocketmq_lite_core::store::FileSystem::exists(&fs, Path::new("/store/abort")).unwrap());
    let (mut store, recovery) = open(&fs);
    assert!(recovery.clean && recovery.cut_bytes == 0 && recovery.redispatched == 0, "{recovery:?}");
    for queue in 0..3 {
        assert_eq!(bodies(&store, "T", queue as i32), of_queue(&all, queue));
    }
    let placed = send(&mut store, "T", 0, b"next");
    assert_eq!(placed.queue_offset, 34);
}

#[test]
fn died_at_any_time() {
    let fs = MemFs::new();
    let mut all = Vec::new();
    for life in 0..10 {
        let (mut store, recovery) = open(&fs);
        assert_eq!(recovery.clean, life == 0);
        assert_eq!(recovery.cut_bytes, 0);
        all.extend(fill(&mut store, all.len(), 30));
        if life % 2 == 0 {
            flush(&mut store).unwrap();
        }
    }
    let (store, _) = open(&fs);
    for queue in 0..3 {
        assert_eq!(bodies(&store, "T", queue as i32), of_queue(&all, queue));
    }
}

#[test]
fn queues_are_made_again_from_the_log() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let all = fill(&mut store, 0, 200);
    store.close(support::WALL_MS).unwrap();
    drop(store);
    let view: &dyn rocketmq_lite_core::store::FileSystem = &fs;
    view.remove_dir_all(&Path::new(ROOT).join("consumequeue")).unwrap();
    let (store, recovery) = open(&fs);
    assert_eq!(recovery.redispatched, 200);
    for queue in 0..3 {
        assert_eq!(bodies(&store, "T", queue as i32), of_queue(&all, queue));
    }
}

#[test]
fn one_owner_at_a_time() {
    let fs = MemFs::new();
    let (store, _) = open(&fs);
    match try_open(&fs) {
        Err(StoreError::Locked { path }) => assert_eq!(path, Path::new("/store/lock")),
        other => panic!("{other:?}"),
    }
    drop(store);
    open(&fs);
}

#[test]
fn on_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for _ in 0..3 {
        let opened = rocketmq_lite_core::store::Store::open(
            Arc::new(DiskFs),
            settings(folder.path()),
            support::WALL_MS,
        );
        let (mut store, _) = opened.unwrap();
        all.extend(fill(&mut store, all.len(), 50));
        flush(&mut store).unwrap();
    }
    let fs = Arc::new(DiskFs);
    let (mut store, _) =
        rocketmq_lite_core::store::Store::open(fs, settings(folder.path()), support::WALL_MS).unwrap();
    for queue in 0..3 {
        assert_eq!(bodies(&store, "T", queue as i32), of_queue(&all, queue));
    }
    store.close(support::WALL_MS).unwrap();
}

#[test]
fn fetch_follows_apaches_rules() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let all = TagFilter::all();
    assert_eq!(fetch(&store, "T", 0, 0, &all).status, FetchStatus::NoMessageInQueue);
    for i in 0..40 {
        let tag = if i % 2 == 0 { "even" } else { "odd" };
        append(&mut store, "T", 0, b"body", tag).unwrap();
    }
    assert_eq!(fetch(&store, "T", 0, 0, &all).status, FetchStatus::NoMessageInQueue, "not written yet");
    let end = store.write_run().unwrap();
    assert_eq!(fetch(&store, "T", 0, 0, &all).status, FetchStatus::NoMessageInQueue, "not released yet");
    let arrivals = store.release(end).unwrap();
    assert_eq!(arrivals.iter().map(|a| a.max_offset).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    let first = fetch(&store, "T", 0, 0, &all);
    assert_eq!((first.status, first.count, first.next_offset), (FetchStatus::Found, 32, 32));
    let odd = fetch(&store, "T", 0, 0, &TagFilter::parse("odd").unwrap());
    assert_eq!((odd.count, odd.next_offset, odd.min, odd.max), (20, 40, 0, 40));
    let none = fetch(&store, "T", 0, 5, &TagFilter::parse("none").unwrap());
    assert_eq!((none.status, none.next_offset), (FetchStatus::NoMatchedMessage, 40));
    let at_end = fetch(&store, "T", 0, 40, &all);
    assert_eq!((at_end.status, at_end.next_offset), (FetchStatus::OffsetOverflowOne, 40));
    let beyond = fetch(&store, "T", 0, 41, &all);
    assert_eq!((beyond.status, beyond.next_offset), (FetchStatus::OffsetOverflowBadly, 40));
    let before = fetch(&store, "T", 0, -1, &all);
    assert_eq!((before.status, before.next_offset), (FetchStatus::OffsetTooSmall, 0));
}

#[test]
fn a_record_that_fits_no_segment_changes_nothing() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"before");
    let end = store.appended_end();
    match append(&mut store, "T", 0, &[0; 5000], "a") {
        Err(StoreError::RecordTooLarge { limit: 4088, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(send(&mut store, "T", 0, b"after").physical_offset as u64, end);
}
