//! Numbers as Java reads and compares them.

use std::cmp::Ordering;

use super::double::parse_double;

/// A number of a condition: Java's `Integer`, `Long` or `Double`. Which one it is decides how a property's text is read
/// when the two are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i32),
    Long(i64),
    Double(f64),
}

impl Number {
    /// An integer literal, `l` or `L` behind it or not: an `Integer` if it fits.
    pub(super) fn from_decimal(literal: &str) -> Option<Self> {
        let digits = literal.trim_end_matches(['l', 'L']);
        let long: i64 = digits.parse().ok()?;
        Some(i32::try_from(long).map_or(Self::Long(long), Self::Integer))
    }

    /// A literal with point or exponent. Apache refuses what overflows, and zero.
    pub(super) fn from_floating(literal: &str) -> Option<Self> {
        let double: f64 = literal.parse().ok()?;
        (double.is_finite() && double > 0.0).then_some(Self::Double(double))
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Integer(value) => Self::Integer(value.wrapping_neg()),
            Self::Long(value) => Self::Long(value.wrapping_neg()),
            Self::Double(value) => Self::Double(-value),
        }
    }

    /// Compares with text, which has to be a number of the same kind: `None` if it is not.
    pub(super) fn compare_text(self, text: &str) -> Option<Ordering> {
        Some(match self {
            Self::Integer(value) => value.cmp(&i32::try_from(parse_integer(text)?).ok()?),
            Self::Long(value) => value.cmp(&parse_integer(text)?),
            Self::Double(value) => compare_doubles(value, parse_double(text)?),
        })
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self.integer(), other.integer()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => compare_doubles(self.double(), other.double()),
        }
    }

    fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(value.into()),
            Self::Long(value) => Some(value),
            Self::Double(_) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Java converts so, too")]
    fn double(self) -> f64 {
        match self {
            Self::Integer(value) => value.into(),
            Self::Long(value) => value as f64,
            Self::Double(value) => value,
        }
    }
}

/// Java's `Double.compare`: minus zero lies before zero, and not-a-number behind everything.
pub(super) fn compare_doubles(left: f64, right: f64) -> Ordering {
    let one_nan = |value: f64| if value.is_nan() { f64::NAN } else { value };
    one_nan(left).total_cmp(&one_nan(right))
}

/// Java's `Long.parseLong`: a sign or none, then digits of any script, nothing around them.
fn parse_integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_i64, |value, digit| {
        value.checked_mul(10)?.checked_add(sign * i64::from(digit_value(digit)?))
    })
}

/// The zeros of the scripts whose digits Java takes (decimal digits of the basic plane, Unicode 13).
const ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

fn digit_value(digit: char) -> Option<u16> {
    if let Some(value) = digit.to_digit(10) {
        return u16::try_from(value).ok();
    }
    let code = u16::try_from(u32::from(digit)).ok()?;
    let zero = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1).and_then(|at| ZEROS.get(at))?;
    Some(code - zero).filter(|value| *value < 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_the_kind_of_number_it_meets() {
        let five = Number::Integer(5);
        assert_eq!(five.compare_text("5"), Some(Ordering::Equal));
        assert_eq!(five.compare_text("+4"), Some(Ordering::Greater));
        for text in ["5.0", " 5", "5 ", "", "-", "+", "0x5", "5000000000", "5l"] {
            assert_eq!(five.compare_text(text), None, "{text:?}");
        }
        let long = Number::Long(5_000_000_000);
        assert_eq!(long.compare_text("5000000001"), Some(Ordering::Less));
        assert_eq!(long.compare_text("-9223372036854775808"), Some(Ordering::Greater));
        assert_eq!(long.compare_text("9223372036854775808"), None);
        assert_eq!(Number::Double(0.5).compare_text("1e-1"), Some(Ordering::Greater));
    }

    #[test]
    fn digits_of_other_scripts_count() {
        assert_eq!(Number::Integer(42).compare_text("\u{664}\u{662}"), Some(Ordering::Equal));
        assert_eq!(Number::Integer(9).compare_text("\u{ff19}"), Some(Ordering::Equal));
        assert_eq!(Number::Integer(9).compare_text("\u{ff1a}"), None);
        assert_eq!(Number::Integer(9).compare_text("\u{1d7d7}"), None);
    }

    #[test]
    fn literals_have_the_smallest_kind_that_holds_them() {
        assert_eq!(Number::from_decimal("2147483647"), Some(Number::Integer(i32::MAX)));
        assert_eq!(Number::from_decimal("2147483648L"), Some(Number::Long(2_147_483_648)));
        assert_eq!(Number::from_decimal("9223372036854775808"), None);
        assert_eq!(Number::from_floating("5."), Some(Number::Double(5.0)));
        for literal in ["0.0", "1e400", "1e-400"] {
            assert_eq!(Number::from_floating(literal), None, "{literal}");
        }
    }

    #[test]
    fn doubles_compare_as_in_java() {
        assert_eq!(compare_doubles(-0.0, 0.0), Ordering::Less);
        assert_eq!(compare_doubles(f64::NAN, f64::INFINITY), Ordering::Greater);
        assert_eq!(compare_doubles(-f64::NAN, f64::NAN), Ordering::Equal);
        assert_eq!(Number::Long(1 << 53).compare(Number::Double(9_007_199_254_740_993.0)), Ordering::Equal);
    }
}
