//! A pull that finds nothing is held: an arrival answers it at once, its time-out to the millisecond.

use rocketmq_lite_core::session::{Control, MissingKind};
use rocketmq_lite_core::store::FlushMode;

use crate::rig::*;

const HOLD: Option<u64> = Some(15_000);

#[test]
fn an_arrival_answers_at_once() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.request(consumer, &pull(0, 0, "*", HOLD));
    assert_eq!(rig.answer(consumer), None);
    assert_eq!(rig.broker.statistics().held, 1);
    rig.store(producer, 1, "elsewhere", "a");
    assert_eq!(rig.answer(consumer), None);
    rig.store(producer, 0, "here", "a");
    let answer = rig.answer(consumer).unwrap();
    assert_eq!((answer.code, answer.opaque, bodies(&answer)), (0, 7, vec!["here".to_owned()]));
    assert_eq!(rig.broker.statistics().held, 0);
}

#[test]
fn one_arrival_wakes_everyone_who_waits_for_it() {
    let mut rig = Rig::new();
    let producer = rig.connect();
    let consumers: Vec<_> = (0..20).map(|_| rig.connect()).collect();
    for consumer in &consumers {
        rig.request(*consumer, &pull(0, 0, "*", HOLD));
    }
    rig.store(producer, 0, "news", "a");
    for consumer in consumers {
        assert_eq!(bodies(&rig.answer(consumer).unwrap()), ["news"]);
    }
}

#[test]
fn a_woken_pull_gets_the_whole_round() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.request(consumer, &pull(0, 0, "*", HOLD));
    for body in ["one", "two", "three"] {
        rig.deliver(producer, &send(0, body, &[]));
    }
    rig.settle();
    assert_eq!(bodies(&rig.answer(consumer).unwrap()), ["one", "two", "three"]);
}

#[test]
fn a_time_out_is_exact_and_answers_19() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &pull(0, 0, "*", Some(1_500)));
    rig.advance(1_499);
    assert_eq!(rig.answer(conn), None);
    rig.advance(1);
    let answer = rig.answer(conn).unwrap();
    assert_eq!((answer.code, number(&answer, "nextBeginOffset")), (19, 0));
}

#[test]
fn a_hold_of_nothing_ends_with_the_next_tick() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for wait in ["0", "-5"] {
        rig.request(conn, &with(pull(0, 0, "*", HOLD), "suspendTimeoutMillis", wait));
        rig.advance(0);
        assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(19), "{wait}");
    }
}

#[test]
fn what_is_no_wait_for_the_next_message_is_not_held() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    assert_eq!(rig.call(conn, &pull(0, 5, "*", HOLD)).code, 21);
    assert_eq!(rig.call(conn, &pull(0, 0, "b", HOLD)).code, 20);
    assert_eq!(rig.call(conn, &pull(0, 0, "a", HOLD)).code, 0);
    rig.request(conn, &pull(0, 1, "a", HOLD));
    assert_eq!((rig.answer(conn), rig.broker.statistics().held), (None, 1));
}

#[test]
fn a_message_of_another_tag_is_told_within_five_seconds() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.request(consumer, &pull(0, 0, "a", HOLD));
    rig.store(producer, 0, "not for you", "b");
    assert_eq!(rig.answer(consumer), None);
    rig.advance(5_000);
    let answer = rig.answer(consumer).unwrap();
    assert_eq!((answer.code, number(&answer, "nextBeginOffset")), (20, 1));
}

#[test]
fn the_check_leaves_those_alone_whose_queue_has_not_grown_for_them() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.request(consumer, &pull(0, 0, "a", HOLD));
    rig.store(producer, 0, "not for you", "b");
    let late = rig.connect();
    rig.request(late, &pull(0, 1, "a", HOLD));
    rig.advance(5_000);
    assert_eq!(rig.answer(consumer).map(|answer| answer.code), Some(20));
    assert_eq!((rig.answer(late), rig.broker.statistics().held), (None, 1));
}

#[test]
fn a_matching_message_ends_the_wait_after_one_that_did_not_match() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.request(consumer, &pull(0, 0, "a", HOLD));
    rig.store(producer, 0, "not for you", "b");
    rig.store(producer, 0, "for you", "a");
    assert_eq!(bodies(&rig.answer(consumer).unwrap()), ["for you"]);
    rig.advance(20_000);
    assert_eq!(rig.answer(consumer), None, "answered once");
}

