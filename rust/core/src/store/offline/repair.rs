//! Making a damaged store one that a broker starts with: first a plan ([`Repair::step`], [`Repair::plan`]), then the deed
//! ([`Repair::apply`]).
//!
//! The log ends at its first flaw. Queues that disagree with it and an index that cannot be right are made again, from
//! the whole records before that. Nothing is thrown away: what is cut or replaced is in `ROOT/lite-cut`.
//!
//! An interrupted repair leaves a store that looks as after a crash, and can be repeated.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    super::{
        FlushMode, Recovery, Store, StoreSettings,
        checkpoint::{CheckpointFile, Position},
        commit_log::CommitLog,
        cut_bytes::CutBytes,
        directory::Directory,
        error::StoreError,
        fs::FileSystem,
        index::IndexShape,
        log_scan::LogScan,
        marks::{Marks, MarksFile},
        queue_entry::ENTRY_SIZE,
        queues::{EXTENSIONS, QUEUES},
        recovery,
    },
    FindingKind, OfflineStore, Outside, Report, Verify,
};

/// What the log loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutPlan {
    /// Where it will end.
    pub at: u64,
    /// Bytes behind that, which are kept in a file.
    pub bytes: u64,
    /// Whole records before it, which stay.
    pub records_before: u64,
    /// Whole records behind it, which no consumer can get any more.
    pub records_behind: u64,
    /// Whether what is cut had been durable: damage, and no torn tail.
    pub is_damage: bool,
}

/// What is known of the index by key without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    /// Its files can be opened, or there is none to be expected.
    Usable,
    /// There was one, and its files are gone.
    Missing,
    /// A file has a length that no index file of this store has.
    Unusable,
}

/// What a repair is going to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairPlan {
    /// The log is cut there.
    pub cut: Option<CutPlan>,
    /// Directories of queues that are replaced.
    pub replaced_queues: Vec<PathBuf>,
    /// Directories of queues that are gone, and made again.
    pub missing_queues: Vec<PathBuf>,
    /// Whether queue entries are made again from the whole log.
    pub remakes_queues: bool,
    /// What the index is like.
    pub index: IndexState,
    /// Whether the index is set aside and made again from the log.
    pub remakes_index: bool,
}

impl RepairPlan {
    /// Whether there is anything to do.
    pub fn is_needed(&self) -> bool {
        self.cut.is_some() || !self.missing_queues.is_empty() || self.remakes_queues || self.remakes_index
    }
}

/// What a repair has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The file with the bytes that were cut.
    pub cut_to: Option<PathBuf>,
    /// Where the directories are that were replaced.
    pub set_aside: Vec<PathBuf>,
    /// How the store opened afterwards.
    pub recovery: Recovery,
}

/// A repair that is being planned.
#[derive(Debug)]
pub struct Repair {
    fs: Arc<dyn FileSystem>,
    verify: Verify,
    // What is behind the first flaw, the last part first.
    behind: Option<Vec<LogScan>>,
    records_behind: u64,
    remakes_all: bool,
    files: IndexFilesFound,
    // The consume queues' directory is there, or has never been needed.
    has_queues: bool,
}

#[derive(Debug)]
struct IndexFilesFound {
    state: IndexState,
    is_there: bool,
    shape: IndexShape,
}

impl Repair {
    /// Begins with a check of all of the store, which is kept locked until [`Self::apply`].
    ///
    /// With `remakes_all`, queue entries and index are made again even if nothing is wrong with them. For
    /// `outside` see [`OfflineStore::open`].
    pub fn new(
        fs: Arc<dyn FileSystem>,
        root: &Path,
        outside: &Outside,
        remakes_all: bool,
    ) -> Result<Self, StoreError> {
        let store = OfflineStore::open(&*fs, root, outside)?;
        let files = index_files(&*fs, &store)?;
        let queues = root.join("consumequeue");
        let has_queues = fs.exists(&queues).map_err(StoreError::io("look for", &queues))?;
        let verify = Verify::new(store);
        Ok(Self { fs, verify, behind: None, records_behind: 0, remakes_all, files, has_queues })
    }

