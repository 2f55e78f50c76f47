//! A store that no broker has open. It is read and, but for [`Repair`], never changed: what is in it (`inspect`), whether it agrees with itself
//! ([`Verify`]), and its records one after the other ([`OfflineStore::records`]).
//!
//! Works on our directories and on Apache's. Sizes are taken from the files, so nothing has to be configured.

mod check_entry;
mod inspect;
mod repair;
mod report;
mod verify;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use bytes::Bytes;

pub use self::inspect::{Inspection, QueueBounds};
pub use self::repair::{CutPlan, IndexState, Repair, RepairPlan, Repaired};
pub use self::report::{Finding, FindingKind, FirstFlaw, Report};
pub use self::verify::Verify;
use super::{
    checkpoint::{Checkpoint, CheckpointFile},
    error::StoreError,
    fs::FileSystem,
    known_queues::KnownQueues,
    log_scan::{LogScan, Scanned},
    marks::{Marks, MarksFile},
    queue_entry::{ENTRY_SIZE, QueueView, Slot},
    queues::{EXTENSIONS, QUEUES, dirs_in},
    reader::{Reader, Stop},
    segment::{Segment, Wait},
    segments::Segments,
    settings::log_places,
    tail::Tail,
};

/// A queue as its files are.
#[derive(Debug, Clone)]
struct OfflineQueue {
    topic: Arc<str>,
    id: i32,
    view: QueueView,
}

/// What a directory does not say of itself.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Apache's `storePathCommitLog`, if the log does not lie in `commitlog` of the root.
    pub log_dirs: Vec<PathBuf>,
    /// The topics that there are, where that is known: queues of others are not missed.
    pub topics: Option<BTreeSet<String>>,
}

/// An open directory. Brokers are kept out while it is open, if they ever were in.
pub struct OfflineStore {
    root: PathBuf,
    outside: Outside,
    // Queues that had been there and have no files.
    lost: Vec<(Arc<str>, i32)>,
    log: Segments,
    // Files of the log behind a gap.
    strays: Vec<Arc<Segment>>,
    queues: Vec<OfflineQueue>,
    checkpoint: Option<Checkpoint>,
    marks: Option<Marks>,
    clean: bool,
    index_files: Vec<String>,
    _lock: Option<Box<dyn Send + Sync>>,
}

impl std::fmt::Debug for OfflineStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OfflineStore").field("root", &self.root).finish_non_exhaustive()
    }
}

impl OfflineStore {
    /// Opens a directory, Apache's `storePathRootDir`.
    ///
    /// A directory without a log is no store: the error names what is missing.
    pub fn open(
        fs: &dyn FileSystem,
        root: impl Into<PathBuf>,
        outside: &Outside,
    ) -> Result<Self, StoreError> {
        let root = root.into();
        let exists = |name: &str| {
            let path = root.join(name);
            fs.exists(&path).map_err(StoreError::io("look for", &path))
        };
        let lock = if exists("lock")? { Some(lock(fs, &root)?) } else { None };
        let (log, strays) = Segments::read_only(fs, &log_places(&root, &outside.log_dirs, &[]))?;
        let index_dir = root.join("index");
        let mut index_files = Vec::new();
        if exists("index")? {
            let entries = fs.list(&index_dir).map_err(StoreError::io("list", &index_dir))?;
            index_files.extend(entries.into_iter().filter(|entry| !entry.is_dir).map(|entry| entry.name));
            index_files.sort_unstable();
        }
        let queues = queues(fs, &root, &log)?;
        Ok(Self {
            lost: lost_queues(fs, &root, &queues, outside)?,
            queues,
            log,
            strays,
            checkpoint: if exists("checkpoint")? {
                Some(CheckpointFile::read(fs, &root.join("checkpoint"))?)
            } else {
                None
            },
            marks: if exists("lite.cbor")? { MarksFile::read(fs, &root)? } else { None },
            clean: !exists("abort")?,
            index_files,
            outside: outside.clone(),
            root,
            _lock: lock,
        })
    }

    /// Where the log begins.
    pub fn start(&self) -> u64 {
        self.log.start().unwrap_or(0)
    }

    /// Whole records from a position on, one after the other and at most so many bytes but at least one; and the position
    /// behind them, `None` at the end of the log or where it is damaged.
    pub fn records(&self, from: u64, max_bytes: usize) -> Result<(Vec<Bytes>, Option<u64>), StoreError> {
        let mut scan = LogScan::new(self.log.clone(), from);
        let (mut found, mut size) = (Vec::new(), 0);
        while size < max_bytes.max(1) {
            let (at, length) = match scan.next()? {
                Some(Scanned::Message(message)) => (message.physical_offset as u64, message.total_size),
                Some(Scanned::Unreadable) => continue,
                None => return Ok((found, None)),
            };
            let mut bytes = vec![0; length];
            self.log.read(at, &mut bytes, Wait::Yes)?;
            size += length;
            found.push(bytes.into());
        }
        Ok((found, Some(scan.position())))
    }

