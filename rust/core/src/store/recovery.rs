//! From files that somebody left to a log whose end is known and queues that agree with it.
//!
//! 1. A start is chosen (`recovery_start`): all queues are right about what the log has before it.
//! 2. Queue entries of records behind the start are dropped, and the log is read from there: each whole record gets
//!    its entry anew. The first that is not whole ends the log. If a queue misses entries that must have been there
//!    before the start, all of the log is read.
//!    Queues that are gone though they had been there (`known_queues`) are made again from all of the log; so are those
//!    whose extensions are gone.
//! 3. What is behind the end is removed and zeroed, in the log as in the queues. Nothing of it can come back.
//!
//! What lies behind the end is a torn tail, unless it had been durable (`tail`): then the log is damaged, and nothing of it is cut.
//! The bytes of a torn tail are kept in `ROOT/lite-cut`, since only people can say that nobody misses them.
//!
//! All of it can be interrupted and repeated: it only drops and makes again what comes from the log, and the checkpoint
//! is taken back first where the next start has to go as far back as this one.

use std::path::PathBuf;
use std::sync::Arc;

use super::{
    checkpoint::{Checkpoint, CheckpointFile, Position},
    commit_log::CommitLog,
    cut_bytes::CutBytes,
    dispatch::tags_code,
    error::StoreError,
    log_scan::{Flaw, LogScan, Scanned},
    marks::Marks,
    queue_entry::QueueEntry,
    queues::Queues,
    recovery_start,
    segments::Segments,
    tail::Tail,
};
use crate::record::{Message, sys_flag};

/// Records between two writes of the queues.
const WRITE_EVERY: u64 = 16 * 1024;

/// What opening a store found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Whether the store had been closed properly.
    pub clean: bool,
    /// The log position from which records were read and checked.
    pub scanned_from: u64,
    /// The end of the log.
    pub end: u64,
    /// Records read and checked.
    pub records: u64,
    /// Of these, records that can never be delivered: their body is whole, but what is around it makes no sense.
    pub unreadable: u64,
    /// Consume queue entries made, again or for the first time.
    pub redispatched: u64,
    /// Queues whose directories alone were gone. They were made again from what the log has.
    pub lost_queues: Vec<(Arc<str>, i32)>,
    /// Queues whose extensions were gone, or not those of their messages. They were made again with all of their entries.
    pub lost_units: Vec<(Arc<str>, i32)>,
    /// Bytes behind the end that were no whole record, and were cut off.
    pub cut_bytes: u64,
    /// The file that these bytes are kept in; others are beside it, if they did not lie in a row.
    pub cut_to: Option<PathBuf>,
    /// Index files that could not be believed. What they knew is indexed again, in the background.
    pub index_files_removed: u64,
}

/// What the store goes on with.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) report: Recovery,
    /// The last record that has its queue entry.
    pub(super) reached: Position,
    /// The store time of the last record.
    pub(super) timestamp: i64,
}

/// What recovery goes by.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) file: &'a CheckpointFile,
    pub(super) checkpoint: &'a mut Checkpoint,
    pub(super) marks: Option<Marks>,
    pub(super) clean: bool,
    /// Queues that had been there and have no files.
    pub(super) lost: Vec<(Arc<str>, i32)>,
}

