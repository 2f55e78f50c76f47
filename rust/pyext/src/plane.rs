//! `Reactor`: a broker served over TCP by threads that never hold the interpreter.

use std::io;
use std::net::ToSocketAddrs;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rocketmq_lite_core::store::Recovery;
use rocketmq_lite_plane::{Clock, Reactor as CoreReactor, ReactorSettings, WakeSocket};

use crate::cold::{Cold, plane_statistics, recovery_dict, to_python};
use crate::control::Control;
use crate::errors;
use crate::settings::Opening;
use crate::tls::Tls;

/// The production owner of the engine.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct Reactor {
    inner: CoreReactor,
    recovery: Recovery,
}

#[pymethods]
impl Reactor {
    #[new]
    #[pyo3(signature = (opening, *, wake_fd, max_connections, tls))]
    fn new(
        py: Python<'_>,
        opening: &Opening,
        wake_fd: i32,
        max_connections: usize,
        tls: &Tls,
    ) -> PyResult<Self> {
        let wake = adopt(py, wake_fd)?;
        let settings = ReactorSettings { max_connections, tls: tls.core()? };
        let clock = Clock::start();
        let (broker, recovery) = opening.open(py, clock.now().wall_ms)?;
        let inner =
            CoreReactor::start(broker, clock, wake, settings).map_err(|error| errors::os(&error, None))?;
        Ok(Self { inner, recovery })
    }

    #[getter]
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        recovery_dict(py, &self.recovery)
    }

    fn listen(&self, py: Python<'_>, host: &str, port: u16) -> PyResult<(String, u16)> {
        let bound = py.detach(|| {
            let mut addresses = (host, port).to_socket_addrs()?;
            self.inner
                .listen(addresses.next().ok_or(io::ErrorKind::AddrNotAvailable).map_err(io::Error::from)?)
        });
        let bound = bound.map_err(|error| errors::listen(&error, format!("{host}:{port}")))?;
        Ok((bound.ip().to_string(), bound.port()))
    }

    fn submit(&self, token: u64, control: &Control) -> PyResult<()> {
        self.inner.submit(token, control.core()).map_err(errors::closed)
    }

    #[pyo3(signature = (limit=256))]
    fn take(&self, py: Python<'_>, limit: usize) -> PyResult<Vec<Cold>> {
        to_python(py, self.inner.take(limit))
    }

    fn close(&self, py: Python<'_>, timeout_ms: u64) -> PyResult<()> {
        let closed = py.detach(|| self.inner.close(Duration::from_millis(timeout_ms)));
        closed.map_err(|error| errors::close(py, &error))
    }

    fn panic(&self) -> PyResult<()> {
        self.inner.panic().map_err(errors::closed)
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        plane_statistics(py, &self.inner.statistics())
    }
}

/// A copy of Python's descriptor that is ours (see the plane's `wake`). Python sends it, so a number that is not open
/// fails there, with `EBADF`; it is looked at first, since our own sockets may get the number of one that was closed.
fn adopt(py: Python<'_>, wake_fd: i32) -> PyResult<WakeSocket> {
    py.import("os")?.call_method1("fstat", (wake_fd,))?;
    let (ours, theirs) = UnixStream::pair().map_err(|error| errors::os(&error, None))?;
    let module = py.import("socket")?;
    let options = PyDict::new(py);
    options.set_item("fileno", theirs.into_raw_fd())?;
    let carrier = module.getattr("socket")?.call((), Some(&options))?;
    let sent = module.call_method1("send_fds", (&carrier, [b"w".as_slice()], [wake_fd]));
    carrier.call_method0("close")?;
    sent?;
    WakeSocket::receive(&ours).map_err(|error| errors::os(&error, Some(format!("wake_fd {wake_fd}"))))
}
