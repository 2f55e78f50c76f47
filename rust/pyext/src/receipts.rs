//! Receipts for Python: what a request stored, shared by the receipts of all its messages.
//!
//! Of a batch nothing is made for each message but a reference to the batch and a number. Its texts are made when they are
//! asked for, so that who only waits for many messages to be stored does not pay for their ids.

use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rocketmq_lite_core::wire::{BadField, Command};

use crate::message_ids::MessageIds;
use crate::outgoing::OutgoingMessage;
use crate::untracked::untracked;

/// What all messages of one request have in common.
struct Stored {
    message_ids: MessageIds,
    queue: Py<PyAny>,
    /// Of the first message.
    offset: i64,
    status: Py<PyAny>,
    /// With commas between those of a batch.
    offset_message_ids: String,
    /// Where each of them begins; none when one stands for all messages.
    begins: Vec<usize>,
    transaction_id: Option<String>,
    recall_handle: Option<String>,
}

impl Stored {
    fn offset_message_id(&self, place: usize) -> &str {
        let Some(begin) = self.begins.get(place) else { return &self.offset_message_ids };
        let end = self.begins.get(place + 1).map_or(self.offset_message_ids.len(), |next| next - 1);
        self.offset_message_ids.get(*begin..end).unwrap_or_default()
    }
}

/// What a broker said about a stored message.
///
/// Attributes:
///     message_id: The id that the producer gave it (``UNIQ_KEY``); the one to log and to search for.
///     queue: The queue it was stored in.
///     offset: Its queue offset.
///     status: Whether it is stored as firmly as the broker promises.
///     offset_message_id: The broker's id, made of its address and the commit-log offset.
#[expect(clippy::doc_markdown, reason = "it is Python's docstring")]
#[pyclass(frozen, module = "rocketmq_lite")]
pub(crate) struct SendReceipt {
    stored: Arc<Stored>,
    place: usize,
}

#[pymethods]
impl SendReceipt {
    #[classattr]
    #[pyo3(name = "__final__")]
    const FINAL: bool = true;

    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&str, &str, &str, &str, &str, &str, &str) =
        ("message_id", "queue", "offset", "status", "offset_message_id", "transaction_id", "recall_handle");

    #[new]
    #[pyo3(signature = (message_id, queue, offset, status, offset_message_id = "", transaction_id = None, recall_handle = None))]
    fn new(
        message_id: &str,
        queue: Py<PyAny>,
        offset: i64,
        status: Py<PyAny>,
        offset_message_id: &str,
        transaction_id: Option<String>,
        recall_handle: Option<String>,
    ) -> Self {
        let stored = Stored {
            message_ids: MessageIds::one(message_id),
            queue,
            offset,
            status,
            offset_message_ids: offset_message_id.to_owned(),
            begins: Vec::new(),
            transaction_id,
            recall_handle,
        };
        Self { stored: Arc::new(stored), place: 0 }
    }

    #[getter]
    fn message_id(&self) -> &str {
        self.stored.message_ids.get(self.place).unwrap_or_default()
    }

    #[getter]
    fn queue(&self, py: Python<'_>) -> Py<PyAny> {
        self.stored.queue.clone_ref(py)
    }

    #[getter]
    fn offset(&self) -> i64 {
        self.stored.offset.saturating_add_unsigned(self.place as u64)
    }

    #[getter]
    fn status(&self, py: Python<'_>) -> Py<PyAny> {
        self.stored.status.clone_ref(py)
    }

    #[getter]
    fn offset_message_id(&self) -> &str {
        self.stored.offset_message_id(self.place)
    }

    #[getter]
    fn transaction_id(&self) -> Option<&str> {
        self.stored.transaction_id.as_deref()
    }

    #[getter]
    fn recall_handle(&self) -> Option<&str> {
        self.stored.recall_handle.as_deref()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let values = self.values(py)?;
        let names = Self::MATCH_ARGS.into_pyobject(py)?;
        let pairs = names.iter().zip(values.iter());
        let shown: PyResult<Vec<_>> =
            pairs.map(|(name, value)| Ok(format!("{name}={}", value.repr()?))).collect();
        Ok(format!("SendReceipt({})", shown?.join(", ")))
    }

    fn __richcmp__<'py>(&self, other: &Bound<'py, PyAny>, how: CompareOp) -> PyResult<Bound<'py, PyAny>> {
        let py = other.py();
        match (other.cast::<Self>(), how) {
            (Ok(other), CompareOp::Eq | CompareOp::Ne) => {
                self.values(py)?.rich_compare(other.get().values(py)?, how)
            }
            _ => Ok(py.NotImplemented().into_bound(py)),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.values(py)?.hash()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type().into_any(), slf.get().values(slf.py())?))
    }
}

