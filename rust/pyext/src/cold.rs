//! `Cold`: one event for Python, and how the engine's values look there.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use rocketmq_lite_core::session::{Cold as CoreCold, Level, Missing, Principal, Statistics, Value};
use rocketmq_lite_core::store::Recovery;
use rocketmq_lite_plane::{Event, PlaneStatistics};

use crate::wire::RawCommand;

/// One thing the engine leaves to Python, or an answer to what Python asked. Which attributes mean something depends on
/// `kind`; the others are 0, empty or `None`.
#[pyclass(frozen, get_all, module = "rocketmq_lite._native")]
#[derive(Default)]
pub(crate) struct Cold {
    kind: &'static str,
    conn: u64,
    token: u64,
    peer: String,
    principal: &'static str,
    command: Option<Py<RawCommand>>,
    name: String,
    default_topic: String,
    queue_nums: i32,
    unit: bool,
    value: Option<Py<PyAny>>,
    level: &'static str,
    text: String,
}

#[pymethods]
impl Cold {
    fn __repr__(&self) -> String {
        format!(
            "<Cold {} conn={} token={} name={:?} text={:?}>",
            self.kind, self.conn, self.token, self.name, self.text
        )
    }
}

/// Events in the order in which they happened.
pub(crate) fn to_python(py: Python<'_>, events: Vec<Event>) -> PyResult<Vec<Cold>> {
    events.into_iter().map(|event| from_event(py, event)).collect()
}

fn from_event(py: Python<'_>, event: Event) -> PyResult<Cold> {
    Ok(match event {
        Event::Cold(cold) => from_cold(py, cold)?,
        Event::Done(token, Value::Failed(reason)) => {
            Cold { kind: "done", token, text: reason, ..Cold::default() }
        }
        Event::Done(token, value) => {
            Cold { kind: "done", token, value: Some(from_value(py, value)?), ..Cold::default() }
        }
        Event::Failed(failure) => {
            Cold { kind: "failed", level: "error", text: failure.to_string(), ..Cold::default() }
        }
    })
}

fn from_cold(py: Python<'_>, cold: CoreCold) -> PyResult<Cold> {
    Ok(match cold {
        CoreCold::Command { conn, token, peer, principal, command } => Cold {
            kind: "command",
            conn: conn.0,
            token,
            peer: peer.to_string(),
            principal: match principal {
                Principal::Anyone => "",
            },
            command: Some(Py::new(py, RawCommand(command))?),
            ..Cold::default()
        },
        CoreCold::Missing(Missing::Topic { name, default_topic, queue_nums, unit }) => {
            Cold { kind: "missing_topic", name, default_topic, queue_nums, unit, ..Cold::default() }
        }
        CoreCold::Missing(Missing::Group { name }) => Cold { kind: "missing_group", name, ..Cold::default() },
        CoreCold::Closed { conn } => Cold { kind: "closed", conn: conn.0, ..Cold::default() },
        CoreCold::Log { level, text } => {
            Cold { kind: "log", level: level_name(level), text, ..Cold::default() }
        }
    })
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn from_value(py: Python<'_>, value: Value) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Value::Unit => py.None(),
        Value::Delivered(delivered) => delivered.into_pyobject(py)?.to_owned().into_any().unbind(),
        Value::Offsets(offsets) => PyList::new(py, offsets)?.into_any().unbind(),
        Value::Bounds(bounds) => PyList::new(py, bounds)?.into_any().unbind(),
        Value::Offset(offset) => offset.into_pyobject(py)?.into_any().unbind(),
        Value::StoreTime(time) => time.into_pyobject(py)?.into_any().unbind(),
        Value::Record(record) => match record {
            Some(record) => PyBytes::new(py, &record).into_any().unbind(),
            None => py.None(),
        },
        Value::Skips(skips) => {
            let rows =
                skips.into_iter().map(|skip| (skip.topic, skip.queue_id, skip.from, skip.to, skip.at_ms));
            PyList::new(py, rows.collect::<Vec<_>>())?.into_any().unbind()
        }
        Value::Scheduled { next_offset, look_at_ms } => {
            (next_offset, look_at_ms).into_pyobject(py)?.into_any().unbind()
        }
        Value::Statistics(statistics) => engine_statistics(py, &statistics)?.into_any().unbind(),
        Value::PutTimes(times) => PyList::new(py, times)?.into_any().unbind(),
        Value::Failed(reason) => reason.into_pyobject(py)?.into_any().unbind(),
    })
}