    /// How far it is, and where the last file ends.
    pub fn progress(&self) -> (u64, u64) {
        let (position, end) = self.verify.progress();
        let behind = self.behind.as_ref().map(|scans| scans.last().map_or(end, LogScan::position));
        (behind.unwrap_or(position), end)
    }

    /// Looks at about so many bytes of the log; false once the plan is ready.
    pub fn step(&mut self, bytes: u64) -> Result<bool, StoreError> {
        if self.behind.is_none() {
            if self.verify.step(bytes)? {
                return Ok(true);
            }
            let Some(flaw) = self.report().first_flaw else { return Ok(false) };
            let mut scans = self.verify.store().tail(flaw.at).scans();
            scans.reverse();
            self.behind = Some(scans);
        }
        let Some(scans) = &mut self.behind else { return Ok(false) };
        let Some(scan) = scans.last_mut() else { return Ok(false) };
        let stop = scan.position().saturating_add(bytes);
        while scan.position() < stop {
            if scan.next()?.is_some() {
                self.records_behind += 1;
            } else if !scan.resync()? {
                scans.pop();
                return Ok(!scans.is_empty());
            }
        }
        Ok(true)
    }

    /// What the check has found.
    pub fn report(&self) -> &Report {
        self.verify.report()
    }

    /// What will be done, once [`Self::step`] said that there is no more to look at.
    pub fn plan(&self) -> Result<RepairPlan, StoreError> {
        let report = self.report();
        let cut = match report.first_flaw {
            Some(flaw) => Some(CutPlan {
                at: flaw.at,
                bytes: self.verify.store().tail(flaw.at).data()?,
                records_before: flaw.records_before,
                records_behind: self.records_behind,
                is_damage: flaw.is_damage,
            }),
            None => None,
        };
        // A torn tail is no more than a start deals with.
        let is_damaged = report.first_flaw.is_some_and(|flaw| flaw.is_damage);
        let is_dangling = report.counts.iter().any(|(kind, _)| *kind == FindingKind::DanglingEntry);
        let were_lost = !self.has_queues && report.records > 0;
        Ok(RepairPlan {
            remakes_queues: self.remakes_all
                || is_damaged
                || is_dangling
                || were_lost
                || !report.bad_queues.is_empty(),
            cut,
            replaced_queues: self.replaced_queues()?,
            missing_queues: report.missing_queues.iter().cloned().collect(),
            index: self.files.state,
            remakes_index: self.remakes_all || is_damaged || self.files.state != IndexState::Usable,
        })
    }

    /// Directories with wrong entries, and those of their extensions, which are made again together.
    fn replaced_queues(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut replaced = self.report().bad_queues.clone();
        let root = &self.verify.store().root;
        for queue in &self.report().bad_queues {
            let Ok(name) = queue.strip_prefix(root.join(QUEUES)) else { continue };
            let ext = root.join(EXTENSIONS).join(name);
            if self.fs.exists(&ext).map_err(StoreError::io("look for", &ext))? {
                replaced.insert(ext);
            }
        }
        Ok(replaced.into_iter().collect())
    }

