//! The keyword arguments of both owners of the engine, and opening what they describe.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rocketmq_lite_core::session::{Broker, Settings};
use rocketmq_lite_core::store::{
    DiskFs, FileSystem, FlushMode, MemFs, Recovery, Store, StoreError, StoreSettings,
};

/// What a broker is made of.
pub(crate) struct Opening {
    pub(crate) settings: Settings,
    pub(crate) store: StoreSettings,
    pub(crate) files: Arc<dyn FileSystem>,
}

impl Opening {
    /// Over a directory, or over memory without one. The rest are Apache's defaults.
    pub(crate) fn new(identity: (String, String, &str), root: Option<PathBuf>) -> PyResult<Self> {
        let (broker_name, cluster, store_host) = identity;
        let process_id = std::process::id();
        let mut settings = Settings::new(broker_name, cluster, address(store_host)?);
        settings.process_id = process_id;
        let files: Arc<dyn FileSystem> =
            if root.is_some() { Arc::new(DiskFs) } else { Arc::new(MemFs::new()) };
        let mut store = StoreSettings::new(root.unwrap_or_else(|| PathBuf::from("/memory")));
        store.process_id = process_id;
        Ok(Self { settings, store, files })
    }

    /// How and how often the store is flushed.
    pub(crate) fn set_flush(&mut self, flush: &str, interval_ms: u64) -> PyResult<()> {
        self.store.flush = match flush {
            "async" => FlushMode::Async { interval_ms },
            "sync" => FlushMode::Sync,
            other => {
                return Err(PyValueError::new_err(format!("flush is \"async\" or \"sync\", not {other:?}")));
            }
        };
        Ok(())
    }

    /// Opens the store and makes the engine. Touches the disk: call it detached.
    pub(crate) fn open(self, wall_ms: i64) -> Result<(Broker, Recovery), StoreError> {
        let (store, recovery) = Store::open(self.files, self.store, wall_ms)?;
        Ok((Broker::new(self.settings, store), recovery))
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
