//! Questions about the log: bounds, offsets by time, messages by id.

use rocketmq_lite_core::session::{Control, Value};
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

fn of_queue(code: i32, queue: i32) -> Command {
    request(code, &[("topic", TOPIC), ("queueId", &queue.to_string())])
}

#[test]
fn bounds_of_a_queue() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    rig.store(conn, 0, "m", "a");
    assert_eq!(number(&rig.call(conn, &of_queue(30, 0)), "offset"), 2);
    assert_eq!(number(&rig.call(conn, &of_queue(31, 0)), "offset"), 0);
    for code in [30, 31] {
        assert_eq!(number(&rig.call(conn, &of_queue(code, 99)), "offset"), 0);
        assert_eq!(number(&rig.call(conn, &with(of_queue(code, 0), "topic", "unknown")), "offset"), 0);
        assert_eq!(rig.call(conn, &without(of_queue(code, 0), "topic")).code, 1);
        assert_eq!(rig.call(conn, &with(of_queue(code, 0), "queueId", "x")).code, 1);
    }
}

#[test]
fn offsets_by_time() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for _ in 0..3 {
        rig.store(conn, 0, "m", "a");
        rig.advance(1_000);
    }
    let start = START.wall_ms;
    let mut at = |timestamp: i64, boundary: &str| {
        let mut asked = with(of_queue(29, 0), "timestamp", &timestamp.to_string());
        if !boundary.is_empty() {
            asked = with(asked, "boundaryType", boundary);
        }
        number(&rig.call(conn, &asked), "offset")
    };
    for lower in ["", "LOWER", "lower", "anything"] {
        assert_eq!((at(start, lower), at(start + 1, lower), at(start + 1_000, lower)), (0, 1, 1));
        assert_eq!((at(0, lower), at(start + 9_000, lower)), (0, 3));
    }
    assert_eq!(
        (at(start + 1_999, "UPPER"), at(start + 2_000, "upper"), at(start + 9_000, "UPPER")),
        (1, 2, 2)
    );
    assert_eq!(at(0, "UPPER"), 0);
    let empty = with(of_queue(29, 3), "timestamp", "5");
    assert_eq!(number(&rig.call(conn, &empty), "offset"), 0);
    assert_eq!(number(&rig.call(conn, &with(empty, "topic", "unknown")), "offset"), 0);
    assert_eq!(rig.call(conn, &of_queue(29, 0)).code, 1, "no time");
}

#[test]
fn the_first_store_time() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    assert_eq!(number(&rig.call(conn, &of_queue(32, 0)), "timestamp"), -1);
    rig.store(conn, 0, "m", "a");
    rig.advance(5_000);
    rig.store(conn, 0, "m", "a");
    assert_eq!(number(&rig.call(conn, &of_queue(32, 0)), "timestamp"), START.wall_ms);
    assert_eq!(number(&rig.call(conn, &with(of_queue(32, 0), "topic", "unknown")), "timestamp"), -1);
}

#[test]
fn the_store_time_of_any_message() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    rig.advance(5_000);
    rig.store(conn, 0, "m", "a");
    let at = |offset| Control::StoreTime { topic: TOPIC.to_owned(), queue_id: 0, offset };
    assert_eq!(rig.submit(at(0)), Some(Value::StoreTime(START.wall_ms)));
    assert_eq!(rig.submit(at(1)), Some(Value::StoreTime(START.wall_ms + 5_000)));
    for nowhere in [-1, 2, i64::MAX] {
        assert_eq!(rig.submit(at(nowhere)), Some(Value::StoreTime(-1)), "{nowhere}");
    }
}

#[test]
fn the_store_time_of_the_oldest_message() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    assert_eq!(rig.submit(Control::EarliestTime), Some(Value::StoreTime(-1)));
    let body = "x".repeat(3 * 1024 * 1024);
    for _ in 0..12 {
        rig.store(conn, 0, &body, "a");
        rig.advance(1_000);
    }
    assert_eq!(rig.submit(Control::EarliestTime), Some(Value::StoreTime(START.wall_ms)));
    rig.submit(Control::Purge { before: rig.broker.statistics().log_end });
    assert_eq!(rig.submit(Control::EarliestTime), Some(Value::StoreTime(START.wall_ms + 10_000)));
}

#[test]
fn a_store_time_that_is_on_the_disk_comes_when_it_has_been_read() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    rig.fs.block_reads(true);
    rig.keep_reads = true;
    let asked = Control::StoreTime { topic: TOPIC.to_owned(), queue_id: 0, offset: 0 };
    rig.broker.submit(7, asked, rig.now);
    rig.settle();
    assert_eq!(rig.done, []);
    rig.read();
    assert_eq!(rig.done, [(7, Value::StoreTime(START.wall_ms))]);
}

#[test]
fn messages_by_id() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "first", "a");
    let sent = rig.call(conn, &send(1, "second", &[]));
    let id = sent.fields.get("msgId").unwrap();
    let offset = i64::from_str_radix(&id[16..], 16).unwrap();
    let view = |offset: i64| request(33, &[("offset", &offset.to_string())]);
    let answer = rig.call(conn, &view(offset));
    assert_eq!((answer.code, answer.remark.as_deref(), answer.fields.len()), (0, None, 0));
    assert_eq!(bodies(&answer), ["second"]);
    for wrong in [-1, 1, offset + 1, 1 << 40, i64::MAX] {
        let answer = rig.call(conn, &view(wrong));
        assert_eq!(answer.code, 1, "{wrong}");
        assert!(answer.remark.unwrap().contains(&wrong.to_string()));
    }
    assert_eq!(rig.call(conn, &request(33, &[])).code, 1);
}

#[test]
fn the_record_at_a_position_of_the_log() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "first", "a");
    let end = rig.broker.statistics().log_end.cast_signed();
    rig.store(conn, 0, "second", "a");
    let at = |physical_offset| Control::Record { physical_offset };
    let Some(Value::Record(Some(record))) = rig.submit(at(end)) else { panic!("no record") };
    assert_eq!(messages(&record)[0].queue_offset, 1);
    for nowhere in [-1, 1, end + 1, i64::MAX] {
        assert_eq!(rig.submit(at(nowhere)), Some(Value::Record(None)), "{nowhere}");
    }
}

#[test]
fn a_removed_topic_is_empty() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    rig.submit(Control::RemoveTopic { name: TOPIC.to_owned() });
    assert_eq!(number(&rig.call(conn, &of_queue(30, 0)), "offset"), 0);
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 17);
}
