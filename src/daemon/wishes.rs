//! What people ask of the daemon, done one at a time inside the event loop: reloads, taking incidents on, silences. What
//! may be done is decided by the core (`request`).

use super::{
    agenda::Agenda,
    editing::Lanes,
    event_loop::{EventLoop, monitor_settings},
    reload::{Loaded, Reloads, losses},
};
use crate::{
    config::Config,
    model::{Ack, AgentLook, AgentMark, Content, IncidentId, LinkId},
    monitor::Event,
    request::{self, Done, Drill, Ground, Refused, Request, Silence, SourceClaim, TakingOn},
    rights::{self, By, Deed, Wish},
    web::Asked,
};
use jiff::Timestamp;
use std::sync::Arc;

impl EventLoop {
    /// Does what somebody asks for. They are answered when it is durable.
    pub(super) fn perform(&mut self, asked: Asked, agenda: &mut Agenda, lanes: Lanes<'_>) {
        let now = self.shared.clock.now();
        let Asked { request, by: whose, answer } = asked;
        if let Err(refused) = self.allowed(&request, &whose) {
            return drop(answer.send(Err(refused)));
        }
        let deed = request.deed();
        let outcome = match request {
            Request::Reload { force } => {
                self.note(now, &whose, deed, agenda);
                return lanes.reloads.ask(answer, force);
            }
            Request::TakeOn { incident, by, via } => match self.take_on(now, incident, &by, via, agenda) {
                // The first to take it on may still wait for the disk.
                Ok((done, Some(before), _)) => return agenda.answer_of(answer, done, &before),
                Ok((done, None, unwritten)) => Ok((done, unwritten)),
                Err(refused) => Err(refused),
            },
            Request::Respond { incident, by, via } => self.respond(now, incident, &by, via, agenda),
            Request::PassOn { incident, step, .. } => self.pass_on(now, incident, step, agenda),
            Request::Drill(wish) => self.drill(now, wish, agenda),
            Request::Silence(wish) => self.silence(now, wish, agenda),
            Request::Unsilence { window } => self.unsilence(now, window, agenda),
            Request::Edit(wish) => return lanes.editing.ask(wish, whose, answer),
            Request::People(wish) => self.people(now, wish, &whose, agenda),
            Request::Claimed { source, claims } => Ok((self.claimed(now, &source, claims, agenda), false)),
            Request::Witnessed { print, agent, looks } => Ok(self.witnessed(now, print, &agent, looks, agenda)),
            // It is shown when the trail has it on the disk.
            Request::ReadOwner { .. } => Ok((Done::Noted, true)),
        };
        match outcome {
            Ok((done, unwritten)) => {
                self.note(now, &whose, deed, agenda);
                agenda.answer(answer, done, unwritten);
            }
            // Whoever asked may have gone away.
            Err(refused) => drop(answer.send(Err(refused))),
        }
    }

    /// Whether somebody may ask for this, as things stand.
    pub(super) fn allowed(&self, request: &Request, by: &By) -> Result<(), Refused> {
        let config = self.config();
        let (mut incident, mut window) = (None, None);
        match request {
            Request::TakeOn { incident: called, .. }
            | Request::Respond { incident: called, .. }
            | Request::PassOn { incident: called, .. } => {
                incident = self.monitor.open_incident(called);
            }
            Request::Unsilence { window: id } => window = self.monitor.window(id),
            _ => {}
        }
        request.allowed(&by.who, Ground { fleet: &config.fleet, incident, window, sheet: &config.sheet })
    }

    /// Takes in what an agent saw. It is answered when that is durable, also where all of it was taken before: the answer to
    /// that may have been that it is not.
    fn witnessed(
        &mut self,
        now: Timestamp,
        print: String,
        agent: &LinkId,
        looks: Vec<AgentLook>,
        agenda: &mut Agenda,
    ) -> (Done, bool) {
        let fleet = self.config().fleet.clone();
        let before = self.marks.get(&print).copied().unwrap_or(0);
        let sorted = request::sorted(now, before, (agent, &fleet), looks);
        let (fresh, late) = (sorted.fresh.len() as u64, sorted.late.len() as u64 + sorted.uneventful);
        self.shared.own.agents.looks([fresh, late, sorted.repeated, sorted.refused]);
        self.marks.insert(print.clone(), sorted.taken);
        let batch = agenda.write_now(now);
        batch.agents.retain(|mark| mark.print != print);
        batch.agents.push(AgentMark { print, taken: sorted.taken });
        batch.late.extend(sorted.late);
        for mut sighting in sorted.fresh {
            let Some(plan) = fleet.cameras.get(&sighting.camera) else { continue };
            if let Content::Look(look) = &mut sighting.content {
                plan.make_discreet(look);
                agenda.transcript(now, &sighting.camera, look);
            }
            self.handle(now, Event::Seen(sighting), agenda);
        }
        (Done::Taken { number: sorted.taken }, true)
    }

