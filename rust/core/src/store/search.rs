//! Queue offsets by store time: a binary search over the store times of a queue's messages.
//!
//! Store times grow with the offset as long as the broker's clock does; where it went back, any of the fitting
//! offsets may be found, as in Apache's store. Messages that the log no longer has count as older than any time.

use super::{
    queue_entry::{QueueView, Slot},
    reader::{Reader, Stop},
};

/// Which message a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// The first message stored at that time or later.
    #[default]
    Lower,
    /// The last message stored at that time or earlier.
    Upper,
}

/// The offset that a time stands for; always within the queue's bounds.
pub(super) fn by_time(
    reader: &Reader<'_>,
    queue: Option<&QueueView>,
    timestamp: i64,
    boundary: Boundary,
) -> Result<i64, Stop> {
    let Some(queue) = queue else { return Ok(0) };
    let found = match boundary {
        Boundary::Lower => partition_point(reader, queue, |stored| stored < timestamp)?,
        Boundary::Upper => partition_point(reader, queue, |stored| stored <= timestamp)?.saturating_sub(1),
    };
    Ok(found.clamp(queue.min, queue.max) as i64)
}

/// The store time of a queue's message, or −1.
pub(super) fn store_time(reader: &Reader<'_>, queue: Option<&QueueView>, offset: i64) -> Result<i64, Stop> {
    let found = match (queue, u64::try_from(offset)) {
        (Some(queue), Ok(offset)) if (queue.min..queue.max).contains(&offset) => at(reader, queue, offset)?,
        _ => None,
    };
    Ok(found.unwrap_or(-1))
}

/// The first offset whose store time is not `before`.
fn partition_point(
    reader: &Reader<'_>,
    queue: &QueueView,
    before: impl Fn(i64) -> bool,
) -> Result<u64, Stop> {
    let (mut low, mut high) = (queue.min, queue.max);
    while low < high {
        let middle = low + (high - low) / 2;
        if at(reader, queue, middle)?.is_none_or(&before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn at(reader: &Reader<'_>, queue: &QueueView, offset: u64) -> Result<Option<i64>, Stop> {
    match reader.slots(queue, offset, 1)?.first() {
        Some(Slot::Message(entry)) => reader.store_timestamp(entry),
        _ => Ok(None),
    }
}
