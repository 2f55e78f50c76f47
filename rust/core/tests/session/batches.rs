//! A batch is stored whole, one record a message in one queue, or refused whole.

use proptest::prelude::*;
use rocketmq_lite_core::record::batch::BatchItem;
use rocketmq_lite_core::record::{Message, message_id, properties};
use rocketmq_lite_core::session::{Control, GroupEntry, MissingKind, TopicEntry};
use rocketmq_lite_core::store::{Fault, FlushMode};
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

const BATCH: i32 = 320;

fn encoded(items: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, (body, pairs)) in items.iter().enumerate() {
        let text = property_text(pairs);
        let item = BatchItem { flag: number as i32, body: body.as_bytes(), properties: &text };
        item.encode(&mut out).expect("the item is valid");
    }
    out
}

/// A batch to `TOPIC` with these bytes for its items, and properties of the batch itself.
fn batch_of(queue: i32, body: Vec<u8>, pairs: &[(&str, &str)]) -> Command {
    let mut command = with(send(queue, "", pairs), "m", "true");
    command.code = BATCH;
    command.body = body.into();
    command
}

fn batch(queue: i32, bodies: &[&str]) -> Command {
    let items: Vec<(&str, &[(&str, &str)])> = bodies.iter().map(|body| (*body, &[][..])).collect();
    batch_of(queue, encoded(&items), &[])
}

#[test]
fn the_answer_names_every_message_and_the_first_offset() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 2, "before", "a");
    let answer = rig.call(conn, &batch(2, &["one", "two", "three"]));
    assert_eq!((answer.code, answer.remark.as_deref()), (0, None));
    assert_eq!((number(&answer, "queueId"), number(&answer, "queueOffset")), (2, 1));
    assert_eq!(answer.fields.get("transactionId"), None, "the batch has no key of its own");
    let ids: Vec<&str> = answer.fields.get("msgId").unwrap().split(',').collect();
    let bodies_by_id: Vec<_> = ids.iter().map(|id| viewed(&mut rig, id)).collect();
    assert_eq!(bodies_by_id, ["one", "two", "three"]);
    assert_eq!(rig.store(conn, 2, "after", "a"), 4);
}

fn viewed(rig: &mut Rig, id: &str) -> String {
    let (_, offset) = message_id::parse_offset_id(id).expect("an offset id");
    let conn = rig.connect();
    bodies(&rig.call(conn, &request(33, &[("offset", &offset.to_string())]))).remove(0)
}

#[test]
fn each_record_has_its_own_properties_and_nothing_else() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let one: &[(&str, &str)] = &[("TAGS", "a"), ("UNIQ_KEY", "K1"), ("WAIT", "true")];
    let items = encoded(&[("one", one), ("two", &[])]);
    let request = with(batch_of(1, items, &[("UNIQ_KEY", "B"), ("WAIT", "true")]), "j", "3");
    let answer = rig.call(conn, &request);
    assert_eq!(answer.fields.get("transactionId"), Some("B"));
    let pulled = rig.call(conn, &pull(1, 0, "*", None));
    let stored = messages(&pulled.body);
    assert_eq!(stored[0].properties, property_text(one));
    assert_eq!(stored[1].properties, "");
    let flags: Vec<_> = stored.iter().map(|m| (m.flag, m.queue_offset, m.queue_id)).collect();
    assert_eq!(flags, [(0, 0, 1), (1, 1, 1)], "the messages' own flags, not the header's 5");
    for message in &stored {
        assert!(message.crc_matches());
        assert_eq!((message.reconsume_times, message.born_timestamp), (3, 1_795_418_275_533));
        assert_eq!(message.born_host.to_string(), "127.0.0.1:56992");
    }
}

#[test]
fn tags_of_the_messages_select_them() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let items = encoded(&[("one", &[("TAGS", "a")]), ("two", &[("TAGS", "b")]), ("three", &[("TAGS", "a")])]);
    rig.call(conn, &batch_of(0, items, &[]));
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "a", None))), ["one", "three"]);
}

#[test]
fn the_mark_makes_a_batch_of_any_send() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut v2 = batch(0, &["one", "two"]);
    v2.code = SEND;
    assert_eq!(rig.call(conn, &v2).code, 0);
    let v1 = with(v1_batch(&["three", "four"]), "batch", "true");
    assert_eq!(rig.call(conn, &v1).code, 0);
    let unmarked = without(batch(0, &["five"]), "m");
    assert_eq!(rig.call(conn, &unmarked).code, 0);
    let answer = rig.call(conn, &pull(0, 0, "*", None));
    assert_eq!(bodies(&answer), ["one", "two", "three", "four", "five"]);
}

