//! What a subscription selects.

pub mod sql;
pub mod tags;
