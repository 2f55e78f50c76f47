use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Awaited, Deliveries, Event, Limits, OutOfPlace, State};

const STATES: [State; 6] =
    [State::Waiting, State::Handed, State::Entered, State::Returning, State::Paused, State::Finished];
const EVENTS: [Event; 9] = [
    Event::HandOut,
    Event::Enter,
    Event::Acknowledge,
    Event::Fail,
    Event::Leave,
    Event::Pass,
    Event::GiveBack,
    Event::Keep,
    Event::Resume,
];
/// What brings a message that waits to each state.
const WAYS: [&[Event]; 6] = [
    &[],
    &[Event::HandOut],
    &[Event::HandOut, Event::Enter],
    &[Event::HandOut, Event::Enter, Event::Fail],
    &[Event::HandOut, Event::Enter, Event::Fail, Event::Keep],
    &[Event::HandOut, Event::Enter, Event::Acknowledge],
];

fn started(messages: usize, size: u64, span: u64) -> Deliveries {
    let mut queue = Deliveries::new(Limits { messages, size, span });
    queue.skip_to(10);
    queue
}

fn add(queue: &mut Deliveries, offset: i64) -> u64 {
    queue.add(offset, 1).expect("offsets ascend")
}

fn bring(queue: &mut Deliveries, number: u64, state: State) {
    for event in WAYS[state as usize] {
        queue.apply(number, *event).expect("the way leads there");
    }
    assert_eq!(queue.state(number), state);
}

fn finish(queue: &mut Deliveries, number: u64) {
    bring(queue, number, State::Finished);
}

#[test]
fn the_lowest_unfinished_offset_is_the_one_to_commit() {
    let mut queue = started(4, 1000, 100);
    let [first, second, third] = [10, 11, 12].map(|offset| add(&mut queue, offset));
    assert_eq!((queue.lowest(), queue.next_offset()), (10, 13));
    finish(&mut queue, second);
    assert_eq!(queue.lowest(), 10);
    finish(&mut queue, first);
    assert_eq!(queue.lowest(), 12);
    finish(&mut queue, third);
    assert_eq!((queue.lowest(), queue.unfinished()), (13, 0));
}

#[test]
fn what_is_filtered_out_counts_as_finished() {
    let mut queue = started(4, 1000, 100);
    let only = add(&mut queue, 12);
    queue.skip_to(20);
    assert_eq!((queue.lowest(), queue.next_offset()), (12, 20));
    finish(&mut queue, only);
    queue.skip_to(15);
    assert_eq!((queue.lowest(), queue.next_offset()), (20, 20));
}

#[test]
fn what_comes_again_before_the_offset_asked_for_is_left_out() {
    let mut queue = started(4, 1000, 100);
    assert_eq!(queue.add(9, 1), None);
    add(&mut queue, 10);
    assert_eq!((queue.add(10, 1), queue.unfinished()), (None, 1));
}

#[test]
fn messages_bytes_and_span_take_room() {
    let mut queue = started(2, 100, 100);
    let big = queue.add(10, 150).expect("above");
    assert_eq!(queue.room(), 0);
    finish(&mut queue, big);
    add(&mut queue, 11);
    assert_eq!(queue.room(), 1);
    let mut queue = started(10, 100, 6);
    let hangs = add(&mut queue, 10);
    for offset in 11..16 {
        let done = add(&mut queue, offset);
        finish(&mut queue, done);
    }
    assert_eq!((queue.unfinished(), queue.room()), (1, 0));
    finish(&mut queue, hangs);
    assert_eq!(queue.room(), 10);
}

#[test]
fn small_pulls_only_when_nothing_waits() {
    let mut queue = started(4, 1000, 100);
    assert_eq!(queue.pull_size(32), 4);
    let pulled = [10, 11, 12, 13].map(|offset| add(&mut queue, offset));
    assert_eq!(queue.pull_size(32), 0);
    finish(&mut queue, pulled[0]);
    assert_eq!((queue.pull_size(32), queue.is_met(Awaited::Room(32))), (0, false));
    finish(&mut queue, pulled[1]);
    assert_eq!((queue.pull_size(32), queue.is_met(Awaited::Room(32))), (2, true));
    let last = add(&mut queue, 14);
    for number in [pulled[2], pulled[3]] {
        bring(&mut queue, number, State::Handed);
    }
    assert_eq!(queue.pull_size(32), 0);
    bring(&mut queue, last, State::Handed);
    assert_eq!(queue.pull_size(32), 1);
    assert_eq!(started(100, 1000, 100).pull_size(32), 32);
    assert_eq!(started(1, 1000, 100).pull_size(32), 1);
}

#[test]
fn stuck_means_all_handed_out_and_none_entered() {
    let mut queue = started(2, 1000, 100);
    let numbers = [10, 11].map(|offset| add(&mut queue, offset));
    bring(&mut queue, numbers[0], State::Handed);
    assert!(!queue.is_stuck());
    bring(&mut queue, numbers[1], State::Handed);
    assert!(queue.is_stuck());
    queue.apply(numbers[0], Event::Enter).expect("handed");
    assert!(!queue.is_stuck());
    queue.apply(numbers[0], Event::Leave).expect("entered");
    assert!(queue.is_stuck());
    assert_eq!(queue.lowest(), 10);
}

