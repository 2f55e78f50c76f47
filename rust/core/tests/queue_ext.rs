//! `enableConsumeQueueExt`: queue entries with a unit each. The files are Apache's, filters go by units, and whatever
//! becomes of the units costs no message.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rocketmq_lite_core::store::{
    FileSystem, FindingKind, MemFs, OfflineStore, Open, Outside, Recovery, Repair, Report, Store, Verify,
};
use support::{ROOT, WALL_MS, append, bodies, extended, flush, offsets_tagged, settings, settle};

/// Java's hash codes.
const RED: i64 = 112_785;
const BLUE: i64 = 3_027_034;

fn open(fs: &MemFs) -> (Store, Recovery) {
    Store::open(Arc::new(fs.clone()), extended(ROOT), WALL_MS).unwrap()
}

fn open_without(fs: &MemFs) -> Store {
    Store::open(Arc::new(fs.clone()), settings(ROOT), WALL_MS).unwrap().0
}

/// Messages to a queue of topic T, in turn red and blue by their offsets.
fn fill(store: &mut Store, queue: i32, count: usize) {
    for offset in (store.bounds("T", queue).max..).take(count) {
        let tag = if offset % 2 == 0 { "red" } else { "blue" };
        append(store, "T", queue, format!("{offset:0200}").as_bytes(), tag).unwrap();
        settle(store).unwrap();
    }
}

fn filled(count: usize) -> MemFs {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, count);
    store.close(WALL_MS).unwrap();
    fs
}

/// All messages are there, and filters find theirs.
fn assert_serves(store: &Store, count: usize) {
    let first = store.bounds("T", 0).min;
    assert_eq!(bodies(store, "T", 0).len(), count - first as usize);
    let of = |rest: i64| (first..count as i64).filter(|offset| offset % 2 == rest).collect::<Vec<_>>();
    assert_eq!(offsets_tagged(store, "T", 0, "red"), of(0));
    assert_eq!(offsets_tagged(store, "T", 0, "blue"), of(1));
    assert_eq!(offsets_tagged(store, "T", 0, "green"), []);
}

fn ext_dir(queue: i32) -> PathBuf {
    Path::new(ROOT).join(format!("consumequeue_ext/T/{queue}"))
}

fn names(fs: &MemFs, dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs.list(dir).unwrap().into_iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    names
}

