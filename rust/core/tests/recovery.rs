//! What a start makes of what it finds: lost and damaged queues, removed topics, records of other kinds, and more
//! or fewer files than expected.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::record::{NewRecord, sys_flag};
use rocketmq_lite_core::store::{FetchStatus, File, FileSystem, MemFs, Open, Store, StoreError};
use support::{WALL_MS, append, bodies, fetch, flush, open, record, send, settle, try_open};

fn file(fs: &MemFs, path: &str) -> Arc<dyn File> {
    fs.open(Path::new(path), Open::ReadWrite).unwrap()
}

fn read(file: &dyn File, from: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, from).unwrap();
    bytes
}

fn numbered(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("body {n}").into_bytes()).collect()
}

fn fill(store: &mut Store, topic: &str, count: usize) {
    for body in numbered(count) {
        send(store, topic, 0, &body);
    }
}

/// Every file with its content, but for those whose content is about the process.
fn image(fs: &MemFs) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![PathBuf::from("/store")];
    while let Some(dir) = dirs.pop() {
        for entry in fs.list(&dir).unwrap() {
            let path = dir.join(&entry.name);
            if entry.is_dir {
                dirs.push(path);
            } else if !entry.name.starts_with("abort") {
                let content = read(&*fs.open(&path, Open::Read).unwrap(), 0, entry.len as usize);
                files.insert(path, content);
            }
        }
    }
    files
}

#[test]
fn recovering_twice_is_recovering_once() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 100);
    fill(&mut store, "Other", 3);
    drop(store);
    file(&fs, "/store/commitlog/00000000000000008192").write_all_at(&[0xff; 40], 1000).unwrap();
    let (store, first) = open(&fs);
    assert!(first.cut_bytes > 0);
    drop(store);
    let once = image(&fs);
    let (_, second) = open(&fs);
    assert_eq!(image(&fs), once);
    assert_eq!((second.end, second.cut_bytes, second.redispatched), (first.end, 0, 0));
}

#[test]
fn without_a_list_of_queues_a_later_message_tells_of_a_lost_one() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "Lost", 30);
    fill(&mut store, "T", 30);
    store.close(WALL_MS).unwrap();
    drop(store);
    let (mut store, _) = open(&fs);
    fill(&mut store, "Lost", 2);
    drop(store);
    fs.remove_dir_all(Path::new("/store/consumequeue/Lost")).unwrap();
    fs.remove_file(Path::new("/store/lite-queues.cbor")).unwrap();
    let (store, recovery) = open(&fs);
    assert_eq!((recovery.scanned_from, recovery.records), (0, 62));
    assert_eq!(bodies(&store, "Lost", 0), [numbered(30), numbered(2)].concat());
    assert_eq!(bodies(&store, "T", 0), numbered(30));
}

/// Apache 5.5.0 looks at the last ten files, and messages before them cannot be consumed any more.
#[test]
fn without_consume_queues_every_segment_is_reached() {
    for clean in [true, false] {
        let fs = MemFs::new();
        let (mut store, _) = open(&fs);
        for _ in 0..25 {
            send(&mut store, "T", 0, &[b'x'; 3000]);
        }
        if clean {
            store.close(WALL_MS).unwrap();
        }
        drop(store);
        assert_eq!(fs.list(Path::new("/store/commitlog")).unwrap().len(), 25);
        fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
        let (store, recovery) = open(&fs);
        assert_eq!((recovery.redispatched, store.bounds("T", 0).min), (25, 0), "clean: {clean}");
        assert_eq!(bodies(&store, "T", 0).len(), 25);
    }
}

#[test]
fn damaged_entries_are_made_again_also_after_a_clean_stop() {
    let damages: [(&str, &[u8], u64); 4] = [
        ("a hole", &[0; 20], 20 * 5),
        ("the last one gone", &[0; 20], 20 * 7),
        ("another size", &[0, 0, 0, 99], 20 * 7 + 8),
        ("another tag", &[1; 8], 20 * 7 + 12),
    ];
    for (what, bytes, at) in damages {
        for clean in [true, false] {
            let fs = MemFs::new();
            let (mut store, _) = open(&fs);
            fill(&mut store, "T", 24);
            fill(&mut store, "Other", 3);
            if clean {
                store.close(WALL_MS).unwrap();
            }
            drop(store);
            // The entries 16 to 23 are in the third file.
            file(&fs, "/store/consumequeue/T/0/00000000000000000320").write_all_at(bytes, at).unwrap();
            let (mut store, recovery) = open(&fs);
            assert_eq!(recovery.clean, clean);
            if what == "the last one gone" && clean {
                // That cannot be told from a queue that is one shorter, but for the log that nobody reads then.
                assert_eq!(store.bounds("T", 0).max, 23);
                continue;
            }
            assert_eq!(bodies(&store, "T", 0), numbered(24), "{what}, clean: {clean}");
            assert_eq!(send(&mut store, "T", 0, b"next").queue_offset, 24);
            assert_eq!(bodies(&store, "Other", 0), numbered(3));
        }
    }
}

