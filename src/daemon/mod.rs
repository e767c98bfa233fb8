//! The daemon as a value: [`start`] it, ask for its address, reload it, stop it.
//!
//! It never touches signals, so that tests and the demo embed it. The parts talk over bounded queues:
//! `schedule` → observations → event loop → journal → relay → channels; pages and metrics read the last snapshot.

mod agenda;
mod beacons;
mod descriptors;
mod distress;
mod event_loop;
mod progress;
mod relay;
mod reload;
mod replies;
mod signals;
mod supervise;
mod task;
mod watchdog;
mod wishes;

pub use descriptors::raise as raise_descriptors;
pub use signals::{Signal, Signals};
pub use supervise::Broken;
pub use task::Task;

use crate::{
    alert,
    clock::Clock,
    config::Plan,
    deliver, journal,
    journal::Journal,
    metrics::{self, Own},
    model::{PersonId, Snapshot},
    monitor::{self, Monitor},
    probe::{Look, Pool, Prober},
    request::{self, Refused, Request},
    schedule::{self, ProbeFn, Pulse},
    uptime, web,
};
use event_loop::DeliverSettings;
use progress::Progress;
use relay::TellFn;
use secrecy::SecretSlice;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};
use supervise::{Health, Supervisor};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, oneshot, watch},
};
use tokio_util::sync::CancellationToken;

/// How long each step of stopping may take; all together stay under 5 s.
const STOP_STEP: Duration = Duration::from_secs(1);
/// How long workers may take to tear down what is open at the cameras.
const STOP_WORKERS: Duration = Duration::from_millis(2500);
/// Observations on their way to the event loop.
const OBSERVATIONS: usize = 256;

/// Reads the configuration anew. The error is for anybody who asks over HTTP, so it quotes nothing of the files; what is
/// wrong in full goes wherever the loader writes it.
pub type Loader = Arc<dyn Fn() -> Result<Plan, String> + Send + Sync>;

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
    /// The journal cannot be opened.
    #[error("{0}")]
    Journal(#[from] journal::Error),
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
    plan: watch::Receiver<Arc<Plan>>,
}

/// Starts everything. When this returns, pages are served and the first looks are planned.
pub async fn start(plan: Plan, clock: Clock, parts: Parts) -> Result<Running, Error> {
    Ok(begin(plan, clock, parts, relay::real).await?.0)
}

