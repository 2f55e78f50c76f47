//! Many messages in many small files: what grows with them is on the disk, and a restart does not go over all of it.
//!
//! The short form of `make soak-store`, which does the same to a broker with a hundred million messages.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::store::{DiskFs, FlushMode, Recovery, Store, StoreSettings};

mod support;
use support::{WALL_MS, fetch, record, settle};

const TOPIC: &str = "Accumulated";
const QUEUES: i32 = 16;
const RUNS: i64 = 40;
const RUN: i64 = 1000;
const MESSAGES: i64 = RUNS * RUN;
/// Between two runs: some of the store's intervals pass on the way.
const RUN_MS: i64 = 1_000;
const SEGMENT: u64 = 128 * 1024;

fn open(root: &Path, wall_ms: i64) -> (Store, Recovery) {
    let settings = StoreSettings {
        segment_size: SEGMENT,
        consume_queue_entries: 500,
        flush: FlushMode::Async { interval_ms: 500 },
        ..StoreSettings::new(root)
    };
    Store::open(Arc::new(DiskFs), settings, wall_ms).unwrap()
}

/// Fills a store as a broker does: run after run, a flush behind each.
fn fill(store: &mut Store, runs: std::ops::Range<i64>) {
    for run in runs {
        let wall_ms = WALL_MS + run * RUN_MS;
        for number in run * RUN..(run + 1) * RUN {
            let body = format!("{number:0128}");
            let properties = format!("UNIQ_KEY\u{1}{number:032X}\u{2}");
            let record =
                record(TOPIC, (number % i64::from(QUEUES)) as i32, body.as_bytes(), properties.as_bytes());
            store.append(&record, wall_ms).unwrap();
        }
        settle(store).unwrap();
        while let Some(plan) = store.plan_flush(wall_ms) {
            store.flushed(plan.run()).unwrap();
        }
    }
}

/// Every queue has its share, and its first, middle and last message are those that were sent.
fn check_all(store: &Store, messages: i64) {
    for queue in 0..QUEUES {
        let bounds = store.bounds(TOPIC, queue);
        assert_eq!((bounds.min, bounds.max), (0, messages / i64::from(QUEUES)));
        for offset in [0, bounds.max / 2, bounds.max - 1] {
            let fetched = fetch(store, TOPIC, queue, offset, &TagFilter::all());
            let expected = format!("{:0128}", offset * i64::from(QUEUES) + i64::from(queue));
            let body = fetched.body.concat();
            assert!(
                body.windows(expected.len()).any(|window| window == expected.as_bytes()),
                "{queue} {offset}"
            );
        }
    }
}

#[test]
fn restarts_are_bounded_by_what_was_not_checkpointed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path(), WALL_MS);
    fill(&mut store, 0..RUNS);
    let end = store.appended_end();
    assert!(end > 50 * SEGMENT, "{end}");
    check_all(&store, MESSAGES);
    store.close(WALL_MS + RUNS * RUN_MS).unwrap();
    drop(store);

    let (mut store, clean) = open(dir.path(), WALL_MS + RUNS * RUN_MS);
    assert!(clean.clean && clean.end == end, "{clean:?}");
    assert!(clean.end - clean.scanned_from <= 3 * SEGMENT, "{clean:?}");
    check_all(&store, MESSAGES);
    fill(&mut store, RUNS..RUNS + RUNS / 2);
    // Ended as a kill ends it: nothing is closed.
    let end = store.appended_end();
    drop(store);

    let (store, killed) = open(dir.path(), WALL_MS + 2 * RUNS * RUN_MS);
    assert!(!killed.clean && killed.end == end && killed.cut_bytes == 0, "{killed:?}");
    assert!(killed.end - killed.scanned_from < end / 4, "{killed:?}");
    check_all(&store, MESSAGES + MESSAGES / 2);
}
