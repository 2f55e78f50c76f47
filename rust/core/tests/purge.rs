//! Old messages go, segment by segment; all that points to them begins where the log does, and no reader loses a file.

mod support;

use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::store::{
    DiskFs, Fault, FaultFs, FetchStatus, FileSystem, KeyKind, MemFs, ReadOutcome, ReadRequest, Store,
};
use support::{WALL_MS, append, bodies, extended, fetch, flush, open, settings, settle};

/// Messages of 400 bytes, so that a segment has about eight: to queue 0, and each fourth to queue 1.
fn fill(store: &mut Store, from: usize, to: usize) {
    for i in from..to {
        let body = format!("{i:0300}");
        append(store, "T", i32::from(i.is_multiple_of(4)), body.as_bytes(), "TagA").expect("it is taken");
        settle(store).expect("it is written");
    }
    flush(store).expect("it is durable");
}

fn purge(store: &mut Store, before: u64) {
    let mut plan = store.plan_purge(before);
    while let Some(next) = plan {
        plan = store.purged(next.run()).expect("it goes");
    }
}

fn names(fs: &dyn FileSystem, dir: &str) -> Vec<String> {
    let mut names: Vec<String> =
        fs.list(Path::new(dir)).expect("it is there").into_iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    names
}

/// What a queue has, and whether its bounds say so.
fn numbers(store: &Store, queue: i32) -> Vec<usize> {
    let number = |body: Vec<u8>| String::from_utf8_lossy(&body).parse().expect("bodies are numbers");
    let found: Vec<usize> = bodies(store, "T", queue).into_iter().map(number).collect();
    let bounds = store.bounds("T", queue);
    assert_eq!(bounds.max - bounds.min, found.len() as i64);
    found
}

#[test]
fn log_and_queues_begin_where_the_purge_says() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 100);
    let files = names(&fs, "/store/commitlog").len();
    let queue_files = names(&fs, "/store/consumequeue/T/0").len();
    let all: Vec<usize> = (0..2).flat_map(|queue| numbers(&store, queue)).collect();
    purge(&mut store, 5 * 4096 + 17);
    let start = store.statistics().log_start;
    assert_eq!((start, names(&fs, "/store/commitlog").len()), (5 * 4096, files - 5));
    assert!(names(&fs, "/store/consumequeue/T/0").len() < queue_files, "queues have files too");
    let left: Vec<usize> = (0..2).flat_map(|queue| numbers(&store, queue)).collect();
    assert!(left.len() < all.len() && left.iter().all(|number| all.contains(number)));
    let before = fetch(&store, "T", 0, 0, &TagFilter::all());
    assert_eq!((before.status, before.next_offset), (FetchStatus::OffsetTooSmall, store.bounds("T", 0).min));
    fill(&mut store, 100, 110);
    let bounds = (0..2).map(|queue| store.bounds("T", queue)).collect::<Vec<_>>();
    for clean in [true, false] {
        if clean {
            store.close(WALL_MS).expect("it closes");
        }
        drop(store);
        store = open(&fs).0;
        assert_eq!((0..2).map(|queue| store.bounds("T", queue)).collect::<Vec<_>>(), bounds);
        assert_eq!(store.statistics().log_start, start);
    }
}

#[test]
fn what_is_written_or_not_durable_stays() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, 0, 20);
    let end = store.appended_end();
    for i in 20..60 {
        append(&mut store, "T", 0, format!("{i:0300}").as_bytes(), "TagA").expect("it is taken");
        settle(&mut store).expect("it is written");
    }
    purge(&mut store, u64::MAX);
    assert!(store.statistics().log_start <= end, "nothing that a crash could need");
    flush(&mut store).expect("it is durable");
    purge(&mut store, u64::MAX);
    assert_eq!(names(&fs, "/store/commitlog").len(), 1);
    assert!(store.plan_purge(u64::MAX).is_none());
    fill(&mut store, 60, 61);
    assert_eq!(numbers(&store, 1).last(), Some(&60));
}