fn v1_batch(bodies: &[&str]) -> Command {
    let mut request = request(
        10,
        &[
            ("producerGroup", "PG"),
            ("topic", TOPIC),
            ("defaultTopic", "TBW102"),
            ("defaultTopicQueueNums", "4"),
            ("queueId", "0"),
            ("sysFlag", "0"),
            ("bornTimestamp", "1"),
            ("flag", "0"),
        ],
    );
    request.body = batch(0, bodies).body;
    request
}

#[test]
fn a_batch_is_part_of_the_run_of_its_round() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.deliver(conn, &send(0, "first", &[]));
    rig.deliver(conn, &oneway(batch(0, &["one", "two"])));
    rig.deliver(conn, &batch(1, &["three"]));
    rig.settle();
    let statistics = rig.broker.statistics();
    assert_eq!((statistics.runs, statistics.largest_run, statistics.messages_in), (1, 4, 4));
    while rig.answer(conn).is_some() {}
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["first", "one", "two"]);
}

#[test]
fn a_oneway_batch_is_stored_and_never_answered() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &oneway(batch(0, &["one", "two"])));
    rig.request(conn, &oneway(batch_of(0, b"no items".to_vec(), &[])));
    assert_eq!(rig.answer(conn), None);
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["one", "two"]);
}

#[test]
fn a_batch_waits_for_the_flush_of_its_last_message() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    rig.keep_flushes = true;
    let (conn, consumer) = (rig.connect(), rig.connect());
    rig.request(conn, &send(0, "first", &[]));
    rig.request(conn, &batch(0, &["one", "two"]));
    rig.flush();
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0), "the first send");
    assert_eq!(rig.answer(conn), None, "the batch came after the plan of that flush");
    assert_eq!(bodies(&rig.call(consumer, &pull(0, 0, "*", None))), ["first"]);
    rig.flush();
    assert_eq!(rig.answer(conn).map(|answer| number(&answer, "queueOffset")), Some(1));
    assert_eq!(bodies(&rig.call(consumer, &pull(0, 1, "*", None))), ["one", "two"]);
}

#[test]
fn a_batch_that_does_not_want_to_wait_is_answered_at_once() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    rig.keep_flushes = true;
    let conn = rig.connect();
    let items = encoded(&[("one", &[("WAIT", "true")]), ("two", &[])]);
    assert_eq!(rig.call(conn, &batch_of(0, items, &[("WAIT", "false")])).code, 0);
}

#[test]
fn what_is_wrong_with_one_message_is_wrong_with_all() {
    let mut rig = Rig::new();
    let good = encoded(&[("one", &[("k", "v")])]);
    for pair in [("DELAY", "3"), ("TIMER_DELAY_SEC", "5"), ("TRAN_MSG", "true")] {
        let with_bad = [good.clone(), encoded(&[("bad", &[pair])])].concat();
        assert_eq!(refused(&mut rig, &batch_of(0, with_bad, &[])).0, 13, "{pair:?} of a message");
        assert_eq!(refused(&mut rig, &batch_of(0, good.clone(), &[pair])).0, 13, "{pair:?} of the batch");
    }
    for flag in ["4", "8", "12", "128"] {
        assert_eq!(refused(&mut rig, &with(batch_of(0, good.clone(), &[]), "f", flag)).0, 13, "{flag}");
    }
    let (code, remark) = refused(&mut rig, &batch_of(0, [&good[..], b"\0\0\0"].concat(), &[]));
    assert_eq!((code, remark.contains("as a whole")), (13, true), "{remark}");
    let zero_at_the_end = [&good[..], &encoded(&[("two", &[("k", "v\0")])])].concat();
    let torn = zero_at_the_end[..zero_at_the_end.len() - 1].to_vec();
    assert_eq!(refused(&mut rig, &batch_of(0, torn, &[])).0, 13);
    // The records before it were already in the run when this one is found to end in a zero byte.
    let mut items = good.clone();
    BatchItem { flag: 0, body: b"x", properties: "k\u{1}v\0" }.encode(&mut items).unwrap();
    assert_eq!(refused(&mut rig, &batch_of(0, items, &[])).0, 13);
    let conn = rig.connect();
    assert_eq!(rig.store(conn, 0, "next", "a"), 0, "no offset was used up");
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["next"]);
}

