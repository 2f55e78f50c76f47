//! The two ids of a message, both upper-case hexadecimal.
//!
//! The offset id says where a message is stored: address (4 or 16 bytes), port i32, commit-log offset i64.
//! The unique key is made by the producer: address, process id u16, a number of the process u32, milliseconds
//! since the start of the month u32, counter u16. Admin tools read the time out of it, hence the odd layout.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::cursor::Cursor;

/// Hexadecimal digits of an offset id with a 4-byte address.
const LEN_V4: usize = 32;
/// Hexadecimal digits of an offset id with a 16-byte address.
const LEN_V6: usize = 56;

/// The id of the message that a broker stored at an offset of its commit log.
pub fn offset_id(host: SocketAddr, physical: i64) -> String {
    let mut id = String::with_capacity(LEN_V6);
    push_offset_id(&mut id, host, physical);
    id
}

/// Appends what [`offset_id`] makes.
pub(crate) fn push_offset_id(text: &mut String, host: SocketAddr, physical: i64) {
    push_address(text, host.ip());
    push_hex(text, &u32::from(host.port()).to_be_bytes());
    push_hex(text, &physical.to_be_bytes());
}

/// Broker and offset of an offset id; `None` for anything else, such as a unique key with a port that is
/// none.
pub fn parse_offset_id(id: &str) -> Option<(SocketAddr, i64)> {
    let bytes = from_hex(id)?;
    let mut cursor = Cursor::new(&bytes);
    let address = match id.len() {
        LEN_V4 => IpAddr::V4(Ipv4Addr::from(cursor.array::<4>()?)),
        LEN_V6 => IpAddr::V6(Ipv6Addr::from(cursor.array::<16>()?)),
        _ => return None,
    };
    let port = u16::try_from(cursor.i32()?).ok()?;
    let physical = cursor.i64().filter(|physical| *physical >= 0)?;
    Some((SocketAddr::new(address, port), physical))
}

/// Makes the unique keys of one process. Who the process is and when the month began are given, so it has
/// no clock and no chance.
#[derive(Debug, Clone)]
pub struct UniqueKeys {
    /// The part that all keys begin with.
    prefix: String,
    month_start_ms: i64,
    counter: u16,
}

impl UniqueKeys {
    /// `salt` is any number of this process; `month_start_ms` the start of the current month in local time.
    pub fn new(address: IpAddr, process_id: u16, salt: u32, month_start_ms: i64) -> Self {
        let mut prefix = String::with_capacity(LEN_V6);
        push_address(&mut prefix, address);
        push_hex(&mut prefix, &process_id.to_be_bytes());
        push_hex(&mut prefix, &salt.to_be_bytes());
        Self { prefix, month_start_ms, counter: 0 }
    }

    /// Tells that a new month began. Keys stay unique without, but their time reads wrong.
    pub fn start_month(&mut self, month_start_ms: i64) {
        self.month_start_ms = month_start_ms;
    }

    /// The next key, as [`push_key`](Self::push_key) makes it.
    pub fn next_key(&mut self, now_ms: i64) -> String {
        let mut key = String::with_capacity(LEN_V6);
        self.push_key(now_ms, &mut key);
        key
    }

    /// Appends the next key. The counter wraps, so keys repeat after 65,536 in one millisecond.
    pub fn push_key(&mut self, now_ms: i64, text: &mut String) {
        let since = now_ms.wrapping_sub(self.month_start_ms) as u32;
        text.push_str(&self.prefix);
        push_hex(text, &since.to_be_bytes());
        push_hex(text, &self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
    }
}

fn push_address(text: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => push_hex(text, &address.octets()),
        IpAddr::V6(address) => push_hex(text, &address.octets()),
    }
}

fn push_hex<const N: usize>(text: &mut String, bytes: &[u8; N]) {
    let digits = bytes.map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
    text.push_str(str::from_utf8(digits.as_flattened()).unwrap_or_default());
}

/// The digit of a number below 16.
fn hex_digit(number: u8) -> u8 {
    if number < 10 { b'0' + number } else { b'A' + number - 10 }
}

/// The bytes of text that is all hexadecimal digits in pairs.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() > LEN_V6 || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            pair.iter().try_fold(0, |byte, digit| {
                let digit = char::from(*digit).to_digit(16)?;
                Some(byte << 4 | digit as u8)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{UniqueKeys, offset_id, parse_offset_id};

    #[test]
    fn offset_ids_of_both_kinds_of_address() {
        let id = "0A00000500002A9F0000000000000100";
        let host = "10.0.0.5:10911".parse().unwrap();
        assert_eq!(offset_id(host, 0x100), id);
        assert_eq!(parse_offset_id(id), Some((host, 0x100)));
        let host = "[fd00::2]:65535".parse().unwrap();
        let id = offset_id(host, i64::MAX);
        assert_eq!(id, "FD0000000000000000000000000000020000FFFF7FFFFFFFFFFFFFFF");
        assert_eq!(parse_offset_id(&id.to_lowercase()), Some((host, i64::MAX)));
    }

    #[test]
    fn other_texts_are_no_offset_ids() {
        for text in ["", "0A", "0A00000500002A9F000000000000010", "é000000500002A9F00000000000001"] {
            assert_eq!(parse_offset_id(text), None, "{text}");
        }
        assert_eq!(parse_offset_id("C0A8010A1A2B18B4AAC2075BCD150003"), None, "its port is none");
        assert_eq!(parse_offset_id("+A00000500002A9F0000000000000100"), None);
        assert_eq!(parse_offset_id("0A00000500002A9FFFFFFFFFFFFFFFFF"), None, "a negative offset");
    }

    #[test]
    fn unique_keys_follow_the_layout_and_count() {
        let mut keys = UniqueKeys::new("192.168.1.10".parse().unwrap(), 0x1a2b, 0x18b4_aac2, 1000);
        assert_eq!(keys.next_key(123_457_789), "C0A8010A1A2B18B4AAC2075BCD150000");
        assert_eq!(keys.next_key(123_457_789), "C0A8010A1A2B18B4AAC2075BCD150001");
        keys.start_month(123_457_789);
        assert_eq!(keys.next_key(123_457_790), "C0A8010A1A2B18B4AAC2000000010002");
    }

    #[test]
    fn the_counter_wraps() {
        let mut keys = UniqueKeys::new("::1".parse().unwrap(), 1, 2, 0);
        let first = keys.next_key(0);
        assert_eq!(first.len(), 56);
        let last = (0..65_536).map(|_| keys.next_key(0)).last();
        assert_eq!(last, Some(first));
    }
}
