//! What a connection may do to itself, and never to others.

use rocketmq_lite_core::session::{Cold, Control, Value};
use rocketmq_lite_core::wire;

use crate::rig::*;

#[test]
fn a_malformed_frame_closes_its_connection_only() {
    let mut rig = Rig::new();
    let (bad, good) = (rig.connect(), rig.connect());
    rig.receive(bad, &[0, 0, 0, 2, 0, 0]);
    rig.settle();
    assert_eq!(rig.closed, [bad]);
    assert!(
        rig.cold
            .iter()
            .any(|cold| matches!(cold, Cold::Log { text, .. } if text.contains("127.0.0.1:56992")))
    );
    assert_eq!(rig.call(good, &send(0, "x", &[])).code, 0);
    rig.receive(bad, &[0; 100]);
    rig.settle();
    assert_eq!(rig.closed, [bad], "closed once");
}

#[test]
fn a_gigabyte_length_word_is_refused_before_a_byte_of_it() {
    let mut rig = Rig::new();
    let (bad, good) = (rig.connect(), rig.connect());
    rig.receive(bad, &[0x40, 0, 0, 0]);
    rig.settle();
    assert_eq!(rig.closed, [bad]);
    assert_eq!(rig.call(good, &send(0, "x", &[])).code, 0);
}

#[test]
fn what_came_before_the_malformed_frame_is_served() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut bytes = Vec::new();
    wire::encode(&request(30, &[("topic", TOPIC), ("queueId", "0")]), &mut bytes).unwrap();
    bytes.extend([0xff; 8]);
    rig.receive(conn, &bytes);
    rig.settle();
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert_eq!(rig.closed, [conn]);
}

#[test]
fn frames_may_come_in_any_pieces() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let mut bytes = Vec::new();
    wire::encode(&send(0, "one", &[]), &mut bytes).unwrap();
    wire::encode(&send(0, "two", &[]), &mut bytes).unwrap();
    for byte in bytes {
        rig.receive(conn, &[byte]);
    }
    rig.settle();
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
}

#[test]
fn a_flood_of_garbage_is_one_line_a_minute() {
    let mut rig = Rig::new();
    let garbage = |rig: &mut Rig, times: usize| {
        for _ in 0..times {
            let conn = rig.connect();
            rig.receive(conn, &[0xff; 4]);
        }
        rig.settle();
    };
    garbage(&mut rig, 150);
    assert_eq!((rig.closed.len(), rig.cold.len()), (150, 1));
    rig.advance(60_000);
    garbage(&mut rig, 1);
    let lines: Vec<_> = rig.cold.iter().map(|cold| format!("{cold:?}")).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("closing the connection from"), "{lines:?}");
    assert!(lines[1].contains("(149 more since the last such line)"), "{lines:?}");
}

#[test]
fn a_silent_connection_is_closed_after_two_minutes() {
    let mut rig = Rig::new();
    let (silent, busy) = (rig.connect(), rig.connect());
    rig.advance(60_000);
    rig.call(busy, &send(0, "x", &[]));
    rig.advance(59_999);
    assert!(rig.closed.is_empty());
    rig.advance(1);
    assert_eq!(rig.closed, [silent]);
    rig.advance(59_999);
    assert_eq!(rig.closed, [silent]);
    rig.advance(1);
    assert_eq!(rig.closed, [silent, busy]);
    assert_eq!(rig.broker.next_deadline(), None);
}

#[test]
fn a_client_that_does_not_read_is_not_read() {
    let mut rig = Rig::new();
    let (producer, slow) = (rig.connect(), rig.connect());
    let body = "x".repeat(250 * 1024);
    for _ in 0..4 {
        rig.store(producer, 0, &body, "a");
    }
    rig.keep_sent = true;
    let mut asked = 0;
    while !rig.is_paused(slow) {
        rig.request(slow, &with(pull(0, 0, "*", None), "maxMsgNums", "1"));
        asked += 1;
    }
    assert!((15..=18).contains(&asked), "4 MiB of {asked} answers");
    rig.request(slow, &pull(0, 0, "*", None));
    let answers = std::iter::from_fn(|| rig.answer(slow)).count();
    assert_eq!(answers, asked, "the last request waits");
    assert_eq!(rig.call(producer, &send(1, "x", &[])).code, 0, "others are served");
    rig.report_sent(slow);
    rig.settle();
    assert!(!rig.is_paused(slow));
    assert_eq!(rig.answer(slow).map(|answer| answer.code), Some(0));
}

