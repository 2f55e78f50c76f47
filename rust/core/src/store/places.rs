//! In which directories the segments of a list lie: one, or, for the log, several (Apache's multi-path commit log).
//!
//! Rules, all of them Apache's:
//! - Whoever opens the list looks at every directory; the positions in the names say how the files follow each other.
//! - A new file goes to the writable directories in turn, in the order of their names: file number n to directory n
//!   modulo their count. Full ones take no part while there is another one.
//! - Read-only means that no file is made there; old ones are removed from there as from anywhere.

use std::path::{Path, PathBuf};

/// Directories above a queue's: its topic's, that of all queues, and the store's root.
pub(crate) const QUEUE_DEPTH: usize = 3;

/// The directories of a list. There is always one to write to.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    writable: Vec<PathBuf>,
    read_only: Vec<PathBuf>,
    full: Vec<PathBuf>,
}

impl Places {
    /// Several directories; one that is read-only too counts as that, unless nothing would be left to write to.
    pub(crate) fn new(dirs: &[PathBuf], read_only: &[PathBuf]) -> Self {
        let mut writable: Vec<PathBuf> =
            dirs.iter().filter(|dir| !read_only.contains(dir)).cloned().collect();
        if writable.is_empty() {
            writable = dirs.to_vec();
        }
        writable.sort_unstable();
        writable.dedup();
        let read_only = read_only.iter().filter(|dir| !writable.contains(dir)).cloned().collect();
        Self { writable, read_only, full: Vec::new() }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PathBuf> {
        self.writable.iter().chain(&self.read_only)
    }

    /// The first one, to name the list by.
    pub(crate) fn first(&self) -> &Path {
        self.iter().next().map_or(Path::new(""), PathBuf::as_path)
    }

    /// Which of them take no new files as long as there is another one.
    pub(crate) fn set_full(&mut self, full: Vec<PathBuf>) {
        self.full = full;
    }

    /// Where the file of that number is made.
    pub(crate) fn of_new(&self, number: u64) -> &Path {
        let with_room = || self.writable.iter().filter(|dir| !self.full.contains(dir));
        let count = with_room().count() as u64;
        match number.checked_rem(count) {
            Some(turn) => with_room().nth(turn as usize),
            None => self.writable.get(number.checked_rem(self.writable.len() as u64).unwrap_or(0) as usize),
        }
        .map_or(self.first(), PathBuf::as_path)
    }
}

impl From<PathBuf> for Places {
    fn from(dir: PathBuf) -> Self {
        Self { writable: vec![dir], read_only: Vec::new(), full: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(dirs: &[&str], read_only: &[&str]) -> Places {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        Places::new(&paths(dirs), &paths(read_only))
    }

    fn turns(places: &Places) -> Vec<&str> {
        (0..4).filter_map(|number| places.of_new(number).to_str()).collect()
    }

    #[test]
    fn new_files_go_around_by_name() {
        assert_eq!(turns(&places(&["/b", "/a", "/c", "/a"], &[])), ["/a", "/b", "/c", "/a"]);
        assert_eq!(turns(&PathBuf::from("/only").into()), ["/only"; 4]);
    }

    #[test]
    fn read_only_and_full_ones_are_left_out() {
        let mut some = places(&["/a", "/b", "/c"], &["/b", "/old"]);
        assert_eq!(turns(&some), ["/a", "/c", "/a", "/c"]);
        some.set_full(vec!["/a".into()]);
        assert_eq!(turns(&some), ["/c"; 4]);
        some.set_full(vec!["/a".into(), "/c".into()]);
        assert_eq!(turns(&some), ["/a", "/c", "/a", "/c"], "somebody has to take the next message");
        let all: Vec<_> = some.iter().filter_map(|dir| dir.to_str()).collect();
        assert_eq!(all, ["/a", "/c", "/b", "/old"]);
    }

    #[test]
    fn there_is_always_one_to_write_to() {
        assert_eq!(turns(&places(&["/a"], &["/a"])), ["/a"; 4]);
    }
}
