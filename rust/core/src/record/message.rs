//! The record of one message.
//!
//! ```text
//! total size i32 | magic i32 | body crc i32 | queue id i32 | flag i32 | queue offset i64 | physical offset i64
//! | sys flag i32 | born timestamp i64 | born host 4+4 or 16+4 | store timestamp i64 | store host 4+4 or 16+4
//! | reconsume times i32 | prepared transaction offset i64 | body length i32, body
//! | topic length u8 (V1) or i16 (V2), topic | properties length i16, properties
//! ```
//!
//! all big-endian. The checksum is CRC-32 of the stored body without its top bit. A V1 topic length is a
//! signed byte, so longer topics make the record V2. Total size is what leads to the next record: bytes after
//! the properties are skipped, since later versions may add some. A blank fills the end of a segment: total
//! size and magic only, whatever follows.

use std::net::{IpAddr, SocketAddr};

use bytes::BufMut;

use super::reader::Reader;
use super::{RecordError, sys_flag};

/// Magic of a record with one byte of topic length.
pub const MAGIC_V1: u32 = 0xdaa3_20a7;
/// Magic of a record with two bytes of topic length.
pub const MAGIC_V2: u32 = 0xdaa3_20ab;
/// Magic of the filler at the end of a segment.
pub const MAGIC_BLANK: u32 = 0xcbd4_3194;
/// Bytes of a blank that mean something.
pub const BLANK_LEN: usize = 8;
/// Apache's default `maxMessageSize`: what brokers and clients let through if nobody tells them otherwise.
pub const DEFAULT_MAX_BODY: usize = 4 * 1024 * 1024;
/// No body is larger, whatever a broker is told: no frame (Apache's `frameMaxLength`) could carry it.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
/// The length field is a signed 16-bit number.
pub const MAX_PROPERTIES: usize = 32_767;
/// The longest topic: a V1 length is a signed byte.
pub const MAX_TOPIC: usize = 127;
/// The longest topic with a prefix that the broker adds to a group's name.
pub const MAX_TOPIC_LONG: usize = 255;

/// Bytes of everything of fixed width, with IPv4 hosts and without the topic's length.
const FIXED: usize = 90;
/// What a 16-byte address adds.
const V6_EXTRA: usize = 12;
/// The smallest record: V1, IPv4, everything empty.
const MIN_SIZE: usize = FIXED + 1;

/// Which of the two layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// One byte of topic length.
    V1,
    /// Two bytes of topic length.
    V2,
}

/// What stands at the front of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A message; its `total_size` leads to the next.
    Message(Message<'a>),
    /// The filler at the end of a segment.
    Blank {
        /// Bytes to the end of the segment, this word included.
        size: u32,
    },
    /// The buffer ends inside the record.
    NeedMore,
}

/// A stored message, borrowed from the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the layout's own, explained at the top of the file")]
pub struct Message<'a> {
    pub total_size: usize,
    pub version: Version,
    pub body_crc: u32,
    pub queue_id: i32,
    pub flag: i32,
    pub queue_offset: i64,
    pub physical_offset: i64,
    pub sys_flag: i32,
    pub born_timestamp: i64,
    pub born_host: SocketAddr,
    pub store_timestamp: i64,
    pub store_host: SocketAddr,
    pub reconsume_times: i32,
    pub prepared_transaction_offset: i64,
    pub body: &'a [u8],
    pub topic: &'a str,
    pub properties: &'a str,
}

impl Message<'_> {
    /// Whether the body is the one that was stored.
    pub fn crc_matches(&self) -> bool {
        body_crc(self.body) == self.body_crc
    }

    /// Size of the record as its fields add up to; Apache's recovery wants it to equal the total size.
    pub fn fields_len(&self) -> usize {
        let hosts =
            [self.born_host, self.store_host].into_iter().filter(SocketAddr::is_ipv6).count() * V6_EXTRA;
        let topic_len = if self.version == Version::V2 { 2 } else { 1 };
        FIXED + hosts + topic_len + self.topic.len() + self.properties.len() + self.body.len()
    }
}

