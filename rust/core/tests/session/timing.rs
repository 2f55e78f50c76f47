//! How long requests take, as tools are told.

use crate::rig::{Rig, pull, send};
use rocketmq_lite_core::session::{Control, Value};
use rocketmq_lite_core::store::FlushMode;

/// Milliseconds and sends, where there are any.
fn put_times(rig: &mut Rig) -> Vec<(u64, u64)> {
    let Some(Value::PutTimes(times)) = rig.submit(Control::PutTimes) else { panic!("no times") };
    times.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[test]
fn a_send_takes_as_long_as_its_flush() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    let conn = rig.connect();
    rig.keep_flushes = true;
    rig.request(conn, &send(0, "x", &[]));
    rig.request(conn, &send(0, "y", &[("WAIT", "false")]));
    rig.advance(30);
    assert_eq!(put_times(&mut rig), [(0, 1)], "one waits");
    rig.flush();
    assert_eq!(put_times(&mut rig), [(0, 1), (30, 1)]);
    assert_eq!(rig.broker.statistics().put_max_ms, 30);
}

#[test]
fn what_the_turn_takes_counts() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &send(0, "x", &[]));
    rig.deliver(conn, &send(0, "y", &[]));
    while rig.broker.poll(rig.now).is_some() {}
    rig.broker.turn_over(rig.now.mono_ms + 7);
    assert_eq!(put_times(&mut rig), [(0, 1), (7, 1)]);
}

#[test]
fn a_refused_send_takes_no_time() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    assert_ne!(rig.call(conn, &send(99, "x", &[])).code, 0);
    assert_eq!(put_times(&mut rig), []);
}

#[test]
fn a_pull_takes_as_long_as_its_reading_and_not_as_it_is_held() {
    let mut rig = Rig::new();
    let (conn, consumer) = (rig.connect(), rig.connect());
    rig.request(consumer, &pull(0, 0, "*", Some(15_000)));
    rig.advance(5_000);
    rig.call(conn, &send(0, "x", &[]));
    assert!(rig.answer(consumer).is_some());
    let counted = rig.broker.statistics();
    assert_eq!((counted.get_max_ms, counted.pulls, counted.pulls_missed), (0, 1, 1));
    rig.deliver(consumer, &pull(0, 0, "*", None));
    while rig.broker.poll(rig.now).is_some() {}
    rig.broker.turn_over(rig.now.mono_ms + 40);
    assert_eq!(rig.broker.statistics().get_max_ms, 40);
}
