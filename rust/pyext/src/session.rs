//! `Engine`: the broker's engine without threads, for owners that bring streams and time.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rocketmq_lite_core::session::{ConnId, Now};
use rocketmq_lite_core::store::Recovery;
use rocketmq_lite_plane::{Action, Pump};

use crate::bytes_like::with_bytes;
use crate::cold::{Cold, engine_statistics, recovery_dict, to_python};
use crate::control::Control;
use crate::settings::Opening;

/// The pump's engine. Every call takes the time, does its work at once and returns; `poll` flushes and reads inline.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct Engine {
    /// Python calls from one task; the lock makes a second thread wait instead of being wrong.
    pump: Mutex<Pump>,
    recovery: Recovery,
}

impl Engine {
    fn pump(&self) -> MutexGuard<'_, Pump> {
        self.pump.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (opening, *, wall_ms, mono_ms))]
    fn new(py: Python<'_>, opening: &Opening, wall_ms: i64, mono_ms: u64) -> PyResult<Self> {
        // Nothing is due in a new engine; the argument keeps every call that changes something alike.
        let _ = mono_ms;
        let (broker, recovery) = opening.open(py, wall_ms)?;
        Ok(Self { pump: Mutex::new(Pump::new(broker)), recovery })
    }

    #[getter]
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        recovery_dict(py, &self.recovery)
    }

    #[pyo3(signature = (host, port, *, wall_ms, mono_ms))]
    fn open(&self, host: &str, port: u16, wall_ms: i64, mono_ms: u64) -> PyResult<u64> {
        let host: IpAddr = host
            .parse()
            .map_err(|_| PyValueError::new_err(format!("{host:?} is no numeric address of a peer")))?;
        Ok(self.pump().open(Now { wall_ms, mono_ms }, SocketAddr::new(host, port)).0)
    }

    #[pyo3(signature = (conn, data, *, wall_ms, mono_ms))]
    fn receive(&self, conn: u64, data: &Bound<'_, PyAny>, wall_ms: i64, mono_ms: u64) -> PyResult<()> {
        with_bytes(data, |bytes| self.pump().receive(ConnId(conn), bytes, Now { wall_ms, mono_ms }))
    }

    #[pyo3(signature = (conn, count, *, wall_ms, mono_ms))]
    fn sent(&self, conn: u64, count: usize, wall_ms: i64, mono_ms: u64) {
        self.pump().sent(ConnId(conn), count, Now { wall_ms, mono_ms });
    }

    #[pyo3(signature = (conn, *, wall_ms, mono_ms))]
    fn closed(&self, conn: u64, wall_ms: i64, mono_ms: u64) {
        self.pump().closed(ConnId(conn), Now { wall_ms, mono_ms });
    }

    #[pyo3(signature = (*, wall_ms, mono_ms))]
    fn tick(&self, wall_ms: i64, mono_ms: u64) {
        self.pump().tick(Now { wall_ms, mono_ms });
    }

    fn next_deadline(&self) -> Option<u64> {
        self.pump().next_deadline()
    }

    #[pyo3(signature = (token, control, *, wall_ms, mono_ms))]
    fn submit(&self, token: u64, control: &Control, wall_ms: i64, mono_ms: u64) {
        self.pump().submit(token, control.core(), Now { wall_ms, mono_ms });
    }

    #[pyo3(signature = (*, wall_ms, mono_ms))]
    fn poll<'py>(
        &self,
        py: Python<'py>,
        wall_ms: i64,
        mono_ms: u64,
    ) -> PyResult<Vec<(&'static str, u64, Bound<'py, PyBytes>)>> {
        let actions = py.detach(|| self.pump().poll(Now { wall_ms, mono_ms }));
        actions.into_iter().map(|action| action_tuple(py, action)).collect()
    }

    #[pyo3(signature = (limit=256))]
    fn take(&self, py: Python<'_>, limit: usize) -> PyResult<Vec<Cold>> {
        let events = self.pump().take(limit);
        to_python(py, events)
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        engine_statistics(py, &self.pump().statistics())
    }
}

fn action_tuple(py: Python<'_>, action: Action) -> PyResult<(&'static str, u64, Bound<'_, PyBytes>)> {
    let nothing = PyBytes::new(py, &[]);
    Ok(match action {
        Action::Send(conn, chunks) => ("send", conn.0, join(py, &chunks)?),
        Action::Pause(conn) => ("pause", conn.0, nothing),
        Action::Resume(conn) => ("resume", conn.0, nothing),
        Action::Close(conn) => ("close", conn.0, nothing),
    })
}

/// One bytes object of all chunks, each copied once.
fn join<'py>(py: Python<'py>, chunks: &[Bytes]) -> PyResult<Bound<'py, PyBytes>> {
    let total = chunks.iter().map(Bytes::len).sum();
    PyBytes::new_with(py, total, |target| {
        let mut rest = target;
        for chunk in chunks {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(chunk.len());
            part.copy_from_slice(chunk);
            rest = after;
        }
        Ok(())
    })
}
