//! Bytes-like arguments: used in place while the call lasts when nobody can change them, else copied.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Runs `use_bytes` on the content of a bytes-like object.
pub(crate) fn with_bytes<R>(data: &Bound<'_, PyAny>, use_bytes: impl FnOnce(&[u8]) -> R) -> PyResult<R> {
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(use_bytes(bytes.as_bytes()));
    }
    let copy = PyBuffer::<u8>::get(data)?.to_vec(data.py())?;
    Ok(use_bytes(&copy))
}
