//! What the measurements share: a directory for a round, stores, records, and medians of rounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rocketmq_lite_core::record::NewRecord;
use rocketmq_lite_core::store::{DiskFs, FlushMode, Store, StoreSettings};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) const TOPIC: &str = "bench";
/// What a message of a client carries besides its body, when its broker has added its own.
const PROPERTIES: &str = "UNIQ_KEY\u{1}7F000001000100000000000000000000\u{2}WAIT\u{1}true\u{2}CLUSTER\u{1}DefaultCluster\u{2}\
                          MSG_REGION\u{1}DefaultRegion\u{2}TRACE_ON\u{1}true\u{2}";

/// The directory of one round.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new(parent: &Path, round: usize) -> Result<Self> {
        let path = parent.join(format!("rmq-micro-{}-{round}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // Nobody is left to hear of it; the name tells what the directory is.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An empty store on the disk.
pub(crate) fn store(root: &Path, flush: FlushMode) -> Result<Store> {
    std::fs::create_dir_all(root)?;
    let settings = StoreSettings { flush, ..StoreSettings::new(root) };
    Ok(Store::open(Arc::new(DiskFs), settings, wall_ms())?.0)
}

pub(crate) fn record(queue_id: i32, body: &[u8]) -> NewRecord<'_> {
    let host = ([127, 0, 0, 1], 10911).into();
    NewRecord {
        topic: TOPIC,
        queue_id,
        flag: 0,
        sys_flag: 0,
        born_timestamp: 1_700_000_000_000,
        born_host: host,
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body,
        properties: PROPERTIES.as_bytes(),
    }
}

pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}

/// Figures by name, one a round.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<String, Vec<f64>>);

impl Figures {
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64) {
        self.0.entry(name.into()).or_default().push(value);
    }

    /// The median of the rounds.
    pub(crate) fn median(&self, name: &str) -> f64 {
        let mut values = self.0.get(name).cloned().unwrap_or_default();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// A line: what, how much, and what it is to be compared with.
pub(crate) fn line(what: &str, value: f64, unit: &str, compared: &str) {
    println!("{what:<58} {value:>12.1} {unit:<11} {compared}");
}
