//! More than the broker can do at once: what waits is bounded, and who waited too long is told to come again.

use std::iter;

use rocketmq_lite_core::session::{Cold, ConnId};
use rocketmq_lite_core::wire;

use crate::rig::*;

const BUSY: i32 = 2;
const MIB: usize = 1024 * 1024;
const TOTAL: usize = 64 * MIB;

/// A connection that is not looked at, because it takes none of its answers.
fn unread(rig: &mut Rig) -> ConnId {
    let (producer, slow) = (rig.connect(), rig.connect());
    rig.store(producer, 0, &"x".repeat(250 * 1024), "a");
    rig.keep_sent = true;
    while !rig.is_paused(slow) {
        rig.request(slow, &pull(0, 0, "*", None));
    }
    while rig.answer(slow).is_some() {}
    slow
}

#[test]
fn a_send_that_waited_for_more_than_200_ms_is_busy_and_not_stored() {
    for (waited, code) in [(200, 0), (201, BUSY)] {
        let mut rig = Rig::new();
        let slow = unread(&mut rig);
        rig.request(slow, &send(1, "late", &[]));
        rig.request(slow, &request(30, &[("topic", TOPIC), ("queueId", "1")]));
        rig.advance(waited);
        rig.report_sent(slow);
        rig.settle();
        let (sent, asked) = (rig.answer(slow).expect("an answer"), rig.answer(slow).expect("another"));
        assert_eq!((sent.code, asked.code), (code, 0), "other requests are served however late");
        assert_eq!(number(&asked, "offset"), i64::from(code == 0));
        if code == BUSY {
            let remark = sent.remark.expect("a remark");
            assert!(remark.starts_with("[TIMEOUT_CLEAN_QUEUE]broker busy"), "{remark}");
            assert!(remark.contains("period in queue: 201ms"), "{remark}");
            assert_eq!(rig.broker.statistics().sends_late, 1);
        }
        assert_eq!(rig.call(slow, &send(1, "again", &[])).code, 0, "what comes now has not waited");
    }
}

#[test]
fn sends_are_busy_while_too_much_is_not_on_disk() {
    let mut rig = Rig::with_settings(|settings| settings.dirty_limit = 10_000);
    rig.keep_flushes = true;
    let conn = rig.connect();
    let codes: Vec<i32> = (0..20).map(|_| rig.call(conn, &send(0, &"x".repeat(1000), &[])).code).collect();
    let taken = codes.iter().take_while(|code| **code == 0).count();
    assert!((8..11).contains(&taken), "{codes:?}");
    let refused = rig.call(conn, &send(0, "more", &[]));
    assert_eq!(refused.code, BUSY);
    assert!(refused.remark.expect("a remark").starts_with("[PCBUSY_CLEAN_QUEUE]broker busy"));
    assert_eq!(rig.broker.statistics().sends_dirty, 20 - taken as u64 + 1);
    assert_eq!(rig.call(conn, &pull(0, 0, "*", None)).code, 0, "reading goes on");
    rig.advance(500);
    rig.flush();
    assert_eq!(rig.call(conn, &send(0, "more", &[])).code, 0);
}

/// A frame of so many bytes that asks for nothing that exists.
fn large_frame(size: usize) -> Vec<u8> {
    let mut command = request(30, &[("topic", "nowhere"), ("queueId", "0")]);
    command.body = vec![7; size].into();
    let mut frame = Vec::new();
    wire::encode(&command, &mut frame).expect("it fits");
    frame
}

/// Clients that send one frame each, a piece of 256 KiB at a time, as long as they are read.
struct Crowd {
    frame: Vec<u8>,
    sent: Vec<(ConnId, usize)>,
}

impl Crowd {
    fn new(rig: &mut Rig, clients: usize, size: usize) -> Self {
        Self { frame: large_frame(size), sent: (0..clients).map(|_| (rig.connect(), 0)).collect() }
    }

