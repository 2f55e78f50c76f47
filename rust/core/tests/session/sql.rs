//! Conditions over properties: which pulls they serve, what they let through, what ends a wait.

use rocketmq_lite_core::session::ConnId;
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

const HOLD: Option<u64> = Some(15_000);

/// A broker with ten messages in queue 0, whose property `n` is 0 to 9.
fn numbered() -> (Rig, ConnId) {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for n in 0..10 {
        store(&mut rig, conn, n);
    }
    (rig, conn)
}

fn store(rig: &mut Rig, conn: ConnId, n: i32) {
    let answer = rig.call(conn, &send(0, &format!("m{n}"), &[("n", &n.to_string())]));
    assert_eq!(answer.code, 0, "{answer:?}");
}

/// A pull that brings its condition.
fn with_condition(offset: i64, condition: &str) -> Command {
    with(pull(0, offset, condition, None), "expressionType", "SQL92")
}

#[test]
fn a_registered_condition_chooses_messages() {
    let (mut rig, conn) = numbered();
    rig.subscribe_by("SQL92", "n > 6 OR n = 2", 5);
    let answer = rig.call(conn, &registered(0, 0, 5, None));
    assert_eq!((answer.code, bodies(&answer)), (0, ["m2", "m7", "m8", "m9"].map(str::to_owned).to_vec()));
    assert_eq!(number(&answer, "nextBeginOffset"), 10);
    assert_eq!(rig.call(conn, &registered(0, 0, 6, None)).code, 25);
}

#[test]
fn a_condition_may_come_with_the_pull() {
    let (mut rig, conn) = numbered();
    assert_eq!(bodies(&rig.call(conn, &with_condition(3, "n BETWEEN 2 AND 4"))), ["m3", "m4"]);
    let nothing = rig.call(conn, &with_condition(0, "n > 100"));
    assert_eq!((nothing.code, number(&nothing, "nextBeginOffset")), (20, 10));
}

#[test]
fn unknown_and_failed_verdicts_are_not_delivered() {
    let (mut rig, conn) = numbered();
    rig.call(conn, &send(0, "none", &[]));
    rig.call(conn, &send(0, "text", &[("n", "text")]));
    assert_eq!(bodies(&rig.call(conn, &with_condition(9, "n <> 5"))), ["m9"]);
    assert_eq!(bodies(&rig.call(conn, &with_condition(9, "n IS NULL"))), ["none"]);
}

#[test]
fn a_registered_condition_that_does_not_compile_is_answered_27() {
    let (mut rig, conn) = numbered();
    for (kind, condition) in [("SQL92", "n >"), ("SQL92", ""), ("XPATH", "n > 1")] {
        rig.subscribe_by(kind, condition, 5);
        let answer = rig.call(conn, &registered(0, 0, 5, None));
        assert_eq!(answer.code, 27, "{kind} {condition}");
        assert!(answer.remark.unwrap().contains("expression may be wrong"));
    }
}

#[test]
fn one_that_comes_along_and_does_not_compile_filters_nothing_but_an_empty_one_is_refused() {
    let (mut rig, conn) = numbered();
    assert_eq!(bodies(&rig.call(conn, &with_condition(8, "n >"))), ["m8", "m9"]);
    let unknown = with(with_condition(8, "n > 8"), "expressionType", "XPATH");
    assert_eq!(bodies(&rig.call(conn, &unknown)), ["m8", "m9"]);
    assert_eq!(rig.call(conn, &with_condition(8, "")).code, 23);
}

#[test]
fn a_wait_ends_when_a_message_matches() {
    let (mut rig, producer) = numbered();
    let consumer = rig.connect();
    rig.subscribe_by("SQL92", "n = 21", 5);
    rig.request(consumer, &registered(0, 10, 5, HOLD));
    store(&mut rig, producer, 20);
    assert_eq!(rig.answer(consumer), None);
    store(&mut rig, producer, 21);
    let answer = rig.answer(consumer).unwrap();
    assert_eq!((answer.code, bodies(&answer)), (0, vec!["m21".to_owned()]));
}

#[test]
fn a_queue_that_grew_without_a_match_moves_the_consumer_on() {
    let (mut rig, producer) = numbered();
    let consumer = rig.connect();
    rig.subscribe_by("SQL92", "n = 21", 5);
    rig.request(consumer, &registered(0, 10, 5, HOLD));
    store(&mut rig, producer, 20);
    rig.advance(5_000);
    let answer = rig.answer(consumer).unwrap();
    assert_eq!((answer.code, number(&answer, "nextBeginOffset")), (20, 11));
}

#[test]
fn limits_count_what_matches() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for n in 0..300 {
        rig.deliver(conn, &send(0, &format!("m{n}"), &[("even", if n % 2 == 0 { "yes" } else { "no" })]));
    }
    rig.settle();
    while rig.answer(conn).is_some() {}
    let (mut offset, mut got) = (0, Vec::new());
    while offset < 300 {
        let answer = rig.call(conn, &with_condition(offset, "even = 'yes'"));
        let batch = bodies(&answer);
        assert!((1..=32).contains(&batch.len()));
        got.extend(batch);
        offset = number(&answer, "nextBeginOffset");
    }
    assert_eq!(got, (0..300).step_by(2).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[test]
fn a_look_through_large_messages_ends_early_and_goes_on_where_it_stopped() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let body = "x".repeat(1_000_000);
    for n in 0..12 {
        assert_eq!(rig.call(conn, &send(0, &body, &[("n", &n.to_string())])).code, 0);
    }
    let (mut offset, mut calls) = (0, 0);
    loop {
        let answer = rig.call(conn, &with_condition(offset, "n = 11"));
        calls += 1;
        offset = number(&answer, "nextBeginOffset");
        if answer.code == 0 {
            break;
        }
        assert_eq!(answer.code, 20);
    }
    assert_eq!((calls, offset), (3, 12));
}

#[test]
fn a_look_with_a_large_condition_ends_early_too() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let long = "x".repeat(30_000);
    for n in 0..3 {
        assert_eq!(rig.call(conn, &send(0, "m", &[("n", &n.to_string()), ("a", &long)])).code, 0);
    }
    let condition = format!("n = 2 AND a CONTAINS 'x'{}", " OR a CONTAINS 'y'".repeat(3_000));
    let first = rig.call(conn, &with_condition(0, &condition));
    assert_eq!((first.code, number(&first, "nextBeginOffset")), (20, 1));
    assert_eq!(rig.call(conn, &with_condition(2, &condition)).code, 0);
}
