//! Property text, message ids and compression for Python.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use rocketmq_lite_core::filter::tags;
use rocketmq_lite_core::record::{compression, message_id, properties};

use crate::bytes_like::with_bytes;
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

/// A zlib stream.
#[pyfunction]
#[pyo3(signature = (data, level = 5))]
pub(crate) fn compress_zlib<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyAny>,
    level: u32,
) -> PyResult<Bound<'py, PyBytes>> {
    let packed = with_bytes(data, |data| py.detach(|| compression::compress_zlib(data, level)))?;
    Ok(PyBytes::new(py, &packed))
}
