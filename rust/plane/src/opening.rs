//! What the first bytes of a connection say it is: plain, TLS, or a load balancer's with either behind its header.
//!
//! A frame begins with the high byte of its length, 0 or 1; a TLS handshake with 22; the header of the PROXY protocol with
//! `P` or a carriage return. So the first byte decides, and a plain connection costs one look at it.

use std::net::SocketAddr;
use std::sync::Arc;

use rocketmq_lite_core::wire::proxy::{self, ProxyError};
use thiserror::Error;

use crate::tls::{Tls, TlsError, TlsMode};
use crate::tls_session::TlsSession;

/// Content type of a TLS handshake record.
const HANDSHAKE: u8 = 22;

/// Why a connection is closed before a frame of it was looked at.
#[derive(Debug, Error)]
pub(crate) enum Refused {
    #[error("it is not encrypted, and this broker takes TLS only (TLS mode \"enforcing\")")]
    Plain,
    #[error("it asks for TLS, which this broker does not speak (TLS mode \"disabled\")")]
    Encrypted,
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("TLS failed: {0}")]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Certificate(#[from] TlsError),
}

/// A connection that has not said what it is.
#[derive(Debug)]
pub(crate) struct Opening {
    tls: Arc<Tls>,
    /// A header that has not come as a whole.
    header: Vec<u8>,
    proxied: bool,
}

/// What a connection has turned out to be; the bytes that follow are its own.
#[derive(Debug)]
pub(crate) enum Opened {
    Plain,
    Tls(Box<TlsSession>),
}

/// What bytes at the beginning of a connection tell.
#[derive(Debug)]
pub(crate) struct Learnt {
    /// Who a load balancer says the client is.
    pub(crate) client: Option<SocketAddr>,
    /// What it is, and how many of the bytes just taken come before it; nothing while that is open.
    pub(crate) opened: Option<(Opened, usize)>,
}

impl Opening {
    pub(crate) fn new(tls: Arc<Tls>) -> Self {
        Self { tls, header: Vec::new(), proxied: false }
    }

    /// Takes the next bytes, at least one.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Learnt, Refused> {
        let begun = self.header.first().or(bytes.first());
        if self.proxied || !begun.is_some_and(|first| proxy::announces(*first)) {
            return Ok(Learnt { client: None, opened: self.open(bytes)?.map(|opened| (opened, 0)) });
        }
        let known = self.header.len();
        self.header.extend_from_slice(bytes);
        let Some(header) = proxy::decode(&self.header)? else {
            return Ok(Learnt { client: None, opened: None });
        };
        self.header = Vec::new();
        self.proxied = true;
        let before = header.len.saturating_sub(known);
        let rest = bytes.get(before..).unwrap_or_default();
        Ok(Learnt { client: header.client, opened: self.open(rest)?.map(|opened| (opened, before)) })
    }

    /// Decides by the first of the client's own bytes; not without one.
    fn open(&self, bytes: &[u8]) -> Result<Option<Opened>, Refused> {
        let Some(first) = bytes.first() else { return Ok(None) };
        match (*first == HANDSHAKE, self.tls.mode) {
            (false, TlsMode::Enforcing) => Err(Refused::Plain),
            (false, _) => Ok(Some(Opened::Plain)),
            (true, TlsMode::Disabled) => Err(Refused::Encrypted),
            (true, _) => Ok(Some(Opened::Tls(Box::new(TlsSession::new(self.tls.accept()?))))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::ClientAuth;

    const LINE: &[u8] = b"PROXY TCP4 10.0.0.7 10.0.0.1 4711 10911\r\n";

    fn opening(mode: TlsMode) -> Opening {
        Opening::new(Arc::new(Tls::new(mode, None, ClientAuth::None, None).unwrap()))
    }

    type Outcome = (Option<(&'static str, usize)>, Option<String>);

    /// What `pieces` turn out to be, how many bytes of the last come before it, and whose they are.
    fn outcome(mode: TlsMode, pieces: &[&[u8]]) -> Result<Outcome, Refused> {
        let (mut opening, mut client, mut opened) = (opening(mode), None, None);
        for piece in pieces {
            assert!(opened.is_none(), "decided before {piece:?}");
            let learnt = opening.take(piece)?;
            client = client.or(learnt.client.map(|client| client.to_string()));
            opened = learnt.opened.map(|(opened, before)| match opened {
                Opened::Plain => ("plain", before),
                Opened::Tls(_) => ("tls", before),
            });
        }
        Ok((opened, client))
    }

    #[test]
    fn the_first_byte_decides() {
        assert_eq!(outcome(TlsMode::Permissive, &[&[0]]).unwrap(), (Some(("plain", 0)), None));
        assert_eq!(outcome(TlsMode::Permissive, &[&[22, 3, 1]]).unwrap(), (Some(("tls", 0)), None));
        assert_eq!(outcome(TlsMode::Permissive, &[b"GET /"]).unwrap(), (Some(("plain", 0)), None));
        assert_eq!(outcome(TlsMode::Enforcing, &[&[22]]).unwrap(), (Some(("tls", 0)), None));
        assert_eq!(outcome(TlsMode::Disabled, &[&[1]]).unwrap(), (Some(("plain", 0)), None));
        assert!(matches!(outcome(TlsMode::Enforcing, &[&[0]]), Err(Refused::Plain)));
        assert!(matches!(outcome(TlsMode::Disabled, &[&[22]]), Err(Refused::Encrypted)));
    }

    #[test]
    fn a_header_may_come_in_any_pieces_and_both_kinds_may_follow() {
        let client = Some("10.0.0.7:4711".to_owned());
        for end in 1..LINE.len() {
            let (first, second) = LINE.split_at(end);
            let whole = [second, &[22, 3]].concat();
            let opened = Some(("tls", second.len()));
            assert_eq!(outcome(TlsMode::Permissive, &[first, &whole]).unwrap(), (opened, client.clone()));
            let apart = outcome(TlsMode::Permissive, &[first, second, &[0]]).unwrap();
            assert_eq!(apart, (Some(("plain", 0)), client.clone()));
        }
        assert_eq!(outcome(TlsMode::Permissive, &[LINE]).unwrap(), (None, client));
    }

    #[test]
    fn a_broken_header_is_refused_and_a_second_one_is_no_header() {
        assert!(matches!(outcome(TlsMode::Permissive, &[b"PRO", b"XX"]), Err(Refused::Proxy(_))));
        let (opened, _) = outcome(TlsMode::Permissive, &[LINE, LINE]).unwrap();
        assert_eq!(opened, Some(("plain", 0)), "a malformed frame");
    }
}
