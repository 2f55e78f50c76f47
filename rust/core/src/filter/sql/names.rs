//! The property names of a condition, numbered in the order they are met, so that one pass over a message's property
//! text finds all their values.

use std::collections::BTreeMap;

use crate::record::properties;

/// Names and their numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Names {
    numbers: BTreeMap<Box<str>, usize>,
}

impl Names {
    /// The number of a name, a new one if it was not met before.
    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.numbers.len();
        self.numbers.insert(name.into(), number);
        number
    }

    /// The value under each name, by number. The last of several under one name counts, as in [`properties::get`].
    pub(super) fn values<'a>(&self, text: &'a str) -> Vec<Option<&'a str>> {
        let mut values = vec![None; self.numbers.len()];
        for (name, value) in properties::iter(text) {
            if let Some(place) = self.numbers.get(name).and_then(|number| values.get_mut(*number)) {
                *place = Some(value);
            }
        }
        values
    }

    /// The names by number.
    pub(super) fn in_order(&self) -> Vec<&str> {
        let mut names: Vec<(usize, &str)> =
            self.numbers.iter().map(|(name, number)| (*number, &**name)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }
}
