//! What every message costs on its way out: the message itself, its request, and the answer to it, each made in one call.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use rocketmq_lite_core::record::{compression, sys_flag};
use rocketmq_lite_core::wire;

use crate::errors;
use crate::message_ids::{MessageIds, write_properties};
use crate::receipts::{SendAnswer, Stated};
use crate::wire::{RawCommand, template, whole_frame};

/// How many fields of a send vary: queue id, flags, time of birth, properties.
const VARYING: usize = 4;
/// Bytes from which on a body is compressed (Java's `compressMsgBodyOverHowmuch`).
const COMPRESS_FROM: usize = 4096;
/// Java's producers compress with this level.
const LEVEL: u32 = 5;

/// A message, or a batch, on its way out.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct OutgoingMessage {
    topic: Py<PyString>,
    body: Py<PyBytes>,
    sys_flag: i32,
    properties: String,
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

/// What all sends of a group to one broker's part of a topic share.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct SendTarget(Arc<Target>);

struct Target {
    code: i32,
    template: wire::FrameTemplate,
    /// The keys of an answer's message id, queue id and queue offset.
    answered: [String; 3],
    /// What the codes of answers mean that say where a message is stored.
    statuses: Vec<(i32, Py<PyAny>)>,
}

#[pymethods]
impl SendTarget {
    #[new]
    fn new(
        code: i32,
        language: &str,
        version: i32,
        fields: &Bound<'_, PyDict>,
        varying: &Bound<'_, PyTuple>,
        answered: [String; 3],
        statuses: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let varying: [String; VARYING] = varying.extract()?;
        let varying = varying.each_ref().map(String::as_str);
        let template = template(code, language, version, fields, &varying)?;
        let statuses = statuses.iter().map(|(code, status)| Ok((code.extract()?, status.unbind())));
        let statuses = statuses.collect::<PyResult<_>>()?;
        Ok(Self(Arc::new(Target { code, template, answered, statuses })))
    }

    fn request(
        &self,
        py: Python<'_>,
        message: Py<OutgoingMessage>,
        queue: Bound<'_, PyAny>,
        born_ms: i64,
    ) -> PyResult<SendRequest> {
        let queue_id = queue.getattr(pyo3::intern!(py, "queue_id"))?.extract()?;
        Ok(SendRequest { target: Arc::clone(&self.0), message, queue: queue.unbind(), queue_id, born_ms })
    }
}

/// 310: store a message; 320: a batch of them.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct SendRequest {
    target: Arc<Target>,
    message: Py<OutgoingMessage>,
    queue: Py<PyAny>,
    queue_id: i32,
    born_ms: i64,
}

#[pymethods]
impl SendRequest {
    #[getter]
    fn code(&self) -> i32 {
        self.target.code
    }

    fn frame<'py>(&self, py: Python<'py>, opaque: i32, flag: i32) -> PyResult<Bound<'py, PyAny>> {
        let message = self.message.get();
        let body = message.body.as_bytes(py);
        let (queue_id, sys_flag) = (self.queue_id.to_string(), message.sys_flag.to_string());
        let born = self.born_ms.to_string();
        let values: [&str; VARYING] = [&queue_id, &sys_flag, &born, &message.properties];
        let mut head = Vec::with_capacity(HEAD + message.properties.len());
        self.target
            .template
            .encode_head(opaque, flag, values.map(Some), body.len(), &mut head)
            .map_err(|error| errors::wire(&error))?;
        if body.len() < LONG_BODY {
            return Ok(whole_frame(py, &head, body)?.into_any());
        }
        let frame = LongFrame { head: PyBytes::new(py, &head).unbind(), body: message.body.clone_ref(py) };
        Ok(Bound::new(py, frame)?.into_any())
    }

    fn read<'py>(&self, raw: &Bound<'py, RawCommand>) -> PyResult<Bound<'py, PyAny>> {
        let (py, answer) = (raw.py(), &raw.get().0);
        let Some((_, status)) = self.target.statuses.iter().find(|(code, _)| *code == answer.code) else {
            return Ok(raw.clone().into_any());
        };
        let [id, queue, offset] = &self.target.answered;
        let stated = Stated::read(answer, id, queue, offset).map_err(|error| errors::field(&error))?;
        let queue = if stated.queue_id == self.queue_id {
            self.queue.clone_ref(py)
        } else {
            self.queue_of(py, stated.queue_id)?
        };
        Ok(Bound::new(py, SendAnswer::new(stated, queue, status.clone_ref(py)))?.into_any())
    }
}

/// Bytes of a body from which on it is not copied into its frame.
const LONG_BODY: usize = 32 * 1024;

/// A frame in two parts.
#[pyclass(frozen, get_all, module = "rocketmq_lite._native")]
pub(crate) struct LongFrame {
    head: Py<PyBytes>,
    body: Py<PyBytes>,
}

#[pymethods]
impl LongFrame {
    fn __len__(&self, py: Python<'_>) -> usize {
        self.head.as_bytes(py).len() + self.body.as_bytes(py).len()
    }
}

/// Bytes of a header without its properties that seldom have to be grown.
const HEAD: usize = 256;

impl SendRequest {
    /// The queue that the broker names, which is not the one asked for.
    fn queue_of(&self, py: Python<'_>, queue_id: i32) -> PyResult<Py<PyAny>> {
        let asked = self.queue.bind(py);
        let named = (asked.getattr("topic")?, asked.getattr("broker_name")?, queue_id);
        Ok(asked.get_type().call1(named)?.unbind())
    }
}
