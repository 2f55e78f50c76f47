//! The closed loop: every slot of every connection sends its request, waits for the answer, sends again.

use std::io;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::SendArguments;
use crate::peer::Peer;
use crate::report::Report;
use rocketmq_lite_bench::frames::Request;

const EVENTS: usize = 1024;
/// Nothing was answered for so long: the server hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that is sent again and again.
struct Slot {
    request: Request,
    since: Instant,
}

struct Sender {
    peer: Peer,
    slots: Vec<Slot>,
}

/// Sends until the arguments say that it is enough.
pub(crate) fn run(arguments: &SendArguments) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut next_key = 0;
    let mut senders = connect(arguments, &poll)?;
    let mut report = Report::start(arguments)?;
    for sender in &mut senders {
        for slot in &mut sender.slots {
            slot.request.number(&mut next_key);
            sender.peer.output.extend_from_slice(&slot.request.bytes);
            slot.since = Instant::now();
        }
        sender.peer.flush()?;
    }
    let mut events = Events::with_capacity(EVENTS);
    let mut chunk = Vec::new();
    while !report.is_done()? {
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the server answers nothing any more"));
        }
        for event in &events {
            let Some(sender) = senders.get_mut(event.token().0) else { continue };
            if event.is_readable() {
                sender.turn(&mut chunk, &mut next_key, &mut report)?;
            }
            sender.peer.flush()?;
        }
    }
    report.finish()
}

fn connect(arguments: &SendArguments, poll: &Poll) -> io::Result<Vec<Sender>> {
    let (queues, shape) = (arguments.queues.max(1), arguments.shape());
    (0..arguments.connections)
        .map(|index| {
            let std = std::net::TcpStream::connect(arguments.address)?;
            std.set_nodelay(true)?;
            std.set_nonblocking(true)?;
            let mut peer = Peer::new(TcpStream::from_std(std));
            poll.registry().register(peer.stream(), Token(index), Interest::READABLE | Interest::WRITABLE)?;
            let slots = (0..arguments.outstanding).map(|slot| Slot {
                request: Request::new(&shape, (index + slot) as u32 % queues, slot as i32),
                since: Instant::now(),
            });
            Ok(Sender { peer, slots: slots.collect() })
        })
        .collect()
}

impl Sender {
    /// Takes the answers that have come and sends each slot's next request.
    fn turn(&mut self, chunk: &mut Vec<u8>, next_key: &mut u64, report: &mut Report) -> io::Result<()> {
        let slots = &mut self.slots;
        let is_open = self.peer.read(chunk, |head, frame, output| {
            let Some(slot) = usize::try_from(head.opaque).ok().and_then(|slot| slots.get_mut(slot)) else {
                return;
            };
            let now = Instant::now();
            if head.code == 0 {
                report.answered(now - slot.since);
            } else {
                report.refused(frame);
            }
            slot.request.number(next_key);
            output.extend_from_slice(&slot.request.bytes);
            slot.since = now;
        })?;
        if is_open {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "the server closed a connection"))
        }
    }
}
