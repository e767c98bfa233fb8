//! Incidents: one for each cause, whatever it takes down; who is told of it, and when the next one is.
//!
//! Sites open, worsen and recover; each time the monitor says which cause explains it. Within one event all changes
//! are gathered, and [`Book::settle`] then says what is told: at most one thing of each incident.

mod contract;
mod further;
mod unsure;

use super::{
    Change, Settings,
    audience::{Call, DRILL, PAUSE, add, call, first_reason, is_over},
    register::Register,
};
use crate::model::{
    Ack, Cause, Detail, Happened, Happening, Incident, IncidentId, Lapsed, Level, Reason, Recipient, SiteId, elapsed,
    later, told,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Ended incidents are shown, re-sent to Alertmanager and counted as episodes for so long.
const REMEMBERED: Duration = Duration::from_secs(6 * 60 * 60);
/// An incident that began so long before its root was found is another matter.
const LATE_EVIDENCE: Duration = Duration::from_secs(60);

/// All incidents.
#[derive(Debug, Clone, Default)]
pub struct Book {
    incidents: Register,
    last_number: u32,
    news: BTreeMap<IncidentId, Reason>,
    /// Incidents that changed without anything to tell.
    changed: BTreeSet<IncidentId>,
    /// What happened to incidents, in order.
    happened: Vec<Happened>,
}

/// What is told, to whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// The incident as it stands with this notice.
    pub incident: Arc<Incident>,
    /// Why; `None` where it only changed and is to be remembered.
    pub reason: Option<Reason>,
    /// Numbers of the incidents that go on after this one.
    pub goes_on: Vec<u32>,
    /// Who is told.
    pub to: Vec<Recipient>,
}

/// What explains the loss of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// What failed.
    pub cause: Cause,
    /// Since when.
    pub since: Timestamp,
}

impl Book {
    /// The incidents of an earlier run.
    pub fn restored(incidents: Vec<Incident>, last_number: u32) -> Self {
        Self { incidents: Register::restored(incidents), last_number, ..Self::default() }
    }

