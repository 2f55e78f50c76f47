//! Whatever a peer sends, the engine neither panics nor stops serving others.

use proptest::prelude::*;
use rocketmq_lite_core::record::batch::BatchItem;
use rocketmq_lite_core::session::{Cold, Control, GroupEntry, Missing, TopicEntry};
use rocketmq_lite_core::store::FlushMode;
use rocketmq_lite_core::wire::{self, Codec, Command, Fields};

use crate::rig::*;

/// Field names the hot requests know.
const KEYS: [&str; 35] = [
    "producerGroup",
    "topic",
    "defaultTopic",
    "defaultTopicQueueNums",
    "queueId",
    "sysFlag",
    "bornTimestamp",
    "flag",
    "properties",
    "reconsumeTimes",
    "unitMode",
    "maxReconsumeTimes",
    "batch",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "consumerGroup",
    "queueOffset",
    "maxMsgNums",
    "commitOffset",
    "suspendTimeoutMillis",
    "subscription",
    "subVersion",
    "offset",
    "timestamp",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (-2_i64..6).prop_map(|number| number.to_string()),
        2 => Just(TOPIC.to_owned()),
        2 => Just(GROUP.to_owned()),
        1 => Just(format!("%RETRY%{GROUP}")),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>()].prop_map(|number| number.to_string()),
        1 => Just("TAGS\u{1}a\u{2}DELAY\u{1}3\u{2}".to_owned()),
        1 => Just("UNIQ_KEY\u{1}k\u{2}WAIT\u{1}false\u{2}".to_owned()),
        1 => Just("true".to_owned()),
        1 => ".{0,12}",
    ]
}

fn code() -> impl Strategy<Value = i32> {
    prop_oneof![
        8 => prop::sample::select(vec![10, 310, 320, 11, 361, 14, 15, 29, 30, 31, 32, 33, 36]),
        1 => any::<i32>(),
    ]
}

prop_compose! {
    fn command()(
        code in code(),
        flag in prop_oneof![6 => Just(0), 2 => Just(2), 1 => any::<i32>()],
        opaque in any::<i32>(),
        fields in prop::collection::vec((prop::sample::select(KEYS.to_vec()), value()), 0..16),
        body in prop::collection::vec(any::<u8>(), 0..40),
        binary in any::<bool>(),
    ) -> Command {
        let mut command = Command::request(code, opaque, fields.into_iter().collect::<Fields>());
        command.flag = flag;
        command.body = body.into();
        command.codec = if binary && i16::try_from(code).is_ok() { Codec::Rocketmq } else { Codec::Json };
        command
    }
}

/// Two items, now and then with a byte changed.
fn batch_bytes() -> impl Strategy<Value = Vec<u8>> {
    let mut bytes = Vec::new();
    for body in [b"one", b"two"] {
        let item = BatchItem { flag: 0, body, properties: "TAGS\u{1}a\u{2}" };
        item.encode(&mut bytes).expect("the item is valid");
    }
    let damage = prop::option::of((0..bytes.len(), any::<u8>()));
    damage.prop_map(move |damage| {
        let mut bytes = bytes.clone();
        if let Some((at, byte)) = damage {
            bytes[at] = byte;
        }
        bytes
    })
}

/// Half of a good request, so that random changes get past the first check.
fn changed() -> impl Strategy<Value = Command> {
    let base = prop_oneof![
        Just(send(0, "x", &[("TAGS", "a")])),
        batch_bytes().prop_map(|bytes| {
            let mut batch = send(0, "", &[]);
            batch.code = 320;
            batch.body = bytes.into();
            batch
        }),
        Just(pull(0, 0, "*", Some(50))),
        Just(pull(1, 0, "a", None)),
        Just(request(29, &[("topic", TOPIC), ("queueId", "0"), ("timestamp", "0")])),
        Just(request(
            15,
            &[("consumerGroup", GROUP), ("topic", TOPIC), ("queueId", "0"), ("commitOffset", "1")]
        )),
    ];
    let changes = prop::collection::vec((prop::sample::select(KEYS.to_vec()), value()), 0..3);
    (base, changes).prop_map(|(base, changes)| {
        changes.into_iter().fold(base, |command, (key, value)| with(command, key, &value))
    })
}

