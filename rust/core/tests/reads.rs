//! Reading through plans: snapshots, reads that must not wait, positions, times, and entries that lie.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::filter::{sql::SqlFilter, tags::TagFilter};
use rocketmq_lite_core::record::{self, Decoded, NewRecord};
use rocketmq_lite_core::store::{
    Boundary, DiskFs, Fault, FaultFs, FetchStatus, FileSystem, MemFs, Open, ReadOutcome, ReadPlan,
    ReadRequest, Store, StoreError, StoreSettings,
};
use support::{ROOT, WALL_MS, append, bodies, fetch, flush, open, send, settings, settle};

fn request(offset: i64, max_messages: u32, max_bytes: u32) -> ReadRequest {
    let (topic, filter) = ("T".to_owned(), TagFilter::all().into());
    ReadRequest::Fetch { topic, queue_id: 0, offset, max_messages, max_bytes, filter }
}

fn all(store: &Store) -> ReadPlan {
    store.plan_read(request(0, 32, 1 << 20))
}

fn count(outcome: &ReadOutcome) -> u32 {
    match outcome {
        ReadOutcome::Fetched(fetched) => fetched.count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_sees_what_was_visible_when_it_was_made() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"first");
    let plan = all(&store);
    for _ in 0..20 {
        send(&mut store, "T", 0, &[1; 1000]);
    }
    assert_eq!(count(&plan.run().unwrap()), 1);
    let (later, gone) = (all(&store), plan.clone());
    store.remove_topic("T").unwrap();
    assert_eq!(count(&later.run().unwrap()), 21);
    drop(store);
    assert_eq!(count(&gone.run().unwrap()), 1, "it keeps the files it needs");
}

#[test]
fn a_read_that_would_wait_says_so_and_can_be_repeated_elsewhere() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let placed = send(&mut store, "T", 0, b"first");
    let (topic, queue_id) = (|| "T".to_owned(), 0);
    let requests = [
        request(0, 1, 1000),
        ReadRequest::Record { physical_offset: placed.physical_offset },
        ReadRequest::SearchTime { topic: topic(), queue_id, timestamp: WALL_MS, boundary: Boundary::Lower },
        ReadRequest::StoreTime { topic: topic(), queue_id, offset: 0 },
    ];
    for request in requests {
        let plan = store.plan_read(request);
        let ready = plan.run_now().unwrap().unwrap();
        fs.block_reads(true);
        assert_eq!(plan.run_now().unwrap(), None);
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| plan.run()).join().unwrap());
        assert_eq!(elsewhere.unwrap(), ready);
        fs.block_reads(false);
    }
    // What needs no file needs no waiting.
    fs.block_reads(true);
    assert_eq!(count(&store.plan_read(request(1, 1, 1000)).run_now().unwrap().unwrap()), 0);
}

#[test]
fn on_a_disk_what_was_just_written_is_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(Arc::new(DiskFs), settings(folder.path()), WALL_MS).unwrap();
    send(&mut store, "T", 0, b"first");
    // File systems that cannot tell what is in memory say that it would wait.
    if let Some(now) = all(&store).run_now().unwrap() {
        assert_eq!(now, all(&store).run().unwrap());
    }
}

#[test]
fn limits_end_a_fetch_but_never_before_its_first_message() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let size = send(&mut store, "T", 0, &[1; 1000]).size;
    for _ in 0..40 {
        send(&mut store, "T", 0, &[1; 1000]);
    }
    for _ in 0..1100 {
        send(&mut store, "T", 0, b"small");
    }
    assert_eq!(count(&store.plan_read(request(41, 2000, 1 << 20)).run().unwrap()), 1024);
    let fetched =
        |max_messages, max_bytes| count(&store.plan_read(request(0, max_messages, max_bytes)).run().unwrap());
    assert_eq!(fetched(5, 1 << 20), 5);
    assert_eq!(fetched(0, 0), 1);
    assert_eq!(fetched(32, size * 3), 3);
    assert_eq!(fetched(32, size * 4 - 1), 3);
}

