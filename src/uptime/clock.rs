//! The contract's clock: how much of each term an incident has used up, and what each of its seconds counts as.
//!
//! A term's clock runs from the decision that there is an incident until it ends. A second of it counts while a site of the
//! incident lacks as much as the term speaks of, by what the contractor answers for. All other seconds are accounted for
//! too, by one reason each, so that they add up to the time that the incident lasted.

use super::{
    contract::{Contract, Term},
    past::{Lack, Past},
    settings::Settings,
    span::second,
    spell::{Spell, spells},
};
use crate::model::{Bearing, Duty, Fleet, History, Incident, IncidentId, Level, Overdue, Span, closed};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use utoipa::ToSchema;

/// Steps that are taken to find when a term will be used up: more than a year of office hours.
const STEPS: usize = 10_000;

closed! {
    /// What a second of an incident counts as under a term. Where its sites differ the first of these holds.
    #[derive(PartialOrd, Ord)]
    pub enum Reckoned {
        /// It counts: a site lacks as much as the term speaks of, by what the contractor answers for.
        Counted "counted",
        /// It would, but lies outside the hours that were agreed.
        OutOfHours "out_of_hours",
        /// It cannot be said how the sites were covered.
        Unseen "unseen",
        /// Others' lines or power were to blame.
        Others "others",
        /// Something was out of service on purpose.
        Maintenance "maintenance",
        /// Something was lost, but less than the term speaks of.
        Milder "milder",
        /// The sites were seen well enough: the incident waited for that to last.
        Seen "seen",
        /// The monitor did not run.
        MonitorDown "monitor_down",
    }
}

/// Seconds of an incident by what they count as; they add up to the time that it lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Reckoning {
    /// In `counted`.
    pub counted: i64,
    /// In `out_of_hours`.
    pub out_of_hours: i64,
    /// In `unseen`.
    pub unseen: i64,
    /// In `others`.
    pub others: i64,
    /// In `maintenance`.
    pub maintenance: i64,
    /// In `milder`.
    pub milder: i64,
    /// In `seen`.
    pub seen: i64,
    /// In `monitor_down`.
    pub monitor_down: i64,
}

impl Reckoning {
    /// Seconds that count as this.
    pub fn of(&self, reckoned: Reckoned) -> i64 {
        match reckoned {
            Reckoned::Counted => self.counted,
            Reckoned::OutOfHours => self.out_of_hours,
            Reckoned::Unseen => self.unseen,
            Reckoned::Others => self.others,
            Reckoned::Maintenance => self.maintenance,
            Reckoned::Milder => self.milder,
            Reckoned::Seen => self.seen,
            Reckoned::MonitorDown => self.monitor_down,
        }
    }

    fn add(&mut self, reckoned: Reckoned, seconds: i64) {
        *match reckoned {
            Reckoned::Counted => &mut self.counted,
            Reckoned::OutOfHours => &mut self.out_of_hours,
            Reckoned::Unseen => &mut self.unseen,
            Reckoned::Others => &mut self.others,
            Reckoned::Maintenance => &mut self.maintenance,
            Reckoned::Milder => &mut self.milder,
            Reckoned::Seen => &mut self.seen,
            Reckoned::MonitorDown => &mut self.monitor_down,
        } += seconds;
    }

    /// All seconds together.
    pub fn total(&self) -> i64 {
        Reckoned::ALL.iter().map(|reckoned| self.of(*reckoned)).sum()
    }
}

closed! {
    /// How a deadline stands.
    pub enum Stand {
        /// Its time runs.
        Running "running",
        /// Its time stands still.
        Paused "paused",
        /// What was to be done was done in time.
        Kept "kept",
        /// It was not.
        Missed "missed",
        /// The incident turned out to be part of another, whose own clock counts.
        Merged "merged",
    }
}

/// One thing that was to be done within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deadline {
    /// Seconds that were agreed.
    pub allowed_seconds: i64,
    /// Seconds that counted until it was done, or until now.
    pub used_seconds: i64,
    /// How it stands.
    pub stands: Stand,
    /// When it was missed, or kept. While it runs, when it will be missed if nothing is done and nothing stops it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

