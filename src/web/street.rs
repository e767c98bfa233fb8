//! Visitors for tests: connections in memory from any address, so that time can be held.

use super::{Encryption, Limits, serve};
use axum::{Router, serve::Listener};
use std::net::{IpAddr, SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// What each side of a connection holds for the other, as a kernel does.
const PIPE: usize = 16 * 1024;

struct Door(mpsc::UnboundedReceiver<(DuplexStream, SocketAddr)>);

impl Listener for Door {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        match self.0.recv().await {
            Some(visitor) => visitor,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(([127, 0, 0, 1], 9740).into())
    }
}

/// A running server.
pub(super) struct Street {
    door: mpsc::UnboundedSender<(DuplexStream, SocketAddr)>,
    pub(super) stop: CancellationToken,
    pub(super) served: JoinHandle<()>,
}

impl Street {
    pub(super) fn open(router: Router, limits: Limits) -> Self {
        Self::with(router, limits, None)
    }

    /// One at whose doors visitors speak TLS.
    pub(super) fn encrypted(router: Router, limits: Limits, encryption: Encryption) -> Self {
        Self::with(router, limits, Some(encryption))
    }

    fn with(router: Router, limits: Limits, encryption: Option<Encryption>) -> Self {
        let (door, visitors) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(Door(visitors), router, limits, encryption, stop.clone()));
        Self { door, stop, served }
    }

    /// A connection from an address.
    pub(super) fn visit(&self, from: impl Into<IpAddr>) -> Visitor {
        let (near, far) = duplex(PIPE);
        self.door.send((far, (from.into(), 40_000).into())).expect("the server runs");
        Visitor(near)
    }

    /// One request on a connection of its own: the whole answer.
    pub(super) async fn ask(&self, from: impl Into<IpAddr>, line: &str, rest: &str) -> String {
        let mut visitor = self.visit(from);
        visitor.say(&format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{rest}")).await;
        visitor.rest().await
    }

    pub(super) async fn get(&self, from: impl Into<IpAddr>, path: &str) -> String {
        self.ask(from, &format!("GET {path}"), "\r\n").await
    }
}

/// The other end of a connection.
pub(super) struct Visitor(pub(super) DuplexStream);

impl Visitor {
    pub(super) async fn say(&mut self, text: &str) {
        // A server that closed does not listen.
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// What comes until the server closes.
    pub(super) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until a text has come.
    pub(super) async fn hears(&mut self, text: &str) -> String {
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains(text) {
            let read = self.0.read_buf(&mut heard).await.expect("the connection lasts");
            assert!(read > 0, "the server closed after {}", String::from_utf8_lossy(&heard));
        }
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Whether the server has closed, as far as that shows without waiting.
    pub(super) async fn is_cut(&mut self) -> bool {
        let mut byte = [0];
        let look = tokio::time::timeout(std::time::Duration::from_millis(1), self.0.read(&mut byte));
        look.await.is_ok_and(|read| read.map_or(true, |read| read == 0))
    }
}
