//! `StoreRepair`: a damaged store directory made one that a broker starts with.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rocketmq_lite_core::store::{DiskFs, IndexState, Outside, Repair as CoreRepair, RepairPlan};

use crate::cold::recovery_dict;
use crate::errors;
use crate::store::{STEP_BYTES, report_dict};

/// A repair: planned in steps, then done once.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct StoreRepair {
    /// One caller at a time; a second one waits. Gone once it was done.
    inner: Mutex<Option<CoreRepair>>,
}

#[pymethods]
impl StoreRepair {
    #[new]
    #[pyo3(signature = (root, *, log_dirs=vec![], topics=None, remake=false))]
    #[expect(clippy::needless_pass_by_value, reason = "what Python's paths become")]
    fn new(
        py: Python<'_>,
        root: PathBuf,
        log_dirs: Vec<PathBuf>,
        topics: Option<BTreeSet<String>>,
        remake: bool,
    ) -> PyResult<Self> {
        let opened =
            py.detach(|| CoreRepair::new(Arc::new(DiskFs), &root, &Outside { log_dirs, topics }, remake));
        Ok(Self { inner: Mutex::new(Some(opened.map_err(|error| errors::store(py, &error))?)) })
    }

    /// Whether there is more, the position, and where the files end.
    fn step(&self, py: Python<'_>) -> PyResult<(bool, u64, u64)> {
        let stepped = py.detach(|| {
            let mut inner = self.lock();
            let Some(repair) = inner.as_mut() else { return Ok((false, 0, 0)) };
            let has_more = repair.step(STEP_BYTES)?;
            let (position, end) = repair.progress();
            Ok((has_more, position, end))
        });
        stepped.map_err(|error| errors::store(py, &error))
    }

    fn plan<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inner = self.lock();
        let repair = inner.as_ref().ok_or_else(done)?;
        let plan = repair.plan().map_err(|error| errors::store(py, &error))?;
        let table = plan_dict(py, &plan)?;
        table.set_item("report", report_dict(py, repair.report())?)?;
        Ok(table)
    }

    fn apply<'py>(&self, py: Python<'py>, utc_offset_s: i32, wall_ms: i64) -> PyResult<Bound<'py, PyDict>> {
        let repair = self.lock().take().ok_or_else(done)?;
        let applied = py.detach(|| {
            let plan = repair.plan()?;
            repair.apply(&plan, utc_offset_s, wall_ms)
        });
        let repaired = applied.map_err(|error| errors::store(py, &error))?;
        let table = PyDict::new(py);
        table.set_item("cut_to", repaired.cut_to.map(|path| path.display().to_string()))?;
        let set_aside: Vec<_> = repaired.set_aside.iter().map(|path| path.display().to_string()).collect();
        table.set_item("set_aside", set_aside)?;
        table.set_item("recovery", recovery_dict(py, &repaired.recovery)?)?;
        Ok(table)
    }
}

impl StoreRepair {
    fn lock(&self) -> MutexGuard<'_, Option<CoreRepair>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done() -> PyErr {
    PyRuntimeError::new_err("this repair has been done: make another")
}

fn plan_dict<'py>(py: Python<'py>, plan: &RepairPlan) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    table.set_item("needed", plan.is_needed())?;
    let cut = plan.cut.map(|cut| {
        let table = PyDict::new(py);
        table.set_item("at", cut.at)?;
        table.set_item("bytes", cut.bytes)?;
        table.set_item("records_before", cut.records_before)?;
        table.set_item("records_behind", cut.records_behind)?;
        table.set_item("damage", cut.is_damage)?;
        PyResult::Ok(table)
    });
    table.set_item("cut", cut.transpose()?)?;
    let replaced: Vec<_> = plan.replaced_queues.iter().map(|path| path.display().to_string()).collect();
    table.set_item("replaced_queues", replaced)?;
    let missing: Vec<_> = plan.missing_queues.iter().map(|path| path.display().to_string()).collect();
    table.set_item("missing_queues", missing)?;
    table.set_item("remakes_queues", plan.remakes_queues)?;
    let index = match plan.index {
        IndexState::Usable => "usable",
        IndexState::Missing => "missing",
        IndexState::Unusable => "unusable",
    };
    table.set_item("index", index)?;
    table.set_item("remakes_index", plan.remakes_index)?;
    Ok(table)
}
