//! A store at work, as its broker has it work: sends and batches, flushes, the index, purges, stops and kills.

use std::sync::Arc;

use rocketmq_lite_core::store::{
    FileSystem, FlushMode, IndexShape, Journal, JournalFs, MemFs, Recovery, Store, StoreError, StoreSettings,
};

use crate::support::chance::Chance;
use crate::support::{WALL_MS, record, settings};

pub(crate) const INTERVAL_MS: i64 = 500;
pub(crate) const TOPICS: [&str; 3] = ["Orders", "Payments", "%RETRY%group"];
pub(crate) const QUEUES: i32 = 3;
pub(crate) const TAGS: [&str; 3] = ["red", "green", "blue"];
const STEPS: usize = 150;

/// A message, by the number that its acknowledgement has.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) topic: &'static str,
    pub(crate) queue: i32,
    pub(crate) offset: i64,
    pub(crate) physical: u64,
    pub(crate) body: Vec<u8>,
    pub(crate) acknowledged_ms: i64,
}

impl Sent {
    pub(crate) fn key(number: usize) -> String {
        format!("K{number}")
    }

    pub(crate) fn tag(number: usize) -> &'static str {
        TAGS[number % TAGS.len()]
    }
}

/// What was done, and all that happened to the disk.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) journal: Journal,
    pub(crate) sent: Vec<Sent>,
    pub(crate) flush: FlushMode,
    /// From how many calls on it was what time.
    times: Vec<(usize, i64)>,
    /// From how many calls on the log may begin where.
    purges: Vec<(usize, u64)>,
}

impl Log {
    pub(crate) fn time_at(&self, moment: usize) -> i64 {
        last_before(&self.times, moment).unwrap_or(WALL_MS)
    }

    /// Where the log may begin by then.
    pub(crate) fn purged_before(&self, moment: usize) -> u64 {
        last_before(&self.purges, moment).unwrap_or(0)
    }

