//! What a pull is answered when it is not held: every status and every refusal.

use rocketmq_lite_core::session::{Control, GroupEntry, SubscriptionEntry, TopicEntry};
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

/// Code, remark, next, min and max of an answer.
fn outcome(answer: &Command) -> (i32, &str, i64, i64, i64) {
    let number = |key| number(answer, key);
    (
        answer.code,
        answer.remark.as_deref().unwrap_or_default(),
        number("nextBeginOffset"),
        number("minOffset"),
        number("maxOffset"),
    )
}

fn filled() -> (Rig, rocketmq_lite_core::session::ConnId) {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for (body, tag) in [("m0", "a"), ("m1", "b"), ("m2", "a")] {
        rig.store(conn, 0, body, tag);
    }
    (rig, conn)
}

#[test]
fn messages_come_with_the_header_of_apache() {
    let (mut rig, conn) = filled();
    let answer = rig.call(conn, &pull(0, 1, "*", None));
    assert_eq!(outcome(&answer), (0, "FOUND", 3, 0, 3));
    assert_eq!(bodies(&answer), ["m1", "m2"]);
    for key in ["suggestWhichBrokerId", "topicSysFlag", "groupSysFlag"] {
        assert_eq!(answer.fields.get(key), Some("0"), "{key}");
    }
    let statistics = rig.broker.statistics();
    assert_eq!((statistics.pulls, statistics.messages_out), (1, 2));
    assert_eq!(statistics.bytes_out, answer.body.len() as u64);
}

#[test]
fn offsets_outside_the_queue_are_corrected() {
    let (mut rig, conn) = filled();
    let mut at = |offset| {
        let answer = rig.call(conn, &pull(0, offset, "*", None));
        let (code, remark, next, ..) = outcome(&answer);
        (code, remark.to_owned(), next)
    };
    assert_eq!(at(3), (19, "OFFSET_OVERFLOW_ONE".to_owned(), 3));
    assert_eq!(at(4), (21, "OFFSET_OVERFLOW_BADLY".to_owned(), 3));
    assert_eq!(at(-1), (21, "OFFSET_TOO_SMALL".to_owned(), 0));
}

#[test]
fn an_empty_queue_begins_at_zero() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let answer = rig.call(conn, &pull(1, 0, "*", None));
    assert_eq!((answer.code, number(&answer, "nextBeginOffset")), (19, 0));
    let answer = rig.call(conn, &pull(1, 7, "*", None));
    assert_eq!((answer.code, number(&answer, "nextBeginOffset")), (21, 0));
}

#[test]
fn tags_filter_and_what_is_passed_over_is_told() {
    let (mut rig, conn) = filled();
    let answer = rig.call(conn, &pull(0, 0, "a", None));
    assert_eq!(bodies(&answer), ["m0", "m2"]);
    let answer = rig.call(conn, &pull(0, 0, "a || b", None));
    assert_eq!(bodies(&answer).len(), 3);
    let answer = rig.call(conn, &pull(0, 0, "zzz", None));
    assert_eq!(outcome(&answer), (20, "NO_MATCHED_MESSAGE", 3, 0, 3));
}

#[test]
fn one_answer_holds_at_most_1024_messages() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for _ in 0..1030 {
        rig.store(conn, 0, "m", "a");
    }
    let many = with(pull(0, 0, "*", None), "maxMsgNums", "2000");
    assert_eq!(bodies(&rig.call(conn, &many)).len(), 1024);
    let few = with(pull(0, 0, "*", None), "maxMsgNums", "5");
    assert_eq!(bodies(&rig.call(conn, &few)).len(), 5);
    let none = with(pull(0, 0, "*", None), "maxMsgNums", "0");
    assert_eq!(bodies(&rig.call(conn, &none)).len(), 1);
}

#[test]
fn lite_pulls_are_pulls() {
    let (mut rig, conn) = filled();
    let mut lite = with(pull(0, 0, "*", None), "sysFlag", "20");
    lite.code = 361;
    assert_eq!(bodies(&rig.call(conn, &lite)).len(), 3);
}

