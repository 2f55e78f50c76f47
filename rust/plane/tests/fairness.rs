//! Nobody's work holds up anybody else's: not a flood, not a slow disk, not a Python that does not answer.

mod support;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use crossbeam_channel::bounded;
use rocketmq_lite_core::session::{Cold, Control, Statistics, Value};
use rocketmq_lite_core::store::FlushMode;
use rocketmq_lite_core::wire::codes::request::{PULL_MESSAGE, SEND_MESSAGE};
use rocketmq_lite_core::wire::codes::response::SUCCESS;
use rocketmq_lite_plane::Event;

use support::hook_fs::HookFs;
use support::{Client, Server, Wish, eventually, frame, pull_fields, send_fields};

const SYSTEM_BUSY: i32 = 2;
const HEARTBEAT: i32 = 34;
const GO_AWAY: i32 = 1500;

/// A peer that sends as fast as it can and takes its answers, until it is told to end.
fn flood(address: std::net::SocketAddr, ended: &Arc<AtomicBool>) -> [thread::JoinHandle<()>; 2] {
    let (mut writer, ended) = (Client::connect(address).stream, Arc::clone(ended));
    let mut reader = writer.try_clone().expect("a descriptor");
    let burst = frame(SEND_MESSAGE, 1, &send_fields("0"), &[7; 1024]).repeat(256);
    [
        thread::spawn(move || {
            while !ended.load(SeqCst) {
                writer.write_all(&burst).expect("it is read");
            }
            writer.shutdown(Shutdown::Write).expect("half a connection");
        }),
        thread::spawn(move || while reader.read(&mut [0; 16_384]).expect("answers") > 0 {}),
    ]
}

#[test]
fn a_flood_does_not_starve_a_trickle() {
    let server = Server::start();
    let ended = Arc::new(AtomicBool::new(false));
    let floods: Vec<_> = (0..2).flat_map(|_| flood(server.address, &ended)).collect();
    let mut trickle = server.client();
    let before = server.reactor.statistics().bytes_received;
    for _ in 0..20 {
        assert_eq!(trickle.send(1, b"one of few").code, SUCCESS);
    }
    eventually("the flood goes on", || server.reactor.statistics().bytes_received > before + 1_000_000);
    ended.store(true, SeqCst);
    for part in floods {
        part.join().expect("the flood was served too");
    }
    server.close();
}

#[test]
fn a_backlog_that_is_read_from_a_slow_disk_holds_up_no_sender() {
    let (release, disk) = bounded::<()>(0);
    let files = HookFs::on_read(move || {
        if thread::current().name().is_some_and(|name| name.starts_with("rmq-read")) {
            let _ = disk.recv();
        }
    });
    let server = Server::with(Wish { files: Arc::new(files.clone()), ..Wish::default() });
    let (mut consumer, mut producer) = (server.client(), server.client());
    assert_eq!(producer.send(0, b"old").code, SUCCESS);
    files.block_reads(true);
    consumer.write(PULL_MESSAGE, &pull_fields("0", "32", "0"), b"");
    for _ in 0..100 {
        assert_eq!(producer.send(1, b"new").code, SUCCESS);
    }
    let waiting = statistics(&server, 1).reads_waiting;
    assert_eq!(waiting, 1, "the disk still has not answered");
    drop(release);
    assert_eq!(consumer.read().expect("an answer").code, SUCCESS);
    server.close();
}

fn statistics(server: &Server, token: u64) -> Statistics {
    server.reactor.submit(token, Control::Statistics).expect("it runs");
    let mut found = None;
    eventually("an answer", || {
        for event in server.reactor.take(usize::MAX) {
            if let Event::Done(done, Value::Statistics(statistics)) = event
                && done == token
            {
                found = Some(*statistics);
            }
        }
        found.is_some()
    });
    found.expect("just found")
}

#[test]
fn python_that_does_not_answer_delays_no_hot_command() {
    let mut server = Server::start();
    let mut client = server.client();
    for _ in 0..64 {
        client.write(HEARTBEAT, &[], b"{}");
        assert_eq!(client.send(0, b"hot").code, SUCCESS);
    }
    let list = client.call(21, &[], b"");
    assert_eq!(list.code, SYSTEM_BUSY);
    assert!(list.remark.expect("a remark").starts_with("[OVERLOAD]"));
    client.write(HEARTBEAT, &[], b"{}");
    assert_eq!(client.pull(0, 32).code, SUCCESS);
    let mut bytes = [0; 64];
    assert_eq!(server.wake.read(&mut bytes).expect("a wake-up"), 1, "one byte for all of them");
    let mut commands = 0;
    eventually("heartbeats always get in", || {
        let events = server.reactor.take(256);
        commands += events.iter().filter(|event| matches!(event, Event::Cold(Cold::Command { .. }))).count();
        commands == 65
    });
    server.close();
}

/// What a client may be in the middle of: a send, a pull that is held, a request for Python, a topic that Python has to make.
fn conversation() -> Vec<u8> {
    let unknown = send_fields("0").map(|(key, value)| (key, if key == "topic" { "unknown" } else { value }));
    [
        frame(SEND_MESSAGE, 1, &send_fields("0"), b"x"),
        frame(PULL_MESSAGE, 2, &pull_fields("100000", "32", "15000"), b""),
        frame(HEARTBEAT, 3, &[], b"{}"),
        frame(SEND_MESSAGE, 4, &unknown, b"x"),
    ]
    .concat()
}

#[test]
fn clients_that_die_at_any_byte_leave_nothing() {
    let server = Server::start();
    let bytes = conversation();
    for end in 0..bytes.len() {
        let mut client = server.client();
        client.stream.write_all(&bytes[..end]).expect("it takes them");
    }
    assert_eq!(server.client().send(0, b"alive").code, SUCCESS);
    eventually("all gone", || server.reactor.statistics().connections == 0);
    let left = statistics(&server, 1);
    let waiting = [left.held, left.parked, left.cold_waiting, left.reads_waiting, left.flush_waiting];
    assert_eq!((waiting, left.connections, left.backlog), ([0; 5], 0, 0));
    server.close();
}

#[test]
fn clients_hear_of_the_stop_while_it_lasts() {
    let (release, disk) = bounded::<()>(0);
    let files = HookFs::on_sync(move || {
        if thread::current().name() == Some("rmq-flush") {
            let _ = disk.recv();
        }
    });
    let wish = Wish { files: Arc::new(files), flush: FlushMode::Sync, ..Wish::default() };
    let server = Server::with(wish);
    let (mut waiting, mut other) = (server.client(), server.client());
    waiting.write(SEND_MESSAGE, &send_fields("0"), b"not on disk");
    eventually("it waits", || statistics(&server, 1).flush_waiting == 1);
    server.reactor.submit(0, Control::Stop).expect("it runs");
    eventually("told to go away", || other.pull(0, 32).code == GO_AWAY);
    drop(release);
    assert_eq!(waiting.read().expect("an answer").code, SUCCESS);
    server.close();
}
