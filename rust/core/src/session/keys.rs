//! Unique keys for messages that come without one.
//!
//! A key holds the milliseconds since its month began, from which tools guess when it was made. Java means the local month,
//! in the tool's time zone as in the maker's; here the month is that of the engine's offset from UTC, which summer time may
//! have changed since the month began.

use std::net::IpAddr;

use crate::record::message_id::UniqueKeys;

const DAY_MS: i64 = 86_400_000;

/// A key generator that follows the months.
#[derive(Debug)]
pub(super) struct Keys {
    generator: UniqueKeys,
    /// Wall times for which the generator's month is right.
    month: std::ops::Range<i64>,
    utc_offset_ms: i64,
}

impl Keys {
    pub(super) fn new(address: IpAddr, process_id: u32, salt: u32, utc_offset_s: i32) -> Self {
        let generator = UniqueKeys::new(address, process_id as u16, salt, 0);
        Self { generator, month: 0..0, utc_offset_ms: i64::from(utc_offset_s) * 1_000 }
    }

    /// The next key.
    pub(super) fn next(&mut self, wall_ms: i64) -> String {
        if !self.month.contains(&wall_ms) {
            let local = month_of(wall_ms.saturating_add(self.utc_offset_ms));
            let to_utc = |ms: i64| ms.saturating_sub(self.utc_offset_ms);
            self.month = to_utc(local.start)..to_utc(local.end);
            self.generator.start_month(self.month.start);
        }
        self.generator.next_key(wall_ms)
    }
}

/// The month a moment is in, by the days-to-civil rule of H. Hinnant's "chrono-compatible date algorithms".
fn month_of(wall_ms: i64) -> std::ops::Range<i64> {
    let days = wall_ms.div_euclid(DAY_MS);
    let day_of_era = (days + 719_468).rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months counted from March, so that the leap day is the year's last.
    let month = (5 * day_of_year + 2) / 153;
    let first = (153 * month + 2) / 5;
    let is_leap =
        (year_of_era + 1) % 4 == 0 && ((year_of_era + 1) % 100 != 0 || (year_of_era + 1) % 400 == 0);
    let length = if month == 11 { 28 + i64::from(is_leap) } else { (153 * (month + 1) + 2) / 5 - first };
    let start = days - (day_of_year - first);
    start.saturating_mul(DAY_MS)..(start + length).saturating_mul(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::{Keys, month_of};

    #[test]
    fn months_of_known_days() {
        let days = |range: std::ops::Range<i64>| (range.start / 86_400_000, range.end / 86_400_000);
        assert_eq!(days(month_of(0)), (0, 31), "January 1970");
        assert_eq!(days(month_of(1_700_000_000_000)), (19_662, 19_692), "November 2023");
        assert_eq!(days(month_of(1_709_200_000_000)), (19_754, 19_783), "February 2024, leap");
        assert_eq!(days(month_of(1_740_000_000_000)), (20_120, 20_148), "February 2025");
        assert_eq!(days(month_of(1_735_600_000_000)), (20_058, 20_089), "December 2024");
    }

    #[test]
    fn far_away_times_are_no_panic() {
        for wall_ms in [i64::MIN, i64::MAX, -1] {
            assert!(!month_of(wall_ms).is_empty());
        }
    }

    #[test]
    fn keys_of_two_months_begin_alike_and_differ() {
        let mut keys = Keys::new("127.0.0.1".parse().unwrap(), 1, 2, 0);
        assert_eq!(keys.next(1_000), "7F0000010001000000020000_03E8_0000".replace('_', ""));
        assert_eq!(keys.next(31 * 86_400_000), "7F0000010001000000020000_0000_0001".replace('_', ""));
    }

    #[test]
    fn a_month_begins_at_local_midnight() {
        let hours = |hours: i64| hours * 3_600_000;
        let since = |utc_offset_s, wall_ms| {
            let key = Keys::new("127.0.0.1".parse().unwrap(), 1, 2, utc_offset_s).next(wall_ms);
            i64::from_str_radix(&key[20..28], 16).unwrap()
        };
        let february = hours(31 * 24);
        assert_eq!(since(8 * 3_600, february - hours(8)), 0);
        assert_eq!(since(8 * 3_600, february - hours(8) - 1), february - 1);
        assert_eq!(since(-5 * 3_600, february + hours(5)), 0);
        assert_eq!(since(-5 * 3_600, february), february - hours(5));
    }
}
