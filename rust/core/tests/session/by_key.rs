//! Messages are found by key, unique key and tag, at once and whatever the index has got round to.

use rocketmq_lite_core::store::{Fault, FlushMode};

use crate::rig::*;

const KEY: &str = "order-42";

fn query(key: &str, extra: &[(&str, &str)]) -> rocketmq_lite_core::wire::Command {
    let plain = [
        ("topic", TOPIC),
        ("key", key),
        ("maxNum", "10"),
        ("beginTimestamp", "0"),
        ("endTimestamp", "9999999999999"),
    ];
    request(12, &[&plain, extra].concat())
}

#[test]
fn found_before_and_after_they_are_indexed() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    for body in ["one", "two"] {
        rig.call(conn, &send(0, body, &[("KEYS", "order-42 other"), ("TAGS", "paid")]));
    }
    rig.call(conn, &send(1, "three", &[("KEYS", "other")]));
    for round in 0..2 {
        let answer = rig.call(conn, &query(KEY, &[]));
        assert_eq!((answer.code, bodies(&answer)), (0, vec!["one".to_owned(), "two".to_owned()]), "{round}");
        assert_eq!(number(&answer, "indexLastUpdateTimestamp"), START.wall_ms);
        assert!(number(&answer, "indexLastUpdatePhyoffset") > 0);
        assert_eq!(bodies(&rig.call(conn, &query("other", &[]))), ["one", "two", "three"]);
        assert_eq!(bodies(&rig.call(conn, &query("paid", &[("indexType", "T")]))), ["one", "two"]);
        let statistics = rig.broker.statistics();
        assert_eq!(statistics.indexed_end == statistics.log_end, round == 1);
        rig.advance(1_000);
    }
}

#[test]
fn found_by_unique_key() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let sent = rig.call(conn, &send(0, "m", &[("UNIQ_KEY", "7F0000010001")]));
    assert_eq!(sent.fields.get("transactionId"), Some("7F0000010001"));
    let answer = rig.call(conn, &query("7F0000010001", &[("_UNIQUE_KEY_QUERY", "true"), ("maxNum", "0")]));
    assert_eq!(bodies(&answer), ["m"]);
}

#[test]
fn nothing_found_is_22_with_an_empty_header() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(0, "m", &[("KEYS", KEY)]));
    let misses = [
        query("another", &[]),
        with(query(KEY, &[]), "topic", "unknown"),
        with(query(KEY, &[]), "maxNum", "0"),
        with(query(KEY, &[]), "endTimestamp", &(START.wall_ms - 1).to_string()),
        with(query(KEY, &[]), "beginTimestamp", &(START.wall_ms + 1).to_string()),
        query(KEY, &[("indexType", "T")]),
    ];
    for miss in misses {
        let answer = rig.call(conn, &miss);
        assert_eq!((answer.code, number(&answer, "indexLastUpdateTimestamp")), (22, 0), "{answer:?}");
        assert_eq!(number(&answer, "indexLastUpdatePhyoffset"), 0);
        assert!(answer.body.is_empty());
    }
    assert_eq!(rig.call(conn, &request(12, &[("topic", TOPIC)])).code, 1);
}

#[test]
fn searches_are_never_run_where_requests_are_served() {
    let mut rig = Rig::new();
    rig.keep_reads = true;
    let conn = rig.connect();
    rig.call(conn, &send(0, "m", &[("KEYS", KEY)]));
    rig.request(conn, &query(KEY, &[]));
    assert_eq!((rig.reads.len(), rig.answer(conn)), (1, None));
    rig.read();
    assert_eq!(bodies(&rig.answer(conn).unwrap()), ["m"]);
}

#[test]
fn the_index_follows_the_flush_and_then_rests() {
    let mut rig = Rig::with_flush(FlushMode::Sync);
    rig.keep_flushes = true;
    let conn = rig.connect();
    rig.advance(1_000);
    rig.request(conn, &send(0, "m", &[("KEYS", KEY)]));
    rig.advance(1_000);
    assert_eq!(rig.broker.statistics().indexed_end, 0, "it never knows what a crash can take back");
    rig.flush();
    rig.advance(0);
    let statistics = rig.broker.statistics();
    assert_eq!(statistics.indexed_end, statistics.log_end);
    rig.advance(20_000);
    rig.broker.closed(conn, rig.now);
    let sleeps = rig.broker.next_deadline().is_none_or(|deadline| deadline > rig.now.mono_ms + 60_000);
    assert!(sleeps, "an idle broker");
}

#[test]
fn an_index_that_cannot_be_written_stops_nothing() {
    let mut rig = Rig::new();
    let conn = rig.connect();
    rig.call(conn, &send(0, "m", &[("KEYS", KEY)]));
    rig.faults.fail_from(Fault::Create, 1, std::io::ErrorKind::StorageFull);
    rig.advance(1_000);
    assert_eq!(rig.broker.statistics().indexed_end, 0);
    rig.call(conn, &send(0, "n", &[("KEYS", KEY)]));
    assert_eq!(bodies(&rig.call(conn, &query(KEY, &[]))), ["m", "n"]);
    rig.faults.heal();
    rig.advance(20_000);
    let statistics = rig.broker.statistics();
    assert_eq!(statistics.indexed_end, statistics.log_end);
}
