//! What our own files hold: a value in CBOR, and behind it its CRC-32, for one that was not written whole to say nothing.

use std::convert::Infallible;

use minicbor::{Decoder, Encoder, decode, encode};

/// The value with its CRC-32 behind it.
pub(super) fn seal(value: Encoder<Vec<u8>>) -> Result<Vec<u8>, encode::Error<Infallible>> {
    let mut bytes = value.into_writer();
    let crc = crc32fast::hash(&bytes);
    Encoder::new(&mut bytes).u32(crc)?;
    Ok(bytes)
}

/// Reads the CRC-32 that has to follow; whether it is that of all that was read before.
pub(super) fn is_whole(decoder: &mut Decoder<'_>) -> Result<bool, decode::Error> {
    let value = decoder.input().get(..decoder.position()).unwrap_or_default();
    Ok(decoder.u32()? == crc32fast::hash(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bit_may_change_and_no_byte_may_be_missing() {
        let mut value = Encoder::new(Vec::new());
        value.u32(70_000).unwrap();
        let sealed = seal(value).unwrap();
        let is_taken = |bytes: &[u8]| {
            let mut decoder = Decoder::new(bytes);
            decoder.u32().is_ok() && is_whole(&mut decoder).unwrap_or(false)
        };
        assert!(is_taken(&sealed));
        for bit in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_taken(&other), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(!is_taken(sealed.get(..len).unwrap()), "{len} bytes");
        }
    }
}
