//! The disks that a cut of the power may leave.

use std::{collections::BTreeSet, io, path::Path, sync::OnceLock};

use super::{
    journal::{CONTENTS, Journal, Op, content_path},
    tree::{Node, Tree},
};
use crate::store::{
    fs::{File, FileSystem, Open},
    mem_fs::MemFs,
};

/// A moment at which the power goes. Each choice of [`pieces`](Self::pieces) that had reached the disk by then is
/// another disk to start from.
#[derive(Debug)]
pub struct PowerCut<'a> {
    journal: &'a Journal,
    /// What was durable.
    settled: Vec<Piece<'a>>,
    /// All of that put together, which every disk begins with.
    begun: OnceLock<Image>,
    /// What was not.
    loose: Vec<Piece<'a>>,
}

/// An operation, or of one on a file's content what falls into a block.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    op: &'a Op,
    from: u64,
    to: u64,
}

/// A disk that is being put together.
#[derive(Debug)]
struct Image {
    contents: MemFs,
    tree: Tree,
    /// Files whose last length change was lost, so that later ones are too.
    stuck: BTreeSet<Node>,
}

impl Journal {
    /// The power goes at a moment, given as the number of things that had happened; what was on its way to the disk is lost in
    /// blocks of a size.
    pub fn power_cut(&self, moment: usize, block: u64) -> PowerCut<'_> {
        let (mut settled, mut loose) = (Vec::new(), Vec::new());
        let mut synced = BTreeSet::new();
        for op in self.before(moment).iter().rev() {
            let is_settled = match op {
                Op::Sync(node) | Op::SyncDir(node) => {
                    synced.insert(*node);
                    continue;
                }
                Op::Note(_) => continue,
                Op::Name(change) => change.dirs().all(|dir| synced.contains(&dir)),
                Op::Len { node, .. } | Op::Write { node, .. } | Op::Zero { node, .. } => {
                    synced.contains(node)
                }
            };
            if is_settled {
                settled.push(Piece::whole(op));
            } else {
                loose.extend(Piece::split(op, block).into_iter().rev());
            }
        }
        settled.reverse();
        loose.reverse();
        PowerCut { journal: self, settled, begun: OnceLock::new(), loose }
    }
}

impl PowerCut<'_> {
    /// How many pieces the disk may or may not have.
    pub fn pieces(&self) -> usize {
        self.loose.len()
    }

    /// The disk that has these pieces, besides all that was durable. It shares nothing with the one that was written.
    pub fn image(&self, kept: impl Fn(usize) -> bool) -> io::Result<MemFs> {
        let mut image = self.settled()?;
        for (number, piece) in self.loose.iter().enumerate() {
            if kept(number) {
                image.apply(piece)?;
            } else if let Op::Len { node, .. } = piece.op {
                image.stuck.insert(*node);
            }
        }
        image.finish(&self.journal.dirs)
    }

    fn settled(&self) -> io::Result<Image> {
        if let Some(begun) = self.begun.get() {
            return Ok(begun.copy());
        }
        let mut image = Image {
            contents: self.journal.contents.snapshot(),
            tree: self.journal.begun.clone(),
            stuck: BTreeSet::new(),
        };
        for piece in &self.settled {
            image.apply(piece)?;
        }
        Ok(self.begun.get_or_init(|| image).copy())
    }
}

impl<'a> Piece<'a> {
    fn whole(op: &'a Op) -> Self {
        let (from, to) = match op {
            Op::Write { offset, bytes, .. } => (*offset, offset.saturating_add(bytes.len() as u64)),
            Op::Zero { from, to, .. } => (*from, *to),
            _ => (0, 0),
        };
        Self { op, from, to }
    }

    fn split(op: &'a Op, block: u64) -> Vec<Self> {
        let whole = Self::whole(op);
        if whole.from == whole.to {
            return if matches!(op, Op::Write { .. } | Op::Zero { .. }) { Vec::new() } else { vec![whole] };
        }
        let block = block.max(1);
        (whole.from / block..whole.to.div_ceil(block))
            .map(|number| Self {
                op,
                from: whole.from.max(number.saturating_mul(block)),
                to: whole.to.min(number.saturating_add(1).saturating_mul(block)),
            })
            .collect()
    }
}

impl Image {
    fn copy(&self) -> Self {
        let contents = self.contents.snapshot();
        Self { contents, tree: self.tree.clone(), stuck: self.stuck.clone() }
    }

    fn apply(&mut self, piece: &Piece<'_>) -> io::Result<()> {
        match piece.op {
            Op::Name(change) => self.tree.apply(change),
            Op::Len { node, len } => self.set_len(*node, *len)?,
            Op::Write { node, offset, bytes } => {
                let part = bytes.get((piece.from - offset) as usize..(piece.to - offset) as usize);
                self.write(*node, piece.from, part.unwrap_or_default())?;
            }
            Op::Zero { node, .. } => {
                self.write(*node, piece.from, &vec![0; (piece.to - piece.from) as usize])?;
            }
            Op::Sync(_) | Op::SyncDir(_) | Op::Note(_) => {}
        }
        Ok(())
    }

    /// A block beyond a length that was lost is lost with it.
    fn write(&mut self, node: Node, at: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(node)?;
        let room = file.len()?.saturating_sub(at).min(bytes.len() as u64);
        file.write_all_at(bytes.get(..room as usize).unwrap_or_default(), at)
    }

    fn set_len(&mut self, node: Node, len: u64) -> io::Result<()> {
        if self.stuck.contains(&node) { Ok(()) } else { self.file(node)?.set_len(len) }
    }

    fn file(&self, node: Node) -> io::Result<std::sync::Arc<dyn File>> {
        self.contents.open(&content_path(node), Open::Create)
    }

    /// Gives the files their names.
    fn finish(self, dirs: &BTreeSet<Node>) -> io::Result<MemFs> {
        for (path, node) in self.tree.walk() {
            if dirs.contains(&node) {
                self.contents.create_dir_all(&path)?;
            } else {
                self.file(node)?;
                self.contents.rename(&content_path(node), &path)?;
            }
        }
        self.contents.remove_dir_all(Path::new(CONTENTS))?;
        Ok(self.contents)
    }
}
