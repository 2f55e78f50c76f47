//! What a consumer sends back comes again later, a level later each time, and ends among the dead letters.

use crate::rig::{GROUP, Rig, TOPIC, messages, pull, request, send, with, without};
use rocketmq_lite_core::record::{Message, message_id, properties};
use rocketmq_lite_core::session::{Cold, Control, GroupEntry, Missing, MissingKind, TopicEntry};
use rocketmq_lite_core::wire::Command;

const RETRY: &str = "%RETRY%VG";
const DEAD: &str = "%DLQ%VG";

fn back(offset: i64, level: i32) -> Command {
    let (offset, level) = (offset.to_string(), level.to_string());
    request(
        36,
        &[
            ("offset", &offset),
            ("group", GROUP),
            ("delayLevel", &level),
            ("originMsgId", "7F00"),
            ("originTopic", TOPIC),
            ("unitMode", "false"),
        ],
    )
}

fn limited(command: Command, times: i32) -> Command {
    let mut command = with(command, "maxReconsumeTimes", &times.to_string());
    command.version = 484;
    command
}

/// A broker that has the group's topics, and a message in `TOPIC`; where that is in the log.
fn with_message() -> (Rig, i64) {
    let mut rig = Rig::new();
    rig.submit(Control::PutTopic(TopicEntry::new(RETRY, 1)));
    rig.submit(Control::PutTopic(TopicEntry::new(DEAD, 1)));
    let conn = rig.connect();
    rig.call(conn, &send(3, "x", &[("TAGS", "a"), ("KEYS", "k")]));
    let physical = only(&mut rig, TOPIC, 3, 0, |message| message.physical_offset);
    (rig, physical)
}

