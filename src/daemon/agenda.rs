//! What is not yet written, when things are due, and whom to answer: what people asked for is answered when it is
//! durable, and waits for nothing else.

use super::shared::Measured;
use crate::{
    journal::Batch,
    model::{CameraId, IncidentId, LoginRecord, Memory, Observation, later},
    request::{Done, Refused},
    uptime::Recorder,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// Transcripts wait this long for a change to be written with, so that a quiet fleet spares the disk.
const TRANSCRIPTS_WAIT: Duration = Duration::from_secs(10);
/// Transcripts kept in memory while the journal cannot be written.
const TRANSCRIPTS_MAX: usize = 2000;
/// Changes of one kind, and messages, kept in memory while the journal cannot be written: a day of a bad week in a
/// commune. Beyond that the oldest are lost, which is told.
const KEPT_MAX: usize = 20_000;
/// Rows of figures that one write takes, which they may wait for; and as many as the daemon writes when it stops.
const FIGURES_AT_ONCE: usize = 1000;
const FIGURES_WAIT: Duration = Duration::from_secs(1);
const FIGURES_AT_END: usize = 4000;
/// How soon a failed write is tried again.
const RETRY_WRITE: Duration = Duration::from_secs(1);

/// What was done, or why not.
type Answer = Result<Done, Refused>;

/// What is not yet written, and when things are due.
#[derive(Debug)]
pub(super) struct Agenda {
    batch: Batch,
    /// What is handed over again as it was, since nobody knows whether it was written; before what came since.
    doubtful: Option<Arc<Batch>>,
    write_at: Option<Timestamp>,
    pub(super) publish_at: Option<Timestamp>,
    pub(super) keep_at: Timestamp,
    /// Whether pages are to be shown something new as soon as that may be.
    pub(super) changed: bool,
    /// Until when nothing is shown again, so that showing takes a small part of the time.
    pub(super) shown_until: Timestamp,
    /// When it is told next how workers fare.
    pub(super) workers_at: Timestamp,
    /// Messages, and incidents, of the batch that is being written.
    under_way: (usize, BTreeSet<IncidentId>),
    answers: Vec<Waiting>,
    /// What looks measured, summed up.
    figures: Measured,
}

/// Somebody who asked for something that is done.
#[derive(Debug)]
struct Waiting {
    to: oneshot::Sender<Answer>,
    done: Done,
    write: Write,
}

/// What became of what somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    /// It lies in the batch.
    Waits,
    /// It is being written.
    UnderWay,
    /// It is durable, or left nothing to write.
    Done,
}

