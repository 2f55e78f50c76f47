//! A process that appends is killed, again and again, on a real disk.
//!
//! What an acknowledgement promises here: a message whose run was written and released survives the death of the
//! process, whatever the flush mode (that of the machine is another matter). So after each kill the store must hold the
//! messages 0 to n without a gap, n at least the last one acknowledged, each in its queue and in order, body for
//! body. The child is this test binary again; its acknowledgements come through a pipe, so none is lost with it.
//!
//! The seed is printed; `CRASH_SEED` repeats it. When the kill hits is up to the machine all the same.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rocketmq_lite_core::store::{DiskFs, FlushMode, Recovery, Store, StoreError, StoreSettings};
use support::chance::Chance;
use support::{WALL_MS, append, bodies, flush, settings, settle};

const ROUNDS: u64 = 20;
const ROOT_VARIABLE: &str = "ROCKETMQ_LITE_CRASH_ROOT";
const SEED_VARIABLE: &str = "CRASH_SEED";

fn topic(n: u64) -> (&'static str, i32) {
    (["Even", "Odd"][(n % 2) as usize], (n / 2 % 3) as i32)
}

fn body(n: u64) -> Vec<u8> {
    let mut chance = Chance::new(n);
    let len = chance.below(2000) as usize;
    [&n.to_be_bytes()[..], &(0..len).map(|_| chance.next() as u8).collect::<Vec<_>>()].concat()
}

fn open_at(root: &Path, seed: u64) -> Result<(Store, Recovery), StoreError> {
    let flush = if seed.is_multiple_of(2) { FlushMode::Sync } else { FlushMode::Async { interval_ms: 500 } };
    let settings = StoreSettings { segment_size: 65_536, consume_queue_entries: 50, flush, ..settings(root) };
    Store::open(Arc::new(DiskFs), settings, WALL_MS)
}

/// How many messages the store holds, after comparing each with what was sent.
fn check(store: &Store) -> u64 {
    let mut numbers = Vec::new();
    for name in ["Even", "Odd"] {
        for queue in 0..3 {
            let found: Vec<u64> = bodies(store, name, queue)
                .iter()
                .map(|found| {
                    let n = u64::from_be_bytes(*found.first_chunk().unwrap());
                    assert!(*found == body(n) && topic(n) == (name, queue), "message {n} in {name} {queue}");
                    n
                })
                .collect();
            assert!(found.is_sorted(), "{name} {queue}: {found:?}");
            numbers.extend(found);
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    numbers.len() as u64
}

/// Not a test of its own: the child, which appends until it is killed.
#[test]
#[expect(clippy::disallowed_methods, reason = "how the parent speaks to the child")]
fn child() {
    let Some(root) = std::env::var_os(ROOT_VARIABLE) else { return };
    let seed: u64 = std::env::var(SEED_VARIABLE).unwrap().parse().unwrap();
    let (mut store, _) = open_at(Path::new(&root), seed).unwrap();
    let mut n = check(&store);
    let mut chance = Chance::new(seed);
    let mut out = std::io::stdout();
    writeln!(out, "\nacknowledged {n}").unwrap();
    loop {
        for _ in 0..=chance.below(8) {
            let (topic, queue) = topic(n);
            append(&mut store, topic, queue, &body(n), "tag").unwrap();
            n += 1;
        }
        if store.flush_mode() == FlushMode::Sync {
            store.write_run().unwrap();
            flush(&mut store).unwrap();
        } else if chance.below(20) == 0 {
            let plan = store.plan_flush(WALL_MS + 60_000);
            plan.map(|plan| store.flushed(plan.run()).unwrap());
        }
        settle(&mut store).unwrap();
        writeln!(out, "acknowledged {n}").unwrap();
    }
}

/// Starts a child, kills it after some acknowledgements, and returns the last one.
fn run_and_kill(root: &Path, seed: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROOT_VARIABLE, root)
        .env(SEED_VARIABLE, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let number = |line: String| line.strip_prefix("acknowledged ").and_then(|n| n.parse::<u64>().ok());
    let kill_after = 1 + Chance::new(seed).below(150);
    let mut last = None;
    for _ in 0..kill_after {
        last = lines.by_ref().find_map(number);
        assert!(last.is_some(), "the child ended by itself");
    }
    match open_at(root, seed) {
        Err(StoreError::Locked { path }) => assert_eq!(path, root.join("lock")),
        other => panic!("the child's store was opened: {:?}", other.map(|(_, recovery)| recovery)),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.filter_map(number).last().or(last).unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "to repeat a run")]
fn acknowledged_messages_survive_the_process() {
    let chosen = std::env::var(SEED_VARIABLE).ok().and_then(|seed| seed.parse().ok());
    let first: u64 = chosen.unwrap_or_else(|| std::process::id().into());
    let folder = tempfile::tempdir().unwrap();
    for seed in first..first + ROUNDS {
        let acknowledged = run_and_kill(folder.path(), seed);
        let (mut store, recovery) = open_at(folder.path(), seed).unwrap();
        let context = format!("{SEED_VARIABLE}={first}, round {seed}: {recovery:?}");
        writeln!(std::io::stderr(), "{context}").unwrap();
        assert!(!recovery.clean && recovery.unreadable == 0, "{context}");
        let found = check(&store);
        assert!(found >= acknowledged, "{context}: {found} of {acknowledged}");
        // The next life begins after a crash or, every third time, in order.
        if seed.is_multiple_of(3) {
            store.close(WALL_MS).unwrap();
            drop(store);
            let (store, recovery) = open_at(folder.path(), seed).unwrap();
            assert!(recovery.clean && recovery.redispatched == 0, "{context}");
            assert_eq!(check(&store), found, "{context}");
        }
    }
}
