//! `Control`: what Python tells the engine, one constructor for each kind.

use std::path::PathBuf;

use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rocketmq_lite_core::session::{
    ConnId, Control as CoreControl, GroupEntry, MissingKind, SubscriptionEntry, TopicEntry,
};
use rocketmq_lite_core::wire::{Command, FLAG_ONEWAY};

use crate::bytes_like::with_bytes;
use crate::wire::fields_from;

/// One instruction to the engine; immutable, may be submitted more than once.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct Control {
    inner: CoreControl,
}

impl Control {
    /// What is submitted.
    pub(crate) fn core(&self) -> CoreControl {
        self.inner.clone()
    }
}

fn control(inner: CoreControl) -> Control {
    Control { inner }
}

fn missing_kind(kind: &str) -> PyResult<MissingKind> {
    match kind {
        "topic" => Ok(MissingKind::Topic),
        "group" => Ok(MissingKind::Group),
        other => Err(PyValueError::new_err(format!("kind is \"topic\" or \"group\", not {other:?}"))),
    }
}

type Body<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// A command of ours; the engine fills in the opaque and, for an answer, the codec.
fn command(code: i32, fields: Option<&Bound<'_, PyDict>>, body: Body<'_, '_>) -> PyResult<Command> {
    let mut command = Command::request(code, 0, fields.map(fields_from).transpose()?.unwrap_or_default());
    if let Some(body) = body {
        command.body = with_bytes(body, Bytes::copy_from_slice)?;
    }
    Ok(command)
}

#[pymethods]
impl Control {
    #[staticmethod]
    #[pyo3(signature = (name, *, read_queues, write_queues, permission=6, sys_flag=0, order=false, multi_tag=false))]
    fn put_topic(
        name: String,
        read_queues: i32,
        write_queues: i32,
        permission: i32,
        sys_flag: i32,
        order: bool,
        multi_tag: bool,
    ) -> Self {
        let entry = TopicEntry { name, read_queues, write_queues, permission, sys_flag, order, multi_tag };
        control(CoreControl::PutTopic(entry))
    }

    #[staticmethod]
    fn remove_topic(name: String) -> Self {
        control(CoreControl::RemoveTopic { name })
    }

    #[staticmethod]
    #[pyo3(signature = (name, *, consume_enable=true, broadcast_enable=true, retry_max_times=16, retry_queues=1, sys_flag=0))]
    fn put_group(
        name: String,
        consume_enable: bool,
        broadcast_enable: bool,
        retry_max_times: i32,
        retry_queues: i32,
        sys_flag: i32,
    ) -> Self {
        let entry =
            GroupEntry { name, consume_enable, broadcast_enable, retry_max_times, retry_queues, sys_flag };
        control(CoreControl::PutGroup(entry))
    }

    #[staticmethod]
    #[pyo3(signature = (name, *, clean_offsets=false))]
    fn remove_group(name: String, clean_offsets: bool) -> Self {
        control(CoreControl::RemoveGroup { name, clean_offsets })
    }

    #[staticmethod]
    #[pyo3(signature = (group, *, broadcasting, entries))]
    fn put_subscriptions(
        group: String,
        broadcasting: bool,
        entries: Vec<(String, String, String, i64)>,
    ) -> Self {
        let entries = entries.into_iter().map(|(topic, expression_type, expression, version)| {
            SubscriptionEntry { topic, expression_type, expression, version }
        });
        control(CoreControl::PutSubscriptions { group, broadcasting, entries: entries.collect() })
    }

    #[staticmethod]
    fn remove_subscriptions(group: String) -> Self {
        control(CoreControl::RemoveSubscriptions { group })
    }

    #[staticmethod]
    #[pyo3(signature = (group, *, orderly))]
    fn set_orderly(group: String, orderly: bool) -> Self {
        control(CoreControl::SetOrderly { group, orderly })
    }

