//! A log in several directories: files go around, full and read-only ones are left out, and everything that opens, checks,
//! repairs or purges a store sees all of them.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rocketmq_lite_core::store::{
    FileSystem, MemFs, OfflineStore, Open, Outside, Recovery, Repair, Store, StoreError, StoreSettings,
    Verify,
};
use support::{ROOT, WALL_MS, bodies, flush, send, settings};

const SEGMENT: u64 = 4096;

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| Path::new("/disks").join(name)).collect()
}

fn outside(names: &[&str]) -> Outside {
    Outside { log_dirs: paths(names), ..Outside::default() }
}

fn with_paths(names: &[&str], read_only: &[&str]) -> StoreSettings {
    StoreSettings { log_dirs: paths(names), read_only_log_dirs: paths(read_only), ..settings(ROOT) }
}

fn open(fs: &MemFs, settings: StoreSettings) -> (Store, Recovery) {
    Store::open(Arc::new(fs.clone()), settings, WALL_MS).expect("it opens")
}

/// Messages of 3 KiB: one for each file.
fn fill(store: &mut Store, count: usize) {
    for _ in 0..count {
        send(store, "T", 0, &[b'x'; 3000]);
    }
    flush(store).expect("it is durable");
}

/// The numbers of the files in a directory.
fn files(fs: &MemFs, name: &str) -> Vec<u64> {
    let entries = fs.list(&Path::new("/disks").join(name)).expect("it is there");
    let mut numbers: Vec<u64> =
        entries.iter().map(|entry| entry.name.parse::<u64>().expect("a position") / SEGMENT).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn files_go_around_and_are_found_again() {
    let fs = MemFs::new();
    for clean in [true, false, true] {
        let (mut store, recovery) = open(&fs, with_paths(&["b", "a"], &[]));
        assert_eq!(recovery.cut_bytes, 0);
        fill(&mut store, 3);
        if clean {
            store.close(WALL_MS).expect("it closes");
        }
    }
    let (store, _) = open(&fs, with_paths(&["a", "b"], &[]));
    assert_eq!(bodies(&store, "T", 0).len(), 9);
    assert_eq!((files(&fs, "a"), files(&fs, "b")), (vec![0, 2, 4, 6, 8], vec![1, 3, 5, 7]));
    assert!(!fs.exists(&Path::new(ROOT).join("commitlog")).expect("it can be asked"));
}

#[test]
fn full_and_read_only_directories_get_no_new_files() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs, with_paths(&["a", "b"], &[]));
    fill(&mut store, 2);
    store.set_full_dirs(paths(&["a"]));
    fill(&mut store, 2);
    store.set_full_dirs(Vec::new());
    fill(&mut store, 1);
    assert_eq!((files(&fs, "a"), files(&fs, "b")), (vec![0, 4], vec![1, 2, 3]));
    drop(store);
    let (mut store, _) = open(&fs, with_paths(&["a", "c"], &["b"]));
    fill(&mut store, 2);
    assert_eq!((files(&fs, "a"), files(&fs, "b"), files(&fs, "c")), (vec![0, 4, 6], vec![1, 2, 3], vec![5]));
    assert_eq!(bodies(&store, "T", 0).len(), 7);
}

#[test]
fn a_purge_removes_from_every_directory() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs, with_paths(&["a", "b"], &[]));
    fill(&mut store, 6);
    let mut plan = store.plan_purge(3 * SEGMENT);
    while let Some(next) = plan {
        plan = store.purged(next.run()).expect("they go");
    }
    assert_eq!((files(&fs, "a"), files(&fs, "b")), (vec![4], vec![3, 5]));
    assert_eq!(store.bounds("T", 0).min, 3);
}

#[test]
fn a_missing_directory_and_a_file_that_is_there_twice_are_damage() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs, with_paths(&["a", "b"], &[]));
    fill(&mut store, 4);
    store.close(WALL_MS).expect("it closes");
    drop(store);
    let try_open = |settings| Store::open(Arc::new(fs.clone()), settings, WALL_MS).map(drop);
    let missing = try_open(with_paths(&["a"], &[]));
    assert!(
        matches!(&missing, Err(StoreError::Damaged { what: "the position in the file name", .. })),
        "{missing:?}"
    );
    let copy = Path::new("/disks/b").join(format!("{:020}", 2 * SEGMENT));
    fs.open(&copy, Open::Create).and_then(|file| file.set_len(SEGMENT)).expect("it is made");
    let twice = try_open(with_paths(&["a", "b"], &[]));
    assert!(matches!(&twice, Err(StoreError::Damaged { path, .. }) if *path == copy), "{twice:?}");
}

#[test]
fn checks_and_repairs_see_all_of_them() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs, with_paths(&["a", "b"], &[]));
    fill(&mut store, 4);
    store.close(WALL_MS).expect("it closes");
    drop(store);
    let inspected = OfflineStore::open(&fs, ROOT, &outside(&["b", "a"])).expect("it opens").inspect();
    assert_eq!((inspected.segments, inspected.log_files_end), (4, 4 * SEGMENT));
    let check = || {
        let offline = OfflineStore::open(&fs, ROOT, &outside(&["a", "b"])).expect("it opens");
        let mut check = Verify::new(offline);
        while check.step(1 << 20).expect("it can be read") {}
        (check.report().is_sound(), check.report().records)
    };
    assert_eq!(check(), (true, 4));
    let damaged = fs.open(&Path::new("/disks/b").join(format!("{:020}", 3 * SEGMENT)), Open::ReadWrite);
    damaged.and_then(|file| file.write_all_at(b"?", 1000)).expect("it is written");
    assert_eq!(check(), (false, 3));
    let mut repair =
        Repair::new(Arc::new(fs.clone()), Path::new(ROOT), &outside(&["a", "b"]), false).expect("it opens");
    while repair.step(1 << 20).expect("it can be read") {}
    let plan = repair.plan().expect("there is one");
    repair.apply(&plan, 0, WALL_MS).expect("it is done");
    assert_eq!(check(), (true, 3));
    let (store, _) = open(&fs, with_paths(&["a", "b"], &[]));
    assert_eq!(bodies(&store, "T", 0).len(), 3);
}
