//! A bad send gets the code of the first check it fails, and nothing of it is stored.

use rocketmq_lite_core::session::{Control, GroupEntry, TopicEntry};
use rocketmq_lite_core::store::Fault;
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

#[test]
fn names_queues_and_bodies_are_checked_in_this_order() {
    let mut rig = Rig::new();
    let mut code = |request: Command| refused(&mut rig, &request).0;
    assert_eq!(code(send_to("a b", 99, "", &[])), 29);
    assert_eq!(code(send_to("", 0, "x", &[])), 29);
    assert_eq!(code(send_to(&"t".repeat(128), 0, "x", &[])), 29);
    assert_eq!(code(send_to("SCHEDULE_TOPIC_XXXX", 99, "", &[])), 16);
    assert_eq!(code(send(99, "", &[("DELAY", "3")])), 29);
    assert_eq!(code(send(0, "", &[("DELAY", "3")])), 1);
    assert_eq!(code(send(0, "x", &[("DELAY", "3"), ("TRAN_MSG", "true")])), 16);
}

#[test]
fn a_queue_is_legal_below_the_larger_of_the_two_counts() {
    let mut rig = Rig::new();
    let mut topic = TopicEntry::new("lopsided", 4);
    topic.write_queues = 2;
    rig.submit(Control::PutTopic(topic));
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send_to("lopsided", 3, "x", &[])).code, 0);
    assert_eq!(refused(&mut rig, &send_to("lopsided", 4, "x", &[])).0, 29);
}

#[test]
fn a_topic_without_write_permission_still_takes_sends() {
    let mut rig = Rig::new();
    let mut topic = TopicEntry::new("readonly", 1);
    topic.permission = 4;
    rig.submit(Control::PutTopic(topic));
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send_to("readonly", 0, "x", &[])).code, 0);
}

#[test]
fn header_fields_that_cannot_be_read_are_answered_1_with_a_text() {
    let mut rig = Rig::new();
    let (code, remark) = refused(&mut rig, &with(send(0, "x", &[]), "e", "two"));
    assert_eq!(code, 1);
    assert!(remark.contains("two"), "{remark}");
    for key in ["b", "e", "f", "g", "h"] {
        assert_eq!(refused(&mut rig, &without(send(0, "x", &[]), key)).0, 1, "{key}");
    }
    let conn = rig.connect();
    for key in ["a", "c", "d", "i", "j", "k"] {
        assert_eq!(rig.call(conn, &without(send(0, "x", &[]), key)).code, 0, "{key} is not needed");
    }
}

#[test]
fn what_is_not_supported_is_refused_and_says_so() {
    let mut rig = Rig::new();
    let timers =
        ["TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS", "TIMER_OUT_MS", "TIMER_DEL_UNIQKEY"];
    for name in timers {
        let (code, remark) = refused(&mut rig, &send(0, "x", &[(name, "5")]));
        assert_eq!((code, remark.contains(name)), (13, true), "{remark}");
    }
    assert_eq!(refused(&mut rig, &send(0, "x", &[("DELAY", "soon")])).0, 13);
    for flag in ["4", "8", "12"] {
        assert_eq!(refused(&mut rig, &with(send(0, "x", &[]), "f", flag)).0, 16, "{flag}");
    }
    let (code, remark) = refused(&mut rig, &send(0, "x", &[("TRAN_MSG", "true")]));
    assert_eq!((code, remark.contains("transaction")), (16, true), "{remark}");
    for flag in ["64", "128", "192"] {
        assert_eq!(refused(&mut rig, &with(send(0, "x", &[]), "f", flag)).0, 13, "{flag}");
    }
}

#[test]
fn no_delay_and_no_transaction_are_ordinary_messages() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for pair in [("DELAY", "0"), ("DELAY", "-1"), ("TRAN_MSG", "false"), ("TIMERS", "1")] {
        assert_eq!(rig.call(conn, &send(0, "x", &[pair])).code, 0, "{pair:?}");
    }
}

#[test]
fn refused_sends_carry_region_and_trace_switch() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let answer = rig.call(conn, &send(9, "x", &[]));
    assert_eq!(answer.fields.get("MSG_REGION"), Some("DefaultRegion"));
    assert_eq!(answer.fields.get("TRACE_ON"), Some("true"));
}

#[test]
fn bodies_and_properties_have_limits() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let most = "x".repeat(4 * 1024 * 1024);
    assert_eq!(rig.call(conn, &send(0, &most, &[])).code, 0);
    assert_eq!(refused(&mut rig, &send(0, &format!("{most}x"), &[])).0, 13);
    assert_eq!(refused(&mut rig, &send(0, "x", &[("k", &"v".repeat(32_768))])).0, 13);
}

#[test]
fn a_broker_may_take_less_or_more() {
    let body = "x".repeat(1_000);
    let mut rig = Rig::with_settings(|settings| settings.max_message = 999);
    let (code, remark) = refused(&mut rig, &send(0, &body, &[]));
    let said =
        "the message is illegal: it has 1000 bytes, and this broker takes 999 at most (maxMessageSize)";
    assert_eq!((code, remark.as_str()), (13, said));
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send(0, &body[1..], &[])).code, 0);
    let large = "x".repeat(5 * 1024 * 1024);
    let mut rig = Rig::with_settings(|settings| settings.max_message = large.len());
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send(0, &large, &[])).code, 0);
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), [large.as_str()]);
}

