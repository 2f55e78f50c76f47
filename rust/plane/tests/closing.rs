//! The end of a reactor: in order, too late, by nobody, and by a panic.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use crossbeam_channel::bounded;
use rocketmq_lite_core::session::{Control, Value};
use rocketmq_lite_core::store::{FileSystem, FlushMode, MemFs, Store, StoreError, StoreSettings};
use rocketmq_lite_core::wire::codes::request::{PULL_MESSAGE, SEND_MESSAGE};
use rocketmq_lite_core::wire::codes::response::SUCCESS;
use rocketmq_lite_plane::{Clock, CloseError, Closed, Event, ListenError};

use support::hook_fs::HookFs;
use support::{PATIENCE, Server, Wish, eventually, open_store, pull_fields, send_fields};

const PULL_NOT_FOUND: i32 = 19;

#[test]
fn closing_answers_held_pulls_and_closes_every_connection() {
    let server = Server::start();
    let mut holding = server.client();
    let mut idle: Vec<_> = (0..20).map(|_| server.client()).collect();
    holding.send(1, b"so that it is known to be connected");
    holding.write(PULL_MESSAGE, &pull_fields("0", "32", "15000"), b"");
    let mut producer = server.client();
    // The answer shows that what was written to the loop before is held by now.
    assert_eq!(producer.send(2, b"x").code, SUCCESS);
    assert_eq!(server.reactor.close(PATIENCE), Ok(()));
    assert_eq!(holding.read().expect("an answer").code, PULL_NOT_FOUND);
    for client in idle.iter_mut().chain([&mut holding, &mut producer]) {
        assert!(client.read().is_none());
    }
    assert_eq!(server.reactor.close(PATIENCE), Ok(()), "a second time changes nothing");
    assert_eq!(server.reactor.submit(1, Control::Statistics), Err(Closed));
    assert!(matches!(server.reactor.listen(server.address), Err(ListenError::Closed(Closed))));
    let settings = StoreSettings { segment_size: 64 * 1024 * 1024, ..StoreSettings::new("/store") };
    let (_, recovery) = Store::open(server.files, settings, Clock::wall_ms()).expect("the lock is free");
    assert!(recovery.clean);
}

#[test]
fn a_stop_by_python_is_not_asked_for_twice() {
    let mut server = Server::start();
    let mut client = server.client();
    client.send(0, b"x");
    server.reactor.submit(5, Control::Stop).expect("it runs");
    let value = server.wait_event(|event| match event {
        Event::Done(5, value) => Some(value),
        _ => None,
    });
    assert_eq!(value, Value::Unit);
    server.close();
    assert!(client.read().is_none());
}

/// A disk whose syncs wait until the test lets go of the sender.
fn stuck_disk() -> (HookFs, crossbeam_channel::Sender<()>) {
    let (release, wait) = bounded::<()>(0);
    let hook = move || {
        if std::thread::current().name() == Some("rmq-flush") {
            let _ = wait.recv();
        }
    };
    (HookFs::on_sync(hook), release)
}

#[test]
fn who_does_not_finish_in_time_says_so() {
    let (files, release) = stuck_disk();
    let server = Server::with(Wish { files: Arc::new(files), flush: FlushMode::Sync, ..Wish::default() });
    let mut client = server.client();
    client.write(SEND_MESSAGE, &send_fields("0"), b"never on disk");
    eventually("the send arrived", || server.reactor.statistics().bytes_received > 0);
    let closed = server.reactor.close(Duration::from_millis(50));
    assert_eq!(closed, Err(CloseError::TimedOut { timeout_ms: 50 }));
    drop(release);
}

#[test]
fn a_handle_that_is_dropped_lets_go_of_the_store() {
    let files: Arc<dyn FileSystem> = Arc::new(MemFs::new());
    let server = Server::with(Wish { files: Arc::clone(&files), ..Wish::default() });
    let mut client = server.client();
    client.send(0, b"x");
    drop(server);
    assert!(client.read().is_none());
    eventually("the lock is free", || {
        let settings = StoreSettings { segment_size: 64 * 1024 * 1024, ..StoreSettings::new("/store") };
        match Store::open(Arc::clone(&files), settings, Clock::wall_ms()) {
            Ok((_, recovery)) => {
                assert!(!recovery.clean && recovery.records == 1);
                true
            }
            Err(StoreError::Locked { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    });
}

/// Panics of ours, wherever they happen: sockets are closed, the failure is told, the store is let go of unclosed.
fn dies_of(files: HookFs, flush: FlushMode, thread: &str) {
    let files: Arc<dyn FileSystem> = Arc::new(files);
    let mut server = Server::with(Wish { files: Arc::clone(&files), flush, ..Wish::default() });
    let (mut idle, mut client) = (server.client(), server.client());
    client.write(SEND_MESSAGE, &send_fields("0"), b"x");
    let failure = server.wait_event(|event| match event {
        Event::Failed(failure) => Some(failure),
        _ => None,
    });
    assert_eq!((failure.thread.as_str(), failure.reason.as_str()), (thread, "a bug of ours"));
    assert!(client.read().is_none() && idle.read().is_none());
    assert_eq!(server.reactor.submit(1, Control::Statistics), Err(Closed));
    assert_eq!(server.reactor.close(PATIENCE), Err(CloseError::Failed(failure)));
    drop(open_store(&files, flush));
}

#[test]
fn a_panic_of_the_reactor_is_contained() {
    let armed = Arc::new(AtomicBool::new(true));
    let disk = {
        let armed = Arc::clone(&armed);
        HookFs::on_write(move || {
            let ours = std::thread::current().name() == Some("rmq-reactor");
            assert!(!(ours && armed.swap(false, SeqCst)), "a bug of ours");
        })
    };
    dies_of(disk, FlushMode::Async { interval_ms: 500 }, "rmq-reactor");
}

#[test]
fn a_test_may_have_the_reactor_panic() {
    let server = Server::start();
    server.reactor.panic().unwrap();
    let Err(CloseError::Failed(failure)) = server.reactor.close(Duration::from_secs(10)) else { panic!() };
    assert_eq!((failure.thread.as_str(), failure.reason.as_str()), ("rmq-reactor", "asked for by a test"));
}

#[test]
fn a_panic_of_the_flush_thread_is_contained() {
    let disk = HookFs::on_sync(|| {
        assert!(std::thread::current().name() != Some("rmq-flush"), "a bug of ours");
    });
    dies_of(disk, FlushMode::Sync, "rmq-flush");
}
