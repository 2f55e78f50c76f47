//! Whether the queue entry of a record says what the record does, and its unit too, where it has one.

use std::{collections::HashMap, sync::Arc};

use super::{
    super::{
        consume_queue_ext::UnitWindow,
        delays::SCHEDULE_TOPIC,
        error::StoreError,
        known_queues::queue_dir,
        log_scan::read_message,
        queue_entry::{QueueEntry, QueueView, Slot},
        reader::{Reader, Stop},
        segment::Wait,
    },
    OfflineStore,
    report::{Finding, FindingKind, Report},
};
use crate::{
    filter::tags::tags_hash,
    record::{Message, sys_flag},
};

/// Entries of a queue read at a time.
const WINDOW: u64 = 1024;

/// How far the check of a queue is.
#[derive(Debug)]
pub(super) struct QueueCheck {
    pub(super) view: QueueView,
    /// The offset that the next record should have; none before the first.
    pub(super) next: Option<u64>,
    window: Vec<Slot>,
    window_at: u64,
    units: UnitWindow,
}

/// Compares a record with the entry at its offset.
pub(super) fn check_entry(
    store: &OfflineStore,
    queues: &mut HashMap<(Arc<str>, i32), QueueCheck>,
    message: &Message<'_>,
    report: &mut Report,
) -> Result<(), StoreError> {
    if !sys_flag::takes_queue_offset(message.sys_flag) {
        return Ok(());
    }
    let Some(queue) = queues.get_mut(&(Arc::from(message.topic), message.queue_id)) else {
        report.without_entry += 1;
        return Ok(());
    };
    let finding = |kind, what: &str, expected: i64, found: i64| Finding {
        kind,
        path: queue_dir(&store.root, message.topic, message.queue_id),
        offset: message.physical_offset as u64,
        what: format!("{what} of {}/{} at {}", message.topic, message.queue_id, message.queue_offset),
        expected,
        found,
    };
    let offset = message.queue_offset as u64;
    // A topic that was removed and made anew begins at 0 again.
    if let Some(next) = queue.next.filter(|next| *next != offset && offset != 0) {
        report.add(finding(FindingKind::QueueGap, "the offset", next as i64, offset as i64));
    }
    queue.next = Some(offset.saturating_add(1));
    let expected = QueueEntry {
        physical: message.physical_offset as u64,
        size: message.total_size as u32,
        tags_code: tags_hash(message.properties),
    };
    match queue.slot(store, offset)? {
        Slot::Message(entry) if agrees(&entry, &expected, message.topic) => {
            report.entries += 1;
            if let Some((what, expected, found)) =
                queue.wrong_unit(store, &entry, message, expected.tags_code)?
            {
                let path = store.ext_dir(message.topic, message.queue_id);
                report.add(Finding { path, ..finding(FindingKind::WrongUnit, what, expected, found) });
            }
        }
        Slot::Message(entry) if is_of_a_later_life(store, &entry, message)? => report.without_entry += 1,
        Slot::Message(entry) => {
            let (what, expected, found) = difference(&entry, &expected);
            report.add(finding(FindingKind::WrongEntry, what, expected, found));
        }
        Slot::Unwritten | Slot::Blank { .. } if store.clean && offset >= queue.view.min => {
            report.add(finding(FindingKind::MissingEntry, "the entries", 1, 0));
        }
        Slot::Unwritten | Slot::Blank { .. } => report.without_entry += 1,
    }
    Ok(())
}

/// Delivery times of scheduled messages depend on settings, and extensions hold other tags.
fn agrees(entry: &QueueEntry, expected: &QueueEntry, topic: &str) -> bool {
    let has_other_code = topic == SCHEDULE_TOPIC || entry.is_extended();
    entry.physical == expected.physical
        && entry.size == expected.size
        && (has_other_code || entry.tags_code == expected.tags_code)
}

/// Whether the entry belongs to a later record of the same place: the topic was removed in between.
fn is_of_a_later_life(
    store: &OfflineStore,
    entry: &QueueEntry,
    message: &Message<'_>,
) -> Result<bool, StoreError> {
    if entry.physical <= message.physical_offset as u64 {
        return Ok(false);
    }
    let mut buffer = Vec::new();
    let later = read_message(&store.log, entry.physical, entry.size, &mut buffer)?;
    Ok(later.is_some_and(|later| {
        (later.topic, later.queue_id, later.queue_offset)
            == (message.topic, message.queue_id, message.queue_offset)
    }))
}

fn difference(entry: &QueueEntry, expected: &QueueEntry) -> (&'static str, i64, i64) {
    if entry.physical != expected.physical {
        ("the position in the log", expected.physical as i64, entry.physical as i64)
    } else if entry.size != expected.size {
        ("the size", expected.size.into(), entry.size.into())
    } else {
        ("the tags code", expected.tags_code, entry.tags_code)
    }
}

impl QueueCheck {
    pub(super) fn new(view: QueueView) -> Self {
        Self { view, next: None, window: Vec::new(), window_at: 0, units: UnitWindow::default() }
    }

    /// What is wrong with the unit of an entry that is right. Where a queue has no extension files, nobody asks for units;
    /// after a crash, a start makes those again that had not been safe on disk.
    fn wrong_unit(
        &mut self,
        store: &OfflineStore,
        entry: &QueueEntry,
        message: &Message<'_>,
        tags_code: i64,
    ) -> Result<Option<(&'static str, i64, i64)>, StoreError> {
        let Some(at) = entry.unit_at().filter(|_| self.view.units.start().is_some()) else { return Ok(None) };
        let reader = Reader::new(&store.log, 0, Wait::Yes);
        let unit = match self.units.unit(&reader, &self.view.units, at, WINDOW as usize) {
            Ok(unit) => unit,
            Err(Stop::WouldBlock) => None,
            Err(Stop::Failed(error)) => return Err(error),
        };
        Ok(match unit {
            None => store.clean.then_some(("the units", 1, 0)),
            Some(unit) if unit.is_of(message) => None,
            Some(unit) if unit.store_timestamp != message.store_timestamp => {
                Some(("the store time in the unit", message.store_timestamp, unit.store_timestamp))
            }
            Some(unit) => Some(("the tags code in the unit", tags_code, unit.tags_code)),
        })
    }

    /// The entry at an offset.
    pub(super) fn slot(&mut self, store: &OfflineStore, at: u64) -> Result<Slot, StoreError> {
        let is_there = |queue: &Self| {
            let place = at.checked_sub(queue.window_at)?;
            queue.window.get(usize::try_from(place).ok()?).copied()
        };
        if let Some(slot) = is_there(self) {
            return Ok(slot);
        }
        self.window = store.slots(&self.view, at, WINDOW)?;
        self.window_at = at;
        Ok(is_there(self).unwrap_or(Slot::Unwritten))
    }
}
