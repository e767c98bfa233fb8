//! Puts the daemon together: first whatever can fail, then each task by a function of its own.

use super::{
    Error, Parts, Probing, Running, acme, agents, beacons, certificates,
    contacts::Contacts,
    contract, distress, event_loop, pages,
    progress::Progress,
    relay::{self, TellFn},
    replies,
    shared::{Failures, Measured, Shared},
    supervise::{Health, Supervisor},
    task::Task,
    trunks, watchdog,
};
use crate::{
    clock::Clock,
    config::Config,
    deliver,
    edits::Edits,
    journal::{self, Journal},
    metrics::Own,
    model::{Observer, Restored},
    monitor::Monitor,
    probe::{Look, Pool, Prober},
    request,
    rights::{Chain, Register},
    schedule::{self, Found, ProbeFn, Pulse},
    web,
};
use futures_util::{StreamExt, stream};
use secrecy::SecretSlice;
use std::sync::Arc;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, watch},
};
use tokio_util::sync::CancellationToken;

/// Observations on their way to the event loop.
const OBSERVATIONS: usize = 256;

/// Starts everything. When this returns, pages are served and the first looks are planned.
pub async fn start(config: Config, clock: Clock, parts: Parts) -> Result<Running, Error> {
    Ok(begin(config, clock, parts, relay::real).await?.0)
}

/// The same with other channels than real ones; its journal too.
pub(super) async fn begin(
    config: Config,
    clock: Clock,
    parts: Parts,
    channels: impl FnOnce(&Shared) -> TellFn,
) -> Result<(Running, Journal), Error> {
    let Opened { listener, keyring, plain, means, journal, key, restored, register, chain, edits } =
        open(&config, &clock).await?;
    let config = laid(config, &edits).await;
    let address = listener.local_addr().map_err(|error| Error::Listen(config.web.listen, error))?;
    let now = clock.now();
    let seed = now.as_nanosecond() as u64;
    let looks = schedule::Plan::new(
        config.schedule.clone(),
        &config.fleet.seen_by(&Observer::Daemon),
        &restored.logins,
        now,
        seed,
    );
    let marks = restored.agents.clone();
    let (mut monitor, effects) =
        Monitor::new(config.fleet.clone(), event_loop::monitor_settings(&config), restored, now);

    let (stop, own) = (CancellationToken::new(), own(&config, &clock));
    let progress = Progress::new(journal.condition());
    let mut supervisor = Supervisor::new(own.clone(), stop.clone());
    let health = Health { broken: supervisor.broken(), progress: progress.clone() };
    let (swap, configs) = watch::channel(Arc::new(config));
    let (publish, snapshots) = watch::channel(Arc::new(monitor.snapshot(now)));
    let (requests, asked) = mpsc::channel(16);
    let (news, reported) = mpsc::channel(64);
    let failures = Failures::default();
    let (registers, register) = watch::channel(Arc::new(register));
    let shared = Shared {
        clock,
        means,
        own,
        journal,
        key,
        stop,
        progress,
        health,
        configs,
        snapshots,
        register,
        requests,
        news,
        failures,
        measured: Measured::default(),
        contacts: Contacts::default(),
    };

    let (probe, prober) = probing(&shared, parts.probing);
    let Watching { found, asks, pulses } = watch_cameras(&mut supervisor, &shared, looks, probe);
    let wake = Arc::new(Notify::new());
    let event_loop = event_loop::EventLoop {
        monitor,
        shared: shared.clone(),
        condition: shared.journal.condition(),
        loader: parts.loader,
        swap,
        asks,
        publish,
        wake: wake.clone(),
        prober: prober.clone(),
        pulses,
        register: registers,
        edits,
        chain,
        last_window: 0,
        windows_lately: request::Quota::new(now),
        marks,
    };
    let inputs = event_loop::Inputs { found, requests: asked, news: reported };
    supervisor.start(Task::EventLoop, event_loop.run(effects, inputs));
    tell_people(&mut supervisor, &shared, channels(&shared), wake);
    tell_of_ourselves(&mut supervisor, &shared);
    if prober.is_some() {
        let beacons = beacons::run(
            shared.clock.clone(),
            shared.snapshots.clone(),
            shared.news.clone(),
            shared.stop.child_token(),
        );
        supervisor.start(Task::Beacons, beacons);
    }
    let encryption = keyring.map(|keyring| {
        let (encryption, used) = watch::channel(keyring.server.clone());
        supervisor.start(Task::Certificates, certificates::run(shared.clone(), keyring, encryption));
        used
    });
    let ordered = shared.configs.borrow().web.acme.clone();
    if let Some((acme, plain)) = ordered.zip(plain) {
        supervisor.start(Task::Acme, acme::run(shared.clone(), acme, plain, shared.stop.child_token()));
    }
    supervisor.start(Task::Agents, agents::run(shared.clone(), shared.contacts.clone()));
    let (reckoned, clocks) = watch::channel(Arc::default());
    supervisor.start(Task::Contract, contract::run(shared.clone(), reckoned));
    supervisor.start(Task::Web, pages::serve(&shared, listener, encryption, clocks));
    let ended = shared.journal.ended();
    supervisor.start(Task::Journal, async { Err(ended.await) });
    tracing::info!(%address, "camhealth is watching");
    let Shared { journal, stop, configs, snapshots, register, requests, .. } = shared;
    let condition = journal.condition();
    Ok((
        Running { address, snapshots, requests, stop, prober, supervisor, journal: condition, configs, register },
        journal,
    ))
}

