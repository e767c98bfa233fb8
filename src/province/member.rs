//! A member's round: say that it lives, read the roll, start and end daemons as it says, and change what is its own to change.

use super::{
    child::{self, Child, Order, State},
    communes::{self, Commune},
    figures::{Counts, View},
    forward::{Forwards, Way},
    pages,
    settings::Settings,
};
use crate::{
    clock::Clock,
    daemon::{Signal, Signals, tell_service_manager},
    journal::{Error, Listed, Roll},
    model::{CommuneId, Move, Province},
    placement::{self, Fares, Here},
};
use sd_notify::NotifyState;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    time::{Instant, sleep},
};

/// How often the roll is read.
const EVERY: Duration = Duration::from_secs(1);
/// How soon after a change of its own a member goes on.
const SOON: Duration = Duration::from_millis(50);
/// How long a member that is asked to end hands over at most.
const HANDS_OVER: Duration = Duration::from_secs(100);

/// What a member is made of.
pub struct Parts {
    /// This program, which is started again for each commune.
    pub program: PathBuf,
    /// How daemons write their logs.
    pub log: &'static str,
    /// Reads the province's file anew.
    pub loader: Box<dyn Fn() -> Option<Settings> + Send>,
    /// What asks to stop or to read anew.
    pub signals: Signals,
}

/// Runs until it is asked to stop, and has handed over what it had. Fails where it cannot begin.
pub async fn run(settings: Settings, parts: Parts) -> Result<(), String> {
    let folder = child::folder().map_err(|error| format!("no folder for the daemons' sockets: {error}"))?;
    let listen = settings.listen;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|error| format!("cannot listen on {listen}: {error}; change [province] listen"))?;
    let (show, shown) = watch::channel(Arc::new(View::new(&settings)));
    let serving = tokio::spawn(pages::serve(listener, shown));
    let mut member = Member::new(settings, parts, folder.clone(), show);
    member.read_communes();
    member.run().await;
    serving.abort();
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}

struct Member {
    settings: Settings,
    parts: Parts,
    folder: PathBuf,
    clock: Clock,
    roll: Option<Roll>,
    communes: Vec<Commune>,
    problems: Vec<String>,
    children: BTreeMap<CommuneId, Child>,
    /// How many sockets were named.
    sockets: usize,
    forwards: Forwards,
    province: Province,
    read: Option<Instant>,
    trouble: Option<String>,
    leaving: Option<Instant>,
    changed: Arc<Notify>,
    counts: Counts,
    show: watch::Sender<Arc<View>>,
}

impl Member {
    fn new(settings: Settings, parts: Parts, folder: PathBuf, show: watch::Sender<Arc<View>>) -> Self {
        let roll = Roll::new(settings.server.clone(), settings.member.clone(), settings.address);
        Self {
            forwards: Forwards::new(settings.address),
            clock: Clock::system(),
            roll: Some(roll),
            settings,
            parts,
            folder,
            communes: Vec::new(),
            problems: Vec::new(),
            children: BTreeMap::new(),
            sockets: 0,
            province: Province::default(),
            read: None,
            trouble: None,
            leaving: None,
            changed: Arc::default(),
            counts: Counts::default(),
            show,
        }
    }

    async fn run(&mut self) {
        loop {
            let made = match self.round().await {
                Ok(made) => {
                    if self.trouble.take().is_some() {
                        tracing::info!("the roll can be read again");
                    }
                    made
                }
                Err(error) => {
                    let told = error.to_string();
                    if self.trouble.as_ref() != Some(&told) {
                        tracing::error!("the roll: {told}");
                    }
                    self.trouble = Some(told);
                    false
                }
            };
            self.follow();
            self.publish();
            if self.has_ended() {
                return self.leave().await;
            }
            tokio::select! {
                signal = self.parts.signals.next() => match signal {
                    Signal::Stop if self.leaving.is_none() => {
                        tracing::info!("handing over; a second signal ends at once");
                        self.leaving = Some(Instant::now());
                    }
                    Signal::Stop => return self.leave().await,
                    Signal::Reload => self.reload(),
                },
                () = self.changed.notified() => sleep(SOON).await,
                () = sleep(if made { SOON } else { EVERY }) => {}
            }
        }
    }

    /// One round; whether it changed anything.
    async fn round(&mut self) -> Result<bool, Error> {
        let listed: Vec<Listed> = self.communes.iter().map(|commune| commune.listed.clone()).collect();
        let able: BTreeSet<CommuneId> =
            listed.iter().map(|commune| commune.id.clone()).filter(|id| !self.state(id).fails()).collect();
        let leaving = self.leaving.is_some();
        let said = self.with_roll(move |roll| roll.say(&listed, &able, leaving)).await?;
        self.province = said;
        self.read = Some(Instant::now());
        let is_settled = self.roll.as_ref().is_some_and(Roll::is_settled);
        let me = self.settings.member.clone();
        let moves = {
            let here = Here {
                me: &me,
                is_settled,
                has: &|id| self.communes.iter().any(|commune| commune.listed.id == *id),
                fares: &|id| self.state(id).fares,
            };
            for (id, child) in &self.children {
                child.want(placement::runs(&self.province, &here, id));
            }
            placement::moves(&self.province, &here)
        };
        let now = self.clock.now();
        let mut any = false;
        for step in moves {
            let wanted = step.clone();
            let made = self.with_roll(move |roll| roll.make(&wanted, now)).await?;
            if made {
                tracing::info!("{}", words(&step));
                self.counts.made(&step);
            } else {
                tracing::debug!(?step, "it stands otherwise by now");
            }
            any |= made;
        }
        Ok(any)
    }

