//! The engine's counters, frozen at one moment.

/// What the engine has done and what it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages stored (their producer was answered 0 or 10, or is not answered at all).
    pub messages_in: u64,
    /// Bytes of the records stored.
    pub bytes_in: u64,
    /// Messages given to consumers.
    pub messages_out: u64,
    /// Bytes of the records given to consumers.
    pub bytes_out: u64,
    /// Send requests received.
    pub sends: u64,
    /// Send requests refused, for whatever reason.
    pub sends_refused: u64,
    /// Of these, those that had waited too long here.
    pub sends_late: u64,
    /// Of these, those that came while too much was not on disk.
    pub sends_dirty: u64,
    /// Pull requests received.
    pub pulls: u64,
    /// Of their reads, those that found no message: before a pull was held, or when it was answered without one.
    pub pulls_missed: u64,
    /// Milliseconds that the slowest send took until its answer was made.
    pub put_max_ms: u64,
    /// Milliseconds that the slowest pull took, from the beginning of its reading until its answer was made; being held does
    /// not count.
    pub get_max_ms: u64,
    /// Pulls held now.
    pub held: usize,
    /// Requests that wait for a topic or group now.
    pub parked: usize,
    /// Cold requests not answered yet.
    pub cold_waiting: usize,
    /// Cold commands given to Python.
    pub cold_commands: u64,
    /// Requests answered `[OVERLOAD]`, and one-way ones dropped for the same reason.
    pub overloaded: u64,
    /// Reads that wait for the disk now.
    pub reads_waiting: usize,
    /// Sends that wait for a flush now.
    pub flush_waiting: usize,
    /// Bytes received and not processed: beginnings of frames, and requests of connections that have to wait.
    pub backlog: usize,
    /// Connections open now.
    pub connections: usize,
    /// Connections accepted.
    pub connections_total: u64,
    /// Append runs written.
    pub runs: u64,
    /// Records of the largest run.
    pub largest_run: usize,
    /// Flushes finished.
    pub flushes: u64,
    /// Consumer offsets committed; unchanged means the offset table is.
    pub offset_commits: u64,
    /// Log lines dropped because there were too many.
    pub logs_dropped: u64,
    /// Topics in the table.
    pub topics: usize,
    /// Consumer groups in the table.
    pub groups: usize,
    /// First commit log offset that is kept.
    pub log_start: u64,
    /// Next commit log offset to write.
    pub log_end: u64,
    /// Commit log offset up to which the disk has confirmed.
    pub flushed_end: u64,
    /// Commit log offset up to which messages are in their queues, where consumers see them.
    pub dispatched_end: u64,
    /// Commit log offset up to which messages are in the index by key; those behind it are found too, by reading the log.
    pub indexed_end: u64,
}
