//! Compressed bodies: zlib stream, LZ4 frame or zstd frame, told by the system flag.
//!
//! What a body unpacks to is bounded, and so is the memory that its header may ask for: a few bytes can describe
//! gigabytes. The broker never unpacks anything; consumers do.

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
