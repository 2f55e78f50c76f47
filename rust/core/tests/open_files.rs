//! Ten thousand queues need no more than 512 open files, and nothing notices.

mod support;

use std::fs;
use std::sync::Arc;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::store::{DiskFs, FetchStatus, ReadOutcome, ReadRequest, Store};
use support::{WALL_MS, append, bodies, fetch, flush, settings, settle};

const QUEUES: i32 = 10_000;
/// Of the store; the rest is the test's own, the lock and what a flush has open for a moment.
const MOST: usize = 512 + 40;

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn ten_thousand_queues_take_few_descriptors() {
    // Syncing forty thousand names takes minutes on a disk, and is not what this is about.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("there is a place for temporary files");
    let open = || Store::open(Arc::new(DiskFs), settings(folder.path()), WALL_MS).expect("it opens").0;
    let mut store = open();
    for round in 0..2 {
        for queue in 0..QUEUES {
            append(&mut store, "T", queue, format!("{round} {queue}").as_bytes(), "TagA")
                .expect("it is taken");
            if queue % 100 == 0 {
                settle(&mut store).expect("it is written");
                assert!(open_files() <= MOST, "{} open in round {round}", open_files());
            }
        }
        settle(&mut store).expect("it is written");
        flush(&mut store).expect("it is durable");
    }
    for queue in (0..QUEUES).step_by(97) {
        assert_eq!(fetch(&store, "T", queue, 0, &TagFilter::all()).count, 2, "{queue}");
    }
    assert!(open_files() <= MOST, "{}", open_files());
    store.close(WALL_MS).expect("it closes");
    drop(store);
    let store = open();
    assert!(open_files() <= MOST, "{} after a start", open_files());
    assert_eq!(bodies(&store, "T", QUEUES - 1), [b"0 9999", b"1 9999"]);
    purged_while_closed(store);
}

/// A reader's file was closed to make room, and then its name went.
fn purged_while_closed(mut store: Store) {
    let request = ReadRequest::Fetch {
        topic: "T".to_owned(),
        queue_id: 7,
        offset: 0,
        max_messages: 2,
        max_bytes: 65_536,
        filter: TagFilter::all().into(),
    };
    let plan = store.plan_read(request);
    for queue in 0..QUEUES / 4 {
        fetch(&store, "T", queue, 0, &TagFilter::all());
    }
    let mut purge = store.plan_purge(u64::MAX);
    assert!(purge.is_some());
    while let Some(next) = purge {
        purge = store.purged(next.run()).expect("it goes");
    }
    match plan.run() {
        Ok(ReadOutcome::Fetched(fetched)) => {
            assert_eq!((fetched.status, fetched.count), (FetchStatus::Found, 2));
        }
        other => panic!("{other:?}"),
    }
}
