//! What the tables lack is asked for once; what asked for it waits in order and loses nothing.

use rocketmq_lite_core::session::{Cold, Control, GroupEntry, Missing, MissingKind, TopicEntry};
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

const NEW: &str = "new-topic";

fn asked(rig: &mut Rig) -> Missing {
    match rig.next_cold() {
        Some(Cold::Missing(missing)) => missing,
        other => panic!("not asked: {other:?}"),
    }
}

fn numbered(opaque: i32, mut request: Command) -> Command {
    request.opaque = opaque;
    request
}

fn opaques(rig: &mut Rig, conn: rocketmq_lite_core::session::ConnId) -> Vec<(i32, i32)> {
    std::iter::from_fn(|| rig.answer(conn)).map(|answer| (answer.opaque, answer.code)).collect()
}

fn retry(rig: &mut Rig, kind: MissingKind, name: &str) {
    rig.submit(Control::Retry { kind, name: name.to_owned() });
}

#[test]
fn an_unknown_topic_is_asked_for_once() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for opaque in 0..3 {
        rig.request(conn, &numbered(opaque, send_to(NEW, 0, &opaque.to_string(), &[])));
    }
    let missing = Missing::Topic {
        name: NEW.to_owned(),
        default_topic: "TBW102".to_owned(),
        queue_nums: 4,
        unit: false,
    };
    assert_eq!(asked(&mut rig), missing);
    assert_eq!((rig.next_cold().is_none(), rig.answer(conn)), (true, None));
    assert_eq!(rig.broker.statistics().parked, 3);
    rig.submit(Control::PutTopic(TopicEntry::new(NEW, 1)));
    retry(&mut rig, MissingKind::Topic, NEW);
    assert_eq!(opaques(&mut rig, conn), [(0, 0), (1, 0), (2, 0)]);
    let pulled = rig.call(conn, &with(pull(0, 0, "*", None), "topic", NEW));
    assert_eq!(bodies(&pulled), ["0", "1", "2"]);
}

#[test]
fn nobody_overtakes_those_who_wait() {
    let mut rig = Rig::new();
    let (first, second) = (rig.connect(), rig.connect());
    rig.request(first, &send_to(NEW, 0, "first", &[]));
    rig.submit(Control::PutTopic(TopicEntry::new(NEW, 1)));
    rig.request(second, &oneway(send_to(NEW, 0, "second", &[])));
    assert_eq!(rig.broker.statistics().parked, 2);
    retry(&mut rig, MissingKind::Topic, NEW);
    let pulled = rig.call(first, &with(pull(0, 0, "*", None), "topic", NEW));
    assert_eq!(pulled.code, 0);
    let pulled = rig.answer(first).unwrap_or(pulled);
    assert_eq!(bodies(&pulled), ["first", "second"]);
}

#[test]
fn other_topics_do_not_wait() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &numbered(1, send_to(NEW, 0, "x", &[])));
    rig.request(conn, &numbered(2, send(0, "x", &[])));
    assert_eq!(opaques(&mut rig, conn), [(2, 0)]);
}

#[test]
fn a_refusal_answers_all_who_wait() {
    let mut rig = Rig::new();
    let (one, two) = (rig.connect(), rig.connect());
    rig.request(one, &send_to(NEW, 0, "x", &[]));
    rig.request(two, &oneway(send_to(NEW, 0, "x", &[])));
    rig.request(two, &send_to(NEW, 0, "x", &[]));
    let (name, remark) = (NEW.to_owned(), "no template".to_owned());
    rig.submit(Control::Refuse { kind: MissingKind::Topic, name, code: 17, remark });
    let answer = rig.answer(one).unwrap();
    assert_eq!((answer.code, answer.remark.as_deref()), (17, Some("no template")));
    assert_eq!(opaques(&mut rig, two), [(7, 17)]);
    let statistics = rig.broker.statistics();
    assert_eq!((statistics.parked, statistics.messages_in), (0, 0));
    asked(&mut rig);
    rig.request(one, &send_to(NEW, 0, "x", &[]));
    asked(&mut rig);
}

#[test]
fn a_retry_without_the_name_refuses() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &send_to(NEW, 0, "x", &[]));
    retry(&mut rig, MissingKind::Topic, NEW);
    assert_eq!(opaques(&mut rig, conn), [(7, 17)]);
    rig.request(conn, &with(pull(0, 0, "*", None), "consumerGroup", "nobody"));
    retry(&mut rig, MissingKind::Group, "nobody");
    assert_eq!(opaques(&mut rig, conn), [(7, 26)]);
    retry(&mut rig, MissingKind::Group, "never-asked");
}