/// Recovers log and queues.
pub(super) fn recover(
    log: &mut CommitLog,
    queues: &mut Queues,
    evidence: Evidence<'_>,
    keep: &CutBytes,
) -> Result<Recovered, StoreError> {
    let Evidence { file, checkpoint, marks, clean, lost } = evidence;
    let start = recovery_start::choose(log, queues, checkpoint, clean)?;
    let mut from = start.from;
    let missing = [&*lost, &*start.lost_units].concat();
    if !start.is_trusted || !missing.is_empty() {
        forget_queues(file, checkpoint)?;
    }
    for (queue, kept) in queues.iter_mut().zip(start.kept) {
        queue.entries.cut(kept.entries, kept.units_end)?;
    }
    let remade = remake(log, queues, &missing, from)?;
    let mut pass = redispatch(log, queues, from)?;
    if pass.has_gap {
        forget_queues(file, checkpoint)?;
        from = log.start();
        pass = redispatch(log, queues, from)?;
    }
    refuse_damage(log, &pass, marks, checkpoint)?;
    let (cut_bytes, cut_to) = cut(log, pass.end, keep)?;
    settle_queues(queues, log.start())?;
    let report = Recovery {
        clean,
        scanned_from: from,
        end: pass.end,
        records: pass.records,
        unreadable: pass.unreadable,
        redispatched: pass.redispatched + remade,
        lost_queues: lost,
        lost_units: start.lost_units,
        cut_bytes,
        cut_to,
        index_files_removed: 0,
    };
    let timestamp = pass.timestamp.unwrap_or(checkpoint.physic_timestamp);
    Ok(Recovered { report, reached: pass.reached.unwrap_or(checkpoint.dispatched()), timestamp })
}

/// Gives lost queues the entries of what the log has before the position that all other queues are right up to.
fn remake(
    log: &CommitLog,
    queues: &mut Queues,
    lost: &[(Arc<str>, i32)],
    upto: u64,
) -> Result<u64, StoreError> {
    let mut scan = LogScan::new(log.segments().clone(), log.start());
    let (mut records, mut made) = (0_u64, 0);
    while !lost.is_empty() && scan.position() < upto {
        let Some(found) = scan.next()? else { break };
        records += 1;
        if let Scanned::Message(message) = found
            && lost.iter().any(|(topic, id)| (&**topic, *id) == (message.topic, message.queue_id))
            && matches!(index(log, queues, log.start(), &message)?, Indexed::Yes)
        {
            made += 1;
        }
        if records.is_multiple_of(WRITE_EVERY) {
            queues.write_pending()?;
        }
    }
    queues.write_pending()?;
    Ok(made)
}

/// Queues are about to be made again from further back than the checkpoint says. Until that is done it must not say so,
/// or a second crash in between would leave them as they are then.
fn forget_queues(file: &CheckpointFile, checkpoint: &mut Checkpoint) -> Result<(), StoreError> {
    checkpoint.set_dispatched(Position::default());
    file.write(checkpoint, true)
}

/// What a walk over the log has come to.
#[derive(Debug, Default)]
struct Pass {
    end: u64,
    records: u64,
    unreadable: u64,
    redispatched: u64,
    reached: Option<Position>,
    timestamp: Option<i64>,
    has_gap: bool,
    // What is wrong with what lies at the end.
    flaw: Option<Flaw>,
}

/// Reads the log from a position on and gives the queues what they do not have.
///
/// In a pass over all of the log a queue that misses offsets has none for them; in one over a part of it the pass
/// ends there.
fn redispatch(log: &CommitLog, queues: &mut Queues, from: u64) -> Result<Pass, StoreError> {
    let mut scan = LogScan::new(log.segments().clone(), from);
    let mut pass = Pass::default();
    while let Some(found) = scan.next()? {
        pass.records += 1;
        match found {
            Scanned::Unreadable => pass.unreadable += 1,
            Scanned::Message(message) => {
                pass.timestamp = Some(message.store_timestamp);
                match index(log, queues, from, &message)? {
                    Indexed::Yes => pass.redispatched += 1,
                    Indexed::Before | Indexed::Not => {}
                    Indexed::Never => pass.unreadable += 1,
                    Indexed::Gap => return Ok(Pass { has_gap: true, ..pass }),
                }
                pass.reached = Some(Position {
                    physical: message.physical_offset,
                    store_timestamp: message.store_timestamp,
                });
            }
        }
        if pass.records.is_multiple_of(WRITE_EVERY) {
            queues.write_pending()?;
        }
    }
    pass.end = scan.position();
    pass.flaw = scan.flaw();
    queues.write_pending()?;
    Ok(pass)
}

