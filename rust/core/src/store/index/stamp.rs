//! Names of index files: the local time at which one was made, as 17 digits `yyyyMMddHHmmssSSS`.
//!
//! They only have to sort; a name that would not come after the last one (two in a millisecond, a clock that went back,
//! the end of summer time) is one more than that.

use std::path::Path;

const DIGITS: usize = 17;

/// The name for a file that is made now, behind the one at `previous`.
pub(super) fn next_name(wall_ms: i64, utc_offset_s: i32, previous: Option<&Path>) -> String {
    let local_ms = wall_ms.saturating_add(i64::from(utc_offset_s) * 1000);
    let previous = previous.and_then(Path::file_name).and_then(|name| parse(name.to_str()?));
    let at_least = previous.map_or(0, |previous| previous.saturating_add(1));
    format!("{:0DIGITS$}", local_stamp(local_ms).max(at_least))
}

/// The number a file name is; `None` for names that are not an index file's.
pub(super) fn parse(name: &str) -> Option<u64> {
    let digits = name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().ok()).flatten()
}

fn local_stamp(local_ms: i64) -> u64 {
    let (days, ms) = (local_ms.div_euclid(86_400_000), local_ms.rem_euclid(86_400_000));
    let (year, month, day) = date(days);
    let (hour, minute, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    let clock = (hour * 100 + minute) * 100_000 + rest;
    let date = (year * 100 + month) * 100 + day;
    (date * 1_000_000_000 + clock).unsigned_abs()
}

/// Year, month and day of a day counted from 1970-01-01, by the Gregorian rule of 400 years. Years begin in March, so
/// that the day which comes and goes is their last.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_local_times() {
        assert_eq!(next_name(0, 0, None), "19700101000000000");
        assert_eq!(next_name(1_700_000_000_123, 0, None), "20231114221320123");
        assert_eq!(next_name(1_700_000_000_123, 3_600, None), "20231114231320123");
        assert_eq!(next_name(1_709_164_800_000, -1, None), "20240228235959000");
        assert_eq!(next_name(1_709_251_199_999, 0, None), "20240229235959999");
        assert_eq!(next_name(951_782_400_000, 0, None), "20000229000000000");
    }

    #[test]
    fn names_always_come_after_the_last() {
        let last = Path::new("/s/index/20231114221320123");
        assert_eq!(next_name(1_700_000_000_123, 0, Some(last)), "20231114221320124");
        assert_eq!(next_name(0, 0, Some(last)), "20231114221320124");
        assert_eq!(next_name(1_700_000_000_130, 0, Some(last)), "20231114221320130");
    }

    #[test]
    fn other_names_are_no_stamps() {
        assert_eq!(parse("20231114221320123"), Some(20_231_114_221_320_123));
        for other in ["", "lock", "2023111422132012", "2023111422132012x"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
