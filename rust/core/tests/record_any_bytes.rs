//! Arbitrary bytes give messages, need-more or an error, and nothing else; what we write reads back the same.
//!
//! The same for batches, property text, message ids, compressed bodies and tag expressions.

use std::net::SocketAddr;

use proptest::prelude::*;
use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::record::batch::{self, BatchItem};
use rocketmq_lite_core::record::{
    Decoded, MAX_PROPERTIES, NewRecord, Stamp, compression, decode, message_id, properties,
};

use decoding::{Incremental, three_ways};
use inputs::{damaged, noise, text};

mod decoding;
mod inputs;

/// A reader of back-to-back records, as recovery and the client have it. A value is where a record ended.
struct Records {
    buffer: Vec<u8>,
}

impl Incremental for Records {
    type Value = (usize, String, Vec<u8>);

    fn feed(&mut self, data: &[u8]) -> Vec<Self::Value> {
        self.buffer.extend_from_slice(data);
        let mut values = Vec::new();
        while let Decoded::Message(message) = decode(&self.buffer).expect("what we wrote is no error") {
            values.push((message.total_size, message.topic.to_owned(), message.body.to_vec()));
            self.buffer = self.buffer.split_off(message.total_size);
        }
        values
    }

    fn buffered(&self) -> usize {
        self.buffer.len()
    }
}

#[derive(Debug, Clone)]
struct Owned {
    topic: String,
    numbers: (i32, i32, i32, i64, i64),
    hosts: (SocketAddr, SocketAddr),
    body: Vec<u8>,
    properties: String,
}

impl Owned {
    fn encoded(&self) -> Vec<u8> {
        let (queue_id, flag, reconsume_times, born_timestamp, prepared_transaction_offset) = self.numbers;
        let record = NewRecord {
            topic: &self.topic,
            queue_id,
            flag,
            sys_flag: 0,
            born_timestamp,
            born_host: self.hosts.0,
            store_host: self.hosts.1,
            reconsume_times,
            prepared_transaction_offset,
            body: &self.body,
            properties: self.properties.as_bytes(),
        };
        let stamp = Stamp { queue_offset: 1, physical_offset: 2, store_timestamp: 3 };
        let mut out = Vec::new();
        let size = record.encode(&stamp, &mut out).expect("the record is valid");
        assert_eq!((size, record.encoded_len()), (out.len(), Ok(out.len())));
        out
    }
}

fn host() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<[u8; 4]>(), any::<u16>()).prop_map(|(address, port)| (address, port).into()),
        (any::<[u8; 16]>(), any::<u16>()).prop_map(|(address, port)| (address, port).into()),
    ]
}

fn record() -> impl Strategy<Value = Owned> {
    // Text that ends in a zero byte is refused: recovery could not tell it from a page never written.
    let properties = ".{0,40}".prop_filter("zero at the end", |text| !text.ends_with('\0'));
    let topic = prop_oneof!["[A-Za-z]{0,127}", "%RETRY%[A-Za-z]{0,248}"];
    let numbers = (any::<i32>(), any::<i32>(), any::<i32>(), any::<i64>(), any::<i64>());
    (topic, numbers, (host(), host()), noise(), properties).prop_map(
        |(topic, numbers, hosts, body, properties)| Owned { topic, numbers, hosts, body, properties },
    )
}

type OwnedItem = (i32, Vec<u8>, String);

fn batch_of(items: &[OwnedItem]) -> Vec<u8> {
    let mut out = Vec::new();
    for (flag, body, properties) in items {
        let item = BatchItem { flag: *flag, body, properties };
        let (before, size) = (out.len(), item.encode(&mut out).expect("the item is valid"));
        assert_eq!((size, item.encoded_len()), (out.len() - before, Ok(size)));
    }
    out
}

fn batch_items() -> impl Strategy<Value = Vec<OwnedItem>> {
    prop::collection::vec((any::<i32>(), noise(), ".{0,40}"), 0..5)
}