    /// The roll blocks, for seconds where its server does not answer.
    async fn with_roll<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Roll) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let mut roll = self.roll.take().unwrap_or_else(|| {
            // A job panicked, and took it along.
            Roll::new(self.settings.server.clone(), self.settings.member.clone(), self.settings.address)
        });
        let done = tokio::task::spawn_blocking(move || {
            let done = job(&mut roll);
            (roll, done)
        });
        let (roll, done) = done.await.map_err(|_| Error::Closed)?;
        self.roll = Some(roll);
        done
    }

    fn state(&self, id: &CommuneId) -> State {
        self.children.get(id).map_or(State::NEW, Child::state)
    }

    /// Passes on visitors of what others watch.
    fn follow(&mut self) {
        let me = &self.settings.member;
        let mut ways = BTreeMap::new();
        for commune in &self.communes {
            let id = &commune.listed.id;
            // What stands by listens on no port.
            let is_free = matches!(self.state(id).fares, Fares::Absent | Fares::StandsBy);
            let held = self.province.communes.get(id).filter(|held| is_free && held.holder.as_ref() != Some(me));
            let place = held.and_then(|held| self.province.place(held));
            ways.extend(place.map(|to| (id.clone(), Way { listen: commune.listen, to })));
        }
        let others = self.province.members.iter().filter(|(name, _)| *name != me);
        let others = others.map(|(_, member)| member.address).filter(|address| *address != self.settings.address);
        self.forwards.follow(ways, others.collect());
    }

    fn publish(&self) {
        let view = View {
            settings: self.settings.clone(),
            province: self.province.clone(),
            communes: self.communes.clone(),
            unreadable: self.problems.len(),
            states: self.children.iter().map(|(id, child)| (id.clone(), child.state())).collect(),
            read: self.read,
            trouble: self.trouble.clone(),
            counts: self.counts.clone(),
            now: self.clock.now(),
        };
        let (held, all) = view.shares();
        let status = match &self.trouble {
            Some(trouble) => format!("the roll: {trouble}"),
            None => format!("watching {held} of {all} communes"),
        };
        self.show.send_replace(Arc::new(view));
        tell_service_manager(&[NotifyState::Ready, NotifyState::Watchdog, NotifyState::Status(&status)]);
    }

    fn read_communes(&mut self) {
        let (found, problems) = communes::read(&self.settings);
        problems.iter().flat_map(|problem| problem.lines()).for_each(|line| tracing::error!("{line}"));
        // What can no longer be read goes on by what was read before: its daemon does so, too.
        let gone = |known: &&Commune| {
            !found.iter().any(|commune| commune.listed.id == known.listed.id)
                && !problems.is_empty()
                && self.settings.communes.contains(&known.path)
        };
        let kept: Vec<Commune> = self.communes.iter().filter(gone).cloned().collect();
        self.communes = found.into_iter().chain(kept).collect();
        self.problems = problems;
        for commune in &self.communes {
            if self.children.contains_key(&commune.listed.id) {
                continue;
            }
            self.sockets += 1;
            let order = Order {
                program: self.parts.program.clone(),
                commune: commune.listed.id.to_string(),
                member: self.settings.member.to_string(),
                path: commune.path.clone(),
                address: self.settings.address,
                log: self.parts.log,
                socket: child::socket(&self.folder, self.sockets),
            };
            self.children
                .insert(commune.listed.id.clone(), Child::new(order, self.changed.clone(), self.forwards.others()));
        }
        tracing::info!(communes = self.communes.len(), unreadable = self.problems.len(), "configurations were read");
    }

    /// Reads which communes there are, and has each daemon read its own configuration. Where the roll lies and who this is stay
    /// as they were.
    fn reload(&mut self) {
        if let Some(read) = (self.parts.loader)() {
            self.settings.communes = read.communes;
            self.settings.name = read.name;
            self.settings.language = read.language;
            self.read_communes();
        }
        self.children.values().for_each(Child::reload);
    }

    /// Whether a member that is to end has nothing left, or has waited for long enough.
    fn has_ended(&self) -> bool {
        let Some(since) = self.leaving else { return false };
        let holds = self.province.held_by(&self.settings.member).next().is_some();
        let runs = self.children.keys().any(|id| self.state(id).fares != Fares::Absent);
        let limit = if self.trouble.is_some() { EVERY * 10 } else { HANDS_OVER };
        !holds && !runs && self.trouble.is_none() || since.elapsed() > limit
    }

    /// Ends all daemons, and lets go of what is left.
    async fn leave(&mut self) {
        let ends = std::mem::take(&mut self.children).into_values().map(Child::end);
        futures_util::future::join_all(ends).await;
        let own = self.province.held_by(&self.settings.member);
        let left: Vec<CommuneId> = own.map(|(id, _)| id.clone()).collect();
        let now = self.clock.now();
        let gone = self.with_roll(move |roll| {
            for commune in left {
                roll.make(&Move::LetGo { commune }, now)?;
            }
            roll.leave()
        });
        if let Err(error) = gone.await {
            tracing::warn!(%error, "the roll keeps this machine until it is taken for gone");
        }
        tracing::info!("ended");
    }
}

/// A change of the roll, as the log tells it.
fn words(step: &Move) -> String {
    match step {
        Move::Claim { commune, from: Some(from) } => format!("{commune} is ours: {from} is gone"),
        Move::Claim { commune, from: None } => format!("{commune} is ours: it was nobody's"),
        Move::Offer { commune, to } => format!("{commune} is to go to {to}"),
        Move::Withdraw { commune, to } => format!("{commune} stays: {to} cannot take it"),
        Move::Ready { commune } => format!("{commune}: our daemon stands by"),
        Move::HandOver { commune, to } => format!("{commune} is {to}'s"),
        Move::LetGo { commune } => format!("{commune} is nobody's"),
    }
}