#[test]
fn a_topic_that_was_removed_and_made_anew_begins_at_zero_for_good() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 20);
    flush(&mut store).unwrap();
    fill(&mut store, "T", 5);
    store.remove_topic("T").unwrap();
    assert_eq!(fetch(&store, "T", 0, 0, &TagFilter::all()).status, FetchStatus::NoMessageInQueue);
    for body in [b"anew 0", b"anew 1"] {
        send(&mut store, "T", 0, body);
    }
    drop(store);
    // With the first queue's records before and behind what is durable, and without any queue.
    for lost in [false, true] {
        if lost {
            fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
        }
        let (store, _) = open(&fs);
        assert_eq!(bodies(&store, "T", 0), [b"anew 0", b"anew 1"], "queues lost: {lost}");
    }
}

#[test]
fn a_removed_topic_stays_removed_after_the_next_flush() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 20);
    store.remove_topic("T").unwrap();
    flush(&mut store).unwrap();
    drop(store);
    let (mut store, recovery) = open(&fs);
    assert_eq!((recovery.records, recovery.redispatched), (0, 0));
    assert_eq!(send(&mut store, "T", 0, b"anew").queue_offset, 0);
}

#[test]
fn a_queue_begins_late_when_its_first_records_are_gone() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 60);
    store.close(WALL_MS).unwrap();
    drop(store);
    fs.remove_file(Path::new("/store/commitlog/00000000000000000000")).unwrap();
    let mut minimum = None;
    for lost in [false, true] {
        if lost {
            fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
        }
        let (mut store, _) = open(&fs);
        let bounds = store.bounds("T", 0);
        assert!(bounds.min > 0 && bounds.max == 60, "{bounds:?}");
        assert_eq!(*minimum.get_or_insert(bounds.min), bounds.min);
        assert_eq!(bodies(&store, "T", 0), numbered(60)[bounds.min as usize..]);
        let before = fetch(&store, "T", 0, 0, &TagFilter::all());
        assert_eq!((before.status, before.next_offset), (FetchStatus::OffsetTooSmall, bounds.min));
        store.close(WALL_MS).unwrap();
    }
    // Made again, its first file begins with blank entries up to the first message.
    let min = minimum.unwrap() as usize;
    let first = file(&fs, &format!("/store/consumequeue/T/0/{:020}", min / 8 * 160));
    let blank = [&[0; 8][..], &[0x7f, 0xff, 0xff, 0xff], &[0; 8]].concat();
    assert!(!min.is_multiple_of(8), "the test is about a queue that begins inside a file");
    assert_eq!(read(&*first, 0, min % 8 * 20), blank.repeat(min % 8));
}

#[test]
fn half_messages_are_in_the_log_and_in_no_queue() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"first");
    for kind in [sys_flag::TRANSACTION_PREPARED, sys_flag::TRANSACTION_ROLLBACK] {
        let half = NewRecord { sys_flag: kind, ..record("T", 0, b"half", b"") };
        let placed = store.append(&half, WALL_MS).unwrap();
        assert_eq!(placed.queue_offset, 0);
        assert_eq!(settle(&mut store).unwrap(), []);
    }
    let commit = NewRecord { sys_flag: sys_flag::TRANSACTION_COMMIT, ..record("T", 0, b"second", b"") };
    assert_eq!(store.append(&commit, WALL_MS).unwrap().queue_offset, 1);
    assert_eq!(settle(&mut store).unwrap().len(), 1);
    assert_eq!(bodies(&store, "T", 0), [b"first".to_vec(), b"second".to_vec()]);
    drop(store);
    fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
    let (store, recovery) = open(&fs);
    assert_eq!((recovery.records, recovery.redispatched), (4, 2));
    assert_eq!(bodies(&store, "T", 0), [b"first".to_vec(), b"second".to_vec()]);
}

#[test]
fn a_record_with_a_broken_text_is_passed_over_and_does_not_end_the_log() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    send(&mut store, "T", 0, b"first");
    let broken = append(&mut store, "T", 0, b"second", "tag").unwrap();
    settle(&mut store).unwrap();
    send(&mut store, "T", 0, b"third");
    drop(store);
    // The last byte but one of the properties; no checksum covers it.
    let log = file(&fs, "/store/commitlog/00000000000000000000");
    log.write_all_at(&[0xff], broken.end - 2).unwrap();
    fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
    let (mut store, recovery) = open(&fs);
    assert_eq!((recovery.records, recovery.unreadable, recovery.cut_bytes), (3, 1, 0));
    let third = fetch(&store, "T", 0, 1, &TagFilter::all());
    assert_eq!((third.status, third.count, third.next_offset), (FetchStatus::Found, 1, 3));
    assert_eq!(send(&mut store, "T", 0, b"fourth").queue_offset, 3);
}

