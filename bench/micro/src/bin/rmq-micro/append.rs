//! Appends of 1 KiB messages by one writer under asynchronous flush, against `write(2)` of the same bytes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rocketmq_lite_core::record::Stamp;
use rocketmq_lite_core::store::{FlushMode, FlushResult, Store};

use crate::rig::{self, Figures, Result, line};

const MESSAGES: usize = 100_000;
/// Messages that one wake-up of a busy broker finds.
const RUN: usize = 32;
const FLUSH_MS: i64 = 500;

pub(crate) fn round(dir: &Path, figures: &mut Figures) -> Result<()> {
    figures.add("write(2)", write_alone(&dir.join("plain"))?);
    for run in [1, RUN] {
        let root = dir.join(format!("append-{run}"));
        figures.add(format!("append, run {run}"), append(&root, run)?);
        std::fs::remove_dir_all(root)?;
    }
    Ok(())
}

pub(crate) fn print(figures: &Figures) {
    let alone = figures.median("write(2)");
    line("write(2) of the same records, one a call", alone, "messages/s", "");
    for run in [1, RUN] {
        let rate = figures.median(&format!("append, run {run}"));
        let ratio = format!("{:.2} x write(2), aim 0.5", rate / alone);
        line(&format!("append of 1 KiB, {run} a run, log and queue"), rate, "messages/s", &ratio);
    }
}

fn write_alone(path: &Path) -> Result<f64> {
    let (body, mut bytes) = ([b'x'; 1024], Vec::new());
    rig::record(0, &body)
        .encode(&Stamp { queue_offset: 0, physical_offset: 0, store_timestamp: 0 }, &mut bytes)?;
    let mut file = File::create(path)?;
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        file.write_all(&bytes)?;
    }
    let rate = MESSAGES as f64 / begun.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}

fn append(root: &Path, run: usize) -> Result<f64> {
    let mut store = rig::store(root, FlushMode::Async { interval_ms: FLUSH_MS as u64 })?;
    let body = [b'x'; 1024];
    let mut flusher = Flusher { out: None, last_ms: rig::wall_ms() };
    let begun = Instant::now();
    for _ in 0..MESSAGES / run {
        let now = rig::wall_ms();
        for _ in 0..run {
            store.append(&rig::record(0, &body), now)?;
        }
        let end = store.write_run()?;
        store.release(end)?;
        flusher.turn(&mut store, now)?;
    }
    let rate = MESSAGES as f64 / begun.elapsed().as_secs_f64();
    flusher.finish(&mut store)?;
    store.close(rig::wall_ms())?;
    Ok(rate)
}

/// What the reactor's flush thread does.
struct Flusher {
    out: Option<Receiver<FlushResult>>,
    last_ms: i64,
}

impl Flusher {
    fn turn(&mut self, store: &mut Store, now: i64) -> Result<()> {
        if now - self.last_ms < FLUSH_MS {
            return Ok(());
        }
        self.finish(store)?;
        self.last_ms = now;
        if let Some(plan) = store.plan_flush(now) {
            let (sender, receiver) = mpsc::channel();
            // Nobody listens any more only when the measurement has failed.
            thread::spawn(move || drop(sender.send(plan.run())));
            self.out = Some(receiver);
        }
        Ok(())
    }

    fn finish(&mut self, store: &mut Store) -> Result<()> {
        if let Some(out) = self.out.take() {
            store.flushed(out.recv()?)?;
        }
        Ok(())
    }
}
