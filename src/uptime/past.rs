//! What each camera, site and link was in each second of a span of time, from the rows of the journal.

use super::{
    account::Account,
    settings::Settings,
    span::second as moment,
    spell::{Spell, Stands, spells},
    tally::{Above, Watched, cut_by, of_camera},
    timeline::{Timeline, Was},
};
use crate::{
    coverage,
    health::hindsight,
    model::{
        self, Branch, Camera, CameraId, FailureKind, Fleet, History, LateLook, Level, LinkId, LinkState, Scope, Site,
        SiteId, State, Transition, Window,
    },
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// So long it may take until what is well again is confirmed: two looks at a household's stream.
const CONFIRMED: i64 = 45 * 60;

/// The history in the order of time.
pub(super) struct Past<'a> {
    fleet: &'a Fleet,
    /// First second, and first second after.
    span: (i64, i64),
    settings: &'a Settings,
    watched: Watched,
    cameras: BTreeMap<&'a CameraId, Timeline<Was>>,
    sites: BTreeMap<&'a str, Timeline<Level>>,
    links: BTreeMap<&'a LinkId, Timeline<LinkState>>,
    windows: Vec<&'a Window>,
}

impl<'a> Past<'a> {
    /// What was known of a fleet in a span of time.
    pub(super) fn new(
        fleet: &'a Fleet,
        history: &'a History,
        span: (i64, i64),
        settings: &'a Settings,
        now: Timestamp,
    ) -> Self {
        let mut rows: BTreeMap<&CameraId, Vec<_>> = BTreeMap::new();
        history.transitions.iter().for_each(|row| rows.entry(&row.camera).or_default().push(row));
        let mut levels: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for row in &history.levels {
            levels.entry(row.site.as_str()).or_default().push((row.since.as_second(), row.level));
        }
        let mut links: BTreeMap<&LinkId, Vec<_>> = BTreeMap::new();
        for row in &history.links {
            if let Branch::Link(link) = &row.branch {
                links.entry(link).or_default().push((row.since.as_second(), row.state));
            }
        }
        Self {
            fleet,
            span,
            settings,
            watched: Watched::of(&history.runs, now.as_second()),
            cameras: cameras(fleet, history, rows, settings),
            sites: levels.into_iter().map(|(id, rows)| (id, Timeline::of(rows))).collect(),
            links: links.into_iter().map(|(id, rows)| (id, Timeline::of(rows))).collect(),
            windows: fleet.windows.iter().chain(&history.windows).collect(),
        }
    }

