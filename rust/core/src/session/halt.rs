//! Why the handling of a request stops.

use crate::session::output::Missing;
use crate::session::refusal::Refusal;

/// Why a request stops before it is done.
#[derive(Debug)]
pub(super) enum Halt {
    /// It is answered.
    Refused(Refusal),
    /// It waits for Python to supply a name.
    Missing(Missing),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
