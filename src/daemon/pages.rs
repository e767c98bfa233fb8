//! The daemon's pages and metrics: what they show and ask comes from its other parts.

use super::{contract, descriptors, shared::Shared, supervise::Outcome};
use crate::{
    agent::Code,
    alert::turns,
    config::{Config, Slices},
    deliver, metrics,
    model::{AgentPlan, CameraId, Grain, LinkId, PersonId, Sought, Timeline, elapsed},
    rights::{Bounds, Reach},
    uptime, web,
};
use futures_util::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

const FAILED: &str = "working it out failed inside camhealth";

/// Serves until the daemon stops.
pub(super) fn serve(
    shared: &Shared,
    listener: TcpListener,
    encryption: Option<web::Encryption>,
    clocks: Clocks,
) -> impl Future<Output = Outcome> + Send + use<> {
    let ((router, at_hand), limits) =
        (web::pages(state(shared, clocks)), descriptors::limits(&shared.configs.borrow()));
    let stopped = shared.stop.child_token();
    async move {
        tokio::select! {
            () = web::serve(web::tuned(listener), router, limits, encryption, stopped) => {}
            () = at_hand => {}
        }
        Ok(())
    }
}

fn state(shared: &Shared, clocks: Clocks) -> web::State {
    let Shared { own, configs, health, stop, key, .. } = shared.clone();
    let (hosts, renderer) = (shared.configs.borrow().web.hosts.clone(), metrics::Renderer::default());
    let linked = shared.configs.clone();
    web::State {
        snapshots: shared.snapshots.clone(),
        metrics: Arc::new({
            let (own, configs, health) = (own.clone(), configs.clone(), health.clone());
            move |snapshot| {
                own.set_watching(health.check().is_ok());
                renderer.render(snapshot, &own, configs.borrow().metrics)
            }
        }),
        channels: Arc::new(move || serde_json::to_value(own.channels()).unwrap_or_default()),
        signer: Arc::new(move |incident, round, person, signature| {
            let signed = deliver::sign::is_signed(&key, incident, round, person, signature);
            let config = configs.borrow();
            let name = || config.alert.people.get(person).map_or_else(|| person.to_owned(), |known| known.name.clone());
            signed.then(name)
        }),
        reporter: reporter(shared),
        past: past(shared),
        incidents: incidents(shared, clocks),
        access: access(shared),
        sheet: Arc::new({
            let configs = shared.configs.clone();
            move || configs.borrow().sheet.clone()
        }),
        owner: owner(shared),
        turns: turns(shared),
        agents: agents(shared),
        hosts: web::Hosts::new(&hosts, move || linked.borrow().deliver.page.as_ref()?.host_str().map(str::to_owned)),
        requests: shared.requests.clone(),
        healthy: Arc::new({
            let health = health.clone();
            move || health.check()
        }),
        ready: Arc::new(move || if stop.is_cancelled() { Err("it is stopping".to_owned()) } else { health.check() }),
    }
}

/// How long the files of a configuration are held as they were read, after an agent's plan was last cut from them: agents ask
/// together after a reload, and a large fleet's take tens of megabytes.
const HELD: Duration = Duration::from_secs(60);

/// The plans of agents by one configuration.
struct Plans {
    of: Arc<Config>,
    /// Its files, and when a plan was last cut from them.
    slices: Option<(Slices, Timestamp)>,
    plans: BTreeMap<LinkId, Arc<AgentPlan>>,
}

impl Plans {
    fn plan(&mut self, now: Timestamp, agent: &LinkId) -> Option<Arc<AgentPlan>> {
        self.slices.take_if(|(_, used)| elapsed(now, *used) > HELD);
        if let Some(plan) = self.plans.get(agent) {
            return Some(plan.clone());
        }
        let (slices, used) = self.slices.get_or_insert_with(|| (Slices::of(&self.of), now));
        *used = now;
        let plan = Arc::new(slices.slice(&self.of, agent)?);
        self.plans.insert(agent.clone(), plan.clone());
        Some(plan)
    }
}

/// What is known of agents, and what each is to do. A plan is worked out once for each configuration.
fn agents(shared: &Shared) -> web::Agents {
    let (contacts, clock, configs) = (shared.contacts.clone(), shared.clock.clone(), shared.configs.clone());
    let now = clock.clone();
    let (own, kept) = (shared.own.clone(), Mutex::new(None::<Plans>));
    web::Agents {
        plan: Arc::new(move |agent| {
            let config = configs.borrow().clone();
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if !kept.as_ref().is_some_and(|plans| Arc::ptr_eq(&plans.of, &config)) {
                *kept = Some(Plans { of: config, slices: None, plans: BTreeMap::new() });
            }
            kept.as_mut()?.plan(now.now(), agent)
        }),
        heard: Arc::new(move |agent, message| contacts.heard(clock.now(), agent, message)),
        doubted: Arc::new(move |why| own.agents.refused(why)),
        code: Arc::new({
            let configs = shared.configs.clone();
            move || {
                let code = Code::of(&configs.borrow(), None)?;
                Some(Box::new(move |secret: &str| Code { code: secret.to_owned(), ..code.clone() }.written()))
            }
        }),
    }
}

