//! Compressed bodies: zlib stream, LZ4 frame or zstd frame, told by the system flag.
//!
//! What a body unpacks to is bounded, and so is the memory that its header may ask for: a few bytes can
//! describe gigabytes. The broker never unpacks anything; consumers do.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::sys_flag::{COMPRESSED, COMPRESSION_TYPE, LZ4, ZLIB, ZSTD};
use crate::error::CompressionError;

/// The most that a body may unpack to: eight times the largest stored body.
pub const MAX_UNPACKED: usize = 32 * 1024 * 1024;

/// Base-2 logarithm of the largest window that a zstd frame may ask for: no more than the output.
const ZSTD_WINDOW_LOG: u32 = 25;

/// The plain body of a message with that system flag; a copy, if it was not compressed.
pub fn decompress(sys_flag: i32, body: &[u8]) -> Result<Vec<u8>, CompressionError> {
    if sys_flag & COMPRESSED == 0 {
        return Ok(body.to_vec());
    }
    match sys_flag & COMPRESSION_TYPE {
        // No type is what peers before 4.9.4 write; they know zlib only.
        0 | ZLIB => read_bounded("zlib", ZlibDecoder::new(body)),
        LZ4 => read_bounded("LZ4", lz4_flex::frame::FrameDecoder::new(body)),
        ZSTD => {
            let damaged = |_| CompressionError::Damaged { format: "zstd" };
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(damaged)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(damaged)?;
            read_bounded("zstd", decoder)
        }
        other => Err(CompressionError::UnknownType { kind: other >> 8 }),
    }
}

/// A zlib stream; the level is 0 to 9, where Java's producers use 5.
pub fn compress_zlib(body: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(body.len() / 2), Compression::new(level.min(9)));
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

fn read_bounded(format: &'static str, reader: impl Read) -> Result<Vec<u8>, CompressionError> {
    let mut plain = Vec::new();
    let limit = MAX_UNPACKED as u64 + 1;
    reader.take(limit).read_to_end(&mut plain).map_err(|_| CompressionError::Damaged { format })?;
    if plain.len() > MAX_UNPACKED {
        return Err(CompressionError::TooLarge { limit: MAX_UNPACKED });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{MAX_UNPACKED, compress_zlib, decompress};
    use crate::error::CompressionError;

    /// Bodies that Apache's Java client 5.5.0 stored, of its three compressors.
    const JAVA: [(i32, &str, &str); 3] = [
        (
            0x101,
            "LZ4",
            "04224d1860707323000000ff02636f6d707265737369626c65204c5a34201100ffffffffffffffae50737369626c00000000",
        ),
        (0x201, "ZSTD", "28b52ffd0058d4000090636f6d707265737369626c65205a53544420010076af7f8601010000"),
        (
            0x301,
            "ZLIB",
            "785e4bcecf2d284a2d2ece4cca495588f2f17452481e151915191519151915191519151962220055d0cf68",
        ),
    ];

    fn from_hex(text: &str) -> Vec<u8> {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        text.as_bytes().chunks(2).map(|pair| (digit(pair[0]) << 4) | digit(pair[1])).collect()
    }

    fn lz4(plain: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn javas_bodies_are_unpacked() {
        for (sys_flag, name, packed) in JAVA {
            let plain = decompress(sys_flag, &from_hex(packed)).unwrap();
            let expected = format!("compressible {name} ").repeat(200);
            assert_eq!(plain, expected.as_bytes()[..2000], "{name}");
        }
    }

    #[test]
    fn no_type_means_zlib_and_no_flag_means_plain() {
        let packed = compress_zlib(b"plain", 5);
        assert_eq!(decompress(0x1, &packed), Ok(b"plain".into()));
        assert_eq!(decompress(0x300, &packed), Ok(packed.clone()));
        assert_eq!(decompress(0x401, &packed), Err(CompressionError::UnknownType { kind: 4 }));
    }

    #[test]
    fn damaged_streams_are_errors() {
        for (sys_flag, name, packed) in JAVA {
            let packed = from_hex(packed);
            for length in 0..packed.len() {
                let unpacked = decompress(sys_flag, &packed[..length]);
                // An LZ4 frame may end where one of its blocks does: nothing there says how long it will be.
                let fine = name == "LZ4" && unpacked.is_ok();
                assert!(fine || matches!(unpacked, Err(CompressionError::Damaged { .. })), "{name} {length}");
            }
        }
    }

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused() {
        let most = vec![0; MAX_UNPACKED];
        let more = vec![0; MAX_UNPACKED + 1];
        let zstd = |plain: &[u8]| zstd::encode_all(plain, 1).unwrap();
        let too_large = Err(CompressionError::TooLarge { limit: MAX_UNPACKED });
        for (sys_flag, most, more) in [
            (0x101, lz4(&most), lz4(&more)),
            (0x201, zstd(&most), zstd(&more)),
            (0x301, compress_zlib(&most, 1), compress_zlib(&more, 1)),
        ] {
            assert_eq!(decompress(sys_flag, &most).map(|plain| plain.len()), Ok(MAX_UNPACKED));
            assert_eq!(decompress(sys_flag, &more), too_large);
        }
    }

    #[test]
    fn a_zstd_frame_cannot_ask_for_a_large_window() {
        // Magic, a descriptor without flags, and a window of 2^41 bytes.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 31 << 3, 0x01, 0x00, 0x00];
        assert_eq!(decompress(0x201, &frame), Err(CompressionError::Damaged { format: "zstd" }));
    }
}
