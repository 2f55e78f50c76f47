//! Stored messages, property text and message ids for Python.

use std::net::SocketAddr;

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString};
use rocketmq_lite_core::filter::tags;
use rocketmq_lite_core::record::{Decoded, Message, compression, decode, message_id, properties};

use crate::bytes_like::with_bytes;
use crate::errors::{self, WireError};

/// One message of a pull, query or push body. All messages of a body share one copy of it.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct RawMessage {
    topic: String,
    queue_id: i32,
    queue_offset: i64,
    physical_offset: i64,
    flag: i32,
    sys_flag: i32,
    born_timestamp: i64,
    store_timestamp: i64,
    born_host: SocketAddr,
    store_host: SocketAddr,
    reconsume_times: i32,
    prepared_transaction_offset: i64,
    stored_body: Bytes,
    body: PyOnceLock<Py<PyBytes>>,
    properties: Bytes,
    size: usize,
}

impl RawMessage {
    /// `all` is the buffer that the message was decoded from.
    fn new(message: &Message<'_>, all: &Bytes) -> Self {
        Self {
            topic: message.topic.to_owned(),
            queue_id: message.queue_id,
            queue_offset: message.queue_offset,
            physical_offset: message.physical_offset,
            flag: message.flag,
            sys_flag: message.sys_flag,
            born_timestamp: message.born_timestamp,
            store_timestamp: message.store_timestamp,
            born_host: message.born_host,
            store_host: message.store_host,
            reconsume_times: message.reconsume_times,
            prepared_transaction_offset: message.prepared_transaction_offset,
            stored_body: all.slice_ref(message.body),
            body: PyOnceLock::new(),
            properties: all.slice_ref(message.properties.as_bytes()),
            size: message.total_size,
        }
    }
}

#[pymethods]
impl RawMessage {
    #[getter]
    fn topic(&self) -> &str {
        &self.topic
    }

    #[getter]
    fn queue_id(&self) -> i32 {
        self.queue_id
    }

    #[getter]
    fn queue_offset(&self) -> i64 {
        self.queue_offset
    }

    #[getter]
    fn physical_offset(&self) -> i64 {
        self.physical_offset
    }

    #[getter]
    fn flag(&self) -> i32 {
        self.flag
    }

    #[getter]
    fn sys_flag(&self) -> i32 {
        self.sys_flag
    }

    #[getter]
    fn born_timestamp(&self) -> i64 {
        self.born_timestamp
    }

    #[getter]
    fn store_timestamp(&self) -> i64 {
        self.store_timestamp
    }

    #[getter]
    fn born_host(&self) -> String {
        self.born_host.to_string()
    }

    #[getter]
    fn store_host(&self) -> String {
        self.store_host.to_string()
    }

    #[getter]
    fn reconsume_times(&self) -> i32 {
        self.reconsume_times
    }

    #[getter]
    fn prepared_transaction_offset(&self) -> i64 {
        self.prepared_transaction_offset
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let unpack = || {
            let plain = py.detach(|| compression::decompress(self.sys_flag, &self.stored_body));
            let plain = plain.map_err(|error| errors::compression(&error))?;
            Ok::<_, PyErr>(PyBytes::new(py, &plain).unbind())
        };
        Ok(self.body.get_or_try_init(py, unpack)?.bind(py).clone())
    }

    #[getter]
    fn properties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        // The decoder has checked the text.
        property_dict(py, std::str::from_utf8(&self.properties).unwrap_or_default())
    }

    #[getter]
    fn offset_message_id(&self) -> String {
        message_id::offset_id(self.store_host, self.physical_offset)
    }

    #[getter]
    fn size(&self) -> usize {
        self.size
    }

    fn __repr__(&self) -> String {
        let Self { topic, queue_id, queue_offset, .. } = self;
        format!("<RawMessage {topic} queue={queue_id} offset={queue_offset} size={}>", self.size)
    }
}

/// The messages of a body, which is back-to-back records.
#[pyfunction]
pub(crate) fn decode_messages(body: &Bound<'_, PyAny>) -> PyResult<Vec<RawMessage>> {
    let all = with_bytes(body, Bytes::copy_from_slice)?;
    let mut messages = Vec::new();
    let mut offset = 0;
    while offset < all.len() {
        let rest = all.slice(offset..);
        match decode(&rest).map_err(|error| errors::record(&error, offset))? {
            Decoded::Message(message) => {
                messages.push(RawMessage::new(&message, &rest));
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

/// Property text of a dictionary.
#[pyfunction]
pub(crate) fn encode_properties(pairs: &Bound<'_, PyDict>) -> PyResult<String> {
    let mut builder = properties::Builder::new();
    for (name, value) in pairs {
        let (name, value) = (name.cast::<PyString>()?.to_str()?, value.cast::<PyString>()?.to_str()?);
        if !properties::is_representable(name, value) {
            let rule = "must be neither empty nor contain \\x01 or \\x02";
            return Err(WireError::new_err(format!("property {name:?}: name and value {rule}")));
        }
        builder.push(name, value);
    }
    Ok(builder.finish())
}

/// Dictionary of property text.
#[pyfunction]
pub(crate) fn decode_properties<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyDict>> {
    property_dict(py, text)
}

fn property_dict<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in properties::iter(text) {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

/// Java's `String.hashCode`.
#[pyfunction]
pub(crate) fn java_hash(text: &str) -> i32 {
    tags::java_hash(text)
}

/// Address and commit-log offset of an offset message id.
#[pyfunction]
pub(crate) fn parse_offset_id(text: &str) -> Option<(String, i64)> {
    message_id::parse_offset_id(text).map(|(host, offset)| (host.to_string(), offset))
}

/// A zlib stream.
#[pyfunction]
#[pyo3(signature = (data, level = 5))]
pub(crate) fn compress_zlib<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyAny>,
    level: u32,
) -> PyResult<Bound<'py, PyBytes>> {
    let packed = with_bytes(data, |data| py.detach(|| compression::compress_zlib(data, level)))?;
    Ok(PyBytes::new(py, &packed))
}
