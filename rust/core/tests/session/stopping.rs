//! A stop answers everyone, keeps what was acknowledged, and closes the store cleanly.

use std::sync::Arc;

use rocketmq_lite_core::session::{Control, Value};
use rocketmq_lite_core::store::{Fault, FlushMode, Store, StoreSettings};
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

/// As a client sends it that does not know `GO_AWAY`.
fn old(mut command: Command) -> Command {
    command.version = 475;
    command
}

fn stop(rig: &mut Rig) {
    rig.broker.submit(5, Control::Stop, rig.now);
    rig.settle();
}

#[test]
fn held_pulls_are_answered_19_and_nothing_is_held_or_taken_any_more() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &pull(0, 0, "*", Some(15_000)));
    rig.request(conn, &send_to("unknown", 0, "x", &[]));
    stop(&mut rig);
    let codes: Vec<i32> = std::iter::from_fn(|| rig.answer(conn)).map(|answer| answer.code).collect();
    assert_eq!(codes, [19, 14]);
    assert_eq!(rig.done, [(5, Value::Unit)]);
    assert_eq!(rig.call(conn, &old(send(0, "x", &[]))).code, 14);
    assert_eq!(rig.call(conn, &old(pull(0, 0, "*", Some(15_000)))).code, 14);
    stop(&mut rig);
    assert_eq!(rig.done.len(), 2, "stopping twice does no harm");
}

#[test]
fn clients_that_understand_it_are_told_to_go_away() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    rig.keep_flushes = true;
    let conn = rig.connect();
    rig.request(conn, &send(0, "x", &[]));
    stop(&mut rig);
    for command in [send(0, "x", &[]), pull(0, 0, "*", Some(15_000)), request(34, &[])] {
        let answer = rig.call(conn, &command);
        assert_eq!((answer.code, answer.remark.as_deref()), (1500, Some("please go away")));
    }
    assert_eq!(
        rig.call(conn, &old(pull(0, 0, "*", None))).code,
        19,
        "the others are served as long as it lasts"
    );
    rig.request(conn, &oneway(send(0, "x", &[])));
    assert_eq!(rig.answer(conn), None, "nobody waits for this answer");
    rig.flush();
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0), "what was sent before is kept");
    assert_eq!(rig.call(conn, &send(0, "x", &[])).code, 1500, "until the connection closes");
}

#[test]
fn what_was_sent_before_the_stop_is_stored_and_the_store_is_clean() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.deliver(conn, &send(0, "last words", &[]));
    stop(&mut rig);
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    let fs = rig.fs.clone();
    drop(rig);
    let (store, recovery) = Store::open(Arc::new(fs), settings(), START.wall_ms).unwrap();
    assert!(recovery.clean);
    assert_eq!(store.bounds(TOPIC, 0).max, 1);
}

fn settings() -> StoreSettings {
    let mut settings = StoreSettings::new("/store");
    settings.segment_size = 16 * 1024 * 1024;
    settings
}

#[test]
fn producers_that_wait_for_the_flush_get_it() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    rig.keep_flushes = true;
    let conn = rig.connect();
    rig.request(conn, &send(0, "x", &[]));
    stop(&mut rig);
    assert_eq!((rig.answer(conn), rig.done.len()), (None, 0));
    rig.broker.submit(6, Control::Stop, rig.now);
    rig.flush();
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert!(matches!(rig.done[..], [(6, Value::Failed(_)), (5, Value::Unit)]), "{:?}", rig.done);
}

#[test]
fn a_flush_that_does_not_come_is_waited_for_five_seconds() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    rig.keep_flushes = true;
    let conn = rig.connect();
    rig.request(conn, &send(0, "x", &[]));
    stop(&mut rig);
    rig.advance(4_999);
    assert!(rig.done.is_empty());
    rig.advance(1);
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(10));
    assert_eq!(rig.done, [(5, Value::Unit)]);
}

#[test]
fn a_store_that_does_not_close_is_reported() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "x", "a");
    rig.faults.fail_from(Fault::Sync, 1, std::io::ErrorKind::Other);
    stop(&mut rig);
    assert!(matches!(rig.done[..], [(5, Value::Failed(_))]), "{:?}", rig.done);
}