impl Deadline {
    /// Seconds that are left of it; less than nothing where it was missed.
    pub fn left_seconds(&self) -> i64 {
        self.allowed_seconds - self.used_seconds
    }
}

/// A time in which an incident's seconds counted as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReckonedPiece {
    /// First moment.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// First moment after.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// As what.
    pub counts_as: Reckoned,
}

/// How an incident stands under one term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Clock {
    /// The level of which the term speaks.
    pub level: Level,
    /// The hours that count; all where there are none.
    pub hours: Option<Span>,
    /// Until the contractor answers.
    pub respond: Option<Deadline>,
    /// Until it is repaired.
    pub repair: Option<Deadline>,
    /// All seconds of the incident.
    pub seconds: Reckoning,
    /// The same in their order.
    pub pieces: Vec<ReckonedPiece>,
}

impl Clock {
    /// Its deadlines, by what is to be done.
    pub fn deadlines(&self) -> impl Iterator<Item = (Duty, &Deadline)> {
        [(Duty::Respond, &self.respond), (Duty::Repair, &self.repair)]
            .into_iter()
            .filter_map(|(duty, deadline)| Some((duty, deadline.as_ref()?)))
    }

    /// What the last second counts as.
    pub fn now(&self) -> Option<Reckoned> {
        self.pieces.last().map(|piece| piece.counts_as)
    }

    /// The terms that were not kept.
    pub fn overdue(&self) -> impl Iterator<Item = Overdue> {
        self.deadlines().filter_map(|(duty, deadline)| {
            let at = deadline.at.filter(|_| deadline.stands == Stand::Missed)?;
            Some(Overdue { duty, level: self.level, at })
        })
    }
}

/// The clocks of incidents, as they stand at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clocks {
    /// When.
    pub at: Timestamp,
    /// Who is bound by the contract; nobody where there is none.
    pub contractor: Option<String>,
    /// Of each incident that is under any term.
    pub of: BTreeMap<IncidentId, IncidentClocks>,
}

/// How one incident stands under its terms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncidentClocks {
    /// How many sites it was worked out of.
    pub sites: usize,
    /// One for each term, that of the worst level first.
    pub clocks: Vec<Clock>,
}

impl Clocks {
    /// The clocks of an incident. Whoever is bound to areas and sees only a part of what it keeps down is told nothing: how the
    /// rest stood is not theirs.
    pub fn of_seen(&self, incident: &Incident, bound: bool) -> &[Clock] {
        let known = self.of.get(&incident.id).filter(|known| !bound || known.sites == incident.sites.len());
        known.map_or(&[], |known| &known.clocks)
    }
}

/// What bears on the clocks of an incident.
pub fn bearing(fleet: &Fleet, incident: &Incident) -> Bearing {
    let sites: Vec<_> = incident.sites.keys().cloned().collect();
    let watchers = sites.iter().filter_map(|id| fleet.sites.get(id)).flat_map(|site| site.watchers());
    let mut cameras: Vec<_> = watchers.map(|watcher| watcher.camera.clone()).collect();
    cameras.sort_unstable();
    cameras.dedup();
    let known = cameras.iter().filter_map(|id| fleet.cameras.get(id));
    let mut links: Vec<_> = known.flat_map(|camera| fleet.links_above(camera)).collect();
    links.sort_unstable();
    links.dedup();
    Bearing { cameras, sites, links }
}

/// The clocks of an incident, one for each of its terms, that of the worst level first; from a history of all that bears on it
/// since it was decided.
pub fn clocks(
    fleet: &Fleet,
    history: &History,
    settings: &Settings,
    incident: &Incident,
    now: Timestamp,
) -> Vec<Clock> {
    let Some(contract) = &settings.contract else { return Vec::new() };
    let past = Past::new(fleet, history, (i64::MIN, now.as_second()), settings, now);
    let span = (incident.opened.as_second(), now.as_second());
    of_incident(&past, contract, incident, span, &fleet.commune.timezone)
}

