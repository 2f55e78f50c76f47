//! How large a condition may be.

/// Conditions that may stand inside each other, beyond chains of `AND` or of `OR`; parentheses alone do not count. Apache's limit is
/// its thread's stack.
pub const MAX_DEPTH: u16 = 200;
/// Bytes of a condition. Apache has no limit; a longer one would cost every message too much.
pub const MAX_LENGTH: usize = 65_535;