    /// One piece from everybody who is read; whether there was any.
    fn step(&mut self, rig: &mut Rig) -> bool {
        let mut moved = false;
        for (conn, sent) in &mut self.sent {
            if rig.is_paused(*conn) || rig.closed.contains(conn) || *sent == self.frame.len() {
                continue;
            }
            let end = self.frame.len().min(*sent + 256 * 1024);
            rig.receive(*conn, &self.frame[*sent..end]);
            rig.settle();
            (*sent, moved) = (end, true);
        }
        moved
    }
}

#[test]
fn beginnings_of_frames_are_bounded_and_all_of_them_get_through() {
    let mut rig = Rig::new();
    let bystander = rig.connect();
    let mut crowd = Crowd::new(&mut rig, 16, 10 * MIB);
    let mut most = 0;
    while crowd.step(&mut rig) {
        most = most.max(rig.broker.statistics().backlog);
        assert_eq!(rig.call(bystander, &send(0, "small", &[])).code, 0, "who sends little is served");
    }
    assert!(most > TOTAL, "the limit was reached");
    assert!(most <= TOTAL + 11 * MIB, "{most}: one frame beyond the limit");
    for (conn, sent) in &crowd.sent {
        assert_eq!(*sent, crowd.frame.len());
        assert!(rig.answer(*conn).is_some(), "every frame was answered");
    }
    assert_eq!(rig.broker.statistics().backlog, 0);
    assert!(rig.closed.is_empty());
}

#[test]
fn who_keeps_the_others_waiting_is_closed_after_five_seconds() {
    let mut rig = Rig::new();
    let mut idle = Crowd::new(&mut rig, 7, 10 * MIB);
    idle.frame.truncate(10 * MIB - 1);
    while idle.step(&mut rig) {}
    let mut willing = Crowd::new(&mut rig, 2, 10 * MIB);
    while willing.step(&mut rig) {}
    assert!(willing.sent.iter().any(|(_, sent)| *sent < willing.frame.len()), "somebody has to wait");
    let mut seconds = 0;
    while willing.sent.iter().any(|(_, sent)| *sent < willing.frame.len()) {
        rig.advance(1_000);
        while willing.step(&mut rig) {}
        seconds += 1;
        assert!(seconds <= 35, "five seconds for each of the seven at most");
    }
    assert!(
        !rig.closed.is_empty() && rig.closed.iter().all(|conn| idle.sent.iter().any(|(id, _)| id == conn))
    );
    let told = |text: &str| text.contains("of a frame have come") && text.contains("others wait");
    assert!(rig.cold.iter().any(|cold| matches!(cold, Cold::Log { text, .. } if told(text))));
}

/// All that a client can be in the middle of.
fn conversation() -> Vec<u8> {
    let mut bytes = Vec::new();
    for command in [
        send(0, "x", &[]),
        pull(1, 0, "*", Some(15_000)),
        request(34, &[]),
        send_to("unknown", 0, "parked", &[]),
        oneway(send(2, "y", &[])),
        pull(0, 0, "*", None),
    ] {
        wire::encode(&command, &mut bytes).expect("it fits");
    }
    bytes
}

/// What a connection can leave behind.
fn leftovers(rig: &Rig) -> [usize; 6] {
    let now = rig.broker.statistics();
    [now.held, now.parked, now.cold_waiting, now.reads_waiting, now.connections, now.backlog]
}

#[test]
fn a_client_that_dies_at_any_byte_leaves_nothing() {
    let mut rig = Rig::new();
    rig.keep_reads = true;
    let bytes = conversation();
    for end in 0..=bytes.len() {
        let conn = rig.connect();
        rig.receive(conn, &bytes[..end]);
        if end % 2 == 0 {
            rig.settle();
        }
        rig.broker.closed(conn, rig.now);
        rig.settle();
        while !rig.reads.is_empty() {
            rig.read();
        }
        assert_eq!(leftovers(&rig), [0; 6], "after {end} bytes");
    }
    let told = iter::from_fn(|| rig.next_cold()).filter(|cold| matches!(cold, Cold::Closed { .. })).count();
    assert!(told > 0, "Python hears of those that it knew");
}
