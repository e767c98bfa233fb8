//! The agent as a whole: looks by the plan that it was given last, whether the daemon can be reached or not.

use super::{
    alarm::Contact,
    identity::Identity,
    line::Line,
    plan::{kept_plan, taken_over},
    store::Store,
    telling,
    ticks::Ticks,
};
use crate::{
    clock::Clock,
    config::Config,
    model::{AgentPlan, LinkId, Observer},
    probe::{Look, Pool, Prober},
    schedule::{self, Found, ProbeFn, Pulse},
};
use futures_util::{StreamExt, stream};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Looks that wait to be written, and how long they wait for others unless one of them is new.
const QUEUE: usize = 256;
const GATHER: Duration = Duration::from_millis(200);
/// How often it is looked whether too much is held.
const BOUND_EVERY: Duration = Duration::from_secs(60);

/// Why an agent ends.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Nothing can be held in its folder.
    #[error("nothing can be held in the agent's folder: {0}")]
    Disk(String),
}

/// Runs until `stop`. `program` is this program, which is started again as worker processes.
pub async fn run(
    folder: PathBuf,
    identity: Identity,
    program: PathBuf,
    stop: CancellationToken,
) -> Result<(), Trouble> {
    let disk = |error: rusqlite::Error| Trouble::Disk(error.to_string());
    let store = Store::open(&folder, &identity.print()).map_err(disk)?;
    let store = Arc::new(Mutex::new(store));
    let link = LinkId::from(identity.link.as_str());
    let (plan, plans) = watch::channel(kept_plan(&folder).map(Arc::new));
    let news = Arc::new(Notify::new());
    let (started, (contact, heard), (count, alarms)) =
        (Instant::now(), watch::channel(Contact::default()), watch::channel(0));
    let line = Line {
        identity,
        store: store.clone(),
        clock: Clock::system(),
        news: news.clone(),
        plan,
        started,
        contact,
        alarms,
    };
    let line = tokio::spawn(line.run(stop.child_token()));
    let (mut first, mut configs) = (plans.clone(), None);
    // Before the first plan there is nothing to look at.
    while configs.is_none() {
        let planned = first.borrow_and_update().clone();
        configs = planned.and_then(|plan| taken_over(&folder, &plan));
        if configs.is_none() {
            tokio::select! {
                () = stop.cancelled() => break,
                changed = first.changed() => if changed.is_err() { break },
            }
        }
    }
    let outcome = match configs {
        Some(config) => {
            // What is seen is handed to whoever judges it here, where there is a channel to tell by.
            let (held, looks) = mpsc::channel(QUEUE);
            let channel = telling::channel(&config);
            let (current, configs) = watch::channel(config);
            let held = channel.as_ref().map(|_| held);
            let parts = Parts { program, store, news, held, current };
            let looking = look(&folder, first, &link, parts, &stop);
            match channel {
                None => looking.await,
                Some(channel) => {
                    tracing::info!(
                        kind = channel.target.as_str(),
                        "what is blind while the daemon cannot be reached is told here"
                    );
                    let inputs = telling::Inputs { looks, configs, contact: heard, count };
                    let telling = telling::run(&folder, channel, started, inputs, stop.child_token());
                    let (looked, ()) = tokio::join!(looking, telling);
                    looked
                }
            }
        }
        None => Ok(()),
    };
    stop.cancel();
    let _ = line.await;
    outcome
}

/// What looking needs beside a plan.
struct Parts {
    program: PathBuf,
    store: Arc<Mutex<Store>>,
    news: Arc<Notify>,
    /// Where looks go that are on the disk, if anybody judges them here.
    held: Option<mpsc::Sender<telling::Held>>,
    /// The configuration that is in force.
    current: watch::Sender<Arc<Config>>,
}