/// The clocks of one incident, of the seconds of a span.
pub(super) fn of_incident(
    past: &Past<'_>,
    contract: &Contract,
    incident: &Incident,
    (from, until): (i64, i64),
    zone: &TimeZone,
) -> Vec<Clock> {
    let terms: Vec<&Term> = contract.terms_of(incident).collect();
    if terms.is_empty() {
        return Vec::new();
    }
    let over = incident.closed.map(Timestamp::as_second).filter(|at| *at <= until);
    let span = (from, over.unwrap_or(until).max(from));
    let lack = |site| {
        // What a site lacks after it left is another incident's.
        let left = incident.left.get(site).map_or(span.1, |at| at.as_second().clamp(span.0, span.1));
        past.lack(site, (span.0, left))
    };
    let lacks: Vec<Vec<Spell<Lack>>> = incident.sites.keys().map(lack).collect();
    let clock = |term: &&Term| {
        let together = together(span, &lacks, |lack| reckon(term.level, lack));
        let pieces = within_hours(span, &together, term.hours.as_ref(), zone);
        let mut seconds = Reckoning::default();
        pieces.iter().for_each(|piece| seconds.add(piece.stands, piece.seconds()));
        let ends = Ends { over, merged: incident.part_of.is_some(), until: span.1 };
        // An answer may be from before, where this goes on after another.
        let responded =
            incident.responded.as_ref().map(|ack| ack.at.as_second().max(span.0)).filter(|at| *at <= span.1);
        let deadline = |allowed: Option<Duration>, done| {
            let allowed = i64::try_from(allowed?.as_secs()).unwrap_or(i64::MAX);
            Some(deadline(&pieces, allowed, done, &ends, term.hours.as_ref(), zone))
        };
        Clock {
            level: term.level,
            hours: term.hours.clone(),
            respond: deadline(term.respond_by, responded),
            repair: deadline(term.repair_by, None),
            seconds,
            pieces: pieces.iter().map(shown).collect(),
        }
    };
    terms.iter().map(clock).collect()
}

/// What a second of a site counts as under a term of this level.
fn reckon(term: Level, lack: &Lack) -> Reckoned {
    let Lack::Seen { level, without_maintenance, without_others } = *lack else { return Reckoned::MonitorDown };
    let reaches = |level: Level| match term {
        Level::Unknown => level == Level::Unknown,
        _ => level.severity() >= term.severity(),
    };
    match level {
        // What cannot be said is what this term is about, and says nothing under the others.
        Level::Unknown if term != Level::Unknown => Reckoned::Unseen,
        _ if reaches(without_others) => Reckoned::Counted,
        _ if !reaches(level) => {
            if matches!(level, Level::Full) || term == Level::Unknown {
                Reckoned::Seen
            } else {
                Reckoned::Milder
            }
        }
        _ if reaches(without_maintenance) => Reckoned::Others,
        _ => Reckoned::Maintenance,
    }
}

/// The sites of an incident together: in each second the first of what any of them counts as.
fn together(
    (from, until): (i64, i64),
    sites: &[Vec<Spell<Lack>>],
    reckon: impl Fn(&Lack) -> Reckoned,
) -> Vec<Spell<Reckoned>> {
    let mut turns: Vec<(i64, Option<Reckoned>, Reckoned)> = Vec::new();
    for spells in sites {
        let mut before = None;
        for spell in spells {
            let now = reckon(&spell.stands);
            turns.push((spell.from, before, now));
            before = Some(now);
        }
        // A site that left lacks nothing of this incident's any more.
        if let Some(last) = spells.last().filter(|last| last.until < until) {
            turns.push((last.until, before, Reckoned::Seen));
        }
    }
    turns.sort_unstable_by_key(|(at, ..)| *at);
    let mut counts = [0_usize; Reckoned::ALL.len()];
    let mut together: Vec<Spell<Reckoned>> = Vec::new();
    let mut turns = turns.into_iter().peekable();
    while let Some((at, before, now)) = turns.next() {
        before.into_iter().for_each(|before| counts[before as usize] -= 1);
        counts[now as usize] += 1;
        if turns.peek().is_some_and(|(next, ..)| *next == at) {
            continue;
        }
        let stands = Reckoned::ALL.into_iter().find(|one| counts[*one as usize] > 0).unwrap_or(Reckoned::Unseen);
        match together.last_mut() {
            Some(last) if last.stands == stands => {}
            _ => {
                together.last_mut().into_iter().for_each(|last| last.until = at);
                together.push(Spell { from: at, until, stands });
            }
        }
    }
    if together.is_empty() && from < until {
        // None of its sites is known any more.
        together.push(Spell { from, until, stands: Reckoned::Unseen });
    }
    together
}

