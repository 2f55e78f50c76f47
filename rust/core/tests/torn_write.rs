//! A torn tail is cut off and reported, and what was cut off cannot come back.

mod support;

use std::path::Path;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::store::{
    DiskFs, Fault, FaultFs, File, FileSystem, MemFs, Open, Recovery, Store, StoreError,
};
use std::sync::Arc;
use support::{WALL_MS, append, bodies, fetch, flush, open, send, settings, try_open};

fn segment(fs: &MemFs, path: &str) -> Arc<dyn File> {
    fs.open(Path::new(path), Open::ReadWrite).expect("the segment was made")
}

const LOG: &str = "/store/commitlog/00000000000000000000";
const QUEUE: &str = "/store/consumequeue/T/0/00000000000000000000";

/// A file system of its own for each case.
fn on_disk_and_in_memory(case: impl Fn(Arc<dyn FileSystem>, &Path)) {
    case(Arc::new(MemFs::new()), Path::new("/store"));
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    case(Arc::new(DiskFs), folder.path());
}

fn open_in(fs: &Arc<dyn FileSystem>, root: &Path) -> (Store, Recovery) {
    Store::open(Arc::clone(fs), settings(root), WALL_MS).expect("it opens")
}

/// Makes a store one that was never flushed.
fn forget_flushes(fs: &dyn FileSystem, root: &Path) {
    write(fs, &root.join("checkpoint"), &[0; 48]);
    fs.remove_file(&root.join("lite.cbor")).expect("it is there");
}

#[test]
fn every_cut_inside_the_last_record_keeps_the_ones_before() {
    on_disk_and_in_memory(|fs, root| {
        let log = root.join("commitlog/00000000000000000000");
        let (mut store, _) = open_in(&fs, root);
        send(&mut store, "T", 0, b"first");
        let last = send(&mut store, "T", 0, b"last");
        drop(store);
        let image = read(&*fs, &log, 4096);
        for cut in last.physical_offset as usize..last.end as usize {
            let mut torn = image.clone();
            torn[cut..].fill(0);
            let whole = torn == image;
            write(&*fs, &log, &torn);
            let (mut store, recovery) = open_in(&fs, root);
            assert_eq!(bodies(&store, "T", 0).len(), if whole { 2 } else { 1 }, "cut at {cut}");
            assert_eq!(recovery.end, if whole { last.end } else { last.physical_offset as u64 });
            let next = send(&mut store, "T", 0, b"next");
            assert_eq!(next.queue_offset, if whole { 2 } else { 1 });
            drop(store);
            let (store, recovery) = open_in(&fs, root);
            assert_eq!((recovery.cut_bytes, recovery.end), (0, next.end));
            assert_eq!(bodies(&store, "T", 0).last().map(Vec::as_slice), Some(&b"next"[..]));
            drop(store);
            // The next case begins where this one did, with a store that was never flushed.
            write(&*fs, &log, &image);
            forget_flushes(&*fs, root);
        }
    });
}

#[test]
fn every_garbled_byte_of_the_last_record_is_noticed_or_harmless() {
    on_disk_and_in_memory(|fs, root| {
        let log = root.join("commitlog/00000000000000000000");
        let (mut store, _) = open_in(&fs, root);
        send(&mut store, "T", 0, b"first");
        let last = send(&mut store, "T", 0, b"last");
        drop(store);
        let image = read(&*fs, &log, 4096);
        let (start, end) = (last.physical_offset as usize, last.end as usize);
        // What no checksum covers: queue, flag, queue offset, times, hosts, attempts, transaction, and the texts.
        let uncovered = |at: usize| matches!(at - start, 12..28 | 36..84 | 92..);
        for at in start..end {
            let mut garbled = image.clone();
            garbled[at] ^= 0x80;
            write(&*fs, &log, &garbled);
            match Store::open(Arc::clone(&fs), settings(root), WALL_MS) {
                Ok((store, recovery)) => {
                    let is_cut = recovery.end == last.physical_offset as u64 && recovery.cut_bytes > 0;
                    assert!(is_cut || (uncovered(at) && recovery.end == last.end), "{at}: {recovery:?}");
                    let first = fetch(&store, "T", 0, 0, &TagFilter::all());
                    assert!(first.count >= 1 && first.body[0].starts_with(&image[..start]), "{at}");
                }
                Err(error) => {
                    assert!(uncovered(at) && matches!(error, StoreError::Damaged { .. }), "{at}: {error}");
                }
            }
            write(&*fs, &log, &image);
            forget_flushes(&*fs, root);
            fs.remove_dir_all(&root.join("consumequeue")).expect("there are queues");
        }
    });
}

#[test]
fn records_behind_a_cut_do_not_come_back_when_the_gap_is_filled_exactly() {
    on_disk_and_in_memory(|fs, root| {
        let log = root.join("commitlog/00000000000000000000");
        let (mut store, _) = open_in(&fs, root);
        for body in [b"one", b"two", b"old", b"OLD"] {
            send(&mut store, "T", 0, body);
        }
        let second = send(&mut store, "T", 0, b"end").physical_offset as usize / 4;
        drop(store);
        let mut image = read(&*fs, &log, 4096);
        image[second + 89] ^= 1;
        write(&*fs, &log, &image);
        let (mut store, recovery) = open_in(&fs, root);
        assert_eq!((recovery.end, recovery.cut_bytes > 0), (second as u64, true));
        // A record of just the size of the one that was bad: the old third would follow it.
        assert_eq!(send(&mut store, "T", 0, b"new").physical_offset as usize, second);
        drop(store);
        let (mut store, recovery) = open_in(&fs, root);
        assert_eq!(recovery.cut_bytes, 0);
        assert_eq!(bodies(&store, "T", 0), [b"one", b"new"]);
        store.close(WALL_MS).expect("it closes");
        drop(store);
        assert_eq!(bodies(&open_in(&fs, root).0, "T", 0), [b"one", b"new"]);
    });
}

