//! The I/O around the core: sockets, clocks, flush and read threads. Knows the core, not Python.
//!
//! Two owners of the engine, in reading order:
//! - [`Pump`]: no thread, no socket; whoever holds it brings streams and time. Tests run on it.
//! - [`Reactor`]: one thread with an event loop over all sockets of a broker, one that flushes, two that read what the page
//!   cache does not hold. Production runs on it.
//!
//! Inside: `event_loop` is the thread, `connections` and `connection` its sockets, `unsent` what they have to write,
//! `listeners` and `listener` how they come, `opening` what their first bytes say, `tls` and `tls_session` what some speak;
//! `inbox` and `mailbox` are its two doors, `worker` its helpers, `guard` what happens on a panic.

mod clock;
mod connection;
mod connections;
mod counters;
mod event_loop;
mod guard;
mod inbox;
mod limits;
mod listener;
mod listeners;
mod mailbox;
mod opening;
mod pump;
mod reactor;
mod settings;
mod tls;
mod tls_session;
mod unsent;
mod wake;
mod worker;

pub use clock::Clock;
pub use counters::PlaneStatistics;
pub use guard::Failure;
pub use inbox::Closed;
pub use mailbox::Event;
pub use pump::{Action, Pump};
pub use reactor::{CloseError, ListenError, Reactor};
pub use settings::ReactorSettings;
pub use tls::{ClientAuth, Identity, Tls, TlsError, TlsMode, self_made};
pub use wake::WakeSocket;
