//! Consumer offsets: queries, updates, and the table that Python loads and saves.

use rocketmq_lite_core::session::{Control, TopicEntry, Value};
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

fn query(queue: i32) -> Command {
    request(14, &[("consumerGroup", GROUP), ("topic", TOPIC), ("queueId", &queue.to_string())])
}

fn update(queue: i32, offset: i64) -> Command {
    let (queue, offset) = (queue.to_string(), offset.to_string());
    request(15, &[("consumerGroup", GROUP), ("topic", TOPIC), ("queueId", &queue), ("commitOffset", &offset)])
}

fn entry(topic: &str, group: &str, queue: i32, offset: i64) -> (String, String, i32, i64) {
    (topic.to_owned(), group.to_owned(), queue, offset)
}

#[test]
fn the_last_update_counts_even_backwards_and_beyond() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for (queue, offset) in [(0, 5), (0, 3), (1, 999), (77, 1)] {
        let answer = rig.call(conn, &update(queue, offset));
        assert_eq!((answer.code, answer.remark), (0, None));
        assert_eq!(number(&rig.call(conn, &query(queue)), "offset"), offset);
    }
    assert_eq!(rig.broker.statistics().offset_commits, 4);
}

#[test]
fn a_oneway_update_counts() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &oneway(update(0, 8)));
    assert_eq!(number(&rig.call(conn, &query(0)), "offset"), 8);
}

#[test]
fn updates_are_refused_for_what_does_not_exist() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut code = |request: Command| rig.call(conn, &request).code;
    assert_eq!(code(with(update(0, 1), "consumerGroup", "nobody")), 26);
    assert_eq!(code(with(update(0, 1), "topic", "nothing")), 17);
    assert_eq!(code(without(update(0, 1), "queueId")), 29);
    assert_eq!(code(without(update(0, 1), "commitOffset")), 29);
    assert_eq!(code(with(update(0, 1), "commitOffset", "many")), 1);
    assert_eq!(code(without(update(0, 1), "topic")), 1);
    assert!(rig.next_cold().is_none(), "nothing is made for an update");
}

#[test]
fn without_a_stored_offset_a_whole_queue_begins_at_0() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &query(0)).code, 22, "an empty queue");
    rig.store(conn, 0, "m", "a");
    let answer = rig.call(conn, &query(0));
    assert_eq!((answer.code, number(&answer, "offset")), (0, 0));
    let answer = rig.call(conn, &with(query(0), "setZeroIfNotFound", "false"));
    let remark = "Not found, do not set to zero, maybe this group boot first";
    assert_eq!((answer.code, answer.remark.as_deref()), (22, Some(remark)));
    assert_eq!(rig.call(conn, &with(query(0), "setZeroIfNotFound", "true")).code, 0);
    assert_eq!(rig.call(conn, &with(query(0), "consumerGroup", "unknown")).code, 0);
    assert_eq!(rig.call(conn, &with(query(0), "topic", "unknown")).code, 22);
    assert_eq!(rig.call(conn, &without(query(0), "queueId")).code, 1);
}

#[test]
fn python_loads_and_saves_the_table() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let loaded = vec![entry(TOPIC, GROUP, 1, 11), entry("gone", "away", 0, 5)];
    rig.submit(Control::LoadOffsets(loaded));
    assert_eq!(number(&rig.call(conn, &query(1)), "offset"), 11);
    rig.call(conn, &update(0, 7));
    let all = vec![entry(TOPIC, GROUP, 0, 7), entry(TOPIC, GROUP, 1, 11), entry("gone", "away", 0, 5)];
    assert_eq!(rig.submit(Control::Offsets), Some(Value::Offsets(all)));
    rig.submit(Control::RemoveOffsets { topic: Some("gone".to_owned()), group: None });
    rig.submit(Control::RemoveGroup { name: GROUP.to_owned(), clean_offsets: true });
    assert_eq!(rig.submit(Control::Offsets), Some(Value::Offsets(Vec::new())));
}

#[test]
fn a_group_can_go_and_leave_its_offsets() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &update(0, 7));
    rig.submit(Control::RemoveGroup { name: GROUP.to_owned(), clean_offsets: false });
    assert_eq!(number(&rig.call(conn, &query(0)), "offset"), 7);
    assert_eq!(rig.call(conn, &update(0, 8)).code, 26);
}

#[test]
fn python_can_ask_for_bounds() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.submit(Control::PutTopic(TopicEntry::new("other", 1)));
    rig.store(conn, 2, "m", "a");
    rig.store(conn, 2, "m", "a");
    let bounds = rig.submit(Control::Bounds { topic: TOPIC.to_owned(), queues: vec![2, 0, 99] });
    assert_eq!(bounds, Some(Value::Bounds(vec![(2, 0, 2), (0, 0, 0), (99, 0, 0)])));
}

fn reset(offset: i64) -> Control {
    Control::ResetOffsets { topic: TOPIC.to_owned(), group: GROUP.to_owned(), offsets: vec![(0, offset)] }
}

#[test]
fn a_reset_reaches_a_consumer_with_its_next_pull_and_outlives_its_commits() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for _ in 0..3 {
        rig.store(conn, 0, "m", "a");
    }
    rig.call(conn, &update(0, 3));
    assert_eq!(rig.submit(reset(1)), Some(Value::Unit));
    let late = rig.call(conn, &update(0, 3));
    assert_eq!((late.code, late.remark.as_deref()), (0, Some("Offset has been previously reset")));
    assert_eq!(number(&rig.call(conn, &query(0)), "offset"), 1);
    let committing = with(with(pull(0, 3, "*", None), "sysFlag", "5"), "commitOffset", "3");
    let told = rig.call(conn, &committing);
    assert_eq!((told.code, told.remark.as_deref()), (21, Some("OFFSET_RESET")));
    assert_eq!((number(&told, "nextBeginOffset"), number(&told, "maxOffset")), (1, 3));
    assert_eq!(number(&rig.call(conn, &query(0)), "offset"), 1, "the old position is not committed");
    assert_eq!(bodies(&rig.call(conn, &pull(0, 1, "*", None))).len(), 2);
    rig.call(conn, &update(0, 2));
    assert_eq!(number(&rig.call(conn, &query(0)), "offset"), 2, "it counts again");
}

#[test]
fn a_reset_wakes_the_groups_held_pulls_and_no_others() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    rig.request(conn, &pull(0, 1, "*", Some(10_000)));
    rig.request(conn, &pull(1, 0, "*", Some(10_000)));
    assert_eq!(rig.answer(conn), None);
    let other =
        Control::ResetOffsets { topic: TOPIC.to_owned(), group: "other".to_owned(), offsets: vec![(0, 0)] };
    rig.submit(other);
    assert_eq!(rig.answer(conn), None, "another group's");
    rig.submit(reset(0));
    let told: Vec<_> = std::iter::from_fn(|| rig.answer(conn)).map(|answer| answer.code).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&21) && told.contains(&19), "{told:?}");
}

#[test]
fn the_first_message_after_a_time() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    rig.advance(1_000);
    rig.store(conn, 0, "m", "a");
    let at = |timestamp| Control::SearchTime { topic: TOPIC.to_owned(), queue_id: 0, timestamp };
    let start = START.wall_ms;
    for (timestamp, offset) in [(0, 0), (start, 0), (start + 1, 1), (start + 1_001, 2)] {
        assert_eq!(rig.submit(at(timestamp)), Some(Value::Offset(offset)), "{timestamp}");
    }
}
