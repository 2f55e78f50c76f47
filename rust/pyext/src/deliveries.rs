//! The unfinished messages of one queue for Python; the rules are in `core::deliveries`.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyType;
use rocketmq_lite_core::deliveries::{self, Awaited, Event, Limits, OutOfPlace};
use rocketmq_lite_core::record::properties::TAGS;

use crate::errors;
use crate::messages::{MessageBatch, RawMessage, Stored};

/// The pulled and unfinished messages of one queue.
#[pyclass(frozen, subclass, module = "rocketmq_lite._native")]
pub(crate) struct Deliveries {
    queue: Py<PyAny>,
    state: Mutex<Watched>,
}

struct Watched {
    messages: deliveries::Deliveries,
    /// Each is called once, when what it waits for has come.
    waiting: Vec<(Awaited, Py<PyAny>)>,
}

impl Watched {
    /// Those whose wait is over.
    fn take_met(&mut self) -> Vec<Py<PyAny>> {
        let Self { messages, waiting } = self;
        let met = waiting.extract_if(.., |(awaited, _)| messages.is_met(*awaited));
        met.map(|(_, callback)| callback).collect()
    }
}

#[pymethods]
impl Deliveries {
    #[new]
    fn new(queue: Py<PyAny>, limits: &Bound<'_, PyAny>) -> PyResult<Self> {
        let limits = Limits {
            messages: limits.getattr("messages")?.extract()?,
            size: limits.getattr("size")?.extract()?,
            span: limits.getattr("span")?.extract()?,
        };
        let messages = deliveries::Deliveries::new(limits);
        Ok(Self { queue, state: Mutex::new(Watched { messages, waiting: Vec::new() }) })
    }

    #[getter]
    fn queue(&self, py: Python<'_>) -> Py<PyAny> {
        self.queue.clone_ref(py)
    }

    #[getter]
    fn next_offset(&self) -> i64 {
        self.with(|state| state.messages.next_offset())
    }

    #[getter]
    fn lowest(&self) -> i64 {
        self.with(|state| state.messages.lowest())
    }

    #[getter]
    fn unfinished(&self) -> usize {
        self.with(|state| state.messages.unfinished())
    }

    #[getter]
    fn in_hands(&self) -> usize {
        self.with(|state| state.messages.in_hands())
    }

    #[getter]
    fn in_work(&self) -> usize {
        self.with(|state| state.messages.in_work())
    }

    #[getter]
    fn room(&self) -> usize {
        self.with(|state| state.messages.room())
    }

    fn pull_size(&self, batch: usize) -> usize {
        self.with(|state| state.messages.pull_size(batch))
    }

    fn is_stuck(&self) -> bool {
        self.with(|state| state.messages.is_stuck())
    }

    fn count_repeated(&self, committed: Option<i64>) -> i64 {
        self.with(|state| state.messages.count_repeated(committed.unwrap_or_default()))
    }

    fn skip_to(&self, offset: i64) {
        self.with(|state| state.messages.skip_to(offset));
    }

    fn close(&self) {
        self.with(|state| state.messages.close());
    }

    fn take_in(
        slf: &Bound<'_, Self>,
        batch: &Bound<'_, MessageBatch>,
        tags: &Bound<'_, PyAny>,
    ) -> PyResult<(Vec<Py<Delivery>>, usize)> {
        let (queue, messages) = (slf.get(), &batch.get().0);
        let tags: Vec<String> = tags.extract()?;
        let is_wanted = |message: &Stored| {
            tags.is_empty() || message.property(TAGS).is_some_and(|tag| tags.iter().any(|each| each == tag))
        };
        let (mut taken, mut filtered) = (Vec::with_capacity(messages.len()), 0);
        let next_offset = queue.next_offset();
        for message in messages.iter().filter(|message| message.queue_offset >= next_offset) {
            if !is_wanted(message) {
                filtered += 1;
            } else if let Some(number) = queue.add(message) {
                taken.push(Delivery::new(slf, number, message)?);
            }
        }
        Ok((taken, filtered))
    }

    fn call_when_room(&self, batch: usize, callback: Py<PyAny>) {
        self.call_when(Awaited::Room(batch), callback);
    }

    fn call_when_none_in_hands(&self, callback: Py<PyAny>) {
        self.call_when(Awaited::NoneInHands, callback);
    }

    fn call_when_none_in_work(&self, callback: Py<PyAny>) {
        self.call_when(Awaited::NoneInWork, callback);
    }
}

impl Deliveries {
    fn add(&self, message: &Stored) -> Option<u64> {
        self.with(|state| state.messages.add(message.queue_offset, message.size as u64))
    }

    fn call_when(&self, awaited: Awaited, callback: Py<PyAny>) {
        self.with(|state| state.waiting.push((awaited, callback)));
    }

    /// Nothing in it can be left half changed by a panic.
    fn with<R>(&self, act: impl FnOnce(&mut Watched) -> R) -> R {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes something about a message, then tells who waited for that.
    fn change<R>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut deliveries::Deliveries) -> Result<R, OutOfPlace>,
    ) -> PyResult<R> {
        let (result, met) = self.with(|state| {
            let result = act(&mut state.messages).map_err(errors::out_of_place);
            (result, if state.waiting.is_empty() { Vec::new() } else { state.take_met() })
        });
        for callback in met {
            callback.call0(py)?;
        }
        result
    }
}

/// A pulled message on its way through the user's hands.
#[pyclass(frozen, extends = RawMessage, module = "rocketmq_lite._native")]
pub(crate) struct Delivery {
    queue: Py<Deliveries>,
    number: u64,
    attempt: AtomicI32,
}

#[pymethods]
impl Delivery {
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _item: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }

    #[getter]
    fn queue(&self, py: Python<'_>) -> Py<Deliveries> {
        self.queue.clone_ref(py)
    }

    #[getter]
    fn attempt(&self) -> i32 {
        self.attempt.load(Ordering::Relaxed)
    }

    fn hand_out(&self, py: Python<'_>) -> PyResult<bool> {
        self.queue.get().change(py, |messages| messages.hand_out(self.number))
    }

    fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.apply(py, Event::Enter)
    }

    fn acknowledge(&self, py: Python<'_>) -> PyResult<()> {
        self.apply(py, Event::Acknowledge)
    }

    fn fail(&self, py: Python<'_>) -> PyResult<()> {
        self.apply(py, Event::Fail)
    }

    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        self.apply(py, Event::Leave)
    }

    fn pass_by(&self, py: Python<'_>) -> PyResult<bool> {
        self.queue.get().change(py, |messages| Ok(messages.apply(self.number, Event::Pass).is_ok()))
    }

    fn give_back(&self, py: Python<'_>) -> PyResult<()> {
        self.apply(py, Event::GiveBack)
    }

    fn keep(&self, py: Python<'_>) -> PyResult<()> {
        self.apply(py, Event::Keep)
    }

    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.apply(py, Event::Resume)?;
        self.attempt.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Delivery {
    fn new(queue: &Bound<'_, Deliveries>, number: u64, message: &Stored) -> PyResult<Py<Self>> {
        let attempt = AtomicI32::new(message.reconsume_times.saturating_add(1));
        let delivery = Self { queue: queue.clone().unbind(), number, attempt };
        let base = PyClassInitializer::from(RawMessage::new(message.clone()));
        Py::new(queue.py(), base.add_subclass(delivery))
    }

    fn apply(&self, py: Python<'_>, event: Event) -> PyResult<()> {
        self.queue.get().change(py, |messages| messages.apply(self.number, event).map(|_| ()))
    }
}