#[test]
fn held_pulls_of_a_client_that_does_not_read_wait_too() {
    let mut rig = Rig::new();
    let (producer, slow) = (rig.connect(), rig.connect());
    rig.keep_sent = true;
    for _ in 0..40 {
        rig.request(slow, &pull(0, 0, "*", Some(60_000)));
    }
    let body = "x".repeat(250 * 1024);
    rig.request(producer, &send(0, &body, &[]));
    let first = std::iter::from_fn(|| rig.answer(slow)).count();
    assert!((15..=18).contains(&first), "{first} answers are 4 MiB");
    let mut all = first;
    while rig.is_paused(slow) {
        rig.report_sent(slow);
        rig.settle();
        all += std::iter::from_fn(|| rig.answer(slow)).count();
    }
    assert_eq!(all, 40);
}

#[test]
fn python_can_close_a_connection_after_what_it_was_sent() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.deliver(conn, &send(9, "x", &[]));
    assert_eq!(rig.submit(Control::CloseConnection { conn }), Some(Value::Delivered(true)));
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(29));
    assert_eq!(rig.closed, [conn]);
    assert_eq!(rig.submit(Control::CloseConnection { conn }), Some(Value::Delivered(false)));
    assert_eq!(rig.broker.statistics().connections, 0);
}

#[test]
fn connection_numbers_are_never_used_twice() {
    let mut rig = Rig::new();
    let first = rig.connect();
    rig.broker.closed(first, rig.now);
    assert_ne!(rig.connect(), first);
    let statistics = rig.broker.statistics();
    assert_eq!((statistics.connections, statistics.connections_total), (1, 2));
}

fn log_lines(rig: &Rig) -> Vec<&str> {
    rig.cold
        .iter()
        .filter_map(|cold| match cold {
            Cold::Log { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn idle_connections_that_stopped_in_the_middle_are_logged_once() {
    let mut rig = Rig::new();
    let (quiet, half, other_half) = (rig.connect(), rig.connect(), rig.connect());
    for conn in [half, other_half] {
        rig.receive(conn, &[0, 0, 1, 0, 0]);
    }
    rig.advance(121_000);
    rig.settle();
    rig.closed.sort_unstable();
    assert_eq!(rig.closed, [quiet, half, other_half]);
    let lines = log_lines(&rig);
    assert!(
        matches!(lines[..], [line] if line.contains("nothing moved for 120 s, 5 bytes of a frame")),
        "{lines:?}"
    );
}

#[test]
fn a_client_that_never_reads_is_closed_and_logged() {
    let mut rig = Rig::new();
    rig.keep_sent = true;
    let deaf = rig.connect();
    assert_eq!(rig.call(deaf, &send(0, "x", &[])).code, 0);
    rig.advance(121_000);
    rig.settle();
    assert_eq!(rig.closed, [deaf]);
    let lines = log_lines(&rig);
    assert!(matches!(lines[..], [line] if line.contains("bytes of answers are not read")), "{lines:?}");
}

#[test]
fn a_client_behind_a_load_balancer_is_known_by_its_own_address() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let client = "10.0.0.7:4711".parse().unwrap();
    rig.broker.proxied(conn, client);
    rig.request(conn, &request(34, &[]));
    assert!(rig.cold.iter().any(|cold| matches!(cold, Cold::Command { peer, .. } if *peer == client)));
    rig.store(conn, 0, "x", "a");
    let pulled = rig.call(conn, &pull(0, 0, "*", None));
    let [message] = &messages(&pulled.body)[..] else { panic!("one message") };
    assert_eq!(message.born_host.to_string(), "127.0.0.1:56992", "born where the socket ends");
    rig.receive(conn, &[0xff; 8]);
    rig.settle();
    assert!(
        rig.cold.iter().any(|cold| matches!(cold, Cold::Log { text, .. } if text.contains("10.0.0.7:4711")))
    );
}
