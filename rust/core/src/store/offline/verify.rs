//! Whether a store agrees with itself: every record, and every queue entry that should point to it.
//!
//! The log is read once, from its beginning, and beside it each queue from its own. Behind a bad record the check goes on
//! at the next whole one, so that one report has all of the damage.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use super::{
    super::{
        error::StoreError,
        known_queues::queue_dir,
        log_scan::{Flaw, LogScan, Scanned},
        queue_entry::Slot,
    },
    OfflineQueue, OfflineStore,
    check_entry::{QueueCheck, check_entry},
    report::{Finding, FindingKind, Report},
};

/// A check that is under way.
#[derive(Debug)]
pub struct Verify {
    store: OfflineStore,
    scan: LogScan,
    queues: HashMap<(Arc<str>, i32), QueueCheck>,
    report: Report,
    done: bool,
}

impl Verify {
    /// Begins at the beginning of the log.
    pub fn new(store: OfflineStore) -> Self {
        let scan = LogScan::new(store.log.clone(), store.start());
        let check = |OfflineQueue { topic, id, view }: &OfflineQueue| {
            ((Arc::clone(topic), *id), QueueCheck::new(view.clone()))
        };
        let queues = store.queues.iter().map(check).collect();
        let mut report = Report::default();
        for (topic, id) in &store.lost {
            report.add(Finding {
                kind: FindingKind::MissingQueue,
                path: path_of(&store, topic, *id),
                offset: store.start(),
                what: format!("the directory of {topic}/{id}"),
                expected: 1,
                found: 0,
            });
        }
        Self { store, scan, queues, report, done: false }
    }

    /// How far it is, and where the last file ends.
    pub fn progress(&self) -> (u64, u64) {
        (self.scan.position(), self.store.log.iter().last().map_or(0, |last| last.end()))
    }

    /// Checks about so many bytes of the log; false at the end.
    pub fn step(&mut self, bytes: u64) -> Result<bool, StoreError> {
        let stop = self.scan.position().saturating_add(bytes);
        while !self.done && self.scan.position() < stop {
            match self.scan.next()? {
                Some(Scanned::Message(message)) => {
                    self.report.records += 1;
                    check_entry(&self.store, &mut self.queues, &message, &mut self.report)?;
                }
                Some(Scanned::Unreadable) => {
                    self.report.records += 1;
                    self.report.unreadable += 1;
                }
                None => self.behind_a_flaw()?,
            }
        }
        Ok(!self.done)
    }

    /// The report, once [`Self::step`] said that there is no more.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What is checked.
    pub(super) fn store(&self) -> &OfflineStore {
        &self.store
    }

    /// Goes on at the next whole record, or ends.
    fn behind_a_flaw(&mut self) -> Result<(), StoreError> {
        let (at, flaw) = (self.scan.position(), self.scan.flaw());
        let (tail, marks) = (self.store.tail(at), self.store.marks);
        let is_damage = tail.is_damage(marks, self.store.checkpoint)?;
        if is_damage || tail.data()? > 0 {
            let kind = if is_damage { FindingKind::DamagedRecord } else { FindingKind::TornTail };
            let (segment, Flaw { what, expected, found }) = tail.flaw(flaw, marks);
            let path = segment
                .map_or_else(|| self.store.root.join("commitlog"), |segment| segment.path().to_owned());
            self.report.add(Finding { kind, path, offset: at, what: what.to_owned(), expected, found });
        }
        if !(is_damage && self.scan.resync()?) {
            self.done = true;
            self.report.end = at;
            self.look_for_dangling()?;
        }
        Ok(())
    }

    /// Entries behind the last record of each queue.
    fn look_for_dangling(&mut self) -> Result<(), StoreError> {
        for ((topic, id), queue) in &mut self.queues {
            let next = queue.next.unwrap_or(queue.view.min).max(queue.view.min);
            let Slot::Message(entry) = queue.slot(&self.store, next)? else { continue };
            // After a crash a start drops the entries of what it cuts off.
            if self.store.clean || entry.physical < self.report.end {
                self.report.add(Finding {
                    kind: FindingKind::DanglingEntry,
                    path: path_of(&self.store, topic, *id),
                    offset: entry.physical,
                    what: format!("the next offset of {topic}/{id}"),
                    expected: next as i64,
                    found: queue.view.max as i64,
                });
            }
        }
        Ok(())
    }
}

fn path_of(store: &OfflineStore, topic: &str, queue_id: i32) -> PathBuf {
    queue_dir(&store.root, topic, queue_id)
}
