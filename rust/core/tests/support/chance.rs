//! A small generator of numbers; good enough to vary a test.

#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = self.0 ^ (self.0 >> 31);
        mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