/// What a start needs of the world.
struct Opened {
    listener: TcpListener,
    keyring: Option<web::Keyring>,
    /// Where an authority asks for its proof.
    plain: Option<TcpListener>,
    means: deliver::Means,
    journal: Journal,
    key: Arc<SecretSlice<u8>>,
    restored: Restored,
    register: Register,
    chain: Chain,
    edits: Edits,
}

/// All that can fail.
async fn open(config: &Config, clock: &Clock) -> Result<Opened, Error> {
    let plain = match &config.web.acme {
        Some(acme) => {
            acme.prepare().map_err(|error| Error::Acme(acme.folder.clone(), error))?;
            let plain = TcpListener::bind(acme.listen).await;
            Some(plain.map_err(|error| Error::Plain(acme.listen, error))?)
        }
        None => None,
    };
    let keyring = config.web.tls.as_ref().map(web::Tls::read).transpose()?;
    let listen = config.web.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| Error::Listen(listen, error))?;
    let means = deliver::Means::new(crate::probe::known_by)?;
    // Where the clock was set back, the journal of before may take a moment to be closed: by tasks of this runtime.
    let (settings, now) = (config.journal.clone(), clock.now());
    let opened = tokio::task::spawn_blocking(move || Journal::open(&settings, now)).await;
    let (journal, restored) = opened.unwrap_or(Err(journal::Error::Closed))?;
    let key = Arc::new(journal.signing_key().await?);
    // One of an earlier format on a disk that cannot be written has none: cameras are watched all the same.
    let (register, chain) = journal.people().await.unwrap_or_else(|error| {
        tracing::error!(%error, "accounts cannot be read: nobody can sign in before the journal is mended");
        (Register::default(), Chain::default())
    });
    let edits = journal.edits().await.unwrap_or_else(|error| {
        tracing::error!(%error, "what was edited on pages cannot be read: what the files say holds");
        config.sheet.edits()
    });
    Ok(Opened { listener, keyring, plain, means, journal, key, restored, register, chain, edits })
}

/// The configuration with what people edited; a start anew in place goes on with one that has it already.
async fn laid(config: Config, edits: &Edits) -> Config {
    if config.sheet.edits() == *edits {
        return config;
    }
    let (files, all) = (config.clone(), edits.clone());
    match tokio::task::spawn_blocking(move || files.edited(&all)).await {
        Ok(Ok(edited)) => {
            for (item, _) in edited.sheet.idle() {
                tracing::warn!(%item, "what was edited does not fit the files: it is kept, and does not hold");
            }
            edited
        }
        failed => {
            let why = failed.map_or_else(|_| String::new(), |read| read.err().unwrap_or_default());
            tracing::error!("what was edited on pages cannot be laid over the files, which hold alone: {why}");
            config.with_idle(edits, &why)
        }
    }
}

/// What the daemon tells of itself, with a line for each channel and each way for a worker to die from the start.
fn own(config: &Config, clock: &Clock) -> Arc<Own> {
    let known = config.deliver.channels.iter().map(|(id, channel)| (id.clone(), channel.target.as_str()));
    let own = Own::new(known);
    for (id, per_day) in config.deliver.channels.iter().filter_map(|(id, channel)| Some((id, channel.per_day?))) {
        own.sms(id, 0, per_day);
    }
    own.reload(true, clock.now());
    own.set_worker_deaths(Pool::causes_of_death().map(|cause| (cause, 0)));
    Arc::new(own)
}