/// Fails if the whole records end before what had been durable.
fn refuse_damage(
    log: &CommitLog,
    pass: &Pass,
    marks: Option<Marks>,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    let tail = Tail::new(log.segments(), log.strays(), pass.end);
    if !tail.is_damage(marks, Some(*checkpoint))? {
        return Ok(());
    }
    let (at, Flaw { what, expected, found }) = tail.flaw(pass.flaw, marks);
    let path = at.map_or_else(|| log.places().first().to_owned(), |segment| segment.path().to_owned());
    Err(StoreError::Damaged { path, offset: pass.end, what, expected, found })
}

/// What became of a record on its way to its queue.
enum Indexed {
    /// It has its entry now.
    Yes,
    /// It had its entry.
    Before,
    /// Its kind has none.
    Not,
    /// Its queue cannot exist, or its offset cannot be right: no checksum covers these.
    Never,
    /// Entries before it are missing, and the log before the start may have them.
    Gap,
}

fn index(
    log: &CommitLog,
    queues: &mut Queues,
    from: u64,
    message: &Message<'_>,
) -> Result<Indexed, StoreError> {
    if !sys_flag::takes_queue_offset(message.sys_flag) {
        return Ok(Indexed::Not);
    }
    let tags_code = tags_code(queues.delays(), message.topic, message.properties, message.store_timestamp);
    let id = match queues.find_or_add(message.topic, message.queue_id) {
        Err(StoreError::BadTopic { .. } | StoreError::BadQueue { .. }) => return Ok(Indexed::Never),
        id => id?,
    };
    queues.note_pending(id);
    let Some(queue) = queues.get_mut(id).map(|queue| &mut queue.entries) else { return Ok(Indexed::Never) };
    let entry =
        QueueEntry { physical: message.physical_offset as u64, size: message.total_size as u32, tags_code };
    let (at, next) = (message.queue_offset as u64, queue.next());
    // Its first file may be gone, if the power went before that had been durable.
    let lost_its_front = at < next && next == queue.min();
    if (at > next || lost_its_front) && from > log.start() {
        return Ok(Indexed::Gap);
    }
    if at > next {
        queue.forget_removed(log.start());
    }
    // The first record that is left of a queue may have any offset, but only if some were removed.
    let begins_late = next == queue.min() && log.start() > 0;
    if at > next && !begins_late && !queue.bridge(at, entry.physical) {
        return Ok(Indexed::Never);
    }
    Ok(if queue.put(at, &entry, message.store_timestamp)? { Indexed::Yes } else { Indexed::Before })
}

/// The bounds of each queue, and the offsets that come next.
fn settle_queues(queues: &mut Queues, log_start: u64) -> Result<(), StoreError> {
    for queue in queues.iter_mut() {
        queue.entries.correct_min(log_start)?;
        queue.next = queue.entries.max() as i64;
    }
    queues.note_unsynced();
    Ok(())
}

/// Cuts the log, and keeps what was behind its new end: how many bytes, and in which file.
pub(super) fn cut(
    log: &mut CommitLog,
    end: u64,
    keep: &CutBytes,
) -> Result<(u64, Option<PathBuf>), StoreError> {
    let mut bytes = log.data_behind(end)?;
    let mut kept_in = if bytes > 0 { Some(keep.save(log.segments(), end, bytes)?) } else { None };
    for stray in log.strays() {
        let stray_bytes = Segments::only(stray).data_behind(stray.base())?;
        if stray_bytes > 0 {
            let path = keep.save(&Segments::only(stray), stray.base(), stray_bytes)?;
            kept_in.get_or_insert(path);
        }
        bytes = bytes.saturating_add(stray_bytes);
    }
    log.cut(end)?;
    if bytes > 0 {
        sync_cut(log, end)?;
    }
    Ok((bytes, kept_in))
}

/// A cut has to be durable before anything is appended behind it.
fn sync_cut(log: &mut CommitLog, end: u64) -> Result<(), StoreError> {
    for segment in log.segments().covering(end, end.saturating_add(1)) {
        segment.file().sync_data().map_err(StoreError::io("sync", segment.path()))?;
    }
    log.sync_names()
}
