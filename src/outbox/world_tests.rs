//! The outbox against a world that goes wrong in every way: channels fail, refuse and vanish, the daemon dies, the clock
//! is set back. Rows are kept by a model that is as simple as can be, and looked over after each step.

use super::*;
use crate::model::{Behind, Head, IncidentId, Mark, Newest, Place, Reason, Refusal, Thread, later};
use jiff::Timestamp;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What alarms are made of.
const REASONS: [Reason; 8] = [
    Reason::CoverageLost,
    Reason::CoverageWorse,
    Reason::RootFound,
    Reason::Escalated,
    Reason::Acknowledged,
    Reason::Reminder,
    Reason::Merged,
    Reason::CoverageRestored,
];

/// Who may be told: with ways of their own, and with ways that they share.
const RECIPIENTS: [&[&str]; 5] = [&["zalo", "sms"], &["sms", "zalo", "mail"], &["mail"], &["sms"], &["zalo", "mail"]];
const CHANNELS: [&str; 3] = ["zalo", "sms", "mail"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Queued,
    Sent,
    Superseded,
    Abandoned,
}

#[derive(Debug, Clone)]
struct Row {
    id: i64,
    thread: Thread,
    recipient: Recipient,
    place: Place,
    due: Timestamp,
    reason: Reason,
    state: State,
    receipt: Option<String>,
}

/// What may happen.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// An incident has news for some of the recipients.
    News { incident: u8, reason: usize, to: u8 },
    /// Time passes.
    Pass(u16),
    /// What a channel carries ends.
    End { channel: usize, outcome: u8 },
    /// The configuration has these channels.
    Reload(u8),
    /// The daemon dies and starts anew.
    Crash,
    /// Its clock is set back by hours, upon which it starts anew.
    SetBack(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3u8, 0..REASONS.len(), 1..32u8).prop_map(|(incident, reason, to)| Act::News { incident, reason, to }),
        3 => (1..900u16).prop_map(Act::Pass),
        6 => (0..CHANNELS.len(), 0..6u8).prop_map(|(channel, outcome)| Act::End { channel, outcome }),
        1 => (0..8u8).prop_map(Act::Reload),
        1 => Just(Act::Crash),
        1 => (1..4u8).prop_map(Act::SetBack),
    ]
}

struct World {
    now: Timestamp,
    rows: Vec<Row>,
    known: BTreeSet<ChannelId>,
    in_flight: InFlight,
    sending: BTreeMap<ChannelId, Sending>,
    /// Rows that channels took, with why they were told.
    heard: Vec<(i64, Reason)>,
}

fn refusal(outcome: u8) -> Refusal {
    match outcome {
        0 => Refusal { permanent: true, ..Refusal::passing("gone") },
        1 => Refusal { wait: Some(Duration::from_secs(600)), ..Refusal::passing("429") },
        _ => Refusal::passing("503"),
    }
}

impl World {
    fn new() -> Self {
        Self {
            now: Timestamp::from_second(1_790_000_000).expect("a time"),
            rows: Vec::new(),
            known: CHANNELS.map(ChannelId::from).into(),
            in_flight: InFlight::new(),
            sending: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::News { incident, reason, to } => {
                for (number, channels) in RECIPIENTS.iter().enumerate().filter(|(number, _)| to & (1 << number) != 0) {
                    let recipient = Recipient {
                        person: Some(format!("p{number}").as_str().into()),
                        channels: channels.iter().map(|channel| (*channel).into()).collect(),
                        rings: false,
                    };
                    self.rows.push(Row {
                        id: self.rows.len() as i64 + 1,
                        thread: Thread {
                            incident: IncidentId::stored(format!("i{incident}")),
                            recipient: recipient.key(),
                        },
                        place: Place { channel: recipient.channels[0].clone(), nth: 0, attempts: 0 },
                        recipient,
                        due: self.now,
                        reason: REASONS[reason],
                        state: State::Queued,
                        receipt: None,
                    });
                }
            }
            Act::Pass(seconds) => self.now = later(self.now, Duration::from_secs(seconds.into())),
            Act::End { channel, outcome } => {
                self.end(&CHANNELS[channel].into(), (outcome < 4).then(|| refusal(outcome)))
            }
            Act::Reload(known) => {
                let some = CHANNELS.iter().enumerate().filter(|(number, _)| known & (1 << number) != 0);
                self.known = some.map(|(_, channel)| (*channel).into()).collect();
            }
            Act::Crash => self.crash(),
            Act::SetBack(hours) => {
                self.crash();
                self.now -= jiff::Span::new().hours(i64::from(hours));
            }
        }
    }

