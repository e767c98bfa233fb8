//! Collects the steps of a probe, so that each red light can be explained.

use super::wire::Report;
use crate::model::{Check, Detail, Failure, Observation, Rung, RungName};
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// Steps taken so far, what they cost, and what stopped them.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    rungs: Vec<Rung>,
    failure: Option<Failure>,
    bytes: u64,
}

impl Transcript {
    /// Notes a step that began at `began`; hands on what it found.
    pub(super) fn step<T>(
        &mut self,
        name: RungName,
        began: Instant,
        outcome: Result<(T, Detail), Failure>,
    ) -> Option<T> {
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok((found, detail)) => {
                self.rungs.push(Rung { name, ok: true, seconds, detail });
                Some(found)
            }
            Err(failure) => {
                self.rungs.push(Rung { name, ok: false, seconds, detail: failure.detail.clone() });
                self.failure.get_or_insert(failure);
                None
            }
        }
    }

    /// Notes a step whose failure does not matter for the verdict.
    pub(super) fn aside(&mut self, name: RungName, began: Instant, ok: bool, detail: Detail) {
        self.rungs.push(Rung { name, ok, seconds: began.elapsed().as_secs_f64(), detail });
    }

    /// Counts bytes received from the camera.
    pub(super) fn received(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// What a worker hands back.
    pub(super) fn report(self) -> Report {
        Report { rungs: self.rungs, failure: self.failure, bytes: self.bytes, ..Report::default() }
    }

    /// The whole observation: these steps, then the worker's.
    pub(super) fn finish(mut self, check: Check, started: Timestamp, took: Duration, report: Report) -> Observation {
        self.rungs.extend(report.rungs);
        Observation {
            took,
            rungs: self.rungs,
            failure: self.failure.or(report.failure),
            stream: report.stream,
            device: report.device,
            login_scheme: report.login_scheme,
            clock_offset_seconds: report.clock_offset_seconds,
            bytes: self.bytes + report.bytes,
            ..Observation::new(check, started)
        }
    }
}
