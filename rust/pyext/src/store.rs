//! `OfflineStore`: a store directory that no broker has open, for the offline tools.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use rocketmq_lite_core::store::{
    DiskFs, Finding, OfflineStore as CoreStore, Outside, Report, Verify as CoreVerify,
};

use crate::errors;

/// Log read by one step of a check.
pub(crate) const STEP_BYTES: u64 = 64 * 1024 * 1024;

/// An open directory.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct OfflineStore {
    inner: CoreStore,
}

#[pymethods]
impl OfflineStore {
    #[new]
    #[pyo3(signature = (root, *, log_dirs=vec![], topics=None))]
    fn new(
        py: Python<'_>,
        root: PathBuf,
        log_dirs: Vec<PathBuf>,
        topics: Option<BTreeSet<String>>,
    ) -> PyResult<Self> {
        let opened = py.detach(|| CoreStore::open(&DiskFs, root, &Outside { log_dirs, topics }));
        Ok(Self { inner: opened.map_err(|error| errors::store(py, &error))? })
    }

    fn inspect<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = py.detach(|| self.inner.inspect());
        let table = PyDict::new(py);
        table.set_item("clean", found.clean)?;
        table.set_item("log_start", found.log_start)?;
        table.set_item("log_files_end", found.log_files_end)?;
        table.set_item("segments", found.segments)?;
        table.set_item("segment_size", found.segment_size)?;
        table.set_item("durable", found.durable)?;
        table.set_item("checkpoint", found.checkpoint)?;
        let queues = found.queues.iter().map(|queue| (&*queue.topic, queue.queue_id, queue.min, queue.max));
        table.set_item("queues", PyList::new(py, queues)?)?;
        table.set_item("index_files", found.index_files)?;
        table.set_item("ext_segments", found.ext_segments)?;
        table.set_item("ext_segment_size", found.ext_segment_size)?;
        Ok(table)
    }

    #[pyo3(signature = (from_=None, max_bytes=1_048_576))]
    fn records<'py>(
        &self,
        py: Python<'py>,
        from_: Option<u64>,
        max_bytes: usize,
    ) -> PyResult<(Bound<'py, PyBytes>, Option<u64>)> {
        let from = from_.unwrap_or_else(|| self.inner.start());
        let read = py.detach(|| self.inner.records(from, max_bytes));
        let (records, next) = read.map_err(|error| errors::store(py, &error))?;
        Ok((PyBytes::new(py, &records.concat()), next))
    }
}

/// A check of a directory, a step at a time.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct StoreCheck {
    /// One caller at a time; a second one waits.
    inner: Mutex<CoreVerify>,
}

#[pymethods]
impl StoreCheck {
    #[new]
    #[pyo3(signature = (root, *, log_dirs=vec![], topics=None))]
    fn new(
        py: Python<'_>,
        root: PathBuf,
        log_dirs: Vec<PathBuf>,
        topics: Option<BTreeSet<String>>,
    ) -> PyResult<Self> {
        let outside = Outside { log_dirs, topics };
        let opened = py.detach(|| CoreStore::open(&DiskFs, root, &outside).map(CoreVerify::new));
        Ok(Self { inner: Mutex::new(opened.map_err(|error| errors::store(py, &error))?) })
    }

    /// Whether there is more, the position, and where the files end.
    fn step(&self, py: Python<'_>) -> PyResult<(bool, u64, u64)> {
        let stepped = py.detach(|| {
            let mut check = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let has_more = check.step(STEP_BYTES)?;
            let (position, end) = check.progress();
            Ok((has_more, position, end))
        });
        stepped.map_err(|error| errors::store(py, &error))
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let check = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        report_dict(py, check.report())
    }
}

/// What a check has found, by name.
pub(crate) fn report_dict<'py>(py: Python<'py>, found: &Report) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    table.set_item("sound", found.is_sound())?;
    table.set_item("end", found.end)?;
    table.set_item("records", found.records)?;
    table.set_item("unreadable", found.unreadable)?;
    table.set_item("entries", found.entries)?;
    table.set_item("without_entry", found.without_entry)?;
    let counts = PyDict::new(py);
    for (kind, count) in &found.counts {
        counts.set_item(kind.name(), count)?;
    }
    table.set_item("counts", counts)?;
    let findings = found.findings.iter().map(|finding| finding_dict(py, finding));
    table.set_item("findings", findings.collect::<PyResult<Vec<_>>>()?)?;
    Ok(table)
}

fn finding_dict<'py>(py: Python<'py>, finding: &Finding) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    table.set_item("kind", finding.kind.name())?;
    table.set_item("file", finding.path.display().to_string())?;
    table.set_item("offset", finding.offset)?;
    table.set_item("what", &finding.what)?;
    table.set_item("expected", finding.expected)?;
    table.set_item("found", finding.found)?;
    Ok(table)
}
