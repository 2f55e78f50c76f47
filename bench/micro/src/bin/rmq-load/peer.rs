//! One end of a connection: bytes that came and are not looked at yet, bytes that are not sent yet.

use std::io::{self, Read, Write};

use mio::net::TcpStream;

use rocketmq_lite_bench::frames::Head;

/// Bytes taken by one read.
const CHUNK: usize = 256 * 1024;

/// A non-blocking stream with its two buffers.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    input: Vec<u8>,
    pub(crate) output: Vec<u8>,
    written: usize,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, input: Vec::new(), output: Vec::new(), written: 0 }
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Takes what has come, and gives each whole frame with its head to `sink`. False when the other end is gone.
    pub(crate) fn read(
        &mut self,
        chunk: &mut Vec<u8>,
        mut sink: impl FnMut(Head, &[u8], &mut Vec<u8>),
    ) -> io::Result<bool> {
        chunk.resize(CHUNK, 0);
        loop {
            let count = match self.stream.read(chunk) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            self.input.extend_from_slice(chunk.get(..count).unwrap_or_default());
            let mut begin = 0;
            while let Some(head) = Head::read(self.input.get(begin..).unwrap_or_default()) {
                let frame = self.input.get(begin..begin + head.size).unwrap_or_default();
                sink(head, frame, &mut self.output);
                begin += head.size;
            }
            self.input.drain(..begin);
            // A read that did not fill its buffer has emptied the socket; what comes later is a new event.
            if count < CHUNK {
                return Ok(true);
            }
        }
    }

    /// Writes what the socket takes; the rest goes with the event that says there is room.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while let Some(rest) = self.output.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(())
    }
}
