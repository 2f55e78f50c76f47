//! Under which keys a message is found.
//!
//! In Apache's order: its unique key, each of its blank-separated keys, its tag. Roll-back marks have none; half
//! messages do. Releases of Apache before 5.5 do not index tags.

use crate::record::{Message, properties, sys_flag};

/// What kind of key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A unique key, or one of a message's keys: the two share their names.
    Key,
    /// A tag.
    Tag,
}

/// The text that a key is hashed as.
pub(super) fn key_text(topic: &str, kind: KeyKind, key: &str) -> String {
    match kind {
        KeyKind::Key => format!("{topic}#{key}"),
        KeyKind::Tag => format!("{topic}#T#{key}"),
    }
}

/// The texts of all keys of a message, in the order in which they are indexed.
pub(super) fn keys_of(message: &Message<'_>) -> Vec<String> {
    if message.sys_flag & sys_flag::TRANSACTION_KIND == sys_flag::TRANSACTION_ROLLBACK {
        return Vec::new();
    }
    let property = |name| properties::get(message.properties, name);
    let unique = property(properties::UNIQ_KEY).into_iter();
    let keys = property(properties::KEYS).into_iter().flat_map(|keys| keys.split(' '));
    let keys = keys.filter(|key| !key.is_empty());
    let named = unique.chain(keys).map(|key| key_text(message.topic, KeyKind::Key, key));
    let tag = property(properties::TAGS).map(|tag| key_text(message.topic, KeyKind::Tag, tag));
    named.chain(tag).collect()
}
