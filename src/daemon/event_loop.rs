//! The shell's whole loop: events come, the monitor says what follows, it is made durable, then shown and told.
//!
//! The loop waits for nothing but its inputs. Reading the configuration and writing the journal go on beside it, and
//! what it hands to others it hands over without waiting; ARCHITECTURE.md draws who waits for whom. Each turn takes in
//! some of everything that is there, so that no input, however busy, holds up another.

use super::{
    Loader,
    agenda::Agenda,
    editing::{Editing, Lanes},
    progress::TURN,
    reload::Reloads,
    shared::Shared,
    supervise::Outcome,
    task::Task,
};
use crate::{
    config::Config,
    edits::Edits,
    journal::{self, Batch},
    model::{Branch, CameraId, FailureKind, Sighting, Snapshot, elapsed, later},
    monitor::{self, Effect, Event, Monitor},
    probe::Prober,
    request,
    rights::{Chain, Register},
    schedule::{Found, Pulse},
    web,
};
use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};

/// Snapshots are published at most this often, unless something changed its state.
const PUBLISH_EVERY: Duration = Duration::from_millis(500);
/// How often the run is marked as alive and old transcripts are dropped.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// Observations, news and people's wishes that one turn takes in at most. Observations are what the daemon is for;
/// a wish costs a write, and whoever floods us with them waits.
const OBSERVATIONS_A_TURN: usize = 256;
const NEWS_A_TURN: usize = 16;
const REQUESTS_A_TURN: usize = 4;
/// Showing what changed takes at most one part in so many of the loop's time.
const SHOWING_SHARE: u32 = 10;

/// What the loop holds.
pub(super) struct EventLoop {
    pub(super) monitor: Monitor,
    pub(super) shared: Shared,
    pub(super) condition: watch::Receiver<journal::Condition>,
    pub(super) loader: Loader,
    /// The configuration that runs; a reload swaps it for all at once.
    pub(super) swap: watch::Sender<Arc<Config>>,
    /// Cameras whose word is wanted now.
    pub(super) asks: mpsc::Sender<Vec<CameraId>>,
    pub(super) publish: watch::Sender<Arc<Snapshot>>,
    /// Tells the relay that there is something to send.
    pub(super) wake: Arc<Notify>,
    pub(super) prober: Option<Arc<Prober>>,
    pub(super) pulses: watch::Receiver<Pulse>,
    /// Accounts, and what people are known by.
    pub(super) register: watch::Sender<Arc<Register>>,
    /// What people edited over the files, as it is durable.
    pub(super) edits: Edits,
    /// The end of the audit trail.
    pub(super) chain: Chain,
    /// The number in the id of the last window that somebody set.
    pub(super) last_window: i64,
    /// How many windows people have set lately.
    pub(super) windows_lately: request::Quota,
    /// How far each agent's looks are taken in, by its key.
    pub(super) marks: BTreeMap<String, u64>,
}

/// Where everything comes from.
pub(super) struct Inputs {
    /// What looks found.
    pub(super) found: mpsc::Receiver<Found>,
    /// What people ask for.
    pub(super) requests: mpsc::Receiver<web::Asked>,
    /// What beacons and channels report.
    pub(super) news: mpsc::Receiver<Event>,
}

/// What is being written, and what became of it.
type Writing = BoxFuture<'static, Written>;

struct Written {
    batch: Arc<Batch>,
    outcome: Result<(), journal::Error>,
    took: Duration,
}

