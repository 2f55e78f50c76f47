//! A repair loses nothing that is whole and reachable, keeps what it takes away, and ends with a store that is sound.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::io;
use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{
    Fault, FaultFs, FileSystem, IndexState, MemFs, OfflineStore, Open, Outside, Repair, RepairPlan, Repaired,
    Report, Store, StoreError, StoreSettings, Verify,
};
use support::{ROOT, WALL_MS, bodies, flush, open, record, send, settings, settle};

const LOG: &str = "/store/commitlog/00000000000000000000";
const QUEUE: &str = "/store/consumequeue/T/0/00000000000000000000";
const KEYED: &[u8] = b"KEYS\x01k\x02";

fn verify(fs: &MemFs) -> Report {
    let mut check = Verify::new(OfflineStore::open(fs, ROOT, &Outside::default()).unwrap());
    while check.step(1000).unwrap() {}
    check.report().clone()
}

fn planned(fs: &MemFs, remakes_all: bool) -> (Repair, RepairPlan) {
    let mut repair =
        Repair::new(Arc::new(fs.clone()), Path::new(ROOT), &Outside::default(), remakes_all).unwrap();
    while repair.step(500).unwrap() {}
    let plan = repair.plan().unwrap();
    (repair, plan)
}

fn repair(fs: &MemFs) -> (RepairPlan, Repaired) {
    let (repair, plan) = planned(fs, false);
    let repaired = repair.apply(&plan, 0, WALL_MS).unwrap();
    assert!(verify(fs).is_sound(), "{:?}", verify(fs));
    assert!(!planned(fs, false).1.is_needed());
    (plan, repaired)
}

/// Forty messages in two queues, over several files; where they begin.
fn filled(clean: bool) -> (MemFs, Vec<u64>) {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let mut places = Vec::new();
    for i in 0..40_u8 {
        let message = store.append(&record("T", i32::from(i % 2), &[i; 200], KEYED), WALL_MS).unwrap();
        settle(&mut store).unwrap();
        places.push(message.physical_offset as u64);
    }
    flush(&mut store).unwrap();
    if clean {
        store.close(WALL_MS).unwrap();
    }
    (fs, places)
}

fn write(fs: &MemFs, path: &str, at: u64, bytes: &[u8]) {
    fs.open(Path::new(path), Open::ReadWrite).unwrap().write_all_at(bytes, at).unwrap();
}

fn read(fs: &MemFs, path: &Path, at: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let got = fs.open(path, Open::Read).unwrap().read_at(&mut bytes, at).unwrap();
    bytes.truncate(got);
    bytes
}

/// The first `count` messages are there, and the store takes more.
fn assert_serves(fs: &MemFs, count: u8) {
    assert_serves_with(fs, count, settings(ROOT));
}

fn assert_serves_with(fs: &MemFs, count: u8, settings: StoreSettings) {
    let (mut store, recovery) = Store::open(Arc::new(fs.clone()), settings, WALL_MS).unwrap();
    assert_eq!((recovery.clean, recovery.cut_bytes), (true, 0));
    for queue in 0..2_u8 {
        let expected: Vec<Vec<u8>> = (0..count).filter(|i| i % 2 == queue).map(|i| vec![i; 200]).collect();
        assert_eq!(bodies(&store, "T", queue.into()), expected);
    }
    send(&mut store, "T", 0, b"more");
    store.close(WALL_MS).unwrap();
    drop(store);
    assert!(verify(fs).is_sound());
}

#[test]
fn a_sound_store_needs_none_and_one_in_use_gets_none() {
    let (fs, _) = filled(true);
    assert!(!planned(&fs, false).1.is_needed());
    assert!(planned(&fs, true).1.is_needed());
    let (_store, _) = open(&fs);
    let refused = Repair::new(Arc::new(fs), Path::new(ROOT), &Outside::default(), false);
    assert!(matches!(refused, Err(StoreError::Locked { .. })));
}

#[test]
fn a_log_damaged_in_the_middle_ends_there_and_the_rest_is_kept() {
    for clean in [true, false] {
        let (fs, places) = filled(clean);
        let at = places[7];
        write(&fs, LOG, at + 100, b"?");
        assert!(!verify(&fs).is_sound());
        let before = read(&fs, Path::new(LOG), at, 4096);
        let (plan, repaired) = repair(&fs);
        let cut = plan.cut.unwrap();
        assert_eq!((cut.at, cut.records_before, cut.records_behind, cut.is_damage), (at, 7, 32, true));
        let kept = repaired.cut_to.unwrap();
        assert!(kept.starts_with("/store/lite-cut"));
        assert_eq!(read(&fs, &kept, 0, before.len()), before);
        assert_eq!(fs.open(&kept, Open::Read).unwrap().len().unwrap(), cut.bytes);
        assert_serves(&fs, 7);
    }
}

