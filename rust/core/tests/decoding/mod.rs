//! How every incremental decoder is tested: whole, byte by byte, and with trailing bytes left untouched.

use std::fmt::Debug;

/// An incremental decoder: bytes in, values out as soon as they are complete.
pub(crate) trait Incremental {
    /// What it decodes.
    type Value: PartialEq + Debug;

    /// Takes bytes and returns what they complete.
    fn feed(&mut self, data: &[u8]) -> Vec<Self::Value>;

    /// Bytes taken and not yet part of a value.
    fn buffered(&self) -> usize;
}

/// Decodes the same bytes in three ways, which must agree, and returns the values.
///
/// `partial` is the beginning of a value, or bytes that could be; it must stay in the buffer.
pub(crate) fn three_ways<D: Incremental>(new: impl Fn() -> D, bytes: &[u8], partial: &[u8]) -> Vec<D::Value> {
    let mut decoder = new();
    let whole = decoder.feed(bytes);
    assert_eq!(decoder.buffered(), 0, "whole");

    let mut decoder = new();
    let mut bytewise = Vec::new();
    for byte in bytes {
        bytewise.extend(decoder.feed(std::slice::from_ref(byte)));
    }
    assert_eq!((&bytewise, decoder.buffered()), (&whole, 0), "byte by byte");

    let mut decoder = new();
    let trailing = decoder.feed(&[bytes, partial].concat());
    assert_eq!((&trailing, decoder.buffered()), (&whole, partial.len()), "with trailing bytes");
    whole
}