#[test]
fn a_reader_keeps_what_it_began_with() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let (mut store, _) = Store::open(Arc::new(DiskFs), settings(folder.path()), WALL_MS).expect("it opens");
    fill(&mut store, 0, 100);
    let request = ReadRequest::Fetch {
        topic: "T".to_owned(),
        queue_id: 0,
        offset: 0,
        max_messages: 8,
        max_bytes: 65_536,
        filter: TagFilter::all().into(),
    };
    let plan = store.plan_read(request);
    purge(&mut store, u64::MAX);
    match plan.run() {
        Ok(ReadOutcome::Fetched(fetched)) => {
            assert_eq!((fetched.status, fetched.count), (FetchStatus::Found, 8));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn index_files_go_with_the_messages() {
    let fs = MemFs::new();
    let mut settings = settings(support::ROOT);
    settings.index.entries = 10;
    settings.index.slots = 7;
    let (mut store, _) = Store::open(Arc::new(fs.clone()), settings, WALL_MS).expect("it opens");
    fill(&mut store, 0, 100);
    let index = |store: &mut Store| {
        while let Some(plan) = store.plan_index(WALL_MS) {
            if !store.indexed(plan.run()).expect("it is indexed").has_more {
                return;
            }
        }
    };
    index(&mut store);
    let before = names(&fs, "/store/index").len();
    purge(&mut store, 5 * 4096);
    fill(&mut store, 100, 101);
    index(&mut store);
    assert!(names(&fs, "/store/index").len() < before);
    let request = ReadRequest::ByKey {
        topic: "T".to_owned(),
        kind: KeyKind::Tag,
        key: "TagA".to_owned(),
        max_messages: 64,
        times: (0, i64::MAX),
    };
    match store.plan_read(request).run() {
        Ok(ReadOutcome::ByKey(found)) => {
            assert_eq!(found.records.len(), (numbers(&store, 0).len() + numbers(&store, 1).len()).min(64));
        }
        other => panic!("{other:?}"),
    }
}

/// A store of a hundred messages, with extensions, whose disk can be made to fail.
fn filled() -> (Store, MemFs, FaultFs) {
    let disk = MemFs::new();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    let settings = extended(support::ROOT);
    let (mut store, _) = Store::open(Arc::new(faults.clone()), settings, WALL_MS).expect("it opens");
    fill(&mut store, 0, 100);
    (store, disk, faults)
}

/// The files that a purge is about, by directory.
fn files(fs: &MemFs) -> Vec<Vec<String>> {
    let queues = ["consumequeue", "consumequeue_ext"];
    let queues = queues.iter().flat_map(|dir| (0..2).map(move |queue| format!("/store/{dir}/T/{queue}")));
    std::iter::once("/store/commitlog".to_owned()).chain(queues).map(|dir| names(fs, &dir)).collect()
}

#[test]
fn files_that_cannot_be_removed_now_go_with_the_next_purge() {
    for is_restarted in [false, true] {
        let (mut store, disk, faults) = filled();
        faults.fail_from(Fault::Remove, 1, std::io::ErrorKind::PermissionDenied);
        let before = files(&disk);
        let plan = store.plan_purge(5 * 4096).expect("there is something old");
        assert!(store.purged(plan.run()).is_err());
        assert_eq!(files(&disk), before);
        assert!(store.bounds("T", 0).min > 0, "they are gone for everybody else");
        faults.heal();
        if is_restarted {
            store.close(WALL_MS).expect("it closes");
            drop(store);
            store =
                Store::open(Arc::new(disk.clone()), extended(support::ROOT), WALL_MS).expect("it opens").0;
            assert_eq!(store.bounds("T", 0).min, 0);
        }
        purge(&mut store, 5 * 4096);
        let (undisturbed, expected, _) = filled();
        let mut undisturbed = undisturbed;
        purge(&mut undisturbed, 5 * 4096);
        assert_eq!(files(&disk), files(&expected));
        let bounds = store.bounds("T", 0);
        assert_eq!(numbers(&store, 0).len() as i64, bounds.max - bounds.min);
    }
}

/// Whatever cannot be removed, nothing behind it is: a gap would be damage to the next start.
#[test]
fn a_purge_ends_with_the_first_file_that_cannot_be_removed() {
    let (mut store, _, faults) = filled();
    purge(&mut store, 5 * 4096);
    for (fault, kind) in [(Fault::Remove, "remove"), (Fault::SyncDir, "sync")] {
        for nth in 1..=faults.calls(Fault::Remove) {
            let (mut store, disk, faults) = filled();
            let before = files(&disk);
            faults.fail(fault, nth, std::io::ErrorKind::Other);
            let mut plan = store.plan_purge(5 * 4096);
            let mut failed = false;
            while let Some(next) = plan {
                let result = store.purged(next.run());
                failed |= result.is_err();
                plan = result.unwrap_or(None);
            }
            assert!(failed, "{kind} {nth}");
            for (before, after) in before.iter().zip(files(&disk)) {
                assert!(before.ends_with(&after), "{kind} {nth}: {after:?}");
            }
            // Another topic of that name has files of the same names.
            if nth.is_multiple_of(2) {
                store.remove_topic("T").expect("it goes");
                fill(&mut store, 0, 20);
                purge(&mut store, 0);
                assert_eq!(numbers(&store, 0).len(), 15, "{kind} {nth}");
            }
            drop(store);
            let (store, recovery) =
                Store::open(Arc::new(disk), extended(support::ROOT), WALL_MS).expect("there is no gap");
            assert_eq!(recovery.cut_bytes, 0, "{kind} {nth}");
            let bounds = store.bounds("T", 0);
            assert_eq!(numbers(&store, 0).len() as i64, bounds.max - bounds.min);
        }
    }
}
