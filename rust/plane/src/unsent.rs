//! Output that a connection still has to send: chunks in order, written many at a time.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use bytes::{Buf, Bytes};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

use crate::limits::WRITE_CHUNKS;

/// The unsent output of one connection. How much it may be is the engine's business: it pauses who takes too little.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    chunks: VecDeque<Bytes>,
}

impl Unsent {
    pub(crate) fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.chunks.push_back(chunk);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Writes until everything is out or the socket takes no more; the bytes written so far and whether the socket is full.
    pub(crate) fn write(&mut self, socket: impl AsFd) -> io::Result<(usize, bool)> {
        let mut written = 0;
        while !self.is_empty() {
            match self.with_slices(|slices| send_some(socket.as_fd(), slices))? {
                Some(count) => {
                    written += count;
                    self.advance(count);
                }
                None => return Ok((written, true)),
            }
        }
        Ok((written, false))
    }

    /// Shows the first chunks to `write`.
    pub(crate) fn with_slices<T>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        let mut slices = [IoSlice::new(&[]); WRITE_CHUNKS];
        let count = self.chunks.len().min(WRITE_CHUNKS);
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(chunk);
        }
        write(&slices[..count])
    }

    /// Drops so many bytes: they have been written.
    pub(crate) fn advance(&mut self, mut count: usize) {
        while let Some(first) = self.chunks.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.chunks.pop_front();
        }
    }
}

/// One write; how many bytes the socket took, `None` when it is full.
///
/// `sendmsg` and not `writev`: only it can be told not to raise SIGPIPE, whose handling belongs to Python.
pub(crate) fn send_some(socket: impl AsFd, slices: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    loop {
        match sendmsg(socket.as_fd(), slices, &mut SendAncillaryBuffer::default(), flags) {
            Ok(count) => return Ok(Some(count)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn keeps_order_over_partial_writes() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut unsent = Unsent::default();
        let mut expected = Vec::new();
        for index in 0..20_000_u32 {
            let chunk = index.to_be_bytes().repeat(1 + index as usize % 40);
            expected.extend_from_slice(&chunk);
            unsent.push(chunk.into());
        }
        unsent.push(Bytes::new());
        let (mut received, mut buffer) = (Vec::new(), vec![0; 100_000]);
        let mut stalls = 0;
        while received.len() < expected.len() {
            stalls += usize::from(unsent.write(&ours).unwrap().1);
            let count = theirs.read(&mut buffer).unwrap();
            received.extend_from_slice(&buffer[..count]);
        }
        assert!(stalls > 1, "the socket never filled up");
        assert!(unsent.is_empty());
        assert_eq!(received, expected);
    }

    #[test]
    fn a_closed_peer_is_an_error_and_no_signal() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let mut unsent = Unsent::default();
        unsent.push(Bytes::from_static(b"x"));
        assert_eq!(unsent.write(&ours).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
