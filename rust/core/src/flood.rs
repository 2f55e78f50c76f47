//! Complaints about peers: the first is told at once, those that follow are counted and told with a later one. Whoever sends
//! garbage over a thousand connections does not fill the disk with log lines.

/// Between two lines of one kind.
const INTERVAL_MS: u64 = 60_000;

/// When a kind of complaint may be told again, and how many were not.
#[derive(Debug, Default)]
pub struct Flood {
    quiet_until: u64,
    untold: u64,
}

impl Flood {
    /// What to add to the line, or `None` when it is not to be written.
    pub fn admit(&mut self, mono_ms: u64) -> Option<String> {
        if mono_ms < self.quiet_until {
            self.untold += 1;
            return None;
        }
        self.quiet_until = mono_ms + INTERVAL_MS;
        match std::mem::take(&mut self.untold) {
            0 => Some(String::new()),
            untold => Some(format!(" ({untold} more since the last such line)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flood;

    #[test]
    fn tells_one_a_minute_and_how_many_there_were() {
        let mut flood = Flood::default();
        assert_eq!(flood.admit(5).as_deref(), Some(""));
        assert_eq!(flood.admit(6), None);
        assert_eq!(flood.admit(60_004), None);
        assert_eq!(flood.admit(60_005).as_deref(), Some(" (2 more since the last such line)"));
        assert_eq!(flood.admit(200_000).as_deref(), Some(""));
    }
}
