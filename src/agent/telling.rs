//! Judges how the agent's own sites are covered, and tells by the agent's own channel of one that is blind while the daemon cannot be
//! reached (`alarm` says when).

use super::{
    alarm::{Alarm, Contact, Kept, Telling},
    plan::{configured, kept_plan},
};
use crate::{
    clock::Clock,
    config::Config,
    coverage,
    deliver::{self, Channel, Dispatch, Means},
    health::Machine,
    model::{Beacon, CameraId, FailureKind, IncidentId, Note, Notice, Observation, PlainNotice, Refusal, State},
    probe,
    web::write_private,
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// The file in which it is kept what was told.
const FILE: &str = "alarms.json";
/// How often it is looked whether something is due.
const EVERY: Duration = Duration::from_secs(5);
/// Wait after a channel took nothing.
const RETRY: Duration = Duration::from_secs(60);
/// What was reached no longer ago proves the agent's own network.
const REACHED: Duration = Duration::from_secs(60);

/// Looks that are on the disk, and the number of the last of them.
pub(super) type Held = (Vec<(CameraId, Box<Observation>)>, u64);

/// Where everything comes from.
pub(super) struct Inputs {
    pub(super) looks: mpsc::Receiver<Held>,
    pub(super) configs: watch::Receiver<Arc<Config>>,
    pub(super) contact: watch::Receiver<Contact>,
    /// How many alarms were ever told.
    pub(super) count: watch::Sender<u64>,
}

struct Watch {
    folder: PathBuf,
    clock: Clock,
    started: Instant,
    channel: Channel,
    means: Means,
    machines: BTreeMap<CameraId, Machine>,
    alarm: Alarm,
    /// The last look that was seen.
    look: u64,
    /// When a camera was last reached.
    reached: Option<Instant>,
}

/// The channel of an agent's own, if it has one. A telephone is none: it rings by what the daemon decides.
pub(super) fn channel(config: &Config) -> Option<Channel> {
    let mut channels = config.deliver.channels.values().filter(|channel| channel.target.takes_notes());
    let first = channels.next().cloned();
    if channels.next().is_some() {
        tracing::warn!("alarm.toml has several channels: the first is used");
    }
    first
}

/// Runs until `stop`.
pub(super) async fn run(folder: &Path, channel: Channel, started: Instant, inputs: Inputs, stop: CancellationToken) {
    let means = match Means::new(probe::known_by) {
        Ok(means) => means,
        Err(error) => return tracing::error!(%error, "no channel can be used"),
    };
    let kept = fs::read_to_string(folder.join(FILE)).ok();
    let kept: Kept = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut watch = Watch {
        folder: folder.to_owned(),
        clock: Clock::system(),
        started,
        channel,
        means,
        machines: BTreeMap::new(),
        alarm: Alarm::restored(kept),
        look: 0,
        reached: None,
    };
    let Inputs { mut looks, configs, contact, count } = inputs;
    count.send_replace(watch.alarm.count());
    let (mut retry_at, mut kept) = (started, watch.alarm.kept());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            held = looks.recv() => match held {
                Some(held) => watch.saw(&configs.borrow().clone(), held),
                None => return,
            },
            () = tokio::time::sleep(EVERY) => {}
        }
        let config = configs.borrow().clone();
        watch.judge(&config);
        let contact = *contact.borrow();
        if Instant::now() >= retry_at && !watch.tell(&config, contact).await {
            retry_at = Instant::now() + RETRY;
        }
        let now = watch.alarm.kept();
        if now != kept {
            watch.keep(&now);
            kept = now;
            count.send_replace(watch.alarm.count());
        }
    }
}

impl Watch {
    /// Takes in looks, as the daemon does: a machine for each camera.
    fn saw(&mut self, config: &Config, (looks, number): Held) {
        let now = self.clock.now();
        self.look = number;
        self.machines.retain(|id, _| config.fleet.cameras.contains_key(id));
        for (id, look) in looks {
            let Some(camera) = config.fleet.cameras.get(&id) else { continue };
            let failure = look.failure.as_ref();
            use FailureKind::{ProbeFailed, Timeout, Unreachable, Unresolved};
            let is_silent =
                matches!(failure.map(|failure| failure.kind), Some(Timeout | Unreachable | Unresolved | ProbeFailed));
            if !is_silent {
                self.reached = Some(Instant::now());
            }
            let new = || Machine::new(id.clone(), camera.kind, now);
            self.machines.entry(id.clone()).or_insert_with(new).observe(now, &look, failure, &config.health);
        }
    }

