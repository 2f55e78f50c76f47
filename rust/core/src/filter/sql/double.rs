//! Java's `Double.valueOf`: what text is a floating-point number, and which.
//!
//! blanks, a sign or none, then `NaN`, `Infinity`, a decimal number or a hexadecimal one (`0x1.8p3`); a decimal or hexadecimal
//! number may end in one of `fFdD`, which changes nothing. The nearest double is taken, of two the even one.

/// Bits of a double's significand, the leading one among them.
const PRECISION: i64 = 53;
/// Exponents of the smallest normal double and of infinity.
const MIN_EXPONENT: i64 = -1022;
const INFINITE_EXPONENT: i64 = 1024;
/// Beyond this an exponent decides alone.
const EXPONENT_LIMIT: i64 = 1_000_000_000;

/// The number, or `None` if the text is none to Java.
pub(super) fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = match magnitude {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        _ => {
            let number = magnitude.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(magnitude);
            match number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")) {
                Some(digits) => hexadecimal(digits)?,
                None => decimal(number)?,
            }
        }
    };
    Some(if negative { -value } else { value })
}

/// Digits with a point among them or none, then an exponent or none. Rust reads such text as Java does, and more besides.
fn decimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction);
    (has_digits && exponent.is_none_or(|text| signed(text).is_some())).then(|| text.parse().ok())?
}

/// A decimal exponent, cut to what can matter.
fn signed(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let grown = digits
        .bytes()
        .fold(0, |value: i64, digit| (value * 10 + i64::from(digit - b'0')).min(EXPONENT_LIMIT));
    Some(sign * grown)
}

/// Hexadecimal digits with a point among them or none, then `p` and the power of two.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent = signed(exponent)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut significand = 0_u64;
    for (digit, is_fraction) in whole.chars().map(|c| (c, false)).chain(fraction.chars().map(|c| (c, true))) {
        let digit = u64::from(digit.to_digit(16)?);
        if significand >> 60 == 0 {
            significand = significand << 4 | digit;
            exponent -= if is_fraction { 4 } else { 0 };
        } else {
            // No room: of this digit only counts whether anything is left behind the others.
            significand |= u64::from(digit != 0);
            exponent += if is_fraction { 0 } else { 4 };
        }
    }
    Some(scaled(significand, exponent))
}

/// The double nearest to `significand * 2^exponent`.
fn scaled(significand: u64, exponent: i64) -> f64 {
    if significand == 0 {
        return 0.0;
    }
    let bits = 64 - i64::from(significand.leading_zeros());
    let top = bits - 1 + exponent;
    // Bits that the double has room for; fewer than all below the normal range.
    let room = (PRECISION - (MIN_EXPONENT - top).max(0)).max(-1);
    let (mut kept, lowest) = rounded(significand, bits - room, exponent);
    if kept == 1 << PRECISION {
        kept >>= 1;
        return assembled(kept, lowest + 1);
    }
    assembled(kept, lowest)
}

/// The significand without its last `excess` bits, rounded, and the exponent of its last bit then.
fn rounded(significand: u64, excess: i64, exponent: i64) -> (u64, i64) {
    let Ok(excess @ 1..) = u32::try_from(excess) else {
        return (significand << (-excess).clamp(0, 63), exponent + excess);
    };
    let (wide, shift) = (u128::from(significand), excess.min(100));
    let (kept, cut, half) = (wide >> shift, wide & ((1 << shift) - 1), 1_u128 << (shift - 1));
    let up = cut > half || (cut == half && kept & 1 == 1);
    ((kept + u128::from(up)) as u64, exponent + i64::from(excess))
}

/// `kept * 2^lowest` for a `kept` that a double holds exactly.
fn assembled(kept: u64, lowest: i64) -> f64 {
    if kept == 0 {
        return 0.0;
    }
    if kept >> (PRECISION - 1) == 0 {
        return f64::from_bits(kept);
    }
    let exponent = lowest + PRECISION - 1;
    if exponent >= INFINITE_EXPONENT {
        return f64::INFINITY;
    }
    let biased = (exponent - MIN_EXPONENT + 1) as u64;
    f64::from_bits(biased << (PRECISION - 1) | (kept & ((1 << (PRECISION - 1)) - 1)))
}

#[cfg(test)]
mod tests {
    use super::parse_double;

    fn bits(text: &str) -> Option<u64> {
        parse_double(text).map(f64::to_bits)
    }

    #[test]
    fn decimal_numbers() {
        for (text, value) in
            [("1", 1.0_f64), (" -1.5e3\t", -1500.0), (".5", 0.5), ("5.", 5.0), ("+1d", 1.0), ("1e2F", 100.0)]
        {
            assert_eq!(bits(text), Some(value.to_bits()), "{text:?}");
        }
        assert_eq!(parse_double("1e999999999999"), Some(f64::INFINITY));
        assert_eq!(parse_double("-1e-999999999999"), Some(-0.0));
    }

    #[test]
    fn names_of_numbers() {
        assert!(parse_double("NaN").is_some_and(f64::is_nan));
        assert_eq!(parse_double("-Infinity"), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn what_is_no_number() {
        let texts = [
            "", " ", ".", "-", "+-1", "1e", "1e+", "e5", "inf", "infinity", "nan", "NaNf", "1ff", "1_0",
            "0x1", "0xp1", "0x.p1", "1.2.3", "\u{661}",
        ];
        for text in texts {
            assert_eq!(bits(text), None, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_numbers() {
        for (text, value) in
            [("0x1p0", 1.0_f64), ("0X1.8P3f", 12.0), ("-0x.8p1", -1.0), ("0x10.p-4", 1.0), ("0x0p9", 0.0)]
        {
            assert_eq!(bits(text), Some(value.to_bits()), "{text:?}");
        }
        assert_eq!(parse_double("0x1.fffffffffffffp1023"), Some(f64::MAX));
        assert_eq!(parse_double("0x1.fffffffffffff8p1023"), Some(f64::INFINITY));
        assert_eq!(bits("0x1p-1074"), Some(1));
        assert_eq!(bits("0x1p-1075"), Some(0));
        assert_eq!(bits("0x1.0000000000001p-1075"), Some(1));
        assert_eq!(bits("0x0.fffffffffffffp-1022"), Some((1 << 52) - 1));
        assert_eq!(bits("0x0.fffffffffffff8p-1022"), Some(1 << 52));
        assert_eq!(parse_double("0x1.00000000000008p0"), Some(1.0));
        assert_eq!(bits("0x1.000000000000080000000000001p0"), Some(1.0_f64.to_bits() + 1));
        assert_eq!(parse_double("0x123456789abcdef012p0"), Some(3.358_127_276_707_303e20));
    }
}
