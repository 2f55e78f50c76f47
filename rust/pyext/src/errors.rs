//! Errors of the core and the plane as Python exceptions: each is translated here and nowhere else.
//!
//! | Rust | Python |
//! |---|---|
//! | `WireError`, `BadField`, `RecordError`, `CompressionError` | `WireError`, a `ValueError` |
//! | `TlsError` | `ValueError` |
//! | `sql::SqlError`, `sql::NoVerdict` | `SqlError`, a `ValueError` |
//! | `OutOfPlace` | `OutOfPlaceError`, a `RuntimeError` |
//! | `StoreError` | `StoreError`, with `kind`, `path`, `offset`, `expected` and `found` where they apply, else `None` |
//! | `io::Error` of sockets | `OSError` or its subclass, with `errno`, and the address as `filename` |
//! | `Closed`, a thread that failed | `RuntimeError` |
//! | not closed in time | `TimeoutError` |

use std::io;
use std::path::Path;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOSError, PyRuntimeError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use rocketmq_lite_core::deliveries::OutOfPlace;
use rocketmq_lite_core::record::{CompressionError, RecordError};
use rocketmq_lite_core::store::StoreError as CoreStoreError;
use rocketmq_lite_core::wire::BadField;
use rocketmq_lite_plane::{CloseError, Closed, ListenError, TlsError};

create_exception!(
    rocketmq_lite._native,
    WireError,
    PyValueError,
    "Bytes that break RocketMQ's rules, or values that its formats cannot hold."
);

create_exception!(
    rocketmq_lite._native,
    SqlError,
    PyValueError,
    "Text that is no condition, or a condition that has no verdict on a message."
);

create_exception!(
    rocketmq_lite._native,
    OutOfPlaceError,
    PyRuntimeError,
    "What cannot happen to a message where it is now."
);

create_exception!(
    rocketmq_lite._native,
    StoreError,
    PyException,
    "The store cannot be opened, or could not be closed."
);

/// A frame, header or text that is malformed or cannot be encoded.
pub(crate) fn wire(error: &rocketmq_lite_core::wire::WireError) -> PyErr {
    WireError::new_err(error.to_string())
}

/// A field that is missing or malformed.
pub(crate) fn field(error: &BadField) -> PyErr {
    WireError::new_err(error.to_string())
}

/// A stored message that is malformed; `offset` is where it begins.
pub(crate) fn record(error: &RecordError, offset: usize) -> PyErr {
    WireError::new_err(format!("message at offset {offset}: {error}"))
}

/// A message that no batch can hold.
pub(crate) fn batch(error: &RecordError) -> PyErr {
    WireError::new_err(error.to_string())
}

/// A body that cannot be unpacked.
pub(crate) fn compression(error: &CompressionError) -> PyErr {
    WireError::new_err(error.to_string())
}

/// A text that is no condition, or a message it cannot judge.
pub(crate) fn sql(error: &impl std::error::Error) -> PyErr {
    SqlError::new_err(error.to_string())
}

/// An event that has no place in a message's state.
pub(crate) fn out_of_place(error: OutOfPlace) -> PyErr {
    OutOfPlaceError::new_err(error.to_string())
}

/// Certificates and keys that cannot be used.
pub(crate) fn tls(error: &TlsError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What Python may ask a store error for, beside its message.
#[derive(Default)]
struct Details<'a> {
    kind: &'static str,
    path: Option<&'a Path>,
    offset: Option<u64>,
    expected: Option<i64>,
    found: Option<i64>,
    /// What to do about it, where the message does not say.
    advice: &'static str,
}

/// A store error with its details as attributes.
pub(crate) fn store(py: Python<'_>, error: &CoreStoreError) -> PyErr {
    let details = details(error);
    with_details(py, format!("{error}{}", details.advice), &details)
}

fn with_details(py: Python<'_>, message: String, details: &Details<'_>) -> PyErr {
    let raised = StoreError::new_err(message);
    let value = raised.value(py);
    let set = || {
        value.setattr("kind", details.kind)?;
        value.setattr("path", details.path.map(|path| path.to_string_lossy()))?;
        value.setattr("offset", details.offset)?;
        value.setattr("expected", details.expected)?;
        value.setattr("found", details.found)
    };
    match set() {
        Ok(()) => raised,
        Err(failed) => failed,
    }
}

fn details(error: &CoreStoreError) -> Details<'_> {
    let of = |kind| Details { kind, ..Details::default() };
    match error {
        CoreStoreError::Io { path, .. } => Details {
            path: Some(path),
            advice: "; check that the directory exists, is writable and lies on a healthy disk",
            ..of("io")
        },
        CoreStoreError::Full { path } => {
            Details { path: Some(path), advice: "; make room on the device and start again", ..of("full") }
        }
        CoreStoreError::Locked { path } => Details {
            path: Some(path),
            advice: "; stop that broker, or give this one another data directory",
            ..of("locked")
        },
        CoreStoreError::Poisoned { .. } => {
            Details { advice: "; check the disk, then restart the broker", ..of("poisoned") }
        }
        CoreStoreError::Closed => of("closed"),
        CoreStoreError::RecordTooLarge { .. } => of("too_large"),
        CoreStoreError::BadTopic { .. } => of("bad_topic"),
        CoreStoreError::BadQueue { .. } => of("bad_queue"),
        CoreStoreError::SegmentLength { path, expected, found } => Details {
            path: Some(path),
            expected: i64::try_from(*expected).ok(),
            found: i64::try_from(*found).ok(),
            ..of("segment_length")
        },
        CoreStoreError::Damaged { path, offset, expected, found, .. } => Details {
            path: Some(path),
            offset: Some(*offset),
            expected: Some(*expected),
            found: Some(*found),
            advice: "; restore the directory from a copy, or see what `rmq store repair` offers for it",
            ..of("damaged")
        },
        CoreStoreError::Record(_) => of("record"),
        // The enum may grow; a kind that this version does not know still has its message.
        _ => of("other"),
    }
}

/// An error of the operating system, with its number, so that Python picks the subclass and shows its own text.
pub(crate) fn os(error: &io::Error, about: Option<String>) -> PyErr {
    match (error.raw_os_error(), about) {
        (Some(number), about) => PyOSError::new_err((number, strerror(number), about)),
        (None, Some(about)) => PyOSError::new_err(format!("{about}: {error}")),
        (None, None) => PyOSError::new_err(error.to_string()),
    }
}

/// An address that is not listened on.
pub(crate) fn listen(error: &ListenError, address: String) -> PyErr {
    match error {
        ListenError::Io(error) => os(error, Some(address)),
        ListenError::Closed(error) => closed(*error),
    }
}

/// Rust appends the number to the kernel's text; Python does so too.
fn strerror(number: i32) -> String {
    let text = io::Error::from_raw_os_error(number).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// A control that nobody will read.
pub(crate) fn closed(error: Closed) -> PyErr {
    PyRuntimeError::new_err(format!("{error}: nothing can be submitted to it any more"))
}

/// A reactor that did not end as it should.
pub(crate) fn close(py: Python<'_>, error: &CloseError) -> PyErr {
    match error {
        CloseError::TimedOut { .. } => PyTimeoutError::new_err(error.to_string()),
        CloseError::Failed(_) => PyRuntimeError::new_err(error.to_string()),
        CloseError::Store { .. } => {
            with_details(py, error.to_string(), &Details { kind: "close", ..Details::default() })
        }
    }
}