/// How incidents stand under the contract.
type Clocks = watch::Receiver<Arc<uptime::Clocks>>;

/// Who is on when, in each rotation.
fn turns(shared: &Shared) -> Arc<dyn Fn(Timestamp, Timestamp) -> Vec<web::Turn> + Send + Sync> {
    let configs = shared.configs.clone();
    Arc::new(move |from, until| {
        let config = configs.borrow().clone();
        let (alert, zone) = (&config.alert, &config.fleet.commune.timezone);
        let name = |id: &PersonId| alert.people.get(id).map_or_else(|| id.to_string(), |person| person.name.clone());
        let turns = turns::turns(alert, from, until, zone).into_iter().map(|turn| web::Turn {
            rotation: turn.rotation,
            person: name(&turn.shift.person),
            person_id: turn.shift.person.to_string(),
            from: turn.shift.from,
            until: turn.shift.until,
            stands_in: turn.shift.stands_in,
            gap: turn.gap,
        });
        turns.collect()
    })
}

/// Who lends a camera, from the file that says so, each time anew.
fn owner(shared: &Shared) -> web::OwnerFn {
    let configs = shared.configs.clone();
    Arc::new(move |camera| {
        let owners = configs.borrow().owners.clone();
        let read = async move {
            let Some(owners) = owners else { return Ok(None) };
            tokio::task::spawn_blocking(move || owners.of(&camera)).await.map_err(|_| FAILED.to_owned())?
        };
        read.boxed()
    })
}

/// Who may visit.
fn access(shared: &Shared) -> web::Access {
    let (clock, journal) = (shared.clock.clone(), shared.journal.clone());
    web::Access {
        register: shared.register.clone(),
        sign_in: shared.configs.borrow().web.sign_in,
        key: shared.key.clone(),
        now: Arc::new(move || clock.now()),
        audit: Arc::new(move |before, most| {
            let journal = journal.clone();
            Box::pin(async move { journal.audit(before, most).await.map_err(|error| error.to_string()) })
        }),
        throttle: Arc::default(),
        hashing: Arc::new(Semaphore::new(1)),
        second_step: shared.configs.borrow().web.second_step.clone(),
        openid: shared
            .configs
            .borrow()
            .web
            .openid
            .clone()
            .map(|known| web::Provider::new(known, shared.means.http.clone()).into()),
        scrapers: Arc::new({
            let configs = shared.configs.clone();
            move || configs.borrow().web.scrapers.clone()
        }),
    }
}

/// Reads what things were before now from the journal, for the fleet as it is now.
fn past(shared: &Shared) -> web::Sources {
    let (journal, clock, snapshots) = (shared.journal.clone(), shared.clock.clone(), shared.snapshots.clone());
    let configs = shared.configs.clone();
    let all = {
        let (journal, clock, snapshots, configs) = (journal.clone(), clock.clone(), snapshots.clone(), configs.clone());
        move |range: uptime::Range| {
            let (journal, fleet) = (journal.clone(), snapshots.borrow().fleet.clone());
            let (settings, now) = (configs.borrow().uptime.clone(), clock.now());
            let work = async move {
                let from = second(range.begins(now, &fleet.commune.timezone));
                let history = journal.history(from, now).await.map_err(|error| error.to_string())?;
                let work = move || uptime::together(&fleet, &history, range, &settings, now);
                tokio::task::spawn_blocking(work).await.map_err(|_| FAILED.to_owned())
            };
            work.boxed()
        }
    };
    let one = move |of: uptime::Of, range: uptime::Range| {
        let (journal, fleet) = (journal.clone(), snapshots.borrow().fleet.clone());
        let (settings, now) = (configs.borrow().uptime.clone(), clock.now());
        let work = async move {
            let Some(bearing) = of.bearing(&fleet) else { return Ok(None) };
            let from = second(range.begins(now, &fleet.commune.timezone));
            let history = journal.history_of(bearing, from, now).await.map_err(|error| error.to_string())?;
            Ok(of.strip(&fleet, &history, range, &settings, now))
        };
        work.boxed()
    };
    web::Sources { one: Arc::new(one), figures: figures(shared), all: Arc::new(all) }
}

