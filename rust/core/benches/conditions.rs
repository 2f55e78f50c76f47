//! What a condition costs for each message: `cargo bench -p rocketmq-lite-core --bench conditions`.
//!
//! One line a condition: microseconds to judge a message from its property text, and to find the text in a stored record of
//! 1 KiB and judge it. The best of several rounds, which is the one that other programs disturbed least.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints figures")]
#![expect(clippy::disallowed_methods, reason = "the figures are times")]

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rocketmq_lite_core::filter::sql::SqlFilter;
use rocketmq_lite_core::record::{self, Decoded, NewRecord, Stamp, properties};

const ROUNDS: u32 = 20;
const MESSAGES: u32 = 20_000;

const CONDITIONS: [&str; 5] = [
    "price > 100",
    "region = 'eu' AND price BETWEEN 10 AND 100",
    "price > 1e2 OR (region IN ('eu', 'us', 'asia') AND customer STARTSWITH 'c-1')",
    "missing IS NULL AND NOT (TAGS = 'paid') AND amount <> 7",
    "a = 1 OR b = 2 OR c = 3 OR d = 4 OR e = 5 OR f = 6 OR g = 7 OR h = 8 OR i = 9 OR price = 12",
];

fn property_text() -> String {
    let mut text = properties::Builder::new();
    for (name, value) in [
        ("UNIQ_KEY", "0A00000100002A139A5F1B2C3D4E0001"),
        ("CLUSTER", "DefaultCluster"),
        ("MSG_REGION", "DefaultRegion"),
        ("TRACE_ON", "true"),
        ("WAIT", "true"),
        ("TAGS", "open"),
        ("KEYS", "order-4711"),
        ("region", "eu"),
        ("customer", "c-1742"),
        ("amount", "3"),
        ("price", "12"),
    ] {
        text.push(name, value);
    }
    text.finish()
}

fn stored(text: &str) -> Vec<u8> {
    let host = SocketAddr::from((Ipv4Addr::LOCALHOST, 10_911));
    let record = NewRecord {
        topic: "orders",
        queue_id: 0,
        flag: 0,
        sys_flag: 0,
        born_timestamp: 0,
        born_host: host,
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body: &[b'x'; 1024],
        properties: text.as_bytes(),
    };
    let mut bytes = Vec::new();
    let stamp = Stamp { queue_offset: 0, physical_offset: 0, store_timestamp: 0 };
    record.encode(&stamp, &mut bytes).unwrap();
    bytes
}

fn microseconds(mut judge: impl FnMut() -> bool) -> f64 {
    let round = |_| {
        let start = Instant::now();
        for _ in 0..MESSAGES {
            black_box(judge());
        }
        start.elapsed()
    };
    let best: Duration = (0..ROUNDS).map(round).min().unwrap_or_default();
    best.as_secs_f64() * 1e6 / f64::from(MESSAGES)
}

fn main() {
    let text = property_text();
    let record = stored(&text);
    println!("{:>8} {:>8}  condition", "text", "record");
    for condition in CONDITIONS {
        let filter = SqlFilter::parse(condition).unwrap();
        let by_text = microseconds(|| filter.matches(black_box(&text)));
        let by_record = microseconds(|| match record::decode(black_box(&record)) {
            Ok(Decoded::Message(message)) => filter.matches(message.properties),
            _ => false,
        });
        println!("{by_text:>8.3} {by_record:>8.3}  {condition}");
    }
}
