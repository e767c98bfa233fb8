//! What follows from an event, in one order: cameras, then sites, then incidents, then people.

use super::{Effect, Monitor};
use crate::{
    coverage,
    model::{CameraId, Incident, Level, Site, SiteId, SiteRecord, State, ViewState, ViewStatus, later},
};
use jiff::Timestamp;
use std::{collections::BTreeSet, sync::Arc};

impl Monitor {
    /// Works out everything that follows, and gives it to the shell.
    pub(super) fn conclude(&mut self, now: Timestamp) -> Vec<Effect> {
        for key in self.topology.tick(now, &self.settings.topology) {
            self.link_turned(&key);
        }
        let cut_off = self.topology.cut_off();
        if std::mem::replace(&mut self.cut_off, cut_off) != cut_off {
            self.touched.extend(self.fleet.cameras.keys().cloned());
        }
        for id in std::mem::take(&mut self.touched) {
            let Some((standing, base)) = self.standing(&id) else { continue };
            let Some(camera) = self.cameras.get_mut(&id) else { continue };
            let base_changed = std::mem::replace(&mut camera.base, base) != base;
            let transition = camera.stand(now, &id, standing);
            if base_changed || transition.is_some() {
                self.stale.extend(self.sites_of.get(&id).into_iter().flatten().cloned());
            }
            self.effects.extend(transition.map(Effect::Camera));
            self.cameras_to_show.insert(id);
        }
        let mut stale = std::mem::take(&mut self.stale);
        stale.extend(self.deadlines.due(now).cloned());
        for site in &stale {
            self.evaluate(now, site);
        }
        match self.cut_off {
            Some(since) => self.book.cut_off(now, since),
            None => self.book.sees_again(now),
        }
        self.perhaps_digest(now);
        self.perhaps_shifts(now);
        self.perhaps_exercise(now);
        self.escalate(now);
        self.tell(now, stale);
        std::mem::take(&mut self.effects)
    }

    /// Looks at one site anew.
    fn evaluate(&mut self, now: Timestamp, id: &SiteId) {
        let Some(plan) = self.fleet.sites.get(id).cloned() else { return };
        let base = |camera: &_| self.cameras.get(camera).map_or(State::Unknown, |camera| camera.base);
        let (level, views) = coverage::evaluate(&plan, self.night, base);
        let watchers = || plan.watchers();
        let excused = match watchers().any(|watcher| self.maintenance.contains_key(&watcher.camera)) {
            true => self.excused(id),
            false => level,
        };
        let doubtful = self.doubtful(&plan, &views, level, excused);
        let awaited = watchers().find_map(|watcher| {
            let device = &self.fleet.cameras.get(&watcher.camera)?.device;
            self.cameras.get(&watcher.camera).filter(|camera| !camera.base.sees())?;
            self.topology.awaited(now, device, &self.settings.topology).cloned()
        });
        let held = awaited.is_some();
        let Some(site) = self.sites.get_mut(id) else { return };
        let before = site.status.level;
        let status = Arc::make_mut(&mut site.status);
        if status.level != level {
            (status.level, status.since) = (level, now);
        }
        status.views = views;
        let change = site.damper.consider(now, &plan, level, excused, held);
        let doubted = site.doubt.consider(now, doubtful);
        status.recovering = site.damper.recovering().or_else(|| site.doubt.recovering());
        let open = site.damper.open().cloned();
        let record = SiteRecord {
            site: id.clone(),
            level,
            since: site.status.since,
            alert: open.clone(),
            ended: site.damper.ended().to_vec(),
        };
        // Nothing is due twice at one moment, whatever a clock did.
        let delay = site.deadline(&plan).map(|at| if at > now { at } else { later(now, super::HELD_EVERY) });
        match awaited.filter(|_| excused.worse_than(plan.alert_below)) {
            Some(link) => {
                self.deadlines.set(id, Some(later(now, super::HELD_EVERY)));
                self.held.entry(link).or_default().insert(id.clone());
            }
            None => self.deadlines.set(id, delay),
        }
        if before != level || change.is_some() {
            self.effects.push(Effect::Site(record));
        }
        if let Some(doubted) = doubted {
            self.book.site_doubted(now, id, doubted);
        }
        let cut = self.cut(&plan, open.as_ref().map_or(now, |open| open.since));
        match change {
            Some(change) => self.book.site_turned(now, id, &change, cut),
            None if open.is_some() && !held && level.worse_than(plan.alert_below) => {
                self.book.root_found(now, id, cut);
            }
            None => {}
        }
    }

