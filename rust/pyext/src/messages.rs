//! Stored messages for Python: the body of an answer is checked once and kept as it came; what a message has is read when it
//! is asked for.

use std::net::SocketAddr;

use bytes::Bytes;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use rocketmq_lite_core::record::{Decoded, Message, compression, decode, message_id, properties, sys_flag};

use crate::errors::{self, WireError};
use crate::record::property_dict;

/// One message of a body; all of them share the body's bytes.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) queue_offset: i64,
    pub(crate) size: usize,
    pub(crate) reconsume_times: i32,
    queue_id: i32,
    flag: i32,
    sys_flag: i32,
    physical_offset: i64,
    born_timestamp: i64,
    store_timestamp: i64,
    born_host: SocketAddr,
    store_host: SocketAddr,
    prepared_transaction_offset: i64,
    topic: Bytes,
    body: Bytes,
    properties: Bytes,
}

impl Stored {
    fn new(message: &Message<'_>, all: &Bytes) -> Self {
        Self {
            queue_offset: message.queue_offset,
            size: message.total_size,
            reconsume_times: message.reconsume_times,
            queue_id: message.queue_id,
            flag: message.flag,
            sys_flag: message.sys_flag,
            physical_offset: message.physical_offset,
            born_timestamp: message.born_timestamp,
            store_timestamp: message.store_timestamp,
            born_host: message.born_host,
            store_host: message.store_host,
            prepared_transaction_offset: message.prepared_transaction_offset,
            topic: all.slice_ref(message.topic.as_bytes()),
            body: all.slice_ref(message.body),
            properties: all.slice_ref(message.properties.as_bytes()),
        }
    }

    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        properties::get(text(&self.properties), name)
    }
}

/// The decoder has checked that it is text.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The messages of an answer's body, which is back-to-back records.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct MessageBatch(pub(crate) Vec<Stored>);

#[pymethods]
impl MessageBatch {
    #[new]
    fn new(py: Python<'_>, body: PyBackedBytes) -> PyResult<Self> {
        Self::decode(py, &Bytes::from_owner(body))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, index: isize) -> PyResult<RawMessage> {
        let index = if index < 0 { index.wrapping_add_unsigned(self.0.len()) } else { index };
        let stored = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        stored.cloned().map(RawMessage::new).ok_or_else(|| PyIndexError::new_err("no such message"))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let messages = self.0.iter().cloned().map(|stored| Py::new(py, RawMessage::new(stored)));
        Ok(PyList::new(py, messages.collect::<PyResult<Vec<_>>>()?)?.try_iter()?.into_any())
    }
}

impl MessageBatch {
    pub(crate) fn decode(py: Python<'_>, body: &Bytes) -> PyResult<Self> {
        py.detach(|| decode_all(body)).map(Self)
    }
}

fn decode_all(all: &Bytes) -> PyResult<Vec<Stored>> {
    let mut messages = Vec::new();
    let mut offset = 0;
    while let Some(rest) = all.get(offset..).filter(|rest| !rest.is_empty()) {
        match decode(rest).map_err(|error| errors::record(&error, offset))? {
            Decoded::Message(message) => {
                messages.push(Stored::new(&message, all));
                offset += message.total_size;
            }
            // The end of a segment, which a broker never sends.
            Decoded::Blank { .. } => break,
            Decoded::NeedMore => {
                let text = format!("message at offset {offset} is cut off: {} bytes left", rest.len());
                return Err(WireError::new_err(text));
            }
        }
    }
    Ok(messages)
}

/// One message.
#[pyclass(frozen, subclass, module = "rocketmq_lite._native")]
pub(crate) struct RawMessage {
    stored: Stored,
    /// Unpacked, once it has been asked for.
    body: PyOnceLock<Py<PyBytes>>,
}

impl RawMessage {
    pub(crate) fn new(stored: Stored) -> Self {
        Self { stored, body: PyOnceLock::new() }
    }

    fn unpack(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        let Stored { sys_flag, body, .. } = &self.stored;
        if sys_flag & sys_flag::COMPRESSED == 0 {
            return Ok(PyBytes::new(py, body).unbind());
        }
        let plain = py.detach(|| compression::decompress(*sys_flag, body));
        Ok(PyBytes::new(py, &plain.map_err(|error| errors::compression(&error))?).unbind())
    }
}

#[pymethods]
impl RawMessage {
    #[getter]
    fn topic(&self) -> &str {
        text(&self.stored.topic)
    }

    #[getter]
    fn queue_id(&self) -> i32 {
        self.stored.queue_id
    }

    #[getter]
    fn queue_offset(&self) -> i64 {
        self.stored.queue_offset
    }

    #[getter]
    fn physical_offset(&self) -> i64 {
        self.stored.physical_offset
    }

    #[getter]
    fn flag(&self) -> i32 {
        self.stored.flag
    }

    #[getter]
    fn sys_flag(&self) -> i32 {
        self.stored.sys_flag
    }

    #[getter]
    fn born_timestamp(&self) -> i64 {
        self.stored.born_timestamp
    }

    #[getter]
    fn store_timestamp(&self) -> i64 {
        self.stored.store_timestamp
    }

    #[getter]
    fn born_host(&self) -> String {
        self.stored.born_host.to_string()
    }

    #[getter]
    fn store_host(&self) -> String {
        self.stored.store_host.to_string()
    }

    #[getter]
    fn reconsume_times(&self) -> i32 {
        self.stored.reconsume_times
    }

    #[getter]
    fn prepared_transaction_offset(&self) -> i64 {
        self.stored.prepared_transaction_offset
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(self.body.get_or_try_init(py, || self.unpack(py))?.bind(py).clone())
    }

    #[getter]
    fn properties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        property_dict(py, text(&self.stored.properties))
    }

    fn property_named(&self, name: &Bound<'_, PyString>) -> PyResult<Option<&str>> {
        Ok(self.stored.property(name.to_str()?))
    }

    #[getter]
    fn offset_message_id(&self) -> String {
        message_id::offset_id(self.stored.store_host, self.stored.physical_offset)
    }

    #[getter]
    fn size(&self) -> usize {
        self.stored.size
    }

    fn __repr__(&self) -> String {
        let Stored { queue_id, queue_offset, size, .. } = &self.stored;
        format!("<RawMessage {} queue={queue_id} offset={queue_offset} size={size}>", self.topic())
    }
}