impl SendReceipt {
    /// All attributes, in the order of the constructor.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (
            self.message_id(),
            self.queue(py),
            self.offset(),
            self.status(py),
            self.offset_message_id(),
            self.transaction_id(),
            self.recall_handle(),
        )
            .into_pyobject(py)
    }
}

/// What the fields of an answer to a send say.
pub(crate) struct Stated {
    pub(crate) queue_id: i32,
    offset: i64,
    offset_message_ids: String,
}

impl Stated {
    /// Reads the fields, whose names are given.
    pub(crate) fn read(
        answer: &Command,
        id_key: &str,
        queue_key: &str,
        offset_key: &str,
    ) -> Result<Self, BadField> {
        let fields = &answer.fields;
        Ok(Self {
            queue_id: fields.required_i32(queue_key)?,
            offset: fields.required_i64(offset_key)?,
            offset_message_ids: fields.required_str(id_key)?.to_owned(),
        })
    }
}

/// Where a broker has stored what a request carried, and how firmly.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct SendAnswer {
    stated: Stated,
    queue: Py<PyAny>,
    status: Py<PyAny>,
}

impl SendAnswer {
    pub(crate) fn new(stated: Stated, queue: Py<PyAny>, status: Py<PyAny>) -> Self {
        Self { stated, queue, status }
    }

    /// The receipts share this.
    fn stored(&self, py: Python<'_>, message_ids: MessageIds) -> Arc<Stored> {
        let Stated { offset, offset_message_ids, .. } = &self.stated;
        let count = message_ids.len();
        let mut begins = Vec::new();
        if count > 1 {
            let commas = offset_message_ids.match_indices(',').map(|(at, _)| at + 1);
            begins.extend(std::iter::once(0).chain(commas));
        }
        if begins.len() != count {
            begins.clear(); // a batch stored as one record has one id
        }
        Arc::new(Stored {
            message_ids,
            queue: self.queue.clone_ref(py),
            offset: *offset,
            status: self.status.clone_ref(py),
            offset_message_ids: offset_message_ids.clone(),
            begins,
            transaction_id: None,
            recall_handle: None,
        })
    }
}

#[pymethods]
impl SendAnswer {
    #[getter]
    fn status(&self, py: Python<'_>) -> Py<PyAny> {
        self.status.clone_ref(py)
    }

    fn receipt<'py>(&self, message: &Bound<'py, OutgoingMessage>) -> PyResult<Bound<'py, SendReceipt>> {
        let py = message.py();
        untracked(py, SendReceipt { stored: self.stored(py, message.get().ids()), place: 0 })
    }

    fn receipts<'py>(&self, message_ids: &Bound<'py, MessageIds>) -> PyResult<Vec<Bound<'py, SendReceipt>>> {
        let py = message_ids.py();
        let message_ids = message_ids.get().clone();
        let count = message_ids.len();
        let stored = self.stored(py, message_ids);
        (0..count).map(|place| untracked(py, SendReceipt { stored: Arc::clone(&stored), place })).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (queue, status) = (self.queue.bind(py).repr()?, self.status.bind(py).repr()?);
        Ok(format!("<SendAnswer {status} {queue} offset={}>", self.stated.offset))
    }
}