#[test]
fn neighbours_in_the_log_are_read_at_once() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let (mut store, _) = open(&fs);
    for n in 0..12 {
        send(&mut store, if n == 6 { "Other" } else { "T" }, 0, b"body");
    }
    let before = fs.calls(Fault::Read);
    assert_eq!(bodies(&store, "T", 0).len(), 11);
    // Two consume queue files; the log before the other message, and behind it.
    assert_eq!(fs.calls(Fault::Read) - before, 4);
}

#[test]
fn a_record_is_found_where_one_begins_and_nowhere_else() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let places: Vec<_> = (0..10).map(|n| send(&mut store, "T", 0, &vec![n; 700])).collect();
    let hidden = append(&mut store, "T", 0, b"hidden", "a").unwrap();
    store.write_run().unwrap();
    let at = |physical_offset| match store.plan_read(ReadRequest::Record { physical_offset }).run().unwrap() {
        ReadOutcome::Record(record) => record,
        other => panic!("{other:?}"),
    };
    for placed in &places {
        let bytes = at(placed.physical_offset).unwrap();
        let Decoded::Message(message) = record::decode(&bytes).unwrap() else { panic!("no message") };
        assert_eq!(message.queue_offset, placed.queue_offset);
    }
    let starts: Vec<_> = places.iter().map(|placed| placed.physical_offset).collect();
    for offset in (-10..12_000).filter(|offset| !starts.contains(offset)) {
        assert_eq!(at(offset), None, "{offset}");
    }
    assert_eq!(at(hidden.physical_offset), None);
    assert_eq!(at(i64::MAX), None);
    assert_eq!(at(i64::MIN), None);
}

#[test]
fn times_stand_for_offsets() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let record = support::record("T", 0, b"body", b"");
    let times = [10, 20, 20, 20, 30, 40, 40];
    for time in times {
        store.append(&record, WALL_MS + time).unwrap();
    }
    settle(&mut store).unwrap();
    let search = |queue_id, time, boundary| {
        let (topic, timestamp) = ("T".to_owned(), WALL_MS + time);
        match store.plan_read(ReadRequest::SearchTime { topic, queue_id, timestamp, boundary }).run().unwrap()
        {
            ReadOutcome::Offset(offset) => offset,
            other => panic!("{other:?}"),
        }
    };
    for (time, lower, upper) in
        [(5, 0, 0), (10, 0, 0), (15, 1, 0), (20, 1, 3), (25, 4, 3), (30, 4, 4), (40, 5, 6), (50, 7, 6)]
    {
        assert_eq!(search(0, time, Boundary::Lower), lower, "first at or after {time}");
        assert_eq!(search(0, time, Boundary::Upper), upper, "last at or before {time}");
    }
    assert_eq!(search(1, 20, Boundary::Lower), 0, "no such queue");
    for (offset, expected) in (-1..8).map(|offset| {
        let known = usize::try_from(offset).ok().and_then(|at: usize| times.get(at));
        (offset, known.map_or(-1, |time| WALL_MS + time))
    }) {
        let plan = store.plan_read(ReadRequest::StoreTime { topic: "T".to_owned(), queue_id: 0, offset });
        assert_eq!(plan.run().unwrap(), ReadOutcome::StoreTime(expected));
    }
}

#[test]
fn store_times_are_found_behind_either_kind_of_host() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    let v6 = "[2001:db8::1]:10911".parse().unwrap();
    for (born_host, store_host) in [(support::host(), v6), (v6, support::host()), (v6, v6)] {
        let record = NewRecord { born_host, store_host, ..support::record("T", 0, b"", b"") };
        store.append(&record, WALL_MS + 7).unwrap();
    }
    settle(&mut store).unwrap();
    for offset in 0..3 {
        let plan = store.plan_read(ReadRequest::StoreTime { topic: "T".to_owned(), queue_id: 0, offset });
        assert_eq!(plan.run().unwrap(), ReadOutcome::StoreTime(WALL_MS + 7));
    }
}