#[test]
fn a_refused_batch_leaves_the_rest_of_its_run_alone() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut bad = encoded(&[("one", &[])]);
    BatchItem { flag: 0, body: b"x", properties: "\0" }.encode(&mut bad).unwrap();
    rig.deliver(conn, &send(0, "before", &[]));
    rig.deliver(conn, &batch_of(0, bad, &[]));
    rig.deliver(conn, &batch(0, &["after"]));
    rig.settle();
    let codes: Vec<_> = std::iter::from_fn(|| rig.answer(conn)).map(|answer| answer.code).collect();
    assert_eq!(codes, [13, 0, 0], "the refusal does not wait for the write");
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["before", "after"]);
}

#[test]
fn batches_have_apaches_limits() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let most = "x".repeat(4 * 1024 * 1024 - 22);
    assert_eq!(rig.call(conn, &batch(0, &[&most])).code, 0);
    assert_eq!(refused(&mut rig, &batch(0, &[&most, ""])).0, 13);
    assert_eq!(refused(&mut rig, &batch(0, &[])).0, 1, "no body");
    let mut small = Rig::with_settings(|settings| settings.max_message = 50);
    let (code, remark) = refused(&mut small, &batch(0, &["1234567", "1234567"]));
    assert_eq!(code, 13);
    assert!(
        remark.ends_with("it has 58 bytes, and this broker takes 50 at most (maxMessageSize)"),
        "{remark}"
    );
    assert_eq!(refused(&mut rig, &batch(99, &["x"])).0, 29);
    assert_eq!(rig.call(conn, &batch(0, &["", ""])).code, 0, "messages without a body");
}

#[test]
fn the_smallest_messages_fill_a_batch_to_the_brim() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let count = 4 * 1024 * 1024 / 22;
    let answer = rig.call(conn, &batch(0, &vec![""; count]));
    let ids = answer.fields.get("msgId").expect("ids");
    assert_eq!((answer.code, ids.split(',').count()), (0, count));
    assert_eq!(rig.store(conn, 0, "next", "a"), count as i64);
}

#[test]
fn retry_topics_take_no_batches() {
    let mut rig = Rig::new();
    let retry = format!("%RETRY%{GROUP}");
    rig.submit(Control::PutTopic(TopicEntry::new(&retry, 1)));
    rig.submit(Control::PutGroup(GroupEntry::new(GROUP)));
    let (code, remark) = refused(&mut rig, &with(batch(0, &["x"]), "b", &retry));
    assert_eq!((code, remark.contains(&retry)), (13, true), "{remark}");
}

#[test]
fn a_batch_whose_run_cannot_be_written_is_refused_and_gone() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.faults.fail(Fault::Write, 1, std::io::ErrorKind::Other);
    assert_eq!(rig.call(conn, &batch(0, &["one", "two"])).code, 1);
    assert_eq!(rig.store(conn, 0, "next", "a"), 0);
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["next"]);
}

#[test]
fn a_batch_waits_for_its_topic_like_any_send() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &with(batch(0, &["one", "two"]), "b", "fresh"));
    assert_eq!(rig.answer(conn), None);
    rig.submit(Control::PutTopic(TopicEntry::new("fresh", 1)));
    rig.submit(Control::Retry { kind: MissingKind::Topic, name: "fresh".to_owned() });
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert_eq!(rig.broker.statistics().messages_in, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the body: either all of it is there afterwards, under the offsets that were answered, or nothing.
    #[test]
    fn any_body_is_stored_whole_or_not_at_all(
        texts in prop::collection::vec(".{0,20}", 0..6),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let items: Vec<(&str, &[(&str, &str)])> = texts.iter().map(|text| (text.as_str(), &[][..])).collect();
        let mut body = encoded(&items);
        if let Some((at, byte)) = damage.filter(|_| !body.is_empty()) {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let mut rig = Rig::new();
        let conn = rig.connect();
        let answer = rig.call(conn, &batch_of(0, body, &[]));
        let stored = rig.broker.statistics().messages_in as usize;
        if answer.code == 0 {
            prop_assert_eq!(answer.fields.get("msgId").unwrap().split(',').count(), stored);
            prop_assert!(stored > 0);
        } else {
            prop_assert_eq!((stored, rig.broker.statistics().log_end), (0, 0));
        }
        prop_assert_eq!(rig.store(conn, 0, "next", "a"), stored as i64);
        let pulled = rig.call(conn, &pull(0, 0, "*", None));
        let found = messages(&pulled.body);
        prop_assert!(found.iter().map(|message| message.queue_offset).eq(0..=stored as i64));
        prop_assert!(found.iter().all(Message::crc_matches));
        let key = properties::get(found[stored].properties, "UNIQ_KEY");
        prop_assert!(key.is_some(), "the single message has the broker's key");
    }
}
