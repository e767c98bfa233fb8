//! The report itself: every camera, site, link and make, what they add up to, and how that stands to the agreement.

use super::{
    account::{Account, Class, Seconds},
    answers::{answers, drills},
    lines::{CauseLine, DayLine, IncidentLine, Line, Report, Trend, Verdict},
    past::Past,
    settings::Settings,
    span::{Month, Period, second},
    spell::Spell,
    tally::Tally,
    terms::terms,
};
use crate::model::{Camera, CameraId, FailureKind, Fleet, History, Incident, Kind, Site, elapsed};
use jiff::{Timestamp, civil::Date};
use std::collections::{BTreeMap, BTreeSet};

/// The time whose history the report of a month needs: the month and the one before.
pub fn reach(fleet: &Fleet, month: Month, now: Timestamp) -> (Timestamp, Timestamp) {
    let zone = &fleet.commune.timezone;
    let (before, period) = (month.before().period(zone, now), month.period(zone, now));
    (second(before.from), second(period.until))
}

/// The report of a month, compared with the one before, unless something of that one is forgotten: half a month is no
/// measure of a whole one.
pub fn of_month(fleet: &Fleet, history: &History, month: Month, settings: &Settings, now: Timestamp) -> Report {
    let of = |month: Month, settings: &Settings, before: Option<&Report>| {
        let period = month.period(&fleet.commune.timezone, now);
        report(fleet, history, &period, settings, now, before)
    };
    // Terms are not compared.
    let before = Settings { contract: None, ..settings.clone() };
    let begins = month.before().period(&fleet.commune.timezone, now).from;
    match history.forgotten.is_none_or(|until| until.as_second() <= begins) {
        true => of(month, settings, Some(&of(month.before(), &before, None))),
        false => of(month, settings, None),
    }
}

