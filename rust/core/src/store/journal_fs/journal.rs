//! What happened to a disk, in order.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::tree::{NameChange, Node, ROOT, Tree};
use crate::store::{fs::FileSystem, mem_fs::MemFs};

/// One thing that happened.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Name(NameChange),
    Len { node: Node, len: u64 },
    Write { node: Node, offset: u64, bytes: Arc<[u8]> },
    Zero { node: Node, from: u64, to: u64 },
    Sync(Node),
    SyncDir(Node),
    Note(u64),
}

/// All that happened to a disk since some moment, and what it was then.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The disk's files then, each named by its node.
    pub(super) contents: MemFs,
    /// Its names then.
    pub(super) begun: Tree,
    /// Its names now.
    tree: Tree,
    pub(super) dirs: BTreeSet<Node>,
    next: usize,
    ops: Vec<Op>,
}

impl Journal {
    pub(super) fn new(disk: &MemFs) -> io::Result<Self> {
        let mut journal = Self {
            contents: disk.snapshot(),
            begun: Tree::default(),
            tree: Tree::default(),
            dirs: BTreeSet::from([ROOT]),
            next: ROOT.0 + 1,
            ops: Vec::new(),
        };
        if disk.exists(Path::new("/"))? {
            journal.take_in(Path::new("/"))?;
        }
        journal.contents.create_dir_all(Path::new(CONTENTS))?;
        for (path, node) in journal.tree.walk() {
            if !journal.dirs.contains(&node) {
                journal.contents.rename(&path, &content_path(node))?;
            }
        }
        journal.begun = journal.tree.clone();
        journal.ops.clear();
        Ok(journal)
    }

    /// How many things happened.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// The moments from one on, but for those just after a sync: a sync only takes choices away, so whatever a cut leaves then,
    /// if it keeps all pieces but some, a cut of a moment before may leave too.
    pub fn moments(&self, from: usize) -> impl Iterator<Item = usize> {
        (from..=self.len()).filter(move |moment| {
            let last = moment.checked_sub(1).filter(|last| *last >= from).and_then(|last| self.ops.get(last));
            !matches!(last, Some(Op::Sync(_) | Op::SyncDir(_)))
        })
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// What was noted before a moment, given as the number of things that had happened.
    pub fn notes(&self, before: usize) -> impl Iterator<Item = u64> {
        self.before(before).iter().filter_map(|op| match op {
            Op::Note(what) => Some(*what),
            _ => None,
        })
    }

    pub(super) fn before(&self, moment: usize) -> &[Op] {
        self.ops.get(..moment).unwrap_or(&self.ops)
    }

    pub(super) fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    pub(super) fn ops_mut(&mut self) -> &mut Vec<Op> {
        &mut self.ops
    }

    /// The file of that name, which is made now if it is not known yet.
    pub(super) fn file_at(&mut self, path: &Path) -> io::Result<Node> {
        match self.tree.find(path) {
            Some(node) => Ok(node),
            None => self.make(path),
        }
    }

    pub(super) fn make_dirs(&mut self, dir: &Path) -> io::Result<()> {
        let mut missing: Vec<_> = dir.ancestors().take_while(|dir| self.tree.find(dir).is_none()).collect();
        while let Some(dir) = missing.pop() {
            let node = self.make(dir)?;
            self.dirs.insert(node);
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.tree.find(from).ok_or(io::ErrorKind::NotFound)?;
        let given = Some(self.tree.place(to).ok_or(io::ErrorKind::NotFound)?);
        self.name(NameChange { node, taken: self.tree.place(from), given });
        Ok(())
    }

    /// Removes a file, or a directory and all that is in it, one name after the other.
    pub(super) fn remove(&mut self, path: &Path) {
        let found = self.tree.walk();
        for (path, node) in found.iter().rev().filter(|(found, _)| found.starts_with(path)) {
            self.name(NameChange { node: *node, taken: self.tree.place(path), given: None });
        }
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        let node = self.tree.find(dir).ok_or(io::ErrorKind::NotFound)?;
        self.push(Op::SyncDir(node));
        Ok(())
    }

    fn make(&mut self, path: &Path) -> io::Result<Node> {
        let given = Some(self.tree.place(path).ok_or(io::ErrorKind::NotFound)?);
        let node = Node(self.next);
        self.next += 1;
        self.name(NameChange { node, taken: None, given });
        Ok(node)
    }

    fn name(&mut self, change: NameChange) {
        self.tree.apply(&change);
        self.push(Op::Name(change));
    }

    fn take_in(&mut self, dir: &Path) -> io::Result<()> {
        self.make_dirs(dir)?;
        for entry in self.contents.list(dir)? {
            let path = dir.join(&entry.name);
            // The root is in itself, for a file system that keeps paths.
            match entry.is_dir {
                true if path != dir => self.take_in(&path)?,
                true => {}
                false => drop(self.make(&path)?),
            }
        }
        Ok(())
    }
}

/// Where the files of an image wait for their names.
pub(super) const CONTENTS: &str = "/.contents";

pub(super) fn content_path(node: Node) -> PathBuf {
    Path::new(CONTENTS).join(node.0.to_string())
}
