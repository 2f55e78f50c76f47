//! Under which keys a message is found.
//!
//! In Apache's order: its unique key, each of its blank-separated keys, its tag. Roll-back marks have none; half
//! messages do. Releases of Apache before 5.5 do not index tags.

use super::layout::absolute;
use crate::filter::tags::java_hash_behind;
use crate::record::{Message, properties, sys_flag};

/// What kind of key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A unique key, or one of a message's keys: the two share their names.
    Key,
    /// A tag.
    Tag,
}

/// A key of a topic's message, as the index knows it: the text that it is hashed as is made of three, and seldom needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexKey<'a>([&'a str; 3]);

impl<'a> IndexKey<'a> {
    pub(super) fn new(topic: &'a str, kind: KeyKind, key: &'a str) -> Self {
        let between = match kind {
            KeyKind::Key => "#",
            KeyKind::Tag => "#T#",
        };
        Self([topic, between, key])
    }

    pub(super) fn text(self) -> String {
        self.0.concat()
    }

    /// What the index knows it by.
    pub(super) fn hash(self) -> u32 {
        absolute(self.0.into_iter().fold(0, java_hash_behind))
    }

    /// Whether this is its text.
    pub(super) fn is(self, text: &str) -> bool {
        self.0.into_iter().try_fold(text, |rest, part| rest.strip_prefix(part)).is_some_and(str::is_empty)
    }
}

/// All keys of a message, in the order in which they are indexed.
pub(super) fn keys_of<'a>(message: &Message<'a>) -> impl Iterator<Item = IndexKey<'a>> {
    let (mut unique, mut keys, mut tag) = (None, None, None);
    if message.sys_flag & sys_flag::TRANSACTION_KIND != sys_flag::TRANSACTION_ROLLBACK {
        for (name, value) in properties::iter(message.properties) {
            match name {
                properties::UNIQ_KEY => unique = Some(value),
                properties::KEYS => keys = Some(value),
                properties::TAGS => tag = Some(value),
                _ => {}
            }
        }
    }
    let topic = message.topic;
    let keys = keys.into_iter().flat_map(|keys| keys.split(' ')).filter(|key| !key.is_empty());
    let named = unique.into_iter().chain(keys).map(move |key| IndexKey::new(topic, KeyKind::Key, key));
    named.chain(tag.map(|tag| IndexKey::new(topic, KeyKind::Tag, tag)))
}

#[cfg(test)]
mod tests {
    use super::{IndexKey, KeyKind};
    use crate::store::index::layout::key_hash;

    #[test]
    fn a_key_is_hashed_and_compared_as_its_text() {
        for (kind, text) in [(KeyKind::Key, "TopicTest#KEY1"), (KeyKind::Tag, "TopicTest#T#KEY1")] {
            let key = IndexKey::new("TopicTest", kind, "KEY1");
            assert_eq!((key.text().as_str(), key.hash()), (text, key_hash(text)));
            assert!(key.is(text));
            for other in ["", "TopicTest#", "TopicTest#KEY12", "TopicTest#T#KEY", "Topic#KEY1"] {
                assert!(!key.is(other), "{other}");
            }
        }
        assert!(IndexKey::new("a#b", KeyKind::Key, "c").is("a#b#c"), "as in Apache, texts may meet");
    }
}
