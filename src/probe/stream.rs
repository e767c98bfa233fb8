//! The upper rungs, inside a worker: by our own client, and by retina as a second opinion where ours meets an answer
//! that it cannot use.

use super::{
    rtsp::session,
    second,
    wire::{Report, StreamJob},
};
use crate::model::{Client, FailureKind};
use tokio_util::sync::CancellationToken;

/// Climbs until the evidence suffices; `stop` cuts the look short and still tears down.
pub(super) async fn look(job: &StreamJob, stop: &CancellationToken) -> Report {
    let may_ask = second::may_look(job);
    let first = if may_ask { job.client } else { Client::Own };
    let report = by(first, job, stop).await;
    let unusable = |kind| matches!(kind, FailureKind::Nonconforming | FailureKind::RtspError);
    if stop.is_cancelled() || !may_ask || !report.failure.as_ref().is_some_and(|failure| unusable(failure.kind)) {
        return report;
    }
    let other = if first == Client::Own { Client::Retina } else { Client::Own };
    let second = by(other, job, stop).await;
    let bytes = report.bytes + second.bytes;
    let proves = second.stream.as_ref().is_some_and(|stream| stream.proven);
    let (rungs, told) = if proves { (report.rungs, second) } else { (Vec::new(), report) };
    Report { rungs: rungs.into_iter().chain(told.rungs).collect(), bytes, ..told }
}

async fn by(client: Client, job: &StreamJob, stop: &CancellationToken) -> Report {
    match client {
        Client::Own => session::look(job, stop).await,
        Client::Retina => second::look(job, stop).await,
    }
}