impl EventLoop {
    /// Runs until the observations end: the loop outlives the runner, so that what it saw last is still remembered.
    pub(super) async fn run(mut self, effects: Vec<Effect>, mut inputs: Inputs) -> Outcome {
        let now = self.shared.clock.now();
        let mut agenda = Agenda::new(now, self.shared.measured.clone());
        let (mut reloads, mut editing) = (Reloads::default(), Editing::default());
        let mut writing: Option<Writing> = None;
        let mut found = Vec::new();
        self.plan_effects(now, effects, &mut agenda);
        self.tell_adrift(now);
        loop {
            self.tick(&mut agenda, inputs.found.len(), inputs.found.max_capacity());
            if writing.is_none() {
                writing = self.write_due(&mut agenda);
            }
            self.show(&mut agenda);
            // One at a time: neither reads files with what the other is about to change.
            if !editing.is_reading() {
                reloads.begin(&self.loader, &self.edits);
            }
            if !reloads.is_reading() {
                self.edit_next(&mut editing, &mut agenda);
            }
            self.shared.progress.turn(Task::EventLoop);
            let due = self.due(&agenda, writing.is_some());
            tokio::select! {
                count = inputs.found.recv_many(&mut found, OBSERVATIONS_A_TURN) => if count == 0 { break },
                Some(request) = inputs.requests.recv() => {
                    let lanes = Lanes { reloads: &mut reloads, editing: &mut editing };
                    self.perform(request, &mut agenda, lanes);
                }
                Some(event) = inputs.news.recv() => self.take_in(event, &mut agenda),
                written = ready(&mut writing) => {
                    writing = None;
                    self.written(written, &mut agenda);
                }
                loaded = reloads.wait() => if let Some(loaded) = loaded {
                    self.reloaded(loaded, &mut agenda, &mut reloads);
                },
                progress = editing.wait(), if !reloads.is_reading() => self.edited(progress, &mut editing, &mut agenda),
                () = self.shared.clock.sleep_until(due) => {}
                () = tokio::time::sleep(TURN) => {}
            }
            // Whatever woke the loop, it takes its share of everything else that is there.
            while found.len() < OBSERVATIONS_A_TURN
                && let Ok(more) = inputs.found.try_recv()
            {
                found.push(more);
            }
            for seen in found.drain(..) {
                self.seen(seen, &mut agenda);
            }
            for event in std::iter::from_fn(|| inputs.news.try_recv().ok()).take(NEWS_A_TURN) {
                self.take_in(event, &mut agenda);
            }
            for request in std::iter::from_fn(|| inputs.requests.try_recv().ok()).take(REQUESTS_A_TURN) {
                let lanes = Lanes { reloads: &mut reloads, editing: &mut editing };
                self.perform(request, &mut agenda, lanes);
            }
        }
        self.end(agenda, writing).await;
        Ok(())
    }

    /// Makes the rest durable. The last second of the run is noted, so that reports know who was watching until when.
    async fn end(&mut self, mut agenda: Agenda, writing: Option<Writing>) {
        if let Some(writing) = writing {
            self.written(writing.await, &mut agenda);
        }
        let now = self.shared.clock.now();
        let last = self.monitor.last_words();
        self.plan_effects(now, vec![last], &mut agenda);
        agenda.sum_up_all();
        agenda.write_now(now);
        agenda.keep_at = now;
        // What was in doubt goes before the rest.
        for _ in 0..2 {
            if let Some(writing) = self.write_due(&mut agenda) {
                self.written(writing.await, &mut agenda);
            }
        }
        self.publish(&mut agenda, now);
        agenda.tell();
    }

    /// The configuration that runs.
    pub(super) fn config(&self) -> Arc<Config> {
        self.swap.borrow().clone()
    }

    /// When the loop has something to do of itself.
    fn due(&self, agenda: &Agenda, writes: bool) -> Timestamp {
        let mut due = self.monitor.next_deadline();
        if !writes {
            due = due.min(agenda.write_due());
        }
        agenda.publish_at.map_or(due, |at| due.min(at))
    }

