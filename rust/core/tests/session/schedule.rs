//! Delay levels: a message that has one is seen when its time has come, as it was sent, and not before.

use crate::rig::{Rig, bodies, messages, number, pull, send, with};
use rocketmq_lite_core::record::properties;
use rocketmq_lite_core::session::{Control, Value};
use rocketmq_lite_core::store::{Delays, FlushMode, MemFs};
use rocketmq_lite_core::wire::Command;

/// What Python asks: next offset, and milliseconds from now until the next look.
fn deliver(rig: &mut Rig, level: i32, offset: i64) -> (i64, i64) {
    let answer = rig.submit(Control::DeliverScheduled { queue_id: level - 1, offset });
    let Some(Value::Scheduled { next_offset, look_at_ms }) = answer else { panic!("{answer:?}") };
    (next_offset, look_at_ms - rig.now.wall_ms)
}

fn pulled(rig: &mut Rig, queue: i32) -> Command {
    let conn = rig.connect();
    rig.call(conn, &pull(queue, 0, "*", None))
}

#[test]
fn a_delayed_message_comes_at_its_time_and_not_before() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    assert_eq!(deliver(&mut rig, 3, 0), (0, 10_000), "nothing that is stored from now on is due earlier");
    rig.advance(4_000);
    let answer = rig.call(conn, &with(send(2, "x", &[("DELAY", "3"), ("TAGS", "a")]), "f", "1"));
    assert_eq!((answer.code, number(&answer, "queueId"), number(&answer, "queueOffset")), (0, 2, 0));
    rig.advance(6_000);
    assert_eq!(deliver(&mut rig, 3, 0), (0, 4_000));
    rig.advance(3_999);
    assert_eq!(deliver(&mut rig, 3, 0), (0, 1));
    assert!(bodies(&pulled(&mut rig, 2)).is_empty());
    rig.advance(1);
    assert_eq!(deliver(&mut rig, 3, 0), (1, 10_000));
    let found = rig.call(conn, &pull(2, 0, "a", None));
    let found = &messages(&found.body)[0];
    assert_eq!((found.topic, found.queue_id, found.body, found.sys_flag), ("VT", 2, &b"x"[..], 1));
    assert_eq!((found.flag, found.born_timestamp), (5, 1_795_418_275_533));
    let text = found.properties;
    for (name, value) in [("DELAY", "3"), ("REAL_TOPIC", "VT"), ("REAL_QID", "2"), ("TAGS", "a")] {
        assert_eq!(properties::get(text, name), Some(value), "5.5.0 keeps it");
    }
}

#[test]
fn a_consumer_that_waits_is_woken() {
    let mut rig = Rig::new();
    let (conn, consumer) = (rig.connect(), rig.connect());
    rig.call(conn, &send(0, "x", &[("DELAY", "1")]));
    rig.request(consumer, &pull(0, 0, "*", Some(15_000)));
    assert!(rig.answer(consumer).is_none());
    rig.advance(1_000);
    assert_eq!(deliver(&mut rig, 1, 0), (1, 1_000));
    assert_eq!(bodies(&rig.answer(consumer).expect("an answer")), ["x"]);
}

#[test]
fn every_level_waits_as_long_as_it_says() {
    let seconds = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];
    let mut rig = Rig::new();
    let conn = rig.connect();
    for (level, seconds) in (1..).zip(seconds) {
        rig.call(conn, &send(0, "x", &[("DELAY", &level.to_string())]));
        assert_eq!(deliver(&mut rig, level, 0), (0, seconds * 1_000), "level {level}");
    }
    rig.call(conn, &send(0, "x", &[("DELAY", "99")]));
    rig.advance(7_200_000);
    assert_eq!(deliver(&mut rig, 18, 0).0, 2, "a level above the highest is the highest");
    let answer = pulled(&mut rig, 0);
    let levels: Vec<_> = messages(&answer.body)
        .iter()
        .map(|message| properties::get(message.properties, "DELAY").unwrap().to_owned())
        .collect();
    assert_eq!(levels, ["18", "18"]);
}

/// A broker over what another one left, with these delays in seconds.
fn restarted(mut rig: Rig, seconds: &[i64]) -> Rig {
    rig.submit(Control::Stop);
    let fs = rig.fs.clone();
    drop(rig);
    let delays = Delays::new(seconds.iter().map(|delay| delay * 1_000).collect());
    Rig::with_delays(&fs, delays.expect("there are levels"))
}

#[test]
fn there_may_be_other_levels_than_apaches() {
    let seconds: Vec<_> = (1..=20).rev().collect();
    let mut rig = restarted(Rig::with_delays(&MemFs::new(), Delays::default()), &seconds);
    let conn = rig.connect();
    for level in ["1", "20", "99"] {
        rig.call(conn, &send(0, level, &[("DELAY", level)]));
    }
    assert_eq!(deliver(&mut rig, 1, 0), (0, 20_000));
    assert_eq!(deliver(&mut rig, 20, 0), (0, 1_000));
    rig.advance(1_000);
    assert_eq!(deliver(&mut rig, 20, 0).0, 2);
    assert_eq!(bodies(&pulled(&mut rig, 0)), ["20", "99"]);
}

