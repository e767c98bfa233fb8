//! The shell's whole loop: an event comes, the monitor says what follows, it is made durable, then shown and told.

use super::{Loader, agenda::Agenda, supervise::Outcome};
use crate::{
    alert,
    clock::Clock,
    config::Plan,
    deliver,
    journal::Journal,
    metrics::Own,
    model::{Ack, CameraId, Commune, PersonId, Snapshot, Span, Window, later},
    monitor::{self, Effect, Event, Monitor},
    probe::Prober,
    schedule::{self, Found, Pulse},
    web,
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{Notify, mpsc, watch};

/// Snapshots are published at most this often, unless something changed its state.
const PUBLISH_EVERY: Duration = Duration::from_millis(500);
/// How often the run is marked as alive and old transcripts are dropped.
const KEEP_EVERY: Duration = Duration::from_secs(60);

/// Channels, roster and commune, as the relay needs them.
pub(super) type DeliverSettings = Arc<(deliver::Settings, Commune)>;

/// What the loop holds.
pub(super) struct EventLoop {
    pub(super) monitor: Monitor,
    pub(super) clock: Clock,
    pub(super) journal: Journal,
    pub(super) own: Arc<Own>,
    pub(super) plan: Arc<Plan>,
    /// People as replies and signed links know them.
    pub(super) roster: Arc<RwLock<BTreeMap<PersonId, alert::Person>>>,
    pub(super) loader: Loader,
    pub(super) commands: mpsc::Sender<schedule::Command>,
    pub(super) settings: watch::Sender<DeliverSettings>,
    pub(super) publish: watch::Sender<Arc<Snapshot>>,
    /// Tells the relay that there is something to send.
    pub(super) wake: Arc<Notify>,
    pub(super) prober: Option<Arc<Prober>>,
    pub(super) pulses: watch::Receiver<Pulse>,
}

/// Where everything comes from that is no observation.
pub(super) struct Inputs {
    /// What people ask for.
    pub(super) requests: mpsc::Receiver<web::Request>,
    /// What beacons and channels report.
    pub(super) news: mpsc::Receiver<Event>,
}

impl EventLoop {
    /// Runs until the observations end: the loop outlives the runner, so that what it saw last is still remembered.
    pub(super) async fn run(
        mut self,
        effects: Vec<Effect>,
        mut found: mpsc::Receiver<Found>,
        mut inputs: Inputs,
    ) -> Outcome {
        let now = self.clock.now();
        let mut agenda = Agenda::new(now);
        self.plan_effects(now, effects, &mut agenda);
        loop {
            self.tick(&mut agenda);
            self.settle(&mut agenda).await;
            let due = agenda.due().min(self.monitor.next_deadline(self.clock.now()));
            tokio::select! {
                biased;
                Some(request) = inputs.requests.recv() => self.perform(request, &mut agenda).await,
                Some(event) = inputs.news.recv() => {
                    let now = self.clock.now();
                    let effects = self.monitor.handle(now, event);
                    self.plan_effects(now, effects, &mut agenda);
                }
                news = found.recv() => {
                    let Some(news) = news else { break };
                    let now = self.clock.now();
                    match news {
                        Found::Seen(camera, observation) => {
                            agenda.transcript(now, &camera, &observation);
                            let effects = self.monitor.handle(now, Event::Probed(camera, observation));
                            self.plan_effects(now, effects, &mut agenda);
                        }
                        Found::Login(record) => agenda.login(now, record),
                    }
                    self.own.set_event_queue(found.len(), found.max_capacity());
                }
                () = self.clock.sleep_until(due) => {}
            }
        }
        // The last second of the run is noted, so that reports know who was watching until when.
        let now = self.clock.now();
        agenda.write_now(now);
        agenda.keep_at = now;
        self.settle(&mut agenda).await;
        Ok(())
    }

    /// Lets time pass for the monitor, however busy the observations are.
    fn tick(&mut self, agenda: &mut Agenda) {
        let now = self.clock.now();
        if self.monitor.next_deadline(now) <= now {
            let effects = self.monitor.handle(now, Event::Tick);
            self.plan_effects(now, effects, agenda);
            let pulse = self.pulses.borrow_and_update().clone();
            self.own.set_probes(pulse.in_flight, pulse.lag);
            if let Some(prober) = &self.prober {
                self.own.set_worker_deaths(prober.pool().deaths());
                self.own.set_sandbox(prober.pool().sandbox());
                // A camera that left the configuration has no metrics.
                let culprits = prober.pool().culprits(now);
                let known = |id: &str| self.plan.fleet.cameras.contains_key(&CameraId::from(id));
                let culprits = culprits.iter().filter(|(camera, ..)| known(camera));
                self.own.set_culprits(culprits.map(|(camera, protocol, count)| (camera.as_str(), *protocol, *count)));
            }
        }
    }

    /// Does what somebody asks for. They are answered when it is durable.
    async fn perform(&mut self, request: web::Request, agenda: &mut Agenda) {
        let now = self.clock.now();
        // What was done, and whether it is to be written.
        let done = match request.command {
            web::Command::Reload => self.reload(agenda).await.map(|unwritten| ("reloaded".to_owned(), unwritten)),
            web::Command::Acknowledge { incident, by, via } => {
                let known = self.monitor.open_incident(&incident).map(|incident| incident.number);
                known.ok_or_else(|| format!("there is no open incident {incident}")).map(|number| {
                    tracing::info!(incident = number, by, via, "acknowledged");
                    let ack = Ack { by, via, at: now };
                    let effects = self.monitor.handle(now, Event::Acknowledge { incident, ack });
                    (format!("incident #{number} is taken on"), self.plan_effects(now, effects, agenda))
                })
            }
            web::Command::Silence { scope, from, until, author, reason } => {
                let from = from.unwrap_or(now).max(now);
                match (scope.is_known(&self.plan.fleet), from < until) {
                    (false, _) => Err(format!("there is no such {}", scope.kind())),
                    (_, false) => Err("the end lies in the past, or before the beginning".to_owned()),
                    (true, true) => {
                        let id = format!("w{}", now.as_millisecond());
                        tracing::info!(window = id, scope = scope.kind(), author, reason, %until, "silenced");
                        let window = Window { id: id.clone(), scope, span: Span::Once { from, until }, author, reason };
                        let effects = self.monitor.handle(now, Event::Silence(window));
                        Ok((id, self.plan_effects(now, effects, agenda)))
                    }
                }
            }
            web::Command::Unsilence(id) => match self.monitor.has_window(&id) {
                true => {
                    let effects = self.monitor.handle(now, Event::Unsilence(id.clone()));
                    Ok((format!("{id} is ended"), self.plan_effects(now, effects, agenda)))
                }
                false => Err(format!("there is no window {id:?} that was set by somebody")),
            },
        };
        match done {
            Ok((done, unwritten)) => agenda.answer(request.answer, done, unwritten),
            // Whoever asked may have gone away.
            Err(refused) => drop(request.answer.send(Err(web::Refusal::Refused(refused)))),
        }
    }

    /// Puts effects on the agenda; whether any of them is to be written at once.
    fn plan_effects(&self, now: Timestamp, effects: Vec<Effect>, agenda: &mut Agenda) -> bool {
        let mut unwritten = false;
        for effect in effects {
            match effect {
                Effect::Learned(camera, memory) => {
                    agenda.learned(now, camera, memory);
                    continue;
                }
                Effect::Proven(proofs) => {
                    agenda.proven(now, proofs);
                    continue;
                }
                Effect::Camera(transition) => {
                    tracing::info!(
                        camera = %transition.camera,
                        from = transition.from.as_str(),
                        to = transition.to.as_str(),
                        cause = transition.cause.map(crate::model::FailureKind::as_str),
                        detail = transition.detail,
                        "camera"
                    );
                    agenda.write_now(now).transitions.push(transition);
                }
                Effect::Site(record) => {
                    tracing::info!(site = %record.site, level = record.level.as_str(), "site");
                    agenda.write_now(now).sites.push(record);
                }
                Effect::Link(record) => {
                    let link = record.link.as_ref().map_or("commune", |link| link.as_str());
                    tracing::info!(link, state = record.state.as_str(), "link");
                    agenda.write_now(now).links.push(record);
                }
                Effect::Incident(incident) => {
                    let incidents = &mut agenda.write_now(now).incidents;
                    incidents.retain(|known| known.id != incident.id);
                    incidents.push(*incident);
                }
                Effect::Window(window) => {
                    let windows = &mut agenda.write_now(now).windows;
                    windows.retain(|known| known.id != window.id);
                    windows.push(window);
                }
                Effect::Ask(cameras) => {
                    // A scheduler that is too busy to listen looks at them in its own time.
                    let _ = self.commands.try_send(schedule::Command::Ask(cameras));
                    continue;
                }
                Effect::Notify(notice, recipients) => {
                    tracing::warn!(
                        incident = notice.number,
                        reason = notice.reason.as_str(),
                        level = notice.level.as_str(),
                        recipients = recipients.len(),
                        "notice"
                    );
                    agenda.write_now(now).notices.push((*notice, recipients));
                }
            }
            (agenda.changed, unwritten) = (true, true);
        }
        agenda.publish_at.get_or_insert(later(now, PUBLISH_EVERY));
        unwritten
    }

    /// Does what is due: writes, then shows and tells. Nothing is told that is not durable; the wall is shown what is
    /// known even when the disk is full. People are answered last, so that whoever then looks finds it done.
    async fn settle(&mut self, agenda: &mut Agenda) {
        let now = self.clock.now();
        if let Some(batch) = agenda.take_due(now) {
            let began = tokio::time::Instant::now();
            let written = self.journal.commit(batch.clone()).await;
            self.own.journal_commit(began.elapsed(), written.is_ok());
            match written {
                Ok(()) => {
                    agenda.written();
                    if !batch.notices.is_empty() {
                        self.wake.notify_one();
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "nothing can be remembered or told until this is mended; trying again");
                    agenda.failed(now, batch);
                }
            }
        }
        if agenda.changed || agenda.publish_at.is_some_and(|at| at <= now) {
            agenda.changed = false;
            agenda.publish_at = None;
            let outlooks = self.pulses.borrow().outlooks.clone();
            self.publish.send_replace(Arc::new(Snapshot { outlooks, ..self.monitor.snapshot(now) }));
        }
        agenda.tell();
        if agenda.keep_at <= now {
            agenda.keep_at = later(now, KEEP_EVERY);
            if let Err(error) = self.journal.keep(now, self.plan.journal.clone()).await {
                tracing::error!(%error, "the run cannot be marked as alive");
            }
        }
    }

    /// All that can fail comes before anything live is touched. Tells whether anything is to be written.
    async fn reload(&mut self, agenda: &mut Agenda) -> Result<bool, String> {
        let loader = self.loader.clone();
        let loaded = tokio::task::spawn_blocking(move || loader()).await;
        let now = self.clock.now();
        let plan = match loaded.unwrap_or_else(|_| Err("reading the configuration failed inside camhealth".into())) {
            Ok(plan) => plan,
            Err(problems) => {
                self.own.reload(false, now);
                tracing::error!("the new configuration is refused and the old one goes on");
                return Err(problems);
            }
        };
        let at_restart = [
            ("[web]", self.plan.web != plan.web),
            ("[journal] path", self.plan.journal.path != plan.journal.path),
            ("[probe]", self.plan.probe != plan.probe),
            ("[report]", self.plan.uptime != plan.uptime),
        ];
        for (name, _) in at_restart.iter().filter(|(_, changed)| *changed) {
            tracing::warn!("{name} changed; that takes effect at the next start");
        }
        let plan = Arc::new(plan);
        self.settings.send_replace(Arc::new((plan.deliver.clone(), plan.fleet.commune.clone())));
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = plan.alert.people.clone();
        self.plan = plan.clone();
        // The runner is gone only while we stop.
        let _ =
            self.commands.send(schedule::Command::Replan(Box::new(plan.schedule.clone()), plan.fleet.clone())).await;
        let effects = self.monitor.handle(now, Event::Replanned(plan.fleet.clone(), Box::new(monitor_settings(&plan))));
        agenda.changed = true;
        let unwritten = self.plan_effects(now, effects, agenda);
        self.own.reload(true, now);
        tracing::info!(cameras = plan.fleet.cameras.len(), sites = plan.fleet.sites.len(), "reloaded");
        Ok(unwritten)
    }
}

/// The policies of everything that decides.
pub(super) fn monitor_settings(plan: &Plan) -> monitor::Settings {
    monitor::Settings { health: plan.health.clone(), topology: plan.topology.clone(), alert: plan.alert.clone() }
}