/// Something of the only message from an offset on.
fn only<T>(rig: &mut Rig, topic: &str, queue: i32, offset: i64, what: impl Fn(&Message<'_>) -> T) -> T {
    let conn = rig.connect();
    let answer = rig.call(conn, &with(pull(queue, offset, "*", None), "topic", topic));
    let found = messages(&answer.body);
    assert_eq!(found.len(), 1, "{topic} {answer:?}");
    what(&found[0])
}

fn call(rig: &mut Rig, request: &Command) -> (i32, String) {
    let conn = rig.connect();
    let answer = rig.call(conn, request);
    assert!(answer.fields.iter().next().is_none(), "the header is empty");
    (answer.code, answer.remark.unwrap_or_default())
}

#[test]
fn each_attempt_waits_a_level_longer_and_the_last_is_a_dead_letter() {
    let (mut rig, first) = with_message();
    let mut physical = first;
    for (times, seconds) in [10, 30, 60].into_iter().enumerate() {
        assert_eq!(call(&mut rig, &limited(back(physical, 0), 3)).0, 0);
        rig.advance(seconds * 1_000);
        let queue_id = times as i32 + 2;
        rig.submit(Control::DeliverScheduled { queue_id, offset: 0 });
        physical = only(&mut rig, RETRY, 0, times as i64, |message| {
            assert_eq!((message.reconsume_times, message.flag), (times as i32 + 1, 5));
            let get = |name| properties::get(message.properties, name).unwrap_or_default().to_owned();
            let id = message_id::offset_id("127.0.0.1:17911".parse().unwrap(), first);
            assert_eq!((get("RETRY_TOPIC"), get("ORIGIN_MESSAGE_ID")), (TOPIC.to_owned(), id));
            assert_eq!((get("WAIT"), get("REAL_TOPIC")), ("false".to_owned(), RETRY.to_owned()));
            assert_eq!((get("DELAY"), get("TAGS")), ((times + 3).to_string(), "a".to_owned()));
            message.physical_offset
        });
    }
    assert_eq!(call(&mut rig, &limited(back(physical, 0), 3)).0, 0);
    only(&mut rig, DEAD, 0, 0, |message| {
        assert_eq!((message.reconsume_times, message.body), (4, &b"x"[..]));
        assert_eq!(properties::get(message.properties, "DELAY"), Some("0"));
        assert_eq!(properties::get(message.properties, "RETRY_TOPIC"), Some(TOPIC));
    });
}

#[test]
fn a_consumer_may_choose_the_level_or_give_the_message_up() {
    let (mut rig, physical) = with_message();
    assert_eq!(call(&mut rig, &back(physical, 1)).0, 0);
    rig.advance(1_000);
    rig.submit(Control::DeliverScheduled { queue_id: 0, offset: 0 });
    only(&mut rig, RETRY, 0, 0, |message| assert_eq!(message.reconsume_times, 1));
    assert_eq!(call(&mut rig, &back(physical, -1)).0, 0);
    only(&mut rig, DEAD, 0, 0, |message| assert_eq!(message.reconsume_times, 1));
}

#[test]
fn without_a_limit_in_the_request_the_groups_counts() {
    let (mut rig, physical) = with_message();
    let mut group = GroupEntry::new(GROUP);
    group.retry_max_times = 0;
    rig.submit(Control::PutGroup(group));
    let mut old = limited(back(physical, 0), 5);
    old.version = 120;
    assert_eq!(call(&mut rig, &old).0, 0, "clients before 3.4.9 do not say");
    only(&mut rig, DEAD, 0, 0, |_| ());
    assert_eq!(call(&mut rig, &limited(back(physical, 0), 5)).0, 0);
    rig.submit(Control::PutTopic(TopicEntry::new("SCHEDULE_TOPIC_XXXX", 18)));
    only(&mut rig, "SCHEDULE_TOPIC_XXXX", 2, 0, |message| assert_eq!(message.reconsume_times, 1));
}

#[test]
fn what_cannot_be_is_refused_and_stores_nothing() {
    let (mut rig, physical) = with_message();
    let before = rig.broker.statistics().log_end;
    for key in ["offset", "group", "delayLevel"] {
        assert_eq!(call(&mut rig, &without(back(physical, 0), key)).0, 1, "{key}");
    }
    let (code, remark) = call(&mut rig, &back(physical + 1, 0));
    assert_eq!((code, remark.contains(&(physical + 1).to_string())), (1, true), "{remark}");
    assert_eq!(call(&mut rig, &back(1 << 40, 0)).0, 1);
    assert_eq!(call(&mut rig, &with(back(physical, 0), "group", "no group")).0, 26);
    rig.submit(Control::SetAcceptWrites(false));
    assert_eq!(call(&mut rig, &back(physical, 0)).0, 14);
    rig.submit(Control::SetAcceptWrites(true));
    let mut group = GroupEntry::new(GROUP);
    group.retry_queues = 0;
    rig.submit(Control::PutGroup(group));
    assert_eq!(call(&mut rig, &back(physical, 0)).0, 0, "a group without retry wants nothing back");
    let mut closed = TopicEntry::new(RETRY, 1);
    closed.permission = 4;
    rig.submit(Control::PutGroup(GroupEntry::new(GROUP)));
    rig.submit(Control::PutTopic(closed));
    assert_eq!(call(&mut rig, &back(physical, 0)).0, 16);
    assert_eq!(rig.broker.statistics().log_end, before);
}

#[test]
fn python_is_asked_for_the_group_and_its_topics() {
    let (mut rig, physical) = with_message();
    rig.submit(Control::RemoveGroup { name: GROUP.to_owned(), clean_offsets: false });
    rig.submit(Control::RemoveTopic { name: DEAD.to_owned() });
    let conn = rig.connect();
    rig.request(conn, &back(physical, -1));
    let asked = rig.next_cold();
    assert!(matches!(asked, Some(Cold::Missing(Missing::Group { ref name })) if name == GROUP), "{asked:?}");
    rig.submit(Control::PutGroup(GroupEntry::new(GROUP)));
    rig.submit(Control::Retry { kind: MissingKind::Group, name: GROUP.to_owned() });
    let Some(Cold::Missing(asked)) = rig.next_cold() else { panic!("the topic is asked for") };
    let expected =
        Missing::Topic { name: DEAD.to_owned(), default_topic: String::new(), queue_nums: 1, unit: false };
    assert_eq!(asked, expected);
    assert!(rig.answer(conn).is_none());
    rig.submit(Control::PutTopic(TopicEntry::new(DEAD, 1)));
    rig.submit(Control::Retry { kind: MissingKind::Topic, name: DEAD.to_owned() });
    assert_eq!(rig.answer(conn).expect("an answer").code, 0);
    only(&mut rig, DEAD, 0, 0, |_| ());
}
