//! Every fault at every call on every kind of file, over the whole run of a small workload: what was acknowledged is there
//! after the next start, nothing is acknowledged after a failed fsync, and nothing panics or goes on for ever.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{
    Fault, FaultFs, FileSystem, FlushMode, IndexShape, MemFs, OfflineStore, Open, Outside, Report, Store,
    StoreError, StoreSettings, Verify,
};
use support::{ROOT, WALL_MS, bodies, extended, record, settle};

const KINDS: [&str; 7] =
    ["commitlog", "consumequeue/", "consumequeue_ext", "index", "checkpoint", "lite.cbor", "abort"];
const FAULTS: [Fault; 11] = [
    Fault::Create,
    Fault::Open,
    Fault::Write,
    Fault::ShortWrite,
    Fault::LateWrite,
    Fault::SetLen,
    Fault::Zero,
    Fault::Sync,
    Fault::SyncDir,
    Fault::Rename,
    Fault::Remove,
];
const MESSAGES: usize = 24;
/// Where the log begins after the purge.
const PURGED: i64 = 2 * 4096;

fn try_open(fs: Arc<dyn FileSystem>) -> Result<Store, StoreError> {
    let index = IndexShape { slots: 8, entries: 16 };
    let settings = StoreSettings { flush: FlushMode::Sync, index, ..extended(ROOT) };
    Store::open(fs, settings, WALL_MS).map(|(store, _)| store)
}

fn body(number: usize) -> Vec<u8> {
    vec![number as u8; 200 + number * 40]
}

/// Appends, writes and flushes a message, which may be acknowledged then; where it lies.
fn send(store: &mut Store, number: usize, wall_ms: i64) -> Result<i64, StoreError> {
    let properties = format!("KEYS\u{1}K{number}\u{2}");
    let body = body(number);
    let placed = store.append(&record("T", 0, &body, properties.as_bytes()), wall_ms)?;
    let end = store.write_run()?;
    while let Some(plan) = store.plan_flush(wall_ms) {
        store.flushed(plan.run())?;
        if !store.is_flushing_queues() {
            break;
        }
    }
    assert!(store.flushed_end() >= end, "flushed, it says");
    Ok(placed.physical_offset)
}

/// Works on in spite of errors; the messages that were acknowledged, in order, and where they lie.
fn work(fs: &FaultFs) -> Vec<(usize, i64)> {
    let mut acknowledged = Vec::new();
    let Ok(mut store) = try_open(Arc::new(fs.clone())) else { return acknowledged };
    let mut is_poisoned = false;
    for number in 0..MESSAGES {
        let wall_ms = WALL_MS + number as i64 * 3_000;
        match send(&mut store, number, wall_ms) {
            Ok(physical) => {
                assert!(!is_poisoned, "acknowledged after a failed flush");
                acknowledged.push((number, physical));
            }
            Err(StoreError::Io { op: "sync", .. } | StoreError::Poisoned { .. }) => is_poisoned = true,
            Err(_) => {}
        }
        // What a queue cannot take now is tried again later.
        let _ = settle(&mut store);
        if let Some(plan) = store.plan_index(wall_ms) {
            let _ = store.indexed(plan.run());
        }
        if number == MESSAGES / 2 {
            let mut plan = store.plan_purge(PURGED as u64);
            while let Some(next) = plan {
                plan = store.purged(next.run()).unwrap_or_default();
            }
        }
    }
    let _ = store.close(WALL_MS + 100_000);
    acknowledged
}

/// All messages that are there, once the disk is well again.
fn found(disk: &MemFs) -> Vec<Vec<u8>> {
    let mut store = try_open(Arc::new(disk.clone())).unwrap();
    let found = bodies(&store, "T", 0);
    send(&mut store, 0, WALL_MS).unwrap();
    found
}

#[test]
fn nothing_acknowledged_is_lost_by_any_fault_anywhere() {
    let clean = FaultFs::new(Arc::new(MemFs::new()));
    assert_eq!(work(&clean).len(), MESSAGES);
    let mut hits = 0;
    for part in KINDS {
        for fault in FAULTS {
            let kind = if fault == Fault::ShortWrite { ErrorKind::StorageFull } else { ErrorKind::Other };
            for nth in 1..=clean.calls_in(part, fault) {
                let disk = MemFs::new();
                let fs = FaultFs::new(Arc::new(disk.clone()));
                fs.fail_in(part, fault, nth, kind);
                let acknowledged = work(&fs);
                let found = found(&disk);
                let context = format!("{fault:?} {nth} in {part}");
                for (number, _) in acknowledged.into_iter().filter(|(_, physical)| *physical >= PURGED) {
                    assert!(found.contains(&body(number)), "{context}: {number} is lost");
                }
                assert!(found.is_sorted_by_key(|body| body[0]), "{context}");
                hits += 1;
            }
        }
    }
    assert!(hits > 200, "{hits}");
}

fn len_of(disk: &MemFs, path: &str) -> u64 {
    disk.open(Path::new(path), Open::Read).unwrap().len().unwrap()
}

fn flipped(disk: &MemFs, path: &str, at: u64) -> MemFs {
    let disk = disk.snapshot();
    let file = disk.open(Path::new(path), Open::ReadWrite).unwrap();
    let mut byte = [0];
    assert_eq!(file.read_at(&mut byte, at).unwrap(), 1, "{path} has {at}");
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
    disk
}

fn opened(disk: &MemFs) -> Vec<Vec<u8>> {
    bodies(&try_open(Arc::new(disk.clone())).unwrap(), "T", 0)
}

fn verify(disk: &MemFs) -> Report {
    let mut verify = Verify::new(OfflineStore::open(disk, ROOT, &Outside::default()).unwrap());
    while verify.step(u64::MAX).unwrap() {}
    verify.report().clone()
}

#[test]
fn a_flipped_bit_beside_the_log_costs_no_message_or_is_found() {
    let disk = MemFs::new();
    let mut store = try_open(Arc::new(disk.clone())).unwrap();
    for number in 0..12 {
        send(&mut store, number, WALL_MS).unwrap();
        settle(&mut store).unwrap();
    }
    while let Some(plan) = store.plan_index(WALL_MS + 20_000) {
        if !store.indexed(plan.run()).unwrap().has_more {
            break;
        }
    }
    let crashed = disk.snapshot();
    store.close(WALL_MS).unwrap();
    drop(store);
    let index = disk.list(Path::new("/store/index")).unwrap().remove(0).name;
    let expected: Vec<_> = (0..12).map(body).collect();
    for (path, len) in [
        ("/store/consumequeue/T/0/00000000000000000000", 160),
        ("/store/consumequeue_ext/T/0/00000000000000000000", 60),
        ("/store/checkpoint", 48),
        (&*format!("/store/index/{index}"), 40 + 8 * 4 + 16 * 20),
        ("/store/lite.cbor", 40),
    ] {
        let shorter = [&disk, &crashed].map(|disk| len_of(disk, path)).into_iter().min().unwrap();
        for at in 0..shorter.min(len) {
            if path.contains("consumequeue") {
                let report = verify(&flipped(&disk, path, at));
                assert!(!report.is_sound(), "{path} at {at} is not found");
            } else {
                assert!(opened(&flipped(&disk, path, at)) == expected, "{path} at {at}");
            }
            // After a crash everything since the checkpoint is compared with the log.
            assert!(opened(&flipped(&crashed, path, at)) == expected, "{path} at {at} after a crash");
        }
    }
}
