//! The worker process: takes jobs over its standard input, which is a socket, and hands back reports.
//!
//! It reads what cameras send with third-party parsers, inside a hard memory limit and without rights to files. It
//! ends when the daemon closes the socket, after tearing down what is open.

use super::{
    onvif, sandbox, soap, stream,
    wire::{self, Job, Reply, Request},
};
use futures_util::{SinkExt, StreamExt};
use std::{io, os::fd::AsFd};
use tokio::{net::UnixStream, sync::mpsc, task::JoinSet};
use tokio_util::{bytes::Bytes, sync::CancellationToken};

/// Serves until the daemon is gone. To be called first thing in a process of its own.
pub fn serve(memory_mib: u64) -> io::Result<()> {
    let http = soap::http_client().map_err(io::Error::other)?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let socket = std::os::unix::net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    sandbox::confine(memory_mib)?;
    runtime.block_on(async { run(http, UnixStream::from_std(socket)?).await })
}

async fn run(http: reqwest::Client, socket: UnixStream) -> io::Result<()> {
    // A service manager signals the whole group; the daemon decides when we end, so that sessions are torn down.
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let (mut sink, mut requests) = wire::framed(socket).split::<Bytes>();
    let (replies, mut outbox) = mpsc::channel::<Reply>(16);
    let stop = CancellationToken::new();
    let mut jobs = JoinSet::new();
    loop {
        tokio::select! {
            request = requests.next() => {
                let Some(frame) = request else { break };
                let Request { id, job } = serde_json::from_slice(&frame?)?;
                let (http, replies, stop) = (http.clone(), replies.clone(), stop.clone());
                jobs.spawn(async move {
                    let report = match job {
                        Job::Stream(job) => stream::look(&job, &stop).await,
                        Job::Onvif(job) => onvif::look(&http, &job).await,
                    };
                    // The daemon may be gone; then nobody wants to know.
                    let _ = replies.send(Reply { id, report }).await;
                });
            }
            Some(reply) = outbox.recv() => {
                let frame = serde_json::to_vec(&reply)?;
                if sink.send(frame.into()).await.is_err() {
                    break;
                }
            }
            Some(_) = jobs.join_next() => {}
            _ = terminate.recv() => {}
        }
    }
    stop.cancel();
    outbox.close();
    while jobs.join_next().await.is_some() {}
    Ok(())
}