/// Looks at cameras and holds what was seen.
async fn look(
    folder: &Path,
    plans: watch::Receiver<Option<Arc<AgentPlan>>>,
    link: &LinkId,
    Parts { program, store, news, held, current }: Parts,
    stop: &CancellationToken,
) -> Result<(), Trouble> {
    let (clock, config) = (Clock::system(), current.borrow().clone());
    let current = Arc::new(current);
    let pool = Pool::new(program, config.probe.workers, config.probe.worker_memory_mib);
    let prober = Arc::new(Prober::new(config.probe.clone(), pool));
    let (looks, at) = (prober.clone(), clock.clone());
    let probe: ProbeFn = Arc::new(move |order| {
        let (prober, clock) = (looks.clone(), at.clone());
        Box::pin(async move {
            let look = Look { check: order.check, started: clock.now(), byte_limit: order.byte_limit };
            prober.probe(&order.camera, look).await
        })
    });
    let mut steps = clock.steps();
    loop {
        // All that is due was planned by the time that was; where that is set back it is planned anew.
        let part = stop.child_token();
        let logins = store.lock().unwrap_or_else(PoisonError::into_inner).logins();
        let logins = logins.map_err(|error| Trouble::Disk(error.to_string()))?;
        let now = clock.now();
        let fleet = config.fleet.seen_by(&Observer::Agent(link.clone()));
        let seed = now.as_nanosecond() as u64;
        let plan = schedule::Plan::new(config.schedule.clone(), &fleet, &logins, now, seed);
        let (found, seen) = mpsc::channel(QUEUE);
        // Nobody asks an agent for a look out of turn.
        let (_asks, asked) = mpsc::channel(1);
        let (pulse, _) = watch::channel(Pulse { at: now, ..Pulse::default() });
        let (of, link, swap) = (folder.to_owned(), link.clone(), current.clone());
        let assignments = stream::unfold(plans.clone(), move |mut plans| {
            let (folder, link, swap) = (of.clone(), link.clone(), swap.clone());
            async move {
                loop {
                    plans.changed().await.ok()?;
                    let plan = plans.borrow_and_update().clone();
                    if let Some(config) = plan.and_then(|plan| taken_over(&folder, &plan)) {
                        swap.send_replace(config.clone());
                        let (settings, fleet) =
                            (config.schedule.clone(), config.fleet.seen_by(&Observer::Agent(link.clone())));
                        return Some((schedule::Assignment { settings, fleet }, plans));
                    }
                }
            }
        });
        let inputs = schedule::Inputs { assignments: assignments.boxed(), asks: asked };
        let outputs = schedule::Outputs { found, pulse, turn: Arc::new(|| {}), began: Arc::new(|_| {}) };
        let runner = schedule::run(plan, clock.clone(), probe.clone(), inputs, outputs, part.clone());
        let holding = hold(seen, (store.clone(), news.clone(), held.clone()), clock.clone());
        let ended = tokio::select! {
            (_, held) = async { tokio::join!(runner, holding) } => Some(held),
            by = steps.set_back() => {
                tracing::warn!(?by, "the clock was set back: planning anew");
                part.cancel();
                None
            }
        };
        match ended {
            Some(held) => {
                prober.pool().stop(Duration::from_secs(2)).await;
                return held;
            }
            None => continue,
        }
    }
}

/// Writes what is seen, until nobody looks any more.
async fn hold(
    mut seen: mpsc::Receiver<Found>,
    (store, news, judged): (Arc<Mutex<Store>>, Arc<Notify>, Option<mpsc::Sender<telling::Held>>),
    clock: Clock,
) -> Result<(), Trouble> {
    let mut bound_at = tokio::time::Instant::now();
    let mut found = Vec::new();
    loop {
        if seen.recv_many(&mut found, QUEUE).await == 0 {
            return Ok(());
        }
        // What comes together is written together: each write is one of the disk's.
        tokio::time::sleep(GATHER).await;
        while let Ok(more) = seen.try_recv() {
            found.push(more);
        }
        let bound = bound_at.elapsed() >= BOUND_EVERY;
        if bound {
            bound_at = tokio::time::Instant::now();
        }
        let (all, store, wall) = (std::mem::take(&mut found), store.clone(), clock.now());
        let write = move || {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut looks, ticks) = (Vec::new(), Ticks::now());
            for one in all {
                match one {
                    Found::Seen(camera, seen) => looks.push((camera, seen)),
                    Found::Login(record) => store.keep_login(&record)?,
                }
            }
            let any = store.put(&looks, (&ticks, wall))?;
            if bound {
                let gone = store.bound((&ticks, wall))?;
                if gone > 0 {
                    tracing::warn!(
                        gone,
                        "too much waits for the daemon: the oldest looks that say nothing new are given up"
                    );
                }
            }
            Ok::<_, rusqlite::Error>((any, looks, store.last()))
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(Ok((any, looks, last))) => {
                if any {
                    news.notify_one();
                }
                if let Some(judged) = judged.as_ref().filter(|_| !looks.is_empty()) {
                    // Whoever is too slow for this misses a look and sees the next.
                    let _ = judged.try_send((looks, last));
                }
            }
            Ok(Err(error)) => return Err(Trouble::Disk(error.to_string())),
            Err(error) => return Err(Trouble::Disk(error.to_string())),
        }
    }
}
