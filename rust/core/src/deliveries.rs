//! The pulled and unfinished messages of one queue, as a consumer keeps them: what may be committed, how much more may be
//! pulled, and where each message is.
//!
//! * The lowest unfinished offset is what may be committed; nothing passes a message that was not acknowledged.
//! * A message goes through the states of [`State::after`]; an event that has no place in its state changes nothing.
//! * Once closed, nothing is handed out any more; messages in hands go on to their end.
//!
//! Unfinished messages count against the limits wherever they are: waiting, handed out, worked on, pausing after a failure.
//! That is the back-pressure: who does not acknowledge stops the pull.

use std::collections::VecDeque;

/// Where a pulled message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Pulled, not yet taken by the iteration.
    Waiting,
    /// Given to the user, who has not entered it, or left it by a cancellation.
    Handed,
    /// The user is at work on it.
    Entered,
    /// Failed; what becomes of it is being decided, or the broker asked to take it back.
    Returning,
    /// Failed, and not taken back: it is handed out again.
    Paused,
    /// Acknowledged, or given up, or the broker's again.
    Finished,
}

/// What happens to a pulled message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what each leads to")]
pub enum Event {
    HandOut,
    Enter,
    Acknowledge,
    Fail,
    /// Left by a cancellation: neither acknowledged nor failed.
    Leave,
    /// Nobody entered it, and nobody will: done all the same.
    Pass,
    /// This copy is done: the broker has the message again, or it is not tried again.
    GiveBack,
    /// The broker does not take it back.
    Keep,
    Resume,
}

/// How many states there are.
const STATES: usize = State::Finished as usize + 1;

impl State {
    /// The state that an event leads to; `None` where it has no place.
    pub fn after(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Paused, Event::Resume) => Some(Self::Waiting),
            (Self::Waiting, Event::HandOut) | (Self::Entered, Event::Leave) => Some(Self::Handed),
            (Self::Handed, Event::Enter) => Some(Self::Entered),
            (Self::Entered, Event::Fail) => Some(Self::Returning),
            (Self::Returning, Event::Keep) => Some(Self::Paused),
            (Self::Handed, Event::Pass)
            | (Self::Entered, Event::Acknowledge)
            | (Self::Returning, Event::GiveBack) => Some(Self::Finished),
            _ => None,
        }
    }
}

/// An event had no place in the state of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub struct OutOfPlace {
    /// Where the message is.
    pub state: State,
    /// What was to happen to it.
    pub event: Event,
}

impl OutOfPlace {
    fn reason(self) -> String {
        match self.state {
            State::Entered => "the message is being processed already".to_owned(),
            State::Returning => "the message failed and is being given back".to_owned(),
            State::Paused => "the message failed and will be delivered again".to_owned(),
            State::Finished => "the message is acknowledged already".to_owned(),
            state => format!("{:?} is not possible for a message that is {state:?}", self.event),
        }
    }
}

/// How much of one queue may be unfinished at a time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages above which nothing more is pulled.
    pub messages: usize,
    /// Bytes above which nothing more is pulled. One answer may go over.
    pub size: u64,
    /// Offsets from the lowest unfinished one on, above which nothing more is pulled: what is done behind one that hangs
    /// would all come again after a crash.
    pub span: u64,
}

/// What somebody may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// A pull of up to so many is worthwhile: see [`Deliveries::pull_size`].
    Room(usize),
    /// The user has none of the messages, and none is on its way back.
    NoneInHands,
    /// The user is inside of none of them, and none is on its way back.
    NoneInWork,
}

#[derive(Debug)]
struct Entry {
    offset: i64,
    size: u64,
    state: State,
}

/// The messages of one queue. They are known by numbers in the order of their coming, from 0 on.
#[derive(Debug)]
pub struct Deliveries {
    limits: Limits,
    next_offset: i64,
    /// From the lowest unfinished one on; those behind it that are finished stay until it is.
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: u64,
    size: u64,
    places: [usize; STATES],
    closed: bool,
}

impl Deliveries {
    /// None yet.
    pub fn new(limits: Limits) -> Self {
        let (entries, places) = (VecDeque::new(), [0; STATES]);
        Self { limits, next_offset: 0, entries, first: 0, size: 0, places, closed: false }
    }

    /// Where the next pull reads.
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// Everything below has been pulled, or is nothing for us.
    pub fn skip_to(&mut self, offset: i64) {
        self.next_offset = self.next_offset.max(offset);
    }

