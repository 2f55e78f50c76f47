//! `Tls`: what a reactor does about TLS, and certificates for whoever has none.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rocketmq_lite_plane::{ClientAuth, Identity, Tls as CoreTls, TlsMode, self_made};

use crate::errors;

/// A mode with its certificates, known to be usable.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct Tls {
    mode: TlsMode,
    identity: Option<Identity>,
    auth: ClientAuth,
    trust: Option<Vec<u8>>,
}

#[pymethods]
impl Tls {
    #[new]
    #[pyo3(signature = (mode, *, certificate=None, key=None, client_auth="none", trust=None))]
    fn new(
        mode: &str,
        certificate: Option<Vec<u8>>,
        key: Option<Vec<u8>>,
        client_auth: &str,
        trust: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let identity = match (certificate, key) {
            (Some(chain), Some(key)) => Some(Identity { chain, key }),
            (None, None) => None,
            _ => return Err(PyValueError::new_err("a certificate and its private key come together")),
        };
        let tls = Self { mode: tls_mode(mode)?, identity, auth: auth(client_auth)?, trust };
        tls.core()?;
        Ok(tls)
    }
}

impl Tls {
    /// For one reactor.
    pub(crate) fn core(&self) -> PyResult<CoreTls> {
        CoreTls::new(self.mode, self.identity.as_ref(), self.auth, self.trust.as_deref())
            .map_err(|error| errors::tls(&error))
    }
}

fn tls_mode(mode: &str) -> PyResult<TlsMode> {
    match mode {
        "disabled" => Ok(TlsMode::Disabled),
        "permissive" => Ok(TlsMode::Permissive),
        "enforcing" => Ok(TlsMode::Enforcing),
        other => Err(PyValueError::new_err(format!(
            "mode is \"disabled\", \"permissive\" or \"enforcing\", not {other:?}"
        ))),
    }
}

fn auth(client_auth: &str) -> PyResult<ClientAuth> {
    match client_auth {
        "none" => Ok(ClientAuth::None),
        "optional" => Ok(ClientAuth::Optional),
        "require" => Ok(ClientAuth::Require),
        other => Err(PyValueError::new_err(format!(
            "client_auth is \"none\", \"optional\" or \"require\", not {other:?}"
        ))),
    }
}

#[pyfunction]
pub(crate) fn self_made_certificate() -> PyResult<(Vec<u8>, Vec<u8>)> {
    let made = self_made().map_err(|error| errors::tls(&error))?;
    Ok((made.chain, made.key))
}