#[test]
fn a_pull_may_commit_what_was_consumed() {
    let (mut rig, conn) = filled();
    let stored = |rig: &mut Rig| {
        let query = request(14, &[("consumerGroup", GROUP), ("topic", TOPIC), ("queueId", "0")]);
        number(&rig.call(conn, &query), "offset")
    };
    rig.call(conn, &with(pull(0, 0, "*", None), "commitOffset", "2"));
    assert_eq!(stored(&mut rig), 0, "bit 0 says whether it counts");
    rig.call(conn, &with(with(pull(0, 0, "*", None), "commitOffset", "2"), "sysFlag", "5"));
    assert_eq!(stored(&mut rig), 2);
}

fn code(rig: &mut Rig, request: &Command) -> i32 {
    let conn = rig.connect();
    rig.call(conn, request).code
}

#[test]
fn refusals_in_the_order_of_the_checks() {
    let mut rig = Rig::new();
    let plain = || pull(0, 0, "*", None);
    assert_eq!(code(&mut rig, &with(plain(), "consumerGroup", "bad group")), 26);
    assert_eq!(code(&mut rig, &with(plain(), "topic", "unknown")), 17);
    assert_eq!(code(&mut rig, &with(plain(), "queueId", "4")), 29);
    assert_eq!(code(&mut rig, &with(plain(), "queueId", "-1")), 29);
    assert_eq!(code(&mut rig, &with(plain(), "subscription", "||")), 23);
    let mut group = GroupEntry::new(GROUP);
    group.consume_enable = false;
    rig.submit(Control::PutGroup(group));
    let conn = rig.connect();
    let answer = rig.call(conn, &with(plain(), "topic", "unknown"));
    assert_eq!((answer.code, answer.fields.get("forbiddenType")), (16, Some("2")));
}

#[test]
fn an_unreadable_topic_says_so() {
    let mut rig = Rig::new();
    let mut topic = TopicEntry::new(TOPIC, 4);
    topic.permission = 2;
    rig.submit(Control::PutTopic(topic));
    let conn = rig.connect();
    let answer = rig.call(conn, &with(pull(0, 0, "*", None), "queueId", "99"));
    assert_eq!((answer.code, answer.fields.get("forbiddenType")), (16, Some("3")));
}

#[test]
fn an_unreadable_broker_says_so_before_all_else() {
    let mut rig = Rig::with_settings(|settings| settings.permission = 2);
    let conn = rig.connect();
    let answer = rig.call(conn, &with(pull(0, 0, "*", None), "consumerGroup", "unknown"));
    assert_eq!((answer.code, answer.fields.get("forbiddenType")), (16, Some("1")));
}

#[test]
fn registered_subscriptions_must_be_there_and_new_enough() {
    let (mut rig, conn) = filled();
    assert_eq!(rig.call(conn, &registered(0, 0, 5, None)).code, 24, "no member");
    rig.subscribe("a", 5);
    assert_eq!(bodies(&rig.call(conn, &registered(0, 0, 5, None))), ["m0", "m2"]);
    assert_eq!(rig.call(conn, &registered(0, 0, 4, None)).code, 0, "an older pull is served");
    assert_eq!(rig.call(conn, &registered(0, 0, 6, None)).code, 25);
    rig.submit(Control::PutTopic(TopicEntry::new("other", 1)));
    assert_eq!(rig.call(conn, &with(registered(0, 0, 5, None), "topic", "other")).code, 24);
    rig.submit(Control::RemoveSubscriptions { group: GROUP.to_owned() });
    assert_eq!(rig.call(conn, &registered(0, 0, 5, None)).code, 24);
}

#[test]
fn broadcasting_can_be_forbidden_to_a_group() {
    let (mut rig, conn) = filled();
    rig.subscribe("*", 1);
    let group = GROUP.to_owned();
    let entry = SubscriptionEntry {
        topic: TOPIC.to_owned(),
        expression_type: String::new(),
        expression: "*".to_owned(),
        version: 1,
    };
    rig.submit(Control::PutSubscriptions { group, broadcasting: true, entries: vec![entry] });
    assert_eq!(rig.call(conn, &registered(0, 0, 1, None)).code, 0);
    let mut entry = GroupEntry::new(GROUP);
    entry.broadcast_enable = false;
    rig.submit(Control::PutGroup(entry));
    let answer = rig.call(conn, &registered(0, 0, 1, None));
    assert_eq!((answer.code, answer.fields.get("forbiddenType")), (16, Some("4")));
}

