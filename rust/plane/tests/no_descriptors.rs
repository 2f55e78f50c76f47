//! A process that has no descriptors left: `accept` fails, the loop does not spin, and those who waited are served later.
//!
//! In a file of its own: the limit is the process's, and tests of one file share a process.

mod support;

use std::fs::File;
use std::thread;
use std::time::Duration;

use rocketmq_lite_core::session::Cold;
use rocketmq_lite_core::wire::codes::response::SUCCESS;
use rocketmq_lite_plane::Event;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use support::{Server, eventually};

#[test]
fn want_of_descriptors_is_waited_out() {
    let server = Server::start();
    let mut first = server.client();
    assert_eq!(first.send(0, b"x").code, SUCCESS);
    let limit = Rlimit { current: Some(128), maximum: getrlimit(Resource::Nofile).maximum };
    setrlimit(Resource::Nofile, limit).expect("a lower limit");
    // Everything but one descriptor is used up; the client takes that one, so that the server finds none.
    let mut ballast: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(ballast.pop().is_some());
    let mut late = server.client();
    eventually("accept fails", || server.reactor.statistics().accept_failures > 0);
    let before = server.reactor.statistics().wakeups;
    thread::sleep(Duration::from_millis(500));
    let turns = server.reactor.statistics().wakeups - before;
    assert!((2..=20).contains(&turns), "{turns} turns in half a second");
    let events = server.reactor.take(1000);
    let is_complaint = |event: &&Event| matches!(event, Event::Cold(Cold::Log { text, .. }) if text.contains("no connection can be accepted"));
    assert_eq!(events.iter().filter(is_complaint).count(), 1, "once, not at each try");
    assert_eq!(first.send(0, b"who is in is served").code, SUCCESS);
    drop(ballast);
    assert_eq!(late.send(0, b"and who waited comes in").code, SUCCESS);
    server.close();
}
