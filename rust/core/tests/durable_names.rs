//! A file is durable when its name is, and one that was about to be made when the power went harms nobody.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{
    FileSystem, IndexShape, JournalFs, KeyKind, MemFs, Open, ReadOutcome, ReadRequest, Store, StoreSettings,
};
use support::{ROOT, WALL_MS, append, bodies, flush, open, record, send, settings, settle};

/// The disk if the power goes now and nothing of what was on its way arrives.
fn without_power(fs: &JournalFs) -> MemFs {
    let journal = fs.so_far();
    journal.power_cut(journal.len(), 512).image(|_| false).unwrap()
}

fn journaled() -> JournalFs {
    JournalFs::new(MemFs::new()).unwrap()
}

fn numbers(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| vec![n as u8; 900]).collect()
}

fn fill(store: &mut Store, from: usize, to: usize) {
    for body in &numbers(to)[from..] {
        send(store, "T", 0, body);
    }
}

#[test]
fn a_flush_makes_the_directories_of_a_new_store_durable() {
    let fs = journaled();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 10);
    flush(&mut store).unwrap();
    let (store, recovery) = open(&without_power(&fs));
    assert!(!recovery.clean);
    assert_eq!(bodies(&store, "T", 0), numbers(10));
}

#[test]
fn names_that_a_killed_process_had_made_are_durable_once_the_store_is_open_again() {
    let fs = journaled();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 20);
    drop(store);
    drop(open(&fs));
    let disk = without_power(&fs);
    let (store, recovery) = open(&disk);
    assert_eq!(recovery.scanned_from, recovery.end, "the checkpoint says that the queues are durable too");
    assert_eq!(bodies(&store, "T", 0), numbers(20));
}

#[test]
fn segments_behind_a_gap_are_cut_and_kept_if_they_had_not_been_durable() {
    for is_short in [false, true] {
        let fs = MemFs::new();
        let (mut store, _) = open(&fs);
        fill(&mut store, 0, 4);
        flush(&mut store).unwrap();
        fill(&mut store, 4, 30);
        drop(store);
        let log = |base: u64| format!("/store/commitlog/{base:020}");
        let missing = log(2 * 4096);
        if is_short {
            fs.open(Path::new(&missing), Open::ReadWrite).unwrap().set_len(0).unwrap();
        } else {
            fs.remove_file(Path::new(&missing)).unwrap();
        }
        fs.remove_file(Path::new("/store/consumequeue/T/0/00000000000000000160")).unwrap();
        let (mut store, recovery) = open(&fs);
        assert_eq!((recovery.end, bodies(&store, "T", 0)), (2 * 4096, numbers(8)));
        let kept = format!("/store/lite-cut/{:020}-0", 3 * 4096);
        assert_eq!(recovery.cut_to.as_deref(), Some(Path::new(&kept)));
        assert!(recovery.cut_bytes > 4 * 3600, "{recovery:?}");
        assert!(!fs.exists(Path::new(&log(3 * 4096))).unwrap());
        fill(&mut store, 8, 12);
        drop(store);
        let (store, recovery) = open(&fs);
        assert_eq!((recovery.cut_bytes, bodies(&store, "T", 0)), (0, numbers(12)));
    }
}

#[test]
fn a_purge_leaves_no_gap_wherever_the_power_goes() {
    let fs = journaled();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 40);
    flush(&mut store).unwrap();
    let begun = fs.so_far().len();
    let mut plan = store.plan_purge(6 * 4096);
    while let Some(next) = plan {
        plan = store.purged(next.run()).unwrap();
    }
    drop(store);
    let journal = fs.so_far();
    for moment in begun..=journal.len() {
        let cut = journal.power_cut(moment, 512);
        for lost in 0..=cut.pieces() {
            let (store, _) = open(&cut.image(|piece| piece != lost).unwrap());
            let found = bodies(&store, "T", 0);
            let first = found.first().map(|body| body[0]);
            assert!(
                found.len() >= 16 && numbers(40).ends_with(&found),
                "{moment} {lost}: {} {first:?}",
                found.len()
            );
        }
    }
}

/// How many messages the index knows by a key.
fn found(store: &mut Store, key: &str) -> usize {
    while let Some(plan) = store.plan_index(WALL_MS) {
        if !store.indexed(plan.run()).unwrap().has_more {
            break;
        }
    }
    let (topic, key, times) = ("T".to_owned(), key.to_owned(), (0, i64::MAX));
    let request = ReadRequest::ByKey { topic, kind: KeyKind::Key, key, max_messages: 32, times };
    match store.plan_read(request).run().unwrap() {
        ReadOutcome::ByKey(found) => found.records.len(),
        other => panic!("{other:?}"),
    }
}

/// The index is synced at intervals; in between, slots of a full file may reach the disk without the header that counts
/// the entries which they point to.
#[test]
fn keys_are_found_whatever_the_disk_has_of_an_unsynced_index() {
    let fs = journaled();
    let open_at = |fs: Arc<dyn FileSystem>| {
        let settings = StoreSettings { index: IndexShape { slots: 4, entries: 16 }, ..settings(ROOT) };
        Store::open(fs, settings, WALL_MS).unwrap().0
    };
    let mut store = open_at(Arc::new(fs.clone()));
    let keyed = |store: &mut Store, from: usize, to: usize, wall_ms: i64| {
        for n in from..to {
            let properties = format!("KEYS\u{1}K{n}\u{2}");
            store.append(&record("T", 0, b"body", properties.as_bytes()), wall_ms).unwrap();
        }
        settle(store).unwrap();
        flush(store).unwrap();
    };
    keyed(&mut store, 0, 8, WALL_MS);
    let synced = store.plan_index(WALL_MS + 20_000).unwrap();
    store.indexed(synced.run()).unwrap();
    flush(&mut store).unwrap();
    keyed(&mut store, 8, 24, WALL_MS);
    let unsynced = store.plan_index(WALL_MS + 20_001).unwrap();
    store.indexed(unsynced.run()).unwrap();
    append(&mut store, "T", 0, b"last", "a").unwrap();
    settle(&mut store).unwrap();
    flush(&mut store).unwrap();
    let journal = fs.so_far();
    let cut = journal.power_cut(journal.len(), 64);
    for piece in 0..cut.pieces() {
        for keeps_it in [true, false] {
            let disk = cut.image(|other| (other == piece) == keeps_it).unwrap();
            let mut store = open_at(Arc::new(disk));
            for n in 0..24 {
                assert_eq!(found(&mut store, &format!("K{n}")), 1, "{n}, {piece}: {keeps_it}");
            }
        }
    }
}
