//! What a client may rely on, over real sockets: answers, order, long polling, and that others do not disturb it.

mod support;

use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::sync::Arc;
use std::thread;

use rocketmq_lite_core::record::{Decoded, decode};
use rocketmq_lite_core::session::{Cold, Control, Value};
use rocketmq_lite_core::store::{FileSystem, FlushMode, MemFs};
use rocketmq_lite_core::wire::Command;
use rocketmq_lite_core::wire::codes::request::{PULL_MESSAGE, SEND_MESSAGE};
use rocketmq_lite_core::wire::codes::response::SUCCESS;
use rocketmq_lite_plane::{Event, ListenError};

use support::{Client, Server, Wish, eventually, frame, pull_fields, send_fields};

/// The bodies of a pull's answer.
fn bodies(answer: &Command) -> Vec<Vec<u8>> {
    let (mut rest, mut found) = (&answer.body[..], Vec::new());
    while !rest.is_empty() {
        let Decoded::Message(message) = decode(rest).expect("a record") else { panic!("no message") };
        found.push(message.body.to_vec());
        rest = rest.get(message.total_size..).expect("whole records");
    }
    found
}

fn body_of(answer: &Command) -> Vec<u8> {
    assert_eq!(answer.code, SUCCESS, "{:?}", answer.remark);
    bodies(answer).concat()
}

#[test]
fn what_was_sent_is_pulled_in_either_flush_mode() {
    for flush in [FlushMode::Async { interval_ms: 500 }, FlushMode::Sync] {
        let server = Server::with(Wish { flush, ..Wish::default() });
        let mut client = server.client();
        for body in ["one", "two"] {
            assert_eq!(client.send(0, body.as_bytes()).code, SUCCESS);
        }
        assert_eq!(bodies(&client.pull(0, 32)), [b"one".to_vec(), b"two".to_vec()]);
        server.close();
    }
}

#[test]
fn an_arrival_answers_a_held_pull_of_another_connection() {
    let server = Server::start();
    let (mut consumer, mut producer) = (server.client(), server.client());
    consumer.write(PULL_MESSAGE, &pull_fields("0", "32", "15000"), b"");
    assert_eq!(producer.send(0, b"news").code, SUCCESS);
    assert_eq!(body_of(&consumer.read().expect("an answer")), b"news");
    server.close();
}

#[test]
fn frames_may_come_in_pieces_or_many_at_once() {
    let server = Server::start();
    let mut client = server.client();
    for byte in frame(SEND_MESSAGE, 1, &send_fields("0"), b"bytewise") {
        client.stream.write_all(&[byte]).expect("it takes a byte");
    }
    assert_eq!(client.read().expect("an answer").code, SUCCESS);
    let many: Vec<u8> =
        (2..502).flat_map(|opaque| frame(SEND_MESSAGE, opaque, &send_fields("1"), b"pipelined")).collect();
    client.stream.write_all(&many).expect("it takes all");
    let answered: Vec<i32> = (2..502).map(|_| client.read().expect("an answer").opaque).collect();
    assert_eq!(answered, (2..502).collect::<Vec<_>>());
    server.close();
}

#[test]
fn a_large_message_passes_both_ways() {
    let server = Server::start();
    let mut client = server.client();
    let body: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 251) as u8).collect();
    assert_eq!(client.send(0, &body).code, SUCCESS);
    assert!(body_of(&client.pull(0, 1)) == body, "the body changed");
    server.close();
}

#[test]
fn what_the_cache_does_not_hold_is_read_by_other_threads() {
    let files = MemFs::new();
    let server = Server::with(Wish { files: Arc::new(files.clone()), ..Wish::default() });
    let mut client = server.client();
    client.send(0, b"cold");
    files.block_reads(true);
    assert_eq!(body_of(&client.pull(0, 32)), b"cold");
    server.close();
}

