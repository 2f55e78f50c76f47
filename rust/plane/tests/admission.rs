//! Who is let in: below the limit, as the TLS mode allows, and behind a load balancer.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rocketmq_lite_core::session::Cold;
use rocketmq_lite_core::wire::codes::request::SEND_MESSAGE;
use rocketmq_lite_core::wire::codes::response::SUCCESS;
use rocketmq_lite_core::wire::{Command, FrameDecoder, MAX_FRAME};
use rocketmq_lite_plane::{ClientAuth, Event, Identity, ReactorSettings, Tls, TlsMode, self_made};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use support::{Client, PATIENCE, Server, Wish, eventually, frame, generous, pull_fields, send_fields};

const PROXIED: &[u8] = b"PROXY TCP4 10.0.0.7 127.0.0.1 4711 10911\r\n";

fn server(mode: TlsMode, identity: &Identity, auth: ClientAuth) -> Server {
    let tls = Tls::new(mode, Some(identity), auth, Some(&identity.chain)).expect("it is usable");
    Server::with(Wish { reactor: ReactorSettings { tls, ..generous() }, ..Wish::default() })
}

/// The text of the next line for the log.
fn complaint(server: &mut Server) -> String {
    server.wait_event(|event| match event {
        Event::Cold(Cold::Log { text, .. }) => Some(text),
        _ => None,
    })
}

#[test]
fn one_more_than_the_limit_is_turned_away_until_another_leaves() {
    let limited = ReactorSettings { max_connections: 3, ..generous() };
    let mut server = Server::with(Wish { reactor: limited, ..Wish::default() });
    let mut inside: Vec<_> = (0..3).map(|_| server.client()).collect();
    for client in &mut inside {
        assert_eq!(client.send(0, b"in").code, SUCCESS);
    }
    for _ in 0..2 {
        assert!(server.client().read().is_none(), "closed at once");
    }
    let line = complaint(&mut server);
    assert!(line.contains("3 are open") && line.contains("--max-connections"), "{line}");
    assert_eq!(server.reactor.statistics().refused, 2);
    for client in &mut inside {
        assert_eq!(client.send(0, b"undisturbed").code, SUCCESS);
    }
    inside.pop();
    eventually("a place", || server.reactor.statistics().connections == 2);
    assert_eq!(server.client().send(0, b"in after all").code, SUCCESS);
    server.close();
}

/// A blocking client inside TLS, behind a load balancer's header if there is one.
struct TlsClient {
    stream: StreamOwned<ClientConnection, TcpStream>,
    decoder: FrameDecoder,
}

impl TlsClient {
    fn connect(address: SocketAddr, trusted: &Identity, own: Option<&Identity>, header: &[u8]) -> Self {
        let mut socket = TcpStream::connect(address).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket.write_all(header).expect("a few bytes");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&trusted.chain).expect("one")).expect("it is usable");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider's own")
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = vec![CertificateDer::from_pem_slice(&own.chain).expect("one")];
                let key = PrivateKeyDer::from_pem_slice(&own.key).expect("one");
                builder.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = ClientConnection::new(Arc::new(config), name).expect("a usable configuration");
        Self { stream: StreamOwned::new(tls, socket), decoder: FrameDecoder::new(MAX_FRAME) }
    }

    /// One request and its answer; `None` when the connection was closed instead.
    fn call(&mut self, code: i32, fields: &[(&str, &str)], body: &[u8]) -> Option<Command> {
        self.stream.write_all(&frame(code, 1, fields, body)).ok()?;
        let mut buffer = [0; 4096];
        loop {
            if let Some(command) = self.decoder.next().expect("well-formed answers") {
                return Some(command);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.decoder.feed(buffer.get(..count).expect("what was read")),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    panic!("no answer and no end")
                }
                Err(_) => return None,
            }
        }
    }

    fn send(&mut self, body: &[u8]) -> Option<i32> {
        self.call(SEND_MESSAGE, &send_fields("0"), body).map(|answer| answer.code)
    }
}

#[test]
fn permissive_takes_both_kinds_on_one_port() {
    let made = self_made().expect("a certificate");
    let server = server(TlsMode::Permissive, &made, ClientAuth::None);
    let (mut plain, mut secret) = (server.client(), TlsClient::connect(server.address, &made, None, b""));
    assert_eq!(secret.send(b"encrypted"), Some(SUCCESS));
    assert_eq!(plain.send(0, b"plain").code, SUCCESS);
    server.close();
}

#[test]
fn much_goes_through_tls_both_ways() {
    let made = self_made().expect("a certificate");
    let server = server(TlsMode::Enforcing, &made, ClientAuth::None);
    let mut secret = TlsClient::connect(server.address, &made, None, b"");
    let body: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 251) as u8).collect();
    for _ in 0..3 {
        assert_eq!(secret.send(&body), Some(SUCCESS));
        let pulled = secret.call(11, &pull_fields("0", "1", "0"), b"").expect("an answer");
        assert!(pulled.body.windows(body.len()).any(|window| window == body), "the body changed");
    }
    server.close();
}