#[test]
fn checks_before_the_topic_come_before_the_wait() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &send_to("a b", 0, "x", &[])).code, 29);
    assert_eq!(
        rig.call(conn, &without(send_to(NEW, 0, "x", &[]), "d")).code,
        17,
        "no queue count to make it with"
    );
    rig.request(conn, &send_to(NEW, 7, "x", &[]));
    rig.submit(Control::PutTopic(TopicEntry::new(NEW, 4)));
    retry(&mut rig, MissingKind::Topic, NEW);
    assert_eq!(opaques(&mut rig, conn), [(7, 29)], "the queue is checked when there is one");
}

#[test]
fn what_a_closed_connection_waits_for_is_dropped() {
    let mut rig = Rig::new();
    let (gone, there) = (rig.connect(), rig.connect());
    rig.request(gone, &send_to(NEW, 0, "gone", &[]));
    rig.request(there, &send_to(NEW, 0, "there", &[]));
    rig.broker.closed(gone, rig.now);
    assert_eq!(rig.broker.statistics().parked, 1);
    rig.submit(Control::PutTopic(TopicEntry::new(NEW, 1)));
    retry(&mut rig, MissingKind::Topic, NEW);
    let pulled = with(pull(0, 0, "*", None), "topic", NEW);
    assert_eq!(opaques(&mut rig, there), [(7, 0)]);
    assert_eq!(bodies(&rig.call(there, &pulled)), ["there"]);
}

#[test]
fn a_retry_topic_waits_for_topic_then_group_then_dead_letters() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let (retry_topic, dead) = ("%RETRY%g2", "%DLQ%g2");
    rig.request(conn, &with(send_to(retry_topic, 0, "x", &[]), "j", "17"));
    let own = |name: &str, template: &str| Missing::Topic {
        name: name.to_owned(),
        default_topic: template.to_owned(),
        queue_nums: 1,
        unit: false,
    };
    assert_eq!(asked(&mut rig), own(retry_topic, "TBW102"));
    rig.submit(Control::PutTopic(TopicEntry::new(retry_topic, 1)));
    retry(&mut rig, MissingKind::Topic, retry_topic);
    assert_eq!(asked(&mut rig), Missing::Group { name: "g2".to_owned() });
    rig.submit(Control::PutGroup(GroupEntry::new("g2")));
    retry(&mut rig, MissingKind::Group, "g2");
    assert_eq!(asked(&mut rig), own(dead, ""));
    rig.submit(Control::PutTopic(TopicEntry::new(dead, 1)));
    retry(&mut rig, MissingKind::Topic, dead);
    assert_eq!(opaques(&mut rig, conn), [(7, 0)]);
}

#[test]
fn an_unknown_group_is_asked_for_once_and_impossible_ones_never() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let by = |group: &str| with(pull(0, 0, "*", None), "consumerGroup", group);
    rig.request(conn, &by("g3"));
    rig.request(conn, &by("g3"));
    assert_eq!(asked(&mut rig), Missing::Group { name: "g3".to_owned() });
    assert!(rig.next_cold().is_none());
    assert_eq!(rig.call(conn, &by("a b")).code, 26);
    assert_eq!(rig.call(conn, &by(&"g".repeat(121))).code, 26);
    rig.submit(Control::PutGroup(GroupEntry::new("g3")));
    retry(&mut rig, MissingKind::Group, "g3");
    assert_eq!(opaques(&mut rig, conn), [(7, 19), (7, 19)]);
}

#[test]
fn a_question_python_does_not_answer_ends_busy_and_is_asked_again() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &send_to(NEW, 0, "x", &[]));
    asked(&mut rig);
    rig.advance(60_000);
    let answer = rig.answer(conn).unwrap();
    assert_eq!((answer.code, answer.remark.unwrap().starts_with("[TIMEOUT_CLEAN_QUEUE]")), (2, true));
    rig.submit(Control::PutTopic(TopicEntry::new(NEW, 1)));
    retry(&mut rig, MissingKind::Topic, NEW);
    assert_eq!(rig.broker.statistics().messages_in, 0, "what was answered busy is not stored");
}

#[test]
fn there_is_a_limit_to_what_may_wait() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let body = "x".repeat(4 * 1024 * 1024);
    let mut accepted = 0;
    while rig.broker.statistics().overloaded == 0 {
        rig.request(conn, &send_to(NEW, 0, &body, &[]));
        accepted += 1;
    }
    assert_eq!(accepted, 16, "the sixteenth does not fit into 64 MiB any more");
    let answer = rig.answer(conn).unwrap();
    assert_eq!((answer.code, answer.remark.unwrap().starts_with("[OVERLOAD]")), (2, true));
}