/// Works out the report of a period. `before` is the report of the period before, if there is one.
pub(super) fn report(
    fleet: &Fleet,
    history: &History,
    period: &Period,
    settings: &Settings,
    now: Timestamp,
    before: Option<&Report>,
) -> Report {
    let past = Past::new(fleet, history, (period.from, period.until), settings, now);
    let work = Work { past, days: period.days(), settings };
    let mut sums = Sums::default();
    // A camera's own sums are let go as soon as they are added: a day of each takes as much as all of its line.
    let each = fleet.cameras.values().map(|camera| {
        let tally = Tally::of(&work.days, &work.past.camera(camera));
        sums.add(fleet, history, camera, &tally);
        Line { proof: camera.weaker_proof(), ..work.line(camera.id.as_str(), camera.public_name(), &tally, 1) }
    });
    let each = worst_first(each.collect());
    let lines = |groups: BTreeMap<String, Group>, name: &dyn Fn(&str) -> Option<String>| {
        let lines =
            groups.into_iter().filter_map(|(id, group)| Some(work.line(&id, &name(&id)?, &group.sum, group.members)));
        worst_first(lines.collect())
    };
    let mut kinds = Vec::new();
    for (kind, group) in Kind::ALL.into_iter().zip(&sums.kinds) {
        kinds.extend((group.members > 0).then(|| work.line(kind.as_str(), "", &group.sum, group.members)));
    }
    let all = sums.all;
    let total = if all.members > 0 { work.line("all", "", &all.sum, all.members) } else { Line::default() };
    let mut causes: Vec<CauseLine> = (all.sum.causes.iter())
        .map(|((account, cause), seconds)| {
            let cameras = sums.causes.get(&(*account, *cause)).copied().unwrap_or_default();
            CauseLine { account: *account, cause: *cause, seconds: *seconds, cameras }
        })
        .collect();
    causes.sort_by_key(|line| std::cmp::Reverse(line.seconds));

    let site_tallies: Vec<(&Site, Tally, i64)> = fleet.sites.values().map(|site| work.site(site)).collect();
    let mut all_sites = Group::default();
    site_tallies.iter().for_each(|(_, tally, _)| all_sites.add(tally));
    let coverage = work.site_line("sites", "", &all_sites.sum, all_sites.members);
    let sites = site_tallies.iter().map(|(site, tally, blind)| {
        let line = work.site_line(site.id.as_str(), &site.name, tally, 1);
        Line { blind_seconds: Some(*blind), ..line }
    });
    let links = fleet.links.iter().map(|(id, link)| Line {
        verdict: None,
        ..work.line(id.as_str(), &link.name, &Tally::of(&work.days, &work.past.link(id)), 1)
    });

    let days = work.days.iter().zip(&all.sum.days).map(|((date, _), seconds)| DayLine {
        date: *date,
        seconds: *seconds,
        service: seconds.service(),
        contractor: seconds.contractor(),
        measured: seconds.measured(),
    });
    let known: BTreeSet<&CameraId> = history.transitions.iter().map(|row| &row.camera).collect();
    let offset = second(period.from).to_zoned_datetime(period.zone.clone());
    let mut report = Report {
        commune: fleet.commune.name.clone(),
        timezone: period.zone.iana_name().map_or_else(|| offset.strftime("%:z").to_string(), str::to_owned),
        zone: period.zone.clone(),
        from: second(period.from),
        until: second(period.until),
        known_since: history.begins,
        complete: period.until == period.end,
        camera_target: settings.camera_target,
        site_target: settings.site_target,
        measured_at_least: settings.measured_at_least,
        kinds,
        coverage,
        sites: worst_first(sites.collect()),
        cameras: each,
        links: worst_first(links.collect()),
        cameras_by_link: lines(sums.links, &|id| Some(fleet.links.get(id)?.name.clone())),
        cameras_by_area: lines(sums.areas, &|id| Some(fleet.areas.get(id)?.name.clone())),
        makes: lines(sums.makes, &|name| Some(name.to_owned())),
        causes,
        days: days.collect(),
        incidents: incidents(fleet, &history.incidents, period, now),
        answers: answers(&history.incidents, &history.first, (period.from, period.until), now),
        drills: drills(&history.incidents, &history.first, (period.from, period.until), now),
        contract: terms(&work.past, fleet, &history.incidents, period, settings),
        before: before.map(|before| Trend {
            from: before.from,
            service: before.total.service,
            contractor: before.total.contractor,
            measured: before.total.measured,
        }),
        removed: known.into_iter().filter(|id| !fleet.cameras.contains_key(*id)).cloned().collect(),
        total,
    };
    if let Some(before) = before {
        report.compare(before);
    }
    report
}

/// Things added up.
#[derive(Default)]
struct Group {
    sum: Tally,
    members: usize,
}

impl Group {
    fn add(&mut self, tally: &Tally) {
        self.sum.add(tally);
        self.members += 1;
    }
}

/// Cameras added up, all of them and by what they have in common.
#[derive(Default)]
struct Sums {
    all: Group,
    kinds: [Group; Kind::ALL.len()],
    links: BTreeMap<String, Group>,
    makes: BTreeMap<String, Group>,
    areas: BTreeMap<String, Group>,
    /// How many cameras were down by what.
    causes: BTreeMap<(Account, Option<FailureKind>), usize>,
}

impl Sums {
    fn add(&mut self, fleet: &Fleet, history: &History, camera: &Camera, tally: &Tally) {
        self.all.add(tally);
        self.kinds[camera.kind as usize].add(tally);
        let group = |groups: &mut BTreeMap<String, Group>, name: &str| match groups.get_mut(name) {
            Some(group) => group.add(tally),
            None => groups.entry(name.to_owned()).or_default().add(tally),
        };
        if let Some(link) = &camera.link {
            group(&mut self.links, link.as_str());
        }
        let facts = history.devices.get(&camera.id);
        let make = facts.map(|facts| format!("{} {}", facts.manufacturer.trim(), facts.model.trim()));
        if let Some(make) = make.as_deref().map(str::trim).filter(|make| !make.is_empty()) {
            group(&mut self.makes, make);
        }
        for area in fleet.areas_up_from(camera.area.as_ref()) {
            group(&mut self.areas, area.as_str());
        }
        for cause in tally.causes.keys() {
            *self.causes.entry(*cause).or_default() += 1;
        }
    }
}