/// The same, with what lies outside the hours that were agreed.
fn within_hours(
    span: (i64, i64),
    together: &[Spell<Reckoned>],
    hours: Option<&Span>,
    zone: &TimeZone,
) -> Vec<Spell<Reckoned>> {
    let Some(hours) = hours else { return together.to_vec() };
    let turns = hours.turns(second(span.0), second(span.1), zone).into_iter().map(Timestamp::as_second);
    let edges = together.iter().map(|spell| spell.from).chain(turns);
    spells(span, edges, |at| {
        let next = together.partition_point(|spell| spell.from <= at);
        let counts_as = next.checked_sub(1).map_or(Reckoned::Unseen, |last| together[last].stands);
        match counts_as {
            Reckoned::Counted if !hours.is_open(second(at), zone) => Reckoned::OutOfHours,
            other => other,
        }
    })
}

/// How an incident ended, if it did.
struct Ends {
    over: Option<i64>,
    merged: bool,
    /// The first second that is not counted.
    until: i64,
}

fn deadline(
    pieces: &[Spell<Reckoned>],
    allowed: i64,
    done: Option<i64>,
    ends: &Ends,
    hours: Option<&Span>,
    zone: &TimeZone,
) -> Deadline {
    let until = done.unwrap_or(ends.until);
    let (mut used, mut missed) = (0, None);
    for piece in pieces.iter().filter(|piece| piece.stands == Reckoned::Counted && piece.from < until) {
        let length = piece.until.min(until) - piece.from;
        if missed.is_none() && used + length > allowed {
            missed = Some(piece.from + (allowed - used));
        }
        used += length;
    }
    let runs = pieces.last().is_some_and(|last| last.stands == Reckoned::Counted);
    let (stands, at) = match (missed, done.or(ends.over)) {
        _ if ends.merged => (Stand::Merged, ends.over.map(second)),
        (Some(at), _) => (Stand::Missed, Some(second(at))),
        (None, Some(at)) => (Stand::Kept, Some(second(at))),
        (None, None) if runs => (Stand::Running, used_up(second(ends.until), allowed - used, hours, zone)),
        (None, None) => (Stand::Paused, None),
    };
    Deadline { allowed_seconds: allowed, used_seconds: used, stands, at }
}

/// When so many seconds of the agreed hours will have gone by.
fn used_up(now: Timestamp, left: i64, hours: Option<&Span>, zone: &TimeZone) -> Option<Timestamp> {
    let Some(hours) = hours else { return now.checked_add(jiff::SignedDuration::from_secs(left)).ok() };
    let (mut at, mut left) = (now, left);
    for _ in 0..STEPS {
        let next = hours.turns_after(at, zone);
        if hours.is_open(at, zone) {
            let length = next.as_second() - at.as_second();
            if length > left {
                return at.checked_add(jiff::SignedDuration::from_secs(left)).ok();
            }
            left -= length;
        }
        at = next;
    }
    None
}

fn shown(spell: &Spell<Reckoned>) -> ReckonedPiece {
    ReckonedPiece { from: second(spell.from), until: second(spell.until), counts_as: spell.stands }
}