/// The same with other channels than real ones; its journal too.
async fn begin(
    plan: Plan,
    clock: Clock,
    parts: Parts,
    channels: impl FnOnce(reqwest::Client, Clock, watch::Receiver<DeliverSettings>, Arc<SecretSlice<u8>>) -> TellFn,
) -> Result<(Running, Journal), Error> {
    // All that can fail comes first.
    let listen = plan.web.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| Error::Listen(listen, error))?;
    let address = listener.local_addr().map_err(|error| Error::Listen(listen, error))?;
    let http = deliver::http_client()?;
    let now = clock.now();
    // Where the clock was set back, the journal of before may take a moment to be closed: by tasks of this runtime.
    let settings = plan.journal.clone();
    let opened = tokio::task::spawn_blocking(move || Journal::open(&settings, now)).await;
    let (journal, restored) = opened.unwrap_or(Err(journal::Error::Closed))?;
    let key = Arc::new(journal.signing_key().await?);

    let stop = CancellationToken::new();
    let known = plan.deliver.channels.iter().map(|(id, channel)| (id.clone(), channel.target.as_str()));
    let own = Arc::new(Own::new(known));
    own.reload(true, now);
    own.set_worker_deaths(Pool::causes_of_death().map(|cause| (cause, 0)));
    let (probe, prober) = probing(&plan, &clock, &own, parts.probing);
    let (found, inbox) = mpsc::channel(OBSERVATIONS);
    let progress = Progress::new(journal.condition());
    let assignment = schedule::Assignment { settings: plan.schedule.clone(), fleet: plan.fleet.clone() };
    let (assignments, assigned) = watch::channel(assignment);
    let (asks, asked_for) = mpsc::channel(4);
    let (pulse, pulses) = watch::channel(Pulse { at: now, ..Pulse::default() });
    let seed = now.as_nanosecond() as u64;
    let looks = schedule::Plan::new(plan.schedule.clone(), &plan.fleet, &restored.logins, now, seed);
    let inputs = schedule::Inputs { assignments: assigned, asks: asked_for };
    let turned = progress.clone();
    let delays = own.clone();
    let outputs = schedule::Outputs {
        found,
        pulse,
        turn: Arc::new(move || turned.turn(Task::Schedule)),
        began: Arc::new(move |delay| delays.probe_began(delay)),
    };
    let runner = schedule::run(looks, clock.clone(), probe, inputs, outputs, stop.child_token());

    let real = prober.is_some();
    let policies = event_loop::monitor_settings(&plan);
    let (mut monitor, effects) = Monitor::new(plan.fleet.clone(), policies, restored, now);
    let (publish, snapshots) = watch::channel(Arc::new(monitor.snapshot(now)));
    let (settings, deliver_settings) = watch::channel(Arc::new(event_loop::Telling::of(&plan)));
    let (requests, asked) = mpsc::channel(16);
    let (news, reported) = mpsc::channel::<monitor::Event>(64);
    let uptime = plan.uptime.clone();
    let (named, limits) = (plan.web.hosts.clone(), descriptors::limits(&plan));
    let plan = Arc::new(plan);
    let (taken_over, runs) = watch::channel(plan.clone());
    let roster = Arc::new(std::sync::RwLock::new(plan.alert.people.clone()));
    let wake = Arc::new(Notify::new());
    let event_loop = event_loop::EventLoop {
        monitor,
        clock: clock.clone(),
        condition: journal.condition(),
        journal: journal.clone(),
        own: own.clone(),
        plan,
        taken_over,
        roster: roster.clone(),
        loader: parts.loader,
        assignments,
        asks,
        settings,
        publish,
        wake: wake.clone(),
        prober: prober.clone(),
        pulses,
        progress: progress.clone(),
        last_window: 0,
        windows_lately: request::Quota::new(now),
    };
    let inputs = event_loop::Inputs { found: inbox, requests: asked, news: reported };
    let event_loop = event_loop.run(effects, inputs);
    let failures = relay::Failures::default();
    let relay = relay::Relay {
        journal: journal.clone(),
        clock: clock.clone(),
        own: own.clone(),
        settings: deliver_settings.clone(),
        tell: channels(http.clone(), clock.clone(), deliver_settings.clone(), key.clone()),
        news: news.clone(),
        failures: failures.clone(),
        progress: progress.clone(),
    };
    let relay = relay.run(wake, stop.child_token());
    let mut supervisor = Supervisor::new(own.clone(), stop.clone());
    let health = Health { broken: supervisor.broken(), progress };
    let distress = distress::Distress {
        http: http.clone(),
        clock: clock.clone(),
        settings: deliver_settings.clone(),
        journal: journal.condition(),
    };
    supervisor.start(Task::Distress, distress.run(stop.child_token()));
    let watchdog = watchdog::Watchdog {
        http: http.clone(),
        clock: clock.clone(),
        own: own.clone(),
        settings: deliver_settings.clone(),
        snapshots: snapshots.clone(),
        health: health.clone(),
        failures,
        news: news.clone(),
    };
    if let Some(limit) = sd_notify::watchdog_enabled() {
        supervisor.start(Task::ServiceManager, watchdog.clone().systemd(limit, stop.child_token()));
    }
    supervisor.start(Task::Heartbeat, watchdog.clone().heartbeat(stop.child_token()));
    supervisor.start(Task::Alertmanagers, watchdog.alertmanagers(stop.child_token()));
    let names = roster.clone();
    let by_channel = move || names_by_channel(&names.read().unwrap_or_else(PoisonError::into_inner));
    let replies = replies::run(http, deliver_settings.clone(), by_channel, requests.clone(), stop.child_token());
    supervisor.start(Task::Replies, replies);
    if real {
        let beacons = beacons::run(clock.clone(), snapshots.clone(), news, stop.child_token());
        supervisor.start(Task::Beacons, beacons);
    }

    let (renderer, plans) = (metrics::Renderer::default(), runs.clone());
    let (render_own, watching, linked) = (own.clone(), health.clone(), deliver_settings.clone());
    let router = web::router(web::State {
        snapshots: snapshots.clone(),
        metrics: Arc::new(move |snapshot| {
            render_own.set_watching(watching.check().is_ok());
            renderer.render(snapshot, &render_own, plans.borrow().metrics)
        }),
        channels: Arc::new({
            let own = own.clone();
            move || serde_json::to_value(own.channels()).unwrap_or_default()
        }),
        signer: Arc::new(move |incident, round, person, signature| {
            let signed = deliver::sign::is_signed(&key, incident, round, person, signature);
            let roster = roster.read().unwrap_or_else(PoisonError::into_inner);
            signed.then(|| roster.get(person).map_or_else(|| person.to_owned(), |known| known.name.clone()))
        }),
        reporter: reporter(journal.clone(), clock.clone(), snapshots.clone(), uptime),
        hosts: web::Hosts::new(&named, move || linked.borrow().deliver.page.as_ref()?.host_str().map(str::to_owned)),
        requests: requests.clone(),
        healthy: Arc::new({
            let health = health.clone();
            move || health.check()
        }),
        ready: Arc::new({
            let stop = stop.clone();
            move || if stop.is_cancelled() { Err("it is stopping".to_owned()) } else { health.check() }
        }),
    });
    let stopped = stop.child_token();
    let web = async move {
        web::serve(web::tuned(listener), router, limits, stopped).await;
        Ok(())
    };
    let journal_ended = journal.ended();
    supervisor.start(Task::Journal, async { Err(journal_ended.await) });
    supervisor.start(Task::EventLoop, event_loop);
    supervisor.start(Task::Relay, relay);
    supervisor.start(Task::Web, web);
    supervisor.start(Task::Schedule, async {
        runner.await;
        Ok(())
    });
    tracing::info!(%address, "camhealth is watching");
    let condition = journal.condition();
    Ok((Running { address, snapshots, requests, stop, prober, supervisor, journal: condition, plan: runs }, journal))
}

