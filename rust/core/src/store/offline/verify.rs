//! Whether a store agrees with itself: every record, and every queue entry that should point to it.
//!
//! The log is read once, from its beginning, and beside it each queue from its own. Behind a bad record the check goes on
//! at the next whole one, so that one report has all of the damage.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use super::{
    super::{
        consume_queue::{QueueEntry, QueueView, Slot},
        dispatch::{SCHEDULE_TOPIC, tags_code},
        error::StoreError,
        known_queues::queue_dir,
        log_scan::{Flaw, LogScan, Scanned, read_message},
    },
    OfflineQueue, OfflineStore,
};
use crate::record::Message;

/// Findings that are kept; more are counted.
const MAX_FINDINGS: usize = 1000;
/// Entries of a queue read at a time.
const WINDOW: u64 = 1024;
/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// Bytes that were durable, or lie between whole records that were, are no record.
    DamagedRecord,
    /// Bytes at the end of the log are no record, and had not been durable: a start cuts them off.
    TornTail,
    /// The offsets of a queue are not in a row.
    QueueGap,
    /// A queue entry says something else than its record.
    WrongEntry,
    /// A record has no queue entry, though the store was closed in order.
    MissingEntry,
    /// A queue entry points to no record of the log.
    DanglingEntry,
    /// A queue had been there, and its directory is gone.
    MissingQueue,
}

impl FindingKind {
    /// A name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::DamagedRecord => "damaged-record",
            Self::TornTail => "torn-tail",
            Self::QueueGap => "queue-gap",
            Self::WrongEntry => "wrong-entry",
            Self::MissingEntry => "missing-entry",
            Self::DanglingEntry => "dangling-entry",
            Self::MissingQueue => "missing-queue",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub kind: FindingKind,
    /// The file.
    pub path: PathBuf,
    /// Where in the log; for queues, the record that it is about.
    pub offset: u64,
    /// What was checked.
    pub what: String,
    /// What it should be.
    pub expected: i64,
    /// What it is.
    pub found: i64,
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Behind the last whole record.
    pub end: u64,
    /// Whole records.
    pub records: u64,
    /// Of these, records with texts that make no sense: no consumer can get them.
    pub unreadable: u64,
    /// Records that agree with their queue entry.
    pub entries: u64,
    /// Records that have no queue entry yet, or whose topic was removed; no fault.
    pub without_entry: u64,
    /// The first findings.
    pub findings: Vec<Finding>,
    /// How many there are of each kind.
    pub counts: Vec<(FindingKind, u64)>,
    /// The first place of the log that is damaged or torn.
    pub first_flaw: Option<FirstFlaw>,
    /// Directories of queues whose entries are wrong or missing.
    pub bad_queues: BTreeSet<PathBuf>,
    /// Directories of queues that are gone.
    pub missing_queues: BTreeSet<PathBuf>,
}

/// The first place of the log where no whole record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstFlaw {
    /// Where it is.
    pub at: u64,
    /// Whole records before it.
    pub records_before: u64,
    /// Whether it is damage, and no torn tail.
    pub is_damage: bool,
}

