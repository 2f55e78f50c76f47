//! Requests for Python: handed on once, answered by token, bounded; and requests from Python.

use rocketmq_lite_core::session::{Cold, ConnId, Control, Principal, Value};
use rocketmq_lite_core::wire::{Codec, Command, FLAG_RESPONSE, Fields};

use crate::rig::*;

const HEART_BEAT: i32 = 34;
const TOPICS: i32 = 21;

/// Connection, token and command of the next cold command.
fn taken(rig: &mut Rig) -> (ConnId, u64, Command) {
    match rig.next_cold() {
        Some(Cold::Command { conn, token, principal: Principal::Anyone, command, .. }) => {
            (conn, token, command)
        }
        other => panic!("no command: {other:?}"),
    }
}

fn respond(rig: &mut Rig, token: u64, code: i32) {
    let mut command = Command::request(code, 999, Fields::new());
    command.body = "body".into();
    rig.submit(Control::Respond { token, command });
}

#[test]
fn an_answer_takes_opaque_and_codec_from_its_request() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut asked = request(TOPICS, &[("a", "b")]);
    for codec in [Codec::Rocketmq, Codec::Json] {
        (asked.codec, asked.opaque) = (codec, -5);
        rig.request(conn, &asked);
        let (from, token, command) = taken(&mut rig);
        assert_eq!((from, command), (conn, asked.clone()));
        respond(&mut rig, token, 0);
        let answer = rig.answer(conn).unwrap();
        assert_eq!((answer.code, answer.opaque, answer.codec), (0, -5, codec));
        assert_eq!((answer.flag, &answer.body[..]), (FLAG_RESPONSE, &b"body"[..]));
        respond(&mut rig, token, 0);
        assert_eq!(rig.answer(conn), None, "a token is good once");
    }
}

#[test]
fn unknown_codes_are_pythons_to_refuse() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for code in [0, -1, 37, 9_999, i32::MAX] {
        rig.request(conn, &request(code, &[]));
        assert_eq!(taken(&mut rig).2.code, code);
    }
}

#[test]
fn tokens_of_nobody_are_ignored() {
    let mut rig = Rig::new();
    for token in [0, 1, u64::MAX] {
        respond(&mut rig, token, 0);
    }
    let conn = rig.connect();
    rig.request(conn, &request(TOPICS, &[]));
    let (_, token, _) = taken(&mut rig);
    rig.broker.closed(conn, rig.now);
    respond(&mut rig, token, 0);
    assert_eq!(rig.answer(conn), None);
}

#[test]
fn oneway_commands_have_no_token() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &oneway(request(42, &[])));
    assert_eq!(taken(&mut rig).1, 0);
    assert_eq!(rig.broker.statistics().cold_waiting, 0);
}

#[test]
fn a_connection_may_ask_64_things_at_a_time_and_always_heartbeat() {
    let mut rig = Rig::new();
    let (busy, other) = (rig.connect(), rig.connect());
    for _ in 0..64 {
        rig.request(busy, &request(TOPICS, &[]));
        taken(&mut rig);
    }
    assert_eq!(rig.answer(busy), None);
    let answer = rig.call(busy, &request(TOPICS, &[]));
    assert_eq!((answer.code, answer.remark.unwrap().starts_with("[OVERLOAD]")), (2, true));
    rig.request(busy, &request(HEART_BEAT, &[]));
    assert_eq!(taken(&mut rig).2.code, HEART_BEAT);
    rig.request(other, &request(TOPICS, &[]));
    let (_, token, _) = taken(&mut rig);
    respond(&mut rig, token, 0);
    assert_eq!(rig.call(busy, &send(0, "x", &[])).code, 0, "hot requests are not concerned");
    assert_eq!(rig.broker.statistics().overloaded, 1);
}