#[derive(Debug, Clone)]
enum Step {
    Command(Command),
    Bytes(Vec<u8>),
    Advance(u64),
    Settle,
    Reconnect,
    Python,
    /// Reads block from now on, or no longer.
    Block(bool),
    /// The owner comes round to the oldest flush and read.
    Work,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => command().prop_map(Step::Command),
        6 => changed().prop_map(Step::Command),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Bytes),
        1 => (0_u64..7_000).prop_map(Step::Advance),
        2 => Just(Step::Settle),
        1 => Just(Step::Reconnect),
        1 => Just(Step::Python),
        1 => any::<bool>().prop_map(Step::Block),
        2 => Just(Step::Work),
    ]
}

/// Python gives every other missing name and answers everything.
fn play_python(rig: &mut Rig) {
    while let Some(cold) = rig.cold.pop_front() {
        match cold {
            Cold::Command { token, command, .. } => {
                let answer = Command::response(3, command.opaque, command.codec);
                rig.submit(Control::Respond { token, command: answer });
            }
            Cold::Missing(missing) => {
                let (kind, name) = (missing.kind(), missing.name().to_owned());
                match missing {
                    Missing::Topic { name, queue_nums, .. } if name.len() % 2 == 0 => {
                        rig.submit(Control::PutTopic(TopicEntry::new(name, queue_nums.clamp(0, 8))));
                    }
                    Missing::Group { name } => {
                        rig.submit(Control::PutGroup(GroupEntry::new(name)));
                    }
                    Missing::Topic { .. } => {}
                }
                rig.submit(Control::Retry { kind, name });
            }
            Cold::Closed { .. } | Cold::Log { .. } => {}
        }
    }
}

/// Does so many of the flushes and reads that were kept back.
fn work(rig: &mut Rig, count: usize) {
    for _ in 0..count {
        if rig.flushes.is_empty() && rig.reads.is_empty() {
            return;
        }
        if !rig.flushes.is_empty() {
            rig.flush();
        }
        if !rig.reads.is_empty() {
            rig.read();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_a_peer_sends_disturbs_the_others(
        sync in any::<bool>(),
        slow in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut rig =
            Rig::with_flush(if sync { FlushMode::Sync } else { FlushMode::Async { interval_ms: 500 } });
        (rig.keep_flushes, rig.keep_reads) = (slow, slow);
        let steady = rig.connect();
        let mut conn = rig.connect();
        for step in steps {
            match step {
                Step::Command(command) => {
                    let mut frame = Vec::new();
                    if wire::encode(&command, &mut frame).is_ok() {
                        rig.receive(conn, &frame);
                    }
                }
                Step::Bytes(bytes) => rig.receive(conn, &bytes),
                Step::Advance(ms) => rig.advance(ms),
                Step::Settle => rig.settle(),
                Step::Reconnect => {
                    rig.broker.closed(conn, rig.now);
                    conn = rig.connect();
                }
                Step::Python => play_python(&mut rig),
                Step::Block(block) => rig.fs.block_reads(block),
                Step::Work => work(&mut rig, 1),
            }
        }
        rig.settle();
        (rig.keep_flushes, rig.keep_reads) = (false, false);
        work(&mut rig, usize::MAX);
        let steady = if rig.closed.contains(&steady) { rig.connect() } else { steady };
        let max = request(30, &[("topic", TOPIC), ("queueId", "3")]);
        let offset = number(&rig.call(steady, &max), "offset");
        prop_assert_eq!(rig.store(steady, 3, "still here", "a"), offset);
        let answer = rig.call(steady, &pull(3, offset, "*", None));
        prop_assert_eq!(bodies(&answer), ["still here"]);
        rig.broker.closed(conn, rig.now);
        rig.broker.closed(steady, rig.now);
        let statistics = rig.broker.statistics();
        prop_assert_eq!((statistics.connections, statistics.held, statistics.parked), (0, 0, 0));
        prop_assert_eq!((statistics.cold_waiting, statistics.reads_waiting), (0, 0));
    }

    #[test]
    fn any_bytes_are_served_or_close_the_connection(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut rig = Rig::new();
        let conn = rig.connect();
        for piece in bytes.chunks(7) {
            rig.receive(conn, piece);
        }
        rig.settle();
        prop_assert!(rig.closed.is_empty() || rig.closed == [conn]);
    }
}
