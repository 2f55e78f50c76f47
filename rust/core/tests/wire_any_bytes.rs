//! Arbitrary bytes give commands, need-more or an error, and nothing else; what we write reads back the same.
//!
//! A decoder that panics, loops or asks for memory by a length it has not checked fails here. Inputs are
//! plain noise and valid bytes with a few changes, since noise alone seldom gets past the first field.

use bytes::Bytes;
use proptest::prelude::*;
use rocketmq_lite_core::wire::fastjson::{self, Dialect, Value};
use rocketmq_lite_core::wire::{Codec, Command, Fields, FrameDecoder, Language, MAX_FRAME, encode};

use decoding::{Incremental, three_ways};
use inputs::{damaged, noise, text};

mod decoding;
mod inputs;

/// The frame decoder, stopping at its first error.
struct Frames {
    decoder: FrameDecoder,
    failed: bool,
}

impl Frames {
    fn new() -> Self {
        Self { decoder: FrameDecoder::new(MAX_FRAME), failed: false }
    }
}

impl Incremental for Frames {
    type Value = Command;

    fn feed(&mut self, data: &[u8]) -> Vec<Command> {
        self.decoder.feed(data);
        std::iter::from_fn(|| match self.decoder.next() {
            Ok(command) => command,
            Err(error) => {
                assert_eq!(self.decoder.next(), Err(error), "an error is final");
                self.failed = true;
                None
            }
        })
        .collect()
    }

    fn buffered(&self) -> usize {
        self.decoder.buffered()
    }
}

/// Text made of what the dialect is made of, so that much of it parses.
fn json_like() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "'",
        "\\",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\x41",
        "$ref",
        "\"$ref\":",
        "\"$.a[0]\"",
        "\"a\"",
        "\"code\":",
        "\"extFields\":",
        "null",
        "true",
        "NaN",
        "0",
        "-1",
        "1e400",
        "1L",
        "9223372036854775807",
        "/*",
        "*/",
        "//",
        "\n",
        " ",
        "name",
        "é",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

/// Fields as a peer's header can hold them: an empty key or value is null in a binary header.
fn fields(codec: Codec) -> impl Strategy<Value = Fields> {
    let shortest = usize::from(codec == Codec::Rocketmq);
    let part = move || text().prop_filter("null", move |text| text.len() >= shortest);
    prop::collection::vec((part(), part()), 0..8).prop_map(Fields::from_iter)
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![command_of(Codec::Json), command_of(Codec::Rocketmq)]
}

fn command_of(codec: Codec) -> impl Strategy<Value = Command> {
    let code = match codec {
        Codec::Json => any::<i32>().boxed(),
        Codec::Rocketmq => {
            // The 16-bit numbers of the pop requests stand for those.
            let own = |code: &i32| !(3442..=3448).contains(code) && *code != 3543;
            prop_oneof![any::<i16>().prop_map(i32::from).prop_filter("pop", own), Just(200_050)].boxed()
        }
    };
    let header = (code, 0_u8..14, any::<i16>(), any::<i32>());
    let remark = prop::option::of(text().prop_filter("null", |text| !text.is_empty()));
    (header, remark, fields(codec), noise()).prop_map(
        move |((code, language, version, opaque), remark, fields, body)| Command {
            language: Language(language),
            version: i32::from(version),
            remark,
            body: Bytes::from(body),
            codec,
            ..Command::request(code, opaque, fields)
        },
    )
}

fn frame(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    encode(command, &mut out).expect("the command is valid");
    out
}

/// A tree whose keys are text and numbers, and objects as often as told.
fn value(object_keys: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        prop::num::f64::NORMAL.prop_map(Value::Float),
        text().prop_map(Value::Str),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let name = text().prop_map(Value::Str).boxed();
        let number = any::<i64>().prop_map(Value::Int).boxed();
        let object =
            prop::collection::vec((name.clone(), inner.clone()), 0..3).prop_map(Value::Object).boxed();
        let key = prop::strategy::Union::new_weighted(match object_keys {
            0 => vec![(3, name), (1, number)],
            objects => vec![(3, name), (1, number), (objects, object)],
        });
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key, inner), 0..6).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn frames_of_noise(bytes in noise()) {
        let mut frames = Frames::new();
        frames.feed(&bytes);
        prop_assert!(frames.failed || frames.buffered() <= bytes.len());
    }

    #[test]
    fn headers_of_noise(kind in 0_u8..2, header in noise()) {
        let length = header.len() as u32;
        let words = [(length + 4).to_be_bytes(), (u32::from(kind) << 24 | length).to_be_bytes()].concat();
        let mut frames = Frames::new();
        let commands = frames.feed(&[words, header].concat());
        prop_assert_eq!(commands.len() + usize::from(frames.failed), 1);
    }

    #[test]
    fn headers_of_json_like_text(text in json_like()) {
        let length = text.len() as u32;
        let words = [(length + 4).to_be_bytes(), length.to_be_bytes()].concat();
        let mut frames = Frames::new();
        let commands = frames.feed(&[words, text.into_bytes()].concat());
        prop_assert_eq!(commands.len() + usize::from(frames.failed), 1);
    }

    #[test]
    fn damaged_frames(bytes in command().prop_flat_map(|command| damaged(frame(&command)))) {
        Frames::new().feed(&bytes);
    }

    #[test]
    fn frames_read_back_in_three_ways(commands in prop::collection::vec(command(), 0..4), next in command()) {
        let stream = commands.iter().flat_map(frame).collect::<Vec<_>>();
        let next = frame(&next);
        let decoded = three_ways(Frames::new, &stream, &next[..next.len() - 1]);
        prop_assert_eq!(decoded, commands);
    }

    #[test]
    fn json_of_noise(bytes in noise()) {
        let _ = fastjson::parse(&bytes);
    }

    #[test]
    fn json_like_text_that_parses_is_written_and_read_back(text in json_like()) {
        if let Ok(value) = fastjson::parse(text.as_bytes()) {
            for dialect in [Dialect::Classic, Dialect::Standard] {
                prop_assert!(fastjson::parse(&fastjson::write(&value, dialect)).is_ok());
            }
        }
    }

    #[test]
    fn json_values_settle_after_one_round(value in value(1)) {
        let once = fastjson::parse(&fastjson::write(&value, Dialect::Classic)).unwrap();
        let written = fastjson::write(&once, Dialect::Classic);
        prop_assert_eq!(&fastjson::parse(&written).unwrap(), &once);
        prop_assert_eq!(written, fastjson::write(&value, Dialect::Classic));
    }

    #[test]
    fn standard_json_is_json_unless_a_key_is_an_object(value in value(0)) {
        let written = fastjson::write(&value, Dialect::Standard);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&written).is_ok());
        prop_assert!(written.is_ascii());
    }
}