fn held(measured: &Measured) -> MutexGuard<'_, Recorder> {
    measured.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agenda {
    pub(super) fn new(now: Timestamp, measured: Measured) -> Self {
        Self {
            batch: Batch::default(),
            doubtful: None,
            write_at: None,
            publish_at: Some(now),
            keep_at: now,
            changed: false,
            shown_until: now,
            workers_at: now,
            under_way: (0, BTreeSet::new()),
            answers: Vec::new(),
            figures: measured,
        }
    }

    /// When something is next to be written.
    pub(super) fn write_due(&self) -> Timestamp {
        self.write_at.map_or(self.keep_at, |at| at.min(self.keep_at))
    }

    /// What is to be durable at once.
    pub(super) fn write_now(&mut self, now: Timestamp) -> &mut Batch {
        self.write_at = Some(self.write_at.map_or(now, |at| at.min(now)));
        &mut self.batch
    }

    /// What was learned of a camera; it may wait.
    pub(super) fn learned(&mut self, now: Timestamp, camera: CameraId, memory: Arc<Memory>) {
        // While the journal cannot be written, only the last of each camera is kept.
        self.batch.memories.insert(camera, memory);
        self.write_at.get_or_insert(later(now, TRANSCRIPTS_WAIT));
    }

    /// Who has proven to see, and when; it may wait.
    pub(super) fn proven(&mut self, now: Timestamp, proofs: BTreeMap<CameraId, Timestamp>) {
        self.batch.proofs.extend(proofs);
        self.write_at.get_or_insert(later(now, TRANSCRIPTS_WAIT));
    }

    /// Puts figures of times that are over into the batch, so many that the journal is not held up.
    pub(super) fn sum_up(&mut self, now: Timestamp) {
        let mut figures = held(&self.figures);
        figures.close(now);
        if self.batch.figures.is_empty() && figures.waits() {
            self.batch.figures = figures.take(FIGURES_AT_ONCE);
            self.write_at.get_or_insert(later(now, FIGURES_WAIT));
        }
    }

    /// All figures that there are: the daemon stops. Of a large fleet those are left that would take long to write.
    pub(super) fn sum_up_all(&mut self) {
        let mut figures = held(&self.figures);
        figures.close_all();
        self.batch.figures.extend(figures.take(FIGURES_AT_END));
    }

    /// Looks that found something wrong are kept, and those that saw the stream; mere liveness is not worth the disk.
    pub(super) fn transcript(&mut self, now: Timestamp, camera: &CameraId, seen: &Observation) {
        held(&self.figures).take_in(camera, seen);
        let worth = seen.failure.is_some() || seen.check != crate::model::Check::Liveness;
        if worth && self.batch.observations.len() < TRANSCRIPTS_MAX {
            self.batch.observations.push((camera.clone(), seen.clone()));
            self.write_at.get_or_insert(later(now, TRANSCRIPTS_WAIT));
        }
    }

    /// How a login fared.
    pub(super) fn login(&mut self, now: Timestamp, record: LoginRecord) {
        let logins = &mut self.write_now(now).logins;
        logins.retain(|known| known.device != record.device || known.onvif != record.onvif);
        logins.push(record);
    }

    /// Answers when what was asked for is durable; `unwritten` says whether it left anything to write.
    pub(super) fn answer(&mut self, to: oneshot::Sender<Answer>, done: Done, unwritten: bool) {
        self.answers.push(Waiting { to, done, write: if unwritten { Write::Waits } else { Write::Done } });
    }

    /// Answers when what is known of an incident is durable, whoever had it written.
    pub(super) fn answer_of(&mut self, to: oneshot::Sender<Answer>, done: Done, incident: &IncidentId) {
        let write = match (self.batch.incidents.iter().any(|known| known.id == *incident), &self.under_way.1) {
            (true, _) => Write::Waits,
            (false, under_way) if under_way.contains(incident) => Write::UnderWay,
            (false, _) => Write::Done,
        };
        self.answers.push(Waiting { to, done, write });
    }

    /// Messages that nobody can be told of before they are durable.
    pub(super) fn untold(&self) -> usize {
        self.under_way.0 + messages(&self.batch)
    }

    /// The batch, if it is to be written now.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Arc<Batch>> {
        self.write_at.take_if(|at| *at <= now)?;
        if let Some(doubtful) = self.doubtful.take() {
            self.write_at = Some(now);
            return Some(doubtful);
        }
        self.move_on(Write::Waits, Write::UnderWay);
        let batch = std::mem::take(&mut self.batch);
        self.under_way = (messages(&batch), batch.incidents.iter().map(|incident| incident.id.clone()).collect());
        Some(Arc::new(batch))
    }

    /// Whether what was under way was written is known when it is handed over again; until then it is under way.
    /// How much of what came since had to be given up.
    pub(super) fn in_doubt(&mut self, now: Timestamp, batch: Arc<Batch>) -> usize {
        self.doubtful = Some(batch);
        self.write_at = Some(later(now, RETRY_WRITE));
        let newer = std::mem::take(&mut self.batch);
        add(&mut self.batch, newer)
    }

    /// What was under way is durable.
    pub(super) fn written(&mut self) {
        self.under_way = (0, BTreeSet::new());
        self.move_on(Write::UnderWay, Write::Done);
    }

    /// What was under way could not be written: it is kept before what came since, and whoever waited for it is told
    /// so. How much had to be given up.
    pub(super) fn failed(&mut self, now: Timestamp, batch: Arc<Batch>) -> usize {
        self.under_way = (0, BTreeSet::new());
        let newer = std::mem::replace(&mut self.batch, Arc::unwrap_or_clone(batch));
        let lost = add(&mut self.batch, newer);
        self.write_at = Some(later(now, RETRY_WRITE));
        for waiting in self.answers.extract_if(.., |waiting| waiting.write == Write::UnderWay) {
            let _ = waiting.to.send(Err(Refused::NotDurable));
        }
        lost
    }

    /// Answers everybody whose wish is durable.
    pub(super) fn tell(&mut self) {
        for waiting in self.answers.extract_if(.., |waiting| waiting.write == Write::Done) {
            // Whoever asked may have gone away.
            let _ = waiting.to.send(Ok(waiting.done));
        }
    }

    fn move_on(&mut self, from: Write, to: Write) {
        let waiting = self.answers.iter_mut().filter(|waiting| waiting.write == from);
        waiting.for_each(|waiting| waiting.write = to);
    }
}

