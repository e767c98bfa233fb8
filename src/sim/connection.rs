//! One connection to a simulated camera, with its session and what that plays. How it answers is `rtsp`'s, what it sends is
//! `playing`'s, and what it floods with is `flood`'s.

use super::{fault::Fault, rtp::Stream, shared::Shared};
use std::{io, sync::Arc};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::watch,
    time::{Instant, Interval},
};

/// A client's connection.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) shared: Arc<Shared>,
    pub(super) fault: watch::Receiver<Fault>,
    pub(super) nonce: String,
    pub(super) buffer: Vec<u8>,
    pub(super) session: Option<Session>,
}

/// What `SETUP` made of it.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) channel: u8,
    pub(super) playing: Option<Playing>,
}

/// What a client asks for.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) cseq: String,
    pub(super) authorization: Option<String>,
    pub(super) transport: String,
}

/// Where a stream stands that is being sent.
pub(super) struct Playing {
    pub(super) stream: Stream,
    pub(super) ticks: Interval,
    pub(super) frame: u32,
    pub(super) began: Instant,
}

impl Connection {
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }
}