    /// The lowest unfinished offset; without one, where the next pull reads.
    pub fn lowest(&self) -> i64 {
        self.entries.front().map_or(self.next_offset, |entry| entry.offset)
    }

    /// Messages pulled and not finished.
    pub fn unfinished(&self) -> usize {
        self.places.iter().sum::<usize>() - self.at(State::Finished)
    }

    /// Messages that the user has, or that are on their way back.
    pub fn in_hands(&self) -> usize {
        self.at(State::Handed) + self.in_work()
    }

    /// Messages that the user is inside of, or that are on their way back.
    pub fn in_work(&self) -> usize {
        self.at(State::Entered) + self.at(State::Returning)
    }

    /// How many messages were handed out, at most, that come again from the offset `committed` on: they are in hands, or done
    /// behind one that is not, or done and not committed.
    pub fn count_repeated(&self, committed: i64) -> i64 {
        (self.in_hands() + self.at(State::Finished)) as i64 + self.lowest() - committed
    }

    /// How many messages may be pulled now.
    pub fn room(&self) -> usize {
        let span = self.next_offset.abs_diff(self.lowest());
        if self.size >= self.limits.size || span >= self.limits.span {
            return 0;
        }
        self.limits.messages.saturating_sub(self.unfinished())
    }

    /// How many messages to ask for now, at most `batch`; 0 means to wait until more are finished.
    ///
    /// While messages still wait for the iteration only larger pulls are worth a round trip; without that rule a slow
    /// consumer would ask for every single message that it has just made room for.
    pub fn pull_size(&self, batch: usize) -> usize {
        let room = self.room();
        let worthwhile = batch.min((self.limits.messages / 2).max(1));
        if room < worthwhile && self.at(State::Waiting) > 0 { 0 } else { room.min(batch) }
    }

    /// Whether there is no room because of messages that were handed out and never entered: only the user can help.
    pub fn is_stuck(&self) -> bool {
        let unfinished = self.unfinished();
        unfinished > 0 && self.room() == 0 && self.at(State::Handed) == unfinished
    }

    /// Whether nobody needs to wait for it.
    pub fn is_met(&self, awaited: Awaited) -> bool {
        match awaited {
            Awaited::Room(batch) => self.pull_size(batch) > 0,
            Awaited::NoneInHands => self.in_hands() == 0,
            Awaited::NoneInWork => self.in_work() == 0,
        }
    }

    /// Takes in a pulled message and returns its number; `None` if its offset is not above all earlier ones: a broker may
    /// begin its answer before the offset asked for.
    pub fn add(&mut self, offset: i64, size: u64) -> Option<u64> {
        if offset < self.next_offset {
            return None;
        }
        let number = self.first + self.entries.len() as u64;
        self.entries.push_back(Entry { offset, size, state: State::Waiting });
        self.places[State::Waiting as usize] += 1;
        self.size += size;
        self.next_offset = offset.saturating_add(1);
        Some(number)
    }

    /// Hands nothing out any more.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Gives a waiting message to the user; false once closed, and then it stays where it is.
    pub fn hand_out(&mut self, number: u64) -> Result<bool, OutOfPlace> {
        if self.closed {
            return Ok(false);
        }
        self.apply(number, Event::HandOut).map(|_| true)
    }

    /// Moves a message to its next state, which is returned.
    pub fn apply(&mut self, number: u64, event: Event) -> Result<State, OutOfPlace> {
        let state = self.state(number);
        let next = state.after(event).ok_or(OutOfPlace { state, event })?;
        let Some(entry) = self.index(number).and_then(|index| self.entries.get_mut(index)) else {
            return Err(OutOfPlace { state, event });
        };
        entry.state = next;
        self.places[state as usize] -= 1;
        self.places[next as usize] += 1;
        if next == State::Finished {
            self.size -= entry.size;
            self.forget_finished();
        }
        Ok(next)
    }

    /// Where a message is.
    pub fn state(&self, number: u64) -> State {
        let entry = self.index(number).and_then(|index| self.entries.get(index));
        entry.map_or(State::Finished, |entry| entry.state)
    }

    fn forget_finished(&mut self) {
        while self.entries.front().is_some_and(|entry| entry.state == State::Finished) {
            self.entries.pop_front();
            self.first += 1;
            self.places[State::Finished as usize] -= 1;
        }
    }

    fn index(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok())
    }

    fn at(&self, state: State) -> usize {
        self.places[state as usize]
    }
}

#[cfg(test)]
#[path = "deliveries_test.rs"]
mod tests;