#[test]
fn the_second_pass_does_not_commit() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    let query = request(14, &[("consumerGroup", GROUP), ("topic", TOPIC), ("queueId", "0")]);
    let held = with(with(pull(0, 0, "*", HOLD), "sysFlag", "7"), "commitOffset", "11");
    rig.request(consumer, &held);
    assert_eq!(number(&rig.call(producer, &query), "offset"), 11, "the first pass does");
    let update =
        request(15, &[("consumerGroup", GROUP), ("topic", TOPIC), ("queueId", "0"), ("commitOffset", "12")]);
    rig.call(producer, &update);
    rig.store(producer, 0, "m", "a");
    assert_eq!(rig.answer(consumer).map(|answer| answer.code), Some(0));
    assert_eq!(number(&rig.call(producer, &query), "offset"), 12);
}

#[test]
fn held_pulls_of_a_closed_connection_vanish() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.request(consumer, &pull(0, 0, "*", HOLD));
    rig.broker.closed(consumer, rig.now);
    assert_eq!(rig.broker.statistics().held, 0);
    rig.store(producer, 0, "m", "a");
    rig.advance(20_000);
    assert_eq!(rig.answer(consumer), None);
}

#[test]
fn a_oneway_pull_is_not_held() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &oneway(pull(0, 0, "*", HOLD)));
    assert_eq!((rig.answer(conn), rig.broker.statistics().held), (None, 0));
}

#[test]
fn removing_the_topic_ends_the_wait() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &pull(0, 0, "*", HOLD));
    rig.submit(Control::RemoveTopic { name: TOPIC.to_owned() });
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(17));
}

#[test]
fn a_group_removed_meanwhile_is_answered_26() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &pull(0, 0, "*", Some(100)));
    rig.submit(Control::RemoveGroup { name: GROUP.to_owned(), clean_offsets: true });
    rig.advance(100);
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(26));
}

#[test]
fn a_pull_that_waited_for_its_group_can_be_held() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.request(conn, &with(pull(0, 0, "*", Some(1_000)), "consumerGroup", "new"));
    rig.submit(Control::PutGroup(rocketmq_lite_core::session::GroupEntry::new("new")));
    rig.submit(Control::Retry { kind: MissingKind::Group, name: "new".to_owned() });
    assert_eq!((rig.answer(conn), rig.broker.statistics().held), (None, 1));
    let producer = rig.connect();
    rig.store(producer, 0, "m", "a");
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
}

#[test]
fn a_message_that_comes_while_the_disk_is_read_is_not_missed() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.store(producer, 0, "old", "a");
    rig.fs.block_reads(true);
    rig.keep_reads = true;
    rig.request(consumer, &pull(0, 1, "*", HOLD));
    rig.store(producer, 0, "new", "a");
    while !rig.reads.is_empty() {
        rig.read();
    }
    assert_eq!(bodies(&rig.answer(consumer).unwrap()), ["new"]);
}

#[test]
fn under_synchronous_flush_the_flush_is_the_arrival() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    let (consumer, producer) = (rig.connect(), rig.connect());
    rig.keep_flushes = true;
    rig.request(consumer, &pull(0, 0, "*", HOLD));
    rig.request(producer, &send(0, "safe", &[]));
    assert_eq!(rig.answer(consumer), None);
    rig.flush();
    assert_eq!(bodies(&rig.answer(consumer).unwrap()), ["safe"]);
}

#[test]
fn an_hour_of_long_polling_costs_a_deadline_each() {
    let mut rig = Rig::new();
    let (consumer, producer) = (rig.connect(), rig.connect());
    let heartbeat = oneway(request(34, &[]));
    let mut offset = 0;
    for round in 0..240 {
        rig.request(consumer, &pull(0, offset, "*", HOLD));
        rig.request(producer, &heartbeat);
        if round % 10 == 0 {
            rig.advance(7_000);
            rig.store(producer, 0, "tick", "a");
            let answer = rig.answer(consumer).unwrap();
            assert_eq!(bodies(&answer), ["tick"]);
            offset = number(&answer, "nextBeginOffset");
            rig.advance(8_000);
        } else {
            rig.advance(15_000);
            assert_eq!(rig.answer(consumer).map(|answer| answer.code), Some(19));
        }
        assert_eq!(rig.answer(consumer), None);
    }
    assert_eq!((rig.now.mono_ms - START.mono_ms, offset), (3_600_000, 24));
    assert!(rig.closed.is_empty());
}
