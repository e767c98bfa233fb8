//! What is not yet written, when things are due, and whom to answer: what people asked for is answered when it is
//! durable, and waits for nothing else.

use crate::{
    journal::Batch,
    model::{CameraId, LoginRecord, Memory, Observation, later},
    web::Refusal,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// Transcripts wait this long for a change to be written with, so that a quiet fleet spares the disk.
const TRANSCRIPTS_WAIT: Duration = Duration::from_secs(10);
/// Transcripts kept in memory while the journal cannot be written.
const TRANSCRIPTS_MAX: usize = 2000;
/// How soon a failed write is tried again.
const RETRY_WRITE: Duration = Duration::from_secs(1);

/// What was done, or why not, for people.
type Answer = Result<String, Refusal>;

/// What is not yet written, and when things are due.
#[derive(Debug)]
pub(super) struct Agenda {
    batch: Batch,
    write_at: Option<Timestamp>,
    pub(super) publish_at: Option<Timestamp>,
    pub(super) keep_at: Timestamp,
    /// Whether pages are to be shown something new at once.
    pub(super) changed: bool,
    answers: Vec<Waiting>,
}

/// Somebody who asked for something that is done.
#[derive(Debug)]
struct Waiting {
    to: oneshot::Sender<Answer>,
    done: String,
    /// What they asked for lies in the batch.
    unwritten: bool,
}

impl Agenda {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            batch: Batch::default(),
            write_at: None,
            publish_at: Some(now),
            keep_at: now,
            changed: false,
            answers: Vec::new(),
        }
    }

    /// When the next thing is due.
    pub(super) fn due(&self) -> Timestamp {
        [self.write_at, self.publish_at].into_iter().flatten().fold(self.keep_at, Timestamp::min)
    }

    /// What is to be durable at once.
    pub(super) fn write_now(&mut self, now: Timestamp) -> &mut Batch {
        self.write_at = Some(self.write_at.map_or(now, |at| at.min(now)));
        &mut self.batch
    }

    /// What was learned of a camera; it may wait.
    pub(super) fn learned(&mut self, now: Timestamp, camera: CameraId, memory: Arc<Memory>) {
        // While the journal cannot be written, only the last of each camera is kept.
        self.batch.memories.retain(|(known, _)| *known != camera);
        self.batch.memories.push((camera, memory));
        self.write_at.get_or_insert(later(now, TRANSCRIPTS_WAIT));
    }

    /// Who has proven to see, and when; it may wait.
    pub(super) fn proven(&mut self, now: Timestamp, proofs: BTreeMap<CameraId, Timestamp>) {
        self.batch.proofs.extend(proofs);
        self.write_at.get_or_insert(later(now, TRANSCRIPTS_WAIT));
    }

    /// Looks that found something wrong are kept, and those that saw the stream; mere liveness is not worth the disk.
    pub(super) fn transcript(&mut self, now: Timestamp, camera: &CameraId, seen: &Observation) {
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
    pub(super) fn answer(&mut self, to: oneshot::Sender<Answer>, done: String, unwritten: bool) {
        self.answers.push(Waiting { to, done, unwritten });
    }

    /// The batch, if it is to be written now.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Batch> {
        self.write_at.take_if(|at| *at <= now)?;
        Some(std::mem::take(&mut self.batch))
    }

    /// The batch is durable.
    pub(super) fn written(&mut self) {
        self.answers.iter_mut().for_each(|waiting| waiting.unwritten = false);
    }

    /// The batch could not be written: it is kept, and whoever waited for it is told so.
    pub(super) fn failed(&mut self, now: Timestamp, batch: Batch) {
        self.batch = batch;
        self.write_at = Some(later(now, RETRY_WRITE));
        for waiting in self.answers.extract_if(.., |waiting| waiting.unwritten) {
            let _ = waiting.to.send(Err(Refusal::NotRemembered));
        }
    }

    /// Answers everybody whose wish is durable.
    pub(super) fn tell(&mut self) {
        for waiting in self.answers.extract_if(.., |waiting| !waiting.unwritten) {
            // Whoever asked may have gone away.
            let _ = waiting.to.send(Ok(waiting.done));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, Failure, FailureKind, Scope, Span, Window};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn seen(agenda: &mut Agenda, second: i64) {
        let failure = Some(Failure::new(FailureKind::Timeout, "không trả lời"));
        agenda.transcript(
            at(second),
            &"cam".into(),
            &Observation { failure, ..Observation::new(Check::Stream, at(0)) },
        );
    }

    fn window() -> Window {
        let span = Span::Once { from: at(0), until: at(60) };
        Window { id: "w1".into(), scope: Scope::All, span, author: "An".into(), reason: "thay camera".into() }
    }

    #[test]
    fn transcripts_that_wait_keep_no_answer_back() {
        let mut agenda = Agenda::new(at(0));
        for second in 0..9 {
            seen(&mut agenda, second);
            let (to, mut answer) = oneshot::channel();
            agenda.answer(to, "reloaded".into(), false);
            assert!(agenda.take_due(at(second)).is_none(), "transcripts wait for ten seconds");
            agenda.tell();
            assert_eq!(answer.try_recv(), Ok(Ok("reloaded".into())));
        }
        let batch = agenda.take_due(at(10)).expect("the transcripts are due");
        assert_eq!(batch.observations.len(), 9);
    }

    #[test]
    fn an_answer_waits_for_its_own_write() {
        let mut agenda = Agenda::new(at(0));
        seen(&mut agenda, 0);
        let (to, mut answer) = oneshot::channel();
        agenda.write_now(at(1)).windows.push(window());
        agenda.answer(to, "w1".into(), true);
        agenda.tell();
        assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty), "it is not durable yet");
        let batch = agenda.take_due(at(1)).expect("it is due at once");
        assert_eq!((batch.windows.len(), batch.observations.len()), (1, 1), "transcripts go with it");
        agenda.written();
        // What comes in while it is written is another matter.
        seen(&mut agenda, 2);
        agenda.tell();
        assert_eq!(answer.try_recv(), Ok(Ok("w1".into())));
    }

    #[test]
    fn a_failing_disk_refuses_only_what_it_should_have_taken() {
        let mut agenda = Agenda::new(at(0));
        let ((to_window, mut window_set), (to_reload, mut reloaded)) = (oneshot::channel(), oneshot::channel());
        agenda.write_now(at(0)).windows.push(window());
        agenda.answer(to_window, "w1".into(), true);
        agenda.answer(to_reload, "reloaded".into(), false);
        let batch = agenda.take_due(at(0)).expect("it is due");
        agenda.failed(at(0), batch);
        agenda.tell();
        assert_eq!(window_set.try_recv(), Ok(Err(Refusal::NotRemembered)));
        assert_eq!(reloaded.try_recv(), Ok(Ok("reloaded".into())), "it left nothing to write");
        assert_eq!(agenda.take_due(at(0)).map(|batch| batch.windows.len()), None, "the next try comes later");
        assert_eq!(agenda.take_due(at(1)).map(|batch| batch.windows.len()), Some(1), "and nothing is lost until then");
    }
}
