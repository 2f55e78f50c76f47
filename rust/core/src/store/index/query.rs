//! Messages by key: Apache's rules, and the end of the log that the index does not know yet.
//!
//! The newest messages win where more match than are wanted; the answer is in the order of the log. An index knows
//! hashes and whole seconds, so every message that it names is read and looked at: what only has the same hash is left
//! out, and does not count. (Apache returns such messages too, and leaves them to the client.)

use bytes::Bytes;

use super::{
    files::{FileView, IndexFiles},
    keys::{IndexKey, KeyKind, keys_of},
    layout::key_hash,
};
use crate::{
    record::{self, Decoded, Message},
    store::{
        log_scan::{LogScan, Scanned},
        reader::{Reader, Stop},
    },
};

/// Apache's `maxMsgsNumBatch`.
const MAX_FOUND: u32 = 64;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct KeyQuery {
    text: String,
    max: usize,
    begin: i64,
    end: i64,
}

impl KeyQuery {
    pub(crate) fn new(topic: &str, kind: KeyKind, key: &str, max: u32, times: (i64, i64)) -> Self {
        let max = max.min(MAX_FOUND) as usize;
        Self { text: IndexKey::new(topic, kind, key).text(), max, begin: times.0, end: times.1 }
    }

    fn matches(&self, message: &Message<'_>) -> bool {
        (self.begin..=self.end).contains(&message.store_timestamp)
            && keys_of(message).any(|key| key.is(&self.text))
    }
}

/// The index as of some moment.
#[derive(Debug, Clone)]
pub(crate) struct IndexView {
    pub(super) files: IndexFiles,
    pub(super) reached: u64,
}

/// Messages that have a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundByKey {
    /// The records, in the order of the log.
    pub records: Vec<Bytes>,
    /// The store time of the last message that has keys.
    pub last_timestamp: i64,
    /// Where that message begins.
    pub last_physical: i64,
}

/// What the files have given so far.
#[derive(Debug)]
struct Hits {
    wanted: usize,
    newest_first: Vec<Bytes>,
    // Only messages that begin before this position count from here on: a message that has a key twice has two entries.
    before: i64,
}

impl Hits {
    fn are_enough(&self) -> bool {
        self.newest_first.len() >= self.wanted
    }
}

/// Finds messages. May wait for the disk.
pub(crate) fn find(reader: &Reader<'_>, view: &IndexView, query: &KeyQuery) -> Result<FoundByKey, Stop> {
    let mut found = FoundByKey::default();
    if let Some(last) = view.files.last() {
        (found.last_timestamp, found.last_physical) = (last.header.end_timestamp, last.header.end_physical);
    }
    let behind = find_behind(reader, view, query, &mut found)?;
    let newer = behind.get(behind.len().saturating_sub(query.max)..).unwrap_or_default();
    // The files may know some of what lies behind them, but not surely all.
    let mut hits =
        Hits { wanted: query.max - newer.len(), newest_first: Vec::new(), before: view.reached as i64 };
    for file in view.files.iter().rev() {
        if hits.are_enough() || !find_in(reader, file, query, &mut hits)? {
            break;
        }
    }
    found.records = hits.newest_first.into_iter().rev().chain(newer.iter().cloned()).collect();
    Ok(found)
}

/// Looks at what is visible and not indexed yet.
fn find_behind(
    reader: &Reader<'_>,
    view: &IndexView,
    query: &KeyQuery,
    last: &mut FoundByKey,
) -> Result<Vec<Bytes>, Stop> {
    let mut records = Vec::new();
    let mut scan = LogScan::new(reader.log_segments().clone(), view.reached.max(reader.log_start()));
    while scan.position() < reader.log_end() {
        match scan.next()? {
            Some(Scanned::Message(message)) => {
                if keys_of(&message).next().is_some() {
                    (last.last_timestamp, last.last_physical) =
                        (message.store_timestamp, message.physical_offset);
                }
                if query.matches(&message) {
                    records.extend(reader.record(message.physical_offset)?);
                }
            }
            Some(Scanned::Unreadable) => {}
            None => break,
        }
    }
    Ok(records)
}

/// Looks a file up, newest entries first; whether older files may know more.
fn find_in(reader: &Reader<'_>, view: &FileView, query: &KeyQuery, hits: &mut Hits) -> Result<bool, Stop> {
    let header = &view.header;
    if header.has_entries() && header.begin_timestamp <= query.end && header.end_timestamp >= query.begin {
        let hash = key_hash(&query.text);
        let mut number = view.slot(view.file.shape().slot_of(hash))?;
        while number > 0 && !hits.are_enough() {
            let entry = view.file.entry(number)?;
            if number < header.next && entry.hash == hash && entry.physical < hits.before {
                hits.before = entry.physical;
                hits.newest_first.extend(matching_record(reader, entry.physical, query)?);
            }
            if entry.previous >= number || is_before(view, entry.seconds, query.begin) {
                break;
            }
            number = entry.previous;
        }
    }
    Ok(header.begin_timestamp >= query.begin)
}

/// Whether an entry's second, and so every earlier entry of its slot, lies before a time.
fn is_before(view: &FileView, seconds: i32, timestamp: i64) -> bool {
    let end_of_second = view.header.begin_timestamp.saturating_add(i64::from(seconds) * 1000 + 999);
    end_of_second < timestamp
}

fn matching_record(reader: &Reader<'_>, physical: i64, query: &KeyQuery) -> Result<Option<Bytes>, Stop> {
    let record = reader.record(physical)?;
    Ok(record.filter(|bytes| matches!(record::decode(bytes), Ok(Decoded::Message(m)) if query.matches(&m))))
}
