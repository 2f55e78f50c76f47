//! Which of a queue's entries a fetch returns: in order, until it is full.

use super::fetched::{FetchLimits, FetchStatus, MAX_BYTES, MAX_MESSAGES};
use super::queue_entry::{QueueEntry, Slot};

/// Fewer bytes than this are never what the caller meant.
const MIN_BYTES: u32 = 100;

/// What was chosen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picked {
    pub(super) status: FetchStatus,
    pub(super) entries: Vec<QueueEntry>,
    /// Entries that need not be looked at again.
    pub(super) examined: u64,
}

/// Looks at entries one by one.
#[derive(Debug)]
pub(super) struct Choice {
    log_start: u64,
    max_messages: usize,
    max_bytes: u64,
    entries: Vec<QueueEntry>,
    examined: u64,
    bytes: u64,
    removed: bool,
    unreadable: bool,
}

impl Choice {
    pub(super) fn new(log_start: u64, limits: FetchLimits) -> Self {
        Self {
            log_start,
            max_messages: limits.max_messages.clamp(1, MAX_MESSAGES) as usize,
            max_bytes: limits.max_bytes.clamp(MIN_BYTES, MAX_BYTES).into(),
            entries: Vec::new(),
            examined: 0,
            bytes: 0,
            removed: false,
            unreadable: false,
        }
    }

    /// The message of an entry, if the log still has it.
    pub(super) fn message(&self, slot: &Slot) -> Option<QueueEntry> {
        match slot {
            Slot::Message(entry) if entry.physical >= self.log_start => Some(*entry),
            _ => None,
        }
    }

    /// Looks at the next entry; `false` when that was one too many and the end of it.
    pub(super) fn look(&mut self, slot: &Slot, matches: impl FnOnce(&QueueEntry) -> bool) -> bool {
        if matches!(slot, Slot::Unwritten) {
            self.unreadable = self.examined == 0;
            return false;
        }
        match self.message(slot) {
            None => self.removed = true,
            Some(entry) if !matches(&entry) => {}
            Some(entry) if self.is_full_for(entry.size) => return false,
            Some(entry) => {
                self.bytes = self.bytes.saturating_add(entry.size.into());
                self.entries.push(entry);
            }
        }
        self.examined += 1;
        true
    }

    /// Whether a message of that size is one too many. The first one never is.
    fn is_full_for(&self, size: u32) -> bool {
        let bytes = self.bytes.saturating_add(size.into());
        !self.entries.is_empty() && (self.entries.len() >= self.max_messages || bytes > self.max_bytes)
    }

    /// How many messages were chosen.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn finish(self) -> Picked {
        let status = match (self.unreadable, self.entries.is_empty(), self.removed) {
            (true, ..) => FetchStatus::OffsetFoundNull,
            (_, false, _) => FetchStatus::Found,
            (_, true, true) => FetchStatus::MessageWasRemoving,
            (_, true, false) => FetchStatus::NoMatchedMessage,
        };
        Picked { status, entries: self.entries, examined: self.examined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::tags::TagFilter;

    const LIMITS: FetchLimits = FetchLimits { max_messages: 32, max_bytes: MAX_BYTES };

    fn message(physical: u64, size: u32, tags_code: i64) -> Slot {
        Slot::Message(QueueEntry { physical, size, tags_code })
    }

    fn picked(slots: &[Slot], limits: FetchLimits, filter: &TagFilter) -> (FetchStatus, usize, u64) {
        let mut choice = Choice::new(1000, limits);
        for slot in slots {
            if !choice.look(slot, |entry| filter.matches_code(entry.tags_code)) {
                break;
            }
        }
        let picked = choice.finish();
        (picked.status, picked.entries.len(), picked.examined)
    }

    #[test]
    fn the_first_message_is_taken_however_large() {
        let slots = [message(1000, 5_000_000, 0), message(6_000_000, 100, 0)];
        assert_eq!(picked(&slots, LIMITS, &TagFilter::all()), (FetchStatus::Found, 1, 1));
    }

    #[test]
    fn counts_and_bytes_end_a_batch_before_the_message_that_exceeds_them() {
        let slots: Vec<Slot> = (0..100).map(|n| message(1000 + n * 100, 100, 0)).collect();
        let all = TagFilter::all();
        assert_eq!(picked(&slots, LIMITS, &all), (FetchStatus::Found, 32, 32));
        let few = FetchLimits { max_messages: 5, ..LIMITS };
        assert_eq!(picked(&slots, few, &all), (FetchStatus::Found, 5, 5));
        let small = FetchLimits { max_bytes: 350, ..LIMITS };
        assert_eq!(picked(&slots, small, &all), (FetchStatus::Found, 3, 3));
    }

    #[test]
    fn entries_that_do_not_match_are_passed_for_good() {
        let slots = [message(1000, 100, 7), message(1100, 100, 8), message(1200, 100, 7)];
        let filter = TagFilter::of_codes([8]);
        assert_eq!(picked(&slots, LIMITS, &filter), (FetchStatus::Found, 1, 3));
        let none = TagFilter::of_codes([9]);
        assert_eq!(picked(&slots, LIMITS, &none), (FetchStatus::NoMatchedMessage, 0, 3));
    }

    #[test]
    fn removed_and_unreadable_entries_have_their_own_answers() {
        let all = TagFilter::all();
        let removed = [message(100, 100, 0), Slot::Blank { before: 0 }];
        assert_eq!(picked(&removed, LIMITS, &all), (FetchStatus::MessageWasRemoving, 0, 2));
        let unreadable = [Slot::Unwritten, message(1000, 100, 0)];
        assert_eq!(picked(&unreadable, LIMITS, &all), (FetchStatus::OffsetFoundNull, 0, 0));
        let later = [message(1000, 100, 0), Slot::Unwritten];
        assert_eq!(picked(&later, LIMITS, &all), (FetchStatus::Found, 1, 1));
    }
}
