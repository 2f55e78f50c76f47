//! A process that appends dies, again and again, on a real disk.
//!
//! What an acknowledgement promises here: a message whose run was written and released survives the death of the
//! process, whatever the flush mode (that of the machine is another matter: `power_loss`). So after each death the store
//! must hold the messages 0 to n without a gap, n at least the last one acknowledged, each in its queue and in order, body
//! for body, and queues and log must agree. The child is this test binary again; its acknowledgements come through a pipe,
//! so none is lost with it.
//!
//! A child dies by a kill at any time, or by itself at a point that has a name ([`POINTS`]). Some rounds have it die while
//! it recovers what the one before left, several times in a row.
//!
//! The seed is printed; `CRASH_SEED` repeats it. When a kill hits is up to the machine all the same. `CRASH_ROUNDS` is how
//! many there are (`make crash`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test's helpers fail loudly; variables are how the parent speaks to the child, and people to the parent"
)]

mod support;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use rocketmq_lite_core::store::{
    DiskFs, Fault, FaultFs, FileSystem, FlushMode, OfflineStore, Outside, Recovery, Store, StoreError,
    StoreSettings, Verify,
};
use support::chance::Chance;
use support::{WALL_MS, append, bodies, flush, settings, settle};

const ROUNDS: u64 = 32;
/// Rounds that share a directory.
const LIVES: u64 = 10;
const LANES: u64 = 2;
const ROOT_VARIABLE: &str = "ROCKETMQ_LITE_CRASH_ROOT";
const POINT_VARIABLE: &str = "ROCKETMQ_LITE_CRASH_POINT";
const SEED_VARIABLE: &str = "CRASH_SEED";
const ROUNDS_VARIABLE: &str = "CRASH_ROUNDS";
/// A child that has not come to its point by then ends here.
const MOST_MESSAGES: u64 = 400;

/// Where a child dies by itself: what it is called, the files, and the call that is about to be made.
const POINTS: [(&str, &str, Fault); 11] = [
    ("before the log is written", "commitlog", Fault::Write),
    ("in the middle of a write of the log", "commitlog", Fault::ShortWrite),
    ("after the append, before the flush", "commitlog", Fault::Sync),
    ("after the flush, before the answer", "lite.cbor", Fault::Write),
    ("between log and queue", "consumequeue", Fault::Write),
    ("in the middle of a write of a queue", "consumequeue/", Fault::ShortWrite),
    ("in the middle of a write of an extension", "consumequeue_ext", Fault::ShortWrite),
    ("while a segment is made", "commitlog", Fault::Create),
    ("before a segment has its length", "commitlog", Fault::SetLen),
    ("before a queue's file has its length", "consumequeue", Fault::SetLen),
    ("while the checkpoint is written", "checkpoint", Fault::Write),
];
/// What a start does that a death can come before.
const START_POINTS: [Fault; 6] =
    [Fault::Create, Fault::Write, Fault::Sync, Fault::SyncDir, Fault::Zero, Fault::Remove];

/// How a child dies.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// Killed after so many acknowledgements.
    Killed(u64),
    /// By itself at the nth call of a point.
    AtPoint(usize, u64),
    /// By itself at the nth such call of its start.
    InStart(usize, u64),
}

impl Death {
    fn choose(chance: &mut Chance) -> Self {
        let nth = 1 + chance.below(30);
        match chance.below(10) {
            0..4 => Self::Killed(1 + chance.below(60)),
            4..8 => Self::AtPoint(chance.below(POINTS.len() as u64) as usize, nth),
            _ => Self::InStart(chance.below(START_POINTS.len() as u64) as usize, 1 + nth / 6),
        }
    }

    fn as_variable(self) -> String {
        match self {
            Self::Killed(_) => String::new(),
            Self::AtPoint(point, nth) => format!("point {point} {nth}"),
            Self::InStart(point, nth) => format!("start {point} {nth}"),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Killed(after) => format!("killed after {after}"),
            Self::AtPoint(point, nth) => format!("{}, {nth}", POINTS[point].0),
            Self::InStart(point, nth) => format!("in the start, {:?} {nth}", START_POINTS[point]),
        }
    }

    /// In the child: arms what the variable says, of the start or of what comes after it.
    fn arm(variable: &str, fs: &FaultFs, is_start: bool) {
        let words: Vec<&str> = variable.split(' ').collect();
        let [kind, point, nth] = words[..] else { return };
        let (point, nth): (usize, u64) = (point.parse().unwrap(), nth.parse().unwrap());
        match kind {
            "start" if is_start => fs.die_in("", START_POINTS[point], nth),
            "point" if !is_start => fs.die_in(POINTS[point].1, POINTS[point].2, nth),
            _ => {}
        }
    }
}

fn topic(n: u64) -> (&'static str, i32) {
    (["Even", "Odd"][(n % 2) as usize], (n / 2 % 3) as i32)
}

fn body(n: u64) -> Vec<u8> {
    let mut chance = Chance::new(n);
    let len = chance.below(600) as usize;
    [&n.to_be_bytes()[..], &(0..len).map(|_| chance.next() as u8).collect::<Vec<_>>()].concat()
}

fn open_at(root: &Path, seed: u64) -> Result<(Store, Recovery), StoreError> {
    open_in(Arc::new(DiskFs), root, seed)
}

