//! Frames made once and sent many times, and the few bytes of an answer that matter.
//!
//! A header is not decoded here: its opaque lies at a known place in the binary form, and behind its name in JSON. That
//! keeps the client's share of the machine small.

use memchr::memmem;
use rocketmq_lite_core::record::batch::BatchItem;
use rocketmq_lite_core::wire::{self, Codec, Command, Fields, codes::request};

/// Both length words.
const PREFIX: usize = 8;
/// Where the binary header has its code and its opaque.
const CODE_AT: usize = PREFIX;
const OPAQUE_AT: usize = PREFIX + 5;
/// Digits of a unique key, the last of which count.
const KEY: &str = "7F000001000100000000";
const KEY_DIGITS: usize = 12;

/// What is sent.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Where to.
    pub topic: String,
    /// Bytes of a message's body.
    pub body: usize,
    /// Messages of a request; more than 1 makes it a batch.
    pub batch: usize,
    /// Whether each message has a unique key, as clients give them.
    pub keys: bool,
    /// How the header is written.
    pub codec: Codec,
}

/// A request and where in it the unique keys count.
#[derive(Debug, Clone)]
pub struct Request {
    /// The whole frame.
    pub bytes: Vec<u8>,
    keys_at: Vec<usize>,
}

impl Request {
    /// A send of one message or of a batch.
    ///
    /// # Panics
    /// If the format cannot hold it, such as a body of more than 4 MiB.
    pub fn new(shape: &Shape, queue_id: u32, opaque: i32) -> Self {
        let is_batch = shape.batch > 1;
        let key = format!("{KEY}{:0KEY_DIGITS$X}", 0);
        let properties = match (shape.keys, is_batch) {
            (true, _) => format!("UNIQ_KEY\u{1}{key}\u{2}WAIT\u{1}true\u{2}"),
            (false, true) => String::new(),
            (false, false) => "WAIT\u{1}true\u{2}".to_owned(),
        };
        let body = vec![b'x'; shape.body];
        let code = if is_batch { request::SEND_BATCH_MESSAGE } else { request::SEND_MESSAGE_V2 };
        let header = if is_batch { "WAIT\u{1}true\u{2}" } else { &properties };
        let mut command = Command::request(code, opaque, fields(&shape.topic, queue_id, header, is_batch));
        command.codec = shape.codec;
        command.body = if is_batch {
            let item = BatchItem { flag: 0, body: &body, properties: &properties };
            let mut items = Vec::new();
            for _ in 0..shape.batch {
                item.encode(&mut items).expect("a message that fits");
            }
            items.into()
        } else {
            body.into()
        };
        let mut bytes = Vec::new();
        wire::encode(&command, &mut bytes).expect("a header that fits");
        let digits = KEY.len()..;
        let keys_at = memmem::find_iter(&bytes, key.as_bytes()).map(|at| at + digits.start).collect();
        Self { bytes, keys_at }
    }

    /// Gives its messages keys of their own.
    pub fn number(&mut self, next_key: &mut u64) {
        for at in &self.keys_at {
            let key = *next_key;
            *next_key += 1;
            let digits = self.bytes.iter_mut().skip(*at).take(KEY_DIGITS).rev();
            for (place, digit) in digits.enumerate() {
                *digit = b"0123456789ABCDEF"[(key >> (4 * place) & 0xf) as usize];
            }
        }
    }
}

fn fields(topic: &str, queue_id: u32, properties: &str, is_batch: bool) -> Fields {
    let queue_id = queue_id.to_string();
    let pairs = [
        ("a", "rmq-load"),
        ("b", topic),
        ("c", "TBW102"),
        ("d", "4"),
        ("e", &queue_id),
        ("f", "0"),
        ("g", "1700000000000"),
        ("h", "0"),
        ("i", properties),
        ("j", "0"),
        ("k", "false"),
        ("m", if is_batch { "true" } else { "false" }),
    ];
    pairs.into_iter().collect()
}

