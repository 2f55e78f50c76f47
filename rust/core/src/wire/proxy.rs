//! The header of the PROXY protocol, by which a load balancer says who its client is.
//!
//! The specification of `HAProxy`, versions 1 and 2, sections 2.1 and 2.2. A header comes before anything else on a connection:
//!
//! ```text
//! version 1   PROXY TCP4 <source> <destination> <source port> <destination port>\r\n      TCP6 and UNKNOWN likewise
//! version 2   | signature: 12 | version 2, command: u8 | family: u8 | length: u16 | addresses | TLVs |
//! ```
//!
//! `length` counts addresses and TLVs. A balancer that speaks for itself (health checks) says UNKNOWN or LOCAL and names
//! nobody. The first byte is none that a frame or a TLS handshake can begin with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;

/// The longest line of version 1, its end included (the specification's own figure).
const MAX_LINE: usize = 107;
/// The longest header of version 2 that is accepted: addresses take 36 bytes, the rest is TLVs that nobody here reads.
const MAX_BINARY: usize = 4096;

const LINE_START: &[u8] = b"PROXY ";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, command, family and length.
const BINARY_HEAD: usize = 16;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxied {
    /// Bytes of the header; what follows is the client's.
    pub len: usize,
    /// The client's address; none when the balancer speaks for itself.
    pub client: Option<SocketAddr>,
}

/// Bytes that begin like a header and are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("malformed PROXY protocol header: {0}")]
pub struct ProxyError(&'static str);

/// Whether a connection that begins with this byte begins with a header.
pub fn announces(first: u8) -> bool {
    LINE_START.first() == Some(&first) || SIGNATURE.first() == Some(&first)
}

/// Reads the header at the start of `bytes`; `None` until it is there as a whole. It is judged as early as it can be.
pub fn decode(bytes: &[u8]) -> Result<Option<Proxied>, ProxyError> {
    if bytes.first() == SIGNATURE.first() { decode_binary(bytes) } else { decode_line(bytes) }
}

fn decode_line(bytes: &[u8]) -> Result<Option<Proxied>, ProxyError> {
    if !agrees(bytes, LINE_START) {
        return Err(ProxyError("it does not begin with \"PROXY \""));
    }
    let window = bytes.get(..MAX_LINE).unwrap_or(bytes);
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        let too_long = bytes.len() >= MAX_LINE;
        return if too_long { Err(ProxyError("its line does not end")) } else { Ok(None) };
    };
    let line = window.get(..end).and_then(|line| str::from_utf8(line).ok());
    let line = line.ok_or(ProxyError("its line is no text"))?;
    Ok(Some(Proxied { len: end + 2, client: client_of(line)? }))
}

/// The client that a line without its end names.
fn client_of(line: &str) -> Result<Option<SocketAddr>, ProxyError> {
    let mut words = line.split(' ').skip(1);
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        return Ok(None);
    }
    let mut address = || words.next().and_then(|word| word.parse::<IpAddr>().ok());
    let (source, destination) = (address(), address());
    let mut port = || words.next().and_then(|word| word.parse::<u16>().ok());
    let (source_port, destination_port) = (port(), port());
    let is_family = |ip: IpAddr| (family == "TCP4" && ip.is_ipv4()) || (family == "TCP6" && ip.is_ipv6());
    match (source, destination, source_port, destination_port, words.next()) {
        (Some(source), Some(destination), Some(port), Some(_), None)
            if is_family(source) && is_family(destination) =>
        {
            Ok(Some(SocketAddr::new(source, port)))
        }
        _ => Err(ProxyError("its line is not two addresses and two ports of TCP4 or TCP6")),
    }
}

fn decode_binary(bytes: &[u8]) -> Result<Option<Proxied>, ProxyError> {
    if !agrees(bytes, SIGNATURE) {
        return Err(ProxyError("its signature is not that of version 2"));
    }
    let Some((head, rest)) = bytes.split_first_chunk::<BINARY_HEAD>() else { return Ok(None) };
    let [.., version_and_command, family, high, low] = *head;
    let (version, command) = (version_and_command >> 4, version_and_command & 0x0f);
    let len = usize::from(u16::from_be_bytes([high, low]));
    if BINARY_HEAD + len > MAX_BINARY {
        return Err(ProxyError("it is longer than 4096 bytes"));
    }
    if version != 2 || command > 1 {
        return Err(ProxyError("its version is not 2, or its command neither LOCAL nor PROXY"));
    }
    let Some(rest) = rest.get(..len) else { return Ok(None) };
    let client = if command == 0 { None } else { binary_client(family, rest)? };
    Ok(Some(Proxied { len: BINARY_HEAD + len, client }))
}