fn read(fs: &MemFs, path: &Path) -> Vec<u8> {
    let file = fs.open(path, Open::Read).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn write(fs: &MemFs, path: &Path, at: u64, bytes: &[u8]) {
    fs.open(path, Open::ReadWrite).unwrap().write_all_at(bytes, at).unwrap();
}

fn unit(tags_code: i64) -> Vec<u8> {
    let (size, map_size) = (20_i16.to_be_bytes(), 0_i16.to_be_bytes());
    [&size[..], &tags_code.to_be_bytes(), &WALL_MS.to_be_bytes(), &map_size].concat()
}

fn verify(fs: &MemFs) -> Report {
    let mut check = Verify::new(OfflineStore::open(fs, ROOT, &Outside::default()).unwrap());
    while check.step(u64::MAX).unwrap() {}
    check.report().clone()
}

#[test]
fn units_lie_where_apache_has_them_and_entries_say_where() {
    let fs = filled(5);
    let first = [unit(RED), unit(BLUE), unit(RED), vec![0xff, 0xff, 0, 0]].concat();
    let second = [unit(BLUE), unit(RED), vec![0; 24]].concat();
    assert_eq!(names(&fs, &ext_dir(0)), ["00000000000000000000", "00000000000000000064"]);
    assert_eq!(read(&fs, &ext_dir(0).join("00000000000000000000")), first);
    assert_eq!(read(&fs, &ext_dir(0).join("00000000000000000064")), second);
    let entries = read(&fs, &Path::new(ROOT).join("consumequeue/T/0/00000000000000000000"));
    let addresses: Vec<i64> = entries
        .chunks_exact(20)
        .take(5)
        .map(|entry| i64::from_be_bytes(*entry.last_chunk().unwrap()))
        .collect();
    assert_eq!(addresses, [0, 20, 40, 64, 84].map(|at| i64::MIN + at));
}

#[test]
fn filters_ask_the_units_and_where_there_is_none_the_records() {
    let fs = filled(9);
    let (store, _) = open(&fs);
    let file = ext_dir(0).join("00000000000000000000");
    write(&fs, &file, 0, &unit(BLUE));
    assert_eq!(offsets_tagged(&store, "T", 0, "blue"), [0, 1, 3, 5, 7], "the unit says so");
    write(&fs, &file, 0, &[0; 40]);
    assert_serves(&store, 9);
}

/// Apache's, with `enableCalcFilterBitMap`.
#[test]
fn bit_maps_are_passed_over() {
    let fs = filled(2);
    let file = ext_dir(0).join("00000000000000000000");
    let long = [&28_i16.to_be_bytes()[..], &unit(RED)[2..18], &8_i16.to_be_bytes(), &[0xff; 8]].concat();
    write(&fs, &file, 0, &[long, unit(BLUE)].concat());
    let queue = Path::new(ROOT).join("consumequeue/T/0/00000000000000000000");
    write(&fs, &queue, 32, &(i64::MIN + 28).to_be_bytes());
    assert!(verify(&fs).is_sound(), "{:?}", verify(&fs));
    let (mut store, recovery) = open(&fs);
    assert_eq!((recovery.redispatched, recovery.lost_units.len()), (0, 0));
    fill(&mut store, 0, 1);
    assert_serves(&store, 3);
    assert_eq!(
        read(&fs, &ext_dir(0).join("00000000000000000064"))[..20],
        unit(RED),
        "48 and 20 leave no room for 4"
    );
}

#[test]
fn turned_on_and_off_again_entries_of_both_kinds_are_in_one_queue() {
    let fs = MemFs::new();
    let mut count = 0;
    for part in [5, 3, 30, 1, 40] {
        for is_extended in [true, false] {
            for clean in [true, false] {
                let mut store = if is_extended { open(&fs).0 } else { open_without(&fs) };
                assert_serves(&store, count);
                fill(&mut store, 0, part);
                count += part;
                assert_serves(&store, count);
                if clean {
                    store.close(WALL_MS).unwrap();
                    drop(store);
                    assert!(verify(&fs).is_sound(), "{:?}", verify(&fs));
                }
            }
        }
    }
}

#[test]
fn a_start_drops_units_that_no_entry_has() {
    let fs = filled(4);
    write(&fs, &ext_dir(0).join("00000000000000000064"), 20, &unit(BLUE));
    let (mut store, recovery) = open(&fs);
    assert_eq!((recovery.redispatched, recovery.lost_units.len()), (0, 0));
    fill(&mut store, 0, 1);
    assert_eq!(read(&fs, &ext_dir(0).join("00000000000000000064"))[20..40], unit(RED));
    assert_serves(&store, 5);
}

/// Without that, units of new messages would get the addresses that old entries have.
#[test]
fn lost_units_are_made_again() {
    for (name, plain) in
        [("all of it", 0), ("all of it, with other entries behind", 40), ("the last file", 0)]
    {
        let fs = filled(20);
        let mut store = open_without(&fs);
        fill(&mut store, 0, plain);
        store.close(WALL_MS).unwrap();
        drop(store);
        if name == "the last file" {
            fs.remove_file(&ext_dir(0).join(format!("{:020}", 6 * 64))).unwrap();
        } else {
            fs.remove_dir_all(&Path::new(ROOT).join("consumequeue_ext")).unwrap();
        }
        let (mut store, recovery) = open(&fs);
        assert_eq!(recovery.lost_units, [("T".into(), 0)], "{name}");
        assert_eq!(recovery.lost_queues, [], "{name}");
        assert_serves(&store, 20 + plain);
        fill(&mut store, 0, 5);
        assert_serves(&store, 25 + plain);
        store.close(WALL_MS).unwrap();
        drop(store);
        assert!(verify(&fs).is_sound(), "{name}: {:?}", verify(&fs));
        let (store, recovery) = open(&fs);
        assert_eq!((recovery.lost_units.len(), recovery.redispatched), (0, 0), "{name}: it is told once");
        assert_serves(&store, 25 + plain);
    }
}

#[test]
fn a_purge_takes_the_units_of_what_goes() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 100);
    flush(&mut store).unwrap();
    let before = names(&fs, &ext_dir(0)).len();
    let mut plan = store.plan_purge(4 * 4096);
    while let Some(next) = plan {
        plan = store.purged(next.run()).unwrap();
    }
    let first = store.bounds("T", 0).min as usize;
    assert!(first > 20);
    assert_eq!(names(&fs, &ext_dir(0)).len(), before - first / 3);
    assert_serves(&store, 100);
    store.close(WALL_MS).unwrap();
    drop(store);
    assert!(verify(&fs).is_sound(), "{:?}", verify(&fs));
    let (mut store, recovery) = open(&fs);
    assert_eq!((recovery.lost_units.len(), recovery.redispatched), (0, 0));
    fill(&mut store, 0, 4);
    assert_serves(&store, 104);
}

