//! Frames and commands for Python: conversion only, the rules are in `core::wire`.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyString, PyTuple};
use rocketmq_lite_core::wire::{self, Codec, Command, Fields, Language};

use crate::bytes_like::with_bytes;
use crate::errors;
use crate::messages::MessageBatch;

/// One decoded request or response. Attributes convert at each access.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct RawCommand(pub(crate) Command);

#[pymethods]
impl RawCommand {
    #[getter]
    fn code(&self) -> i32 {
        self.0.code
    }

    #[getter]
    fn opaque(&self) -> i32 {
        self.0.opaque
    }

    #[getter]
    fn flag(&self) -> i32 {
        self.0.flag
    }

    #[getter]
    fn language(&self) -> &'static str {
        self.0.language.name()
    }

    #[getter]
    fn version(&self) -> i32 {
        self.0.version
    }

    #[getter]
    fn remark(&self) -> Option<&str> {
        self.0.remark.as_deref()
    }

    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        for (key, value) in self.0.fields.iter() {
            fields.set_item(key, value)?;
        }
        Ok(fields)
    }

    fn numbers<'py>(&self, py: Python<'py>, keys: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyTuple>> {
        let read = |key: Bound<'_, PyAny>| {
            let key = key.cast::<PyString>()?.to_str()?;
            self.0.fields.required_i64(key).map_err(|error| errors::field(&error))
        };
        PyTuple::new(py, keys.iter().map(read).collect::<PyResult<Vec<_>>>()?)
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.body)
    }

    fn messages(&self, py: Python<'_>) -> PyResult<MessageBatch> {
        MessageBatch::decode(py, &self.0.body)
    }

    #[getter]
    fn codec(&self) -> &'static str {
        codec_name(self.0.codec)
    }

    fn __repr__(&self) -> String {
        let Command { code, opaque, flag, body, .. } = &self.0;
        format!("<RawCommand code={code} opaque={opaque} flag={flag} body={} bytes>", body.len())
    }
}

/// The incremental decoder of one connection.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct FrameDecoder(Mutex<Decoding>);

struct Decoding {
    decoder: wire::FrameDecoder,
    error: Option<String>,
}

#[pymethods]
impl FrameDecoder {
    #[new]
    // A literal, so that the signature shows it: MAX_FRAME of the core.
    #[pyo3(signature = (max_frame = 16_777_216))]
    fn new(max_frame: usize) -> Self {
        Self(Mutex::new(Decoding { decoder: wire::FrameDecoder::new(max_frame), error: None }))
    }

    fn feed(&self, data: &Bound<'_, PyAny>) -> PyResult<Vec<RawCommand>> {
        with_bytes(data, |data| self.with(|decoding| decoding.feed(data)))
    }

    #[getter]
    fn error(&self) -> Option<String> {
        self.with(|decoding| decoding.error.clone())
    }

    #[getter]
    fn buffered(&self) -> usize {
        self.with(|decoding| decoding.decoder.buffered())
    }
}

impl FrameDecoder {
    /// The decoder has no state that a panic could leave half changed.
    fn with<R>(&self, act: impl FnOnce(&mut Decoding) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Decoding {
    fn feed(&mut self, data: &[u8]) -> Vec<RawCommand> {
        self.decoder.feed(data);
        let mut commands = Vec::new();
        loop {
            match self.decoder.next() {
                Ok(Some(command)) => commands.push(RawCommand(command)),
                Ok(None) => break,
                Err(error) => {
                    self.error = Some(error.to_string());
                    break;
                }
            }
        }
        commands
    }
}

/// The whole frame of a command.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are the protocol's fields")]
pub(crate) fn encode_command<'py>(
    py: Python<'py>,
    code: i32,
    opaque: i32,
    flag: i32,
    language: &str,
    version: i32,
    remark: Option<String>,
    fields: &Bound<'py, PyDict>,
    body: &Bound<'py, PyAny>,
    codec: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let command = Command {
        flag,
        language: Language::from_name(language),
        version,
        remark,
        codec: codec_from_name(codec)?,
        ..Command::request(code, opaque, fields_from(fields)?)
    };
    with_bytes(body, |body| {
        let mut head = Vec::new();
        wire::encode_head(&command, body.len(), &mut head).map_err(|error| errors::wire(&error))?;
        whole_frame(py, &head, body)
    })?
}

/// Requests without a body that differ in a few fields.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct FrameTemplate(wire::FrameTemplate);

#[pymethods]
impl FrameTemplate {
    #[new]
    fn new(
        code: i32,
        language: &str,
        version: i32,
        fields: &Bound<'_, PyDict>,
        varying: &Bound<'_, PyTuple>,
    ) -> PyResult<Self> {
        let varying: Vec<String> = varying.extract()?;
        let varying: Vec<&str> = varying.iter().map(String::as_str).collect();
        template(code, language, version, fields, &varying).map(Self)
    }