    #[staticmethod]
    #[pyo3(signature = (token, code, remark=None, fields=None, body=None))]
    fn respond(
        token: u64,
        code: i32,
        remark: Option<String>,
        fields: Option<&Bound<'_, PyDict>>,
        body: Body<'_, '_>,
    ) -> PyResult<Self> {
        let mut command = command(code, fields, body)?;
        command.remark = remark;
        Ok(control(CoreControl::Respond { token, command }))
    }

    #[staticmethod]
    fn retry(kind: &str, name: String) -> PyResult<Self> {
        Ok(control(CoreControl::Retry { kind: missing_kind(kind)?, name }))
    }

    #[staticmethod]
    fn refuse(kind: &str, name: String, code: i32, remark: String) -> PyResult<Self> {
        Ok(control(CoreControl::Refuse { kind: missing_kind(kind)?, name, code, remark }))
    }

    #[staticmethod]
    #[pyo3(signature = (conn, code, *, fields=None, body=None, oneway=true))]
    fn push(
        conn: u64,
        code: i32,
        fields: Option<&Bound<'_, PyDict>>,
        body: Body<'_, '_>,
        oneway: bool,
    ) -> PyResult<Self> {
        let mut command = command(code, fields, body)?;
        command.flag = if oneway { FLAG_ONEWAY } else { 0 };
        Ok(control(CoreControl::Push { conn: ConnId(conn), command }))
    }

    #[staticmethod]
    fn close_connection(conn: u64) -> Self {
        control(CoreControl::CloseConnection { conn: ConnId(conn) })
    }

    #[staticmethod]
    fn load_offsets(offsets: Vec<(String, String, i32, i64)>) -> Self {
        control(CoreControl::LoadOffsets(offsets))
    }

    #[staticmethod]
    fn offsets() -> Self {
        control(CoreControl::Offsets)
    }

    #[staticmethod]
    #[pyo3(signature = (*, topic=None, group=None))]
    fn remove_offsets(topic: Option<String>, group: Option<String>) -> Self {
        control(CoreControl::RemoveOffsets { topic, group })
    }

    #[staticmethod]
    fn bounds(topic: String, queues: Vec<i32>) -> Self {
        control(CoreControl::Bounds { topic, queues })
    }

    #[staticmethod]
    fn reset_offsets(topic: String, group: String, offsets: Vec<(i32, i64)>) -> Self {
        control(CoreControl::ResetOffsets { topic, group, offsets })
    }

    #[staticmethod]
    fn search_time(topic: String, queue_id: i32, timestamp: i64) -> Self {
        control(CoreControl::SearchTime { topic, queue_id, timestamp })
    }

    #[staticmethod]
    fn earliest_time() -> Self {
        control(CoreControl::EarliestTime)
    }

    #[staticmethod]
    fn store_time(topic: String, queue_id: i32, offset: i64) -> Self {
        control(CoreControl::StoreTime { topic, queue_id, offset })
    }

    #[staticmethod]
    fn deliver_scheduled(queue_id: i32, offset: i64) -> Self {
        control(CoreControl::DeliverScheduled { queue_id, offset })
    }

    #[staticmethod]
    fn record(physical_offset: i64) -> Self {
        control(CoreControl::Record { physical_offset })
    }

    #[staticmethod]
    fn skips(group: String) -> Self {
        control(CoreControl::Skips { group })
    }

    #[staticmethod]
    fn statistics() -> Self {
        control(CoreControl::Statistics)
    }

    #[staticmethod]
    fn put_times() -> Self {
        control(CoreControl::PutTimes)
    }

    #[staticmethod]
    fn set_accept_writes(accept: bool) -> Self {
        control(CoreControl::SetAcceptWrites(accept))
    }

    #[staticmethod]
    fn purge(before: u64) -> Self {
        control(CoreControl::Purge { before })
    }

    #[staticmethod]
    fn set_full_log_dirs(dirs: Vec<PathBuf>) -> Self {
        control(CoreControl::SetFullLogDirs(dirs))
    }

    #[staticmethod]
    fn stop() -> Self {
        control(CoreControl::Stop)
    }

    fn __repr__(&self) -> String {
        format!("Control.{:?}", self.inner)
    }
}
