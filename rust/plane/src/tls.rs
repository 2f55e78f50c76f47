//! What a server does about TLS: whom it lets in, and which certificate it shows.
//!
//! RocketMQ's three modes, told apart by a connection's first byte. Without a certificate of its own a server makes one when
//! the first peer asks for TLS, as Apache's do: it hides what is said, and proves nothing about who says it.

use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use thiserror::Error;

/// Which connections a server takes (`tls.server.mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Plain ones only.
    Disabled,
    /// Both.
    Permissive,
    /// TLS only.
    Enforcing,
}

/// Whether a client has to show a certificate (`tls.server.need.client.auth`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// It is not asked for one.
    None,
    /// It may have none; one that it shows has to be trusted.
    Optional,
    /// It has to.
    Require,
}

/// A certificate chain, the server's own first, and its private key; both PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `CERTIFICATE` sections.
    pub chain: Vec<u8>,
    /// One `PRIVATE KEY` section, not encrypted.
    pub key: Vec<u8>,
}

/// Why TLS cannot be served with what was given.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate file holds none.
    #[error("the certificate is not usable: {0}; it has to be a PEM file with CERTIFICATE sections")]
    Certificate(String),
    /// The key file holds none that can be read.
    #[error(
        "the private key is not usable: {0}; it has to be a PEM file with a PRIVATE KEY section that is not encrypted"
    )]
    Key(String),
    /// The file of trusted certificates holds none.
    #[error(
        "the trusted certificates are not usable: {0}; they have to be a PEM file with CERTIFICATE sections"
    )]
    Trust(String),
    /// The key is not the certificate's, or of a kind that is not supported.
    #[error("certificate and private key do not go together: {0}")]
    Pair(rustls::Error),
    /// Clients are to be checked, but nothing says against what.
    #[error("clients cannot be checked without the certificates of those who vouch for them")]
    NoTrust,
    /// No certificate could be made.
    #[error("no certificate could be made: {0}")]
    SelfMade(#[from] rcgen::Error),
}

/// How a server deals with TLS.
#[derive(Debug)]
pub struct Tls {
    pub(crate) mode: TlsMode,
    clients: Arc<dyn ClientCertVerifier>,
    /// Empty until the first connection asks for it, if the certificate is to be made.
    config: OnceLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Without an `identity` one is made when it is needed. `trust`, PEM, vouches for clients.
    pub fn new(
        mode: TlsMode,
        identity: Option<&Identity>,
        auth: ClientAuth,
        trust: Option<&[u8]>,
    ) -> Result<Self, TlsError> {
        let tls = Self { mode, clients: verifier(auth, trust)?, config: OnceLock::new() };
        if let Some(identity) = identity {
            tls.configured_with(identity)?;
        }
        Ok(tls)
    }

    /// Plain connections only.
    pub fn disabled() -> Self {
        Self { mode: TlsMode::Disabled, clients: Arc::new(NoClientAuth), config: OnceLock::new() }
    }

    /// The server's side of one more connection.
    pub(crate) fn accept(&self) -> Result<ServerConnection, TlsError> {
        let config = match self.config.get() {
            Some(config) => config,
            None => self.configured_with(&self_made()?)?,
        };
        ServerConnection::new(Arc::clone(config)).map_err(TlsError::Pair)
    }

    fn configured_with(&self, identity: &Identity) -> Result<&Arc<ServerConfig>, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&identity.chain).collect();
        let chain = chain.map_err(|error| TlsError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(TlsError::Certificate(pem::Error::NoItemsFound.to_string()));
        }
        let key = PrivateKeyDer::from_pem_slice(&identity.key);
        let key = key.map_err(|error| TlsError::Key(error.to_string()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Pair)?
            .with_client_cert_verifier(Arc::clone(&self.clients))
            .with_single_cert(chain, key)
            .map_err(TlsError::Pair)?;
        Ok(self.config.get_or_init(|| Arc::new(config)))
    }
}

/// A new key and a certificate that it signed itself, for `localhost`.
pub fn self_made() -> Result<Identity, TlsError> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    Ok(Identity { chain: made.cert.pem().into_bytes(), key: made.signing_key.serialize_pem().into_bytes() })
}

fn verifier(auth: ClientAuth, trust: Option<&[u8]>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if auth == ClientAuth::None {
        return Ok(Arc::new(NoClientAuth));
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trust.ok_or(TlsError::NoTrust)?) {
        let certificate = certificate.map_err(|error| TlsError::Trust(error.to_string()))?;
        roots.add(certificate).map_err(|error| TlsError::Trust(error.to_string()))?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if auth == ClientAuth::Optional { builder.allow_unauthenticated() } else { builder };
    builder.build().map_err(|error: VerifierBuilderError| TlsError::Trust(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(identity: Option<&Identity>, auth: ClientAuth, trust: Option<&[u8]>) -> String {
        Tls::new(TlsMode::Enforcing, identity, auth, trust).expect_err("refused").to_string()
    }

    #[test]
    fn what_is_made_here_can_be_used() {
        let made = self_made().unwrap();
        for auth in [ClientAuth::None, ClientAuth::Optional, ClientAuth::Require] {
            Tls::new(TlsMode::Permissive, Some(&made), auth, Some(&made.chain)).unwrap().accept().unwrap();
            Tls::new(TlsMode::Permissive, None, auth, Some(&made.chain)).unwrap().accept().unwrap();
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_files() {
        let (made, other) = (self_made().unwrap(), self_made().unwrap());
        let with = |chain: &[u8], key: &[u8]| Identity { chain: chain.to_vec(), key: key.to_vec() };
        let plain = ClientAuth::None;
        assert!(refusal(Some(&with(b"", &made.key)), plain, None).contains("the certificate is not usable"));
        assert!(
            refusal(Some(&with(&made.chain, b"")), plain, None).contains("the private key is not usable")
        );
        assert!(refusal(Some(&with(&made.chain, &other.key)), plain, None).contains("do not go together"));
        assert!(refusal(None, ClientAuth::Require, None).contains("vouch"));
        assert!(refusal(None, ClientAuth::Require, Some(b"")).contains("the trusted certificates"));
    }
}
