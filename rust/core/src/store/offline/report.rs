//! What a check has found.

use std::{collections::BTreeSet, path::PathBuf};

/// Findings that are kept; more are counted.
const MAX_FINDINGS: usize = 1000;

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
    /// A queue entry agrees with its record, but its unit in the queue's extension files does not, or is missing.
    WrongUnit,
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
            Self::WrongUnit => "wrong-unit",
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
    /// Directories of queues whose entries are wrong or missing, and of extensions whose units are.
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
    pub(super) fn add(&mut self, finding: Finding) {
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
            FindingKind::WrongEntry | FindingKind::MissingEntry | FindingKind::WrongUnit => {
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