proptest! {
    #[test]
    fn batches_of_noise(bytes in noise()) {
        prop_assert!(batch::items(&bytes).filter(Result::is_err).count() <= 1);
    }

    /// What a damaged batch still gives, it would give again: nothing is guessed.
    #[test]
    fn damaged_batches(bytes in batch_items().prop_flat_map(|items| damaged(batch_of(&items)))) {
        let items: Vec<_> = batch::items(&bytes).map_while(Result::ok).collect();
        let mut again = Vec::new();
        for item in &items {
            item.encode(&mut again).expect("what was read can be written");
        }
        prop_assert!(again.len() <= bytes.len());
        prop_assert_eq!(batch::items(&again).collect::<Result<Vec<_>, _>>(), Ok(items));
    }

    #[test]
    fn batches_read_back(items in batch_items()) {
        let bytes = batch_of(&items);
        let read: Result<Vec<_>, _> = batch::items(&bytes).collect();
        let owned = |item: &BatchItem<'_>| (item.flag, item.body.to_vec(), item.properties.to_owned());
        prop_assert_eq!(read.map(|read| read.iter().map(owned).collect::<Vec<_>>()), Ok(items));
    }

    #[test]
    fn records_of_noise(bytes in noise()) {
        let _ = decode(&bytes);
    }

    #[test]
    fn damaged_records(bytes in record().prop_flat_map(|record| damaged(record.encoded()))) {
        if let Ok(Decoded::Message(message)) = decode(&bytes) {
            prop_assert!(message.total_size <= bytes.len());
            message.crc_matches();
            properties::get(message.properties, properties::TAGS);
        }
    }

    #[test]
    fn records_read_back_in_three_ways(records in prop::collection::vec(record(), 0..3), next in record()) {
        let stream = records.iter().flat_map(Owned::encoded).collect::<Vec<_>>();
        let next = next.encoded();
        let decoded = three_ways(|| Records { buffer: Vec::new() }, &stream, &next[..next.len() - 1]);
        let expected: Vec<_> = records
            .iter()
            .map(|record| (record.encoded().len(), record.topic.clone(), record.body.clone()))
            .collect();
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn a_record_keeps_all_its_fields(record in record()) {
        let bytes = record.encoded();
        let Ok(Decoded::Message(message)) = decode(&bytes) else { panic!("{record:?}") };
        let numbers = (
            message.queue_id,
            message.flag,
            message.reconsume_times,
            message.born_timestamp,
            message.prepared_transaction_offset,
        );
        prop_assert_eq!(numbers, record.numbers);
        prop_assert_eq!((message.born_host, message.store_host), record.hosts);
        prop_assert_eq!((message.properties, message.crc_matches()), (record.properties.as_str(), true));
        prop_assert_eq!((message.queue_offset, message.physical_offset, message.store_timestamp), (1, 2, 3));
    }

    #[test]
    fn property_text_of_any_kind(text in "[\u{1}\u{2}a-cé]{0,30}", name in "[a-cé]{1,2}", value in "[a-cé]{1,2}") {
        prop_assert!(properties::iter(&text).all(|(name, value)| !name.is_empty() && !value.is_empty()));
        let mut builder = properties::Builder::from_text(&text);
        builder.set(&name, &value);
        let changed = builder.clone().finish();
        prop_assert_eq!(properties::get(&changed, &name), Some(value.as_str()));
        prop_assert_eq!(properties::iter(&changed).filter(|(found, _)| *found == name).count(), 1);
        builder.remove(&name);
        let others: Vec<_> = properties::iter(&text).filter(|(found, _)| *found != name).collect();
        let left = builder.finish();
        prop_assert_eq!(properties::iter(&left).collect::<Vec<_>>(), others);
    }

    #[test]
    fn properties_read_back_but_for_those_that_cannot_be_held(pairs in prop::collection::vec((text(), text()), 0..6)) {
        let mut builder = properties::Builder::new();
        for (name, value) in &pairs {
            builder.push(name, value);
        }
        let text = builder.finish();
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept: Vec<_> = pairs.filter(|(name, value)| properties::is_representable(name, value)).collect();
        prop_assert_eq!(properties::iter(&text).collect::<Vec<_>>(), kept);
        prop_assert!(text.len() <= MAX_PROPERTIES);
    }

    #[test]
    fn message_ids(host in host(), offset in 0..i64::MAX, other in ".{0,60}") {
        let id = message_id::offset_id(host, offset);
        prop_assert_eq!(message_id::parse_offset_id(&id), Some((host, offset)));
        let _ = message_id::parse_offset_id(&other);
    }

    #[test]
    fn compressed_bodies(flags in any::<i32>(), bytes in noise(), level in 0_u32..12) {
        let _ = compression::decompress(flags | 1, &bytes);
        let packed = compression::compress_zlib(&bytes, level);
        prop_assert_eq!(compression::decompress(0x301, &packed), Ok(bytes));
    }

    #[test]
    fn tag_expressions(expression in "[ab|* ]{0,10}", code in any::<i64>()) {
        if let Ok(filter) = TagFilter::parse(&expression) {
            prop_assert!(filter.matches_code(code) || !filter.is_all());
        }
    }
}
