//! A file system that fails, or ends the process, where a test tells it to.
//!
//! A fault is named by the kind of call and by which call of that kind, counted over all files or over those whose path has
//! some part: "the third write", "the second sync in commitlog". [`FaultFs::calls`] tells how many there were, so a test
//! can run once to count and then once for each call.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::fs::{Entry, File, FileSystem, Open};

/// A kind of call that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Opening with [`Open::Create`].
    Create,
    /// Any other opening.
    Open,
    /// A write; nothing of it reaches the file.
    Write,
    /// A write (counted together with [`Fault::Write`]) of which only the first half reaches the file.
    ShortWrite,
    /// A write (counted together with [`Fault::Write`]) that reaches the file whole, but is reported as failed.
    LateWrite,
    /// Setting a length.
    SetLen,
    /// Zeroing a range.
    Zero,
    /// Syncing a file.
    Sync,
    /// Syncing a directory.
    SyncDir,
    /// Renaming.
    Rename,
    /// Removing a file or directory.
    Remove,
    /// A read of either kind.
    Read,
}

impl Fault {
    /// Which counter a fault looks at.
    fn counted_as(self) -> Self {
        match self {
            Self::ShortWrite | Self::LateWrite => Self::Write,
            other => other,
        }
    }
}

/// Another file system, with faults. Clones share the faults and the counters.
#[derive(Debug, Clone)]
pub struct FaultFs {
    inner: Arc<dyn FileSystem>,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    calls: Vec<(Fault, PathBuf)>,
    longest_read: usize,
    armed: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// What the path has to have in it.
    part: String,
    /// Matching calls so far.
    seen: u64,
    from: u64,
    until: u64,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Fail(io::ErrorKind),
    Die,
}

impl Armed {
    fn matches(&self, call: Fault, path: &Path) -> bool {
        self.fault.counted_as() == call && path.to_string_lossy().contains(&self.part)
    }
}

impl FaultFs {
    /// No faults yet.
    pub fn new(inner: Arc<dyn FileSystem>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Makes the `nth` call of that kind from now on fail (1 is the next one), once.
    pub fn fail(&self, fault: Fault, nth: u64, kind: io::ErrorKind) {
        self.arm("", fault, nth, 1, Outcome::Fail(kind));
    }

    /// The same, counting only the files that have `part` in their path.
    pub fn fail_in(&self, part: &str, fault: Fault, nth: u64, kind: io::ErrorKind) {
        self.arm(part, fault, nth, 1, Outcome::Fail(kind));
    }

    /// Makes the `nth` call of that kind from now on, and all after it, fail.
    pub fn fail_from(&self, fault: Fault, nth: u64, kind: io::ErrorKind) {
        self.arm("", fault, nth, u64::MAX, Outcome::Fail(kind));
    }

    /// Ends the process, as a kill would, when the `nth` call of that kind on such a file is about to happen. A
    /// [`Fault::ShortWrite`] or [`Fault::LateWrite`] has happened by half, or whole.
    pub fn die_in(&self, part: &str, fault: Fault, nth: u64) {
        self.arm(part, fault, nth, 1, Outcome::Die);
    }

    /// From now on all goes well.
    pub fn heal(&self) {
        self.plan().armed.clear();
    }

    /// The most bytes that one read asked for.
    pub fn longest_read(&self) -> usize {
        self.plan().longest_read
    }

    /// How many calls of that kind there have been, failed ones included.
    pub fn calls(&self, fault: Fault) -> u64 {
        self.calls_in("", fault)
    }

    /// How many of them were on files that have `part` in their path.
    pub fn calls_in(&self, part: &str, fault: Fault) -> u64 {
        let armed = Armed::new(part, fault);
        self.plan().calls.iter().filter(|(call, path)| armed.matches(*call, path)).count() as u64
    }

    fn arm(&self, part: &str, fault: Fault, nth: u64, count: u64, outcome: Outcome) {
        let until = nth.saturating_add(count);
        self.plan().armed.push(Armed { from: nth, until, outcome, ..Armed::new(part, fault) });
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call; the fault it runs into, if any.
    fn count(&self, call: Fault, path: &Path) -> Option<(Fault, Outcome)> {
        let mut plan = self.plan();
        plan.calls.push((call, path.to_owned()));
        let mut hit = None;
        for armed in plan.armed.iter_mut().filter(|armed| armed.matches(call, path)) {
            armed.seen += 1;
            if (armed.from..armed.until).contains(&armed.seen) {
                hit.get_or_insert((armed.fault, armed.outcome));
            }
        }
        hit
    }

    fn check_read(&self, len: usize, path: &Path) -> io::Result<()> {
        let longest = self.plan().longest_read.max(len);
        self.plan().longest_read = longest;
        self.check(Fault::Read, path)
    }

    fn check(&self, call: Fault, path: &Path) -> io::Result<()> {
        self.count(call, path).map_or(Ok(()), |(_, outcome)| Err(outcome.happen()))
    }
}

impl Armed {
    /// Never hit.
    fn new(part: &str, fault: Fault) -> Self {
        let outcome = Outcome::Fail(io::ErrorKind::Other);
        Self { fault, part: part.to_owned(), seen: 0, from: 0, until: 0, outcome }
    }
}

impl Outcome {
    fn happen(self) -> io::Error {
        match self {
            Self::Fail(kind) => kind.into(),
            Self::Die => std::process::abort(),
        }
    }
}

impl FileSystem for FaultFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        self.check(if how == Open::Create { Fault::Create } else { Fault::Open }, path)?;
        let (inner, path) = (self.inner.open(path, how)?, path.to_owned());
        Ok(Arc::new(FaultFile { inner, path, faults: self.clone() }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Fault::Rename, from)?;
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.check(Fault::Remove, path)?;
        self.inner.remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.check(Fault::Remove, dir)?;
        self.inner.remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.check(Fault::SyncDir, dir)?;
        self.inner.sync_dir(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.inner.exists(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.inner.lock(path)
    }
}

#[derive(Debug)]
struct FaultFile {
    inner: Arc<dyn File>,
    path: PathBuf,
    faults: FaultFs,
}

impl File for FaultFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.faults.check_read(buf.len(), &self.path)?;
        self.inner.read_at(buf, offset)
    }

    fn read_now(&self, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        self.faults.check_read(buf.len(), &self.path)?;
        self.inner.read_now(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let Some((fault, outcome)) = self.faults.count(Fault::Write, &self.path) else {
            return self.inner.write_all_at(buf, offset);
        };
        match fault {
            Fault::ShortWrite => self.inner.write_all_at(&buf[..buf.len() / 2], offset)?,
            Fault::LateWrite => self.inner.write_all_at(buf, offset)?,
            _ => {}
        }
        Err(outcome.happen())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.faults.check(Fault::SetLen, &self.path)?;
        self.inner.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync_data(&self) -> io::Result<()> {
        self.faults.check(Fault::Sync, &self.path)?;
        self.inner.sync_data()
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.inner.next_data(offset)
    }

    fn zero(&self, from: u64, to: u64) -> io::Result<()> {
        self.faults.check(Fault::Zero, &self.path)?;
        self.inner.zero(from, to)
    }
}
