//! How much visitors may hold and how long they may take; `docs/web.md` has them as a table, with reasons.

use std::{net::IpAddr, sync::Arc, time::Duration};

/// The largest body of a request: that of a form or a wish in JSON, many times over.
pub(in crate::web) const BODY: usize = 64 * 1024;
/// How long such a body may take.
pub(in crate::web) const BODY_WITHIN: Duration = Duration::from_secs(10);
/// The largest head of a request, from its first letter to the empty line.
pub(super) const HEAD: usize = 16 * 1024;
/// Headers of a request; browsers send about twenty.
pub(super) const HEADERS: usize = 64;
/// What hyper gathers of an answer before it waits for the reader.
pub(super) const BUFFER: usize = 64 * 1024;
/// What the kernel keeps of an answer that the reader has not taken.
pub(super) const SEND_BUFFER: usize = 64 * 1024;

/// Limits of the server as a whole, of an address and of a connection.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_by_address: usize,
    /// Pages that listen for events at once.
    pub streams: usize,
    /// Pages that listen at once from one address.
    pub streams_by_address: usize,
    /// For a request's head to be complete; from the connection or from the answer before, so idle ones end by it too.
    pub head: Duration,
    /// From a request's head to the last byte of its answer; streams of events have no such end.
    pub request: Duration,
    /// While output waits, at least `least` bytes of it must be taken in each such time.
    pub pace: Duration,
    /// See `pace`.
    pub least: usize,
    /// For answers that are under way when the server stops.
    pub stop: Duration,
    /// Addresses of proxies: each stands for many visitors, so limits of one address do not hold for them.
    pub proxies: Arc<[IpAddr]>,
    /// Addresses of machines that pass visitors on as they are: each stands for many, too, and nothing that comes from them is believed.
    pub neighbours: Arc<[IpAddr]>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_by_address: 64,
            streams: 64,
            streams_by_address: 16,
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            pace: Duration::from_secs(10),
            least: 16 * 1024,
            stop: Duration::from_millis(200),
            proxies: Arc::new([]),
            neighbours: Arc::new([]),
        }
    }
}
