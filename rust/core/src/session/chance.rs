//! Random numbers from a seed that was passed in, so that a run can be repeated.

/// `SplitMix64` (Steele, Lea, Flood 2014): tiny, and good enough to spread messages over queues.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to `end`; `None` when there is none.
    pub(super) fn below(&mut self, end: i32) -> Option<i32> {
        let end = u64::try_from(end).ok().filter(|end| *end > 0)?;
        i32::try_from(self.next() % end).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn same_seed_same_numbers_and_all_in_range() {
        let (mut one, mut two) = (Chance::new(7), Chance::new(7));
        let mut seen = [false; 4];
        for _ in 0..100 {
            let number = one.below(4).unwrap();
            assert_eq!(Some(number), two.below(4));
            seen[number as usize] = true;
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!(one.below(0), None);
        assert_eq!(one.below(-1), None);
    }
}
