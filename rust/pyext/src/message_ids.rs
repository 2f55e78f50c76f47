//! The message ids of a request, and what makes them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use rocketmq_lite_core::record::{message_id, properties::UNIQ_KEY};

/// The generator of a process's message ids.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct UniqueKeys(Mutex<message_id::UniqueKeys>);

#[pymethods]
impl UniqueKeys {
    #[new]
    fn new(ip: &[u8], pid: u32, salt: u32, month_start_ms: i64) -> PyResult<Self> {
        let address = if let Ok(bytes) = <[u8; 4]>::try_from(ip) {
            IpAddr::from(bytes)
        } else if let Ok(bytes) = <[u8; 16]>::try_from(ip) {
            IpAddr::from(bytes)
        } else {
            return Err(PyValueError::new_err(format!("an address has 4 or 16 bytes, not {}", ip.len())));
        };
        // Only the low 16 bits of the process id are part of a key.
        Ok(Self(Mutex::new(message_id::UniqueKeys::new(address, pid as u16, salt, month_start_ms))))
    }

    fn next(&self, now_ms: i64) -> String {
        self.with(|keys| keys.next_key(now_ms))
    }

    fn start_month(&self, month_start_ms: i64) {
        self.with(|keys| keys.start_month(month_start_ms));
    }
}

impl UniqueKeys {
    /// Appends the next key.
    pub(crate) fn push(&self, now_ms: i64, text: &mut String) {
        self.with(|keys| keys.push_key(now_ms, text));
    }

    /// The generator has no state that a panic could leave half changed.
    fn with<R>(&self, act: impl FnOnce(&mut message_id::UniqueKeys) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Ids of one length, one behind the other: of a thousand messages a thousand small texts would be most of the work.
#[pyclass(frozen, sequence, module = "rocketmq_lite._native")]
#[derive(Clone)]
pub(crate) struct MessageIds {
    text: Arc<str>,
    count: usize,
}

impl MessageIds {
    /// `text` is `count` ids of one length.
    pub(crate) fn new(text: &str, count: usize) -> Self {
        Self { text: text.into(), count }
    }

    /// A single id.
    pub(crate) fn one(id: &str) -> Self {
        Self::new(id, 1)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The id at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&str> {
        let each = self.text.len().checked_div(self.count)?;
        self.text.get(place.checked_mul(each)?..place.checked_add(1)?.checked_mul(each)?)
    }
}

#[pymethods]
impl MessageIds {
    fn __len__(&self) -> usize {
        self.len()
    }

    fn __getitem__(&self, place: usize) -> PyResult<&str> {
        let id = self.get(place).filter(|_| place < self.count);
        id.ok_or_else(|| PyIndexError::new_err(format!("there are {} message ids", self.count)))
    }
}

/// Makes `text` the properties of a message: those given, and its id behind them.
pub(crate) fn write_properties(text: &mut String, properties: &str, id: &str) {
    let parts = [properties, UNIQ_KEY, "\u{1}", id, "\u{2}"];
    text.clear();
    text.reserve(parts.iter().map(|part| part.len()).sum());
    text.extend(parts);
}