    /// Takes in what a source says. It will say so again, so it waits for no disk.
    fn claimed(&mut self, now: Timestamp, source: &LinkId, claims: Vec<SourceClaim>, agenda: &mut Agenda) -> Done {
        self.shared.contacts.claimed(now, source);
        let request::Claims { taken, untaken } = request::claims((source, &self.config().fleet.clone()), claims);
        self.shared.own.agents.claims(source.as_str(), taken.len() as u64, untaken.len() as u64);
        for sighting in taken {
            self.handle(now, Event::Seen(sighting), agenda);
        }
        Done::Claimed { untaken }
    }

    /// Puts what somebody did into the audit trail.
    pub(super) fn note(&mut self, now: Timestamp, by: &By, deed: Option<Deed>, agenda: &mut Agenda) {
        let Some(deed) = deed else { return };
        let deed = Deed { who: by.who.name().to_owned(), from: by.from.clone(), ..deed };
        let entry = self.chain.add(now, deed);
        agenda.write_now(now).audit.push(entry);
    }

    /// Does what somebody wishes about accounts. Who signs in waits for no disk: somebody may have to be let in while it
    /// is full.
    fn people(
        &mut self,
        now: Timestamp,
        wish: rights::Wish,
        by: &By,
        agenda: &mut Agenda,
    ) -> Result<(Done, bool), Refused> {
        let waits = !matches!(wish, Wish::SignIn { .. } | Wish::Vouched { .. } | Wish::SignOut(_) | Wish::Use(_));
        if wish.areas().is_some_and(|areas| areas.gone(&self.config().fleet).next().is_some()) {
            return Err(Refused::People(rights::Wrong::Area));
        }
        let mut register = (**self.register.borrow()).clone();
        let decided = rights::decide(&mut register, now, wish).map_err(Refused::People)?;
        if decided.changes.is_empty() {
            return Ok((Done::People, false));
        }
        agenda.write_now(now).people.extend(decided.changes);
        self.note(now, by, decided.deed, agenda);
        self.register.send_replace(Arc::new(register));
        Ok((Done::People, waits))
    }

    /// What was done, the incident if somebody was first, and whether anything is to be written.
    fn take_on(
        &mut self,
        now: Timestamp,
        called: String,
        by: &str,
        via: String,
        agenda: &mut Agenda,
    ) -> Result<(Done, Option<IncidentId>, bool), Refused> {
        let open = self.monitor.open_incident(&called);
        let known = self.publish.borrow().incident(&called).is_some();
        match request::take_on(now, (&called, open, known), by, via.clone())? {
            // Whoever has it in hand: that the contractor sees to it is noted.
            TakingOn::Before(done)
                if open.is_some_and(|one| one.responded.is_none())
                    && self.config().alert.answers_for_contractor(&Ack {
                        by: by.to_owned(),
                        via: via.clone(),
                        at: now,
                    }) =>
            {
                let ack = Ack { by: by.to_owned(), via, at: now };
                Ok((done, None, self.handle(now, Event::Respond { incident: called, ack }, agenda)))
            }
            TakingOn::Before(done) => Ok((done, open.map(|incident| incident.id.clone()), false)),
            TakingOn::Now(ack, done) => {
                tracing::info!(incident = called, by = ack.by, via = ack.via, "acknowledged");
                let unwritten = self.handle(now, Event::Acknowledge { incident: called, ack }, agenda);
                Ok((done, None, unwritten))
            }
        }
    }

    /// What was done, and whether anything is to be written.
    fn respond(
        &mut self,
        now: Timestamp,
        called: String,
        by: &str,
        via: String,
        agenda: &mut Agenda,
    ) -> Result<(Done, bool), Refused> {
        let open = self.monitor.open_incident(&called);
        let known = self.publish.borrow().incident(&called).is_some();
        match request::respond(now, (&called, open, known), by, via)? {
            TakingOn::Before(done) => Ok((done, false)),
            TakingOn::Now(ack, done) => {
                tracing::info!(incident = called, by = ack.by, via = ack.via, "the contractor answered");
                Ok((done, self.handle(now, Event::Respond { incident: called, ack }, agenda)))
            }
        }
    }