    fn frame<'py>(
        &self,
        py: Python<'py>,
        opaque: i32,
        flag: i32,
        values: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if values.len() != self.0.varying() {
            let (want, got) = (self.0.varying(), values.len());
            return Err(PyValueError::new_err(format!("{want} values are needed, not {got}")));
        }
        let texts = values.iter().map(|value| FieldText::of(&value)).collect::<PyResult<Vec<_>>>()?;
        let mut frame = Vec::with_capacity(USUAL_HEAD);
        let values = texts.iter().map(FieldText::as_str);
        self.0.encode_head(opaque, flag, values, 0, &mut frame).map_err(|error| errors::wire(&error))?;
        Ok(PyBytes::new(py, &frame))
    }
}

/// What requests share; the varying fields of those given are not looked at.
pub(crate) fn template(
    code: i32,
    language: &str,
    version: i32,
    fields: &Bound<'_, PyDict>,
    varying: &[&str],
) -> PyResult<wire::FrameTemplate> {
    let command = Command {
        language: Language::from_name(language),
        version,
        ..Command::request(code, 0, fields_from(fields)?)
    };
    wire::FrameTemplate::new(command, varying).map_err(|error| errors::wire(&error))
}

/// Bytes of a header that seldom have to be grown.
const USUAL_HEAD: usize = 512;

/// A value of a field on its way into a header.
enum FieldText<'py> {
    Missing,
    Text(Bound<'py, PyString>),
    Owned(String),
}

impl<'py> FieldText<'py> {
    /// Text as it is, numbers in decimal, truth values as Java writes them; None is no value.
    fn of(value: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            text.to_str()?;
            return Ok(Self::Text(text.clone()));
        }
        if value.is_none() {
            return Ok(Self::Missing);
        }
        if let Ok(flag) = value.cast::<PyBool>() {
            return Ok(Self::Owned(flag.is_true().to_string()));
        }
        Ok(Self::Owned(value.extract::<i64>()?.to_string()))
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Missing => None,
            Self::Text(text) => text.to_str().ok(),
            Self::Owned(text) => Some(text),
        }
    }
}

/// A frame of its parts.
pub(crate) fn whole_frame<'py>(py: Python<'py>, head: &[u8], body: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, head.len() + body.len(), |frame| {
        let (front, back) = frame.split_at_mut(head.len());
        front.copy_from_slice(head);
        back.copy_from_slice(body);
        Ok(())
    })
}

/// The fields of a dictionary of text.
pub(crate) fn fields_from(dict: &Bound<'_, PyDict>) -> PyResult<Fields> {
    let mut fields = Fields::new();
    for (key, value) in dict {
        fields.push(key.cast::<PyString>()?.to_str()?, value.cast::<PyString>()?.to_str()?);
    }
    Ok(fields)
}

fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Json => "JSON",
        Codec::Rocketmq => "ROCKETMQ",
    }
}

fn codec_from_name(name: &str) -> PyResult<Codec> {
    match name {
        "JSON" => Ok(Codec::Json),
        "ROCKETMQ" => Ok(Codec::Rocketmq),
        other => Err(PyValueError::new_err(format!("codec must be \"JSON\" or \"ROCKETMQ\", not {other:?}"))),
    }
}
