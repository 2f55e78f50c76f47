//! Requests that wait for a topic or group that the tables do not hold.
//!
//! Python is asked once a name. As long as requests wait for a name, later ones for it queue behind them even if the name has
//! turned up meanwhile: messages of one producer must not overtake each other.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::session::output::{ConnId, Missing, MissingKind};
use crate::wire::Command;

/// Requests parked for all names together, and names asked for.
const PARKED_TOTAL: usize = 10_000;
/// Bytes of their bodies and headers (the broker's limit on work not yet done).
const PARKED_BYTES: usize = 64 * 1024 * 1024;
/// So long after asking, the requests of a name are answered busy: Python does not get to it.
pub(super) const ASKED_LIMIT_MS: u64 = 60_000;

/// One waiting request.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) conn: ConnId,
    pub(super) command: Command,
    size: usize,
}

/// The requests of one name, oldest first. It may be empty: those that waited are gone, Python's answer is not here yet.
#[derive(Debug)]
struct Asked {
    requests: VecDeque<Parked>,
    deadline: u64,
}

/// All waiting requests, by the name they wait for.
#[derive(Debug, Default)]
pub(super) struct MissingNames {
    topics: HashMap<String, Asked>,
    groups: HashMap<String, Asked>,
    count: usize,
    bytes: usize,
}

impl MissingNames {
    /// Whether Python has been asked for this name and has not answered.
    pub(super) fn waits(&self, kind: MissingKind, name: &str) -> bool {
        let table = self.table(kind);
        !table.is_empty() && table.contains_key(name)
    }

    /// Parks a request; whether Python has to be asked. Without room the request comes back.
    pub(super) fn park(
        &mut self,
        missing: &Missing,
        conn: ConnId,
        mut command: Command,
        mono_ms: u64,
    ) -> Result<bool, Box<Command>> {
        let fields: usize = command.fields.iter().map(|(key, value)| key.len() + value.len()).sum();
        let size = command.body.len() + fields;
        let names = self.topics.len() + self.groups.len();
        if self.count.max(names) >= PARKED_TOTAL || self.bytes + size > PARKED_BYTES {
            return Err(Box::new(command));
        }
        self.count += 1;
        self.bytes += size;
        // The body is a slice of the buffer it was received into; what waits must not keep more than itself.
        command.body = Bytes::copy_from_slice(&command.body);
        let parked = Parked { conn, command, size };
        let table = self.table_mut(missing.kind());
        if let Some(asked) = table.get_mut(missing.name()) {
            asked.requests.push_back(parked);
            return Ok(false);
        }
        let asked = Asked { requests: VecDeque::from([parked]), deadline: mono_ms + ASKED_LIMIT_MS };
        table.insert(missing.name().to_owned(), asked);
        Ok(true)
    }

    /// Takes out all requests that wait for a name.
    pub(super) fn take(&mut self, kind: MissingKind, name: &str) -> VecDeque<Parked> {
        let Some(asked) = self.table_mut(kind).remove(name) else { return VecDeque::new() };
        self.count -= asked.requests.len();
        self.bytes -= asked.requests.iter().map(|parked| parked.size).sum::<usize>();
        asked.requests
    }

    /// Takes out all requests.
    pub(super) fn take_all(&mut self) -> VecDeque<Parked> {
        self.take_where(|_| true)
    }

    /// Takes out the requests of names that were asked for too long ago. The next request asks again.
    pub(super) fn expire(&mut self, mono_ms: u64) -> VecDeque<Parked> {
        self.take_where(|asked| asked.deadline <= mono_ms)
    }

    /// Drops the requests of a connection.
    pub(super) fn drop_connection(&mut self, conn: ConnId) {
        if self.count == 0 {
            return;
        }
        for asked in self.topics.values_mut().chain(self.groups.values_mut()) {
            asked.requests.retain(|parked| {
                if parked.conn == conn {
                    self.count -= 1;
                    self.bytes -= parked.size;
                }
                parked.conn != conn
            });
        }
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.topics.values().chain(self.groups.values()).map(|asked| asked.deadline).min()
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn take_where(&mut self, wanted: impl Fn(&Asked) -> bool) -> VecDeque<Parked> {
        let mut taken = VecDeque::new();
        for kind in [MissingKind::Topic, MissingKind::Group] {
            let table = self.table(kind).iter();
            let names: Vec<String> =
                table.filter(|(_, asked)| wanted(asked)).map(|(name, _)| name.clone()).collect();
            for name in names {
                taken.append(&mut self.take(kind, &name));
            }
        }
        taken
    }

    fn table(&self, kind: MissingKind) -> &HashMap<String, Asked> {
        match kind {
            MissingKind::Topic => &self.topics,
            MissingKind::Group => &self.groups,
        }
    }

    fn table_mut(&mut self, kind: MissingKind) -> &mut HashMap<String, Asked> {
        match kind {
            MissingKind::Topic => &mut self.topics,
            MissingKind::Group => &mut self.groups,
        }
    }
}
