//! One TCP connection: what may be read, what is still to be written, and when it is over.
//!
//! Readiness is edge-triggered: the kernel says once that a socket can be read, and `readable` remembers it until a read
//! does not fill its buffer, which on a stream means that nothing is left (epoll(7)); what comes later is a new event. Only
//! the peer's end gives no second one, so once that was reported a socket is read up to it. A connection that the engine
//! paused, as it does when too much output is unsent, loses nothing.
//!
//! Between socket and engine is a layer: none, TLS, or at the beginning the wait for the bytes that tell (`opening`).

use std::io::{self, Read};
use std::net::SocketAddr;

use bytes::Bytes;
use mio::net::TcpStream;

use crate::limits::READ_BUDGET;
use crate::opening::{Opened, Opening, Refused};
use crate::tls_session::TlsSession;
use crate::unsent::Unsent;

/// The socket of one peer and what the event loop knows about it.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with its own source; no state has a name"
)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    layer: Layer,
    unsent: Unsent,
    /// The kernel reported bytes (or the end) that no read has exhausted yet.
    pub(crate) readable: bool,
    /// The kernel reported that the peer sends no more, or an error.
    pub(crate) ended: bool,
    /// The last write was taken whole, or the kernel reported room since.
    pub(crate) writable: bool,
    /// The engine asked not to be given more.
    pub(crate) paused: bool,
    /// To be closed once everything is written; nothing is read any more.
    pub(crate) ending: bool,
    /// Waits in the loop's list of connections to read, or to write.
    pub(crate) listed_to_read: bool,
    pub(crate) listed_to_write: bool,
}

/// What is between the socket and the engine.
#[derive(Debug)]
enum Layer {
    Opening(Opening),
    Plain,
    Tls(Box<TlsSession>),
}

/// What a connection has for the engine.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// Bytes of frames.
    Bytes(&'a [u8]),
    /// It is a load balancer's, and speaks for this client.
    Client(SocketAddr),
}

/// How a turn of reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// The budget of this turn is used up; there may be more.
    Budget,
    /// The socket is empty.
    Empty,
    /// The peer sends no more, but may still read.
    Finished,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, opening: Opening) -> Self {
        Self {
            stream,
            layer: Layer::Opening(opening),
            unsent: Unsent::default(),
            readable: false,
            ended: false,
            writable: true,
            paused: false,
            ending: false,
            listed_to_read: false,
            listed_to_write: false,
        }
    }

    /// Whether a read now is allowed and can give something.
    pub(crate) fn wants_read(&self) -> bool {
        self.readable && !self.paused && !self.ending
    }

    /// Whether a write now can move something, or the connection waits to be closed.
    pub(crate) fn wants_write(&self) -> bool {
        self.writable && (self.ending || self.has_unsent())
    }

    /// Closing time: asked to close, and nothing is left to write.
    pub(crate) fn is_over(&self) -> bool {
        self.ending && !self.has_unsent()
    }

    /// Whether output waits for the peer to take it.
    pub(crate) fn has_unsent(&self) -> bool {
        let is_inside = matches!(&self.layer, Layer::Tls(session) if session.has_output());
        is_inside || !self.unsent.is_empty()
    }

    pub(crate) fn push(&mut self, chunks: Vec<Bytes>) {
        for chunk in chunks {
            self.unsent.push(chunk);
        }
    }

    /// One turn of reading from the socket; see [`read_turn`]. What the layer refuses ends the connection.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        mut sink: impl FnMut(Input<'_>),
    ) -> io::Result<Result<ReadEnd, Refused>> {
        let (layer, mut through) = (&mut self.layer, Ok(false));
        let end = read_turn(&mut self.stream, buffer, self.ended, |bytes| {
            if matches!(through, Ok(false)) {
                through = layer.receive(bytes, &mut sink);
            }
        })?;
        self.readable = end != ReadEnd::Empty;
        Ok(through.map(|finished| if finished { ReadEnd::Finished } else { end }))
    }

    /// Writes what the socket takes; the number of bytes of what was pushed that have left.
    pub(crate) fn write(&mut self) -> io::Result<usize> {
        let (count, full) = match &mut self.layer {
            Layer::Tls(session) => session.write(&mut self.unsent, &self.stream, self.ending)?,
            Layer::Plain | Layer::Opening(_) => self.unsent.write(&self.stream)?,
        };
        self.writable = !full;
        Ok(count)
    }
}

