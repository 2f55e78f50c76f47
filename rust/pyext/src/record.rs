//! Property text and message ids for Python.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use rocketmq_lite_core::filter::tags;
use rocketmq_lite_core::record::{message_id, properties};

use crate::errors::WireError;

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

/// A dictionary of property text.
pub(crate) fn property_dict<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyDict>> {
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
