//! The store against a dictionary: whatever is appended, written, released, flushed, closed and reopened in whatever
//! order, each queue holds exactly what was written to it, and shows exactly what was released.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail loudly, like the test")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rocketmq_lite_core::record::{self, Decoded};
use rocketmq_lite_core::store::{MemFs, ReadOutcome, ReadRequest, Store};
use support::{ROOT, WALL_MS, append, bodies, extended, flush, offsets_tagged, open, settings};

#[derive(Debug, Clone, Copy)]
enum Step {
    Append {
        topic: usize,
        queue: i32,
        size: usize,
        tag: usize,
    },
    Write,
    /// How many of the written messages that are not visible yet become so.
    Release(usize),
    Flush,
    Close,
    Crash,
    Remove(usize),
}

const TOPICS: [&str; 3] = ["A", "B", "%RETRY%group"];
const TAGS: [&str; 3] = ["red", "green", "blue"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let append = (0..3_usize, 0..3_i32, 0..1500_usize, 0..3_usize)
        .prop_map(|(topic, queue, size, tag)| Step::Append { topic, queue, size, tag });
    let step = prop_oneof![
        20 => append,
        8 => Just(Step::Write),
        5 => (0..20_usize).prop_map(Step::Release),
        3 => Just(Step::Flush),
        1 => Just(Step::Close),
        1 => Just(Step::Crash),
        1 => (0..3_usize).prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 1..120)
}

#[derive(Debug, Clone, PartialEq)]
struct Sent {
    queue: (usize, i32),
    offset: i64,
    physical: i64,
    end: u64,
    tag: usize,
    body: Vec<u8>,
}

/// What the store should hold.
#[derive(Debug, Default)]
struct Model {
    run: Vec<Sent>,
    hidden: Vec<Sent>,
    visible: BTreeMap<(usize, i32), Vec<Sent>>,
    next: BTreeMap<(usize, i32), i64>,
}

impl Model {
    fn write(&mut self) {
        self.hidden.append(&mut self.run);
    }

    fn release(&mut self, count: usize) {
        for sent in self.hidden.drain(..count.min(self.hidden.len())) {
            self.visible.entry(sent.queue).or_default().push(sent);
        }
    }

    fn settle_queues(&mut self) {
        self.next = self.visible.iter().map(|(queue, sent)| (*queue, sent.len() as i64)).collect();
    }

    fn remove(&mut self, topic: usize) {
        self.run.retain(|sent| sent.queue.0 != topic);
        self.hidden.retain(|sent| sent.queue.0 != topic);
        self.visible.retain(|queue, _| queue.0 != topic);
        self.next.retain(|queue, _| queue.0 != topic);
    }
}

struct Pair {
    fs: MemFs,
    /// Whether new entries get extensions; it changes with each start.
    is_extended: bool,
    store: Option<Store>,
    model: Model,
}

impl Pair {
    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Append { topic, queue, size, tag } => self.append(topic, queue, size, tag),
            Step::Write => {
                self.store().write_run().unwrap();
                self.model.write();
            }
            Step::Release(count) => self.release(count),
            Step::Flush => {
                let end = flush(self.store()).unwrap();
                assert_eq!(end, self.store().appended_end());
            }
            Step::Close => {
                self.store().close(WALL_MS).unwrap();
                self.model.write();
                self.reopen(true);
            }
            Step::Crash => {
                self.model.run.clear();
                self.reopen(false);
            }
            Step::Remove(topic) => {
                // What is on its way to the queue, or not yet covered by the checkpoint, a crash would bring back.
                self.store().write_run().unwrap();
                self.model.write();
                self.release(self.model.hidden.len());
                self.store().remove_topic(TOPICS[topic]).unwrap();
                self.model.remove(topic);
                flush_queues(self.store());
            }
        }
    }

    fn append(&mut self, topic: usize, queue: i32, size: usize, tag: usize) {
        let next = self.model.next.entry((topic, queue)).or_default();
        let body: Vec<u8> = (0..size).map(|at| (at as i64 * 7 + *next) as u8).collect();
        let placed = append(self.store.as_mut().unwrap(), TOPICS[topic], queue, &body, TAGS[tag]).unwrap();
        assert_eq!(placed.queue_offset, *next);
        *next += 1;
        let (offset, physical, end) = (placed.queue_offset, placed.physical_offset, placed.end);
        self.model.run.push(Sent { queue: (topic, queue), offset, physical, end, tag, body });
    }

    fn release(&mut self, count: usize) {
        let Some(last) = self.model.hidden.get(..count).and_then(<[Sent]>::last) else { return };
        let upto = last.end;
        let arrivals = self.store().release(upto).unwrap();
        let expected: Vec<_> = self.model.hidden[..count]
            .iter()
            .map(|sent| (TOPICS[sent.queue.0].to_owned(), sent.queue.1, sent.offset + 1))
            .collect();
        let found: Vec<_> =
            arrivals.iter().map(|at| (at.topic.to_string(), at.queue_id, at.max_offset)).collect();
        assert_eq!(found, expected);
        self.model.release(count);
    }

    fn reopen(&mut self, clean: bool) {
        self.store = None;
        self.is_extended = !self.is_extended;
        let settings = if self.is_extended { extended(ROOT) } else { settings(ROOT) };
        let (store, recovery) = Store::open(Arc::new(self.fs.clone()), settings, WALL_MS).unwrap();
        assert_eq!((recovery.clean, recovery.cut_bytes, recovery.unreadable), (clean, 0, 0));
        assert_eq!(store.flushed_end(), store.appended_end());
        self.store = Some(store);
        self.model.release(usize::MAX);
        self.model.settle_queues();
    }

    fn check(&mut self) {
        let (store, model) = (self.store.as_ref().unwrap(), &self.model);
        for (topic, name) in TOPICS.iter().enumerate() {
            for queue in 0..3 {
                let none = Vec::new();
                let sent = model.visible.get(&(topic, queue)).unwrap_or(&none);
                let expected: Vec<_> = sent.iter().map(|sent| sent.body.clone()).collect();
                assert_eq!(bodies(store, name, queue), expected, "{name} {queue}");
                check_filtered(store, name, queue, sent);
                for sent in sent {
                    check_by_position(store, sent);
                }
            }
        }
    }
}

fn flush_queues(store: &mut Store) {
    flush(store).unwrap();
    while store.is_flushing_queues() {
        flush(store).unwrap();
    }
}

fn check_filtered(store: &Store, name: &str, queue: i32, sent: &[Sent]) {
    let tag = queue as usize;
    let expected: Vec<_> = sent.iter().filter(|sent| sent.tag == tag).map(|sent| sent.offset).collect();
    assert_eq!(offsets_tagged(store, name, queue, TAGS[tag]), expected, "{name} {queue}");
}

fn check_by_position(store: &Store, sent: &Sent) {
    let plan = store.plan_read(ReadRequest::Record { physical_offset: sent.physical });
    let Some(ReadOutcome::Record(Some(bytes))) = plan.run_now().unwrap() else { panic!("{sent:?}") };
    let Ok(Decoded::Message(message)) = record::decode(&bytes) else { panic!("{sent:?}") };
    assert_eq!((message.body, message.queue_offset), (&*sent.body, sent.offset));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_dictionary_of_lists(steps in steps()) {
        let fs = MemFs::new();
        let (store, _) = open(&fs);
        let mut pair = Pair { fs, is_extended: false, store: Some(store), model: Model::default() };
        for step in steps {
            pair.take(&step);
        }
        pair.check();
        pair.take(&Step::Crash);
        pair.check();
        pair.take(&Step::Close);
        pair.check();
    }
}