/// What stands at the front of received bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the frame.
    pub size: usize,
    /// How the header is written.
    pub codec: Codec,
    /// Request or response code.
    pub code: i32,
    /// Correlation number.
    pub opaque: i32,
}

impl Head {
    /// `None` while the frame is not complete; a header that does not name its code or opaque has −1.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
        let size = length + 4;
        let frame = bytes.get(..size)?;
        let word = u32::from_be_bytes(*frame.get(4..)?.first_chunk()?);
        let header = frame.get(..PREFIX + (word & 0x00ff_ffff) as usize)?;
        if word >> 24 == 0 {
            let (code, opaque) = (number_behind(header, b"\"code\":"), number_behind(header, b"\"opaque\":"));
            return Some(Self { size, codec: Codec::Json, code, opaque });
        }
        let code =
            header.get(CODE_AT..).and_then(|rest| rest.first_chunk()).map(|two| i16::from_be_bytes(*two));
        let opaque =
            header.get(OPAQUE_AT..).and_then(|rest| rest.first_chunk()).map(|four| i32::from_be_bytes(*four));
        let (code, opaque) = (code.map_or(-1, i32::from), opaque.unwrap_or(-1));
        Some(Self { size, codec: Codec::Rocketmq, code, opaque })
    }
}

/// The number behind the last place where a name stands.
fn number_behind(header: &[u8], name: &[u8]) -> i32 {
    let Some(at) = memmem::rfind(header, name) else { return -1 };
    let digits = header.iter().skip(at + name.len()).take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_i32, |number, digit| number.wrapping_mul(10).wrapping_add(i32::from(digit - b'0')))
}

/// An answer without a body whose opaque is filled in each time.
#[derive(Debug)]
pub struct Answer {
    before: Vec<u8>,
    behind: Vec<u8>,
    codec: Codec,
}

impl Answer {
    /// From an answer to any request of the same header type.
    ///
    /// # Panics
    /// If the header type cannot hold it.
    pub fn new(command: &Command) -> Self {
        let mut bytes = Vec::new();
        wire::encode(command, &mut bytes).expect("an answer that fits");
        let (at, len) = match command.codec {
            Codec::Rocketmq => (OPAQUE_AT, 4),
            Codec::Json => {
                let name = b"\"opaque\":";
                let at = memmem::rfind(&bytes, name).expect("every header has an opaque") + name.len();
                (at, command.opaque.to_string().len())
            }
        };
        let behind = bytes.split_off(at + len);
        bytes.truncate(at);
        Self { before: bytes, behind, codec: command.codec }
    }

    /// Appends the answer to the request with this opaque.
    pub fn write(&self, opaque: i32, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.before);
        match self.codec {
            Codec::Rocketmq => out.extend_from_slice(&opaque.to_be_bytes()),
            Codec::Json => out.extend_from_slice(opaque.to_string().as_bytes()),
        }
        out.extend_from_slice(&self.behind);
        let length = (out.len() - start - 4) as u32;
        let header_word = (u32::from(self.codec == Codec::Rocketmq) << 24) | (length - 4);
        let words = (u64::from(length) << 32) | u64::from(header_word);
        if let Some(prefix) = out.get_mut(start..start + PREFIX) {
            prefix.copy_from_slice(&words.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocketmq_lite_core::wire::FrameDecoder;

    #[test]
    fn heads_and_answers_agree_with_the_codecs() {
        for codec in [Codec::Json, Codec::Rocketmq] {
            let answer = Answer::new(&Command::response(0, 1_234_567, codec));
            for opaque in [0, 7, i32::MAX] {
                let mut bytes = Vec::new();
                answer.write(opaque, &mut bytes);
                let mut decoder = FrameDecoder::new(wire::MAX_FRAME);
                decoder.feed(&bytes);
                let found = decoder.next().unwrap().unwrap();
                assert_eq!((found.code, found.opaque, found.codec), (0, opaque, codec));
                assert_eq!(Head::read(&bytes), Some(Head { size: bytes.len(), codec, code: 0, opaque }));
                assert_eq!(Head::read(&bytes[..bytes.len() - 1]), None);
            }
        }
    }
}