#[test]
fn a_record_whose_queue_makes_no_sense_is_passed_over() {
    // High bytes of queue id and queue offset; the first byte of the topic.
    for (at, byte) in [(12, 0x80), (20, 0x10), (93, b'/')] {
        let fs = MemFs::new();
        let (mut store, _) = open(&fs);
        send(&mut store, "T", 0, b"0");
        let second = send(&mut store, "T", 0, b"1000");
        send(&mut store, "T", 0, b"2");
        drop(store);
        let log = file(&fs, "/store/commitlog/00000000000000000000");
        log.write_all_at(&[byte], second.physical_offset as u64 + at).unwrap();
        for lost in [false, true] {
            if lost {
                fs.remove_dir_all(Path::new("/store/consumequeue")).unwrap();
            }
            let (store, recovery) = open(&fs);
            assert_eq!((recovery.unreadable, recovery.cut_bytes), (1, 0), "{at} {recovery:?}");
            assert_eq!((store.bounds("T", 0).min, store.bounds("T", 0).max), (0, 3));
            let third = fetch(&store, "T", 0, 1, &TagFilter::all());
            assert_eq!((third.status, third.count, third.next_offset), (FetchStatus::Found, 1, 3));
            drop(store);
            // As if it had never been flushed.
            file(&fs, "/store/checkpoint").write_all_at(&[0; 48], 0).unwrap();
        }
    }
}

#[test]
fn files_that_were_only_prepared_are_no_trouble() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 20);
    let end = store.appended_end();
    drop(store);
    // As Apache leaves them: the next segment prepared, the one behind it about to be.
    let next = end / 4096 * 4096 + 4096;
    for (base, len) in [(next, 4096), (next + 4096, 0)] {
        let path = format!("/store/commitlog/{base:020}");
        fs.open(Path::new(&path), Open::Create).unwrap().set_len(len).unwrap();
    }
    let (store, recovery) = open(&fs);
    assert_eq!((recovery.end, recovery.cut_bytes), (end, 0));
    assert_eq!(bodies(&store, "T", 0), numbered(20));
}

#[test]
fn a_missing_segment_is_damage_and_named() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 100);
    flush(&mut store).unwrap();
    drop(store);
    fs.remove_file(Path::new("/store/commitlog/00000000000000004096")).unwrap();
    match try_open(&fs) {
        Err(StoreError::Damaged { path, expected: 4096, found: 8192, .. }) => {
            assert!(path.ends_with("commitlog/00000000000000008192"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_queue_file_of_another_length_is_refused_by_name() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 3);
    drop(store);
    file(&fs, "/store/consumequeue/T/0/00000000000000000000").set_len(200).unwrap();
    match try_open(&fs) {
        Err(StoreError::SegmentLength { path, expected: 160, found: 200 }) => {
            assert!(path.ends_with("consumequeue/T/0/00000000000000000000"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_a_log_there_are_no_queues() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    fill(&mut store, "T", 30);
    store.close(WALL_MS).unwrap();
    drop(store);
    fs.remove_dir_all(Path::new("/store/commitlog")).unwrap();
    // What says that there was one has to go too.
    fs.remove_file(Path::new("/store/lite.cbor")).unwrap();
    let (mut store, _) = open(&fs);
    assert_eq!(store.bounds("T", 0).max, store.bounds("T", 0).min);
    let placed = send(&mut store, "T", 0, b"anew");
    assert_eq!(placed.physical_offset, 0);
    assert_eq!(bodies(&store, "T", 0), [b"anew"]);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    for topic in ["", ".", "..", "a/b", "../T", "T\0"] {
        let refused = append(&mut store, topic, 0, b"x", "a");
        let is_named = matches!(&refused, Err(StoreError::BadTopic { topic: named }) if named == topic);
        // A zero at the end is refused by the record already.
        assert!(is_named || matches!(refused, Err(StoreError::Record(_))), "{topic:?}: {refused:?}");
    }
    let refused = append(&mut store, "T", -1, b"x", "a");
    assert!(matches!(refused, Err(StoreError::BadQueue { queue_id: -1, .. })), "{refused:?}");
    assert_eq!(send(&mut store, "%RETRY%group", 0, b"x").physical_offset, 0);
}

#[test]
fn the_abort_file_tells_of_the_process_and_its_predecessor() {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    assert_eq!(read(&*file(&fs, "/store/abort"), 0, 3), b"42\0");
    assert_eq!(file(&fs, "/store/abort.bak").len().unwrap(), 0);
    store.close(WALL_MS).unwrap();
    drop(store);
    assert!(!fs.exists(Path::new("/store/abort")).unwrap());
    fs.open(Path::new("/store/abort"), Open::Create).unwrap().write_all_at(b"4711", 0).unwrap();
    let (_store, recovery) = open(&fs);
    assert!(!recovery.clean);
    assert_eq!(read(&*file(&fs, "/store/abort.bak"), 0, 4), b"4711");
    assert_eq!(read(&*file(&fs, "/store/abort"), 0, 3), b"42\0");
}
