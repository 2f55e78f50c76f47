//! fastjson text for Python: dictionaries whose keys may be numbers and, as tuples of pairs, objects.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::{IntoPyObjectExt, intern};
use rocketmq_lite_core::wire::fastjson::{self, Dialect, MAX_DEPTH, Value};

use crate::bytes_like::with_bytes;
use crate::errors;

/// Reads fastjson text.
#[pyfunction]
pub(crate) fn json_loads<'py>(py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let value = with_bytes(data, fastjson::parse)?.map_err(|error| errors::wire(&error))?;
    to_python(py, &value)
}

/// Writes fastjson text.
#[pyfunction]
#[pyo3(signature = (value, *, standard = false))]
pub(crate) fn json_dumps<'py>(value: &Bound<'py, PyAny>, standard: bool) -> PyResult<Bound<'py, PyBytes>> {
    let dialect = if standard { Dialect::Standard } else { Dialect::Classic };
    let text = fastjson::write(&from_python(value, 0)?, dialect);
    Ok(PyBytes::new(value.py(), &text))
}

fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Int(value) => value.into_bound_py_any(py),
        Value::Float(value) => value.into_bound_py_any(py),
        Value::Str(value) => value.into_bound_py_any(py),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            Ok(list.into_any())
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (key, value) in members {
                dict.set_item(key_to_python(py, key)?, to_python(py, value)?)?;
            }
            Ok(dict.into_any())
        }
    }
}

/// A key must be hashable: lists and objects within one become tuples.
fn key_to_python<'py>(py: Python<'py>, key: &Value) -> PyResult<Bound<'py, PyAny>> {
    match key {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| key_to_python(py, item)).collect::<PyResult<_>>()?;
            Ok(PyTuple::new(py, items)?.into_any())
        }
        Value::Object(members) => {
            let pair = |(key, value): &(Value, Value)| {
                PyTuple::new(py, [key_to_python(py, key)?, key_to_python(py, value)?])
            };
            let pairs: Vec<_> = members.iter().map(pair).collect::<PyResult<_>>()?;
            Ok(PyTuple::new(py, pairs)?.into_any())
        }
        plain => to_python(py, plain),
    }
}

fn from_python(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth >= MAX_DEPTH {
        return Err(PyValueError::new_err(format!("nested deeper than {MAX_DEPTH}")));
    }
    if object.is_none() {
        Ok(Value::Null)
    } else if let Ok(value) = object.cast::<PyBool>() {
        Ok(Value::Bool(value.is_true()))
    } else if object.is_instance_of::<PyInt>() {
        Ok(Value::Int(object.extract()?))
    } else if object.is_instance_of::<PyFloat>() {
        Ok(Value::Float(object.extract()?))
    } else if let Ok(text) = object.cast::<PyString>() {
        Ok(Value::Str(text.to_str()?.to_owned()))
    } else if let Ok(dict) = object.cast::<PyDict>() {
        let member = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok((key_from_python(&key, depth + 1)?, from_python(&value, depth + 1)?))
        };
        Ok(Value::Object(dict.iter().map(member).collect::<PyResult<_>>()?))
    } else if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let items = object.try_iter()?.map(|item| from_python(&item?, depth + 1));
        Ok(Value::Array(items.collect::<PyResult<_>>()?))
    } else {
        Err(not_written(object, "value"))
    }
}

fn key_from_python(key: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if let Ok(pairs) = key.cast::<PyTuple>() {
        let pair = |pair: Bound<'_, PyAny>| {
            let (name, value) = pair.extract::<(String, Bound<'_, PyAny>)>()?;
            Ok((Value::Str(name), from_python(&value, depth + 1)?))
        };
        return Ok(Value::Object(pairs.iter().map(pair).collect::<PyResult<_>>()?));
    }
    match from_python(key, depth)? {
        key @ (Value::Str(_) | Value::Int(_)) => Ok(key),
        _ => Err(not_written(key, "key")),
    }
}

fn not_written(object: &Bound<'_, PyAny>, role: &str) -> PyErr {
    let kind = object.get_type();
    let name =
        kind.getattr(intern!(object.py(), "__name__")).map(|name| name.to_string()).unwrap_or_default();
    PyTypeError::new_err(format!("a JSON {role} cannot be of type {name}"))
}
