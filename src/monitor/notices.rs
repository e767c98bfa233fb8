//! What a notice says of an incident, and the notices that are of no incident: the daily digest, a channel that fails.

use super::{Effect, Monitor};
use crate::{
    alert::{self, Telling},
    model::{
        Branch, Camera, CameraId, CameraLine, CameraStatus, Cameras, Cause, ChannelId, ChannelNotice, Course, Detail,
        DigestNotice, Duty, Happened, Happening, Incident, IncidentId, IncidentNotice, Kind, Level, Note, Notice,
        OverdueLine, PlainNotice, Reason, Recipient, SiteId, SiteLine, Span, State, ViewState, elapsed, told,
    },
};
use jiff::{Timestamp, ToSpan};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Cameras that are named in a message; the others are counted.
const NAMED: usize = 8;
/// The same in the daily digest, which is read at leisure.
const NAMED_IN_DIGEST: usize = 60;
/// Incidents that the contractor is late with and that are named in it.
const OVERDUE_IN_DIGEST: usize = 20;
/// A digest that fell into a time without the daemon is sent this long after all the same.
const LATE_DIGEST: Duration = Duration::from_secs(6 * 60 * 60);

impl Monitor {
    pub(super) fn notice(&self, now: Timestamp, telling: &Telling, reason: Reason) -> Notice {
        let incident = &telling.incident;
        let kept = incident.sites.iter().filter(|(_, level)| reason.clears() || **level != Level::Full);
        let sites: Vec<SiteLine> = kept.filter_map(|(id, _)| self.site_line(id)).collect();
        let cameras = self.concerned(&incident.cause, incident.sites.keys());
        let level = sites.iter().map(|site| site.level).max_by_key(|level| level.severity());
        let hamlets: BTreeSet<&str> =
            (sites.iter()).filter_map(|line| self.fleet.sites.get(&line.id)).map(|site| site.hamlet.as_str()).collect();
        let answers = match &incident.cause {
            Cause::Link(link) => {
                self.topology.status(&Branch::Link(link.clone())).and_then(|(.., beacon)| beacon) == Some(true)
            }
            _ => false,
        };
        let taken_on_by = incident
            .ack
            .as_ref()
            .filter(|_| matches!(reason, Reason::Acknowledged | Reason::DrillOver))
            .map(|ack| ack.by.clone());
        let course = Course::of(incident, |id| {
            let status = &self.sites.get(id)?.status;
            Some((status.level, status.recovering))
        });
        let named = if reason.clears() { 0 } else { NAMED };
        Notice::Incident(Box::new(IncidentNotice {
            incident: incident.id.clone(),
            number: incident.number,
            step: incident.step,
            round: incident.round(),
            reason,
            cause: incident.cause.clone(),
            place: self.fleet.place(&incident.cause),
            hamlet: (hamlets.len() == 1).then(|| hamlets.into_iter().collect()),
            level: level.unwrap_or(Level::Unknown),
            sites,
            since: incident.since,
            at: now,
            recovering: course.recovering(),
            cameras: self.lines(&cameras, named),
            episode: incident.episode,
            related: incident.merged.iter().chain(&telling.goes_on).copied().collect(),
            link_answers: answers && !reason.clears() && taken_on_by.is_none(),
            taken_on_by,
        }))
    }

    /// What happened to an incident, with what the fleet knows of it: the name of its root, the window that keeps it back.
    pub(super) fn explained(&self, now: Timestamp, happened: Happened) -> Happened {
        let Some(incident) = self.book.get(&happened.incident) else { return happened };
        match happened.what {
            Happening::RootFound => happened.saying(&Detail::plain(&self.fleet.place(&incident.cause))),
            Happening::KeptBack if happened.until.is_none() => match self.window_over(now, incident) {
                Some((why, until)) => Happened { until: Some(until), ..happened.saying(&why) },
                None => happened,
            },
            _ => happened,
        }
    }