    /// Whether a site hangs on cameras that answer and prove nothing; `None` where that cannot be said now.
    fn doubtful(&self, site: &Site, views: &[ViewStatus], level: Level, excused: Level) -> Option<bool> {
        match level {
            Level::Full | Level::Reduced => return Some(false),
            Level::Critical | Level::Blind => return None,
            Level::Unknown if self.cut_off.is_some() => return None,
            // By what is out of service on purpose alone.
            Level::Unknown if excused != Level::Unknown => return Some(false),
            Level::Unknown => {}
        }
        let unproven = |camera: &CameraId| {
            self.cameras
                .get(camera)
                .is_some_and(|camera| camera.base == State::Unknown && camera.machine.standing().cause.is_some())
        };
        let unknown = site.views.iter().zip(views).filter(|(_, status)| status.state == ViewState::Unknown);
        Some(unknown.flat_map(|(view, _)| &view.watchers).any(|watcher| unproven(&watcher.camera)))
    }

    /// The level of a site if what is out of service on purpose worked.
    fn excused(&self, id: &SiteId) -> Level {
        let Some(plan) = self.fleet.sites.get(id) else { return Level::Unknown };
        let state = |camera: &_| match self.cameras.get(camera) {
            _ if self.maintenance.contains_key(camera) => State::Up,
            Some(camera) => camera.base,
            None => State::Unknown,
        };
        coverage::evaluate(plan, self.night, state).0
    }

    fn escalate(&mut self, now: Timestamp) {
        let mut book = std::mem::take(&mut self.book);
        book.tick(now, &self.settings.alert, |incident| self.is_muted(incident));
        self.book = book;
    }

    /// Whether all that an incident keeps down is out of service on purpose.
    fn is_muted(&self, incident: &Incident) -> bool {
        let mut kept = incident.sites.iter().filter(|(_, level)| **level != Level::Full).peekable();
        kept.peek().is_some()
            && kept.all(|(id, _)| {
                self.fleet.sites.get(id).is_none_or(|site| !self.excused(id).worse_than(site.alert_below))
            })
    }

    /// Turns what the book has to say into notices, and shows each site its incident.
    fn tell(&mut self, now: Timestamp, stale: BTreeSet<SiteId>) {
        let tellings = self.book.settle(now, &self.settings.alert, &self.fleet.commune.timezone);
        for happened in self.book.take_happened() {
            let happened = self.explained(now, happened);
            self.effects.push(Effect::Happened(Box::new(happened)));
        }
        let mut sites = stale;
        for telling in tellings {
            sites.extend(telling.incident.sites.keys().cloned());
            self.effects.push(Effect::Incident(telling.incident.clone()));
            if let Some(reason) = telling.reason {
                let notice = self.notice(now, &telling, reason);
                self.effects.push(Effect::Notify(Box::new(notice), telling.to));
            }
        }
        for id in sites {
            let incident =
                self.book.of_site(&id).or_else(|| self.book.doubt_of(&id)).map(|incident| incident.id.clone());
            let Some(site) = self.sites.get_mut(&id) else { continue };
            if site.status.incident != incident {
                Arc::make_mut(&mut site.status).incident = incident;
            }
            self.sites_to_show.insert(id);
        }
    }
}
