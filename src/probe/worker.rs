//! The worker process: takes jobs over its standard input, which is a socket, and hands back reports.
//!
//! It reads what cameras send with third-party parsers, confined to what that takes ([`sandbox`]). It ends when the daemon closes the socket, after tearing down what is open.

use super::{
    onvif,
    sandbox::{self, Layer},
    soap, stream,
    wire::{self, Job, Reply, Report, Request, Said},
};
use crate::model::{Failure, FailureKind, told};
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::{BTreeSet, HashMap},
    io,
    os::fd::AsFd,
};
use tokio::{net::UnixStream, sync::mpsc, task::JoinSet};
use tokio_util::{bytes::Bytes, sync::CancellationToken};

/// Serves until the daemon is gone. To be called first thing in a process of its own.
pub fn serve(memory_mib: u64) -> io::Result<()> {
    let http = soap::http_client().map_err(io::Error::other)?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let socket = std::os::unix::net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let layers = sandbox::confine(memory_mib)?;
    runtime.block_on(async { run(http, UnixStream::from_std(socket)?, layers).await })
}

async fn run(http: reqwest::Client, socket: UnixStream, layers: BTreeSet<Layer>) -> io::Result<()> {
    // A service manager signals the whole group; the daemon decides when we end, so that sessions are torn down.
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let (mut sink, mut requests) = wire::framed(socket).split::<Bytes>();
    sink.send(serde_json::to_vec(&Said::Confined(layers))?.into()).await?;
    let (replies, mut outbox) = mpsc::channel::<Reply>(16);
    let stop = CancellationToken::new();
    let mut jobs = JoinSet::new();
    let mut running: HashMap<tokio::task::Id, u64> = HashMap::new();
    loop {
        tokio::select! {
            request = requests.next() => {
                let Some(frame) = request else { break };
                let Request { id, job } = serde_json::from_slice(&frame?)?;
                let (http, replies, stop) = (http.clone(), replies.clone(), stop.clone());
                let job = jobs.spawn(async move {
                    let report = match job {
                        Job::Stream(job) => stream::look(&job, &stop).await,
                        Job::Onvif(job) => onvif::look(&http, &job).await,
                    };
                    // The daemon may be gone; then nobody wants to know.
                    let _ = replies.send(Reply { id, report }).await;
                });
                running.insert(job.id(), id);
            }
            Some(reply) = outbox.recv() => {
                let frame = serde_json::to_vec(&Said::Done(reply.into()))?;
                if sink.send(frame.into()).await.is_err() {
                    break;
                }
            }
            Some(ended) = jobs.join_next_with_id() => {
                let task = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(task, ())| *task);
                let id = running.remove(&task);
                // Found by fuzzing: a description with a line that is no field, and one after it, panics sdp-types 0.1.8.
                // The other jobs go on.
                if let (Some(id), Err(_)) = (id, &ended) {
                    let failure = Failure::new(FailureKind::Nonconforming, told!(EndsParser));
                    let report = Report { failure: Some(failure), ..Report::default() };
                    let frame = serde_json::to_vec(&Said::Done(Reply { id, report }.into()))?;
                    if sink.send(frame.into()).await.is_err() {
                        break;
                    }
                }
            }
            _ = terminate.recv() => {}
        }
    }
    stop.cancel();
    outbox.close();
    while jobs.join_next().await.is_some() {}
    Ok(())
}
