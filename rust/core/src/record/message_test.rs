use super::*;
use crate::record::properties;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|char| char.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// The worked example of the store's layout: V1 with three properties.
const STORED: &str = "
    00 00 00 8d da a3 20 a7 36 10 a6 86 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 07 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 01 8b cf e5 68 00 7f 00 00 01 00 00 27 11 00 00 01 8b cf e5 68 7b
    7f 00 00 01 00 00 2a 9f 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 68 65 6c 6c 6f 09 54 6f
    70 69 63 54 65 73 74 00 24 55 4e 49 51 5f 4b 45 59 01 41 43 31 31 30 30 30 31 02 54 41 47 53 01
    54 61 67 41 02 4b 45 59 53 01 6b 31 02";

/// The worked example of the client's page.
const PULLED: &str = "
    00 00 00 68 da a3 20 a7 36 10 a6 86 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00
    00 00 01 00 00 00 00 00 00 00 01 8b cf e5 68 00 7f 00 00 01 00 00 9c 40 00 00 01 8b cf e5 68 01
    0a 00 00 05 00 00 2a 9f 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 68 65 6c 6c 6f 01 54 00
    07 54 41 47 53 01 61 02";

fn new_record(topic: &str) -> NewRecord<'_> {
    NewRecord {
        topic,
        queue_id: 1,
        flag: 0,
        sys_flag: 0,
        born_timestamp: 1_700_000_000_000,
        born_host: "127.0.0.1:40000".parse().unwrap(),
        store_host: "10.0.0.5:10911".parse().unwrap(),
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body: b"hello",
        properties: b"TAGS\x01a\x02",
    }
}

const STAMP: Stamp = Stamp { queue_offset: 2, physical_offset: 0x100, store_timestamp: 1_700_000_000_001 };

