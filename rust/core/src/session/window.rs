//! Counting per second, where nothing tells us when the counted thing is done with.

/// Length of a window.
const WINDOW_MS: u64 = 1_000;

/// How many of something there were in the current second.
#[derive(Debug, Default)]
pub(super) struct Window {
    started: u64,
    count: u32,
}

impl Window {
    /// Counts one more, unless there were `limit` in this window already.
    pub(super) fn admit(&mut self, limit: u32, mono_ms: u64) -> bool {
        if mono_ms >= self.started.saturating_add(WINDOW_MS) {
            self.started = mono_ms;
            self.count = 0;
        }
        if self.count >= limit {
            return false;
        }
        self.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn admits_so_many_a_second() {
        let mut window = Window::default();
        assert!(window.admit(2, 0) && window.admit(2, 1));
        assert!(!window.admit(2, 999));
        assert!(window.admit(2, 1_000));
    }
}
