//! Batches for Python: bodies out of an iterable, laid out as the bodies of batch requests.
//!
//! The iterator is asked for the next item only when a batch has room for one, so that a generator is never read further
//! than what is being sent.

use std::sync::{Mutex, TryLockError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList};
use rocketmq_lite_core::record::DEFAULT_MAX_BODY;
use rocketmq_lite_core::record::batch::{BatchBuilder, BatchItem};

use crate::errors;
use crate::message_ids::{MessageIds, UniqueKeys, write_properties};

/// What `next` gives: the batch's body, the items in it as they came, and their message ids.
type Encoded<'py> = (Bound<'py, PyBytes>, Bound<'py, PyList>, MessageIds);

/// Makes batches of what an iterable gives.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct BatchEncoder {
    source: Mutex<Source>,
    keys: Py<UniqueKeys>,
    properties: String,
    convert: Py<PyAny>,
    max_bytes: usize,
    max_messages: usize,
}

/// The iterator, and what was taken from it but is in no batch yet.
struct Source {
    items: Py<PyIterator>,
    /// Of the batch that is being filled; of one that failed to be, with the item it failed at.
    taken: Vec<Py<PyAny>>,
    /// Did not fit into the last batch.
    waiting: Option<Py<PyAny>>,
    /// Where bodies are laid out.
    buffer: Vec<u8>,
}

#[pymethods]
impl BatchEncoder {
    #[new]
    #[pyo3(signature = (items, keys, properties, convert, *, max_bytes, max_messages))]
    fn new(
        items: &Bound<'_, PyAny>,
        keys: Py<UniqueKeys>,
        properties: String,
        convert: Py<PyAny>,
        max_bytes: usize,
        max_messages: usize,
    ) -> PyResult<Self> {
        let source = Source {
            items: items.try_iter()?.unbind(),
            taken: Vec::new(),
            waiting: None,
            buffer: Vec::new(),
        };
        Ok(Self { source: Mutex::new(source), keys, properties, convert, max_bytes, max_messages })
    }

    fn next<'py>(&self, py: Python<'py>, now_ms: i64) -> PyResult<Option<Encoded<'py>>> {
        let mut source = match self.source.try_lock() {
            Ok(source) => source,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(PyRuntimeError::new_err("the iterable asks for the batch that it is read for"));
            }
        };
        let buffer = std::mem::take(&mut source.buffer);
        let mut builder = BatchBuilder::in_buffer(buffer, self.max_bytes, self.max_messages);
        let (mut ids, mut text) = (String::new(), String::new());
        while !builder.is_full()
            && let Some(item) = source.next(py)?
        {
            let begin = ids.len();
            self.keys.get().push(now_ms, &mut ids);
            let id = ids.get(begin..).unwrap_or_default();
            if !self.push(&mut builder, item.bind(py), id, &mut text)? {
                ids.truncate(begin);
                source.waiting = source.taken.pop();
                break;
            }
        }
        let taken = std::mem::take(&mut source.taken);
        if taken.is_empty() {
            return Ok(None);
        }
        source.buffer = builder.finish();
        let ids = MessageIds::new(&ids, taken.len());
        Ok(Some((PyBytes::new(py, &source.buffer), PyList::new(py, taken)?, ids)))
    }

    fn left_over<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let Ok(mut source) = self.source.try_lock() else { return Ok(PyList::empty(py)) };
        let waiting = source.waiting.take();
        PyList::new(py, std::mem::take(&mut source.taken).into_iter().chain(waiting))
    }
}

impl BatchEncoder {
    /// Adds an item to the batch if there is room for it; its properties are written into `text`.
    fn push(
        &self,
        builder: &mut BatchBuilder,
        item: &Bound<'_, PyAny>,
        id: &str,
        text: &mut String,
    ) -> PyResult<bool> {
        let mut add = |builder: &mut BatchBuilder, body: &[u8], properties: &str| {
            write_properties(text, properties, id);
            let item = BatchItem { flag: 0, body, properties: text };
            builder.push(&item).map_err(|error| errors::batch(&error))
        };
        if let Ok(bytes) = item.cast_exact::<PyBytes>()
            && (1..=DEFAULT_MAX_BODY).contains(&bytes.as_bytes().len())
        {
            return add(builder, bytes.as_bytes(), &self.properties);
        }
        let converted = self.convert.bind(item.py()).call1((item,))?;
        let (body, properties): (Bound<'_, PyBytes>, String) = converted.extract()?;
        add(builder, body.as_bytes(), &properties)
    }
}

impl Source {
    /// The next item, which then counts as taken.
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let item = match self.waiting.take() {
            Some(item) => Some(item),
            None => self.items.bind(py).clone().next().transpose()?.map(Bound::unbind),
        };
        self.taken.extend(item.as_ref().map(|item| item.clone_ref(py)));
        Ok(item)
    }
}