#[test]
fn a_peer_that_sends_no_more_still_gets_its_answer() {
    let server = Server::start();
    let mut client = server.client();
    client.write(SEND_MESSAGE, &send_fields("0"), b"last words");
    client.stream.shutdown(Shutdown::Write).expect("half a connection");
    assert_eq!(client.read().expect("an answer").code, SUCCESS);
    assert!(client.read().is_none(), "then the connection is closed");
    eventually("no connection", || server.reactor.statistics().connections == 0);
    server.close();
}

#[test]
fn many_connections_are_served_at_once() {
    let server = Server::start();
    let address = server.address;
    let rounds = 20;
    let workers: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                let mut clients: Vec<_> = (0..64).map(|_| Client::connect(address)).collect();
                for _ in 0..rounds {
                    for client in &mut clients {
                        client.write(SEND_MESSAGE, &send_fields("2"), b"crowd");
                    }
                    for client in &mut clients {
                        assert_eq!(client.read().expect("an answer").code, SUCCESS);
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("all answered");
    }
    eventually("all gone", || server.reactor.statistics().connections == 0);
    assert_eq!(server.reactor.statistics().accepted, 4 * 64);
    server.close();
}

#[test]
fn one_reactor_listens_on_several_addresses() {
    let server = Server::start();
    let second =
        server.reactor.listen(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0))).expect("an address");
    assert_ne!(second.port(), 0);
    let (mut one, mut two) = (server.client(), Client::connect(second));
    one.send(0, b"here");
    assert_eq!(body_of(&two.pull(0, 32)), b"here");
    server.close();
}

#[test]
fn a_port_in_use_is_the_kernels_error() {
    let server = Server::start();
    let Err(ListenError::Io(error)) = server.reactor.listen(server.address) else { panic!("bound twice") };
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    server.close();
}

#[test]
fn cold_commands_and_answers_to_controls_wake_python() {
    let mut server = Server::start();
    let mut client = server.client();
    let opaque = client.write(34, &[], b"{}");
    let (token, command) = server.wait_event(|event| match event {
        Event::Cold(Cold::Command { token, command, .. }) => Some((token, command)),
        _ => None,
    });
    assert_eq!((command.code, command.opaque), (34, opaque));
    let answer = Command::response(SUCCESS, command.opaque, command.codec).with_remark("seen");
    server.reactor.submit(0, Control::Respond { token, command: answer }).expect("it runs");
    let answer = client.read().expect("an answer");
    assert_eq!((answer.opaque, answer.remark.as_deref()), (opaque, Some("seen")));
    server.reactor.submit(9, Control::Bounds { topic: "T".to_owned(), queues: vec![0] }).expect("it runs");
    let value = server.wait_event(|event| match event {
        Event::Done(9, value) => Some(value),
        _ => None,
    });
    assert_eq!(value, Value::Bounds(vec![(0, 0, 0)]));
    drop(client);
    server.wait_event(|event| matches!(event, Event::Cold(Cold::Closed { .. })).then_some(()));
    server.close();
}

#[test]
fn nothing_to_do_is_no_work() {
    let server = Server::start();
    let mut client = server.client();
    client.send(0, b"then silence");
    eventually("flushed", || server.reactor.statistics().wakeups >= 4);
    let pause = std::time::Duration::from_millis(700);
    // The flush of the message above comes half a second after it; from then on there is nothing.
    thread::sleep(pause);
    let before = server.reactor.statistics().wakeups;
    thread::sleep(pause);
    assert_eq!(server.reactor.statistics().wakeups, before);
    server.close();
}

#[test]
fn a_new_reactor_finds_what_the_last_one_stored() {
    let files: Arc<dyn FileSystem> = Arc::new(MemFs::new());
    for round in 0..3_u8 {
        let server = Server::with(Wish { files: Arc::clone(&files), ..Wish::default() });
        let mut client = server.client();
        client.send(0, &[round]);
        assert_eq!(bodies(&client.pull(0, 32)), (0..=round).map(|each| vec![each]).collect::<Vec<_>>());
        server.close();
    }
}
