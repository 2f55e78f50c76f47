//! A message on its way out: its body as it travels, its property text, and its id.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rocketmq_lite_core::record::{compression, sys_flag};

use crate::message_ids::{MessageIds, write_properties};

/// Bytes from which on a body is compressed (Java's `compressMsgBodyOverHowmuch`).
const COMPRESS_FROM: usize = 4096;
/// Java's producers compress with this level.
const LEVEL: u32 = 5;

/// A message, or a batch, on its way out.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct OutgoingMessage {
    topic: Py<PyString>,
    pub(crate) body: Py<PyBytes>,
    pub(crate) sys_flag: i32,
    pub(crate) properties: String,
    order_key: Option<Py<PyString>>,
    message_ids: MessageIds,
    is_batch: bool,
}

#[pymethods]
impl OutgoingMessage {
    #[classattr]
    #[pyo3(name = "COMPRESS_FROM")]
    const LARGE: usize = COMPRESS_FROM;

    #[new]
    #[pyo3(signature = (topic, body, properties, message_id, order_key = None, *, is_batch = false))]
    fn new(
        py: Python<'_>,
        topic: Py<PyString>,
        body: Bound<'_, PyBytes>,
        properties: &str,
        message_id: &str,
        order_key: Option<Py<PyString>>,
        is_batch: bool,
    ) -> Self {
        let compress = !is_batch && body.as_bytes().len() >= COMPRESS_FROM;
        let (body, sys_flag) = if compress { compressed(py, body) } else { (body, 0) };
        let mut text = String::new();
        write_properties(&mut text, properties, message_id);
        let message_ids = MessageIds::one(message_id);
        Self { topic, body: body.unbind(), sys_flag, properties: text, order_key, message_ids, is_batch }
    }

    #[getter]
    fn topic<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.topic.bind(py)
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> &Bound<'py, PyBytes> {
        self.body.bind(py)
    }

    #[getter]
    fn sys_flag(&self) -> i32 {
        self.sys_flag
    }

    #[getter]
    fn properties(&self) -> &str {
        &self.properties
    }

    #[getter]
    fn order_key<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, PyString>> {
        self.order_key.as_ref().map(|key| key.bind(py))
    }

    #[getter]
    fn message_id(&self) -> &str {
        self.message_ids.get(0).unwrap_or_default()
    }

    #[getter]
    fn is_batch(&self) -> bool {
        self.is_batch
    }
}

impl OutgoingMessage {
    /// Its id, for a receipt.
    pub(crate) fn ids(&self) -> MessageIds {
        self.message_ids.clone()
    }
}

/// The body as it travels, with its flags; what does not get smaller stays as it is. Peers older than 4.9.4 know zlib only
/// and do not look at the type.
fn compressed<'py>(py: Python<'py>, body: Bound<'py, PyBytes>) -> (Bound<'py, PyBytes>, i32) {
    let plain = body.as_bytes();
    let packed = py.detach(|| compression::compress_zlib(plain, LEVEL));
    if packed.len() < plain.len() {
        (PyBytes::new(py, &packed), sys_flag::COMPRESSED | sys_flag::ZLIB)
    } else {
        (body, 0)
    }
}
