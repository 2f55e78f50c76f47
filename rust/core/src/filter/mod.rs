//! What a subscription selects.

pub mod tags;
