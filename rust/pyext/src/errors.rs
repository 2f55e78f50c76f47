//! Core errors as Python exceptions. The only place where one becomes the other.

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rocketmq_lite_core::record::{CompressionError, RecordError};

create_exception!(
    rocketmq_lite._native,
    WireError,
    PyValueError,
    "Bytes that break RocketMQ's rules, or values that its formats cannot hold."
);

/// A frame, header or text that is malformed or cannot be encoded.
pub(crate) fn wire(error: &rocketmq_lite_core::wire::WireError) -> PyErr {
    WireError::new_err(error.to_string())
}

/// A stored message that is malformed; `offset` is where it begins.
pub(crate) fn record(error: &RecordError, offset: usize) -> PyErr {
    WireError::new_err(format!("message at offset {offset}: {error}"))
}

/// A body that cannot be unpacked.
pub(crate) fn compression(error: &CompressionError) -> PyErr {
    WireError::new_err(error.to_string())
}