/// Reads the record at the front of the buffer. Nothing is allocated, and nothing beyond the record is read.
pub fn decode(buf: &[u8]) -> Result<Decoded<'_>, RecordError> {
    let Some((prefix, _)) = buf.split_first_chunk::<BLANK_LEN>() else { return Ok(Decoded::NeedMore) };
    let words = u64::from_be_bytes(*prefix);
    let (size, magic) = ((words >> 32) as u32, words as u32);
    let version = match magic {
        MAGIC_V1 => Version::V1,
        MAGIC_V2 => Version::V2,
        MAGIC_BLANK if size as usize >= BLANK_LEN => return Ok(Decoded::Blank { size }),
        MAGIC_BLANK => return Err(RecordError::BadSize { size: size as i32 }),
        found => return Err(RecordError::BadMagic { found }),
    };
    let total_size = match usize::try_from(size as i32) {
        Ok(total_size) if total_size >= MIN_SIZE => total_size,
        _ => return Err(RecordError::BadSize { size: size as i32 }),
    };
    match buf.get(..total_size) {
        Some(record) => decode_message(record, version).map(Decoded::Message),
        None => Ok(Decoded::NeedMore),
    }
}

fn decode_message(record: &[u8], version: Version) -> Result<Message<'_>, RecordError> {
    let mut reader = Reader::new(record);
    reader.bytes("magic", BLANK_LEN)?;
    let body_crc = reader.i32("bodyCRC")? as u32;
    let queue_id = reader.i32("queueId")?;
    let flag = reader.i32("flag")?;
    let queue_offset = reader.i64("queueOffset")?;
    let physical_offset = reader.i64("physicalOffset")?;
    let sys_flag = reader.i32("sysFlag")?;
    let born_timestamp = reader.i64("bornTimestamp")?;
    let born_host = reader.host("bornHost", sys_flag & sys_flag::BORN_HOST_V6 != 0)?;
    let store_timestamp = reader.i64("storeTimestamp")?;
    let store_host = reader.host("storeHost", sys_flag & sys_flag::STORE_HOST_V6 != 0)?;
    let reconsume_times = reader.i32("reconsumeTimes")?;
    let prepared_transaction_offset = reader.i64("preparedTransactionOffset")?;
    let body_len = reader.i32("body")?;
    let body = reader.sized("body", body_len)?;
    let topic_len = match version {
        Version::V1 => i32::from(reader.u8("topic")? as i8),
        Version::V2 => i32::from(reader.i16("topic")?),
    };
    let topic = reader.text("topic", topic_len)?;
    let properties_len = i32::from(reader.i16("properties")?);
    let properties = reader.text("properties", properties_len)?;
    Ok(Message {
        total_size: record.len(),
        version,
        body_crc,
        queue_id,
        flag,
        queue_offset,
        physical_offset,
        sys_flag,
        born_timestamp,
        born_host,
        store_timestamp,
        store_host,
        reconsume_times,
        prepared_transaction_offset,
        body,
        topic,
        properties,
    })
}

/// A message to be stored.
///
/// The IPv6 bits of `sys_flag` are overwritten by what the hosts are. An IPv4 address mapped into IPv6 is
/// written as the latter: whoever accepts connections makes addresses canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the layout's own, explained at the top of the file")]
pub struct NewRecord<'a> {
    pub topic: &'a str,
    pub queue_id: i32,
    pub flag: i32,
    pub sys_flag: i32,
    pub born_timestamp: i64,
    pub born_host: SocketAddr,
    pub store_host: SocketAddr,
    pub reconsume_times: i32,
    pub prepared_transaction_offset: i64,
    pub body: &'a [u8],
    pub properties: &'a [u8],
}

/// What a message gets when it is given its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the layout's own, explained at the top of the file")]
pub struct Stamp {
    pub queue_offset: i64,
    pub physical_offset: i64,
    pub store_timestamp: i64,
}

