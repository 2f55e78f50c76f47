//! One connection inside TLS: what the peer's records hold, and records of what we have for it.

use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;

use rustls::{Error, ServerConnection};

use crate::unsent::{Unsent, send_some};

/// The TLS of one connection. Boxed where it is kept: most connections have none.
#[derive(Debug)]
pub(crate) struct TlsSession {
    tls: ServerConnection,
    /// Records that the socket has not taken; sent from `sent` on.
    records: Vec<u8>,
    sent: usize,
    said_good_bye: bool,
}

impl TlsSession {
    pub(crate) fn new(tls: ServerConnection) -> Self {
        Self { tls, records: Vec::new(), sent: 0, said_good_bye: false }
    }

    /// Takes bytes of the socket; what they say goes into `sink`. Whether the peer has said that it sends no more.
    pub(crate) fn receive(&mut self, mut bytes: &[u8], mut sink: impl FnMut(&[u8])) -> Result<bool, Error> {
        let mut finished = false;
        while !bytes.is_empty() && !finished {
            let taken = self.tls.read_tls(&mut bytes as &mut dyn Read);
            finished = self.tls.process_new_packets()?.peer_has_closed() || matches!(taken, Ok(0) | Err(_));
            let mut reader = self.tls.reader();
            while let Ok(plain) = reader.fill_buf() {
                let count = plain.len();
                if count == 0 {
                    break;
                }
                sink(plain);
                reader.consume(count);
            }
        }
        Ok(finished)
    }

    /// Whether there is something for the peer beside what is unsent: parts of the handshake, or records.
    pub(crate) fn has_output(&self) -> bool {
        self.sent < self.records.len() || self.tls.wants_write()
    }

    /// Writes until everything is out or the socket takes no more; how much of `unsent` has become records, and whether the
    /// socket is full. The last write of a connection says good-bye, so that the peer knows that nothing was cut off.
    pub(crate) fn write(
        &mut self,
        unsent: &mut Unsent,
        socket: impl AsFd,
        is_last: bool,
    ) -> io::Result<(usize, bool)> {
        let mut written = 0;
        loop {
            if !self.send_records(socket.as_fd())? {
                return Ok((written, true));
            }
            if !self.tls.wants_write() {
                let count = if self.tls.is_handshaking() { 0 } else { self.take(unsent)? };
                written += count;
                if count == 0 && !(is_last && self.say_good_bye()) {
                    return Ok((written, false));
                }
            }
            self.tls.write_tls(&mut self.records)?;
        }
    }

    /// Sends the records that are ready; whether the socket took them all.
    fn send_records(&mut self, socket: impl AsFd) -> io::Result<bool> {
        while let Some(rest) = self.records.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match send_some(socket.as_fd(), &[io::IoSlice::new(rest)])? {
                Some(count) => self.sent += count,
                None => return Ok(false),
            }
        }
        self.records.clear();
        self.sent = 0;
        Ok(true)
    }

    /// Moves as much of `unsent` into TLS as its buffer takes, 64 KiB.
    fn take(&mut self, unsent: &mut Unsent) -> io::Result<usize> {
        let count = unsent.with_slices(|slices| self.tls.writer().write_vectored(slices))?;
        unsent.advance(count);
        Ok(count)
    }

    /// The first time only: whether there is a good-bye to be written.
    fn say_good_bye(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.said_good_bye, true);
        if first {
            self.tls.send_close_notify();
        }
        first
    }
}