fn message(bytes: &[u8]) -> Message<'_> {
    match decode(bytes) {
        Ok(Decoded::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_stores_example_decodes() {
    let bytes = hex(STORED);
    let message = message(&bytes);
    assert_eq!((message.total_size, message.version), (141, Version::V1));
    assert_eq!((message.topic, message.body), ("TopicTest", b"hello".as_slice()));
    assert_eq!((message.queue_id, message.queue_offset, message.physical_offset), (1, 7, 0));
    assert_eq!((message.body_crc, message.crc_matches()), (907_060_870, true));
    assert_eq!(properties::get(message.properties, properties::TAGS), Some("TagA"));
    assert_eq!(message.store_host, "127.0.0.1:10911".parse().unwrap());
    assert_eq!(message.born_host, "127.0.0.1:10001".parse().unwrap());
    assert_eq!(properties::get(message.properties, properties::KEYS), Some("k1"));
}

#[test]
fn both_examples_encode_to_the_byte() {
    let mut out = b"before".to_vec();
    assert_eq!(new_record("T").encode(&STAMP, &mut out), Ok(104));
    assert_eq!(out[6..], hex(PULLED));

    let stored = NewRecord {
        born_host: "127.0.0.1:10001".parse().unwrap(),
        store_host: "127.0.0.1:10911".parse().unwrap(),
        properties: b"UNIQ_KEY\x01AC110001\x02TAGS\x01TagA\x02KEYS\x01k1\x02",
        ..new_record("TopicTest")
    };
    let stamp = Stamp { queue_offset: 7, physical_offset: 0, store_timestamp: 1_700_000_000_123 };
    let mut out = Vec::new();
    assert_eq!(stored.encode(&stamp, &mut out), Ok(141));
    assert_eq!(out, hex(STORED));
}

#[test]
fn a_long_topic_makes_version_2() {
    let topic = format!("%RETRY%{}", "g".repeat(121));
    let mut out = Vec::new();
    assert_eq!(new_record(&topic).encode(&STAMP, &mut out), Ok(104 - 1 + 128 + 1));
    let message = message(&out);
    assert_eq!((message.version, message.topic), (Version::V2, topic.as_str()));
    assert_eq!(out[4..8], MAGIC_V2.to_be_bytes());
}

#[test]
fn hosts_decide_the_address_bits() {
    let record = NewRecord {
        sys_flag: sys_flag::STORE_HOST_V6 | sys_flag::COMPRESSED,
        born_host: "[fd00::1]:1".parse().unwrap(),
        ..new_record("T")
    };
    let mut out = Vec::new();
    assert_eq!(record.encode(&STAMP, &mut out), Ok(104 + 12));
    let message = message(&out);
    assert_eq!(message.sys_flag, sys_flag::BORN_HOST_V6 | sys_flag::COMPRESSED);
    assert_eq!((message.born_host, message.store_host), (record.born_host, record.store_host));
}

#[test]
fn what_the_format_cannot_hold_is_refused_and_leaves_the_buffer() {
    let long = "t".repeat(128);
    let retry = format!("%DLQ%{}", "g".repeat(251));
    let big = vec![0; MAX_BODY + 1];
    let properties = vec![b'p'; MAX_PROPERTIES + 1];
    let cases = [
        (new_record(&long), RecordError::TopicTooLong { len: 128, limit: 127 }),
        (new_record(&retry), RecordError::TopicTooLong { len: 256, limit: 255 }),
        (
            NewRecord { body: &big, ..new_record("T") },
            RecordError::BodyTooLong { len: MAX_BODY + 1, limit: MAX_BODY },
        ),
        (
            NewRecord { properties: &properties, ..new_record("T") },
            RecordError::PropertiesTooLong { len: 32_768, limit: 32_767 },
        ),
        (NewRecord { properties: b"\xff", ..new_record("T") }, RecordError::NotUtf8 { field: "properties" }),
        (NewRecord { properties: b"a\x01\0", ..new_record("T") }, RecordError::EndsInZero),
        (new_record("T\0"), RecordError::EndsInZero),
    ];
    for (record, error) in cases {
        let mut out = vec![1];
        assert_eq!(record.encode(&STAMP, &mut out), Err(error));
        assert_eq!(out, [1]);
    }
}

#[test]
fn a_blank_is_its_first_eight_bytes() {
    let mut out = Vec::new();
    encode_blank(376, &mut out);
    assert_eq!(out, hex("00 00 01 78 cb d4 31 94"));
    assert_eq!(decode(&out), Ok(Decoded::Blank { size: 376 }));
    assert_eq!(decode(&hex("00 00 00 07 cb d4 31 94")), Err(RecordError::BadSize { size: 7 }));
}

#[test]
fn incomplete_bytes_are_no_error() {
    let bytes = hex(PULLED);
    for length in 0..bytes.len() {
        assert_eq!(decode(&bytes[..length]), Ok(Decoded::NeedMore), "{length}");
    }
}

#[test]
fn bytes_after_the_properties_belong_to_the_record() {
    let mut bytes = hex(PULLED);
    bytes.extend_from_slice(&[9; 4]);
    bytes[3] += 4;
    let message = message(&bytes);
    assert_eq!((message.total_size, message.properties), (108, "TAGS\u{1}a\u{2}"));
}

#[test]
fn impossible_fields_are_named() {
    let change = |at: usize, bytes: &[u8]| {
        let mut record = hex(PULLED);
        record[at..at + bytes.len()].copy_from_slice(bytes);
        match decode(&record) {
            Err(error) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(change(4, &[0; 4]), RecordError::BadMagic { found: 0 });
    assert_eq!(change(0, &[0, 0, 0, 90]), RecordError::BadSize { size: 90 });
    assert_eq!(change(0, &[0xff; 4]), RecordError::BadSize { size: -1 });
    assert_eq!(change(52, &[0, 1, 0, 0]), RecordError::BadPort { field: "bornHost", port: 65_536 });
    assert_eq!(change(84, &[0xff; 4]), RecordError::NegativeLength { field: "body", offset: 88, length: -1 });
    assert_eq!(
        change(84, &[0x7f, 0xff, 0xff, 0xff]),
        RecordError::Truncated { field: "body", offset: 88, size: 104 }
    );
    assert_eq!(change(93, &[0x80]), RecordError::NegativeLength { field: "topic", offset: 94, length: -128 });
    assert_eq!(change(94, &[0xff]), RecordError::NotUtf8 { field: "topic" });
    assert_eq!(
        change(95, &[0x00, 0x08]),
        RecordError::Truncated { field: "properties", offset: 97, size: 104 }
    );
}

#[test]
fn a_changed_body_does_not_match_its_checksum() {
    let mut bytes = hex(PULLED);
    bytes[88] ^= 1;
    assert!(!message(&bytes).crc_matches());
}

#[test]
fn half_messages_and_rollbacks_are_told_from_commits() {
    for (kind, expected) in [(0, true), (4, false), (8, true), (12, false)] {
        assert_eq!(sys_flag::takes_queue_offset(kind), expected, "{kind}");
        assert_eq!(sys_flag::takes_queue_offset(kind | sys_flag::COMPRESSED), expected, "{kind}");
    }
}
