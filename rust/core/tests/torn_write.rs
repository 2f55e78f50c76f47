//! A torn tail is cut off and reported, and what was cut off cannot come back.

mod support;

use std::path::Path;

use rocketmq_lite_core::store::{Fault, FaultFs, File, FileSystem, MemFs, Open, StoreError};
use std::sync::Arc;
use support::{append, bodies, flush, open, send, try_open};

fn segment(fs: &MemFs, path: &str) -> Arc<dyn File> {
    fs.open(Path::new(path), Open::ReadWrite).expect("the segment was made")
}

const LOG: &str = "/store/commitlog/00000000000000000000";
const QUEUE: &str = "/store/consumequeue/T/0/00000000000000000000";

#[test]
fn every_cut_inside_the_last_record_keeps_the_ones_before() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"first");
    let last = send(&mut store, "T", 0, b"last");
    drop(store);
    for cut in last.physical_offset as u64..last.end {
        let image = fs.snapshot();
        let rest = vec![0; (last.end - cut) as usize];
        let mut was = vec![0; rest.len()];
        segment(&image, LOG).read_at(&mut was, cut).unwrap();
        segment(&image, LOG).write_all_at(&rest, cut).unwrap();
        let (mut store, recovery) = open(&image);
        let whole = was == rest;
        assert_eq!(bodies(&store, "T", 0).len(), if whole { 2 } else { 1 }, "cut at {cut}");
        assert_eq!(recovery.end, if whole { last.end } else { last.physical_offset as u64 });
        let next = send(&mut store, "T", 0, b"next");
        assert_eq!(next.queue_offset, if whole { 2 } else { 1 });
        drop(store);
        let (store, _) = open(&image);
        assert_eq!(bodies(&store, "T", 0).last().unwrap(), b"next");
    }
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
    store.close(support::WALL_MS).unwrap();
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
    store.close(support::WALL_MS).unwrap();
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