    /// How each site is covered now.
    fn judge(&mut self, config: &Config) {
        let (now, fleet) = (self.clock.now(), &config.fleet);
        let zone = &fleet.commune.timezone;
        for (id, machine) in &mut self.machines {
            let Some(camera) = fleet.cameras.get(id) else { continue };
            machine.set_off(now, camera.off(now, zone), &config.health);
            machine.tick(now, &config.health);
        }
        let state = |id: &CameraId| self.machines.get(id).map_or(State::Unknown, |machine| machine.standing().state);
        let night = fleet.commune.night.contain(now.to_zoned_datetime(zone.clone()).time());
        self.alarm.retain(|site| fleet.sites.contains_key(site));
        for site in fleet.sites.values() {
            let (level, _) = coverage::evaluate(site, night, state);
            let at = (self.started.elapsed(), now);
            self.alarm.covered(at, &site.id, (level, site.alert_after), self.look);
        }
    }

    /// Tells what is due; whether the channel took all of it.
    async fn tell(&mut self, config: &Config, contact: Contact) -> bool {
        let at = (self.started.elapsed(), self.clock.now());
        if self.alarm.due(at, contact, true).is_empty() {
            return true;
        }
        let works = self.works().await;
        for telling in self.alarm.due(at, contact, works) {
            if let Err(refusal) = self.send(config, &telling).await {
                tracing::error!(site = %telling.site, "an alarm could not be told by the agent's own channel: {refusal}");
                return false;
            }
            tracing::warn!(site = %telling.site, over = telling.over, "told by the agent's own channel");
            self.alarm.done(self.clock.now(), &telling);
        }
        true
    }

    fn keep(&self, kept: &Kept) {
        let text = serde_json::to_string(kept).unwrap_or_default();
        if let Err(error) = write_private(&self.folder.join(FILE), &text) {
            tracing::error!(%error, "it cannot be kept what was told: a start anew may tell it again");
        }
    }

    /// Whether the agent's own network works: a camera was reached lately, or the router answers.
    async fn works(&self) -> bool {
        if self.reached.is_some_and(|reached| reached.elapsed() <= REACHED) {
            return true;
        }
        match probe::default_gateway() {
            Some(gateway) => probe::beacon::answers(&Beacon::Icmp(gateway), self.clock.now()).await == Some(true),
            None => false,
        }
    }

    async fn send(&self, config: &Config, telling: &Telling) -> Result<(), Refusal> {
        let fleet = &config.fleet;
        let place = fleet.sites.get(&telling.site).map_or_else(|| telling.site.to_string(), |site| site.name.clone());
        let Telling { since, over, .. } = *telling;
        let agent = fleet.agents().next().map(|(_, link)| link.name.clone()).unwrap_or_default();
        let note = Note::CutOff { place, agent, since, over };
        let plain = plain(config, self.clock.now());
        hand_over(config, (&self.channel, &self.means), &Notice::Note(plain, note)).await
    }
}

fn plain(config: &Config, now: Timestamp) -> PlainNotice {
    let id = IncidentId::stored(format!("agent-{}", now.as_millisecond()));
    PlainNotice { id, place: config.fleet.commune.name.clone(), at: now }
}

/// Sends a test by the agent's own channel: which kind took it.
pub async fn try_channel(folder: &Path) -> Result<&'static str, String> {
    let plan = kept_plan(folder).ok_or("the agent has no plan yet: camhealth agent run fetches it")?;
    let config = configured(folder, &plan).map_err(|problems| problems.render(false))?;
    let channel = channel(&config).ok_or("there is no channel in alarm.toml that takes messages")?;
    let means = Means::new(probe::known_by).map_err(|error| error.to_string())?;
    let notice = Notice::Test(plain(&config, Clock::system().now()));
    hand_over(&config, (&channel, &means), &notice).await.map_err(|refusal| refusal.to_string())?;
    Ok(channel.target.as_str())
}

/// Sends a notice by a channel, once.
async fn hand_over(config: &Config, (channel, means): (&Channel, &Means), notice: &Notice) -> Result<(), Refusal> {
    let (key, now) = (notice.key(), notice.at());
    let dispatch = Dispatch {
        notice,
        key: &key,
        at: now,
        zone: &config.fleet.commune.timezone,
        page: None,
        ack: None,
        first: None,
        places: &config.deliver.places,
        matter: None,
    };
    match deliver::tell(channel, means, dispatch).await {
        Some(told) => told.map(drop),
        None => Err(Refusal::passing("this kind of channel takes no single messages")),
    }
}
