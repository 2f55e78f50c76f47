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

fn purge(store: &mut Store, before: u64) {
    let mut plan = store.plan_purge(before);
    while let Some(next) = plan {
        plan = store.purged(next.run()).unwrap();
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
fn a_store_that_loses_the_names_or_lengths_of_its_first_files_is_opened() {
    let fs = journaled();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 1);
    flush(&mut store).unwrap();
    fill(&mut store, 1, 12);
    drop(store);
    let journal = fs.so_far();
    let cut = journal.power_cut(journal.len(), 4096);
    for lost in 0..cut.pieces() {
        for lost_too in 0..=lost {
            let (store, _) = open(&cut.image(|piece| piece != lost && piece != lost_too).unwrap());
            let found = bodies(&store, "T", 0);
            let is_a_row = found.is_empty() || numbers(12).windows(found.len()).any(|row| row == found);
            assert!(is_a_row, "{lost} {lost_too}");
        }
    }
}

#[test]
fn a_queue_that_lost_its_first_file_begins_where_the_log_does() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 40);
    flush(&mut store).unwrap();
    purge(&mut store, 4 * 4096);
    drop(store);
    let first = Path::new("/store/consumequeue/T/0/00000000000000000320");
    assert!(fs.exists(first).unwrap() && !fs.exists(&first.with_file_name("00000000000000000160")).unwrap());
    fs.remove_file(first).unwrap();
    let (store, _) = open(&fs);
    assert_eq!(bodies(&store, "T", 0), numbers(40)[16..]);
}

#[test]
fn a_purge_leaves_no_gap_and_takes_no_entry_of_what_comes_back_wherever_the_power_goes() {
    let fs = journaled();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 40);
    flush(&mut store).unwrap();
    let begun = fs.so_far().len();
    purge(&mut store, 6 * 4096);
    drop(store);
    let journal = fs.so_far();
    for moment in journal.moments(begun) {
        let cut = journal.power_cut(moment, 512);
        for lost in 0..=cut.pieces() {
            let (store, _) = open(&cut.image(|piece| piece != lost).unwrap());
            let found = bodies(&store, "T", 0);
            let first = store.statistics().log_start / 4096 * 4;
            assert_eq!(found, numbers(40)[first as usize..], "{moment} {lost}");
        }
    }
}

/// How many messages a key finds once the index has caught up with them.
fn found(store: &mut Store, key: &str) -> usize {
    while let Some(plan) = store.plan_index(WALL_MS) {
        if !store.indexed(plan.run()).unwrap().has_more {
            break;
        }
    }
    found_as_it_is(store, key)
}

/// How many messages a key finds, whether the index has caught up with them or not.
fn found_as_it_is(store: &Store, key: &str) -> usize {
    let (topic, key, times) = ("T".to_owned(), key.to_owned(), (0, i64::MAX));
    let request = ReadRequest::ByKey { topic, kind: KeyKind::Key, key, max_messages: 32, times };
    match store.plan_read(request).run().unwrap() {
        ReadOutcome::ByKey(found) => found.records.len(),
        other => panic!("{other:?}"),
    }
}

fn open_with_small_index(fs: &(impl FileSystem + Clone + 'static)) -> Store {
    let settings = StoreSettings { index: IndexShape { slots: 4, entries: 16 }, ..settings(ROOT) };
    Store::open(Arc::new(fs.clone()), settings, WALL_MS).unwrap().0
}

fn send_keyed(store: &mut Store, numbers: std::ops::Range<usize>, wall_ms: i64) {
    for n in numbers {
        let properties = format!("KEYS\u{1}K{n}\u{2}");
        store.append(&record("T", 0, &[7; 900], properties.as_bytes()), wall_ms).unwrap();
    }
    settle(store).unwrap();
    while let Some(plan) = store.plan_flush(wall_ms) {
        store.flushed(plan.run()).unwrap();
    }
}

fn index_at(store: &mut Store, wall_ms: i64) {
    let plan = store.plan_index(wall_ms).unwrap();
    store.indexed(plan.run()).unwrap();
}

#[test]
fn the_first_message_of_a_log_is_found_wherever_the_power_goes() {
    let fs = journaled();
    let mut store = open_with_small_index(&fs);
    for n in 0..4 {
        let wall_ms = WALL_MS + 20_000 * n as i64;
        send_keyed(&mut store, n..n + 1, wall_ms);
        index_at(&mut store, wall_ms + 10_000);
    }
    let journal = fs.so_far();
    for moment in 0..=journal.len() {
        let mut store = open_with_small_index(&journal.power_cut(moment, 512).image(|_| false).unwrap());
        let is_there = usize::from(store.appended_end() > 0);
        assert_eq!(found_as_it_is(&store, "K0"), is_there, "{moment}");
        assert_eq!(found(&mut store, "K0"), is_there, "{moment}");
    }
}

#[test]
fn the_index_keeps_what_a_purge_took_from_the_log_until_it_is_gone_for_good() {
    let fs = journaled();
    let mut store = open_with_small_index(&fs);
    send_keyed(&mut store, 0..40, WALL_MS);
    index_at(&mut store, WALL_MS + 10_000);
    let plan = store.plan_purge(8 * 4096).unwrap();
    send_keyed(&mut store, 40..41, WALL_MS + 20_000);
    index_at(&mut store, WALL_MS + 20_000);
    let index_files = || fs.list(Path::new("/store/index")).unwrap().len();
    let before = index_files();
    let mut disk = open_with_small_index(&without_power(&fs));
    assert_eq!((0..41).map(|n| found(&mut disk, &format!("K{n}"))).sum::<usize>(), 41);
    store.purged(plan.run()).unwrap();
    send_keyed(&mut store, 41..42, WALL_MS + 30_000);
    index_at(&mut store, WALL_MS + 30_000);
    assert!(index_files() < before);
}

/// The index is synced at intervals; in between, slots of a full file may reach the disk without the header that counts
/// the entries which they point to.
#[test]
fn keys_are_found_whatever_the_disk_has_of_an_unsynced_index() {
    let fs = journaled();
    let mut store = open_with_small_index(&fs);
    send_keyed(&mut store, 0..8, WALL_MS);
    index_at(&mut store, WALL_MS + 20_000);
    flush(&mut store).unwrap();
    send_keyed(&mut store, 8..24, WALL_MS);
    index_at(&mut store, WALL_MS + 20_001);
    append(&mut store, "T", 0, b"last", "a").unwrap();
    settle(&mut store).unwrap();
    flush(&mut store).unwrap();
    let journal = fs.so_far();
    let cut = journal.power_cut(journal.len(), 64);
    for piece in 0..cut.pieces() {
        for keeps_it in [true, false] {
            let disk = cut.image(|other| (other == piece) == keeps_it).unwrap();
            let mut store = open_with_small_index(&disk);
            for n in 0..24 {
                assert_eq!(found(&mut store, &format!("K{n}")), 1, "{n}, {piece}: {keeps_it}");
            }
        }
    }
}