/// The source address of version 2. Families without ports (UNIX, unspecified) name nobody we could call.
fn binary_client(family: u8, addresses: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
    const SHORT: ProxyError = ProxyError("its addresses are cut short");
    match family >> 4 {
        1 => {
            let addresses = addresses.first_chunk::<12>().ok_or(SHORT)?;
            let [a, b, c, d, _, _, _, _, high, low, ..] = *addresses;
            let port = u16::from_be_bytes([high, low]);
            Ok(Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), port))))
        }
        2 => {
            let addresses = addresses.first_chunk::<36>().ok_or(SHORT)?;
            let source = addresses.first_chunk::<16>().ok_or(SHORT)?;
            let [.., high, low, _, _] = *addresses;
            Ok(Some(SocketAddr::from((Ipv6Addr::from(*source), u16::from_be_bytes([high, low])))))
        }
        _ => Ok(None),
    }
}

/// Whether what is there of the start is right.
fn agrees(bytes: &[u8], start: &[u8]) -> bool {
    bytes.iter().zip(start).all(|(byte, expected)| byte == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(bytes: &[u8]) -> Option<String> {
        decode(bytes).unwrap().expect("a whole header").client.map(|client| client.to_string())
    }

    /// A header of version 2 with this command, family and rest.
    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    #[test]
    fn version_1_names_the_client() {
        assert_eq!(client(b"PROXY TCP4 10.0.0.7 10.0.0.1 4711 10911\r\n"), Some("10.0.0.7:4711".to_owned()));
        assert_eq!(
            client(b"PROXY TCP6 2001:db8::7 ::1 4711 10911\r\n"),
            Some("[2001:db8::7]:4711".to_owned())
        );
        assert_eq!(client(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(client(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), None);
    }

    #[test]
    fn version_2_names_the_client() {
        let v4 = [10, 0, 0, 7, 10, 0, 0, 1, 0x12, 0x67, 0x2a, 0x9f];
        assert_eq!(client(&binary(0x21, 0x11, &v4)), Some("10.0.0.7:4711".to_owned()));
        let with_tlvs = [&v4[..], &[4, 0, 3, 1, 2, 3]].concat();
        assert_eq!(client(&binary(0x21, 0x11, &with_tlvs)), Some("10.0.0.7:4711".to_owned()));
        let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[7], &[0; 16], &[0x12, 0x67, 0x2a, 0x9f]].concat();
        assert_eq!(client(&binary(0x21, 0x21, &v6)), Some("[2001:db8::7]:4711".to_owned()));
        assert_eq!(client(&binary(0x20, 0x00, &[])), None, "LOCAL");
        assert_eq!(client(&binary(0x21, 0x31, &[0; 216])), None, "a UNIX socket");
    }

    #[test]
    fn what_only_looks_like_a_header_is_an_error() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_LINE));
        let cut = binary(0x21, 0x11, &[10, 0, 0, 7]);
        let huge = [SIGNATURE, &[0x21, 0x11, 0xff, 0xff]].concat();
        for bad in [
            &b"POST /"[..],
            b"\r\n\r\nX",
            b"PROXY TCP4 10.0.0.7\r\n",
            b"PROXY TCP4 ::1 ::2 1 2\r\n",
            b"PROXY TCP4 10.0.0.7 10.0.0.1 4711 10911 x\r\n",
            b"PROXY TCP4 10.0.0.7 10.0.0.1 70000 1\r\n",
            b"PROXY UDP4 10.0.0.7 10.0.0.1 4711 10911\r\n",
            b"PROXY TCP4 \xff\xff 10.0.0.1 4711 10911\r\n",
            long.as_bytes(),
            &cut,
            &huge,
            &binary(0x11, 0x11, &[0; 12]),
            &binary(0x22, 0x11, &[0; 12]),
        ] {
            assert!(decode(bad).is_err(), "{bad:?}");
        }
    }
}
