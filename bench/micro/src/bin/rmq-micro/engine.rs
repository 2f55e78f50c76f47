//! The whole engine without sockets: frames of sends in, answers out. What is left of a broker's work is system calls.

use std::path::Path;
use std::time::Instant;

use rocketmq_lite_bench::frames::{Request, Shape};
use rocketmq_lite_core::session::{Broker, Control, Now, Output, Settings, TopicEntry};
use rocketmq_lite_core::store::FlushMode;
use rocketmq_lite_core::wire::Codec;

use crate::rig::{self, Figures, Result, TOPIC, line};

const MESSAGES: usize = 100_000;
/// Frames that one read of a socket brings.
const FRAMES: usize = 32;

pub(crate) fn round(dir: &Path, codec: Codec, figures: &mut Figures) -> Result<()> {
    let root = dir.join("engine");
    let store = rig::store(&root, FlushMode::Async { interval_ms: 500 })?;
    let begun = Instant::now();
    let now = || Now { wall_ms: rig::wall_ms(), mono_ms: begun.elapsed().as_millis() as u64 };
    let mut broker = Broker::new(Settings::new("bench", "bench", "127.0.0.1:10911".parse()?), store);
    broker.submit(0, Control::PutTopic(TopicEntry::new(TOPIC, 4)), now());
    let conn = broker.open(now(), "127.0.0.1:40000".parse()?);
    let shape = Shape { topic: TOPIC.to_owned(), body: 1024, batch: 1, keys: true, codec };
    let frames: Vec<u8> =
        (0..FRAMES).flat_map(|index| Request::new(&shape, index as u32 % 4, index as i32).bytes).collect();
    let started = Instant::now();
    let mut answered = 0;
    for _ in 0..MESSAGES / FRAMES {
        let at = now();
        broker.receive(conn, &frames, at);
        while let Some(output) = broker.poll(at) {
            if let Output::Send(conn, chunks) = output {
                let bytes = chunks.iter().map(bytes::Bytes::len).sum();
                answered += bytes;
                broker.sent(conn, bytes, at);
            }
        }
    }
    let microseconds = started.elapsed().as_secs_f64() * 1e6 / MESSAGES as f64;
    if answered == 0 {
        return Err("the engine answered nothing".into());
    }
    figures.add(format!("engine {codec:?}"), microseconds);
    drop(broker);
    std::fs::remove_dir_all(root)?;
    Ok(())
}

pub(crate) fn print(figures: &Figures) {
    for codec in [Codec::Rocketmq, Codec::Json] {
        let name = format!("send of 1 KiB through the engine, {codec:?} headers");
        line(
            &name,
            figures.median(&format!("engine {codec:?}")),
            "us/message",
            "append included, no sockets",
        );
    }
}
