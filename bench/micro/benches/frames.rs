//! What a frame costs to read and to write: `cargo bench -p rocketmq-lite-bench --features criterion --bench frames`.
//!
//! A send of 1 KiB as Apache's Java client writes it, in both header types, and its answer.

#![expect(missing_docs, reason = "the macros make functions without")]
#![expect(clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rocketmq_lite_core::wire::{self, Codec, Command, Fields, FrameDecoder, MAX_FRAME, codes::request};

const PROPERTIES: &str =
    "UNIQ_KEY\u{1}7F000001000100000000000000000000\u{2}WAIT\u{1}true\u{2}TAGS\u{1}paid\u{2}";

fn send(codec: Codec) -> Command {
    let pairs = [
        ("a", "producers"),
        ("b", "orders"),
        ("c", "TBW102"),
        ("d", "4"),
        ("e", "2"),
        ("f", "0"),
        ("g", "1700000000000"),
        ("h", "0"),
        ("i", PROPERTIES),
        ("j", "0"),
        ("k", "false"),
        ("m", "false"),
    ];
    let mut command = Command::request(request::SEND_MESSAGE_V2, 4711, pairs.into_iter().collect());
    command.codec = codec;
    command.body = vec![b'x'; 1024].into();
    command
}

fn answer(codec: Codec) -> Command {
    let mut answer = Command::response(0, 4711, codec);
    let fields: Fields = [
        ("queueId", "2"),
        ("transactionId", "7F000001000100000000000000000000"),
        ("msgId", "7F00000100002A9F0000000000000000"),
        ("TRACE_ON", "true"),
        ("MSG_REGION", "DefaultRegion"),
        ("queueOffset", "1234567"),
    ]
    .into_iter()
    .collect();
    answer.fields = fields;
    answer
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frames");
    group.throughput(Throughput::Elements(1));
    for codec in [Codec::Json, Codec::Rocketmq] {
        let mut frame = Vec::new();
        wire::encode(&send(codec), &mut frame).unwrap();
        group.bench_function(format!("decode a send, {codec:?}"), |bencher| {
            let mut decoder = FrameDecoder::new(MAX_FRAME);
            bencher.iter(|| {
                decoder.feed(black_box(&frame));
                decoder.next().unwrap().unwrap()
            });
        });
        let answer = answer(codec);
        group.bench_function(format!("encode its answer, {codec:?}"), |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                out.clear();
                wire::encode(black_box(&answer), &mut out).unwrap();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