#[test]
fn a_level_that_has_become_longer_keeps_its_word() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(0, "before", &[("DELAY", "2")]));
    let mut rig = restarted(rig, &[1, 60]);
    let conn = rig.connect();
    rig.call(conn, &send(0, "after", &[("DELAY", "2")]));
    assert_eq!(deliver(&mut rig, 2, 0), (0, 5_000));
    rig.advance(5_000);
    assert_eq!(deliver(&mut rig, 2, 0), (1, 55_000));
    assert_eq!(bodies(&pulled(&mut rig, 0)), ["before"]);
}

#[test]
fn a_level_that_has_become_shorter_delivers_sooner() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(0, "x", &[("DELAY", "5")]));
    let mut rig = restarted(rig, &[1, 1, 1, 1, 30]);
    assert_eq!(deliver(&mut rig, 5, 0), (0, 30_000), "Apache delivers it at once");
    rig.advance(30_000);
    assert_eq!(deliver(&mut rig, 5, 0).0, 1);
}

#[test]
fn messages_of_a_level_that_is_gone_come_when_they_were_to() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(0, "x", &[("DELAY", "17")]));
    let mut rig = restarted(rig, &[1, 2]);
    assert_eq!(deliver(&mut rig, 17, 0), (0, 3_600_000));
    rig.advance(3_600_000);
    assert_eq!(deliver(&mut rig, 17, 0).0, 1);
    assert_eq!(bodies(&pulled(&mut rig, 0)), ["x"]);
}

#[test]
fn a_level_makes_the_times_of_timer_messages_void() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let timers = [("TIMER_DELAY_SEC", "90"), ("TIMER_DELAY_MS", "5"), ("TIMER_DELIVER_MS", "7")];
    let all: Vec<_> = timers.into_iter().chain([("DELAY", "1")]).collect();
    assert_eq!(rig.call(conn, &send(0, "x", &all)).code, 0);
    rig.advance(1_000);
    deliver(&mut rig, 1, 0);
    let answer = pulled(&mut rig, 0);
    let text = messages(&answer.body)[0].properties.to_owned();
    assert!(timers.iter().all(|(name, _)| properties::get(&text, name).is_none()), "{text}");
}

#[test]
fn many_are_moved_a_few_at_a_time_in_order() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let sent: Vec<_> = (0..100).map(|number: i32| number.to_string()).collect();
    for body in &sent {
        rig.call(conn, &send(0, body, &[("DELAY", "1")]));
    }
    rig.advance(1_000);
    let (mut offset, mut looks) = (0, 0);
    while offset < 100 {
        let (next, wait) = deliver(&mut rig, 1, offset);
        assert!(next > offset, "progress");
        assert_eq!(wait, if next < 100 { 0 } else { 1_000 });
        (offset, looks) = (next, looks + 1);
    }
    assert_eq!(looks, 4);
    let mut found = Vec::new();
    while found.len() < 100 {
        found.extend(bodies(&rig.call(conn, &pull(0, found.len() as i64, "*", None))));
    }
    assert_eq!(found, sent);
}

#[test]
fn an_offset_outside_the_queue_is_put_right() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(0, "x", &[("DELAY", "1")]));
    assert_eq!(deliver(&mut rig, 1, 17).0, 1);
    assert_eq!(deliver(&mut rig, 1, -3), (0, 0));
    assert_eq!(deliver(&mut rig, 19, 0).0, 0);
}

#[test]
fn what_waits_survives_a_restart() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(1, "x", &[("DELAY", "4")]));
    rig.submit(Control::Stop);
    let fs = rig.fs.clone();
    drop(rig);
    let mut rig = Rig::reopened(&fs);
    assert_eq!(deliver(&mut rig, 4, 0), (0, 30_000));
    rig.advance(30_000);
    assert_eq!(deliver(&mut rig, 4, 0), (1, 30_000));
    assert_eq!(bodies(&pulled(&mut rig, 1)), ["x"]);
}

#[test]
fn what_cannot_be_written_is_not_counted_as_delivered() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(0, "x", &[("DELAY", "1")]));
    rig.advance(1_000);
    rig.submit(Control::SetAcceptWrites(false));
    assert_eq!(deliver(&mut rig, 1, 0), (0, 1_000), "ask again later");
    assert!(bodies(&pulled(&mut rig, 0)).is_empty());
    rig.submit(Control::SetAcceptWrites(true));
    assert_eq!(deliver(&mut rig, 1, 0).0, 1);
    assert_eq!(bodies(&pulled(&mut rig, 0)), ["x"]);
}

#[test]
fn under_synchronous_flush_it_is_seen_when_it_is_safe() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    let conn = rig.connect();
    rig.call(conn, &send(0, "x", &[("DELAY", "1")]));
    rig.advance(1_000);
    rig.keep_flushes = true;
    assert_eq!(deliver(&mut rig, 1, 0).0, 1);
    assert!(bodies(&pulled(&mut rig, 0)).is_empty());
    rig.flush();
    assert_eq!(bodies(&pulled(&mut rig, 0)), ["x"]);
}
