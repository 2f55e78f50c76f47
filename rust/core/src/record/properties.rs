//! The property text of a message: `name 0x01 value 0x02`, repeated.
//!
//! Readers accept a missing last 0x02 (4.9 writers drop it) and skip what is no pair: an empty name or value,
//! no separator. The last of equal names counts. A value may hold 0x01, which only Java's setters forbid.

use memchr::{memchr, memchr2};

/// Between a name and its value.
pub const NAME_VALUE_SEPARATOR: char = '\u{1}';
/// After every pair.
pub const PROPERTY_SEPARATOR: char = '\u{2}';

/// Both as bytes.
const NAME_VALUE: u8 = NAME_VALUE_SEPARATOR as u8;
const PROPERTY: u8 = PROPERTY_SEPARATOR as u8;

/// Blank-separated keys, indexed.
pub const KEYS: &str = "KEYS";
/// The tag.
pub const TAGS: &str = "TAGS";
/// Whether the producer waits for flush and replication.
pub const WAIT: &str = "WAIT";
/// Delay level.
pub const DELAY: &str = "DELAY";
/// The client's message id.
pub const UNIQ_KEY: &str = "UNIQ_KEY";
/// `true` on half messages.
pub const TRAN_MSG: &str = "TRAN_MSG";
/// Producer group, for transaction checks.
pub const PGROUP: &str = "PGROUP";
/// Original topic of a delayed or half message.
pub const REAL_TOPIC: &str = "REAL_TOPIC";
/// Original queue of a delayed or half message.
pub const REAL_QID: &str = "REAL_QID";
/// Original topic of a retried message.
pub const RETRY_TOPIC: &str = "RETRY_TOPIC";
/// Id of the first message of a retry chain.
pub const ORIGIN_MESSAGE_ID: &str = "ORIGIN_MESSAGE_ID";
/// Retry count, on direct sends to a retry topic.
pub const RECONSUME_TIME: &str = "RECONSUME_TIME";
/// Retry limit, on direct sends to a retry topic.
pub const MAX_RECONSUME_TIMES: &str = "MAX_RECONSUME_TIMES";
/// Region of the broker.
pub const MSG_REGION: &str = "MSG_REGION";
/// Whether the message is traced.
pub const TRACE_ON: &str = "TRACE_ON";
/// Cluster name, needed for replies.
pub const CLUSTER: &str = "CLUSTER";
/// Order key.
pub const SHARDING_KEY: &str = "__SHARDINGKEY";
/// Arbitrary delay in seconds.
pub const TIMER_DELAY_SEC: &str = "TIMER_DELAY_SEC";
/// Arbitrary delay in milliseconds.
pub const TIMER_DELAY_MS: &str = "TIMER_DELAY_MS";
/// Arbitrary delivery time in milliseconds.
pub const TIMER_DELIVER_MS: &str = "TIMER_DELIVER_MS";
/// Receipt handle of pop consumption, never stored from a producer.
pub const POP_CK: &str = "POP_CK";
/// Messages in an inner batch.
pub const INNER_NUM: &str = "INNER_NUM";
/// Light queues that a message is also dispatched to.
pub const INNER_MULTI_DISPATCH: &str = "INNER_MULTI_DISPATCH";

/// The pairs in order. A name given twice comes twice, the one that counts last.
pub fn iter(text: &str) -> impl Iterator<Item = (&str, &str)> + Clone {
    segments(text).filter_map(|segment| pair(segment.text))
}

/// The value under the name; the last one, if it was given several times.
pub fn get<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    iter(text).filter(|(found, _)| *found == name).last().map(|(_, value)| value)
}

/// Whether the format can hold the pair: neither part empty, no separators inside.
pub fn is_representable(name: &str, value: &str) -> bool {
    let clean = |text: &str| !text.is_empty() && memchr2(NAME_VALUE, PROPERTY, text.as_bytes()).is_none();
    clean(name) && clean(value)
}

/// A stretch of the text up to a separator, without it.
struct Segment<'a> {
    start: usize,
    text: &'a str,
    /// Where the next one starts.
    next: usize,
}

fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> + Clone {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = memchr(PROPERTY, rest.as_bytes()).unwrap_or(rest.len());
        let segment =
            Segment { start, text: rest.get(..length)?, next: (start + length + 1).min(text.len()) };
        start = segment.next;
        Some(segment)
    })
}

fn pair(segment: &str) -> Option<(&str, &str)> {
    let separator = memchr(NAME_VALUE, segment.as_bytes())?;
    let (name, value) = (segment.get(..separator)?, segment.get(separator + 1..)?);
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

/// Makes property text. Pairs that the format cannot hold are left out: see [`is_representable`].
#[derive(Debug, Clone, Default)]
pub struct Builder {
    /// Always empty or ended by a separator.
    text: String,
}

impl Builder {
    /// No pairs.
    pub fn new() -> Self {
        Self::default()
    }

    /// No pairs yet, with room for so many bytes of text.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes) }
    }

    /// Starts from text as it was received.
    pub fn from_text(text: &str) -> Self {
        let mut own = String::with_capacity(text.len() + 64);
        own.push_str(text);
        if !text.is_empty() && !text.ends_with(PROPERTY_SEPARATOR) {
            own.push(PROPERTY_SEPARATOR);
        }
        Self { text: own }
    }

    /// Adds a pair without looking for an older one under the same name, which it hides.
    pub fn push(&mut self, name: &str, value: &str) {
        if is_representable(name, value) {
            for part in [name, "\u{1}", value, "\u{2}"] {
                self.text.push_str(part);
            }
        }
    }

    /// Replaces every pair under the name by one at the end.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.push(name, value);
    }

    /// Removes every pair under the name.
    pub fn remove(&mut self, name: &str) {
        let mut from = 0;
        while let Some((start, end)) = self.find(name, from) {
            self.text.replace_range(start..end, "");
            from = start;
        }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    /// Where the first pair under the name at or after `from`, which starts a segment, begins and ends.
    fn find(&self, name: &str, from: usize) -> Option<(usize, usize)> {
        let rest = self.text.get(from..)?;
        let has_name = |segment: &Segment<'_>| pair(segment.text).is_some_and(|(found, _)| found == name);
        segments(rest).find(has_name).map(|segment| (from + segment.start, from + segment.next))
    }
}

#[cfg(test)]
mod tests {
    use super::{Builder, get, iter};

    #[test]
    fn what_is_no_pair_is_skipped() {
        let text = "a\u{1}1\u{2}\u{1}x\u{2}b\u{1}\u{2}plain\u{2}\u{2}c\u{1}2\u{1}3\u{2}d\u{1}4";
        let pairs: Vec<_> = iter(text).collect();
        assert_eq!(pairs, [("a", "1"), ("c", "2\u{1}3"), ("d", "4")]);
        assert_eq!(iter("").count(), 0);
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        assert_eq!(get("a\u{1}1\u{2}b\u{1}2\u{2}a\u{1}3\u{2}", "a"), Some("3"));
        assert_eq!(get("ab\u{1}1\u{2}", "a"), None);
    }

    #[test]
    fn a_builder_changes_received_text() {
        let mut builder = Builder::from_text("a\u{1}1\u{2}b\u{1}2\u{2}a\u{1}3");
        builder.set("b", "9");
        builder.remove("a");
        builder.push("c", "");
        builder.push("d", "x\u{2}y");
        builder.push("é", "ü");
        assert_eq!(builder.finish(), "b\u{1}9\u{2}é\u{1}ü\u{2}");
    }
}