    /// Links above something, from the nearest up.
    fn above(&self, links: &[LinkId]) -> Vec<Above<'_>> {
        let above = links.iter().filter_map(|id| {
            let contractors = self.settings.contractors_links.contains(&self.fleet.links.get(id)?.kind);
            Some(Above { contractors, timeline: self.links.get(id)? })
        });
        above.collect()
    }

    pub(super) fn camera(&self, camera: &Camera) -> Vec<Spell> {
        let links = self.fleet.links_above(camera);
        let above = self.above(&links);
        let timeline = self.cameras.get(&camera.id);
        let changes = timeline.into_iter().flat_map(Timeline::changes);
        let cuts = above.iter().flat_map(|link| link.timeline.changes());
        spells(self.span, changes.chain(cuts).chain(self.watched.edges()), |second| {
            if !self.watched.at(second) {
                return Stands::as_(Account::MonitorDown);
            }
            let was = timeline.and_then(|timeline| timeline.at(second));
            let cause = was.and_then(|was| was.cause);
            Stands { cause, ..Stands::as_(of_camera(was, &above, second)) }
        })
    }

    pub(super) fn site(&self, site: &Site) -> Vec<Spell> {
        let timeline = self.sites.get(site.id.as_str());
        let cameras = site.watchers().filter_map(|watcher| self.cameras.get(&watcher.camera));
        let edges = timeline.into_iter().flat_map(Timeline::changes).chain(cameras.flat_map(Timeline::changes));
        spells(self.span, edges.chain(self.watched.edges()), |second| {
            let level = timeline.and_then(|timeline| timeline.at(second));
            let account = match level {
                _ if !self.watched.at(second) => return Stands::as_(Account::MonitorDown),
                None | Some(Level::Unknown) => Account::Unseen,
                Some(Level::Full) => return Stands::as_(Account::Up),
                Some(Level::Reduced) => Account::Degraded,
                Some(Level::Critical | Level::Blind) if self.is_excused(site, second) => Account::Maintenance,
                Some(Level::Critical | Level::Blind) => Account::Down,
            };
            let blind = level == Some(Level::Blind) && account == Account::Down;
            Stands { account, cause: self.lacks(site, second), blind }
        })
    }

    /// Why most of those cameras of a site do not see that do not.
    fn lacks(&self, site: &Site, second: i64) -> Option<FailureKind> {
        let mut causes: BTreeMap<FailureKind, usize> = BTreeMap::new();
        for watcher in site.watchers() {
            let was = self.cameras.get(&watcher.camera).and_then(|timeline| timeline.at(second));
            if let Some(cause) = was.filter(|was| !was.state.sees()).and_then(|was| was.cause) {
                *causes.entry(cause).or_default() += 1;
            }
        }
        causes.into_iter().max_by_key(|(_, count)| *count).map(|(cause, _)| cause)
    }

    /// Whether a lost site would see everything if all that is out of service on purpose worked.
    fn is_excused(&self, site: &Site, second: i64) -> bool {
        let in_maintenance = |camera: &CameraId| self.state(camera, second) == State::Maintenance;
        site.watchers().any(|watcher| in_maintenance(&watcher.camera))
            && !self.level_if(site, second, in_maintenance).worse_than(Level::Reduced)
    }

    fn state(&self, camera: &CameraId, second: i64) -> State {
        let was = self.cameras.get(camera).and_then(|timeline| timeline.at(second));
        was.map_or(State::Unknown, |was| was.state)
    }

    /// The level that a site would have had if these cameras had worked.
    fn level_if(&self, site: &Site, second: i64, works: impl Fn(&CameraId) -> bool) -> Level {
        let commune = &self.fleet.commune;
        let night = commune.night.contain(moment(second).to_zoned_datetime(commune.timezone.clone()).time());
        let state = |camera: &CameraId| if works(camera) { State::Up } else { self.state(camera, second) };
        coverage::evaluate(site, night, state).0
    }

    /// What a site lacked in each second of a part of the time, and what of that lies with others.
    pub(super) fn lack(&self, site: &SiteId, span: (i64, i64)) -> Vec<Spell<Lack>> {
        let timeline = self.sites.get(site.as_str());
        let known = self.fleet.sites.get(site);
        let changes = || timeline.into_iter().flat_map(Timeline::changes);
        let mut edges: Vec<i64> =
            changes().chain(changes().map(|at| at - CONFIRMED)).chain(self.watched.edges()).collect();
        // The links above each of its cameras.
        let mut above = BTreeMap::new();
        for watcher in known.into_iter().flat_map(|site| site.watchers()) {
            let Some(camera) = self.fleet.cameras.get(&watcher.camera) else { continue };
            let links = self.above(&self.fleet.links_above(camera));
            edges.extend(links.iter().flat_map(|link| link.timeline.changes()));
            edges.extend(self.cameras.get(&camera.id).into_iter().flat_map(Timeline::changes));
            above.insert(&camera.id, links);
        }
        if known.is_some() {
            let night = model::Span::Weekly { days: Vec::new(), hours: self.fleet.commune.night };
            let turns = night.turns(moment(span.0), moment(span.1), &self.fleet.commune.timezone);
            edges.extend(turns.into_iter().map(Timestamp::as_second));
        }
        let others = |camera: &CameraId, second| {
            let was = self.cameras.get(camera).and_then(|timeline| timeline.at(second));
            let links = above.get(camera).map_or(&[][..], Vec::as_slice);
            of_camera(was, links, second) == Account::External
        };
        spells(span, edges, |second| {
            if !self.watched.at(second) {
                return Lack::Unwatched;
            }
            let level = timeline.and_then(|timeline| timeline.at(second)).unwrap_or(Level::Unknown);
            // Of a site that the fleet has no more it cannot be said what it lacked.
            let Some(site) = known else { return Lack::of(Level::Unknown) };
            if level == Level::Full {
                return Lack::of(level);
            }
            // A site is well when its cameras are confirmed to be; they are so since the first look that found it. No more
            // than the time of confirmation: views of today say little of what was long before.
            let recovers = timeline.and_then(|timeline| timeline.next(second));
            let recovers = recovers.filter(|(at, next)| at - second <= CONFIRMED && better(level, *next) != level);
            let level = match recovers {
                Some(_) => better(level, self.level_if(site, second, |_| false)),
                None => level,
            };
            let mut watchers = site.watchers().map(|watcher| &watcher.camera);
            let planned =
                |camera: &CameraId| self.cameras.get(camera).is_some_and(|timeline| timeline.is_planned(second));
            let others = |camera: &CameraId| planned(camera) || others(camera, second);
            if !watchers.any(others) {
                return Lack::of(level);
            }
            Lack::Seen {
                level,
                without_maintenance: better(level, self.level_if(site, second, planned)),
                without_others: better(level, self.level_if(site, second, others)),
            }
        })
    }

    pub(super) fn link(&self, id: &LinkId) -> Vec<Spell> {
        let own: Vec<LinkId> = self.fleet.up_from(id).collect();
        let above = self.above(&own);
        let timeline = self.links.get(id);
        let zone = &self.fleet.commune.timezone;
        let windows: Vec<&&Window> = self.windows.iter().filter(|window| takes_out(window, &own)).collect();
        let (from, until) = (moment(self.span.0), moment(self.span.1));
        let turns = windows.iter().flat_map(|window| window.turns(from, until, zone)).map(Timestamp::as_second);
        let changes = above.iter().flat_map(|link| link.timeline.changes());
        spells(self.span, turns.chain(changes).chain(self.watched.edges()), |second| {
            let account = match timeline.and_then(|timeline| timeline.at(second)) {
                _ if !self.watched.at(second) => Account::MonitorDown,
                _ if windows.iter().any(|window| window.is_open(moment(second), zone)) => Account::Maintenance,
                state => match (cut_by(&above, second), state) {
                    (Some(account), _) => account,
                    (None, Some(LinkState::Up)) => Account::Up,
                    (None, _) => Account::Unseen,
                },
            };
            Stands::as_(account)
        })
    }
}