#[test]
fn header_fields_that_cannot_be_read_are_answered_1() {
    let mut rig = Rig::new();
    for key in ["consumerGroup", "topic", "queueId", "queueOffset", "maxMsgNums", "sysFlag"] {
        assert_eq!(code(&mut rig, &without(pull(0, 0, "*", None), key)), 1, "{key}");
    }
    assert_eq!(code(&mut rig, &with(pull(0, 0, "*", None), "queueOffset", "1e3")), 1);
    assert_eq!(code(&mut rig, &without(pull(0, 0, "*", Some(1)), "suspendTimeoutMillis")), 1);
    for key in ["subVersion", "commitOffset", "expressionType", "subscription", "suspendTimeoutMillis"] {
        assert_eq!(code(&mut rig, &without(pull(0, 0, "*", None), key)), 19, "{key} is not needed");
    }
}

#[test]
fn what_the_page_cache_lacks_is_read_by_the_owner() {
    let (mut rig, conn) = filled();
    rig.fs.block_reads(true);
    rig.keep_reads = true;
    let view = request(33, &[("offset", "0")]);
    let search = request(29, &[("topic", TOPIC), ("queueId", "0"), ("timestamp", "0")]);
    let earliest = request(32, &[("topic", TOPIC), ("queueId", "0")]);
    for (opaque, request) in [pull(0, 0, "*", None), view, search, earliest].iter_mut().enumerate() {
        request.opaque = opaque as i32;
        rig.request(conn, request);
    }
    assert_eq!(rig.broker.statistics().reads_waiting, rig.reads.len());
    assert!(rig.reads.len() >= 2, "records are on the disk");
    assert_eq!(rig.call(conn, &request(30, &[("topic", TOPIC), ("queueId", "0")])).code, 0, "others go on");
    while !rig.reads.is_empty() {
        rig.read();
    }
    let mut answers: Vec<Command> = std::iter::from_fn(|| rig.answer(conn)).collect();
    answers.sort_by_key(|answer| answer.opaque);
    assert_eq!(answers.iter().map(|answer| answer.code).collect::<Vec<_>>(), [0, 0, 0, 0]);
    assert_eq!(bodies(&answers[0]).len(), 3);
    assert_eq!(bodies(&answers[1]), ["m0"]);
}

#[test]
fn a_read_for_a_connection_that_is_gone_answers_nobody() {
    let (mut rig, conn) = filled();
    rig.fs.block_reads(true);
    rig.keep_reads = true;
    rig.request(conn, &pull(0, 0, "*", None));
    rig.broker.closed(conn, rig.now);
    rig.read();
    assert_eq!((rig.answer(conn), rig.broker.statistics().reads_waiting), (None, 0));
}

#[test]
fn a_connection_may_have_64_reads_at_the_disk() {
    let (mut rig, conn) = filled();
    rig.fs.block_reads(true);
    rig.keep_reads = true;
    for _ in 0..70 {
        rig.request(conn, &pull(0, 0, "*", None));
    }
    assert_eq!((rig.reads.len(), rig.is_paused(conn)), (64, true));
    let mut answered = 0;
    while !rig.reads.is_empty() {
        rig.read();
        answered += std::iter::from_fn(|| rig.answer(conn)).count();
    }
    assert_eq!((answered, rig.is_paused(conn)), (70, false));
}

#[test]
fn a_failed_read_is_answered_1() {
    let (mut rig, conn) = filled();
    rig.faults.fail_from(rocketmq_lite_core::store::Fault::Read, 1, std::io::ErrorKind::Other);
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 1);
    rig.faults.heal();
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 0);
}

#[test]
fn log_lines_are_limited() {
    let (mut rig, conn) = filled();
    rig.faults.fail_from(rocketmq_lite_core::store::Fault::Read, 1, std::io::ErrorKind::Other);
    for _ in 0..150 {
        assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 1);
    }
    assert_eq!((rig.cold.len(), rig.broker.statistics().logs_dropped), (100, 50));
}
