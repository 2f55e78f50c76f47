//! Delay levels: how long a message of each waits (Apache's `messageDelayLevel`).

use std::sync::Arc;

use crate::record::properties;

/// The topic whose queue entries hold a delivery time where others hold the tag's hash.
pub const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";

/// Apache's default, in milliseconds.
const DEFAULT_MS: [i64; 18] = [
    1_000, 5_000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000, 480_000,
    540_000, 600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000,
];

/// The delays in milliseconds by level, from level 1 on; one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays(Arc<[i64]>);

impl Default for Delays {
    fn default() -> Self {
        Self(Arc::new(DEFAULT_MS))
    }
}

impl Delays {
    /// A table of its own; none of no level.
    pub fn new(milliseconds: Vec<i64>) -> Option<Self> {
        (!milliseconds.is_empty()).then(|| Self(milliseconds.into()))
    }

    /// The highest level.
    pub fn highest(&self) -> i32 {
        i32::try_from(self.0.len()).unwrap_or(i32::MAX)
    }

    /// How long a message of this level waits; none if there is no such level.
    pub fn of_level(&self, level: i32) -> Option<i64> {
        let index = usize::try_from(level.checked_sub(1)?).ok()?;
        self.0.get(index).copied()
    }

    /// When a delayed message that is stored now is due; none if it has no level. A level above the highest is the highest.
    pub(super) fn due(&self, text: &str, store_timestamp: i64) -> Option<i64> {
        let level = properties::get(text, properties::DELAY)?.parse::<i32>().ok()?;
        let delay = self.of_level(level.min(self.highest()))?;
        Some(store_timestamp.saturating_add(delay))
    }
}

#[cfg(test)]
mod tests {
    use super::Delays;

    #[test]
    fn a_level_above_the_highest_is_the_highest() {
        let few = Delays::new(vec![1_000, 60_000]).unwrap();
        let due = |level: &str| few.due(&format!("DELAY\u{1}{level}\u{2}"), 5);
        assert_eq!([due("1"), due("2"), due("99")], [Some(1_005), Some(60_005), Some(60_005)]);
        assert_eq!([due("0"), due("-1"), due("x"), few.due("", 5)], [None; 4]);
        assert_eq!([few.of_level(2), few.of_level(3), few.of_level(0)], [Some(60_000), None, None]);
    }

    #[test]
    fn the_default_is_apaches() {
        let seconds = |level| Delays::default().of_level(level).map(|delay| delay / 1_000);
        assert_eq!(
            [seconds(1), seconds(5), seconds(18), seconds(19)],
            [Some(1), Some(60), Some(7_200), None]
        );
        assert_eq!(Delays::new(Vec::new()), None);
    }
}
