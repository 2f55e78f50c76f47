//! Waking Python: one byte into a socket whose other end Trio waits on.
//!
//! Python gives the number of a descriptor, and a number may not be trusted: it can be closed, or be opened again as
//! something else, while our thread still writes to it. So Python sends the descriptor itself over a socket pair
//! (`SCM_RIGHTS`), the kernel makes a copy that is ours, and a number that is no open descriptor is refused on Python's side.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send, sockopt::socket_type,
};

/// The end of the socket pair that we write to.
#[derive(Debug)]
pub struct WakeSocket {
    socket: OwnedFd,
}

impl WakeSocket {
    /// Takes a socket; anything else is refused with the kernel's `ENOTSOCK`.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        socket_type(&socket)?;
        Ok(Self { socket })
    }

    /// Takes the socket that a peer sent over `carrier` with `SCM_RIGHTS`, beside at least one byte.
    pub fn receive(carrier: impl AsFd) -> io::Result<Self> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0_u8; 1];
        recvmsg(carrier, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let received = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        Self::new(
            received.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no descriptor was sent"))?,
        )
    }

    /// Writes one byte, never waits. A full socket means that the other side has been woken and has not read yet; a closed
    /// one that nobody is left to wake. Both are fine.
    pub(crate) fn wake(&self) {
        let _ = send(&self.socket, &[1], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn wakes_with_one_byte_and_never_waits() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let wake = WakeSocket::new(ours.into()).unwrap();
        wake.wake();
        let mut byte = [0; 8];
        assert_eq!(theirs.read(&mut byte).unwrap(), 1);
        for _ in 0..1_000_000 {
            wake.wake();
        }
        drop(theirs);
        wake.wake();
    }

    #[test]
    fn refuses_what_is_not_a_socket() {
        let file = tempfile::tempfile().unwrap();
        let error = WakeSocket::new(file.into()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::NOTSOCK.raw_os_error()));
    }
}
