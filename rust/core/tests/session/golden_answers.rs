//! Requests recorded from clients, put to the engine: its answers are Apache's, but for addresses, offsets and language.

use std::collections::BTreeSet;
use std::path::Path;

use rocketmq_lite_core::session::{Control, GroupEntry, TopicEntry};
use rocketmq_lite_core::wire::{Command, FrameDecoder, MAX_FRAME};
use serde_json::Value as Json;

use crate::rig::*;

/// The recorded frame of that name.
fn golden(name: &str) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/golden-frames.json");
    let text = std::fs::read_to_string(path).expect("the recorded frames are there");
    let frames: Vec<Json> = serde_json::from_str(&text).expect("they are JSON");
    let frame = frames.iter().find(|frame| frame["name"] == name).expect("the frame is recorded");
    let hex = frame["hex"].as_str().expect("it is text");
    let bytes =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal"));
    let mut decoder = FrameDecoder::new(MAX_FRAME);
    decoder.feed(&bytes.collect::<Vec<u8>>());
    decoder.next().expect("a good frame").expect("a whole frame")
}

fn keys(command: &Command) -> BTreeSet<&str> {
    command.fields.iter().map(|(key, _)| key).collect()
}

/// Same code, remark and set of fields, and the same values of the fields named.
fn assert_like(ours: &Command, name: &str, same: &[&str]) {
    let theirs = golden(name);
    assert_eq!((ours.code, &ours.remark), (theirs.code, &theirs.remark), "{name}");
    assert_eq!(keys(ours), keys(&theirs), "{name}");
    for key in same {
        assert_eq!(ours.fields.get(key), theirs.fields.get(key), "{name}: {key}");
    }
}

fn prepared() -> Rig {
    let mut rig = Rig::new();
    for topic in ["JT", "JT2"] {
        rig.submit(Control::PutTopic(TopicEntry::new(topic, 4)));
    }
    rig.submit(Control::PutTopic(TopicEntry::new("%RETRY%JCG", 1)));
    rig.submit(Control::PutGroup(GroupEntry::new("JCG")));
    rig
}

#[test]
fn sends() {
    let mut rig = prepared();
    let conn = rig.connect();
    let constant = ["queueId", "transactionId", "TRACE_ON", "MSG_REGION"];
    rig.call(conn, &golden("send.v1.json.request"));
    rig.call(conn, &with(golden("send.v1.json.request"), "queueId", "0"));
    let answer = rig.call(conn, &golden("send.v2.json.request"));
    assert_like(&answer, "send.v2.json.response", &[&constant[..], &["queueOffset"]].concat());
    let answer = rig.call(conn, &golden("send.v2.binary.request"));
    assert_like(&answer, "send.v2.binary.response", &[&constant[..], &["queueOffset"]].concat());
    let answer = rig.call(conn, &with(golden("send.v2.json.request"), "e", "9"));
    assert_like(&answer, "send.bad.queue.response", &["TRACE_ON", "MSG_REGION"]);
    rig.request(conn, &golden("send.v2.oneway"));
    assert_eq!(rig.answer(conn), None);
    for name in ["java.send.json", "java.send.binary"] {
        let answer = rig.call(conn, &golden(name));
        assert_eq!((answer.code, answer.fields.len()), (0, 6), "{name}");
    }
    assert_eq!(rig.broker.statistics().messages_in, 7);
}

#[test]
fn batches() {
    let mut rig = prepared();
    let conn = rig.connect();
    rig.call(conn, &with(golden("send.v2.json.request"), "e", "2"));
    let answer = rig.call(conn, &golden("send.batch.request"));
    assert_like(&answer, "send.batch.response", &["queueId", "queueOffset", "TRACE_ON", "MSG_REGION"]);
    let ids = |answer: &Command| answer.fields.get("msgId").expect("an id").split(',').count();
    assert_eq!(ids(&answer), ids(&golden("send.batch.response")));
    let answer = rig.call(conn, &golden("java.send.batch.binary"));
    assert_eq!((answer.code, answer.fields.len()), (0, 6), "with the batch's own key for a transaction id");
}

#[test]
fn unsupported_sends() {
    let mut rig = prepared();
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &golden("send.half.request")).code, 16);
    assert_eq!(rig.broker.statistics().log_end, 0);
}

#[test]
fn pulls() {
    let mut rig = prepared();
    let conn = rig.connect();
    rig.call(conn, &golden("send.v2.binary.request"));
    rig.request(conn, &golden("send.v2.oneway"));
    let all =
        ["suggestWhichBrokerId", "groupSysFlag", "topicSysFlag", "nextBeginOffset", "maxOffset", "minOffset"];
    let answer = rig.call(conn, &golden("pull.found.binary.request"));
    assert_like(&answer, "pull.found.binary.response", &all);
    assert_eq!(bodies(&answer), bodies(&golden("pull.found.binary.response")));
    rig.store(conn, 1, "third", "a");
    let answer = rig.call(conn, &with(golden("pull.found.binary.request"), "queueOffset", "3"));
    assert_like(&answer, "pull.not.found.response", &all);
    let answer = rig.call(conn, &with(golden("pull.found.binary.request"), "queueOffset", "9"));
    assert_like(&answer, "pull.offset.moved.response", &all);
}

#[test]
fn offsets() {
    let mut rig = prepared();
    let conn = rig.connect();
    rig.submit(Control::LoadOffsets(vec![(TOPIC.to_owned(), GROUP.to_owned(), 0, 2)]));
    let answer = rig.call(conn, &golden("query.offset.request"));
    assert_like(&answer, "query.offset.response", &["offset"]);
    let missing = with(with(golden("query.offset.request"), "queueId", "3"), "setZeroIfNotFound", "false");
    assert_like(&rig.call(conn, &missing), "query.offset.missing.response", &[]);
    rig.request(conn, &golden("java.update.offset.binary"));
    assert_eq!(rig.answer(conn), None, "one-way");
    let query = request(14, &[("consumerGroup", "JCG"), ("topic", "JT2"), ("queueId", "1")]);
    assert_eq!(number(&rig.call(conn, &query), "offset"), 4);
}

#[test]
fn messages_by_id() {
    let mut rig = prepared();
    let conn = rig.connect();
    rig.call(conn, &golden("send.v1.json.request"));
    let answer = rig.call(conn, &request(33, &[("offset", "0")]));
    assert_like(&answer, "view.message.response", &[]);
    let theirs = golden("view.message.response");
    assert_eq!(bodies(&answer), bodies(&theirs));
    assert_eq!(messages(&answer.body)[0].total_size, messages(&theirs.body)[0].total_size);
}

#[test]
fn the_java_clients_pulls_are_held() {
    let mut rig = prepared();
    let conn = rig.connect();
    let group = "JCG".to_owned();
    let entries = ["JT", "%RETRY%JCG"].map(|topic| rocketmq_lite_core::session::SubscriptionEntry {
        topic: topic.to_owned(),
        expression_type: "TAG".to_owned(),
        expression: "*".to_owned(),
        version: i64::MAX,
    });
    rig.submit(Control::PutSubscriptions { group, broadcasting: false, entries: entries.to_vec() });
    for name in ["java.pull.json", "java.pull.binary"] {
        rig.request(conn, &golden(name));
    }
    assert_eq!((rig.answer(conn), rig.broker.statistics().held), (None, 2));
}
