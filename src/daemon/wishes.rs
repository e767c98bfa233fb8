//! What people ask of the daemon, done one at a time inside the event loop: reloads, taking incidents on, silences.

use super::{
    agenda::Agenda,
    event_loop::{EventLoop, Telling, monitor_settings},
    reload::{Loaded, Reloads, losses},
};
use crate::{
    config::Plan,
    model::{Ack, IncidentId, Span, Window, elapsed, later},
    monitor::Event,
    schedule,
    web::{Command, Refusal, Request},
};
use jiff::Timestamp;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

/// Windows that people have set and that are not over, at once. A commune has some forty sites; more than this is a
/// flood, and the next real one must find room.
const WINDOWS: usize = 200;
/// Windows that may be set in a day, so that setting and ending them again fills no disk.
const WINDOWS_A_DAY: u32 = 1000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far ahead a window may begin: longer plans belong into the configuration.
const HORIZON: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What was done, for people, and whether it is to be written.
type Done = Result<(String, bool), String>;

impl EventLoop {
    /// Does what somebody asks for. They are answered when it is durable.
    pub(super) fn perform(&mut self, request: Request, agenda: &mut Agenda, reloads: &mut Reloads) {
        let now = self.clock.now();
        let done = match request.command {
            Command::Reload { force } => return reloads.ask(request.answer, force),
            Command::Acknowledge { incident, by, via } => match self.taken_on(&incident) {
                // The first to take it on may still wait for the disk.
                Some((id, done)) => return agenda.answer_of(request.answer, done, &id),
                None => self.acknowledge(now, incident, by, via, agenda),
            },
            Command::Silence { scope, from, until, author, reason } => {
                let span = Span::Once { from: from.unwrap_or(now).max(now), until };
                self.silence(now, Window { id: String::new(), scope, span, author, reason }, agenda)
            }
            Command::Unsilence(id) => self.unsilence(now, id, agenda),
        };
        match done {
            Ok((done, unwritten)) => agenda.answer(request.answer, done, unwritten),
            // Whoever asked may have gone away.
            Err(refused) => drop(request.answer.send(Err(Refusal::Refused(refused)))),
        }
    }

    /// That somebody has taken an incident on, for people.
    fn taken_on(&self, name: &str) -> Option<(IncidentId, String)> {
        let incident = self.monitor.open_incident(name)?;
        let by = &incident.ack.as_ref()?.by;
        Some((incident.id.clone(), format!("incident #{} is already taken on by {by}", incident.number)))
    }

    fn acknowledge(&mut self, now: Timestamp, name: String, by: String, via: String, agenda: &mut Agenda) -> Done {
        let Some(incident) = self.monitor.open_incident(&name) else {
            return Err(format!("there is no open incident {name}"));
        };
        let number = incident.number;
        tracing::info!(incident = number, by, via, "acknowledged");
        let ack = Ack { by, via, at: now };
        let unwritten = self.handle(now, Event::Acknowledge { incident: name, ack }, agenda);
        Ok((format!("incident #{number} is taken on"), unwritten))
    }

    fn silence(&mut self, now: Timestamp, window: Window, agenda: &mut Agenda) -> Done {
        self.may_silence(now, &window)?;
        // Several in one millisecond, or after the clock was set back, must not overwrite each other.
        self.last_window = now.as_millisecond().max(self.last_window + 1);
        while self.monitor.has_window(&format!("w{}", self.last_window)) {
            self.last_window += 1;
        }
        let window = Window { id: format!("w{}", self.last_window), ..window };
        tracing::info!(
            window = window.id,
            scope = window.scope.kind(),
            subject = window.scope.subject(),
            author = window.author,
            reason = window.reason,
            "silenced"
        );
        let id = window.id.clone();
        self.windows_lately.1 += 1;
        Ok((id, self.handle(now, Event::Silence(window), agenda)))
    }

    fn may_silence(&mut self, now: Timestamp, window: &Window) -> Result<(), String> {
        let Span::Once { from, until } = window.span else {
            return Err("what repeats belongs into the configuration".to_owned());
        };
        if !window.scope.is_known(&self.plan.fleet) {
            return Err(format!("there is no such {}", window.scope.kind()));
        }
        if from >= until {
            return Err("the end lies in the past, or before the beginning".to_owned());
        }
        if from > later(now, HORIZON) {
            return Err("it begins more than 90 days from now: longer plans belong into the configuration".to_owned());
        }
        let set = self.monitor.windows_set(now);
        if set >= WINDOWS {
            return Err(format!("{set} windows are set already, which is the limit: end some of them first"));
        }
        // A clock that was set back begins a new day too.
        if elapsed(now, self.windows_lately.0) >= DAY || now < self.windows_lately.0 {
            self.windows_lately = (now, 0);
        }
        if self.windows_lately.1 >= WINDOWS_A_DAY {
            return Err(format!("{WINDOWS_A_DAY} windows were set within a day, which is the limit"));
        }
        Ok(())
    }

    fn unsilence(&mut self, now: Timestamp, id: String, agenda: &mut Agenda) -> Done {
        if !self.monitor.has_window(&id) {
            return Err(format!("there is no window {id:?} that was set by somebody"));
        }
        let unwritten = self.handle(now, Event::Unsilence(id.clone()), agenda);
        Ok((format!("{id} is ended"), unwritten))
    }

    /// Takes over what was read, or says why not; all that can fail comes before anything live is touched.
    pub(super) fn reloaded(&mut self, mut loaded: Loaded, agenda: &mut Agenda, reloads: &mut Reloads) {
        let now = self.clock.now();
        let read = std::mem::replace(&mut loaded.read, Err(String::new()));
        let plan = read.and_then(|plan| match losses(&self.plan, &plan).filter(|_| !loaded.forced()) {
            Some(losses) => Err(losses),
            None => Ok(plan),
        });
        let outcome = plan.map(|plan| self.take_over(now, plan, agenda));
        if let Err(why) = &outcome {
            tracing::error!("the new configuration is refused and the old one goes on: {why}");
        }
        self.own.reload(outcome.is_ok(), now);
        reloads.done(loaded.took());
        for answer in loaded.answers() {
            match &outcome {
                Ok(unwritten) => agenda.answer(answer, "reloaded".to_owned(), *unwritten),
                // Whoever asked may have gone away.
                Err(why) => drop(answer.send(Err(Refusal::Refused(why.clone())))),
            }
        }
    }

    /// Whether anything is to be written for it.
    fn take_over(&mut self, now: Timestamp, plan: Plan, agenda: &mut Agenda) -> bool {
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
        self.settings.send_replace(Arc::new(Telling::of(&plan)));
        *self.roster.write().unwrap_or_else(PoisonError::into_inner) = plan.alert.people.clone();
        self.plan = plan.clone();
        self.taken_over.send_replace(plan.clone());
        self.assignments
            .send_replace(schedule::Assignment { settings: plan.schedule.clone(), fleet: plan.fleet.clone() });
        let event = Event::Replanned(plan.fleet.clone(), Box::new(monitor_settings(&plan)));
        let unwritten = self.handle(now, event, agenda);
        agenda.changed = true;
        tracing::info!(cameras = plan.fleet.cameras.len(), sites = plan.fleet.sites.len(), "reloaded");
        unwritten
    }
}