impl Report {
    fn add(&mut self, finding: Finding) {
        match self.counts.iter_mut().find(|(kind, _)| *kind == finding.kind) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((finding.kind, 1)),
        }
        match finding.kind {
            FindingKind::DamagedRecord | FindingKind::TornTail => {
                self.first_flaw.get_or_insert(FirstFlaw {
                    at: finding.offset,
                    records_before: self.records,
                    is_damage: finding.kind == FindingKind::DamagedRecord,
                });
            }
            FindingKind::WrongEntry | FindingKind::MissingEntry => {
                self.bad_queues.insert(finding.path.clone());
            }
            FindingKind::MissingQueue => {
                self.missing_queues.insert(finding.path.clone());
            }
            FindingKind::QueueGap | FindingKind::DanglingEntry => {}
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Whether a broker can start and serve all of it; a torn tail is what a start is there for.
    pub fn is_sound(&self) -> bool {
        self.counts.iter().all(|(kind, _)| *kind == FindingKind::TornTail)
    }
}

/// A check that is under way.
#[derive(Debug)]
pub struct Verify {
    store: OfflineStore,
    scan: LogScan,
    queues: HashMap<(Arc<str>, i32), QueueCheck>,
    report: Report,
    done: bool,
}

#[derive(Debug)]
struct QueueCheck {
    view: QueueView,
    /// The offset that the next record should have; none before the first.
    next: Option<u64>,
    window: Vec<Slot>,
    window_at: u64,
}

impl Verify {
    /// Begins at the beginning of the log.
    pub fn new(store: OfflineStore) -> Self {
        let scan = LogScan::new(store.log.clone(), store.start());
        let check = |OfflineQueue { topic, id, view }: &OfflineQueue| {
            let check = QueueCheck { view: view.clone(), next: None, window: Vec::new(), window_at: 0 };
            ((Arc::clone(topic), *id), check)
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
        let durable = self.store.marks.map_or(0, |marks| marks.durable);
        let has_more = self.scan.resync()?;
        let is_old = has_more && self.is_next_older()?;
        let bytes = self.store.log.data_behind(at)?;
        if at < durable || is_old || bytes > 0 {
            let is_damage = at < durable || is_old;
            let kind = if is_damage { FindingKind::DamagedRecord } else { FindingKind::TornTail };
            let end = Flaw { what: "the end of the durable log", expected: durable as i64, found: at as i64 };
            let Flaw { what, expected, found } = flaw.unwrap_or(end);
            let path = self
                .store
                .log
                .find(at)
                .map_or_else(|| self.store.root.join("commitlog"), |segment| segment.path().to_owned());
            self.report.add(Finding { kind, path, offset: at, what: what.to_owned(), expected, found });
        }
        if !(at < durable && has_more || is_old) {
            self.done = true;
            self.report.end = at;
            self.look_for_dangling()?;
        }
        Ok(())
    }

    /// Whether the record that the scan is at is older than what the checkpoint knows to be durable.
    fn is_next_older(&mut self) -> Result<bool, StoreError> {
        let known = self.store.checkpoint.map_or(0, |checkpoint| checkpoint.physic_timestamp);
        let mut ahead = LogScan::new(self.store.log.clone(), self.scan.position());
        let next = ahead.next()?;
        Ok(matches!(next, Some(Scanned::Message(message)) if message.store_timestamp < known))
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

fn check_entry(
    store: &OfflineStore,
    queues: &mut HashMap<(Arc<str>, i32), QueueCheck>,
    message: &Message<'_>,
    report: &mut Report,
) -> Result<(), StoreError> {
    if message.is_transaction_prepared_or_rollback() {
        return Ok(());
    }
    let Some(queue) = queues.get_mut(&(Arc::from(message.topic), message.queue_id)) else {
        report.without_entry += 1;
        return Ok(());
    };
    let finding = |kind, what: &str, expected: i64, found: i64| Finding {
        kind,
        path: path_of(store, message.topic, message.queue_id),
        offset: message.physical_offset as u64,
        what: format!("{what} of {}/{} at {}", message.topic, message.queue_id, message.queue_offset),
        expected,
        found,
    };
    let offset = message.queue_offset as u64;
    // A topic that was removed and made anew begins at 0 again.
    if let Some(next) = queue.next.filter(|next| *next != offset && offset != 0) {
        report.add(finding(FindingKind::QueueGap, "the offset", next as i64, offset as i64));
    }
    queue.next = Some(offset.saturating_add(1));
    let expected = QueueEntry {
        physical: message.physical_offset as u64,
        size: message.total_size as u32,
        tags_code: tags_code(message.topic, message.properties, message.store_timestamp),
    };
    match queue.slot(store, offset)? {
        Slot::Message(entry) if agrees(&entry, &expected, message.topic) => report.entries += 1,
        Slot::Message(entry) if is_of_a_later_life(store, &entry, message)? => report.without_entry += 1,
        Slot::Message(entry) => {
            let (what, expected, found) = difference(&entry, &expected);
            report.add(finding(FindingKind::WrongEntry, what, expected, found));
        }
        Slot::Unwritten | Slot::Blank { .. } if store.clean && offset >= queue.view.min => {
            report.add(finding(FindingKind::MissingEntry, "the entries", 1, 0));
        }
        Slot::Unwritten | Slot::Blank { .. } => report.without_entry += 1,
    }
    Ok(())
}

/// Delivery times of scheduled messages depend on settings, and extensions hold other tags.
fn agrees(entry: &QueueEntry, expected: &QueueEntry, topic: &str) -> bool {
    let has_other_code = topic == SCHEDULE_TOPIC || entry.is_extended();
    entry.physical == expected.physical
        && entry.size == expected.size
        && (has_other_code || entry.tags_code == expected.tags_code)
}

/// Whether the entry belongs to a later record of the same place: the topic was removed in between.
fn is_of_a_later_life(
    store: &OfflineStore,
    entry: &QueueEntry,
    message: &Message<'_>,
) -> Result<bool, StoreError> {
    if entry.physical <= message.physical_offset as u64 {
        return Ok(false);
    }
    let mut buffer = Vec::new();
    let later = read_message(&store.log, entry.physical, entry.size, &mut buffer)?;
    Ok(later.is_some_and(|later| {
        (later.topic, later.queue_id, later.queue_offset)
            == (message.topic, message.queue_id, message.queue_offset)
    }))
}

fn difference(entry: &QueueEntry, expected: &QueueEntry) -> (&'static str, i64, i64) {
    if entry.physical != expected.physical {
        ("the position in the log", expected.physical as i64, entry.physical as i64)
    } else if entry.size != expected.size {
        ("the size", expected.size.into(), entry.size.into())
    } else {
        ("the tags code", expected.tags_code, entry.tags_code)
    }
}

impl QueueCheck {
    /// The entry at an offset.
    fn slot(&mut self, store: &OfflineStore, at: u64) -> Result<Slot, StoreError> {
        let is_there = |queue: &Self| {
            let place = at.checked_sub(queue.window_at)?;
            queue.window.get(usize::try_from(place).ok()?).copied()
        };
        if let Some(slot) = is_there(self) {
            return Ok(slot);
        }
        self.window = store.slots(&self.view, at, WINDOW)?;
        self.window_at = at;
        Ok(is_there(self).unwrap_or(Slot::Unwritten))
    }
}