impl Layer {
    /// Takes bytes of the socket; whether the peer has said inside the layer that it sends no more.
    fn receive(&mut self, bytes: &[u8], sink: &mut impl FnMut(Input<'_>)) -> Result<bool, Refused> {
        match self {
            Self::Plain => {
                sink(Input::Bytes(bytes));
                Ok(false)
            }
            Self::Tls(session) => Ok(session.receive(bytes, |plain| sink(Input::Bytes(plain)))?),
            Self::Opening(opening) => {
                let learnt = opening.take(bytes)?;
                if let Some(client) = learnt.client {
                    sink(Input::Client(client));
                }
                let Some((opened, before)) = learnt.opened else { return Ok(false) };
                *self = match opened {
                    Opened::Plain => Self::Plain,
                    Opened::Tls(session) => Self::Tls(session),
                };
                self.receive(bytes.get(before..).unwrap_or_default(), sink)
            }
        }
    }
}

/// Reads at most one budget of bytes (and what the last chunk has beyond it) through `buffer` into `sink`; says why it
/// stopped. A source that fills faster than it is read cannot hold the loop longer than that. One that has `ended` is
/// asked until it says so.
fn read_turn(
    source: &mut impl Read,
    buffer: &mut [u8],
    ended: bool,
    mut sink: impl FnMut(&[u8]),
) -> io::Result<ReadEnd> {
    let mut total = 0;
    while total < READ_BUDGET {
        match source.read(buffer) {
            Ok(0) => return Ok(ReadEnd::Finished),
            Ok(count) => {
                total += count;
                sink(buffer.get(..count).unwrap_or_default());
                if count < buffer.len() && !ended {
                    return Ok(ReadEnd::Empty);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ReadEnd::Empty),
            Err(error) => return Err(error),
        }
    }
    Ok(ReadEnd::Budget)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener as StdListener, TcpStream as StdStream};
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::limits::READ_CHUNK;
    use crate::tls::Tls;

    /// What one turn takes from `source`: how it ended, and how many bytes it gave.
    fn turn(source: &mut impl Read, ended: bool) -> (ReadEnd, usize) {
        let mut received = 0;
        let end =
            read_turn(source, &mut vec![0; READ_CHUNK], ended, |bytes| received += bytes.len()).unwrap();
        (end, received)
    }

    #[test]
    fn one_turn_takes_one_budget_from_a_peer_that_never_pauses() {
        let (end, received) = turn(&mut io::repeat(1), false);
        assert_eq!(end, ReadEnd::Budget);
        assert!((READ_BUDGET..READ_BUDGET + READ_CHUNK).contains(&received));
    }

    #[test]
    fn a_turn_ends_with_the_peers_last_byte() {
        assert_eq!(turn(&mut io::repeat(1).take(5), true), (ReadEnd::Finished, 5));
    }

    #[test]
    fn a_read_that_does_not_fill_the_buffer_is_the_last() {
        let mut source = io::repeat(1).take(READ_CHUNK as u64).chain(io::repeat(2).take(5)).chain(Unasked);
        assert_eq!(turn(&mut source, false), (ReadEnd::Empty, READ_CHUNK + 5));
    }

    /// Nobody may read from it.
    struct Unasked;

    impl Read for Unasked {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            panic!("a socket that was found empty is read again")
        }
    }

    #[test]
    fn a_flooded_socket_gives_every_byte_and_then_its_end() {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let mut peer = StdStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        let total = 16 * READ_BUDGET;
        let flood = thread::spawn(move || peer.write_all(&vec![1; total]).unwrap());
        let opening = Opening::new(Arc::new(Tls::disabled()));
        let mut connection = Connection::new(TcpStream::from_std(ours), opening);
        let (mut buffer, mut received) = (vec![0; READ_CHUNK], 0);
        loop {
            let end = connection.read(&mut buffer, |input| match input {
                Input::Bytes(bytes) => received += bytes.len(),
                Input::Client(client) => panic!("{client}"),
            });
            let end = end.unwrap().unwrap();
            assert_eq!(connection.readable, end != ReadEnd::Empty);
            if end == ReadEnd::Finished {
                break;
            }
        }
        flood.join().unwrap();
        assert_eq!(received, total);
    }
}