    /// Does what was planned. Queue entries and index are complete afterwards, but for an index of so large a log that a
    /// broker goes on with it in the background.
    pub fn apply(self, plan: &RepairPlan, utc_offset_s: i32, wall_ms: i64) -> Result<Repaired, StoreError> {
        let Self { fs, verify, files, .. } = self;
        let store = verify.store();
        let (root, marks) = (store.root.clone(), store.marks);
        let mut settings = StoreSettings::new(&root);
        settings.log_dirs.clone_from(&store.outside.log_dirs);
        settings.topics.clone_from(&store.outside.topics);
        settings.segment_size = length_of(store.log.iter().next()).unwrap_or(settings.segment_size);
        let queue = store.queues.iter().find_map(|queue| length_of(queue.view.segments.iter().next()));
        settings.consume_queue_entries =
            queue.map_or(settings.consume_queue_entries, |length| length / ENTRY_SIZE);
        settings.ext_segment_size = store.ext_segment_size();
        settings.index = files.shape;
        settings.utc_offset_s = utc_offset_s;
        settings.process_id = std::process::id();
        settings.flush = FlushMode::Sync;
        drop(verify);
        let keep = CutBytes::new(Arc::clone(&fs), &root);
        let mut repaired = Repaired { cut_to: None, set_aside: Vec::new(), recovery: Recovery::default() };
        {
            let directory = Directory::lock(Arc::clone(&fs), root.clone())?;
            directory.mark_in_use(settings.process_id)?;
            if plan.remakes_queues {
                forget_dispatched(&*fs, &root)?;
            }
            if let Some(cut) = plan.cut {
                let mut log = CommitLog::open(Arc::clone(&fs), settings.log_places(), settings.segment_size)?;
                // Interrupted in between, a start still misses what had been durable and refuses.
                repaired.cut_to = recovery::cut(&mut log, cut.at, &keep)?.1;
                lower_durable(&*fs, &root, marks, cut.at)?;
            }
            for queue in &plan.replaced_queues {
                let name = queue.strip_prefix(&root).unwrap_or(queue);
                repaired.set_aside.push(keep.set_aside(&root, name)?);
            }
            if plan.remakes_index && files.is_there {
                repaired.set_aside.push(keep.set_aside(&root, Path::new("index"))?);
            }
        }
        let (mut store, recovery) = Store::open(fs, settings, wall_ms)?;
        store.close(wall_ms)?;
        repaired.recovery = recovery;
        if repaired.cut_to.is_none() {
            repaired.cut_to = repaired.recovery.cut_to.take();
        }
        Ok(repaired)
    }
}

fn length_of(segment: Option<&Arc<super::super::segment::Segment>>) -> Option<u64> {
    segment.map(|segment| segment.end() - segment.base())
}

/// The next opening reads all of the log, and makes every entry again that belongs to one of its records.
fn forget_dispatched(fs: &dyn FileSystem, root: &Path) -> Result<(), StoreError> {
    let (file, mut checkpoint) = CheckpointFile::open(fs, &root.join("checkpoint"))?;
    checkpoint.set_dispatched(Position::default());
    file.write(&checkpoint, true)
}

/// The log is no longer durable up to where it was: it ends before.
fn lower_durable(fs: &dyn FileSystem, root: &Path, marks: Option<Marks>, end: u64) -> Result<(), StoreError> {
    let Some(marks) = marks.filter(|marks| marks.durable > end) else { return Ok(()) };
    let (file, _) = MarksFile::open(fs, root)?;
    file.write(&Marks { durable: end, indexed: marks.indexed.min(end), ..marks }, true)
}

/// Whether the index can be opened, and with which shape.
fn index_files(fs: &dyn FileSystem, store: &OfflineStore) -> Result<IndexFilesFound, StoreError> {
    let dir = store.root.join("index");
    let is_there = fs.exists(&dir).map_err(StoreError::io("look for", &dir))?;
    let mut lengths = Vec::new();
    if is_there {
        let entries = fs.list(&dir).map_err(StoreError::io("list", &dir))?;
        lengths.extend(entries.iter().filter(|entry| !entry.is_dir && entry.len > 0).map(|entry| entry.len));
    }
    let first = lengths.first().copied();
    let shape = first.and_then(IndexShape::of_file);
    let was_there = store.marks.is_some_and(|marks| marks.index_end >= 0)
        || store.checkpoint.is_some_and(|checkpoint| checkpoint.index_timestamp > 0);
    let state = match first {
        None if was_there => IndexState::Missing,
        Some(_) if shape.is_none() || lengths.iter().any(|len| Some(*len) != first) => IndexState::Unusable,
        _ => IndexState::Usable,
    };
    Ok(IndexFilesFound { state, is_there, shape: shape.unwrap_or_default() })
}