#[test]
fn an_entry_that_leads_to_something_else_is_damage_and_not_a_message() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    for _ in 0..3 {
        send(&mut store, "T", 0, b"body");
    }
    let queue = Path::new(ROOT).join("consumequeue/T/0/00000000000000000000");
    let file = fs.open(&queue, Open::ReadWrite).unwrap();
    file.write_all_at(&[1], 20 + 7).unwrap();
    assert_eq!(count(&store.plan_read(request(0, 1, 1000)).run().unwrap()), 1);
    match store.plan_read(request(1, 1, 1000)).run() {
        Err(StoreError::Damaged { path, offset: 1, .. }) => assert!(path.starts_with("/store/commitlog")),
        other => panic!("{other:?}"),
    }
    file.write_all_at(&[0; 20], 40).unwrap();
    let unreadable = fetch(&store, "T", 0, 2, &TagFilter::all());
    assert_eq!((unreadable.status, unreadable.next_offset), (FetchStatus::OffsetFoundNull, 3));
}

#[test]
fn what_the_log_no_longer_has_is_said_to_be_removed() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    for _ in 0..10 {
        send(&mut store, "T", 0, &[1; 1000]);
    }
    flush(&mut store).unwrap();
    store.close(WALL_MS).unwrap();
    drop(store);
    fs.remove_file(Path::new("/store/commitlog/00000000000000000000")).unwrap();
    let (store, _) = open(&fs);
    let min = store.bounds("T", 0).min;
    assert_eq!(min, 3);
    assert_eq!(bodies(&store, "T", 0).len(), 7);
}

/// More than a start reads of the log at once.
const HUGE: u32 = 3_000_000;

/// A store of two messages that was closed, and the entry of one of them claims a huge record; opened.
fn with_a_huge_entry(number: u64) -> (FaultFs, Store) {
    let disk = MemFs::new();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    let open = || {
        let large = StoreSettings { segment_size: 1 << 22, ..settings(ROOT) };
        Store::open(Arc::new(faults.clone()), large, WALL_MS).unwrap().0
    };
    let mut store = open();
    for body in [b"one", b"two"] {
        send(&mut store, "T", 0, body);
    }
    store.close(WALL_MS).unwrap();
    drop(store);
    let queue = Path::new("/store/consumequeue/T/0/00000000000000000000");
    let file = disk.open(queue, Open::ReadWrite).unwrap();
    file.write_all_at(&HUGE.to_be_bytes(), number * 20 + 8).unwrap();
    let store = open();
    (faults, store)
}

/// After a clean stop nobody compares all entries with their records.
#[test]
fn an_entry_that_claims_a_huge_record_has_only_the_head_of_it_read() {
    let (faults, store) = with_a_huge_entry(0);
    for filter in [TagFilter::all().into(), SqlFilter::parse("TAGS = 'TagA'").unwrap().into()] {
        let (topic, max_bytes) = ("T".to_owned(), 100);
        let request =
            ReadRequest::Fetch { topic, queue_id: 0, offset: 0, max_messages: 1, max_bytes, filter };
        match store.plan_read(request).run() {
            Err(StoreError::Damaged { offset: 0, expected, .. }) => assert_eq!(expected, HUGE.into()),
            other => panic!("{other:?}"),
        }
    }
    assert!(faults.longest_read() < HUGE as usize, "{}", faults.longest_read());
}

#[test]
fn a_start_reads_no_huge_record_that_the_last_entry_claims() {
    let (faults, store) = with_a_huge_entry(1);
    assert_eq!(bodies(&store, "T", 0), [b"one", b"two"]);
    assert!(faults.longest_read() < HUGE as usize, "{}", faults.longest_read());
}
