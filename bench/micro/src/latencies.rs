//! Latencies of a run, kept as a histogram: memory does not grow with the run.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Longer ones count as this: a minute, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// How long each of many things took; percentiles are right to three digits.
#[derive(Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds in order, digits below six"))
    }
}

impl Latencies {
    /// One took this long.
    pub fn add(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(LONGEST));
    }

    /// How many were added.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that so many of a hundred did not exceed, in microseconds.
    pub fn percentile_us(&self, percentile: f64) -> f64 {
        self.0.value_at_percentile(percentile) as f64 / 1000.0
    }

    /// The usual percentiles, in microseconds.
    pub fn to_json(&self) -> Value {
        json!({
            "p50_us": self.percentile_us(50.0),
            "p99_us": self.percentile_us(99.0),
            "p99_9_us": self.percentile_us(99.9),
            "max_us": self.percentile_us(100.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_three_digits() {
        let mut latencies = Latencies::default();
        for microseconds in 1..=1000 {
            latencies.add(Duration::from_micros(microseconds));
        }
        assert_eq!(latencies.count(), 1000);
        for (percentile, expected) in [(50.0, 500.0), (99.0, 990.0), (100.0, 1000.0)] {
            let found = latencies.percentile_us(percentile);
            assert!((found - expected).abs() <= expected / 1000.0, "{percentile}: {found}");
        }
    }
}
