//! The keyword arguments of both owners of the engine, and opening what they describe.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rocketmq_lite_core::session::{Broker, Settings};
use rocketmq_lite_core::store::{
    Delays, DiskFs, FileSystem, FlushMode, IndexShape, MemFs, Recovery, Store, StoreSettings,
};

use crate::errors;

/// What a broker is made of; each owner opens one.
#[pyclass(frozen, module = "rocketmq_lite._native")]
pub(crate) struct Opening {
    settings: Settings,
    store: StoreSettings,
    files: Arc<dyn FileSystem>,
}

#[pymethods]
impl Opening {
    #[new]
    #[pyo3(signature = (
        *, broker_name, cluster, store_host, root=None, log_dirs=vec![], read_only_log_dirs=vec![], topics=None,
        segment_size=1_073_741_824, consume_queue_entries=300_000, ext_segment_size=None,
        index_slots=5_000_000, index_entries=20_000_000, flush="async", flush_interval_ms=500, permission=6, accept_sends_from_ms=0, region="DefaultRegion",
        trace_on=true, seed=0, utc_offset_s=0, max_message=4_194_304, delays_ms=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, each with its own name and default")]
    fn new(
        broker_name: String,
        cluster: String,
        store_host: &str,
        root: Option<PathBuf>,
        log_dirs: Vec<PathBuf>,
        read_only_log_dirs: Vec<PathBuf>,
        topics: Option<BTreeSet<String>>,
        segment_size: u64,
        consume_queue_entries: u64,
        ext_segment_size: Option<u64>,
        index_slots: u32,
        index_entries: u32,
        flush: &str,
        flush_interval_ms: u64,
        permission: i32,
        accept_sends_from_ms: i64,
        region: &str,
        trace_on: bool,
        seed: u64,
        utc_offset_s: i32,
        max_message: usize,
        delays_ms: Option<Vec<i64>>,
    ) -> PyResult<Self> {
        let process_id = std::process::id();
        let files: Arc<dyn FileSystem> =
            if root.is_some() { Arc::new(DiskFs) } else { Arc::new(MemFs::new()) };
        let settings = Settings {
            region: region.to_owned(),
            trace_on,
            permission,
            accept_sends_from_ms,
            process_id,
            seed,
            utc_offset_s,
            max_message,
            ..Settings::new(broker_name, cluster, address(store_host)?)
        };
        let store = StoreSettings {
            log_dirs,
            read_only_log_dirs,
            topics,
            segment_size,
            consume_queue_entries,
            ext_segment_size,
            index: IndexShape { slots: index_slots, entries: index_entries },
            flush: flush_mode(flush, flush_interval_ms)?,
            process_id,
            utc_offset_s,
            delays: delays_ms.and_then(Delays::new).unwrap_or_default(),
            ..StoreSettings::new(root.unwrap_or_else(|| PathBuf::from("/memory")))
        };
        Ok(Self { settings, store, files })
    }
}

impl Opening {
    /// Opens the store and makes the engine.
    pub(crate) fn open(&self, py: Python<'_>, wall_ms: i64) -> PyResult<(Broker, Recovery)> {
        let opened = py.detach(|| Store::open(Arc::clone(&self.files), self.store.clone(), wall_ms));
        let (store, recovery) = opened.map_err(|error| errors::store(py, &error))?;
        Ok((Broker::new(self.settings.clone(), store), recovery))
    }
}

fn flush_mode(flush: &str, interval_ms: u64) -> PyResult<FlushMode> {
    match flush {
        "async" => Ok(FlushMode::Async { interval_ms }),
        "sync" => Ok(FlushMode::Sync),
        other => Err(PyValueError::new_err(format!("flush is \"async\" or \"sync\", not {other:?}"))),
    }
}

/// A numeric address with a port.
pub(crate) fn address(text: &str) -> PyResult<SocketAddr> {
    text.parse().map_err(|_| {
        PyValueError::new_err(format!(
            "{text:?} is no address: write a numeric one with its port, as 127.0.0.1:10911"
        ))
    })
}