/// Reads incidents, open and past, from the journal: for whoever is bound to areas, as far as they concern these.
fn incidents(shared: &Shared, clocks: Clocks) -> web::Incidents {
    let (journal, snapshots) = (shared.journal.clone(), shared.snapshots.clone());
    let (all, kept) = (shared.clone(), clocks.clone());
    let find = {
        let (journal, snapshots) = (journal.clone(), snapshots.clone());
        move |mut sought: Sought, bounds: Option<Bounds>| {
            let (journal, fleet) = (journal.clone(), snapshots.borrow().fleet.clone());
            let read = async move {
                let reach = bounds.map(|bounds| Reach::of(&bounds, &fleet));
                sought.any.extend(reach.as_ref().map(|reach| reach.things(&fleet)));
                let found = journal.incidents(sought).await.map_err(|error| error.to_string())?;
                Ok(match reach {
                    Some(reach) => reach.found(found),
                    None => found,
                })
            };
            read.boxed()
        }
    };
    let one = move |name: String, bounds: Option<Bounds>| {
        let (journal, fleet) = (journal.clone(), snapshots.borrow().fleet.clone());
        let (all, kept) = (all.clone(), kept.borrow().clone());
        let read = async move {
            let known = journal.incident(name).await.map_err(|error| error.to_string())?;
            let Some((incident, happened)) = known else { return Ok(None) };
            let timeline = Timeline::of(&incident, happened);
            // What ended long ago is worked out when somebody asks for it.
            let clocks = match kept.of.get(&incident.id) {
                Some(known) => known.clocks.clone(),
                None => contract::of_past(&all, incident.clone()).await,
            };
            let sites = incident.sites.len();
            let seen = match bounds {
                Some(bounds) => Reach::of(&bounds, &fleet).told(incident, timeline),
                None => Some((incident, timeline)),
            };
            Ok(seen.map(|(incident, timeline)| {
                let clocks = if incident.sites.len() == sites { clocks } else { Vec::new() };
                web::Told { incident, timeline, clocks }
            }))
        };
        read.boxed()
    };
    let configs = shared.configs.clone();
    let name = move |id: &PersonId| {
        configs.borrow().alert.people.get(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    };
    web::Incidents { find: Arc::new(find), one: Arc::new(one), name: Arc::new(name), clocks }
}

/// Reads what looks measured of a camera: in the time that is shown, and by the hour in that which tells what is usual.
fn figures(shared: &Shared) -> Figures {
    let (journal, clock, snapshots) = (shared.journal.clone(), shared.clock.clone(), shared.snapshots.clone());
    let measured = shared.measured.clone();
    Arc::new(move |camera, range| {
        // Before what the journal has is read, so that nothing falls between the two.
        let lately = measured.lock().unwrap_or_else(PoisonError::into_inner).lately(&camera);
        let (journal, zone) = (journal.clone(), snapshots.borrow().fleet.commune.timezone.clone());
        let now = clock.now();
        let read = async move {
            let since = |range: uptime::Range| second(range.begins(now, &zone));
            let from = since(range);
            let hours = journal.figures(camera.clone(), Grain::Hour, (since(uptime::Range::Month), now)).await;
            let hours = hours.map_err(|error| error.to_string())?;
            let points = match range {
                uptime::Range::Day => {
                    let points = journal.figures(camera, Grain::Minute, (from, now)).await;
                    let mut points = points.map_err(|error| error.to_string())?;
                    let last = points.last().map(|(at, _)| *at);
                    points.extend(lately.into_iter().filter(|(at, _)| last.is_none_or(|last| *at > last)));
                    points
                }
                _ => hours.iter().filter(|(at, _)| *at >= from).copied().collect(),
            };
            Ok(web::Measured { points, hours })
        };
        read.boxed()
    })
}

type Figures = Arc<dyn Fn(CameraId, uptime::Range) -> BoxFuture<'static, Result<web::Measured, String>> + Send + Sync>;

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Works out uptime reports from the journal, for the fleet as it is now.
fn reporter(shared: &Shared) -> web::report::Reporter {
    let (journal, clock, snapshots) = (shared.journal.clone(), shared.clock.clone(), shared.snapshots.clone());
    let configs = shared.configs.clone();
    Arc::new(move |month, bounds| {
        let (journal, clock, settings) = (journal.clone(), clock.clone(), configs.borrow().uptime.clone());
        let fleet = snapshots.borrow().fleet.clone();
        Box::pin(async move {
            let now = clock.now();
            let (from, until) = uptime::reach(&fleet, month, now);
            let history = journal.history(from, until).await.map_err(|error| error.to_string())?;
            let work = move || match bounds.map(|bounds| Reach::of(&bounds, &fleet)) {
                Some(reach) => {
                    // An incident that keeps down something elsewhere as well is not theirs to judge.
                    let settings = uptime::Settings { contract: None, ..settings };
                    uptime::of_month(&reach.fleet(&fleet), &reach.history(history), month, &settings, now)
                }
                None => uptime::of_month(&fleet, &history, month, &settings, now),
            };
            tokio::task::spawn_blocking(work).await.map_err(|_| FAILED.to_owned())
        })
    })
}
