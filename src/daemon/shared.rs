//! What the daemon's tasks share.

use super::{contacts::Contacts, progress::Progress, supervise::Health};
use crate::{
    clock::Clock, config::Config, deliver::Means, journal::Journal, metrics::Own, model::Snapshot, monitor::Event,
    outbox, rights::Register, uptime::Recorder, web,
};
use secrecy::SecretSlice;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How channels fare, for all that tell them something.
pub(super) type Failures = Arc<Mutex<outbox::Failures>>;

/// What looks measured and is not yet in the journal: the loop fills it, and pages look at one camera's. Neither holds it
/// for longer than that.
pub(super) type Measured = Arc<Mutex<Recorder>>;

/// What tasks share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    /// What channels work with.
    pub(super) means: Means,
    pub(super) own: Arc<Own>,
    pub(super) journal: Journal,
    /// Signs the links by which people take incidents on.
    pub(super) key: Arc<SecretSlice<u8>>,
    pub(super) stop: CancellationToken,
    pub(super) progress: Progress,
    pub(super) health: Health,
    /// The configuration that runs. A reload swaps it as a whole, so nobody sees half of a new one.
    pub(super) configs: watch::Receiver<Arc<Config>>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Accounts, and what people are known by.
    pub(super) register: watch::Receiver<Arc<Register>>,
    /// What people ask for.
    pub(super) requests: mpsc::Sender<web::Asked>,
    /// What beacons and channels report.
    pub(super) news: mpsc::Sender<Event>,
    /// How the channels fare.
    pub(super) failures: Failures,
    /// What looks measured and is not yet in the journal.
    pub(super) measured: Measured,
    /// What was heard of agents.
    pub(super) contacts: Contacts,
}
