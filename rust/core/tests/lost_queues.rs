//! A queue whose directory alone is gone: it is missed, made again from the log, and said to have been.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{
    FileSystem, FindingKind, MemFs, OfflineStore, Outside, Recovery, Repair, Report, Store, StoreSettings,
    Verify,
};
use support::{ROOT, WALL_MS, bodies, flush, send, settings};

const COUNT: usize = 30;

/// Three queues of two topics, over several files of the log.
fn filled() -> MemFs {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs, None);
    for number in 0..COUNT {
        let body = format!("{number:0200}");
        send(&mut store, ["A", "A", "B"][number % 3], (number % 3 % 2) as i32, body.as_bytes());
    }
    flush(&mut store).unwrap();
    store.close(WALL_MS).unwrap();
    fs
}

fn open(fs: &MemFs, topics: Option<&[&str]>) -> (Store, Recovery) {
    let settings = StoreSettings { topics: named(topics), ..settings(ROOT) };
    Store::open(Arc::new(fs.clone()), settings, WALL_MS).unwrap()
}

fn named(topics: Option<&[&str]>) -> Option<BTreeSet<String>> {
    topics.map(|topics| topics.iter().map(|name| (*name).to_owned()).collect())
}

fn lose(fs: &MemFs, name: &str) {
    fs.remove_dir_all(&Path::new(ROOT).join("consumequeue").join(name)).unwrap();
}

fn contents(store: &Store) -> Vec<Vec<Vec<u8>>> {
    [("A", 0), ("A", 1), ("B", 0)].map(|(topic, queue)| bodies(store, topic, queue)).to_vec()
}

fn verified(fs: &MemFs, topics: Option<&[&str]>) -> Report {
    let outside = Outside { topics: named(topics), ..Outside::default() };
    let mut check = Verify::new(OfflineStore::open(fs, ROOT, &outside).unwrap());
    while check.step(1 << 20).unwrap() {}
    check.report().clone()
}

#[test]
fn a_lost_queue_or_topic_is_made_again() {
    for (name, lost) in [("A/1", vec![("A".into(), 1)]), ("A", vec![("A".into(), 0), ("A".into(), 1)])] {
        for clean in [true, false] {
            let fs = filled();
            let (mut store, recovery) = open(&fs, None);
            assert_eq!(recovery.lost_queues, []);
            let expected = contents(&store);
            assert_eq!(expected.concat().len(), COUNT);
            if clean {
                store.close(WALL_MS).unwrap();
            }
            drop(store);
            lose(&fs, name);
            let (mut store, recovery) = open(&fs, Some(&["A", "B"]));
            assert_eq!(recovery.lost_queues, lost, "{name} {clean}");
            assert_eq!(contents(&store), expected, "{name} {clean}");
            store.close(WALL_MS).unwrap();
            drop(store);
            assert_eq!(open(&fs, None).1.lost_queues, [], "it is told once");
        }
    }
}

#[test]
fn a_crash_while_it_is_made_again_leaves_nothing_half_made() {
    let fs = filled();
    let expected = contents(&open(&fs, None).0);
    lose(&fs, "A/1");
    let (store, _) = open(&fs, None);
    drop(store);
    let (mut store, _) = open(&fs, None);
    assert_eq!(contents(&store), expected);
    let next = send(&mut store, "A", 1, b"behind").queue_offset;
    assert_eq!(next as usize, expected[1].len(), "offsets go on");
}

#[test]
fn a_removed_topic_is_not_missed() {
    let fs = filled();
    let (mut store, _) = open(&fs, None);
    store.remove_topic("A").unwrap();
    store.close(WALL_MS).unwrap();
    drop(store);
    let (store, recovery) = open(&fs, Some(&["A", "B"]));
    assert_eq!(recovery.lost_queues, [], "we removed it");
    assert_eq!(store.bounds("A", 0).max, 0);
    drop(store);
    let fs = filled();
    lose(&fs, "A");
    let (store, recovery) = open(&fs, Some(&["B"]));
    assert_eq!(recovery.lost_queues, [], "whoever removed its topic");
    assert_eq!((store.bounds("A", 0).max, bodies(&store, "B", 0).len()), (0, COUNT / 3));
}

#[test]
fn what_was_removed_does_not_come_back_with_what_was_lost() {
    let fs = filled();
    let (mut store, _) = open(&fs, None);
    store.remove_topic("B").unwrap();
    flush(&mut store).unwrap();
    store.close(WALL_MS).unwrap();
    drop(store);
    lose(&fs, "A/0");
    let (store, recovery) = open(&fs, Some(&["A"]));
    assert_eq!(recovery.lost_queues, [("A".into(), 0)]);
    assert_eq!((bodies(&store, "A", 0).len(), store.bounds("B", 0).max), (COUNT / 3, 0));
}

#[test]
fn check_and_repair_agree_with_the_start() {
    let fs = filled();
    assert!(verified(&fs, None).is_sound());
    lose(&fs, "A/1");
    assert!(verified(&fs, Some(&["B"])).is_sound(), "the topic was removed");
    let report = verified(&fs, Some(&["A", "B"]));
    assert!(!report.is_sound());
    assert_eq!(report.counts, [(FindingKind::MissingQueue, 1)]);
    assert!(report.findings[0].path.ends_with("consumequeue/A/1"));
    let outside = Outside { topics: named(Some(&["A", "B"])), ..Outside::default() };
    let mut repair = Repair::new(Arc::new(fs.clone()), Path::new(ROOT), &outside, false).unwrap();
    while repair.step(1 << 20).unwrap() {}
    let plan = repair.plan().unwrap();
    assert!(plan.is_needed() && !plan.remakes_queues && plan.missing_queues.len() == 1);
    let repaired = repair.apply(&plan, 0, WALL_MS).unwrap();
    assert_eq!(repaired.recovery.lost_queues, [("A".into(), 1)]);
    assert!(verified(&fs, Some(&["A", "B"])).is_sound());
    let (store, _) = open(&fs, None);
    assert_eq!(contents(&store).concat().len(), COUNT);
}