    /// The window that holds over what an incident keeps down, the first to end of several, and until when.
    fn window_over(&self, now: Timestamp, incident: &Incident) -> Option<(Detail, Timestamp)> {
        let zone = &self.fleet.commune.timezone;
        let sites = incident.sites.keys().filter_map(|id| self.fleet.sites.get(id));
        let watchers = sites.flat_map(|site| site.watchers()).map(|watcher| &watcher.camera);
        let covered: BTreeSet<&CameraId> = watchers.filter(|camera| self.maintenance.contains_key(*camera)).collect();
        let open = self.windows.iter().filter(|window| window.is_open(now, zone));
        let over = open.filter(|window| window.scope.cameras(&self.fleet).any(|camera| covered.contains(camera)));
        let ends = over.map(|window| match &window.span {
            Span::Once { until, .. } => (window, *until),
            Span::Weekly { hours, .. } => (window, hours.ends_after(now, zone)),
        });
        let (window, until) = ends.min_by_key(|(_, until)| *until)?;
        Some((told!(OutOfService, window.author, window.reason), until))
    }

    fn site_line(&self, id: &SiteId) -> Option<SiteLine> {
        let (plan, status) = (self.fleet.sites.get(id)?, &self.sites.get(id)?.status);
        let lost = status.views.iter().filter(|view| view.state == ViewState::Lost);
        Some(SiteLine {
            id: id.clone(),
            name: plan.name.clone(),
            level: status.level,
            views_lost: lost.map(|view| view.name.clone()).collect(),
            views_total: status.views.len(),
        })
    }

