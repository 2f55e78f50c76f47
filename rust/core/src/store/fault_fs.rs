//! A file system that fails where a test tells it to.
//!
//! A fault is named by the kind of call and by which call of that kind, counted over all files: "the third write".
//! [`FaultFs::calls`] tells how many there were, so a test can run once to count and then once for each call.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
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
    calls: BTreeMap<Fault, u64>,
    armed: Vec<Armed>,
}

#[derive(Debug, Clone, Copy)]
struct Armed {
    fault: Fault,
    from: u64,
    until: u64,
    kind: io::ErrorKind,
}

impl FaultFs {
    /// No faults yet.
    pub fn new(inner: Arc<dyn FileSystem>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Makes the `nth` call of that kind from now on fail (1 is the next one), once.
    pub fn fail(&self, fault: Fault, nth: u64, kind: io::ErrorKind) {
        self.arm(fault, nth, 1, kind);
    }

    /// Makes the `nth` call of that kind from now on, and all after it, fail.
    pub fn fail_from(&self, fault: Fault, nth: u64, kind: io::ErrorKind) {
        self.arm(fault, nth, u64::MAX, kind);
    }

    /// From now on all goes well.
    pub fn heal(&self) {
        self.plan().armed.clear();
    }

    /// How many calls of that kind there have been, failed ones included.
    pub fn calls(&self, fault: Fault) -> u64 {
        self.plan().calls.get(&fault.counted_as()).copied().unwrap_or(0)
    }

    fn arm(&self, fault: Fault, nth: u64, count: u64, kind: io::ErrorKind) {
        let mut plan = self.plan();
        let from = plan.calls.get(&fault.counted_as()).copied().unwrap_or(0).saturating_add(nth);
        plan.armed.push(Armed { fault, from, until: from.saturating_add(count), kind });
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call; the fault it runs into, if any.
    fn count(&self, call: Fault) -> Option<(Fault, io::Error)> {
        let mut plan = self.plan();
        let count = plan.calls.entry(call).or_insert(0);
        *count += 1;
        let now = *count;
        let hit =
            |armed: &&Armed| armed.fault.counted_as() == call && (armed.from..armed.until).contains(&now);
        plan.armed.iter().find(hit).map(|armed| (armed.fault, armed.kind.into()))
    }

    fn check(&self, call: Fault) -> io::Result<()> {
        self.count(call).map_or(Ok(()), |(_, error)| Err(error))
    }
}

impl FileSystem for FaultFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        self.check(if how == Open::Create { Fault::Create } else { Fault::Open })?;
        Ok(Arc::new(FaultFile { inner: self.inner.open(path, how)?, faults: self.clone() }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Fault::Rename)?;
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.check(Fault::Remove)?;
        self.inner.remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.check(Fault::Remove)?;
        self.inner.remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.check(Fault::SyncDir)?;
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
    faults: FaultFs,
}

impl File for FaultFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.faults.check(Fault::Read)?;
        self.inner.read_at(buf, offset)
    }

    fn read_now(&self, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        self.faults.check(Fault::Read)?;
        self.inner.read_now(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let Some((fault, error)) = self.faults.count(Fault::Write) else {
            return self.inner.write_all_at(buf, offset);
        };
        match fault {
            Fault::ShortWrite => self.inner.write_all_at(&buf[..buf.len() / 2], offset)?,
            Fault::LateWrite => self.inner.write_all_at(buf, offset)?,
            _ => {}
        }
        Err(error)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.faults.check(Fault::SetLen)?;
        self.inner.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn sync_data(&self) -> io::Result<()> {
        self.faults.check(Fault::Sync)?;
        self.inner.sync_data()
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.inner.next_data(offset)
    }

    fn zero(&self, from: u64, to: u64) -> io::Result<()> {
        self.faults.check(Fault::Zero)?;
        self.inner.zero(from, to)
    }
}
