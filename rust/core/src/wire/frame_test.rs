use super::*;
use crate::wire::Fields;

/// Feeds bytes and takes one result.
fn first(bytes: &[u8]) -> Result<Option<Command>, WireError> {
    let mut decoder = FrameDecoder::new(MAX_FRAME);
    decoder.feed(bytes);
    decoder.next()
}

fn request(body: &'static [u8]) -> Command {
    let fields = [("topic", "T")].into_iter().collect();
    Command { body: Bytes::from_static(body), ..Command::request(105, 7, fields) }
}

fn encoded(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    encode(command, &mut out).unwrap();
    out
}

#[test]
fn a_gigabyte_is_refused_by_its_first_four_bytes() {
    let error = WireError::FrameTooLarge { size: (1 << 30) + 4, limit: MAX_FRAME };
    assert_eq!(first(&[0x40, 0, 0, 0]), Err(error));
    let error = WireError::FrameTooLarge { size: 0x1_0000_0003, limit: MAX_FRAME };
    assert_eq!(first(&[0xff; 4]), Err(error));
}

#[test]
fn a_frame_of_exactly_the_limit_is_taken() {
    let frame = encoded(&request(b"body"));
    let mut decoder = FrameDecoder::new(frame.len());
    decoder.feed(&frame);
    assert!(decoder.next().unwrap().is_some());
    let mut decoder = FrameDecoder::new(frame.len() - 1);
    decoder.feed(&frame[..4]);
    let (size, limit) = (frame.len() as u64, frame.len() - 1);
    assert_eq!(decoder.next(), Err(WireError::FrameTooLarge { size, limit }));
}

#[test]
fn lengths_that_contradict_each_other_are_refused_at_once() {
    assert_eq!(first(&[0, 0, 0, 3]), Err(WireError::FrameTooShort { length: 3 }));
    let too_long = WireError::HeaderTooLong { header_len: 7, room: 6 };
    assert_eq!(first(&[0, 0, 0, 10, 0, 0, 0, 7]), Err(too_long));
    assert_eq!(first(&[0, 0, 0, 10, 2, 0, 0, 2]), Err(WireError::UnknownHeaderType { kind: 2 }));
    let tls_handshake = [0x16, 3, 1, 0, 200, 1, 0, 0];
    assert!(matches!(first(&tls_handshake), Err(WireError::FrameTooLarge { .. })));
}

#[test]
fn an_error_is_final_and_drops_what_follows() {
    let mut decoder = FrameDecoder::new(MAX_FRAME);
    decoder.feed(&encoded(&request(b"")));
    decoder.feed(&[0, 0, 0, 0]);
    decoder.feed(&encoded(&request(b"")));
    assert_eq!(decoder.next().unwrap().map(|command| command.code), Some(105));
    for _ in 0..2 {
        assert_eq!(decoder.next(), Err(WireError::FrameTooShort { length: 0 }));
        decoder.feed(b"more");
        assert_eq!(decoder.buffered(), 0);
    }
}

#[test]
fn the_length_of_an_unfinished_frame_reserves_nothing() {
    let mut decoder = FrameDecoder::new(MAX_FRAME);
    decoder.feed(&[0, 0xff, 0, 0, 0, 0, 0, 2]);
    assert_eq!(decoder.next(), Ok(None));
    assert!(decoder.buffer.capacity() < 1024);
}

#[test]
fn a_body_is_a_slice_of_the_buffer_and_an_empty_one_holds_nothing() {
    let mut decoder = FrameDecoder::new(MAX_FRAME);
    decoder.feed(&[encoded(&request(b"hello")), encoded(&request(b""))].concat());
    let buffer = decoder.buffer.as_ptr_range();
    let with_body = decoder.next().unwrap().unwrap();
    assert!(buffer.contains(&with_body.body.as_ptr()) && *with_body.body == *b"hello");
    let without = decoder.next().unwrap().unwrap();
    drop(with_body);
    assert!(without.body.is_empty() && !buffer.contains(&without.body.as_ptr()));
}

#[test]
fn the_head_alone_announces_the_body() {
    let command = request(b"hello");
    let mut head = b"before".to_vec();
    encode_head(&Command { body: Bytes::new(), ..command.clone() }, 5, &mut head).unwrap();
    assert_eq!([&head[6..], b"hello"].concat(), encoded(&command));
}

#[test]
fn what_cannot_be_encoded_leaves_the_buffer() {
    let big_field = [("k", "v".repeat(MAX_HEADER))].into_iter().collect::<Fields>();
    let long_key = [("k".repeat(32_768), "v")].into_iter().collect::<Fields>();
    let limit = MAX_HEADER;
    let cases = [
        (Command::request(1, 1, long_key), WireError::TooLong { field: "key", len: 32_768, limit: 32_767 }),
        (
            Command { codec: Codec::Rocketmq, ..Command::request(200_072, 1, Fields::new()) },
            WireError::NotBinary { field: "code", value: 200_072 },
        ),
        (
            Command { version: 40_000, ..request(b"") },
            WireError::NotBinary { field: "version", value: 40_000 },
        ),
        (
            Command::request(1, 1, big_field.clone()),
            WireError::TooLong { field: "header", len: 21 + 2 + 1 + 4 + limit, limit },
        ),
    ];
    for (command, error) in cases {
        let mut out = vec![9];
        assert_eq!(encode(&command, &mut out), Err(error));
        assert_eq!(out, [9]);
    }
    let json = Command { codec: Codec::Json, ..Command::request(1, 1, big_field) };
    assert!(matches!(encode(&json, &mut Vec::new()), Err(WireError::TooLong { field: "header", .. })));
    let too_long = encode_head(&request(b""), usize::MAX, &mut Vec::new());
    assert!(matches!(too_long, Err(WireError::TooLong { field: "body", .. })));
}
