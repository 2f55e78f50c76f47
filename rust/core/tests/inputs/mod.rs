//! The inputs that property tests share.

use proptest::prelude::*;

/// Bytes without any sense.
pub(crate) fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// A few bytes of `bytes` changed, and perhaps its end cut off.
pub(crate) fn damaged(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = bytes.len().max(1);
    let changes = prop::collection::vec((0..length, any::<u8>()), 0..6);
    (changes, length / 2..=length).prop_map(move |(changes, end)| {
        let mut bytes = bytes.clone();
        for (at, byte) in changes {
            if let Some(old) = bytes.get_mut(at) {
                *old = byte;
            }
        }
        bytes.truncate(end);
        bytes
    })
}

/// Short text, some of it beyond ASCII.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z%_]{0,12}",
        ".{0,8}",
        prop::collection::vec(any::<char>(), 0..6).prop_map(String::from_iter)
    ]
}