    /// Takes in what a look found.
    fn seen(&mut self, found: Found, agenda: &mut Agenda) {
        let now = self.shared.clock.now();
        match found {
            Found::Seen(camera, mut observation) => {
                let failure = observation.failure.as_ref().map(|failure| failure.kind);
                let could = failure != Some(FailureKind::ProbeFailed);
                self.shared.progress.looked(observation.check, could, observation.took);
                // Of one that a reload took away nothing is remembered.
                let Some(plan) = self.config().fleet.cameras.get(&camera).cloned() else { return };
                plan.make_discreet(&mut observation);
                agenda.transcript(now, &camera, &observation);
                self.take_in(Event::Seen(Sighting::own(camera, observation)), agenda);
            }
            Found::Login(record) => agenda.login(now, record),
        }
    }

    /// Takes in an event; whether it left anything to write.
    pub(super) fn handle(&mut self, now: Timestamp, event: Event, agenda: &mut Agenda) -> bool {
        let effects = self.monitor.handle(now, event);
        self.plan_effects(now, effects, agenda)
    }

    fn take_in(&mut self, event: Event, agenda: &mut Agenda) {
        self.handle(self.shared.clock.now(), event, agenda);
    }

    /// Lets time pass for the monitor, however busy the observations are, and tells how the daemon itself fares.
    fn tick(&mut self, agenda: &mut Agenda, waiting: usize, capacity: usize) {
        let now = self.shared.clock.now();
        self.shared.own.set_event_queue(waiting, capacity);
        self.shared.own.set_notices_unwritten(agenda.untold());
        {
            let journal = self.condition.borrow();
            self.shared.own.set_journal(journal.set_aside.is_some(), journal.rows_skipped);
        }
        if self.monitor.next_deadline() <= now {
            self.take_in(Event::Tick, agenda);
        }
        {
            let pulse = self.pulses.borrow();
            // A runner that does not get on is late by at least the time since it last did.
            let silent = elapsed(now, pulse.at).saturating_sub(2 * TURN);
            self.shared.own.set_probes(pulse.in_flight, pulse.lag.max(silent));
        }
        // What workers do is counted over all of them, which is not done for each event.
        if agenda.workers_at > now {
            return;
        }
        agenda.workers_at = later(now, TURN);
        if let Some(prober) = &self.prober {
            self.shared.own.set_worker_deaths(prober.pool().deaths());
            self.shared.own.set_sandbox(prober.pool().sandbox());
            // A camera that left the configuration has no metrics.
            let fleet = self.config().fleet.clone();
            let culprits = prober.pool().culprits(now);
            let known = |id: &str| fleet.cameras.contains_key(&CameraId::from(id));
            let culprits = culprits.iter().filter(|(camera, ..)| known(camera));
            self.shared
                .own
                .set_culprits(culprits.map(|(camera, protocol, count)| (camera.as_str(), *protocol, *count)));
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
                        cause = transition.cause.map(FailureKind::as_str),
                        detail = transition.detail.to_string(),
                        "camera"
                    );
                    agenda.write_now(now).transitions.push(transition);
                }
                Effect::Site(record) => {
                    tracing::info!(site = %record.site, level = record.level.as_str(), "site");
                    agenda.write_now(now).sites.push(record);
                }
                Effect::Link(record) => {
                    let link = match &record.branch {
                        Branch::Link(link) => link.as_str(),
                        Branch::Commune => "commune",
                    };
                    tracing::info!(link, state = record.state.as_str(), "link");
                    agenda.write_now(now).links.push(record);
                }
                Effect::Incident(incident) => {
                    let incidents = &mut agenda.write_now(now).incidents;
                    incidents.retain(|known| known.id != incident.id);
                    incidents.push(incident);
                }
                Effect::Happened(happened) => agenda.write_now(now).happened.push(*happened),
                Effect::Window(window) => {
                    let windows = &mut agenda.write_now(now).windows;
                    windows.retain(|known| known.id != window.id);
                    windows.push(window);
                }
                Effect::Ask(cameras) => {
                    // A scheduler that is too busy to listen looks at them in its own time.
                    let _ = self.asks.try_send(cameras);
                    continue;
                }
                Effect::Notify(notice, recipients) => {
                    tracing::warn!(
                        incident = notice.incident().map(|incident| incident.number),
                        reason = notice.reason(),
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

    /// Begins to write what is due, beside the loop: a slow disk holds up no event.
    fn write_due(&self, agenda: &mut Agenda) -> Option<Writing> {
        let now = self.shared.clock.now();
        agenda.sum_up(now);
        let batch = agenda.take_due(now);
        let keep = agenda.keep_at <= now;
        if keep {
            agenda.keep_at = later(now, KEEP_EVERY);
        }
        if batch.is_none() && !keep {
            return None;
        }
        self.shared.progress.journal_works(true);
        let (journal, settings) = (self.shared.journal.clone(), self.config().journal.clone());
        let writing = async move {
            let began = Instant::now();
            let outcome = match &batch {
                Some(batch) => journal.commit(batch.clone()).await,
                None => Ok(()),
            };
            let took = began.elapsed();
            if keep && let Err(error) = journal.keep(now, settings).await {
                tracing::error!(%error, "the run cannot be marked as alive");
            }
            Written { batch: batch.unwrap_or_default(), outcome, took }
        };
        Some(writing.boxed())
    }

    /// Nothing is told that is not durable.
    fn written(&self, written: Written, agenda: &mut Agenda) {
        self.shared.progress.journal_works(false);
        self.shared.own.journal_commit(written.took, written.outcome.is_ok());
        match written.outcome {
            Ok(()) => {
                agenda.written();
                if !written.batch.notices.is_empty() {
                    self.wake.notify_one();
                }
            }
            Err(error @ journal::Error::InDoubt { .. }) => {
                tracing::warn!(%error, "it is not known whether the last commit was done; asking again");
                given_up(agenda.in_doubt(self.shared.clock.now(), written.batch));
            }
            Err(error) => {
                tracing::error!(%error, "nothing can be remembered or told until this is mended; trying again");
                given_up(agenda.failed(self.shared.clock.now(), written.batch));
            }
        }
    }

    /// Shows what is known, even while the disk is full, and answers people whose wish is durable and shown, so that
    /// whoever then looks finds it done.
    fn show(&mut self, agenda: &mut Agenda) {
        let now = self.shared.clock.now();
        if agenda.changed {
            // As soon as the last showing has been paid for.
            let paid = agenda.shown_until.min(later(now, PUBLISH_EVERY));
            agenda.publish_at = Some(agenda.publish_at.map_or(now, |at| at.min(now)).max(paid));
        }
        if agenda.publish_at.is_some_and(|at| at <= now) {
            let began = Instant::now();
            self.publish(agenda, now);
            agenda.shown_until = later(now, began.elapsed() * SHOWING_SHARE);
        }
        if !agenda.changed {
            agenda.tell();
        }
    }

    fn publish(&mut self, agenda: &mut Agenda, now: Timestamp) {
        agenda.changed = false;
        agenda.publish_at = None;
        let outlooks = self.pulses.borrow().outlooks.clone();
        let agents = self.shared.contacts.all();
        self.publish.send_replace(Arc::new(Snapshot { outlooks, agents, ..self.monitor.snapshot(now) }));
    }
}

/// Says what could not be kept until the journal is mended.
fn given_up(lost: usize) {
    if lost > 0 {
        tracing::error!(lost, "the oldest of what could not be remembered is given up");
    }
}

/// Waits for what is under way; for ever if nothing is.
async fn ready<T>(under_way: &mut Option<BoxFuture<'static, T>>) -> T {
    match under_way {
        Some(under_way) => under_way.await,
        None => std::future::pending().await,
    }
}

/// The policies of everything that decides.
pub(super) fn monitor_settings(config: &Config) -> monitor::Settings {
    monitor::Settings { health: config.health.clone(), topology: config.topology.clone(), alert: config.alert.clone() }
}
