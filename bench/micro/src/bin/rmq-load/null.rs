//! A responder that answers every request with success and stores nothing.
//!
//! Sends get what a broker says of a stored message, always the same. It is its own name server: every topic has four
//! queues, here. All else, heartbeats among it, gets an empty success.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use rocketmq_lite_core::wire::{self, Codec, Command, FLAG_ONEWAY, FrameDecoder, MAX_FRAME, codes::request};

use crate::peer::Peer;
use rocketmq_lite_bench::frames::{Answer, Head};

const LISTENER: Token = Token(usize::MAX);
const EVENTS: usize = 1024;
const QUEUES: u32 = 4;

/// The answers that are made once.
struct Answers {
    stored: [Answer; 2],
    route: String,
}

/// Serves until it is killed; prints its address first.
pub(crate) fn serve(port: u16) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let address = listener.local_addr()?;
    println!("{}", serde_json::json!({ "address": address.to_string(), "pid": std::process::id() }));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let answers = Answers::new(address);
    let (mut peers, mut events, mut chunk) = (Vec::new(), Events::with_capacity(EVENTS), Vec::new());
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut peers)?;
                continue;
            }
            let Some(place) = peers.get_mut(event.token().0) else { continue };
            let Some(peer) = place else { continue };
            let is_open = !event.is_readable()
                || peer.read(&mut chunk, |head, frame, out| answers.give(head, frame, out)).unwrap_or(false);
            if !is_open || peer.flush().is_err() {
                *place = None;
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, peers: &mut Vec<Option<Peer>>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nodelay(true)?;
                let mut peer = Peer::new(stream);
                let token = Token(peers.len());
                poll.registry().register(peer.stream(), token, Interest::READABLE | Interest::WRITABLE)?;
                peers.push(Some(peer));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

impl Answers {
    fn new(address: SocketAddr) -> Self {
        let stored = [Codec::Json, Codec::Rocketmq].map(|codec| {
            let pairs = [
                ("queueId", "0"),
                ("transactionId", "7F000001000100000000000000000000"),
                ("msgId", "7F00000100002A9F0000000000000000"),
                ("TRACE_ON", "true"),
                ("MSG_REGION", "DefaultRegion"),
                ("queueOffset", "0"),
            ];
            let mut answer = Command::response(0, 0, codec);
            answer.fields = pairs.into_iter().collect();
            Answer::new(&answer)
        });
        let route = serde_json::json!({
            "brokerDatas": [{ "brokerAddrs": { "0": address.to_string() }, "brokerName": "null", "cluster": "null" }],
            "filterServerTable": {},
            "queueDatas": [{
                "brokerName": "null", "perm": 6, "readQueueNums": QUEUES, "topicSysFlag": 0, "writeQueueNums": QUEUES,
            }],
        });
        Self { stored, route: route.to_string() }
    }

    fn give(&self, head: Head, frame: &[u8], out: &mut Vec<u8>) {
        let is_send = [request::SEND_MESSAGE, request::SEND_MESSAGE_V2, request::SEND_BATCH_MESSAGE]
            .contains(&head.code);
        if is_send {
            let [json, binary] = &self.stored;
            let answer = if head.codec == Codec::Json { json } else { binary };
            return answer.write(head.opaque, out);
        }
        let mut decoder = FrameDecoder::new(MAX_FRAME);
        decoder.feed(frame);
        let Ok(Some(asked)) = decoder.next() else { return };
        if asked.flag & FLAG_ONEWAY != 0 {
            return;
        }
        let mut answer = Command::response(0, asked.opaque, asked.codec);
        if asked.code == request::GET_ROUTEINFO_BY_TOPIC {
            answer.body = self.route.clone().into();
        }
        // What cannot be encoded is left unanswered, like anything else that is not understood.
        let _ = wire::encode(&answer, out);
    }
}