    /// The cameras that are not well by a cause: those of its sites, or those below what failed.
    fn concerned<'m>(
        &'m self,
        cause: &Cause,
        sites: impl Iterator<Item = &'m SiteId>,
    ) -> Vec<(&'m Camera, &'m CameraStatus)> {
        let watchers: BTreeSet<_> = sites
            .filter_map(|id| self.fleet.sites.get(id))
            .flat_map(|site| site.watchers())
            .map(|watcher| &watcher.camera)
            .collect();
        let concerned: BTreeSet<&CameraId> = match cause {
            Cause::Site(_) | Cause::Unproven(_) => watchers,
            Cause::Drill(_) => BTreeSet::new(),
            Cause::Link(link) => self.topology.cameras_below(&Branch::Link(link.clone())).collect(),
            Cause::Device(device) => self.topology.cameras_of(device).iter().collect(),
            Cause::Commune | Cause::Monitor => self.fleet.cameras.keys().collect(),
        };
        let cameras = concerned.into_iter().filter_map(|id| Some((self.fleet.cameras.get(id)?, self.cameras.get(id)?)));
        let unwell = cameras.filter(|(_, watched)| !watched.base.sees());
        unwell.map(|(camera, watched)| (camera.as_ref(), &*watched.status)).collect()
    }

    /// Public cameras by name, how many there are, and how many households.
    fn lines(&self, cameras: &[(&Camera, &CameraStatus)], named: usize) -> Cameras {
        let public = || cameras.iter().filter(|(camera, _)| camera.kind == Kind::Public);
        let line = |(camera, status): &(&Camera, &CameraStatus)| CameraLine {
            name: camera.name.clone(),
            state: status.state,
            cause: status.cause,
            since: status.since,
        };
        let count = public().count();
        Cameras { named: public().take(named).map(line).collect(), public: count, households: cameras.len() - count }
    }

    /// What notices that are of no incident have, with the worst level of all sites.
    fn plain(&self, now: Timestamp, id: String) -> (PlainNotice, Level) {
        let levels = self.sites.values().map(|site| site.status.level);
        let level = levels.max_by_key(|level| level.severity()).unwrap_or(Level::Unknown);
        (PlainNotice { id: IncidentId::stored(id), place: self.fleet.commune.name.clone(), at: now }, level)
    }

    pub(super) fn channel_failing(&mut self, now: Timestamp, channel: ChannelId, error: String) {
        let settings = &self.settings.alert;
        let zone = &self.fleet.commune.timezone;
        let mut to = alert::roster::recipients(settings, &settings.maintainers, now, zone);
        // Whom only the failing channel reaches cannot be told of it.
        to.retain(|recipient| recipient.channels.iter().any(|other| *other != channel));
        let id = format!("channel-{channel}-{}", now.as_millisecond());
        let (plain, level) = self.plain(now, id);
        let notice = Notice::Channel(ChannelNotice { plain, level, channel, error });
        self.effects.push(Effect::Notify(Box::new(notice), to));
    }

    /// Tells somebody, or those who keep the monitor, what is no news of an incident.
    pub(super) fn note(&mut self, now: Timestamp, id: String, note: Note, to: Option<Recipient>) {
        let settings = &self.settings.alert;
        let keepers = match note {
            Note::Gap { .. } if !settings.roster_keepers.is_empty() => &settings.roster_keepers,
            _ => &settings.maintainers,
        };
        let keepers = || alert::roster::recipients(settings, keepers, now, &self.fleet.commune.timezone);
        let to = to.map_or_else(keepers, |recipient| vec![recipient]);
        let (plain, _) = self.plain(now, id);
        self.effects.push(Effect::Notify(Box::new(Notice::Note(plain, note)), to));
    }

    /// When the next digest is due.
    pub(super) fn plan_digest(&mut self, now: Timestamp) {
        self.next_digest = self.digest_time(now, 0).filter(|at| *at > now).or_else(|| self.digest_time(now, 1));
    }

    /// A digest that fell into a time without the daemon is sent late; its key keeps it from being sent twice.
    pub(super) fn missed_digest(&mut self, now: Timestamp) {
        let today = self.digest_time(now, 0).filter(|at| *at <= now && elapsed(now, *at) < LATE_DIGEST);
        if let Some(at) = today {
            self.digest(at, now);
        }
    }

    pub(super) fn perhaps_digest(&mut self, now: Timestamp) {
        if let Some(at) = self.next_digest.filter(|at| *at <= now) {
            self.digest(at, now);
            self.plan_digest(now);
        }
    }

    fn digest_time(&self, now: Timestamp, day: i64) -> Option<Timestamp> {
        let zone = &self.fleet.commune.timezone;
        let digest = self.settings.alert.digest.as_ref()?;
        let date = now.to_zoned_datetime(zone.clone()).date().checked_add(day.days()).ok()?;
        Some(date.to_datetime(digest.at).to_zoned_datetime(zone.clone()).ok()?.timestamp())
    }

    /// Open incidents that the contractor is late with, what is to be done about each, the longest first.
    fn overdue(&self) -> Vec<OverdueLine> {
        let contract = self.settings.alert.under_contract;
        let open = self.book.incidents().filter(|incident| contract && incident.closed.is_none());
        let line = |incident: &Arc<Incident>| {
            let undone = incident.overdue.iter().filter(|one| one.duty == Duty::Repair || incident.responded.is_none());
            let one = undone.min_by_key(|one| (one.duty != Duty::Repair, one.at))?;
            let place = self.fleet.place(&incident.cause);
            Some(OverdueLine { number: incident.number, place, duty: one.duty, since: one.at })
        };
        let mut overdue: Vec<OverdueLine> = open.filter_map(line).collect();
        overdue.sort_by_key(|line| (line.since, line.number));
        overdue
    }

    fn digest(&mut self, due: Timestamp, now: Timestamp) {
        let Some(digest) = &self.settings.alert.digest else { return };
        let zone = &self.fleet.commune.timezone;
        let to = alert::roster::recipients(&self.settings.alert, &digest.to, now, zone);
        let day = due.to_zoned_datetime(zone.clone()).date();
        let minor = |status: &CameraStatus| {
            let unproven = status.state == State::Unknown && status.cause.is_some();
            matches!(status.state, State::Down | State::Unreachable | State::Degraded) || unproven
        };
        let cameras = self.fleet.cameras.values();
        let cameras: Vec<(&Camera, &CameraStatus)> = cameras
            .filter_map(|camera| Some((camera.as_ref(), &*self.cameras.get(&camera.id)?.status)))
            .filter(|(_, status)| minor(status))
            .collect();
        let (plain, level) = self.plain(now, format!("digest-{day}"));
        let mut overdue = self.overdue();
        let overdue_total = overdue.len();
        overdue.truncate(OVERDUE_IN_DIGEST);
        let cameras = self.lines(&cameras, NAMED_IN_DIGEST);
        let notice = Notice::Digest(DigestNotice { plain, level, cameras, overdue, overdue_total });
        self.effects.push(Effect::Notify(Box::new(notice), to));
    }
}