#[test]
fn a_torn_tail_is_cut_as_a_start_would() {
    let (fs, _) = filled(false);
    let (mut store, _) = open(&fs);
    let at = send(&mut store, "T", 0, b"torn").physical_offset as u64;
    drop(store);
    let base = at / 4096 * 4096;
    write(&fs, &format!("/store/commitlog/{base:020}"), at - base + 90, b"?");
    let (plan, repaired) = repair(&fs);
    let cut = plan.cut.unwrap();
    assert_eq!((cut.at, cut.records_behind, cut.is_damage), (at, 0, false));
    assert!(repaired.cut_to.is_some() && repaired.set_aside.is_empty());
    assert_serves(&fs, 40);
}

#[test]
fn a_wrong_queue_is_made_again_and_the_old_one_kept() {
    let (fs, _) = filled(true);
    write(&fs, QUEUE, 3 * 20 + 4, &[9; 8]);
    let (plan, repaired) = repair(&fs);
    assert_eq!((plan.cut, plan.replaced_queues.len()), (None, 1));
    assert_eq!(repaired.set_aside, [Path::new("/store/lite-cut/consumequeue/T/0-0")]);
    let old = repaired.set_aside[0].join("00000000000000000000");
    assert_eq!(read(&fs, &old, 3 * 20 + 4, 8), [9; 8]);
    assert_serves(&fs, 40);
}

#[test]
fn missing_queues_and_a_missing_or_short_index_are_made_again() {
    let (fs, _) = filled(true);
    fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
    let (plan, repaired) = repair(&fs);
    assert!(plan.remakes_queues && repaired.recovery.redispatched == 40);
    fs.remove_dir_all(Path::new("/store/index")).unwrap();
    let (plan, _) = repair(&fs);
    assert_eq!((plan.index, plan.remakes_queues), (IndexState::Missing, false));
    let dir = Path::new("/store/index");
    let name = fs.list(dir).unwrap().remove(0).name;
    fs.open(&dir.join(&name), Open::ReadWrite).unwrap().set_len(1000).unwrap();
    let (plan, repaired) = repair(&fs);
    assert_eq!(plan.index, IndexState::Unusable);
    assert_eq!(read(&fs, &repaired.set_aside[0].join(name), 0, 4096).len(), 1000);
    // No file was left to say how long these are.
    let apaches = StoreSettings::new(ROOT).consume_queue_entries;
    assert_serves_with(&fs, 40, StoreSettings { consume_queue_entries: apaches, ..settings(ROOT) });
}

#[test]
fn one_missing_queue_is_made_again_when_asked_for() {
    let (fs, _) = filled(true);
    fs.remove_dir_all(Path::new("/store/consumequeue/T/1")).unwrap();
    let (repair, plan) = planned(&fs, true);
    repair.apply(&plan, 0, WALL_MS).unwrap();
    assert_serves(&fs, 40);
}

#[test]
fn a_repair_that_fails_anywhere_can_be_repeated() {
    for fault in [Fault::Write, Fault::Zero, Fault::Sync, Fault::SyncDir, Fault::Rename, Fault::Remove] {
        for nth in 1.. {
            let (fs, places) = filled(true);
            write(&fs, LOG, places[7] + 100, b"?");
            write(&fs, QUEUE, 2 * 20 + 4, &[9; 8]);
            let faulty = FaultFs::new(Arc::new(fs.clone()));
            let mut work =
                Repair::new(Arc::new(faulty.clone()), Path::new(ROOT), &Outside::default(), false).unwrap();
            while work.step(500).unwrap() {}
            let plan = work.plan().unwrap();
            faulty.fail_from(fault, nth, io::ErrorKind::Other);
            let is_done = work.apply(&plan, 0, WALL_MS).is_ok();
            let (again, plan) = planned(&fs, false);
            if plan.is_needed() {
                again.apply(&plan, 0, WALL_MS).unwrap();
            } else {
                drop(again);
                open(&fs).0.close(WALL_MS).unwrap();
            }
            assert_serves(&fs, 7);
            if is_done {
                break;
            }
        }
    }
}