    /// Incidents that are open, or ended lately.
    pub fn incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.all()
    }

    /// Whether any incident changed, or was forgotten, since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        self.incidents.take_changed()
    }

    /// An incident that is open, or ended lately.
    pub fn get(&self, id: &IncidentId) -> Option<&Arc<Incident>> {
        self.incidents.get(id)
    }

    /// What happened to incidents since this was last asked, in order.
    pub fn take_happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.happened)
    }

    /// The open incident that accounts for a site.
    pub fn of_site(&self, site: &SiteId) -> Option<&Arc<Incident>> {
        self.incidents.of_site(site).next()
    }

    /// The open incident by which a site is not proven to be covered.
    pub fn doubt_of(&self, site: &SiteId) -> Option<&Arc<Incident>> {
        self.open_of(&Cause::Unproven(site.clone()))
    }

    /// The open incident of a number or an id.
    pub fn named(&self, name: &str) -> Option<&Arc<Incident>> {
        self.incidents.open().find(|incident| incident.is_named(name))
    }

    /// What became of a site, and what explains it.
    pub fn site_turned(&mut self, now: Timestamp, site: &SiteId, change: &Change, cut: Cut) {
        match change {
            Change::Opened(alert) => self.lost(now, site, alert.worst, cut),
            Change::Worse(alert) => match self.of_site(site).map(|incident| incident.id.clone()) {
                // Another cause came upon a site that was ill already: its own incident stays what it was.
                Some(id) if self.is_older(&id, &cut) && self.is_another(&id, &cut.cause) => {
                    self.lost(now, site, alert.worst, cut);
                }
                Some(id) => self.worse(now, &id, site, alert.worst),
                None => self.lost(now, site, alert.worst, cut),
            },
            Change::Restored => {
                let keeping: Vec<IncidentId> =
                    self.incidents.of_site(site).map(|incident| incident.id.clone()).collect();
                for id in keeping {
                    self.relieve(now, &id, site);
                }
            }
        }
    }

    /// A site that is still lost turns out to have another cause than its incident says.
    pub fn root_found(&mut self, now: Timestamp, site: &SiteId, cut: Cut) {
        let Some(incident) = self.of_site(site).cloned() else { return };
        if incident.cause == cut.cause {
            return;
        }
        let was_shared = !matches!(incident.cause, Cause::Site(_));
        if was_shared && matches!(cut.cause, Cause::Site(_)) {
            self.go_on_alone(now, &incident, site, cut);
            return;
        }
        if matches!(cut.cause, Cause::Site(_)) || self.is_older(&incident.id, &cut) {
            return;
        }
        match self.open_of(&cut.cause).map(|other| other.id.clone()) {
            None => {
                self.incidents.change(&incident.id, |known| {
                    known.since = known.since.min(cut.since);
                    known.cause = cut.cause;
                });
                self.note(now, &incident.id, Happening::RootFound);
                self.tell(&incident.id, Reason::RootFound);
            }
            Some(target) => self.merge(now, &incident, site, &target),
        }
    }

    /// Somebody takes an incident on; `false` where there is no such open incident.
    pub fn acknowledge(&mut self, name: &str, ack: Ack, settings: &Settings) -> bool {
        let Some(id) = self.named(name).map(|incident| incident.id.clone()) else { return false };
        if self.incidents.get(&id).is_some_and(|incident| incident.ack.is_none()) {
            self.incidents.change(&id, |incident| {
                // Nobody was called for what is no alarm, and nobody is reminded of it.
                let reminds = !matches!(incident.cause, Cause::Unproven(_) | Cause::Drill(_));
                incident.escalates = reminds.then(|| later(ack.at, settings.ack_expires));
                (incident.ack, incident.held) = (Some(ack.clone()), false);
            });
            self.happened.extend(self.incidents.get(&id).map(|incident| Happened::taken_on(incident, &ack)));
            if settings.answers_for_contractor(&ack) {
                self.respond(name, &ack);
            }
            self.tell(&id, Reason::Acknowledged);
            if self.incidents.get(&id).is_some_and(|incident| incident.is_drill()) {
                // That is all that an exercise wants to know.
                self.close(ack.at, &id, Reason::DrillOver);
            }
        }
        true
    }

    /// Lets time pass: the next step of an escalation may be due. `muted` says of an incident that all it keeps down
    /// is out of service on purpose.
    pub fn tick(&mut self, now: Timestamp, settings: &Settings, muted: impl Fn(&Incident) -> bool) {
        self.incidents.forget_ended(|at| elapsed(now, at) >= REMEMBERED);
        // A clock that was set back puts nothing off.
        let longest = settings.steps.iter().map(|step| step.after).max().unwrap_or_default().max(PAUSE);
        let put_off = self.incidents.steps().rev().take_while(|(at, _)| *at > later(now, longest));
        let sooner = put_off.filter_map(|(at, id)| {
            let incident = self.incidents.get(id)?;
            let climbs = incident.ack.is_none() && (incident.paged || incident.is_drill());
            let longest = if incident.is_drill() { longest.max(DRILL) } else { longest };
            (climbs && *at > later(now, longest)).then(|| (id.clone(), later(now, longest)))
        });
        for (id, at) in sooner.collect::<Vec<_>>() {
            self.incidents.change(&id, |incident| incident.escalates = Some(at));
        }
        let due = self.incidents.steps().take_while(|(at, _)| *at <= now);
        let mut due: Vec<IncidentId> = due.map(|(_, id)| id.clone()).collect();
        due.sort();
        for id in due {
            if self.incidents.get(&id).is_some_and(|one| one.is_drill() && is_over(one, settings)) {
                self.close(now, &id, Reason::DrillOver);
                continue;
            }
            let muted = self.incidents.get(&id).is_some_and(|incident| muted(incident));
            let news = self.incidents.change(&id, |incident| {
                let held = std::mem::replace(&mut incident.held, muted);
                if muted {
                    incident.escalates = Some(later(now, PAUSE));
                    (None, (!held).then_some((Happening::KeptBack, Detail::default())))
                } else if let Some(last) = incident.ack.take() {
                    let by = told!(WasTakenOnBy, last.by);
                    // Links of messages that were told before this do not serve again.
                    let (count, ran_out) = (incident.round().saturating_add(1), Some(now));
                    incident.lapsed = Some(Lapsed { count, last, ran_out });
                    (incident.escalated, incident.escalates) = (0, None);
                    (Some(Reason::Reminder), Some((Happening::AckExpired, by)))
                } else if incident.paged {
                    (Some(Reason::Escalated), Some((Happening::Escalated, Detail::default())))
                } else {
                    // It waited for the end of the quiet hours.
                    (Some(first_reason(incident)), Some((Happening::Released, Detail::default())))
                }
            });
            let Some((reason, happened)) = news else { continue };
            if let Some((what, why)) = happened {
                self.note_why(now, &id, what, &why);
                self.changed.insert(id.clone());
            }
            if let Some(reason) = reason {
                self.tell(&id, reason);
            }
        }
    }

    /// When [`Self::tick`] may have something to say.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.incidents.steps().next().map(|(at, _)| *at)
    }

    /// What is to be told and remembered after everything that one event changed.
    pub fn settle(&mut self, now: Timestamp, settings: &Settings, zone: &TimeZone) -> Vec<Telling> {
        let news = std::mem::take(&mut self.news);
        let mut changed = std::mem::take(&mut self.changed);
        let mut tellings = Vec::new();
        // Incidents that end come last, so that what goes on after them has its number by then.
        let mut ordered: Vec<_> = news.into_iter().collect();
        ordered.sort_by_key(|(_, reason)| reason.clears() || *reason == Reason::Merged);
        for (id, reason) in ordered {
            changed.remove(&id);
            let call = self.incidents.get(&id).map(|incident| call(incident, reason, now, settings, zone));
            let Some(Call { to, escalation, quiet }) = call else { continue };
            if let Some(end) = quiet {
                self.note_why(now, &id, Happening::KeptBack, &told!(QuietHours));
                self.happened.last_mut().into_iter().for_each(|kept| kept.until = Some(end));
            }
            self.incidents.change(&id, |incident| {
                escalation.note(incident);
                incident.step += 1;
            });
            let Some(incident) = self.incidents.get(&id).cloned() else { continue };
            let others = self.incidents.open();
            let goes_on = others.filter(|other| other.merged.contains(&incident.number)).map(|other| other.number);
            tellings.push(Telling { goes_on: goes_on.collect(), incident, reason: Some(reason), to });
        }
        for id in changed {
            let Some(incident) = self.incidents.get(&id).cloned() else { continue };
            tellings.push(Telling { incident, reason: None, goes_on: vec![], to: vec![] });
        }
        tellings
    }

    fn open_of(&self, cause: &Cause) -> Option<&Arc<Incident>> {
        self.incidents.of_cause(cause).find(|incident| incident.closed.is_none())
    }

    fn is_another(&self, id: &IncidentId, cause: &Cause) -> bool {
        self.incidents.get(id).is_some_and(|incident| incident.cause != *cause)
    }

    fn is_older(&self, id: &IncidentId, cut: &Cut) -> bool {
        self.incidents.get(id).is_some_and(|incident| later(incident.since, LATE_EVIDENCE) < cut.since)
    }

    fn lost(&mut self, now: Timestamp, site: &SiteId, worst: Level, cut: Cut) {
        match self.open_of(&cut.cause).map(|incident| incident.id.clone()) {
            Some(id) => self.worse(now, &id, site, worst),
            None => {
                let id = self.begin(now, cut.cause, cut.since, worst);
                self.incidents.set_site(&id, site, worst);
                self.tell(&id, Reason::CoverageLost);
            }
        }
    }

    fn begin(&mut self, now: Timestamp, cause: Cause, since: Timestamp, told: Level) -> IncidentId {
        let before = self.incidents.of_cause(&cause).count();
        let mut id = IncidentId::new(&cause, since);
        if self.incidents.contains(&id) {
            id = IncidentId::new(&cause, now);
        }
        self.last_number += 1;
        let incident = Incident {
            id: id.clone(),
            number: self.last_number,
            opened: now,
            episode: u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1),
            ..Incident::new(cause, since, told)
        };
        self.incidents.insert(incident);
        self.note(now, &id, Happening::Opened);
        id
    }

    /// Notes what happens to an incident.
    fn note(&mut self, now: Timestamp, id: &IncidentId, what: Happening) {
        self.note_why(now, id, what, &Detail::default());
    }

    fn note_why(&mut self, now: Timestamp, id: &IncidentId, what: Happening, why: &Detail) {
        let Some(incident) = self.incidents.get(id) else { return };
        let level = matches!(what, Happening::Opened | Happening::Worse).then_some(incident.told);
        self.happened.push(Happened { level, ..Happened::to(incident, what, now).saying(why) });
    }

    /// A site joins an incident, or falls deeper within it. A site that goes blind is told in any case.
    fn worse(&mut self, now: Timestamp, id: &IncidentId, site: &SiteId, worst: Level) {
        let before = self.incidents.set_site(id, site, worst);
        let Some(told) = self.incidents.get(id).map(|incident| incident.told) else { return };
        let deeper = worst.worse_than(told) || told == Level::Unknown;
        let newly_blind = worst == Level::Blind && before != Some(Level::Blind);
        if deeper {
            self.incidents.change(id, |incident| incident.told = worst);
        }
        if deeper || newly_blind {
            self.note(now, id, Happening::Worse);
            self.tell(id, Reason::CoverageWorse);
        } else {
            self.changed.insert(id.clone());
        }
    }

    /// A site of an incident is well again; the last one ends it.
    fn relieve(&mut self, now: Timestamp, id: &IncidentId, site: &SiteId) {
        self.leave(now, id, site);
        if self.incidents.get(id).is_some_and(|incident| incident.is_relieved()) {
            self.close(now, id, Reason::CoverageRestored);
        } else {
            self.changed.insert(id.clone());
        }
    }

    /// A site is kept down by an incident no more.
    fn leave(&mut self, now: Timestamp, id: &IncidentId, site: &SiteId) {
        self.incidents.set_site(id, site, Level::Full);
        self.incidents.change(id, |incident| {
            incident.left.insert(site.clone(), now);
        });
    }

    fn close(&mut self, now: Timestamp, id: &IncidentId, reason: Reason) {
        self.end(now, id);
        self.note(now, id, Happening::Ended);
        self.tell(id, reason);
    }

    fn end(&mut self, now: Timestamp, id: &IncidentId) {
        self.incidents.change(id, |incident| (incident.closed, incident.escalates) = (Some(now), None));
    }

    /// One incident turns out to be part of another.
    fn merge(&mut self, now: Timestamp, part: &Incident, site: &SiteId, target: &IncidentId) {
        let level = part.sites.get(site).copied().unwrap_or(part.told);
        self.incidents.set_site(target, site, level);
        self.incidents.change(target, |whole| {
            if level.worse_than(whole.told) {
                whole.told = level;
            }
            whole.paged |= part.paged;
            whole.ack = whole.ack.take().or_else(|| part.ack.clone());
            whole.responded = whole.responded.take().or_else(|| part.responded.clone());
            for recipient in &part.audience {
                add(&mut whole.audience, recipient);
            }
            if !whole.merged.contains(&part.number) {
                whole.merged.push(part.number);
            }
        });
        self.changed.insert(target.clone());
        self.leave(now, &part.id, site);
        if self.incidents.get(&part.id).is_some_and(|part| part.is_relieved()) {
            // Its all-clear comes with that of the whole, which names it.
            let whole = self.incidents.get(target).map_or(0, |whole| whole.number);
            self.end(now, &part.id);
            self.incidents.change(&part.id, |part| part.part_of = Some(whole));
            self.note_why(now, &part.id, Happening::Merged, &told!(PartOf, whole));
            self.tell(&part.id, Reason::Merged);
        }
    }

    /// A link is back, and a site is still lost by its own cameras: it goes on under its own name, and nobody is
    /// called again for what they know.
    fn go_on_alone(&mut self, now: Timestamp, incident: &Incident, site: &SiteId, cut: Cut) {
        let others = incident.sites.iter().any(|(other, level)| other != site && *level != Level::Full);
        if !others {
            self.incidents.change(&incident.id, |known| {
                known.cause = cut.cause;
                known.worst = Some(known.worst());
                known.told = known.sites.get(site).copied().unwrap_or(known.told);
            });
            self.note(now, &incident.id, Happening::RootFound);
            self.tell(&incident.id, Reason::RootFound);
            return;
        }
        let level = incident.sites.get(site).copied().unwrap_or(incident.told);
        let id = self.begin(now, cut.cause, incident.since, level);
        let after = told!(GoesOnAfter, incident.number);
        self.happened.last_mut().into_iter().for_each(|opened| opened.detail = after.clone());
        self.incidents.set_site(&id, site, level);
        self.incidents.change(&id, |new| {
            new.audience.clone_from(&incident.audience);
            (new.paged, new.ack, new.escalated) = (incident.paged, incident.ack.clone(), incident.escalated);
            new.escalates = incident.escalates;
            new.responded.clone_from(&incident.responded);
            new.merged = vec![incident.number];
        });
        self.leave(now, &incident.id, site);
        self.changed.insert(incident.id.clone());
        self.tell(&id, Reason::RootFound);
    }

    /// Notes what is to be told. Within one event the weightier reason wins.
    fn tell(&mut self, id: &IncidentId, reason: Reason) {
        let weight = |reason: Reason| match reason {
            Reason::CoverageRestored
            | Reason::CoverageProven
            | Reason::MonitorRestored
            | Reason::DrillOver
            | Reason::Merged => 4,
            Reason::CoverageLost | Reason::MonitorCutOff | Reason::Drill => 3,
            Reason::CoverageWorse => 2,
            Reason::Escalated | Reason::Reminder => 1,
            _ => 0,
        };
        let news = self.news.entry(id.clone()).or_insert(reason);
        if weight(reason) > weight(*news) {
            *news = reason;
        }
    }
}

impl Incident {
    fn is_relieved(&self) -> bool {
        self.sites.values().all(|level| *level == Level::Full)
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