/// What each camera was, with what agents told later.
fn cameras<'a>(
    fleet: &Fleet,
    history: &'a History,
    rows: BTreeMap<&'a CameraId, Vec<&'a Transition>>,
    settings: &Settings,
) -> BTreeMap<&'a CameraId, Timeline<Was>> {
    let mut cameras: BTreeMap<&CameraId, Timeline<Was>> =
        rows.into_iter().map(|(id, rows)| (id, Timeline::of_camera(rows))).collect();
    let mut late: BTreeMap<&CameraId, Vec<&LateLook>> = BTreeMap::new();
    history.late.iter().for_each(|look| late.entry(&look.camera).or_default().push(look));
    for (id, looks) in late {
        let Some(camera) = fleet.cameras.get(id) else { continue };
        let states = hindsight(camera.kind, &looks, &settings.health).into_iter();
        let learned = Timeline::of(states.map(|(since, state, cause)| (since.as_second(), Was { state, cause })));
        let known = cameras.entry(id).or_insert_with(|| Timeline::of([]));
        *known = known.filled(&learned);
    }
    cameras
}

/// What a site lacked in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// The monitor did not run.
    Unwatched,
    /// It did.
    Seen {
        /// How well it was covered.
        level: Level,
        /// How well it would have been, had all worked that was out of service on purpose.
        without_maintenance: Level,
        /// The same, and all that others' lines and power kept out of reach as well.
        without_others: Level,
    },
}

impl Lack {
    /// Nothing of it lies with others.
    fn of(level: Level) -> Self {
        Self::Seen { level, without_maintenance: level, without_others: level }
    }
}

/// What is better of what was told and what would have been; what cannot be said excuses nothing.
fn better(told: Level, would: Level) -> Level {
    match told {
        _ if would == Level::Unknown || would.worse_than(told) => told,
        // Where nothing was said, a loss that would have been is no better.
        Level::Unknown if would.worse_than(Level::Reduced) => told,
        _ => would,
    }
}

/// Whether a window takes a link out of service.
fn takes_out(window: &Window, link_and_above: &[LinkId]) -> bool {
    match &window.scope {
        Scope::All => true,
        Scope::Link(id) => link_and_above.contains(id),
        Scope::Area(_) | Scope::Hamlet(_) | Scope::Site(_) | Scope::Camera(_) => false,
    }
}
