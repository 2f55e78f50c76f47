//! The incremental frame decoder and the encoder: bytes in, commands or "need more" out, and back.
//!
//! Rules: a frame's two length words are judged as soon as they are complete, before anything is
//! allocated for them, so a length word of 1 GiB costs nothing. The buffer grows only by what has
//! arrived. A body is a slice of the buffer it arrived in, never a copy. The first malformed frame ends
//! the stream: the decoder then repeats its error, because there is no way to find the next frame.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Codec, Command, WireError, header_json, header_rocketmq};

/// The largest frame Apache's peers take by default, length word included.
pub const MAX_FRAME: usize = 16_777_216;

/// Bytes of the length word.
const LENGTH_WORD: usize = 4;

/// Bytes of both words before the header.
pub(super) const PREFIX: usize = 8;

/// What a header takes beside remark and fields, at most unless much has to be escaped; saves growing the buffer.
const HEADER_ROOM: usize = 144;

/// The largest header that 24 bits can describe.
const MAX_HEADER: usize = 0x00ff_ffff;

/// Turns the bytes of one connection into commands.
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: BytesMut,
    max_frame: usize,
    failed: Option<WireError>,
}

impl FrameDecoder {
    /// A decoder that refuses frames larger than `max_frame`, length word included.
    pub fn new(max_frame: usize) -> Self {
        Self { buffer: BytesMut::new(), max_frame, failed: None }
    }

    /// Takes what was received. Bytes after a malformed frame are thrown away.
    pub fn feed(&mut self, data: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(data);
        }
    }

    /// The next command, or `None` until more bytes are fed. An error is final and repeated.
    #[expect(clippy::should_implement_trait, reason = "an iterator's None would mean the end, not need more")]
    pub fn next(&mut self) -> Result<Option<Command>, WireError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.try_next().inspect_err(|error| {
            self.failed = Some(error.clone());
            self.buffer = BytesMut::new();
        })
    }

    /// Bytes received and not yet returned as commands.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    fn try_next(&mut self) -> Result<Option<Command>, WireError> {
        let Some(prefix) = Prefix::read(&self.buffer, self.max_frame)? else { return Ok(None) };
        if self.buffer.len() < prefix.size {
            return Ok(None);
        }
        let frame = self.buffer.split_to(prefix.size).freeze();
        decode(&frame, &prefix).map(Some)
    }
}

/// Both words before the header, checked.
struct Prefix {
    /// The whole frame with its length word.
    size: usize,
    header_end: usize,
    codec: Codec,
}

impl Prefix {
    /// `None` until both words are there; each is judged as soon as it is.
    fn read(buffer: &[u8], max_frame: usize) -> Result<Option<Self>, WireError> {
        let Some((length, rest)) = buffer.split_first_chunk::<LENGTH_WORD>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length);
        if length < 4 {
            return Err(WireError::FrameTooShort { length });
        }
        let size = u64::from(length) + LENGTH_WORD as u64;
        if size > max_frame as u64 {
            return Err(WireError::FrameTooLarge { size, limit: max_frame });
        }
        let Some([kind, high, middle, low]) = rest.first_chunk::<4>() else { return Ok(None) };
        let header_len = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        let codec = match kind {
            0 => Codec::Json,
            1 => Codec::Rocketmq,
            kind => return Err(WireError::UnknownHeaderType { kind: *kind }),
        };
        let room = length as usize - 4;
        if header_len > room {
            return Err(WireError::HeaderTooLong { header_len, room });
        }
        Ok(Some(Self { size: length as usize + LENGTH_WORD, header_end: PREFIX + header_len, codec }))
    }
}

fn decode(frame: &Bytes, prefix: &Prefix) -> Result<Command, WireError> {
    let header = frame.get(PREFIX..prefix.header_end).unwrap_or_default();
    let mut command = match prefix.codec {
        Codec::Json => header_json::decode(header)?,
        Codec::Rocketmq => header_rocketmq::decode(header)?,
    };
    // An empty slice would still keep the whole receive buffer alive.
    if prefix.header_end < frame.len() {
        command.body = frame.slice(prefix.header_end..);
    }
    Ok(command)
}

/// Appends the whole frame. On failure `out` is as it was.
pub fn encode(command: &Command, out: &mut Vec<u8>) -> Result<(), WireError> {
    encode_head(command, command.body.len(), out)?;
    out.extend_from_slice(&command.body);
    Ok(())
}

/// Appends everything but the body, for a body of `body_len` bytes that the caller sends after it.
/// `command.body` is ignored. On failure `out` is as it was.
pub fn encode_head(command: &Command, body_len: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
    let start = out.len();
    let written = write_head(command, body_len, out, start);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn write_head(command: &Command, body_len: usize, out: &mut Vec<u8>, start: usize) -> Result<(), WireError> {
    let remark = command.remark.as_ref().map_or(0, String::len);
    out.reserve(PREFIX + HEADER_ROOM + remark + command.fields.room());
    out.put_bytes(0, PREFIX);
    match command.codec {
        Codec::Json => header_json::encode(command, out),
        Codec::Rocketmq => header_rocketmq::encode(command, out)?,
    }
    finish_head(command.codec, body_len, out, start)
}

/// Fills in both words before a header that was appended behind [`PREFIX`] zeros at `start`.
pub(super) fn finish_head(
    codec: Codec,
    body_len: usize,
    out: &mut [u8],
    start: usize,
) -> Result<(), WireError> {
    let kind = match codec {
        Codec::Json => 0_u32,
        Codec::Rocketmq => 1,
    };
    let header_len = out.len() - start - PREFIX;
    if header_len > MAX_HEADER {
        return Err(WireError::TooLong { field: "header", len: header_len, limit: MAX_HEADER });
    }
    let limit = i32::MAX as usize;
    let length = body_len.checked_add(header_len + 4).filter(|length| *length <= limit);
    let length = length.ok_or(WireError::TooLong { field: "body", len: body_len, limit })?;
    let header_word = (kind << 24) | header_len as u32;
    let words = (u64::from(length as u32) << 32) | u64::from(header_word);
    if let Some(prefix) = out.get_mut(start..start + PREFIX) {
        prefix.copy_from_slice(&words.to_be_bytes());
    }
    Ok(())
}

#[cfg(test)]
#[path = "frame_test.rs"]
mod tests;