/// Works out uptime reports from the journal, for the fleet as it is now.
fn reporter(
    journal: Journal,
    clock: Clock,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    settings: uptime::Settings,
) -> web::report::Reporter {
    Arc::new(move |month| {
        let (journal, clock, settings) = (journal.clone(), clock.clone(), settings.clone());
        let fleet = snapshots.borrow().fleet.clone();
        Box::pin(async move {
            let now = clock.now();
            let (from, until) = uptime::reach(&fleet, month, now);
            let history = journal.history(from, until).await.map_err(|error| error.to_string())?;
            let work = move || uptime::of_month(&fleet, &history, month, &settings, now);
            tokio::task::spawn_blocking(work).await.map_err(|_| "working it out failed inside camhealth".to_owned())
        })
    })
}

/// The name of the first person whom each channel reaches.
fn names_by_channel(people: &BTreeMap<PersonId, alert::Person>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for person in people.values() {
        for channel in &person.channels {
            names.entry(channel.to_string()).or_insert_with(|| person.name.clone());
        }
    }
    names
}

fn probing(plan: &Plan, clock: &Clock, own: &Arc<Own>, probing: Probing) -> (ProbeFn, Option<Arc<Prober>>) {
    let program = match probing {
        Probing::Simulated(probe) => return (probe, None),
        Probing::Real(program) => program,
    };
    let settings = plan.probe.clone();
    let pool = Pool::new(program, settings.workers, settings.worker_memory_mib);
    let prober = Arc::new(Prober::new(settings, pool));
    let (shared, clock, own) = (prober.clone(), clock.clone(), own.clone());
    let probe: ProbeFn = Arc::new(move |order| {
        let (prober, clock, own) = (shared.clone(), clock.clone(), own.clone());
        Box::pin(async move {
            let look = Look { check: order.check, started: clock.now(), byte_limit: order.byte_limit };
            let observation = prober.probe(&order.camera, look).await;
            own.observe_probe(order.check, observation.took);
            observation
        })
    });
    (probe, Some(prober))
}

impl Running {
    /// Where pages and metrics are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The fleet as it stands, now and whenever it changes.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Reads the configuration anew. A bad one is refused, and the old one goes on; so is one that takes much away,
    /// unless it is forced.
    pub async fn reload(&self, force: bool) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        let asked = web::Asked { request: Request::Reload { force }, answer };
        // waits: signals -> event_loop
        self.requests.send(asked).await.map_err(|_| Refused::Stopping)?;
        answered.await.unwrap_or(Err(Refused::Stopping)).map(|_| ())
    }

    /// The configuration that runs: that of the start, or of the last reload that was taken over.
    pub fn plan(&self) -> Plan {
        (**self.plan.borrow()).clone()
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
