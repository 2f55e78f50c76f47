//! Synchronous flush with one sender and with 64 that wait, against the machine's own `fdatasync`.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use rocketmq_lite_bench::Latencies;
use rocketmq_lite_core::store::FlushMode;

use crate::rig::{self, Figures, Result, line};

const FLUSHES: u64 = 300;
const WAITING: usize = 64;
const BLOCK: usize = 1200;

pub(crate) fn round(dir: &Path, figures: &mut Figures) -> Result<()> {
    let path = dir.join("synced");
    figures.add("growing", sync_alone(&File::create(&path)?)?);
    // Written once: a second pass over the same bytes changes no metadata.
    figures.add("written", sync_alone(&OpenOptions::new().write(true).open(&path)?)?);
    for waiting in [1, WAITING] {
        let root = dir.join(format!("flush-{waiting}"));
        let (rate, p50) = sync_store(&root, waiting)?;
        figures.add(format!("rate of {waiting}"), rate);
        figures.add(format!("p50 of {waiting}"), p50);
        std::fs::remove_dir_all(root)?;
    }
    Ok(())
}

pub(crate) fn print(figures: &Figures) {
    let (growing, written) = (figures.median("growing"), figures.median("written"));
    line("fdatasync after 1.2 KB, growing file, p50", growing, "us", "");
    line("fdatasync after 1.2 KB, file written before, p50", written, "us", "");
    let p50 = figures.median("p50 of 1");
    let ratio = format!("{:.2} x growing (aim 1.5), {:.2} x written", p50 / growing, p50 / written);
    line("SYNC_FLUSH, one sender, p50", p50, "us", &ratio);
    let (one, many) = (figures.median("rate of 1"), figures.median(&format!("rate of {WAITING}")));
    line("SYNC_FLUSH, one sender", one, "messages/s", "");
    line(
        &format!("SYNC_FLUSH, {WAITING} senders"),
        many,
        "messages/s",
        &format!("{:.1} x one, aim 6", many / one),
    );
}

fn sync_alone(file: &File) -> Result<f64> {
    let (block, mut latencies) = ([b'x'; BLOCK], Latencies::default());
    for index in 0..FLUSHES {
        let begun = Instant::now();
        file.write_all_at(&block, index * BLOCK as u64)?;
        file.sync_data()?;
        latencies.add(begun.elapsed());
    }
    Ok(latencies.percentile_us(50.0))
}

/// Messages a second, and the median of one wait in microseconds.
fn sync_store(root: &Path, waiting: usize) -> Result<(f64, f64)> {
    let mut store = rig::store(root, FlushMode::Sync)?;
    let (body, mut latencies) = ([b'x'; 1024], Latencies::default());
    let begun = Instant::now();
    for _ in 0..FLUSHES {
        let (sent, now) = (Instant::now(), rig::wall_ms());
        for queue in 0..waiting {
            store.append(&rig::record((queue % 4) as i32, &body), now)?;
        }
        store.write_run()?;
        while store.flushed_end() < store.appended_end() {
            let plan = store.plan_flush(now).ok_or("nothing to flush")?;
            let end = store.flushed(plan.run())?;
            store.release(end)?;
        }
        latencies.add(sent.elapsed());
    }
    let rate = (FLUSHES as usize * waiting) as f64 / begun.elapsed().as_secs_f64();
    store.close(rig::wall_ms())?;
    Ok((rate, latencies.percentile_us(50.0)))
}
