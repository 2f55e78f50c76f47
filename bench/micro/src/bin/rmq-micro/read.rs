//! Reads of a backlog that the page cache holds: what a consumer that catches up costs the owner of the store.

use std::path::Path;
use std::time::Instant;

use rocketmq_lite_core::filter::{Filter, tags::TagFilter};
use rocketmq_lite_core::store::{FlushMode, ReadOutcome, ReadRequest};

use crate::rig::{self, Figures, Result, TOPIC, line};

const MESSAGES: usize = 50_000;
const RUN: usize = 500;
const PASSES: usize = 3;

pub(crate) fn round(dir: &Path, body: usize, figures: &mut Figures) -> Result<()> {
    let root = dir.join("read");
    let mut store = rig::store(&root, FlushMode::Async { interval_ms: 500 })?;
    let bytes = vec![b'x'; body];
    for _ in 0..MESSAGES / RUN {
        for _ in 0..RUN {
            store.append(&rig::record(0, &bytes), rig::wall_ms())?;
        }
        store.write_run()?;
    }
    store.release(u64::MAX)?;
    let begun = Instant::now();
    let mut read = 0;
    for _ in 0..PASSES {
        let mut offset = 0;
        while offset < MESSAGES as i64 {
            let request = ReadRequest::Fetch {
                topic: TOPIC.to_owned(),
                queue_id: 0,
                offset,
                max_messages: 32,
                max_bytes: 256 * 1024,
                filter: Filter::Tags(TagFilter::all()),
            };
            let Some(ReadOutcome::Fetched(fetched)) = store.plan_read(request).run_now()? else {
                return Err("the page cache does not hold what was just written".into());
            };
            read += fetched.count;
            offset = fetched.next_offset;
        }
    }
    figures.add(format!("read {body}"), f64::from(read) / begun.elapsed().as_secs_f64());
    store.close(rig::wall_ms())?;
    std::fs::remove_dir_all(root)?;
    Ok(())
}

pub(crate) fn print(figures: &Figures) {
    for body in [1024, 128] {
        let rate = figures.median(&format!("read {body}"));
        line(&format!("cached backlog, {body} B bodies, 32 a read"), rate, "messages/s", "aim 1,000,000");
    }
}