/// The engine's counters by name.
pub(crate) fn engine_statistics<'py>(py: Python<'py>, counters: &Statistics) -> PyResult<Bound<'py, PyDict>> {
    let Statistics {
        messages_in,
        bytes_in,
        messages_out,
        bytes_out,
        sends,
        sends_refused,
        sends_late,
        sends_dirty,
        pulls,
        pulls_missed,
        put_max_ms,
        get_max_ms,
        held,
        parked,
        cold_waiting,
        cold_commands,
        overloaded,
        reads_waiting,
        flush_waiting,
        backlog,
        connections,
        connections_total,
        runs,
        largest_run,
        flushes,
        offset_commits,
        logs_dropped,
        topics,
        groups,
        log_start,
        log_end,
        flushed_end,
        dispatched_end,
        indexed_end,
    } = *counters;
    let table = PyDict::new(py);
    let put = |name: &str, value: u64| table.set_item(name, value);
    put("messages_in", messages_in)?;
    put("bytes_in", bytes_in)?;
    put("messages_out", messages_out)?;
    put("bytes_out", bytes_out)?;
    put("sends", sends)?;
    put("sends_refused", sends_refused)?;
    put("sends_late", sends_late)?;
    put("sends_dirty", sends_dirty)?;
    put("pulls", pulls)?;
    put("pulls_missed", pulls_missed)?;
    put("put_max_ms", put_max_ms)?;
    put("get_max_ms", get_max_ms)?;
    put("held", held as u64)?;
    put("parked", parked as u64)?;
    put("cold_waiting", cold_waiting as u64)?;
    put("cold_commands", cold_commands)?;
    put("overloaded", overloaded)?;
    put("reads_waiting", reads_waiting as u64)?;
    put("flush_waiting", flush_waiting as u64)?;
    put("backlog", backlog as u64)?;
    put("connections", connections as u64)?;
    put("connections_total", connections_total)?;
    put("runs", runs)?;
    put("largest_run", largest_run as u64)?;
    put("flushes", flushes)?;
    put("offset_commits", offset_commits)?;
    put("logs_dropped", logs_dropped)?;
    put("topics", topics as u64)?;
    put("groups", groups as u64)?;
    put("log_start", log_start)?;
    put("log_end", log_end)?;
    put("flushed_end", flushed_end)?;
    put("dispatched_end", dispatched_end)?;
    put("indexed_end", indexed_end)?;
    Ok(table)
}

/// The reactor's counters by name.
pub(crate) fn plane_statistics<'py>(
    py: Python<'py>,
    counters: &PlaneStatistics,
) -> PyResult<Bound<'py, PyDict>> {
    let PlaneStatistics {
        connections,
        accepted,
        refused,
        accept_failures,
        bytes_received,
        bytes_sent,
        wakeups,
        events_waiting,
    } = *counters;
    let table = PyDict::new(py);
    let put = |name: &str, value: u64| table.set_item(name, value);
    put("connections", connections)?;
    put("accepted", accepted)?;
    put("refused", refused)?;
    put("accept_failures", accept_failures)?;
    put("bytes_received", bytes_received)?;
    put("bytes_sent", bytes_sent)?;
    put("wakeups", wakeups)?;
    put("events_waiting", events_waiting)?;
    Ok(table)
}

/// What a start found, by name.
pub(crate) fn recovery_dict<'py>(py: Python<'py>, recovery: &Recovery) -> PyResult<Bound<'py, PyDict>> {
    let Recovery {
        clean,
        scanned_from,
        records,
        unreadable,
        redispatched,
        end,
        cut_bytes,
        ref cut_to,
        index_files_removed,
        ref lost_queues,
        ref lost_units,
    } = *recovery;
    let table = PyDict::new(py);
    table.set_item("clean", clean)?;
    table.set_item("scanned_from", scanned_from)?;
    table.set_item("records", records)?;
    table.set_item("unreadable", unreadable)?;
    table.set_item("redispatched", redispatched)?;
    table.set_item("end", end)?;
    table.set_item("cut_bytes", cut_bytes)?;
    table.set_item("cut_to", cut_to.as_ref().map(|path| path.display().to_string()))?;
    table.set_item("index_files_removed", index_files_removed)?;
    for (name, lost) in [("lost_queues", lost_queues), ("lost_units", lost_units)] {
        let lost: Vec<String> = lost.iter().map(|(topic, queue)| format!("{topic}/{queue}")).collect();
        table.set_item(name, lost)?;
    }
    Ok(table)
}
