//! What a reactor is told once, when it is started.

use crate::tls::Tls;

/// What its peers may do.
#[derive(Debug)]
pub struct ReactorSettings {
    /// Connections open at a time; further ones are closed as they come.
    pub max_connections: usize,
    /// Whether they may, or have to, be encrypted.
    pub tls: Tls,
}
