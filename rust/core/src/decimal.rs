//! Numbers as text, for what is written with every message: no allocation, and none of the detours of `format!`.

/// A sign and nineteen digits.
const MAX_LEN: usize = 20;

/// The decimal text of a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    text: [u8; MAX_LEN],
    start: usize,
}

impl Decimal {
    pub(crate) fn new(number: i64) -> Self {
        let (mut text, mut start, mut rest) = ([0; MAX_LEN], MAX_LEN, number.unsigned_abs());
        for place in text.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            start -= 1;
            if rest == 0 {
                break;
            }
        }
        if number < 0
            && let Some(before) = start.checked_sub(1)
            && let Some(place) = text.get_mut(before)
        {
            *place = b'-';
            start = before;
        }
        Self { text, start }
    }

    pub(crate) fn as_str(&self) -> &str {
        let text = self.text.get(self.start..).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Decimal;

    #[test]
    fn the_ends_of_the_range() {
        for number in [0, 1, -1, 9, 10, -10, i64::MAX, i64::MIN] {
            assert_eq!(Decimal::new(number).as_str(), number.to_string());
        }
    }

    proptest! {
        #[test]
        fn writes_what_format_writes(number: i64, shift in 0..64_u32) {
            let decimal = Decimal::new(number >> shift);
            prop_assert_eq!(decimal.as_str(), (number >> shift).to_string());
        }
    }
}
