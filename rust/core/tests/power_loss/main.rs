//! The power goes, and the disk has of what was on its way whatever it likes.
//!
//! A store works on a file system that writes down every call (`workload`). At many moments of that work the power is cut:
//! what had been synced is there, of the rest the disk has nothing, everything, all but one block, one block, or any choice
//! (`images`). From each such disk a store has to open and keep what it promised (`promises`):
//! - under synchronous flush every acknowledged message is there; under asynchronous flush every one that is older than the
//!   flush interval;
//! - nothing else is there than what was sent, whole, in order and without gaps, queues and index agree with the log;
//! - opening it again, or after another cut in the middle of opening it, comes to the same.
//!
//! The seed is printed; `POWER_LOSS_SEED` repeats it. `POWER_LOSS_SUBSETS` is how many choices are made at random for each
//! cut; with it there are more cuts, too, and up to 40 single blocks are left out and kept alone at each (`make crash`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test's helpers fail loudly, and its long version shows progress"
)]

mod images;
mod promises;
#[path = "../support/mod.rs"]
mod support;
mod workload;

use images::{Effort, each_image, few_moments};
use rocketmq_lite_core::store::{FlushMode, JournalFs};
use support::chance::Chance;
use workload::{Log, Work};

/// Cuts the power at some moments of a workload, and checks every disk that may leave.
fn cut_everywhere(flush: FlushMode, seed: u64, effort: &Effort) {
    let log = Work::run(flush, seed);
    let mut chance = Chance::new(seed);
    let mut images = 0;
    for moment in effort.moments(log.journal.len(), &mut chance) {
        for block in [4096, 512] {
            let cut = log.journal.power_cut(moment, block);
            each_image(&cut, effort, &mut chance, |name, disk| {
                let context = format!("POWER_LOSS_SEED={seed}, {flush:?}, at {moment}, {block}: {name}");
                let state = promises::check(&log, moment, disk, &context);
                if images % effort.interrupt_every == 0 {
                    interrupt_recovery(&log, disk, &state, effort, &context);
                }
                images += 1;
            });
        }
    }
    eprintln!("{flush:?}, seed {seed}: {} calls, {images} disks", log.journal.len());
}

/// Cuts the power again while the store is opened.
fn interrupt_recovery(
    log: &Log,
    disk: &rocketmq_lite_core::store::MemFs,
    expected: &promises::State,
    effort: &Effort,
    context: &str,
) {
    let fs = JournalFs::new(disk.snapshot()).unwrap();
    drop(log.open(&fs));
    let recovery = fs.so_far();
    let mut chance = Chance::new(recovery.len() as u64);
    for moment in few_moments(recovery.len(), &mut chance) {
        each_image(&recovery.power_cut(moment, 512), &effort.least(), &mut chance, |name, disk| {
            let context = format!("{context}; again at {moment} of the start: {name}");
            let (store, _) = log.try_open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
            promises::same(&promises::state(&store), expected, &context);
        });
    }
}

fn seeds(effort: &Effort) -> std::ops::Range<u64> {
    let first = Effort::first_seed();
    first..first + effort.workloads
}

#[test]
fn synchronous_flush_loses_nothing_acknowledged() {
    let effort = Effort::asked_for();
    for seed in seeds(&effort) {
        cut_everywhere(FlushMode::Sync, seed, &effort);
    }
}

#[test]
fn asynchronous_flush_loses_no_more_than_its_interval() {
    let effort = Effort::asked_for();
    for seed in seeds(&effort) {
        cut_everywhere(FlushMode::Async { interval_ms: workload::INTERVAL_MS as u64 }, seed, &effort);
    }
}