#[test]
fn an_order_topic_needs_a_writable_broker() {
    let mut rig = Rig::with_settings(|settings| settings.permission = 4);
    let mut topic = TopicEntry::new("ordered", 1);
    topic.order = true;
    rig.submit(Control::PutTopic(topic));
    assert_eq!(refused(&mut rig, &send_to("ordered", 99, "", &[])).0, 16);
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send(0, "x", &[])).code, 0, "other topics leave the broker by their routes");
}

#[test]
fn before_its_time_the_broker_takes_nothing() {
    let mut rig = Rig::with_settings(|settings| settings.accept_sends_from_ms = START.wall_ms + 1_000);
    assert_eq!(refused(&mut rig, &send_to("a b", 0, "", &[])).0, 1);
    rig.advance(1_000);
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send(0, "x", &[])).code, 0);
}

#[test]
fn writes_can_be_switched_off_and_on() {
    let mut rig = Rig::new();
    rig.submit(Control::SetAcceptWrites(false));
    assert_eq!(refused(&mut rig, &send(0, "x", &[])).0, 14);
    rig.submit(Control::SetAcceptWrites(true));
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send(0, "x", &[])).code, 0);
}

#[test]
fn a_run_that_cannot_be_written_is_refused_as_a_whole() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "before", "a");
    rig.faults.fail(Fault::Write, 1, std::io::ErrorKind::Other);
    rig.deliver(conn, &send(0, "one", &[]));
    rig.deliver(conn, &send(1, "two", &[]));
    rig.settle();
    for _ in 0..2 {
        let answer = rig.answer(conn).unwrap();
        assert_eq!((answer.code, answer.remark.is_some()), (1, true));
    }
    assert_eq!(rig.store(conn, 0, "after", "a"), 1);
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["before", "after"]);
}

#[test]
fn a_full_disk_is_answered_14() {
    let mut rig = Rig::new();
    rig.faults.fail(Fault::Write, 1, std::io::ErrorKind::StorageFull);
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send(0, "x", &[])).code, 14);
}

#[test]
fn retried_messages_that_are_used_up_become_dead_letters() {
    let mut rig = Rig::new();
    let retry = format!("%RETRY%{GROUP}");
    rig.submit(Control::PutTopic(TopicEntry::new(&retry, 1)));
    rig.submit(Control::PutTopic(TopicEntry::new(format!("%DLQ%{GROUP}"), 1)));
    let mut group = GroupEntry::new(GROUP);
    group.retry_max_times = 3;
    rig.submit(Control::PutGroup(group));
    let conn = rig.connect();
    let topic_of = |rig: &mut Rig, request: &Command| {
        let answer = rig.call(conn, request);
        assert_eq!(answer.code, 0, "{answer:?}");
        let id = answer.fields.get("msgId").unwrap();
        let offset = i64::from_str_radix(&id[16..], 16).unwrap();
        let viewed = rig.call(conn, &request_view(offset));
        messages(&viewed.body)[0].topic.to_owned()
    };
    let tried = |times: &str| with(send_to(&retry, 0, "x", &[]), "j", times);
    assert_eq!(topic_of(&mut rig, &tried("3")), retry);
    assert_eq!(topic_of(&mut rig, &tried("4")), format!("%DLQ%{GROUP}"));
    assert_eq!(topic_of(&mut rig, &with(tried("4"), "l", "9")), retry);
    let delayed = with(send_to(&retry, 0, "x", &[("DELAY", "6")]), "j", "4");
    assert_eq!(topic_of(&mut rig, &delayed), format!("%DLQ%{GROUP}"), "dead letters are not delayed");
    let delayed = send_to(&retry, 0, "x", &[("DELAY", "6")]);
    assert_eq!(topic_of(&mut rig, &delayed), "SCHEDULE_TOPIC_XXXX", "but other retries are");
}

#[test]
fn a_group_that_consumes_in_order_has_given_up_what_it_sends_to_its_retry_topic() {
    let mut rig = Rig::new();
    let (retry, dead) = (format!("%RETRY%{GROUP}"), format!("%DLQ%{GROUP}"));
    for topic in [&retry, &dead] {
        rig.submit(Control::PutTopic(TopicEntry::new(topic, 1)));
    }
    let conn = rig.connect();
    for orderly in [true, false, true] {
        rig.submit(Control::SetOrderly { group: GROUP.to_owned(), orderly });
        assert_eq!(rig.call(conn, &send_to(&retry, 0, "x", &[])).code, 0);
    }
    let stored = |rig: &mut Rig, topic: &str| {
        let found = rig.call(conn, &with(pull(0, 0, "*", None), "topic", topic));
        messages(&found.body).len()
    };
    assert_eq!((stored(&mut rig, &retry), stored(&mut rig, &dead)), (1, 2));
}

fn request_view(offset: i64) -> Command {
    request(33, &[("offset", &offset.to_string())])
}
