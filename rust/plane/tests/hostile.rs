//! A peer that misbehaves harms itself only.

mod support;

use std::io::{Read, Write};
use std::time::Duration;

use rocketmq_lite_core::wire::codes::request::{PULL_MESSAGE, SEND_MESSAGE};
use rocketmq_lite_core::wire::codes::response::SUCCESS;

use support::{Server, eventually, frame, pull_fields, send_fields};

#[test]
fn a_length_word_of_a_gibibyte_closes_that_connection_only() {
    let server = Server::start();
    let (mut good, mut bad) = (server.client(), server.client());
    assert_eq!(good.send(0, b"before").code, SUCCESS);
    bad.stream.write_all(&0x4000_0000_u32.to_be_bytes()).expect("four bytes");
    bad.stream.write_all(&[0; 64]).expect("a little more");
    assert!(bad.read().is_none());
    assert_eq!(good.send(0, b"after").code, SUCCESS);
    server.close();
}

#[test]
fn garbage_closes_that_connection_only() {
    let server = Server::start();
    let mut good = server.client();
    for garbage in [&[0_u8; 64][..], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", &[0xff; 64]] {
        let mut bad = server.client();
        bad.stream.write_all(garbage).expect("it takes anything");
        assert!(bad.read().is_none());
        assert_eq!(good.send(0, b"undisturbed").code, SUCCESS);
    }
    server.close();
}

#[test]
fn half_a_frame_waits_for_ever_and_blocks_nobody() {
    let server = Server::start();
    let whole = frame(SEND_MESSAGE, 1, &send_fields("0"), b"late");
    let mut slow = server.client();
    let (first, second) = whole.split_at(whole.len() / 2);
    slow.stream.write_all(first).expect("half");
    let mut good = server.client();
    assert_eq!(good.send(0, b"meanwhile").code, SUCCESS);
    slow.stream.write_all(second).expect("the other half");
    assert_eq!(slow.read().expect("an answer").code, SUCCESS);
    server.close();
}

/// Who asks for much and takes nothing is not read any more: what the reactor keeps for it stays bounded, others are
/// served, and once it reads it gets every answer.
#[test]
fn who_does_not_read_is_not_read() {
    const ASKED: i32 = 200;
    let server = Server::start();
    let mut good = server.client();
    let body = vec![7; 250_000];
    for _ in 0..4 {
        assert_eq!(good.send(0, &body).code, SUCCESS);
    }
    let mut slow = server.client();
    let sent_before = server.reactor.statistics().bytes_sent;
    for _ in 0..ASKED {
        slow.write(PULL_MESSAGE, &pull_fields("0", "4", "0"), b"");
    }
    // Socket buffers take some megabytes, the engine lets four more wait; 200 answers would be 50 MB and more.
    eventually("the slow one's answers fill the sockets", || {
        let before = server.reactor.statistics().bytes_sent;
        assert_eq!(good.send(1, b"served").code, SUCCESS);
        server.reactor.statistics().bytes_sent - before < 1_000
    });
    let taken = server.reactor.statistics().bytes_sent - sent_before;
    assert!(taken < 20_000_000, "{taken} bytes went out unread");
    for _ in 0..ASKED {
        assert_eq!(slow.read().expect("every answer").code, SUCCESS);
    }
    server.close();
}

#[test]
fn a_peer_that_resets_its_connection_is_forgotten() {
    let server = Server::start();
    for _ in 0..50 {
        let mut rude = server.client();
        rude.write(PULL_MESSAGE, &pull_fields("0", "4", "15000"), b"");
        // Closing with unread bytes resets the connection.
        rude.write(SEND_MESSAGE, &send_fields("1"), b"x");
        let mut one = [0; 1];
        rude.stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        rude.stream.read_exact(&mut one).expect("the beginning of the answer");
    }
    eventually("all gone", || server.reactor.statistics().connections == 0);
    assert_eq!(server.client().send(0, b"still here").code, SUCCESS);
    server.close();
}