    /// The directory of a queue's extensions.
    fn ext_dir(&self, topic: &str, queue_id: i32) -> PathBuf {
        self.root.join(EXTENSIONS).join(topic).join(queue_id.to_string())
    }

    /// Bytes of an extension file, if there is any.
    fn ext_segment_size(&self) -> Option<u64> {
        let first = self.queues.iter().find_map(|queue| queue.view.units.iter().next());
        first.map(|first| first.end() - first.base())
    }

    /// What lies behind the last whole record.
    fn tail(&self, end: u64) -> Tail<'_> {
        Tail::new(&self.log, &self.strays, end)
    }

    /// The entries of a queue.
    fn slots(&self, queue: &QueueView, from: u64, count: u64) -> Result<Vec<Slot>, StoreError> {
        let reader = Reader::new(&self.log, 0, Wait::Yes);
        match reader.slots(queue, from, count) {
            Ok(slots) => Ok(slots),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::WouldBlock) => Ok(Vec::new()),
        }
    }
}

fn lock(fs: &dyn FileSystem, root: &std::path::Path) -> Result<Box<dyn Send + Sync>, StoreError> {
    let path = root.join("lock");
    fs.lock(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => StoreError::Locked { path: path.clone() },
        _ => StoreError::Io { op: "lock", path: path.clone(), source: error },
    })
}

fn lost_queues(
    fs: &dyn FileSystem,
    root: &std::path::Path,
    queues: &[OfflineQueue],
    outside: &Outside,
) -> Result<Vec<(Arc<str>, i32)>, StoreError> {
    let Some(known) = KnownQueues::read(fs, root)? else { return Ok(Vec::new()) };
    let mut found = KnownQueues::default();
    for queue in queues.iter().filter(|queue| queue.view.segments.start().is_some()) {
        found.insert(&queue.topic, queue.id);
    }
    Ok(known.lost(&found, outside.topics.as_ref()))
}

/// All queues, with bounds as their files are: up to the first entry of the last file that nobody wrote.
fn queues(
    fs: &dyn FileSystem,
    root: &std::path::Path,
    log: &Segments,
) -> Result<Vec<OfflineQueue>, StoreError> {
    let (root, ext_root) = (root.join(QUEUES), root.join(EXTENSIONS));
    let mut queues = Vec::new();
    for topic in dirs_in(fs, &root)? {
        let name: Arc<str> = topic.as_str().into();
        for id in dirs_in(fs, &root.join(&topic))? {
            let Ok(number) = id.parse() else { continue };
            let (segments, _) = Segments::read_only(fs, &root.join(&topic).join(&id).into())?;
            let (units, _) = Segments::read_only(fs, &ext_root.join(&topic).join(&id).into())?;
            let view = QueueView { units, ..bounded(&segments, log)? };
            queues.push(OfflineQueue { topic: Arc::clone(&name), id: number, view });
        }
    }
    Ok(queues)
}

fn bounded(segments: &Segments, log: &Segments) -> Result<QueueView, StoreError> {
    let slot = |at: u64| -> Result<Option<Slot>, StoreError> {
        let mut bytes = [0; ENTRY_SIZE as usize];
        segments.read(at.saturating_mul(ENTRY_SIZE), &mut bytes, Wait::Yes)?;
        Ok(Some(Slot::decode(&bytes)))
    };
    let last = segments.iter().last();
    let mut low = last.map_or(0, |last| last.base() / ENTRY_SIZE);
    let mut high = last.map_or(0, |last| last.end() / ENTRY_SIZE);
    while low < high {
        let middle = low + (high - low) / 2;
        if slot(middle)? == Some(Slot::Unwritten) { high = middle } else { low = middle + 1 }
    }
    let view = QueueView { segments: segments.clone(), units: Segments::default(), min: 0, max: low };
    // An entry that nobody wrote, amid others, is damage, and no place where the queue could begin.
    let written = |at: u64| {
        Ok(slot(at)?.filter(|slot| *slot != Slot::Unwritten).or(Some(Slot::Blank { before: u64::MAX })))
    };
    let min = view.first_at(log.start().unwrap_or(0), written)?;
    Ok(QueueView { min, ..view })
}