fn open_in(fs: Arc<dyn FileSystem>, root: &Path, seed: u64) -> Result<(Store, Recovery), StoreError> {
    let flush = if seed.is_multiple_of(3) { FlushMode::Sync } else { FlushMode::Async { interval_ms: 500 } };
    // On in some lives of a directory and off in others.
    let ext_segment_size = (seed / LANES).is_multiple_of(2).then_some(256);
    let settings = StoreSettings {
        segment_size: 16_384,
        consume_queue_entries: 50,
        ext_segment_size,
        flush,
        ..settings(root)
    };
    Store::open(fs, settings, WALL_MS)
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

/// Not a test of its own: the child, which appends until it dies.
#[test]
fn child() {
    let Some(root) = env::var_os(ROOT_VARIABLE) else { return };
    let seed: u64 = env::var(SEED_VARIABLE).unwrap().parse().unwrap();
    let death = env::var(POINT_VARIABLE).unwrap();
    let fs = FaultFs::new(Arc::new(DiskFs));
    Death::arm(&death, &fs, true);
    let (mut store, _) = open_in(Arc::new(fs.clone()), Path::new(&root), seed).unwrap();
    let first = check(&store);
    let mut n = first;
    let mut chance = Chance::new(seed);
    let mut out = std::io::stdout();
    writeln!(out, "\nacknowledged {n}").unwrap();
    Death::arm(&death, &fs, false);
    // One that is to be killed goes on until it is.
    while death.is_empty() || n < first + MOST_MESSAGES {
        for _ in 0..=chance.below(8) {
            let (topic, queue) = topic(n);
            append(&mut store, topic, queue, &body(n), "tag").unwrap();
            n += 1;
        }
        if store.flush_mode() == FlushMode::Sync {
            store.write_run().unwrap();
            flush(&mut store).unwrap();
        } else if chance.below(8) == 0 {
            let plan = store.plan_flush(WALL_MS + 60_000);
            plan.map(|plan| store.flushed(plan.run()).unwrap());
        }
        settle(&mut store).unwrap();
        writeln!(out, "acknowledged {n}").unwrap();
    }
    std::process::abort();
}

/// Starts a child and sees it die; the last acknowledgement, if there was one.
fn live_and_die(root: &Path, seed: u64, death: Death) -> Option<u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROOT_VARIABLE, root)
        .env(SEED_VARIABLE, seed.to_string())
        .env(POINT_VARIABLE, death.as_variable())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let number = |line: String| line.strip_prefix("acknowledged ").and_then(|n| n.parse::<u64>().ok());
    let mut last = None;
    if let Death::Killed(after) = death {
        for _ in 0..after {
            last = lines.by_ref().find_map(number);
            assert!(last.is_some(), "the child ended by itself");
        }
        match open_at(root, seed) {
            Err(StoreError::Locked { path }) => assert_eq!(path, root.join("lock")),
            other => panic!("the child's store was opened: {:?}", other.map(|(_, recovery)| recovery)),
        }
        child.kill().unwrap();
    }
    let last = lines.filter_map(number).last().or(last);
    let ended = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && !complaints.contains("panicked"), "{}: {complaints}", death.name());
    last
}

/// Every record has its entry, and every entry its record.
fn verify(root: &Path) {
    let mut verify = Verify::new(OfflineStore::open(&DiskFs, root, &Outside::default()).unwrap());
    while verify.step(u64::MAX).unwrap() {}
    let report = verify.report();
    assert!(report.findings.is_empty() && report.unreadable + report.without_entry == 0, "{report:?}");
}

fn survive(root: &Path, seed: u64, acknowledged: &mut u64) {
    let death = Death::choose(&mut Chance::new(seed));
    *acknowledged = live_and_die(root, seed, death).unwrap_or(0).max(*acknowledged);
    // Mostly not looked at: the next start recovers what this one left in the middle of recovering.
    if matches!(death, Death::InStart(..)) && !seed.is_multiple_of(5) {
        return;
    }
    let (mut store, recovery) = open_at(root, seed).unwrap();
    let context = format!("seed {seed}, {}: {recovery:?}", death.name());
    assert!(recovery.unreadable == 0, "{context}");
    let found = check(&store);
    assert!(found >= *acknowledged, "{context}: {found} of {acknowledged}");
    // The next life begins after a crash or, every third time, in order.
    if seed.is_multiple_of(3) {
        store.close(WALL_MS).unwrap();
        drop(store);
        verify(root);
        let (store, recovery) = open_at(root, seed).unwrap();
        assert!(recovery.clean && recovery.redispatched == 0, "{context}");
        assert_eq!(check(&store), found, "{context}");
    }
}

fn lane(seeds: impl Iterator<Item = u64>) {
    let mut folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for (round, seed) in (1..).zip(seeds) {
        survive(folder.path(), seed, &mut acknowledged);
        if round % LIVES == 0 {
            eprintln!("{}: {round} rounds", thread::current().name().unwrap_or_default());
            folder = tempfile::tempdir().unwrap();
            acknowledged = 0;
        }
    }
}

#[test]
fn acknowledged_messages_survive_the_process() {
    let number = |variable| env::var(variable).ok().and_then(|number| number.parse::<u64>().ok());
    let first = number(SEED_VARIABLE).unwrap_or_else(|| std::process::id().into());
    let rounds = number(ROUNDS_VARIABLE).unwrap_or(ROUNDS);
    eprintln!("{SEED_VARIABLE}={first}, {rounds} rounds");
    thread::scope(|scope| {
        for number in 0..LANES {
            let seeds = (first..first + rounds).filter(move |seed| seed % LANES == number);
            let lane = move || lane(seeds);
            thread::Builder::new().name(format!("lane {number}")).spawn_scoped(scope, lane).unwrap();
        }
    });
}
