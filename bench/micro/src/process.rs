//! What a process has cost so far, from `/proc`.

use std::io;
use std::time::Duration;

/// `USER_HZ`, which Linux keeps at this for all programs.
const TICKS_A_SECOND: u32 = 100;
/// Fields of `/proc/PID/stat` behind the name: user and system time, counted from the state.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;

/// CPU time of a process, all its threads together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cpu {
    /// In its own code.
    pub user: Duration,
    /// In the kernel for it.
    pub system: Duration,
}

impl Cpu {
    /// What a process has used since it began. Linux counts in steps of 10 ms.
    pub fn of(pid: u32) -> io::Result<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        parse(&stat)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/stat is not readable"))
    }

    /// What was used since an earlier moment.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// The name may hold blanks and brackets; what follows its last bracket does not.
fn parse(stat: &str) -> Option<Cpu> {
    let (_, behind) = stat.rsplit_once(')')?;
    let ticks = |field| -> Option<Duration> {
        let ticks: u32 = behind.split_whitespace().nth(field)?.parse().ok()?;
        Some(Duration::from_secs(1) * ticks / TICKS_A_SECOND)
    };
    Some(Cpu { user: ticks(USER_TICKS)?, system: ticks(SYSTEM_TICKS)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_past_a_name_with_brackets() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 100 1 2 3";
        let cpu = parse(stat).unwrap();
        assert_eq!((cpu.user, cpu.system), (Duration::from_millis(2500), Duration::from_millis(500)));
        assert_eq!(parse("42 (a"), None);
    }
}
