//! How long requests take: from the moment when the engine gets to one until its answer is made.
//!
//! The engine has no clock, and within one turn its owner tells one time only. So what a turn answers is noted, and gets its
//! time when the owner says that the turn is over: what the turn itself took, writing and reading, is in it.

use crate::session::Broker;

/// The first milliseconds of the classes that puts are counted in; the last one has no end. Among them are all limits of
/// Apache's `putMessageDistributeTime`, and they are as fine as what Apache makes `putLatency99` from.
const CLASSES: [u64; 76] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24, 26, 28, 30, 32, 34, 36,
    38, 40, 42, 44, 46, 48, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100, 110, 120, 130, 140, 150, 160, 170,
    180, 190, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000, 2000, 3000, 4000, 5000, 6000,
    7000, 8000, 9000, 10_000,
];

/// What was measured, and what was answered and is not measured yet.
#[derive(Debug)]
pub(super) struct Timing {
    puts: [u64; CLASSES.len()],
    pub(super) put_max: u64,
    pub(super) get_max: u64,
    /// When sends that are answered now began, and how many did then.
    put_begins: Vec<(u64, u64)>,
    /// When the oldest pull that is answered now began.
    get_began: Option<u64>,
}

impl Default for Timing {
    fn default() -> Self {
        Self { puts: [0; CLASSES.len()], put_max: 0, get_max: 0, put_begins: Vec::new(), get_began: None }
    }
}

impl Timing {
    /// A send that began then is answered in this turn.
    pub(super) fn put(&mut self, began_ms: u64) {
        match self.put_begins.last_mut() {
            Some((at, count)) if *at == began_ms => *count += 1,
            _ => self.put_begins.push((began_ms, 1)),
        }
    }

    /// A pull whose reading began then is answered in this turn.
    pub(super) fn got(&mut self, began_ms: u64) {
        self.get_began = Some(self.get_began.map_or(began_ms, |oldest| oldest.min(began_ms)));
    }

    fn settle(&mut self, mono_ms: u64) {
        for (began, count) in self.put_begins.drain(..) {
            let took = mono_ms.saturating_sub(began);
            self.put_max = self.put_max.max(took);
            let class = CLASSES.partition_point(|first| *first <= took).saturating_sub(1);
            if let Some(puts) = self.puts.get_mut(class) {
                *puts += count;
            }
        }
        if let Some(began) = self.get_began.take() {
            self.get_max = self.get_max.max(mono_ms.saturating_sub(began));
        }
    }

    /// How many sends took how long: the first milliseconds of each class, and its sends.
    pub(super) fn puts(&self) -> Vec<(u64, u64)> {
        CLASSES.into_iter().zip(self.puts).collect()
    }
}

impl Broker {
    /// The owner has done, at this time, what `poll` said.
    pub fn turn_over(&mut self, mono_ms: u64) {
        self.timing.settle(mono_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::Timing;

    fn classes(timing: &Timing) -> Vec<(u64, u64)> {
        timing.puts().into_iter().filter(|(_, count)| *count > 0).collect()
    }

    #[test]
    fn every_time_is_in_the_class_that_begins_with_it_or_before() {
        let mut timing = Timing::default();
        let begins = [0, 499, 500, 985, 990, 999, 1_000, 1_000];
        for began in begins {
            timing.put(began);
        }
        timing.settle(1_000);
        assert_eq!(classes(&timing), [(0, 2), (1, 1), (10, 1), (15, 1), (500, 2), (1_000, 1)]);
        assert_eq!(timing.put_max, 1_000);
        timing.put(0);
        timing.settle(1 << 40);
        assert_eq!(classes(&timing).last(), Some(&(10_000, 1)));
    }

    #[test]
    fn what_was_measured_is_not_measured_again() {
        let mut timing = Timing::default();
        timing.got(7);
        timing.got(5);
        timing.settle(9);
        timing.settle(900);
        assert_eq!((timing.get_max, timing.put_max, classes(&timing)), (4, 0, vec![]));
    }
}