/// How many messages a batch holds, one for each recipient.
fn messages(batch: &Batch) -> usize {
    batch.notices.iter().map(|(_, recipients)| recipients.len()).sum()
}

/// Adds what is newer to a batch, within bounds. How much of the oldest was given up.
fn add(batch: &mut Batch, newer: Batch) -> usize {
    let mut lost = 0;
    lost += append(&mut batch.transitions, newer.transitions);
    lost += append(&mut batch.sites, newer.sites);
    lost += append(&mut batch.links, newer.links);
    lost += append(&mut batch.notices, newer.notices);
    // Of what is remembered as it stands only the newest counts.
    batch.incidents.retain(|old| newer.incidents.iter().all(|new| new.id != old.id));
    lost += append(&mut batch.incidents, newer.incidents);
    lost += append(&mut batch.happened, newer.happened);
    batch.windows.retain(|old| newer.windows.iter().all(|new| new.id != old.id));
    lost += append(&mut batch.windows, newer.windows);
    batch.memories.extend(newer.memories);
    let same = |old: &LoginRecord, new: &LoginRecord| old.device == new.device && old.onvif == new.onvif;
    batch.logins.retain(|old| newer.logins.iter().all(|new| !same(old, new)));
    batch.logins.extend(newer.logins);
    batch.proofs.extend(newer.proofs);
    batch.people.extend(newer.people);
    batch.edits.extend(newer.edits);
    batch.audit.extend(newer.audit);
    batch.observations.extend(newer.observations);
    batch.observations.truncate(TRANSCRIPTS_MAX);
    batch.figures.extend(newer.figures);
    batch.figures.truncate(FIGURES_AT_END);
    lost += append(&mut batch.late, newer.late);
    batch.agents.retain(|old| newer.agents.iter().all(|new| new.print != old.print));
    batch.agents.extend(newer.agents);
    lost
}

