//! SQL92 conditions.

use pyo3::prelude::*;
use rocketmq_lite_core::filter::sql;

use crate::errors;

/// A compiled condition.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct SqlFilter(sql::SqlFilter);

#[pymethods]
impl SqlFilter {
    #[new]
    fn new(condition: &str) -> PyResult<Self> {
        sql::SqlFilter::parse(condition).map(Self).map_err(|error| errors::sql(&error))
    }

    fn verdict(&self, properties: &str) -> PyResult<Option<bool>> {
        self.0.verdict(properties).map_err(|error| errors::sql(&error))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}