    /// With extensions, whatever the store had last: so units are looked for, and have to be right.
    pub(crate) fn try_open(
        &self,
        fs: &(impl FileSystem + Clone + 'static),
    ) -> Result<(Store, Recovery), StoreError> {
        open(fs, self.flush, true)
    }

    pub(crate) fn open(&self, fs: &(impl FileSystem + Clone + 'static)) -> Store {
        self.try_open(fs).unwrap().0
    }
}

fn last_before<T: Copy>(list: &[(usize, T)], moment: usize) -> Option<T> {
    list.iter().take_while(|(from, _)| *from <= moment).last().map(|(_, value)| *value)
}

fn open(
    fs: &(impl FileSystem + Clone + 'static),
    flush: FlushMode,
    is_extended: bool,
) -> Result<(Store, Recovery), StoreError> {
    let settings = StoreSettings {
        segment_size: 8192,
        consume_queue_entries: 8,
        ext_segment_size: is_extended.then_some(64),
        index: IndexShape { slots: 16, entries: 40 },
        flush,
        ..settings("/store")
    };
    Store::open(Arc::new(fs.clone()), settings, WALL_MS)
}

/// A store and the time it has.
pub(crate) struct Work {
    fs: JournalFs,
    store: Option<Store>,
    chance: Chance,
    now: i64,
    /// When the next flush has to begin.
    due: Option<i64>,
    log: Log,
}

impl Work {
    /// Works for a while.
    pub(crate) fn run(flush: FlushMode, seed: u64) -> Log {
        let fs = JournalFs::new(MemFs::new()).unwrap();
        let log = Log {
            journal: fs.so_far(),
            sent: Vec::new(),
            flush,
            times: vec![(0, WALL_MS)],
            purges: Vec::new(),
        };
        let store = Some(open(&fs, flush, true).unwrap().0);
        let mut work = Self { fs, store, chance: Chance::new(seed), now: WALL_MS, due: None, log };
        for _ in 0..STEPS {
            work.step();
        }
        work.log.journal = work.fs.so_far();
        work.log
    }

    fn step(&mut self) {
        match self.chance.below(100) {
            0..50 => self.send(1),
            50..65 => {
                let count = 2 + self.chance.below(6) as usize;
                self.send(count);
            }
            65..75 => self.index(),
            75..85 => self.pass(1 + self.chance.clone().below(300) as i64),
            85..92 => self.pass(4_000),
            92..95 => self.purge(),
            95..98 => self.reopen(),
            _ => {
                self.store().close(WALL_MS).unwrap();
                self.reopen();
            }
        }
        let pause = self.chance.below(40) as i64;
        self.pass(pause / 10);
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    fn position(&self) -> usize {
        self.fs.so_far().len()
    }

    /// One message, or a batch of them.
    fn send(&mut self, count: usize) {
        let topic = TOPICS[self.chance.below(TOPICS.len() as u64) as usize];
        let queue = self.chance.below(QUEUES as u64) as i32;
        let first = self.log.sent.len();
        let bodies: Vec<Vec<u8>> = (0..count).map(|at| self.body(first + at)).collect();
        let properties: Vec<String> = (0..count)
            .map(|at| {
                format!("KEYS\u{1}{}\u{2}TAGS\u{1}{}\u{2}", Sent::key(first + at), Sent::tag(first + at))
            })
            .collect();
        let records: Vec<_> = bodies
            .iter()
            .zip(&properties)
            .map(|(body, properties)| record(topic, queue, body, properties.as_bytes()))
            .collect();
        let now = self.now;
        let placed = self.store().append_all(records, now).unwrap();
        self.store().write_run().unwrap();
        match self.log.flush {
            FlushMode::Sync => self.flush(),
            FlushMode::Async { .. } => {
                self.due.get_or_insert(now + INTERVAL_MS);
                self.store().release(u64::MAX).unwrap();
            }
        }
        for (placed, body) in placed.into_iter().zip(bodies) {
            self.fs.note(self.log.sent.len() as u64);
            self.log.sent.push(Sent {
                topic,
                queue,
                offset: placed.queue_offset,
                physical: placed.physical_offset as u64,
                body,
                acknowledged_ms: now,
            });
        }
    }

    fn body(&mut self, number: usize) -> Vec<u8> {
        let len = match self.chance.below(10) {
            0 => 5000,
            1..4 => 900,
            _ => 60,
        };
        let mut body = number.to_string().into_bytes();
        body.extend((0..self.chance.below(len)).map(|at| (at as usize * 31 + number) as u8));
        body
    }

    /// Flushes once, and until a round over the queues that this began has ended.
    fn flush(&mut self) {
        self.due = None;
        let now = self.now;
        while let Some(plan) = self.store().plan_flush(now) {
            let end = self.store.as_mut().unwrap().flushed(plan.run()).unwrap();
            self.store().release(end).unwrap();
            if !self.store().is_flushing_queues() {
                break;
            }
        }
    }

    /// Lets time pass, and flushes when it is time.
    fn pass(&mut self, ms: i64) {
        let end = self.now + ms;
        if let Some(due) = self.due.filter(|due| *due <= end) {
            self.set_time(due);
            self.flush();
        }
        self.set_time(end);
    }

    fn set_time(&mut self, now: i64) {
        self.now = now;
        self.log.times.push((self.position(), now));
    }

    fn index(&mut self) {
        let now = self.now;
        while let Some(plan) = self.store().plan_index(now) {
            if !self.store().indexed(plan.run()).unwrap().has_more {
                break;
            }
        }
    }

    fn purge(&mut self) {
        let statistics = self.store().statistics();
        let room = statistics.appended_end - statistics.log_start;
        let before = statistics.log_start + self.chance.below(room / 2 + 1);
        let mut plan = self.store().plan_purge(before);
        if plan.is_some() {
            let start = self.store().statistics().log_start;
            self.log.purges.push((self.position(), start));
        }
        while let Some(next) = plan {
            plan = self.store().purged(next.run()).unwrap();
        }
    }

    /// The process dies, if it did not stop, and another one comes.
    fn reopen(&mut self) {
        self.store = None;
        self.due = None;
        let is_extended = self.chance.below(4) > 0;
        self.store = Some(open(&self.fs, self.log.flush, is_extended).unwrap().0);
    }
}