fn append<T>(rows: &mut Vec<T>, newer: Vec<T>) -> usize {
    rows.extend(newer);
    let over = rows.len().saturating_sub(KEPT_MAX);
    rows.drain(..over);
    over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, Detail, Failure, FailureKind, Scope, Span, State, Transition, Window};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn seen(agenda: &mut Agenda, second: i64) {
        let failure = Some(Failure::new(FailureKind::Timeout, Detail::plain("không trả lời")));
        agenda.transcript(
            at(second),
            &"cam".into(),
            &Observation { failure, ..Observation::new(Check::Stream, at(0)) },
        );
    }

    fn silenced(window: &str) -> Done {
        Done::Silenced { window: window.into() }
    }

    fn window() -> Window {
        let span = Span::Once { from: at(0), until: at(60) };
        Window { id: "w1".into(), scope: Scope::All, span, author: "An".into(), reason: "thay camera".into() }
    }

    #[test]
    fn transcripts_that_wait_keep_no_answer_back() {
        let mut agenda = Agenda::new(at(0), Measured::default());
        for second in 0..9 {
            seen(&mut agenda, second);
            let (to, mut answer) = oneshot::channel();
            agenda.answer(to, Done::Reloaded, false);
            assert!(agenda.take_due(at(second)).is_none(), "transcripts wait for ten seconds");
            agenda.tell();
            assert_eq!(answer.try_recv(), Ok(Ok(Done::Reloaded)));
        }
        let batch = agenda.take_due(at(10)).expect("the transcripts are due");
        assert_eq!(batch.observations.len(), 9);
    }

    #[test]
    fn an_answer_waits_for_its_own_write() {
        let mut agenda = Agenda::new(at(0), Measured::default());
        seen(&mut agenda, 0);
        let (to, mut answer) = oneshot::channel();
        agenda.write_now(at(1)).windows.push(window());
        agenda.answer(to, silenced("w1"), true);
        agenda.tell();
        assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty), "it is not durable yet");
        let batch = agenda.take_due(at(1)).expect("it is due at once");
        assert_eq!((batch.windows.len(), batch.observations.len()), (1, 1), "transcripts go with it");
        agenda.written();
        // What comes in while it is written is another matter.
        seen(&mut agenda, 2);
        agenda.tell();
        assert_eq!(answer.try_recv(), Ok(Ok(silenced("w1"))));
    }

    #[test]
    fn a_failing_disk_refuses_only_what_it_should_have_taken() {
        let mut agenda = Agenda::new(at(0), Measured::default());
        let ((to_window, mut window_set), (to_reload, mut reloaded)) = (oneshot::channel(), oneshot::channel());
        agenda.write_now(at(0)).windows.push(window());
        agenda.answer(to_window, silenced("w1"), true);
        agenda.answer(to_reload, Done::Reloaded, false);
        let batch = agenda.take_due(at(0)).expect("it is due");
        agenda.failed(at(0), batch);
        agenda.tell();
        assert_eq!(window_set.try_recv(), Ok(Err(Refused::NotDurable)));
        assert_eq!(reloaded.try_recv(), Ok(Ok(Done::Reloaded)), "it left nothing to write");
        assert_eq!(agenda.take_due(at(0)).map(|batch| batch.windows.len()), None, "the next try comes later");
        assert_eq!(agenda.take_due(at(1)).map(|batch| batch.windows.len()), Some(1), "and nothing is lost until then");
    }

    #[test]
    fn what_is_in_doubt_is_handed_over_again_as_it_was_and_before_the_rest() {
        let mut agenda = Agenda::new(at(0), Measured::default());
        let (to_window, mut window_set) = oneshot::channel();
        agenda.write_now(at(0)).windows.push(window());
        agenda.answer(to_window, silenced("w1"), true);
        let batch = agenda.take_due(at(0)).expect("it is due");
        assert_eq!(agenda.in_doubt(at(0), batch.clone()), 0);
        agenda.write_now(at(0)).windows.push(Window { id: "w2".into(), ..window() });
        agenda.tell();
        assert_eq!(window_set.try_recv(), Err(oneshot::error::TryRecvError::Empty), "it may be done");
        let again = agenda.take_due(at(1)).expect("it is asked again");
        assert!(Arc::ptr_eq(&again, &batch));
        agenda.written();
        agenda.tell();
        assert_eq!(window_set.try_recv(), Ok(Ok(silenced("w1"))));
        let rest = agenda.take_due(at(1)).expect("what came since is due");
        assert_eq!(rest.windows.iter().map(|window| window.id.as_str()).collect::<Vec<_>>(), ["w2"]);
    }

    #[test]
    fn what_comes_while_something_is_written_keeps_its_own_fate() {
        let mut agenda = Agenda::new(at(0), Measured::default());
        let ((to_first, mut first), (to_second, mut second)) = (oneshot::channel(), oneshot::channel());
        agenda.write_now(at(0)).windows.push(window());
        agenda.answer(to_first, silenced("first"), true);
        let batch = agenda.take_due(at(0)).expect("it is due");
        // A second wish, and a newer word on the first, come in while the disk is busy.
        agenda.write_now(at(1)).windows.push(Window { author: "Bình".into(), ..window() });
        agenda.write_now(at(1)).windows.push(Window { id: "w2".into(), ..window() });
        agenda.answer(to_second, silenced("second"), true);
        assert_eq!(agenda.failed(at(1), batch), 0);
        agenda.tell();
        assert_eq!(first.try_recv(), Ok(Err(Refused::NotDurable)));
        assert_eq!(second.try_recv(), Err(oneshot::error::TryRecvError::Empty), "it was not tried yet");
        let batch = agenda.take_due(at(2)).expect("all of it is tried again");
        let windows: Vec<_> = batch.windows.iter().map(|window| (window.id.as_str(), window.author.as_str())).collect();
        assert_eq!(windows, [("w1", "Bình"), ("w2", "An")]);
        agenda.written();
        agenda.tell();
        assert_eq!(second.try_recv(), Ok(Ok(silenced("second"))));
    }

    #[test]
    fn what_cannot_be_written_for_days_stays_bounded_and_in_order() {
        let transition = |number: usize| Transition {
            camera: "cam".into(),
            from: State::Up,
            to: State::Down,
            cause: None,
            detail: Detail::plain(&number.to_string()),
            since: at(0),
            decided: at(0),
        };
        let mut agenda = Agenda::new(at(0), Measured::default());
        let mut lost = 0;
        for number in 0..KEPT_MAX + 10 {
            agenda.write_now(at(0)).transitions.push(transition(number));
            if number % 1000 == 999 || number >= KEPT_MAX {
                let batch = agenda.take_due(at(number as i64)).expect("it is due");
                lost += agenda.failed(at(0), batch);
                agenda.write_now(at(0));
            }
        }
        agenda.write_now(at(0)).transitions.push(transition(KEPT_MAX + 10));
        let batch = agenda.take_due(at(0)).expect("it is due");
        let kept: Vec<usize> =
            batch.transitions.iter().map(|row| row.detail.to_string().parse().expect("a number")).collect();
        assert_eq!(lost, 10);
        assert_eq!(kept, (10..=KEPT_MAX + 10).collect::<Vec<_>>());
    }
}