    fn crash(&mut self) {
        self.in_flight.clear();
        self.sending.clear();
    }

    /// A channel answers.
    fn end(&mut self, channel: &ChannelId, refusal: Option<Refusal>) {
        let Some(sent) = self.sending.remove(channel) else { return };
        self.in_flight.remove(channel);
        let outcome = match refusal {
            Some(refusal) => Err(refusal),
            None => {
                let told = sent.notice.incident().expect("it is of an incident");
                self.heard.push((sent.id, told.reason));
                Ok(Some(format!("m{}", sent.id)))
            }
        };
        let mark = settle(self.now, &sent, outcome, |channel| self.known.contains(channel));
        self.mark(mark);
    }

    fn queued(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.state == State::Queued)
    }

    fn heads(&self) -> Vec<Head> {
        let first = |channel: &&str| self.queued().find(|row| row.place.channel.as_str() == *channel);
        CHANNELS.iter().filter_map(first).map(head).collect()
    }

    fn newest(&self, thread: &Thread) -> Newest {
        let of_thread = || self.rows.iter().filter(|row| row.thread == *thread);
        let newest = of_thread().rfind(|row| row.state == State::Queued).expect("its turn has come");
        let before = || of_thread().take_while(|row| row.id < newest.id);
        let told = of_thread().filter(|row| row.state == State::Sent).map(|row| row.id).max().unwrap_or(0);
        let unheard = before().filter(|row| row.id > told);
        let mut first = BTreeMap::new();
        for row in of_thread() {
            if let Some(receipt) = &row.receipt {
                first.entry(row.place.channel.clone()).or_insert(receipt.clone());
            }
        }
        Newest {
            id: newest.id,
            place: newest.place.clone(),
            recipient: newest.recipient.clone(),
            notice: super::case_tests::news(newest.reason),
            has_older: before().any(|row| row.state == State::Queued),
            unheard: unheard.map(|row| row.reason).collect(),
            first,
        }
    }

    fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::Sent { id, receipt } => {
                let row = self.row(id);
                (row.state, row.receipt) = (State::Sent, receipt);
            }
            Mark::Superseded { thread, before } => {
                let is_stale = |row: &&mut Row| row.thread == thread && row.id < before && row.state == State::Queued;
                self.rows.iter_mut().filter(is_stale).for_each(|row| row.state = State::Superseded);
                assert!(self.queued().any(|row| row.id == before), "by a newer one, which waits");
            }
            Mark::Waits { id, place, due, .. } => {
                let row = self.row(id);
                assert_eq!(row.recipient.channels.get(place.nth), Some(&place.channel), "a channel of theirs");
                (row.place, row.due) = (place, due);
            }
            Mark::Abandoned { id, .. } => {
                let known = self.known.clone();
                let row = self.row(id);
                assert!(row.recipient.channels.iter().all(|channel| !known.contains(channel)), "it has another way");
                row.state = State::Abandoned;
            }
        }
    }

    fn row(&mut self, id: i64) -> &mut Row {
        self.rows.iter_mut().find(|row| row.id == id).expect("a row that is there")
    }

    /// Whatever's turn it is is served, until it is nobody's.
    fn serve(&mut self) {
        for round in 0.. {
            assert!(round < 1000, "it goes round and round");
            let heads = self.heads();
            let known = |channel: &ChannelId| self.known.contains(channel);
            let behind: Vec<Behind> =
                refused(self.now, &heads, &self.in_flight).flat_map(|head| self.behind(head)).collect();
            let aside = aside(self.now, &behind, &heads, &self.in_flight, known);
            if !aside.is_empty() {
                aside.into_iter().for_each(|mark| self.mark(mark));
                continue;
            }
            let ready = ready(self.now, &heads, &self.in_flight);
            if ready.is_empty() {
                break;
            }
            for ready in ready {
                self.step(&ready, &heads);
            }
        }
    }

    fn behind(&self, head: &Head) -> Vec<Behind> {
        let after = self.queued().filter(|row| row.place.channel == head.place.channel && row.id > head.id);
        let ways = after.filter(|row| row.recipient.channels.len() > 1);
        ways.map(|row| Behind { row: self::head(row), recipient: row.recipient.clone() }).collect()
    }

    fn step(&mut self, ready: &Ready, heads: &[Head]) {
        let step = step(self.now, ready, self.newest(&ready.thread), |channel| self.known.contains(channel));
        assert!(!step.marks.is_empty() || step.send.is_some(), "a nth is not for nothing");
        if let Some(send) = &step.send {
            let channel = &send.place.channel;
            assert!(self.known.contains(channel));
            let newest = self.queued().filter(|row| row.thread == send.thread).map(|row| row.id).max();
            assert_eq!(newest, Some(send.id), "it is the newest");
            let first = heads.iter().find(|head| head.place.channel == *channel).expect("something waits");
            assert_eq!(first.thread, send.thread, "nobody overtakes within a channel");
            assert!(self.in_flight.values().all(|thread| *thread != send.thread), "a thread has one in flight");
            assert!(!self.in_flight.contains_key(channel), "a channel has one in flight");
        }
        step.marks.into_iter().for_each(|mark| self.mark(mark));
        if let Some(send) = step.send {
            assert_eq!(self.row(send.id).place, send.place, "what is sent is noted where it is sent");
            self.in_flight.insert(send.place.channel.clone(), send.thread.clone());
            self.sending.insert(send.place.channel.clone(), send);
        }
    }

    /// From now on each channel either takes everything or nothing.
    fn settle(&mut self, dead: u8) {
        let works = |channel: &ChannelId| {
            CHANNELS.iter().position(|name| *name == channel.as_str()).is_none_or(|number| dead & (1 << number) == 0)
        };
        self.known = CHANNELS.map(ChannelId::from).into();
        let end = later(self.now, Duration::from_secs(12 * 3600));
        while self.now < end {
            self.serve();
            for channel in CHANNELS.map(ChannelId::from) {
                self.end(&channel, (!works(&channel)).then(|| Refusal::passing("503")));
            }
            // As the relay does whenever something is out of its hands.
            self.serve();
            let heads = self.heads();
            match wake(self.now, &heads, &self.in_flight) {
                Some(wake) => self.now = wake.max(self.now),
                None if self.in_flight.is_empty() => break,
                None => {}
            }
        }
        for row in self.rows.iter().filter(|row| row.state == State::Queued) {
            assert!(!row.recipient.channels.iter().any(works), "somebody is not told who could be: {row:?}");
        }
    }

    /// What must hold of each thread at the end.
    fn look_over(&self) {
        let threads: BTreeSet<&Thread> = self.rows.iter().map(|row| &row.thread).collect();
        for thread in threads {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.thread == *thread).collect();
            let last = rows.last().expect("a row");
            assert!(last.state != State::Superseded, "nothing newer was told: {last:?}");
            let heard: Vec<i64> =
                self.heard.iter().map(|(id, _)| *id).filter(|id| rows.iter().any(|row| row.id == *id)).collect();
            assert!(heard.is_sorted(), "what is old is told after what is new: {heard:?}");
            for (number, alarm) in rows.iter().enumerate().filter(|(_, row)| row.reason.pages()) {
                let Some(told) = rows[number..].iter().position(|row| row.state == State::Sent) else { continue };
                let until = &rows[number..=number + told];
                let reason = self.heard.iter().rfind(|(id, _)| *id == until[told].id).expect("it was heard").1;
                let settled = |row: &&&Row| row.reason == Reason::Acknowledged || row.reason.clears();
                assert!(reason.pages() || until.iter().any(|row| settled(&row)), "no ring for {alarm:?}: {reason:?}");
            }
        }
    }
}

fn head(row: &Row) -> Head {
    Head { id: row.id, thread: row.thread.clone(), place: row.place.clone(), due: row.due }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever happens: order within a channel, one message at a time, nothing told that is stale, no ring lost; and
    /// whoever can be told by any of their channels is.
    #[test]
    fn everybody_hears_the_newest_who_can(acts in prop::collection::vec(act(), 1..60), dead in 0..7u8) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
            world.serve();
        }
        world.settle(dead);
        world.look_over();
    }
}
