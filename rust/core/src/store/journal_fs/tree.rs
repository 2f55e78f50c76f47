//! Names and the files and directories that they mean.
//!
//! A node is a file or directory whatever it is called; it has one name at most. Changes are complete in themselves,
//! so that some of them can be left out.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Component, Path, PathBuf},
};

/// A file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Node(pub(super) usize);

/// What `/` is.
pub(super) const ROOT: Node = Node(0);

/// A name in a directory.
pub(super) type Place = (Node, String);

/// A node loses a name, gets one, or both at once.
#[derive(Debug, Clone)]
pub(super) struct NameChange {
    pub(super) node: Node,
    pub(super) taken: Option<Place>,
    pub(super) given: Option<Place>,
}

impl NameChange {
    /// The directories that have to be synced for it to be durable.
    pub(super) fn dirs(&self) -> impl Iterator<Item = Node> {
        self.taken.iter().chain(&self.given).map(|(dir, _)| *dir)
    }
}

/// Which name means which node.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<Place, Node>,
    places: HashMap<Node, Place>,
}

impl Tree {
    pub(super) fn find(&self, path: &Path) -> Option<Node> {
        let mut node = ROOT;
        for name in names(path) {
            node = *self.nodes.get(&(node, name))?;
        }
        Some(node)
    }

    /// The place that a path stands for, if its directory is there.
    pub(super) fn place(&self, path: &Path) -> Option<Place> {
        let name = names(path).last()?;
        Some((self.find(path.parent()?)?, name))
    }

    pub(super) fn apply(&mut self, change: &NameChange) {
        let NameChange { node, taken, given } = change;
        if let Some(place) = taken.as_ref().filter(|place| self.nodes.get(place) == Some(node)) {
            self.nodes.remove(place);
            self.places.remove(node);
        }
        let Some(place) = given else { return };
        if let Some(old) = self.places.insert(*node, place.clone()) {
            self.nodes.remove(&old);
        }
        if let Some(replaced) = self.nodes.insert(place.clone(), *node).filter(|replaced| replaced != node) {
            self.places.remove(&replaced);
        }
    }

    /// What can be reached by a name, directories before what is in them.
    pub(super) fn walk(&self) -> Vec<(PathBuf, Node)> {
        let mut found = vec![(PathBuf::from("/"), ROOT)];
        let mut at = 0;
        while let Some((path, node)) = found.get(at).cloned() {
            let inside = self.nodes.range((node, String::new())..).take_while(|((dir, _), _)| *dir == node);
            found.extend(inside.map(|((_, name), node)| (path.join(name), *node)));
            at += 1;
        }
        found
    }
}

fn names(path: &Path) -> impl Iterator<Item = String> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    })
}
