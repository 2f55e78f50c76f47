//! What the store costs: `cargo bench -p rocketmq-lite-bench --features criterion --bench store`.
//!
//! On the disk below `target/tmp`. `make bench-micro` holds the same against what the machine itself can do.

#![expect(missing_docs, reason = "the macros make functions without")]
#![expect(clippy::unwrap_used, reason = "a bench")]

use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rocketmq_lite_core::filter::tags::TagFilter;
use rocketmq_lite_core::record::NewRecord;
use rocketmq_lite_core::store::{
    DiskFs, FlushMode, ReadOutcome, ReadRequest, Recovery, Store, StoreSettings,
};

const WALL_MS: i64 = 1_700_000_000_000;
const TOPIC: &str = "bench";
const PROPERTIES: &str =
    "UNIQ_KEY\u{1}7F000001000100000000000000000000\u{2}WAIT\u{1}true\u{2}TAGS\u{1}paid\u{2}";
/// Messages that a busy broker finds in one wake-up.
const RUN: u64 = 32;
const BACKLOG: u64 = 50_000;

fn open(root: &Path, flush: FlushMode) -> (Store, Recovery) {
    Store::open(Arc::new(DiskFs), StoreSettings { flush, ..StoreSettings::new(root) }, WALL_MS).unwrap()
}

fn asynchronous() -> FlushMode {
    FlushMode::Async { interval_ms: 500 }
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Appends messages of 1 KiB, writes them, and lets consumers see them if they may.
fn run(store: &mut Store, messages: u64) {
    let (body, host) = ([b'x'; 1024], ([127, 0, 0, 1], 10911).into());
    for _ in 0..messages {
        let record = NewRecord {
            topic: TOPIC,
            queue_id: 0,
            flag: 0,
            sys_flag: 0,
            born_timestamp: WALL_MS,
            born_host: host,
            store_host: host,
            reconsume_times: 0,
            prepared_transaction_offset: 0,
            body: &body,
            properties: PROPERTIES.as_bytes(),
        };
        store.append(&record, WALL_MS).unwrap();
    }
    store.write_run().unwrap();
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    for messages in [1, RUN] {
        group.throughput(Throughput::Elements(messages));
        let dir = dir();
        let (mut store, _) = open(dir.path(), asynchronous());
        group.bench_function(format!("{messages} a run"), |bencher| {
            bencher.iter(|| {
                run(&mut store, messages);
                store.release(u64::MAX).unwrap()
            });
        });
    }
    group.finish();
}

fn sync_flush(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sync_flush");
    for waiting in [1, 64] {
        group.throughput(Throughput::Elements(waiting));
        let dir = dir();
        let (mut store, _) = open(dir.path(), FlushMode::Sync);
        group.bench_function(format!("{waiting} waiting"), |bencher| {
            bencher.iter(|| {
                run(&mut store, waiting);
                let plan = store.plan_flush(WALL_MS).unwrap();
                let end = store.flushed(plan.run()).unwrap();
                store.release(end).unwrap()
            });
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(RUN));
    let dir = dir();
    let (mut store, _) = open(dir.path(), asynchronous());
    run(&mut store, BACKLOG);
    store.release(u64::MAX).unwrap();
    let mut offset = 0;
    group.bench_function("32 of a cached backlog", |bencher| {
        bencher.iter(|| {
            let request = ReadRequest::Fetch {
                topic: TOPIC.to_owned(),
                queue_id: 0,
                offset,
                max_messages: RUN as u32,
                max_bytes: 256 * 1024,
                filter: TagFilter::all().into(),
            };
            let Some(ReadOutcome::Fetched(fetched)) = store.plan_read(request).run_now().unwrap() else {
                return 0;
            };
            offset = fetched.next_offset % (BACKLOG as i64 - i64::from(RUN as u32));
            fetched.count
        });
    });
    group.finish();
}

/// What a start has to do after a crash: a new store's checkpoint covers nothing, so it reads the whole log.
fn recover(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recover");
    group.sample_size(10).throughput(Throughput::Elements(BACKLOG));
    let dir = dir();
    let crash = || {
        let (mut store, _) = open(dir.path(), asynchronous());
        if store.appended_end() == 0 {
            run(&mut store, BACKLOG);
        }
        std::fs::write(dir.path().join("checkpoint"), [0; 4096]).unwrap();
    };
    group.bench_function("50,000 messages that no checkpoint covers", |bencher| {
        bencher.iter_batched(crash, |()| open(dir.path(), asynchronous()), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, append, sync_flush, read, recover);
criterion_main!(benches);