#[test]
fn a_closed_queue_hands_nothing_out_and_takes_late_acknowledgements() {
    let mut queue = started(4, 1000, 100);
    let [entered, waiting] = [10, 11].map(|offset| add(&mut queue, offset));
    bring(&mut queue, entered, State::Entered);
    queue.close();
    assert_eq!(queue.hand_out(waiting), Ok(false));
    assert_eq!(queue.apply(entered, Event::Acknowledge), Ok(State::Finished));
    assert_eq!((queue.in_hands(), queue.lowest(), queue.state(waiting)), (0, 11, State::Waiting));
}

#[test]
fn what_comes_again_is_in_hands_or_done_behind_that_or_not_committed() {
    let mut queue = started(10, 1000, 100);
    let numbers = [10, 11, 12, 13, 14].map(|offset| add(&mut queue, offset));
    for (number, state) in numbers.into_iter().zip([STATES[5], STATES[1], STATES[5], STATES[4]]) {
        bring(&mut queue, number, state);
    }
    assert_eq!((queue.count_repeated(11), queue.count_repeated(10)), (2, 3));
}

#[test]
fn what_failed_is_in_work_until_it_is_given_back_or_kept() {
    let mut queue = started(10, 1000, 100);
    let [back, kept] = [10, 11].map(|offset| add(&mut queue, offset));
    for number in [back, kept] {
        bring(&mut queue, number, State::Returning);
    }
    assert_eq!((queue.in_work(), queue.is_met(Awaited::NoneInWork)), (2, false));
    queue.apply(back, Event::GiveBack).expect("returning");
    queue.apply(kept, Event::Keep).expect("returning");
    assert_eq!((queue.in_work(), queue.is_met(Awaited::NoneInWork), queue.lowest()), (0, true, 11));
    assert!(queue.is_met(Awaited::NoneInHands));
}

#[test]
fn every_event_moves_as_the_table_says_or_changes_nothing() {
    for state in STATES {
        for event in EVENTS {
            let mut queue = started(4, 1000, 100);
            let [number, _behind] = [10, 11].map(|offset| add(&mut queue, offset));
            bring(&mut queue, number, state);
            let before = format!("{queue:?}");
            if let Some(next) = state.after(event) {
                assert_eq!(queue.apply(number, event), Ok(next));
                assert_eq!(queue.state(number), next);
            } else {
                assert_eq!(queue.apply(number, event), Err(OutOfPlace { state, event }));
                assert_eq!(format!("{queue:?}"), before);
            }
        }
    }
}

#[test]
fn a_misuse_is_told_in_words() {
    let text = |state| OutOfPlace { state, event: Event::Enter }.to_string();
    assert_eq!(text(State::Entered), "the message is being processed already");
    assert_eq!(text(State::Finished), "the message is acknowledged already");
    assert_eq!(text(State::Waiting), "Enter is not possible for a message that is Waiting");
}

/// The same in the simplest way: a table of all messages.
#[derive(Debug, Default)]
struct Model(BTreeMap<i64, (u64, u64, State)>);

impl Model {
    fn unfinished(&self) -> impl Iterator<Item = (&i64, &(u64, u64, State))> {
        self.0.iter().filter(|(_, (_, _, state))| *state != State::Finished)
    }

    fn count(&self, states: &[State]) -> usize {
        self.0.values().filter(|(_, _, state)| states.contains(state)).count()
    }
}

proptest! {
    #[test]
    fn any_order_of_events_leaves_what_a_table_would(
        steps in prop::collection::vec((0..12_usize, 0..40_usize, 1..4_i64), 1..200),
    ) {
        let limits = Limits { messages: 8, size: 40, span: 30 };
        let mut queue = Deliveries::new(limits);
        let mut model = Model::default();
        let mut next = 0;
        for (step, which, gap) in steps {
            if step >= EVENTS.len() {
                let (offset, size) = (next + gap - 1, gap as u64);
                let number = queue.add(offset, size).expect("above");
                model.0.insert(offset, (number, size, State::Waiting));
                next = offset + 1;
            } else if let Some((number, _, state)) = model.0.values_mut().rev().nth(which) {
                let result = queue.apply(*number, EVENTS[step]);
                prop_assert_eq!(result.ok(), state.after(EVENTS[step]));
                *state = result.unwrap_or(*state);
            }
            let lowest = model.unfinished().next().map_or(next, |(offset, _)| *offset);
            let size: u64 = model.unfinished().map(|(_, (_, size, _))| size).sum();
            let unfinished = model.unfinished().count();
            let room = if size >= limits.size || (next - lowest) as u64 >= limits.span {
                0
            } else {
                limits.messages.saturating_sub(unfinished)
            };
            let in_work = model.count(&[State::Entered, State::Returning]);
            let in_hands = in_work + model.count(&[State::Handed]);
            let behind = model.0.range(lowest..).filter(|(_, each)| each.2 == State::Finished).count();
            prop_assert_eq!((queue.lowest(), queue.next_offset()), (lowest, next));
            prop_assert_eq!((queue.unfinished(), queue.room()), (unfinished, room));
            prop_assert_eq!((queue.in_work(), queue.in_hands()), (in_work, in_hands));
            prop_assert_eq!(queue.count_repeated(0), (in_hands + behind) as i64 + lowest);
        }
    }
}
