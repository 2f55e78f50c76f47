//! When a producer is answered and a consumer sees the message, under both ways of flushing.

use rocketmq_lite_core::session::{Cold, Control};
use rocketmq_lite_core::store::{Fault, FlushMode, FlushPlan};

use crate::rig::*;

fn synchronous() -> Rig {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    rig.keep_flushes = true;
    rig
}

#[test]
fn asynchronous_sends_are_answered_before_the_flush() {
    let mut rig = Rig::new();
    rig.keep_flushes = true;
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    assert!(rig.flushes.is_empty(), "not at once");
    rig.advance(499);
    assert!(rig.flushes.is_empty());
    rig.advance(1);
    assert_eq!(rig.flushes.len(), 1);
    rig.store(conn, 0, "n", "a");
    rig.advance(10_000);
    assert_eq!(rig.flushes.len(), 1, "one at a time");
    rig.flush();
    rig.advance(500);
    assert_eq!(rig.flushes.len(), 1, "what came meanwhile");
    rig.flush();
    rig.advance(10_000);
    assert!(rig.flushes.is_empty(), "nothing is dirty");
    let statistics = rig.broker.statistics();
    assert_eq!((statistics.flushes, statistics.flushed_end), (2, statistics.log_end));
}

#[test]
fn synchronous_sends_wait_for_a_flush_that_covers_them() {
    let mut rig = synchronous();
    let conn = rig.connect();
    rig.request(conn, &send(0, "one", &[]));
    assert_eq!((rig.flushes.len(), rig.answer(conn)), (1, None));
    rig.request(conn, &send(0, "two", &[]));
    rig.request(conn, &send(1, "three", &[]));
    assert_eq!(rig.flushes.len(), 1, "one at a time");
    assert_eq!(rig.broker.statistics().flush_waiting, 3);
    rig.flush();
    let answer = rig.answer(conn).unwrap();
    assert_eq!((answer.code, number(&answer, "queueOffset")), (0, 0));
    assert_eq!((rig.answer(conn), rig.flushes.len()), (None, 1), "the others share the next");
    rig.flush();
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert_eq!(rig.broker.statistics().flush_waiting, 0);
}

#[test]
fn consumers_do_not_see_what_is_not_flushed() {
    let mut rig = synchronous();
    let (producer, consumer) = (rig.connect(), rig.connect());
    rig.request(producer, &send(0, "m", &[]));
    let lag = |rig: &Rig| rig.broker.statistics().log_end - rig.broker.statistics().dispatched_end;
    assert!(lag(&rig) > 0, "what nobody sees yet is a lag that can be seen");
    let max = request(30, &[("topic", TOPIC), ("queueId", "0")]);
    assert_eq!(rig.call(consumer, &pull(0, 0, "*", None)).code, 19);
    assert_eq!(number(&rig.call(consumer, &max), "offset"), 0);
    assert_eq!(rig.call(consumer, &request(33, &[("offset", "0")])).code, 1);
    rig.flush();
    assert_eq!(lag(&rig), 0);
    assert_eq!(rig.call(consumer, &pull(0, 0, "*", None)).code, 0);
    assert_eq!(number(&rig.call(consumer, &max), "offset"), 1);
    assert_eq!(rig.call(consumer, &request(33, &[("offset", "0")])).code, 0);
}

#[test]
fn who_does_not_wait_is_answered_before_the_flush() {
    let mut rig = synchronous();
    let conn = rig.connect();
    rig.request(conn, &send(0, "m", &[("WAIT", "false")]));
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(0));
    assert_eq!(rig.flushes.len(), 1, "flushed for the consumers");
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 19);
    rig.flush();
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 0);
}

#[test]
fn a_flush_that_takes_too_long_is_answered_10() {
    let mut rig = synchronous();
    let conn = rig.connect();
    rig.request(conn, &send(0, "m", &[("UNIQ_KEY", "K")]));
    rig.advance(4_999);
    assert_eq!(rig.answer(conn), None);
    rig.advance(1);
    let answer = rig.answer(conn).unwrap();
    assert_eq!((answer.code, number(&answer, "queueOffset")), (10, 0));
    assert_eq!(answer.fields.get("transactionId"), Some("K"));
    rig.flush();
    assert_eq!(rig.answer(conn), None, "answered once");
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 0, "stored all the same");
}

#[test]
fn a_failed_flush_answers_10_and_ends_the_sending() {
    let mut rig = synchronous();
    let conn = rig.connect();
    rig.faults.fail(Fault::Sync, 1, std::io::ErrorKind::Other);
    rig.request(conn, &send(0, "m", &[]));
    rig.flush();
    assert_eq!(rig.answer(conn).map(|answer| answer.code), Some(10));
    let logged = rig
        .cold
        .iter()
        .any(|cold| matches!(cold, Cold::Log { text, .. } if text.contains("flush of the log failed")));
    assert!(logged, "{:?}", rig.cold);
    let answer = rig.call(conn, &send(0, "n", &[]));
    assert_eq!(answer.code, 14);
    assert!(answer.remark.unwrap().contains("flush"));
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 19, "reads go on, the message stays unseen");
    rig.advance(60_000);
    assert!(rig.flushes.is_empty());
}