/// How cameras are looked at; the prober when that is for real.
fn probing(shared: &Shared, probing: Probing) -> (ProbeFn, Option<Arc<Prober>>) {
    let program = match probing {
        Probing::Simulated(probe) => return (probe, None),
        Probing::Real(program) => program,
    };
    let settings = shared.configs.borrow().probe.clone();
    let pool = Pool::new(program, settings.workers, settings.worker_memory_mib);
    let prober = Arc::new(Prober::new(settings, pool));
    let (looks, clock, own) = (prober.clone(), shared.clock.clone(), shared.own.clone());
    let probe: ProbeFn = Arc::new(move |order| {
        let (prober, clock, own) = (looks.clone(), clock.clone(), own.clone());
        Box::pin(async move {
            let look = Look { check: order.check, started: clock.now(), byte_limit: order.byte_limit };
            let observation = prober.probe(&order.camera, look).await;
            own.observe_probe(order.check, observation.took);
            observation
        })
    });
    (probe, Some(prober))
}

/// What the event loop has of the schedule.
struct Watching {
    found: mpsc::Receiver<Found>,
    asks: mpsc::Sender<Vec<crate::model::CameraId>>,
    pulses: watch::Receiver<Pulse>,
}

/// Starts the looks.
fn watch_cameras(supervisor: &mut Supervisor, shared: &Shared, looks: schedule::Plan, probe: ProbeFn) -> Watching {
    let (found, inbox) = mpsc::channel(OBSERVATIONS);
    let (asks, asked_for) = mpsc::channel(4);
    let (pulse, pulses) = watch::channel(Pulse { at: shared.clock.now(), ..Pulse::default() });
    let assignments = stream::unfold(shared.configs.clone(), async |mut configs| {
        configs.changed().await.ok()?;
        let config = configs.borrow_and_update().clone();
        let fleet = config.fleet.seen_by(&Observer::Daemon);
        Some((schedule::Assignment { settings: config.schedule.clone(), fleet }, configs))
    });
    let inputs = schedule::Inputs { assignments: assignments.boxed(), asks: asked_for };
    let (progress, own) = (shared.progress.clone(), shared.own.clone());
    let outputs = schedule::Outputs {
        found,
        pulse,
        turn: Arc::new(move || progress.turn(Task::Schedule)),
        began: Arc::new(move |delay| own.probe_began(delay)),
    };
    let runner = schedule::run(looks, shared.clock.clone(), probe, inputs, outputs, shared.stop.child_token());
    supervisor.start(Task::Schedule, async {
        runner.await;
        Ok(())
    });
    Watching { found: inbox, asks, pulses }
}

/// Starts what tells people, and what hears their answers.
fn tell_people(supervisor: &mut Supervisor, shared: &Shared, tell: TellFn, wake: Arc<Notify>) {
    let relay = relay::Relay { shared: shared.clone(), tell };
    supervisor.start(Task::Relay, relay.run(wake, shared.stop.child_token()));
    let distress = distress::Distress {
        means: shared.means.clone(),
        clock: shared.clock.clone(),
        configs: shared.configs.clone(),
        journal: shared.journal.condition(),
    };
    supervisor.start(Task::Distress, distress.run(shared.stop.child_token()));
    let ways = (shared.requests.clone(), shared.news.clone());
    let replies = replies::run(
        (shared.means.http.clone(), shared.clock.clone()),
        shared.configs.clone(),
        ways,
        shared.stop.child_token(),
    );
    supervisor.start(Task::Replies, replies);
    supervisor.start(Task::Trunks, trunks::run(shared.clone(), shared.stop.child_token()));
}

/// Starts what tells other programs that the daemon lives, and what it knows.
fn tell_of_ourselves(supervisor: &mut Supervisor, shared: &Shared) {
    let watchdog = watchdog::Watchdog { shared: shared.clone() };
    if let Some(limit) = sd_notify::watchdog_enabled() {
        supervisor.start(Task::ServiceManager, watchdog.clone().systemd(limit, shared.stop.child_token()));
    }
    supervisor.start(Task::Heartbeat, watchdog.clone().heartbeat(shared.stop.child_token()));
    supervisor.start(Task::Alertmanagers, watchdog.alertmanagers(shared.stop.child_token()));
}