#[test]
fn a_removed_topic_leaves_no_units_even_where_extensions_are_off() {
    for is_off in [false, true] {
        let fs = filled(20);
        let mut store = if is_off { open_without(&fs) } else { open(&fs).0 };
        store.remove_topic("T").unwrap();
        assert!(!fs.exists(&ext_dir(0)).unwrap());
        drop(store);
        let (mut store, _) = open(&fs);
        let count = store.bounds("T", 0).max as usize;
        fill(&mut store, 0, 3);
        assert_serves(&store, count + 3);
    }
}

/// As a broker that has them off does it.
#[test]
fn units_of_a_queue_that_is_gone_are_not_taken_for_those_of_a_new_one() {
    let fs = filled(7);
    let mut store = open_without(&fs);
    let (left, dir) = (fs.snapshot(), Path::new(ROOT).join("consumequeue_ext"));
    store.remove_topic("T").unwrap();
    while flush(&mut store).is_ok() && store.is_flushing_queues() {}
    store.close(WALL_MS).unwrap();
    drop(store);
    for name in names(&left, &ext_dir(0)) {
        fs.create_dir_all(&ext_dir(0)).unwrap();
        let file = fs.open(&ext_dir(0).join(&name), Open::Create).unwrap();
        file.write_all_at(&read(&left, &ext_dir(0).join(&name)), 0).unwrap();
    }
    assert!(fs.exists(&dir).unwrap());
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 2);
    assert_serves(&store, 2);
    assert_eq!(
        read(&fs, &ext_dir(0).join("00000000000000000000"))[..44],
        [unit(RED), unit(BLUE), vec![0; 4]].concat()
    );
}

#[test]
fn a_check_finds_wrong_units_and_a_repair_makes_them_again() {
    let file = ext_dir(0).join("00000000000000000000");
    for (name, bytes) in [
        ("another tag", unit(BLUE)),
        ("none", vec![0; 20]),
        ("another time", [unit(RED)[..16].to_vec(), vec![7; 4]].concat()),
    ] {
        let fs = filled(20);
        write(&fs, &file, 40, &bytes);
        let report = verify(&fs);
        assert_eq!(report.counts, [(FindingKind::WrongUnit, 1)], "{name}");
        assert_eq!(report.findings[0].path, ext_dir(0));
        let root = Path::new(ROOT);
        let mut repair = Repair::new(Arc::new(fs.clone()), root, &Outside::default(), false).unwrap();
        while repair.step(u64::MAX).unwrap() {}
        let plan = repair.plan().unwrap();
        assert_eq!(plan.replaced_queues, [ext_dir(0)]);
        let repaired = repair.apply(&plan, 0, WALL_MS).unwrap();
        let kept = repaired.set_aside[0].join("00000000000000000000");
        assert_eq!(read(&fs, &kept)[40..60], bytes, "{name}");
        assert!(verify(&fs).is_sound(), "{name}: {:?}", verify(&fs));
        assert_eq!(read(&fs, &file)[40..60], unit(RED), "{name}");
        assert_serves(&open(&fs).0, 20);
    }
}

#[test]
fn a_repair_of_a_queue_makes_its_units_again_too() {
    let fs = filled(20);
    write(&fs, &Path::new(ROOT).join("consumequeue/T/0/00000000000000000000"), 8, &[9]);
    let mut repair = Repair::new(Arc::new(fs.clone()), Path::new(ROOT), &Outside::default(), false).unwrap();
    while repair.step(u64::MAX).unwrap() {}
    let plan = repair.plan().unwrap();
    assert_eq!(plan.replaced_queues, [Path::new(ROOT).join("consumequeue/T/0"), ext_dir(0)]);
    repair.apply(&plan, 0, WALL_MS).unwrap();
    assert!(verify(&fs).is_sound(), "{:?}", verify(&fs));
    let (store, recovery) = open(&fs);
    assert_eq!((recovery.lost_units.len(), recovery.redispatched), (0, 0));
    assert_serves(&store, 20);
}

#[test]
fn what_is_there_is_told_without_reading_it() {
    let fs = filled(4);
    let found = OfflineStore::open(&fs, ROOT, &Outside::default()).unwrap().inspect();
    assert_eq!((found.ext_segments, found.ext_segment_size), (2, 64));
}