/// What adding up needs beside what each thing was.
struct Work<'a> {
    past: Past<'a>,
    /// The period's days, worked out once: that asks the time zone.
    days: Vec<(Date, i64)>,
    settings: &'a Settings,
}

impl Work<'_> {
    /// A site's sums, and how long it was blind.
    fn site<'s>(&self, site: &'s Site) -> (&'s Site, Tally, i64) {
        let spells = self.past.site(site);
        let blind = spells.iter().filter(|spell| spell.stands.blind).map(Spell::seconds).sum();
        (site, Tally::of(&self.days, &spells), blind)
    }

    /// Cameras or links added up; the verdict is about the contractor's share.
    fn line(&self, id: &str, name: &str, sum: &Tally, members: usize) -> Line {
        let contractor = |seconds: &Seconds| seconds.contractor();
        let line = self.line_of(sum, contractor, self.settings.camera_target);
        Line { id: id.to_owned(), name: name.to_owned(), members, ..line }
    }

    /// Sites added up; the verdict is about service, since a site is agreed on as a whole.
    fn site_line(&self, id: &str, name: &str, sum: &Tally, members: usize) -> Line {
        let service = |seconds: &Seconds| seconds.service();
        let line = self.line_of(sum, service, self.settings.site_target);
        Line { id: id.to_owned(), name: name.to_owned(), members, ..line }
    }

    fn line_of(&self, sum: &Tally, figure: fn(&Seconds) -> Option<f64>, target: f64) -> Line {
        let seconds = sum.seconds;
        let (failures, down) = sum.repairs();
        let by_failure = |seconds: i64| (failures > 0).then(|| seconds as f64 / failures as f64);
        let measured = seconds.measured();
        let verdict = match figure(&seconds) {
            Some(_) if measured.is_none_or(|share| share < self.settings.measured_at_least) => Verdict::NotMeasured,
            Some(share) if share >= target => Verdict::Pass,
            Some(_) => Verdict::Fail,
            None => Verdict::NotMeasured,
        };
        Line {
            seconds,
            service: seconds.service(),
            contractor: seconds.contractor(),
            measured,
            outages: sum.outages.len(),
            failures,
            mttr_seconds: by_failure(down),
            mtbf_seconds: by_failure(seconds.class(Class::Up)),
            verdict: Some(verdict),
            days: sum.days.iter().map(figure).collect(),
            ..Line::default()
        }
    }
}

/// Least available first; what cannot be said comes last.
fn worst_first(mut lines: Vec<Line>) -> Vec<Line> {
    let rank = |line: &Line| line.service.unwrap_or(2.0);
    lines.sort_by(|a, b| rank(a).total_cmp(&rank(b)).then_with(|| a.id.cmp(&b.id)));
    lines
}

fn incidents(fleet: &Fleet, incidents: &[Incident], period: &Period, now: Timestamp) -> Vec<IncidentLine> {
    let mut within: Vec<&Incident> = incidents
        .iter()
        .filter(|incident| incident.since.as_second() < period.until)
        .filter(|incident| incident.closed.is_none_or(|at| at.as_second() > period.from))
        .collect();
    within.sort_by_key(|incident| (incident.since, incident.number));
    let line = |incident: &Incident| IncidentLine {
        id: incident.id.to_string(),
        number: incident.number,
        cause: incident.cause.kind(),
        place: fleet.place(&incident.cause),
        level: incident.told,
        since: incident.since,
        until: incident.closed,
        seconds: whole(incident.closed.unwrap_or(now), incident.since),
        acknowledged_after_seconds: incident.ack.as_ref().map(|ack| whole(ack.at, incident.opened)),
    };
    within.into_iter().map(line).collect()
}

fn whole(until: Timestamp, since: Timestamp) -> i64 {
    i64::try_from(elapsed(until, since).as_secs()).unwrap_or(i64::MAX)
}