#[test]
fn all_connections_together_may_ask_10000_things() {
    let mut rig = Rig::new();
    for _ in 0..157 {
        let conn = rig.connect();
        for _ in 0..64 {
            rig.request(conn, &request(TOPICS, &[]));
        }
    }
    let statistics = rig.broker.statistics();
    assert_eq!((statistics.cold_waiting, statistics.overloaded), (10_000, 48));
}

#[test]
fn oneway_commands_are_limited_by_the_second() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for _ in 0..100 {
        rig.request(conn, &oneway(request(42, &[])));
    }
    assert_eq!((rig.cold.len(), rig.broker.statistics().overloaded), (64, 36));
    rig.advance(1_000);
    rig.request(conn, &oneway(request(42, &[])));
    assert_eq!(rig.cold.len(), 65);
}

#[test]
fn requests_python_never_answers_make_room_again() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for _ in 0..64 {
        rig.request(conn, &request(TOPICS, &[]));
    }
    let (_, token, _) = taken(&mut rig);
    rig.advance(60_000);
    assert_eq!(rig.broker.statistics().cold_waiting, 0);
    respond(&mut rig, token, 0);
    assert_eq!(rig.answer(conn), None);
    rig.request(conn, &request(TOPICS, &[]));
    assert_eq!(rig.broker.statistics().cold_waiting, 1);
}

#[test]
fn a_change_of_tables_comes_before_the_answer() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &request(17, &[]));
    let (_, token, _) = taken(&mut rig);
    let topic = rocketmq_lite_core::session::TopicEntry::new("made", 1);
    rig.broker.submit(0, Control::PutTopic(topic), rig.now);
    respond(&mut rig, token, 0);
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert_eq!(rig.call(conn, &send_to("made", 0, "x", &[])).code, 0);
}

#[test]
fn a_closed_connection_is_told_if_python_knows_it() {
    let mut rig = Rig::new();
    let (known, unknown) = (rig.connect(), rig.connect());
    rig.request(known, &oneway(request(HEART_BEAT, &[])));
    taken(&mut rig);
    rig.call(unknown, &send(0, "x", &[]));
    rig.broker.closed(unknown, rig.now);
    rig.broker.closed(known, rig.now);
    rig.broker.closed(known, rig.now);
    rig.settle();
    let closed: Vec<_> = std::iter::from_fn(|| rig.next_cold()).collect();
    assert!(matches!(closed[..], [Cold::Closed { conn }] if conn == known), "{closed:?}");
}

#[test]
fn a_push_is_a_request_of_ours_and_its_answer_comes_back() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let push = |conn, command| Control::Push { conn, command };
    rig.broker.submit(42, push(conn, request(307, &[("k", "v")])), rig.now);
    rig.settle();
    assert_eq!(rig.done, [(42, Value::Delivered(true))]);
    let pushed = rig.answer(conn).unwrap();
    assert_eq!((pushed.code, pushed.flag, pushed.fields.get("k")), (307, 0, Some("v")));
    assert_eq!(pushed.codec, Codec::Json, "which every client reads");
    rig.request(conn, &Command::response(0, pushed.opaque, pushed.codec));
    let (from, token, command) = taken(&mut rig);
    assert_eq!((from, token, command.is_response()), (conn, 42, true));
    rig.request(conn, &Command::response(0, pushed.opaque, pushed.codec));
    assert!(rig.next_cold().is_none(), "an answer counts once");
    assert_eq!(rig.submit(push(ConnId(99), request(307, &[]))), Some(Value::Delivered(false)));
}

#[test]
fn a_oneway_push_expects_nothing() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.submit(Control::Push { conn, command: oneway(request(40, &[])) });
    let pushed = rig.answer(conn).unwrap();
    assert!(pushed.is_oneway());
    rig.request(conn, &Command::response(0, pushed.opaque, pushed.codec));
    rig.request(conn, &Command::response(3, pushed.opaque + 1, pushed.codec));
    assert!(rig.next_cold().is_none());
}
