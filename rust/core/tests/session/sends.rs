//! A good send is stored as it came, with the broker's properties, and is answered with its place.

use rocketmq_lite_core::record::{message_id, properties};
use rocketmq_lite_core::session::{Control, TopicEntry};
use rocketmq_lite_core::wire::Codec;

use crate::rig::*;

#[test]
fn the_answer_tells_where_the_message_is() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let answer = rig.call(conn, &send(2, "hello", &[("UNIQ_KEY", "KEY1"), ("TAGS", "a")]));
    assert_eq!((answer.code, answer.remark.as_deref()), (0, None));
    assert_eq!(number(&answer, "queueId"), 2);
    assert_eq!(number(&answer, "queueOffset"), 0);
    assert_eq!(answer.fields.get("transactionId"), Some("KEY1"));
    assert_eq!(answer.fields.get("msgId"), Some("7F000001000045F70000000000000000"));
    assert_eq!(answer.fields.get("MSG_REGION"), Some("DefaultRegion"));
    assert_eq!(answer.fields.get("TRACE_ON"), Some("true"));
    let second = rig.call(conn, &send(2, "hello", &[]));
    assert_eq!(number(&second, "queueOffset"), 1);
    let (host, offset) = message_id::parse_offset_id(second.fields.get("msgId").unwrap()).unwrap();
    assert_eq!((host.to_string().as_str(), offset > 0), ("127.0.0.1:17911", true));
}

#[test]
fn an_answer_has_the_header_type_of_its_request() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for codec in [Codec::Json, Codec::Rocketmq] {
        let mut request = send(0, "x", &[]);
        request.codec = codec;
        assert_eq!(rig.call(conn, &request).codec, codec);
    }
}

#[test]
fn the_record_holds_what_was_sent_and_what_the_broker_adds() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let sent = send(1, "hello", &[("WAIT", "true"), ("POP_CK", "gone"), ("MSG_REGION", "mine"), ("k", "v")]);
    rig.call(conn, &with(with(sent, "f", "1"), "j", "3"));
    let pulled = rig.call(conn, &pull(1, 0, "*", None));
    let all = messages(&pulled.body);
    let message = &all[0];
    assert_eq!((message.topic, message.queue_id, message.body), (TOPIC, 1, &b"hello"[..]));
    assert_eq!((message.flag, message.sys_flag, message.reconsume_times), (5, 1, 3));
    assert_eq!((message.born_timestamp, message.store_timestamp), (1_795_418_275_533, START.wall_ms));
    assert_eq!(message.born_host.to_string(), "127.0.0.1:56992");
    assert_eq!(message.store_host.to_string(), "127.0.0.1:17911");
    let get = |name| properties::get(message.properties, name);
    assert_eq!((get("WAIT"), get("k"), get("POP_CK")), (Some("true"), Some("v"), None));
    assert_eq!((get("CLUSTER"), get("MSG_REGION")), (Some("DefaultCluster"), Some("DefaultRegion")));
    assert_eq!(get("TRACE_ON"), Some("true"));
    assert_eq!(get("UNIQ_KEY").unwrap().len(), 32, "made by the broker");
}

#[test]
fn the_long_names_of_code_10_mean_the_same() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut request = request(
        10,
        &[
            ("producerGroup", "PG"),
            ("topic", TOPIC),
            ("defaultTopic", "TBW102"),
            ("defaultTopicQueueNums", "4"),
            ("queueId", "3"),
            ("sysFlag", "0"),
            ("bornTimestamp", "1"),
            ("flag", "9"),
            ("properties", "TAGS\u{1}t\u{2}"),
        ],
    );
    request.body = "old".into();
    assert_eq!(number(&rig.call(conn, &request), "queueId"), 3);
    let pulled = rig.call(conn, &pull(3, 0, "t", None));
    assert_eq!(bodies(&pulled), ["old"]);
    assert_eq!(messages(&pulled.body)[0].flag, 9);
}

#[test]
fn a_negative_queue_means_any() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut seen = [0; 4];
    for _ in 0..200 {
        seen[number(&rig.call(conn, &send(-1, "x", &[])), "queueId") as usize] += 1;
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}

#[test]
fn a_topic_of_several_tags_marks_its_messages() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut topic = TopicEntry::new("many", 1);
    topic.multi_tag = true;
    rig.submit(Control::PutTopic(topic));
    let answer = rig.call(conn, &send_to("many", 0, "x", &[]));
    let view = request(33, &[("offset", "0")]);
    assert_eq!(answer.code, 0);
    let viewed = rig.call(conn, &view);
    assert_eq!(messages(&viewed.body)[0].sys_flag, 2);
}

#[test]
fn a_oneway_send_is_stored_and_never_answered() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &oneway(send(0, "quiet", &[])));
    rig.request(conn, &oneway(send(9, "refused", &[])));
    assert_eq!(rig.answer(conn), None);
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["quiet"]);
}

#[test]
fn the_sends_of_a_round_are_one_run_in_order() {
    let mut rig = Rig::new();
    let (one, two) = (rig.connect(), rig.connect());
    for number in 0..10 {
        let conn = if number % 2 == 0 { one } else { two };
        let mut request = send(0, &number.to_string(), &[]);
        request.opaque = number;
        rig.deliver(conn, &request);
    }
    rig.settle();
    let offsets = |rig: &mut Rig, conn| {
        std::iter::from_fn(|| rig.answer(conn))
            .map(|answer| (i64::from(answer.opaque), number(&answer, "queueOffset")))
            .collect::<Vec<_>>()
    };
    assert_eq!(offsets(&mut rig, one), [0, 2, 4, 6, 8].map(|n| (n, n)));
    assert_eq!(offsets(&mut rig, two), [1, 3, 5, 7, 9].map(|n| (n, n)));
    let statistics = rig.broker.statistics();
    assert_eq!((statistics.runs, statistics.largest_run, statistics.messages_in), (1, 10, 10));
}

#[test]
fn what_a_connection_asks_after_a_send_sees_the_message() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.deliver(conn, &send(0, "first", &[]));
    rig.deliver(conn, &pull(0, 0, "*", None));
    rig.settle();
    let codes: Vec<i32> = std::iter::from_fn(|| rig.answer(conn)).map(|answer| answer.code).collect();
    assert_eq!(codes, [0, 0]);
}

#[test]
fn a_very_large_round_is_settled_before_the_poll() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let body = "x".repeat(1024 * 1024);
    for _ in 0..5 {
        rig.deliver(conn, &send(0, &body, &[]));
    }
    assert_eq!(rig.broker.statistics().runs, 1);
    rig.settle();
    assert_eq!(rig.broker.statistics().messages_in, 5);
}
