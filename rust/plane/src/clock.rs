//! The only reader of clocks on the Rust side: the core is told the time, here it is looked up.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rocketmq_lite_core::session::Now;

/// Wall time for what is stored, monotonic time for every deadline, counted from the start of this clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose monotonic time starts at zero now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Both times at this moment. A wall clock set before 1970 reads as 0.
    pub fn now(&self) -> Now {
        Now { wall_ms: Self::wall_ms(), mono_ms: self.mono_ms() }
    }

    /// Milliseconds since 1970.
    pub fn wall_ms() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Milliseconds since this clock was started.
    pub fn mono_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
