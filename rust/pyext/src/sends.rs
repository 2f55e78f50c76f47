//! What every message costs on its way out: its request, and the answer to it, each made in one call.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use rocketmq_lite_core::wire;

use crate::errors;
use crate::outgoing::OutgoingMessage;
use crate::receipts::{SendAnswer, Stated};
use crate::wire::{RawCommand, template, whole_frame};

/// How many fields of a send vary: queue id, flags, time of birth, properties.
const VARYING: usize = 4;

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
