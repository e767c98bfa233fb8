//! Watching media until it proves something, and what a refusal means: the same whichever client looks.

use super::{
    evidence::{End, Evidence},
    wire::{LONGER, StreamJob},
};
use crate::model::{Client, Detail, Failure, FailureKind, StreamFacts, told};
use tokio::time::Instant;

/// One look at media, whichever client sees it.
pub(super) struct Watch<'j> {
    job: &'j StreamJob,
    pub(super) evidence: Evidence,
    /// Bytes of media so far.
    pub(super) bytes: u64,
    pub(super) began: Instant,
    pub(super) end: End,
}

impl<'j> Watch<'j> {
    pub(super) fn new(job: &'j StreamJob, evidence: Evidence) -> Self {
        Self { job, evidence, bytes: 0, began: Instant::now(), end: End::Ours }
    }

    /// Whether no more need or may be seen.
    pub(super) fn is_over(&self) -> bool {
        let (job, looked) = (self.job, self.began.elapsed());
        let enough = match job.survey {
            true => self.evidence.hangs(job.frames),
            false => self.evidence.suffices(job.frames, job.keyframes),
        };
        if enough || self.bytes >= job.byte_limit {
            return true;
        }
        let over = looked.saturating_sub(job.media_timeout);
        looked >= job.media_timeout && (over >= LONGER || self.evidence.decided(looked, job.frames))
    }

    pub(super) fn verdict(&self) -> Result<Detail, Failure> {
        let verdict = self.evidence.verdict(self.began.elapsed(), self.job.frames, self.end);
        verdict.map_err(|failure| {
            let spent = self.bytes >= self.job.byte_limit && self.end == End::Ours;
            if !spent || failure.kind == FailureKind::Frozen {
                return failure;
            }
            Failure::new(FailureKind::ProbeFailed, told!(BudgetSpent))
        })
    }

    /// The facts; `described` is the size of the picture where the description tells it.
    pub(super) fn facts(&self, described: Option<(u32, u32)>, client: Client) -> StreamFacts {
        StreamFacts { client, ..self.evidence.facts(described, self.began.elapsed(), self.job.frames) }
    }
}

/// What an RTSP status means, of a request whose login, if it wanted one, was accepted.
pub(super) fn refusal(request: &str, status: u16) -> Failure {
    let (kind, detail) = match status {
        401 | 403 => (FailureKind::Auth, told!(LoginRejected, status, request)),
        404 => (FailureKind::NotFound, told!(NoSuchStream)),
        453 | 503 => (FailureKind::SessionLimit, told!(SessionsTaken, status, request)),
        200..=299 => (FailureKind::Nonconforming, told!(OutsideStandard, request, status)),
        status => (FailureKind::RtspError, told!(StatusTo, status, request)),
    };
    Failure::new(kind, detail)
}

/// That a request over RTSP was not answered in time.
pub(super) fn unanswered(request: &str, job: &StreamJob) -> Failure {
    let detail = told!(NoAnswerTo, request, format_args!("{:?}", job.answer_timeout));
    Failure::new(FailureKind::RtspError, detail)
}
