//! Frames recorded from Apache RocketMQ decode, and encode to the byte where the encoding is ours to choose.

use rocketmq_lite_core::record::{Decoded, Message, NewRecord, Stamp, decode};
use rocketmq_lite_core::wire::fastjson::{self, Dialect, Value};
use rocketmq_lite_core::wire::{Codec, Command, FrameDecoder, Language, MAX_FRAME, encode};

use decoding::{Incremental, three_ways};

mod decoding;

struct Golden {
    name: String,
    frame: Vec<u8>,
}

impl Golden {
    fn command(&self) -> Command {
        let mut decoder = FrameDecoder::new(MAX_FRAME);
        decoder.feed(&self.frame);
        let command = decoder.next().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert_eq!(decoder.buffered(), 0, "{}", self.name);
        command.unwrap_or_else(|| panic!("{} is incomplete", self.name))
    }
}

/// A frame as a client or server would decode it.
struct Frames(FrameDecoder);

impl Incremental for Frames {
    type Value = Command;

    fn feed(&mut self, data: &[u8]) -> Vec<Command> {
        self.0.feed(data);
        std::iter::from_fn(|| self.0.next().expect("a recorded frame")).collect()
    }

    fn buffered(&self) -> usize {
        self.0.buffered()
    }
}

fn golden() -> Vec<Golden> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/golden-frames.json");
    let text = std::fs::read(path).expect("tests/data is part of the repository");
    let list: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("a list");
    let member = |entry: &serde_json::Value, name: &str| entry[name].as_str().expect("text").to_owned();
    list.iter()
        .map(|entry| Golden { name: member(entry, "name"), frame: from_hex(&member(entry, "hex")) })
        .collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).expect("hexadecimal digits") as u8;
    text.as_bytes().chunks(2).map(|pair| (digit(&pair[0]) << 4) | digit(&pair[1])).collect()
}

/// Apache's own frames; the others were sent by a probe with its own order of JSON members.
fn is_apaches(command: &Command) -> bool {
    command.language == Language::JAVA
}

fn has_json_body(command: &Command) -> bool {
    command.body.starts_with(b"{")
}

#[test]
fn every_frame_decodes_in_three_ways() {
    let golden = golden();
    assert_eq!(golden.len(), 60);
    let stream: Vec<u8> = golden.iter().flat_map(|golden| golden.frame.clone()).collect();
    let commands = three_ways(|| Frames(FrameDecoder::new(MAX_FRAME)), &stream, &golden[0].frame[..99]);
    let one_by_one: Vec<_> = golden.iter().map(Golden::command).collect();
    assert_eq!(commands, one_by_one);
}

#[test]
fn headers_are_written_back_to_the_byte() {
    let mut compared = 0;
    for golden in golden() {
        let command = golden.command();
        let mut written = Vec::new();
        encode(&command, &mut written).unwrap();
        if command.codec == Codec::Rocketmq || is_apaches(&command) {
            assert_eq!(written, without_empty_fields(&golden.frame), "{}", golden.name);
            compared += 1;
        } else {
            let again = Golden { name: golden.name, frame: written };
            assert_eq!(again.command(), command, "{}", again.name);
        }
    }
    assert_eq!(compared, 45);
}

/// Java writes `"extFields":{}` in some frames, we leave it out: the one liberty that we take.
fn without_empty_fields(frame: &[u8]) -> Vec<u8> {
    let empty = b"\"extFields\":{},";
    let Some(at) = frame.windows(empty.len()).position(|window| window == empty) else {
        return frame.to_vec();
    };
    let mut shorter = [&frame[..at], &frame[at + empty.len()..]].concat();
    for word in [0, 4] {
        let length =
            u32::from_be_bytes(frame[word..word + 4].try_into().expect("four bytes")) - empty.len() as u32;
        shorter[word..word + 4].copy_from_slice(&length.to_be_bytes());
    }
    shorter
}

#[test]
fn json_bodies_parse_and_apaches_are_written_back_to_the_byte() {
    let (mut parsed, mut compared) = (0, 0);
    for golden in golden() {
        let command = golden.command();
        if !has_json_body(&command) {
            continue;
        }
        let value = fastjson::parse(&command.body).unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        parsed += 1;
        if is_apaches(&command) {
            let written = String::from_utf8(fastjson::write(&value, Dialect::Classic)).unwrap();
            assert_eq!(written, String::from_utf8_lossy(&command.body), "{}", golden.name);
            compared += 1;
        }
    }
    assert_eq!((parsed, compared), (12, 10));
}

#[test]
fn both_dialects_of_a_route_are_reproduced_from_one_value() {
    let body = |name: &str| golden().iter().find(|golden| golden.name == name).unwrap().command().body;
    let classic = fastjson::parse(&body("route.old.response")).unwrap();
    assert_eq!(fastjson::write(&classic, Dialect::Standard), body("route.json.response"));
    let addresses = classic.get("brokerDatas").and_then(|brokers| match brokers {
        Value::Array(brokers) => brokers.first()?.get("brokerAddrs").cloned(),
        _ => None,
    });
    let address = Value::Str("127.0.0.1:17911".into());
    assert_eq!(addresses, Some(Value::Object(vec![(Value::Int(0), address)])));
}

#[test]
fn stored_messages_in_bodies_are_written_back_to_the_byte() {
    let mut messages = 0;
    for golden in golden() {
        let command = golden.command();
        let magic = command.body.get(4..8);
        if magic != Some(&[0xda, 0xa3, 0x20, 0xa7]) {
            continue;
        }
        let mut rest = &command.body[..];
        while !rest.is_empty() {
            let Ok(Decoded::Message(message)) = decode(rest) else { panic!("{}", golden.name) };
            assert!(message.crc_matches(), "{}", golden.name);
            assert_eq!(written_again(&message), rest[..message.total_size], "{}", golden.name);
            rest = &rest[message.total_size..];
            messages += 1;
        }
    }
    assert_eq!(messages, 9);
}

fn written_again(message: &Message<'_>) -> Vec<u8> {
    let record = NewRecord {
        topic: message.topic,
        queue_id: message.queue_id,
        flag: message.flag,
        sys_flag: message.sys_flag,
        born_timestamp: message.born_timestamp,
        born_host: message.born_host,
        store_host: message.store_host,
        reconsume_times: message.reconsume_times,
        prepared_transaction_offset: message.prepared_transaction_offset,
        body: message.body,
        properties: message.properties.as_bytes(),
    };
    let stamp = Stamp {
        queue_offset: message.queue_offset,
        physical_offset: message.physical_offset,
        store_timestamp: message.store_timestamp,
    };
    let mut out = Vec::new();
    record.encode(&stamp, &mut out).expect("a recorded message");
    out
}
