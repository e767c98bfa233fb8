//! The daemon as a value: [`start()`] it, ask for its address, reload it, stop it.
//!
//! It never touches signals, so that tests and the demo embed it. The parts talk over bounded queues:
//! `schedule` → observations → event loop → journal → relay → channels; pages and metrics read the last snapshot.

mod acme;
mod agenda;
mod agents;
mod answers;
mod beacons;
mod budget;
mod calls;
mod certificates;
mod contacts;
mod contract;
mod delivery;
mod descriptors;
mod distress;
mod edit_wishes;
mod editing;
mod event_loop;
mod inbox;
mod manager;
mod pages;
mod progress;
mod relay;
mod reload;
mod replies;
mod shared;
mod signals;
mod start;
mod supervise;
mod task;
mod trunks;
mod watchdog;
mod wishes;

pub use descriptors::raise as raise_descriptors;
pub use manager::tell as tell_service_manager;
pub use signals::{Signal, Signals};
pub use start::start;
pub use supervise::Broken;
pub use task::Task;

use crate::{
    config::Config,
    journal,
    model::Snapshot,
    probe::Prober,
    request::{Done, Refused, Request},
    rights::{By, Invite, Register, Role, Wish},
    schedule::ProbeFn,
    web,
};
use secrecy::SecretString;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use supervise::Supervisor;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How long each step of stopping may take; all together stay under 5 s.
const STOP_STEP: Duration = Duration::from_secs(1);
/// How long workers may take to tear down what is open at the cameras.
const STOP_WORKERS: Duration = Duration::from_millis(2500);

/// Reads the configuration anew. The error is for anybody who asks over HTTP, so it quotes nothing of the files; what is
/// wrong in full goes wherever the loader writes it.
pub type Loader = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// What the daemon is built from, besides its configuration.
#[derive(Clone)]
pub struct Parts {
    /// How cameras are looked at.
    pub probing: Probing,
    /// How a reload reads the configuration.
    pub loader: Loader,
}

/// How cameras are looked at.
#[derive(Clone)]
pub enum Probing {
    /// For real; the path is this program, which is started again as worker processes.
    Real(PathBuf),
    /// By a function, for simulations.
    Simulated(ProbeFn),
}

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}; change [web] listen, or stop what holds that port")]
    Listen(SocketAddr, std::io::Error),
    /// The address at which an authority asks for its proof is taken or not ours.
    #[error(
        "cannot listen on {0} for the authority's questions: {1}; change [web.acme] listen, or stop what holds that port"
    )]
    Plain(SocketAddr, std::io::Error),
    /// Where the authority's certificate is kept cannot be written.
    #[error("cannot keep a certificate in {0}: {1}; change [web.acme] folder, or let the daemon's user write there")]
    Acme(std::path::PathBuf, std::io::Error),
    /// The journal cannot be opened.
    #[error("{0}")]
    Journal(#[from] journal::Error),
    /// The certificate of the pages cannot be used.
    #[error("{0}; correct [web] certificate and key")]
    Certificate(#[from] web::Unusable),
    /// No HTTP client could be made.
    #[error("no HTTP client for alerts: {0}")]
    Http(#[from] reqwest::Error),
}

/// A running daemon. Dropping it stops it without the care that [`Running::stop`] takes.
pub struct Running {
    address: SocketAddr,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::Sender<web::Asked>,
    stop: CancellationToken,
    prober: Option<Arc<Prober>>,
    supervisor: Supervisor,
    journal: watch::Receiver<journal::Condition>,
    configs: watch::Receiver<Arc<Config>>,
    register: watch::Receiver<Arc<Register>>,
}

impl Running {
    /// Where pages and metrics are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same for a browser on this machine.
    pub fn place(&self) -> String {
        format!("{}://{}", self.configs.borrow().web.scheme(), self.address)
    }

    /// The fleet as it stands, now and whenever it changes.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Reads the configuration anew. A bad one is refused, and the old one goes on; so is one that takes much away,
    /// unless it is forced.
    pub async fn reload(&self, force: bool) -> Result<(), Refused> {
        self.ask(Request::Reload { force }).await.map(|_| ())
    }

    async fn ask(&self, request: Request) -> Result<Done, Refused> {
        let (answer, answered) = oneshot::channel();
        // waits: signals -> event_loop
        self.requests.send(web::Asked { request, by: By::machine(), answer }).await.map_err(|_| Refused::Stopping)?;
        answered.await.unwrap_or(Err(Refused::Stopping))
    }

    /// Whether visitors must sign in, and nobody can yet who keeps accounts.
    pub fn awaits_administrator(&self) -> bool {
        self.configs.borrow().web.sign_in && !self.register.borrow().has_administrator()
    }

    /// While nobody can sign in who keeps accounts: the path of a link, good once and for a day, by which the first
    /// administrator chooses a password.
    pub async fn first_administrator(&self) -> Option<SecretString> {
        if !self.awaits_administrator() {
            return None;
        }
        let (path, id) = web::invitation();
        let (name, full_name) = ("admin".to_owned(), "Quản trị".to_owned());
        let invite = Invite { name, full_name, role: Role::Administrator, again: true, areas: None, openid: None };
        self.ask(Request::People(Wish::Invite(invite, id))).await.ok()?;
        Some(path)
    }

    /// The configuration that runs: that of the start, or of the last reload that was taken over.
    pub fn config(&self) -> Config {
        (**self.configs.borrow()).clone()
    }

    /// Waits until a task ends that must not: then the daemon is to be stopped and started anew.
    pub async fn broken(&self) -> Broken {
        let mut broken = self.supervisor.broken();
        let broken = broken.wait_for(Option::is_some).await.ok().and_then(|broken| broken.clone());
        match broken {
            Some(broken) => broken,
            // The supervisor, which we hold, sends.
            None => std::future::pending().await,
        }
    }

    /// Waits until the journal, of which nothing could be read at the start, can be read: then the daemon is to be
    /// stopped and started anew, which knows what stands in it.
    pub async fn outdated(&self) {
        let mut journal = self.journal.clone();
        if journal.wait_for(|journal| journal.outdated).await.is_err() {
            // A journal that is gone is told by `broken`.
            std::future::pending().await
        }
    }

    /// Stops in order, each step bounded: no new looks, open sessions at cameras torn down, what was seen written.
    pub async fn stop(mut self) {
        tracing::info!("stopping");
        self.stop.cancel();
        self.supervisor.ended(Task::Schedule, STOP_STEP).await;
        if let Some(prober) = &self.prober {
            prober.pool().stop(STOP_WORKERS).await;
        }
        // The runner is gone and with it the queue's only sender: the loop ends when it has taken in the rest.
        self.supervisor.ended(Task::EventLoop, STOP_STEP).await;
        self.supervisor.ended(Task::Relay, STOP_STEP / 4).await;
        // Pages that listen for events never end by themselves.
        self.supervisor.ended(Task::Web, STOP_STEP / 4).await;
        // The others only wait, for the most part for others' servers.
        self.supervisor.abort();
        tracing::info!("stopped");
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod shell_tests;

#[cfg(test)]
mod editing_tests;
