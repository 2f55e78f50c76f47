//! Tag expressions: `*`, or tags joined by `||`.
//!
//! The broker compares hashes, Java's 32-bit `String.hashCode` that a consume queue entry holds, and may let
//! a wrong message through; the client compares the text again.

use std::sync::Arc;

use crate::record::properties;

/// Selects everything.
pub const ALL: &str = "*";

/// Java's `String.hashCode`: over UTF-16 units, wrapping.
pub fn java_hash(text: &str) -> i32 {
    java_hash_behind(0, text)
}

/// The hash of a text that begins with one whose hash is `before`, and ends with `text`.
pub(crate) fn java_hash_behind(before: i32, text: &str) -> i32 {
    text.encode_utf16().fold(before, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The hash of the tag that a message's property text says; 0 if it has none.
pub(crate) fn tags_hash(text: &str) -> i64 {
    properties::get(text, properties::TAGS).map_or(0, |tag| i64::from(java_hash(tag)))
}

/// An expression that names no tag where it has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tag expression consists of separators only")]
pub struct NoTags;

/// A compiled tag expression. Copies share their codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFilter {
    /// Sorted hashes; `None` selects everything.
    codes: Option<Arc<[i32]>>,
}

impl TagFilter {
    /// Selects everything.
    pub fn all() -> Self {
        Self { codes: None }
    }

    /// Compiles an expression by Java's rules: nothing or `*` selects everything; blanks around tags do not
    /// count; tags of blanks only are dropped, even if none is left, and then nothing is selected.
    pub fn parse(expression: &str) -> Result<Self, NoTags> {
        if expression.is_empty() || expression == ALL {
            return Ok(Self::all());
        }
        // Java's split drops empty pieces at the end, so that separators alone give no piece at all.
        if expression.split("||").all(str::is_empty) {
            return Err(NoTags);
        }
        let tags = expression.split("||").map(str::trim).filter(|tag| !tag.is_empty());
        Ok(Self::of_codes(tags.map(java_hash)))
    }

    /// Selects messages whose tag has one of these hashes.
    pub fn of_codes(codes: impl IntoIterator<Item = i32>) -> Self {
        let mut codes: Vec<i32> = codes.into_iter().collect();
        codes.sort_unstable();
        codes.dedup();
        Self { codes: Some(codes.into()) }
    }

    /// Whether an entry with that tags code may match. Only its low 32 bits count.
    pub fn matches_code(&self, tags_code: i64) -> bool {
        self.codes.as_ref().is_none_or(|codes| codes.binary_search(&(tags_code as i32)).is_ok())
    }

    /// Whether it selects everything.
    pub fn is_all(&self) -> bool {
        self.codes.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::{NoTags, TagFilter, java_hash, tags_hash};

    #[test]
    fn hashes_agree_with_java() {
        assert_eq!(java_hash(""), 0);
        assert_eq!(java_hash("a"), 97);
        assert_eq!((java_hash("TagA"), java_hash("TagB")), (2_598_919, 2_598_920));
        assert_eq!(java_hash("é"), 233);
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
        assert_eq!(java_hash("\u{10000}"), 0xd800 * 31 + 0xdc00);
    }

    #[test]
    fn a_messages_hash_is_that_of_its_tag() {
        assert_eq!(tags_hash("KEYS\u{1}k1\u{2}TAGS\u{1}TagA\u{2}"), 2_598_919);
        assert_eq!(tags_hash("TAGS\u{1}polygenelubricants\u{2}"), i64::from(i32::MIN));
        assert_eq!((tags_hash("KEYS\u{1}k1\u{2}"), tags_hash("")), (0, 0));
    }

    #[test]
    fn everything_is_selected_by_nothing_and_by_a_star() {
        for expression in ["", "*"] {
            let filter = TagFilter::parse(expression).unwrap();
            assert!(filter.is_all() && filter.matches_code(0) && filter.matches_code(-1));
        }
        assert_eq!(TagFilter::parse("*"), Ok(TagFilter::all()));
    }

    #[test]
    fn tags_are_trimmed_and_empty_ones_dropped() {
        let filter = TagFilter::parse(" TagA ||  || TagB||").unwrap();
        assert_eq!(filter, TagFilter::of_codes([2_598_920, 2_598_919]));
        assert!(filter.matches_code(2_598_919) && !filter.matches_code(97) && !filter.matches_code(0));
    }

    #[test]
    fn only_the_low_32_bits_count() {
        let filter = TagFilter::parse("polygenelubricants").unwrap();
        assert!(filter.matches_code(i64::from(i32::MIN)) && filter.matches_code(0x1_8000_0000));
    }

    #[test]
    fn separators_alone_are_refused_and_blanks_alone_select_nothing() {
        assert_eq!(TagFilter::parse("||||"), Err(NoTags));
        let nothing = TagFilter::parse(" || ").unwrap();
        assert!(!nothing.is_all() && !nothing.matches_code(0));
        assert!(!TagFilter::parse(" * ").unwrap().is_all());
    }
}
