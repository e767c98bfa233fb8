//! Calls in made-up time: what is done, and when; and that whatever happens on the line, a call ends once.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

const RING: Duration = Duration::from_secs(30);

fn line() -> Line {
    Line::new(Settings { ring: RING })
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Plays what happens at which milliseconds, with ticks at each deadline in between; what was done, and when.
fn played(happened: &[(u64, Happened)]) -> Vec<(u64, Act)> {
    let (mut line, mut acts) = (line(), Vec::new());
    let mut rest = happened.iter().cloned().peekable();
    loop {
        let next = rest.peek().map(|(at, _)| ms(*at));
        let (at, happened) = match (line.deadline(), next) {
            (Some(deadline), next) if next.is_none_or(|next| deadline < next) => (deadline, Happened::Tick),
            (_, Some(at)) => (at, rest.next().expect("it was peeked at").1),
            (_, None) => return acts,
        };
        acts.extend(line.handle(at, happened).into_iter().map(|act| (at.as_millis() as u64, act)));
    }
}

/// An answer after three seconds of ringing, a short hello, and then these.
fn answered(then: &[(u64, Happened)]) -> Vec<(u64, Act)> {
    let hello = [(3_100, Happened::Sound(true)), (3_200, Happened::Sound(true))];
    let begin = [(50, Happened::Trying), (200, Happened::Ringing), (3_000, Happened::Answered)];
    played(&[&begin[..], &hello, then].concat())
}

#[test]
fn what_is_said_is_said_twice_and_then_it_was_heard() {
    let acts = answered(&[(10_000, Happened::Said), (17_000, Happened::Said)]);
    assert_eq!(
        acts,
        [(3_800, Act::Say(Prompt::Message)), (11_000, Act::Say(Prompt::Message)), (25_000, Act::End(Outcome::Heard)),]
    );
}

#[test]
fn keys_take_on_and_pass_on_at_any_time() {
    for (key, act, prompt, outcome) in
        [('1', Act::TakeOn, Prompt::Taken, Outcome::TakenOn), ('2', Act::PassOn, Prompt::Passed, Outcome::PassedOn)]
    {
        for at in [3_300, 5_000, 10_500, 12_000, 20_000] {
            let said = [(10_000, Happened::Said), (17_000, Happened::Said)];
            let mut events: Vec<_> = said.into_iter().filter(|(said, _)| *said < at).collect();
            events.push((at, Happened::Key(key)));
            // What is pressed after it means nothing.
            events.push((at + 50, Happened::Key('2')));
            events.push((at + 100, Happened::Settled(Settled::Done)));
            events.push((at + 3_000, Happened::Said));
            let acts = answered(&events);
            let end = [(at, act.clone()), (at + 100, Act::Say(prompt.clone())), (at + 3_000, Act::End(outcome))];
            assert_eq!(acts[acts.len() - 3..], end, "{key} at {at}");
        }
    }
}

#[test]
fn each_end_is_told_from_the_others() {
    let trying = (50, Happened::Trying);
    let cases = [
        (vec![], (5_000, Outcome::Dead)),
        (vec![(10, Happened::Lost)], (10, Outcome::Dead)),
        (vec![trying.clone()], (30_050, Outcome::NoAnswer)),
        (vec![trying.clone(), (900, Happened::Refused(486))], (900, Outcome::Busy)),
        (vec![trying.clone(), (900, Happened::Refused(603))], (900, Outcome::Declined)),
        (vec![trying.clone(), (900, Happened::Refused(480))], (900, Outcome::Unavailable)),
        (vec![trying.clone(), (900, Happened::Refused(404))], (900, Outcome::NoSuchNumber)),
        (vec![trying.clone(), (900, Happened::Refused(503))], (900, Outcome::Failed)),
        (vec![(60, Happened::Refused(403))], (60, Outcome::Login)),
        (vec![trying.clone(), (900, Happened::Needless(Needless::Ended))], (900, Outcome::Over)),
        (vec![trying.clone(), (900, Happened::Answered), (1_000, Happened::HungUp)], (1_000, Outcome::HungUp)),
    ];
    for (happened, (at, outcome)) in cases {
        assert_eq!(played(&happened), [(at, Act::End(outcome))], "{happened:?}");
    }
}

#[test]
fn a_mailbox_is_told_and_counts_as_not_reached() {
    let greeting = (30..100).map(|tenth| (tenth * 100 + 100, Happened::Sound(tenth % 9 != 0)));
    let mut events = vec![(50, Happened::Trying), (3_000, Happened::Answered)];
    events.extend(greeting.chain([(20_000, Happened::Said), (30_000, Happened::Said)]));
    let acts = played(&events);
    assert_eq!(acts.first(), Some(&(8_000, Act::Say(Prompt::Message))));
    assert_eq!(acts.last().map(|(_, act)| act), Some(&Act::End(Outcome::Machine)));
    // A person on a loud street presses a key.
    events.truncate(40);
    events.push((9_000, Happened::Key('1')));
    events.push((9_100, Happened::Settled(Settled::Done)));
    events.push((12_000, Happened::Said));
    assert_eq!(played(&events).last(), Some(&(12_000, Act::End(Outcome::TakenOn))));
}

#[test]
fn who_hears_it_while_it_ends_is_told_so() {
    let taken = Needless::TakenOn("Bình".into());
    let acts = answered(&[(6_000, Happened::Needless(taken)), (8_000, Happened::Said)]);
    let end = [(6_000, Act::Say(Prompt::TakenBy("Bình".into()))), (8_000, Act::End(Outcome::Over))];
    assert_eq!(acts[1..], end);
}

#[test]
fn a_daemon_that_does_not_answer_holds_no_line() {
    let acts = answered(&[(6_000, Happened::Key('1')), (13_000, Happened::Said)]);
    // They may try once more.
    let end = [(6_000, Act::TakeOn), (11_000, Act::Say(Prompt::Failed)), (21_000, Act::End(Outcome::Heard))];
    assert_eq!(acts[1..], end);
}

fn happened() -> impl Strategy<Value = Happened> {
    prop_oneof![
        Just(Happened::Trying),
        Just(Happened::Ringing),
        Just(Happened::Answered),
        (100_u16..700).prop_map(Happened::Refused),
        Just(Happened::HungUp),
        Just(Happened::Lost),
        prop::sample::select(vec!['0', '1', '2', '9', '#']).prop_map(Happened::Key),
        any::<bool>().prop_map(Happened::Sound),
        Just(Happened::Said),
        prop::sample::select(vec![Settled::Done, Settled::Over, Settled::NoNext, Settled::Failed])
            .prop_map(Happened::Settled),
        Just(Happened::Needless(Needless::Ended)),
        Just(Happened::Tick),
    ]
}

proptest! {
    /// Whatever happens on the line: a call ends once, in bounded time, does one thing for one key, and says that it was
    /// heard only if it was said from beginning to end.
    #[test]
    fn each_call_ends_once(steps in prop::collection::vec((0_u64..4_000, happened()), 0..60)) {
        let (mut line, mut at) = (line(), Duration::ZERO);
        let (mut ends, mut wishes, mut saying, mut said, mut answered) = (0, 0, false, false, false);
        let mut steps = steps.into_iter();
        for _ in 0..400 {
            let (now, event) = match (steps.next(), line.deadline()) {
                (Some((wait, event)), _) => (at + ms(wait), event),
                (None, Some(deadline)) => (deadline.max(at), Happened::Tick),
                (None, None) => break,
            };
            at = now;
            answered |= event == Happened::Answered;
            let was_key = matches!(event, Happened::Key(_));
            said |= event == Happened::Said && saying;
            for act in line.handle(at, event) {
                prop_assert_eq!(ends, 0, "something follows the end");
                match act {
                    Act::Say(prompt) => {
                        prop_assert!(answered);
                        saying = prompt == Prompt::Message;
                    }
                    Act::TakeOn | Act::PassOn => {
                        prop_assert!(was_key, "a key for each wish");
                        wishes += 1;
                    }
                    Act::End(outcome) => {
                        ends += 1;
                        let wished = wishes > 0;
                        prop_assert!(outcome != Outcome::Heard || said || wished);
                        prop_assert!(!matches!(outcome, Outcome::TakenOn | Outcome::PassedOn) || wished);
                    }
                }
            }
        }
        prop_assert_eq!(ends, 1);
    }
}