#[test]
fn what_a_crash_left_is_durable_before_anybody_sees_it() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    let mut rig = Rig::reopened(&rig.fs.snapshot());
    let statistics = rig.broker.statistics();
    assert!(statistics.log_end > 0);
    assert_eq!(statistics.flushed_end, statistics.log_end);
    let conn = rig.connect();
    assert_eq!(bodies(&rig.call(conn, &pull(0, 0, "*", None))), ["m"]);
}

#[test]
fn a_failed_flush_in_the_background_ends_the_sending_too() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.store(conn, 0, "m", "a");
    rig.faults.fail(Fault::Sync, 1, std::io::ErrorKind::Other);
    rig.advance(500);
    assert_eq!(rig.call(conn, &send(0, "n", &[])).code, 14);
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 0, "what was visible stays so");
}

#[test]
fn the_answers_of_a_connection_that_is_gone_are_dropped() {
    let mut rig = synchronous();
    let conn = rig.connect();
    rig.request(conn, &send(0, "m", &[]));
    rig.broker.closed(conn, rig.now);
    rig.flush();
    assert_eq!(rig.answer(conn), None);
    let other = rig.connect();
    assert_eq!(rig.call(other, &pull(0, 0, "*", None)).code, 0);
}

#[test]
fn a_slow_flush_does_not_lengthen_the_window() {
    let mut rig = Rig::new();
    rig.keep_flushes = true;
    let conn = rig.connect();
    rig.store(conn, 0, "first", "a");
    rig.advance(500);
    rig.store(conn, 0, "meanwhile", "a");
    rig.advance(200);
    rig.flush();
    assert!(rig.flushes.is_empty(), "not before its time");
    rig.advance(300);
    assert_eq!(rig.flushes.len(), 1, "500 ms after it was written");
    rig.store(conn, 0, "meanwhile", "a");
    rig.advance(2_000);
    rig.flush();
    assert_eq!(rig.flushes.len(), 1, "overdue, so at once");
}

/// Each message is on its way to the disk 500 ms after it was written, or as soon as the flush before it has ended, whatever
/// else happens; and then there is silence.
#[test]
fn no_tail_stays_unflushed() {
    let mut rig = Rig::new();
    rig.keep_flushes = true;
    let conn = rig.connect();
    let mut chance = 42_u64;
    // When what no flush has taken up yet was written, and whether the flush before is still out.
    let mut dirty_since: Option<u64> = None;
    for step in 0..3_000 {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let taken = rig.flushes.len();
        match chance >> 60 {
            0..=4 => {
                rig.store(conn, 0, "m", "a");
            }
            5..=8 if taken > 0 => rig.flush(),
            9 => drop(rig.submit(Control::Purge { before: rig.broker.statistics().log_end })),
            _ => rig.advance(1 + ((chance >> 40) & 0xff)),
        }
        let statistics = rig.broker.statistics();
        let covered = rig.flushes.back().map_or(statistics.flushed_end, FlushPlan::upto);
        dirty_since =
            if covered == statistics.log_end { None } else { dirty_since.or(Some(rig.now.mono_ms)) };
        let waited = dirty_since.map_or(0, |since| rig.now.mono_ms - since);
        assert!(waited < 500 || !rig.flushes.is_empty(), "step {step}: {waited} ms and nobody flushes");
        assert!(rig.flushes.len() <= 1, "step {step}");
    }
    rig.keep_flushes = false;
    while !rig.flushes.is_empty() {
        rig.flush();
    }
    rig.advance(500);
    let statistics = rig.broker.statistics();
    assert_eq!(statistics.flushed_end, statistics.log_end, "the tail is durable and nothing came behind it");
}

#[test]
fn one_sync_covers_all_that_wait() {
    let mut rig = synchronous();
    let producers: Vec<_> = (0..64).map(|_| rig.connect()).collect();
    rig.request(producers[0], &send(0, "the first flush", &[]));
    for conn in &producers[1..] {
        rig.request(*conn, &send(0, "m", &[]));
    }
    for (waiting, answered) in [(63, 1), (0, 63)] {
        let before = rig.faults.calls(Fault::Sync);
        rig.flush();
        assert_eq!(rig.faults.calls(Fault::Sync) - before, 1, "one segment, one fdatasync");
        assert_eq!(rig.broker.statistics().flush_waiting, waiting);
        let answers = producers.iter().filter_map(|conn| rig.answer(*conn)).collect::<Vec<_>>();
        assert!(answers.iter().all(|answer| answer.code == 0));
        assert_eq!(answers.len(), answered);
    }
    assert!(rig.flushes.is_empty());
}

#[test]
fn files_that_went_are_gone_durably_though_nobody_writes() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let body = "x".repeat(3 * 1024 * 1024);
    for _ in 0..6 {
        rig.store(conn, 0, &body, "a");
    }
    rig.advance(500);
    let before = rig.faults.calls(Fault::SyncDir);
    rig.submit(Control::Purge { before: rig.broker.statistics().log_end });
    assert!(rig.broker.statistics().log_start > 0);
    rig.advance(500);
    assert!(rig.faults.calls(Fault::SyncDir) > before);
}