#[test]
fn enforcing_refuses_what_is_plain_and_says_so() {
    let made = self_made().expect("a certificate");
    let mut server = server(TlsMode::Enforcing, &made, ClientAuth::None);
    let mut plain = server.client();
    plain.write(SEND_MESSAGE, &send_fields("0"), b"plain");
    assert!(plain.read().is_none());
    let line = complaint(&mut server);
    assert!(line.contains("closing the connection from 127.0.0.1:") && line.contains("enforcing"), "{line}");
    assert_eq!(TlsClient::connect(server.address, &made, None, b"").send(b"encrypted"), Some(SUCCESS));
    server.close();
}

#[test]
fn disabled_refuses_tls_and_says_so() {
    let made = self_made().expect("a certificate");
    let mut server = server(TlsMode::Disabled, &made, ClientAuth::None);
    assert_eq!(TlsClient::connect(server.address, &made, None, b"").send(b"encrypted"), None);
    assert!(complaint(&mut server).contains("disabled"));
    assert_eq!(server.client().send(0, b"plain").code, SUCCESS);
    server.close();
}

#[test]
fn a_client_without_the_certificate_that_is_demanded_is_told_so() {
    let (made, stranger) = (self_made().expect("one"), self_made().expect("another"));
    let mut demanding = server(TlsMode::Enforcing, &made, ClientAuth::Require);
    assert_eq!(TlsClient::connect(demanding.address, &made, Some(&made), b"").send(b"known"), Some(SUCCESS));
    assert_eq!(TlsClient::connect(demanding.address, &made, Some(&stranger), b"").send(b"unknown"), None);
    assert!(complaint(&mut demanding).contains("TLS failed"));
    assert_eq!(TlsClient::connect(demanding.address, &made, None, b"").send(b"nobody"), None);
    eventually("all gone", || demanding.reactor.statistics().connections == 0);
    demanding.close();
    let lenient = server(TlsMode::Enforcing, &made, ClientAuth::Optional);
    assert_eq!(TlsClient::connect(lenient.address, &made, None, b"").send(b"nobody"), Some(SUCCESS));
    lenient.close();
}

#[test]
fn garbage_inside_tls_closes_that_connection_only() {
    let made = self_made().expect("a certificate");
    let server = server(TlsMode::Permissive, &made, ClientAuth::None);
    let mut good = TlsClient::connect(server.address, &made, None, b"");
    assert_eq!(good.send(b"before"), Some(SUCCESS));
    let mut bad = TlsClient::connect(server.address, &made, None, b"");
    assert_eq!(bad.send(b"before"), Some(SUCCESS));
    bad.stream.write_all(&[0xff; 64]).expect("it takes anything");
    assert_eq!(bad.stream.read(&mut [0; 8]).expect("a good-bye, not a cut"), 0);
    for records in [&[22, 3, 1, 0xff, 0xff][..], &[22; 600], &[22, 3, 3, 0, 4, 1, 0, 0, 0]] {
        let mut worse = server.client();
        worse.stream.write_all(records).expect("it takes anything");
        worse.stream.shutdown(std::net::Shutdown::Write).expect("half a connection");
        // An alert may come before the end.
        worse.stream.read_to_end(&mut Vec::new()).expect("the end");
    }
    assert_eq!(good.send(b"after"), Some(SUCCESS));
    server.close();
}

#[test]
fn behind_a_load_balancer_python_sees_the_client() {
    let made = self_made().expect("a certificate");
    let mut server = server(TlsMode::Permissive, &made, ClientAuth::None);
    let mut plain = server.client();
    plain.stream.write_all(PROXIED).expect("a few bytes");
    plain.write(34, &[], b"{}");
    let mut secret = TlsClient::connect(server.address, &made, None, PROXIED);
    assert_eq!(secret.send(b"both"), Some(SUCCESS));
    secret.stream.write_all(&frame(34, 2, &[], b"{}")).expect("a request");
    for _ in 0..2 {
        let seen = server.wait_event(|event| match event {
            Event::Cold(Cold::Command { peer, .. }) => Some(peer.to_string()),
            _ => None,
        });
        assert_eq!(seen, "10.0.0.7:4711");
    }
    server.close();
}

#[test]
fn a_malformed_header_of_a_load_balancer_closes_its_connection() {
    let mut server = Server::start();
    let mut bad = server.client();
    bad.stream.write_all(b"PROXY TCP4 nonsense\r\n").expect("a few bytes");
    assert!(bad.read().is_none());
    assert!(complaint(&mut server).contains("malformed PROXY protocol header"));
    assert_eq!(Client::connect(server.address).send(0, b"undisturbed").code, SUCCESS);
    server.close();
}