fn read(fs: &dyn FileSystem, path: &Path, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fs.open(path, Open::Read).and_then(|file| file.read_at(&mut bytes, 0)).expect("it can be read");
    bytes
}

fn write(fs: &dyn FileSystem, path: &Path, bytes: &[u8]) {
    fs.open(path, Open::ReadWrite).and_then(|file| file.write_all_at(bytes, 0)).expect("it can be written");
}

#[test]
fn a_flipped_bit_cuts_there_and_nothing_behind_it_returns() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let places: Vec<_> = (0..20).map(|i| send(&mut store, "T", 0, format!("body {i}").as_bytes())).collect();
    drop(store);
    let broken = places[5].physical_offset as u64;
    let mut byte = [0];
    segment(&fs, LOG).read_at(&mut byte, broken + 89).unwrap();
    segment(&fs, LOG).write_all_at(&[byte[0] ^ 1], broken + 89).unwrap();

    let (mut store, recovery) = open(&fs);
    assert_eq!(recovery.end, broken);
    assert!(recovery.cut_bytes > 0);
    assert_eq!(store.bounds("T", 0).max, 5);
    for _ in 0..30 {
        send(&mut store, "Other", 0, b"fills the place of what was cut");
    }
    store.close(WALL_MS).unwrap();
    drop(store);
    let (mut store, _) = open(&fs);
    assert_eq!(store.bounds("T", 0).max, 5, "entries that were cut came back");
    assert_eq!(send(&mut store, "T", 0, b"sixth").queue_offset, 5);
    assert_eq!(bodies(&store, "T", 0).len(), 6);
}

#[test]
fn entries_that_point_elsewhere_are_dropped() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"real");
    store.close(WALL_MS).unwrap();
    drop(store);
    let mut entry = [0; 20];
    segment(&fs, QUEUE).read_at(&mut entry, 0).unwrap();
    segment(&fs, QUEUE).write_all_at(&entry, 20).unwrap();
    let (store, _) = open(&fs);
    assert_eq!(store.bounds("T", 0).max, 1);
}

#[test]
fn a_short_segment_is_refused_by_name() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"x");
    drop(store);
    segment(&fs, LOG).set_len(4000).unwrap();
    match try_open(&fs) {
        Err(StoreError::SegmentLength { path, expected: 4096, found: 4000 }) => {
            assert_eq!(path, Path::new(LOG));
        }
        other => panic!("{other:?}"),
    }
}

/// A workload of sends and flushes, ended by the first error.
fn work(fs: &FaultFs) -> (Vec<Vec<u8>>, Option<StoreError>) {
    let mut acknowledged = Vec::new();
    let mut store = match try_open(fs) {
        Ok((store, _)) => store,
        Err(error) => return (acknowledged, Some(error)),
    };
    for i in 0..30_u32 {
        let body = vec![b'x'; 100 + i as usize * 7];
        let sent = append(&mut store, "T", 0, &body, "a").and_then(|_| store.write_run());
        let sent = sent.and_then(|end| store.release(end)).map(|_| acknowledged.push(body));
        let done = sent.and_then(|()| if i % 5 == 4 { flush(&mut store).map(drop) } else { Ok(()) });
        if let Err(error) = done {
            let after = append(&mut store, "T", 0, b"after", "a").and_then(|_| store.write_run());
            if matches!(error, StoreError::Io { op: "sync", .. }) {
                assert!(matches!(after, Err(StoreError::Poisoned { .. })), "{after:?}");
            }
            return (acknowledged, Some(error));
        }
    }
    (acknowledged, None)
}

#[test]
fn every_fault_at_every_call_loses_nothing_acknowledged() {
    let faults = [
        Fault::Create,
        Fault::Write,
        Fault::ShortWrite,
        Fault::LateWrite,
        Fault::SetLen,
        Fault::Sync,
        Fault::SyncDir,
    ];
    for fault in faults {
        let clean = FaultFs::new(Arc::new(MemFs::new()));
        assert!(work(&clean).1.is_none());
        let calls = clean.calls(fault);
        assert!(calls > 0, "{fault:?} never happens");
        for n in 1..=calls {
            let disk = MemFs::new();
            let fs = FaultFs::new(Arc::new(disk.clone()));
            fs.fail(fault, n, std::io::ErrorKind::Other);
            let (acknowledged, error) = work(&fs);
            assert!(error.is_some(), "{fault:?} {n} went unnoticed");
            let (store, _) = open(&disk);
            let found = bodies(&store, "T", 0);
            assert!(
                found.len() >= acknowledged.len(),
                "{fault:?} {n}: {} of {}",
                found.len(),
                acknowledged.len()
            );
            assert_eq!(found[..acknowledged.len()], acknowledged, "{fault:?} {n}");
        }
    }
}