impl NewRecord<'_> {
    /// Size of the record, after checking that the format can hold the message.
    pub fn encoded_len(&self) -> Result<usize, RecordError> {
        let (topic, properties, body) = (self.topic.len(), self.properties.len(), self.body.len());
        let topic_limit = topic_limit(self.topic);
        if topic > topic_limit {
            return Err(RecordError::TopicTooLong { len: topic, limit: topic_limit });
        }
        if properties > MAX_PROPERTIES {
            return Err(RecordError::PropertiesTooLong { len: properties, limit: MAX_PROPERTIES });
        }
        if body > MAX_BODY {
            return Err(RecordError::BodyTooLong { len: body, limit: MAX_BODY });
        }
        let hosts =
            [self.born_host, self.store_host].into_iter().filter(SocketAddr::is_ipv6).count() * V6_EXTRA;
        Ok(FIXED + hosts + usize::from(topic > MAX_TOPIC) + 1 + topic + properties + body)
    }

    /// Appends the record and returns its size. On failure `out` is as it was.
    pub fn encode(&self, stamp: &Stamp, out: &mut Vec<u8>) -> Result<usize, RecordError> {
        let size = self.encoded_len()?;
        if std::str::from_utf8(self.properties).is_err() {
            return Err(RecordError::NotUtf8 { field: "properties" });
        }
        if self.properties.last() == Some(&0) || self.topic.as_bytes().last() == Some(&0) {
            return Err(RecordError::EndsInZero);
        }
        out.reserve(size);
        let is_v2 = self.topic.len() > MAX_TOPIC;
        out.put_i32(size as i32);
        out.put_u32(if is_v2 { MAGIC_V2 } else { MAGIC_V1 });
        out.put_u32(body_crc(self.body));
        out.put_i32(self.queue_id);
        out.put_i32(self.flag);
        out.put_i64(stamp.queue_offset);
        out.put_i64(stamp.physical_offset);
        out.put_i32(self.stored_sys_flag());
        out.put_i64(self.born_timestamp);
        put_host(out, self.born_host);
        out.put_i64(stamp.store_timestamp);
        put_host(out, self.store_host);
        out.put_i32(self.reconsume_times);
        out.put_i64(self.prepared_transaction_offset);
        out.put_i32(self.body.len() as i32);
        out.put_slice(self.body);
        if is_v2 {
            out.put_i16(self.topic.len() as i16);
        } else {
            out.put_u8(self.topic.len() as u8);
        }
        out.put_slice(self.topic.as_bytes());
        out.put_i16(self.properties.len() as i16);
        out.put_slice(self.properties);
        Ok(size)
    }

    fn stored_sys_flag(&self) -> i32 {
        let bit = |host: SocketAddr, bit| if host.is_ipv6() { bit } else { 0 };
        let plain = self.sys_flag & !(sys_flag::BORN_HOST_V6 | sys_flag::STORE_HOST_V6);
        plain | bit(self.born_host, sys_flag::BORN_HOST_V6) | bit(self.store_host, sys_flag::STORE_HOST_V6)
    }
}

/// Appends the eight bytes of a blank that covers `size` bytes.
pub fn encode_blank(size: u32, out: &mut Vec<u8>) {
    out.put_u32(size);
    out.put_u32(MAGIC_BLANK);
}

/// Only topics that the broker makes from a group's name may be long.
fn topic_limit(topic: &str) -> usize {
    let is_made = topic.starts_with("%RETRY%") || topic.starts_with("%DLQ%");
    if is_made { MAX_TOPIC_LONG } else { MAX_TOPIC }
}

/// Java keeps checksums in signed numbers and drops the sign.
fn body_crc(body: &[u8]) -> u32 {
    crc32fast::hash(body) & 0x7fff_ffff
}

fn put_host(out: &mut Vec<u8>, host: SocketAddr) {
    match host.ip() {
        IpAddr::V4(address) => out.put_slice(&address.octets()),
        IpAddr::V6(address) => out.put_slice(&address.octets()),
    }
    out.put_i32(i32::from(host.port()));
}

#[cfg(test)]
#[path = "message_test.rs"]
mod tests;