    /// What was done, and whether anything is to be written.
    fn pass_on(
        &mut self,
        now: Timestamp,
        called: String,
        step: u32,
        agenda: &mut Agenda,
    ) -> Result<(Done, bool), Refused> {
        let open = self.monitor.open_incident(&called);
        let done = request::pass_on((&called, open, self.publish.borrow().incident(&called).is_some()))?;
        if matches!(done, Done::TakenOnBefore { .. }) {
            return Ok((done, false));
        }
        if !self.monitor.can_pass_on(now, &called, step) {
            return Err(Refused::NoNext(called));
        }
        tracing::info!(incident = called, "passed on");
        Ok((done, self.handle(now, Event::PassOn { incident: called, step }, agenda)))
    }

    /// Begins an exercise.
    fn drill(&mut self, now: Timestamp, wish: Drill, agenda: &mut Agenda) -> Result<(Done, bool), Refused> {
        request::drill(&wish, &self.config().fleet, self.monitor.drilling())?;
        tracing::info!(site = %wish.site, by = wish.by, "an exercise begins");
        let unwritten = self.handle(now, Event::Drill(wish.site), agenda);
        let number = self.monitor.drilling().map_or(0, |incident| incident.number);
        Ok((Done::Drilling { number }, unwritten))
    }

    fn silence(&mut self, now: Timestamp, wish: Silence, agenda: &mut Agenda) -> Result<(Done, bool), Refused> {
        let config = self.config();
        let windows = request::Windows {
            standing: self.monitor.windows_set(now),
            quota: &mut self.windows_lately,
            last: &mut self.last_window,
            is_there: |id: &str| self.monitor.has_window(id),
        };
        let window = request::window(now, wish, &config.fleet, windows)?;
        tracing::info!(
            window = window.id,
            scope = window.scope.kind(),
            subject = window.scope.subject(),
            author = window.author,
            reason = window.reason,
            "silenced"
        );
        let done = Done::Silenced { window: window.id.clone() };
        Ok((done, self.handle(now, Event::Silence(window), agenda)))
    }

    fn unsilence(&mut self, now: Timestamp, id: String, agenda: &mut Agenda) -> Result<(Done, bool), Refused> {
        let done = request::end(id.clone(), self.monitor.has_window(&id))?;
        Ok((done, self.handle(now, Event::Unsilence(id), agenda)))
    }

    /// Takes over what was read, or says why not; all that can fail comes before anything live is touched.
    pub(super) fn reloaded(&mut self, mut loaded: Loaded, agenda: &mut Agenda, reloads: &mut Reloads) {
        let now = self.shared.clock.now();
        let read = std::mem::replace(&mut loaded.read, Err(String::new()));
        let config = read.and_then(|config| match losses(&self.config(), &config).filter(|_| !loaded.forced()) {
            Some(losses) => Err(losses),
            None => Ok(config),
        });
        let outcome = config.map(|config| self.take_over(now, config, agenda));
        if let Err(why) = &outcome {
            tracing::error!("the new configuration is refused and the old one goes on: {why}");
        }
        self.shared.own.reload(outcome.is_ok(), now);
        reloads.done(loaded.took());
        for answer in loaded.answers() {
            match &outcome {
                Ok(unwritten) => agenda.answer(answer, Done::Reloaded, *unwritten),
                // Whoever asked may have gone away.
                Err(why) => drop(answer.send(Err(Refused::Configuration(why.clone())))),
            }
        }
    }

    /// Whether anything is to be written for it.
    pub(super) fn take_over(&mut self, now: Timestamp, config: Config, agenda: &mut Agenda) -> bool {
        let before = self.config();
        let at_restart = [
            ("[web]", before.web != config.web),
            (
                "[journal]",
                (&before.journal.path, &before.journal.server) != (&config.journal.path, &config.journal.server),
            ),
            ("[probe]", before.probe != config.probe),
        ];
        for (name, _) in at_restart.iter().filter(|(_, changed)| *changed) {
            tracing::warn!("{name} changed; that takes effect at the next start");
        }
        let config = Arc::new(config);
        self.swap.send_replace(config.clone());
        let event = Event::Replanned(config.fleet.clone(), Box::new(monitor_settings(&config)));
        let unwritten = self.handle(now, event, agenda);
        agenda.changed = true;
        tracing::info!(cameras = config.fleet.cameras.len(), sites = config.fleet.sites.len(), "reloaded");
        self.tell_adrift(now);
        unwritten
    }

    /// Says of whom and what is bound to areas that there are no more: they see nothing of them.
    pub(super) fn tell_adrift(&self, now: Timestamp) {
        let (register, config) = (self.register.borrow().clone(), self.config());
        for (name, areas) in register.adrift(&config.fleet, now) {
            let areas: Vec<&str> = areas.into_iter().map(crate::model::AreaId::as_str).collect();
            tracing::warn!(
                account = name,
                areas = areas.join(", "),
                "is bound to areas that the configuration has no more, and reaches nothing by them: camhealth users bind"
            );
        }
    }
}
