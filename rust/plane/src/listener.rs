//! Listening sockets: binding, and accepting without ever spinning.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, Socket, Type};

use crate::limits::{ACCEPT_REST_MS, BACKLOG};

/// Binds and listens. Port 0 picks a free port; a port in use is the kernel's `EADDRINUSE`.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the last run that still wait for stray packets must not keep us from our port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(StdListener::from(socket)))
}

/// One listening socket of the event loop.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    /// The backlog may hold connections: the kernel said so, or we have not looked yet.
    pub(crate) ready: bool,
    /// Set after `accept` failed for want of something; before this time it is not tried again.
    rests_until: Option<u64>,
}

/// What one try to accept gave.
#[derive(Debug)]
pub(crate) enum Accepted {
    Peer(TcpStream, SocketAddr),
    /// The backlog is empty; the kernel reports the next one.
    Nobody,
    /// No descriptors or no memory: try again when the rest is over.
    Exhausted,
}

impl Listener {
    pub(crate) fn new(socket: TcpListener) -> Self {
        Self { socket, ready: true, rests_until: None }
    }

    /// Ready again once the rest is over.
    pub(crate) fn end_rest(&mut self, mono_ms: u64) {
        if self.rests_until.is_some_and(|until| until <= mono_ms) {
            self.rests_until = None;
            self.ready = true;
        }
    }

    /// When a resting listener has to be tried again: the kernel does not report what it reported already.
    pub(crate) fn rests_until(&self) -> Option<u64> {
        self.rests_until
    }

    /// Accepts one connection. One that was gone before we came is passed over.
    pub(crate) fn accept(&mut self, mono_ms: u64) -> Accepted {
        loop {
            match self.socket.accept() {
                Ok((stream, peer)) => return Accepted::Peer(stream, peer),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        self.ready = false;
                        return Accepted::Nobody;
                    }
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => {
                        self.ready = false;
                        self.rests_until = Some(mono_ms + ACCEPT_REST_MS);
                        return Accepted::Exhausted;
                    }
                },
            }
        }
    }
}
