//! Queues of a broker with `enableConsumeQueueExt`, opened without it: their entries hold an address in another file where
//! the hash of the tag would be. The record says what the tag is, whether that file is there or not.

mod support;

use std::path::Path;
use std::sync::Arc;

use rocketmq_lite_core::store::{FileSystem, MemFs, OfflineStore, Open, Outside, Store, Verify};
use support::{ROOT, WALL_MS, append, bodies, offsets_tagged, open, settings, settle};

const COUNT: u64 = 6;

/// A store of six messages, with tags A and B in turn, whose first four entries are as Apache writes them.
fn written_by_apache() -> MemFs {
    let fs = MemFs::new();
    let (mut store, _) = open(&fs);
    for number in 0..COUNT {
        let tag = if number.is_multiple_of(2) { "A" } else { "B" };
        append(&mut store, "T", 0, number.to_string().as_bytes(), tag).expect("it is taken");
    }
    settle(&mut store).expect("it is written");
    store.close(WALL_MS).expect("it closes");
    let queue = Path::new(ROOT).join(format!("consumequeue/T/0/{:020}", 0));
    let file = fs.open(&queue, Open::ReadWrite).expect("it is there");
    for entry in 0..4 {
        let address = i64::MIN + 20 * entry as i64;
        file.write_all_at(&address.to_be_bytes(), entry * 20 + 12).expect("it is written");
    }
    fs
}

#[test]
fn a_filter_by_tags_finds_its_messages() {
    let fs = written_by_apache();
    for clean in [true, false] {
        let (mut store, recovery) = open(&fs);
        assert_eq!((recovery.clean, recovery.redispatched), (true, 0), "the entries are believed");
        assert_eq!(bodies(&store, "T", 0).len(), COUNT as usize);
        let tagged =
            [("A", vec![0, 2, 4]), ("B", vec![1, 3, 5]), ("A || B", (0..6).collect()), ("C", vec![])];
        for (tags, offsets) in tagged {
            assert_eq!(offsets_tagged(&store, "T", 0, tags), offsets, "{tags}");
        }
        if clean {
            store.close(WALL_MS).expect("it closes");
        }
    }
}

#[test]
fn a_check_finds_nothing_wrong() {
    let fs = written_by_apache();
    let mut check = Verify::new(OfflineStore::open(&fs, ROOT, &Outside::default()).expect("it opens"));
    while check.step(1 << 20).expect("it can be read") {}
    assert!(check.report().is_sound(), "{:?}", check.report());
}

#[test]
fn a_crash_makes_plain_entries_of_what_it_makes_again() {
    let fs = written_by_apache();
    drop(Store::open(Arc::new(fs.clone()), settings(ROOT), WALL_MS).expect("it opens"));
    fs.remove_dir_all(&Path::new(ROOT).join("consumequeue")).expect("it is there");
    let (store, recovery) = open(&fs);
    assert_eq!(recovery.redispatched, COUNT);
    assert_eq!(offsets_tagged(&store, "T", 0, "A"), [0, 2, 4]);
}
