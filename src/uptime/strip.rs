//! Strips: the last day, week or month of a thing in pieces of equal length, each with how its seconds are shared out.

use super::{
    account::{Account, Class, Seconds},
    past::Past,
    settings::Settings,
    spell::{Spell, Stands},
};
use crate::model::{AreaId, Bearing, CameraId, Fleet, History, LinkId, SiteId, closed};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

closed! {
    /// How far back a page looks.
    #[derive(Default)]
    pub enum Range {
        /// A day, in half hours.
        #[default]
        Day "24h",
        /// A week, in pieces of two hours.
        Week "7d",
        /// Thirty days, in pieces of eight hours.
        Month "30d",
    }
}

impl Range {
    /// How many pieces it has, and how many seconds each.
    pub fn grid(self) -> (usize, i64) {
        match self {
            Self::Day => (48, 30 * 60),
            Self::Week => (84, 2 * 3600),
            Self::Month => (90, 8 * 3600),
        }
    }

    /// Its first second, when it ends at `now`. Pieces begin at whole hours of the day where people live, so that what is
    /// over stays as it is; the last one still runs.
    pub fn begins(self, now: Timestamp, zone: &TimeZone) -> i64 {
        let (count, step) = self.grid();
        let offset = i64::from(now.to_zoned_datetime(zone.clone()).offset().seconds());
        let next = (now.as_second() + offset).div_euclid(step) + 1;
        (next - count as i64) * step - offset
    }
}

/// Whose strip is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Of {
    /// A camera.
    Camera(CameraId),
    /// A site.
    Site(SiteId),
    /// A link.
    Link(LinkId),
}

impl Of {
    /// What bears on it; `None` when the fleet has no such thing.
    pub fn bearing(&self, fleet: &Fleet) -> Option<Bearing> {
        let none = Bearing::default();
        Some(match self {
            Self::Camera(id) => {
                let links = fleet.links_above(fleet.cameras.get(id)?);
                Bearing { cameras: vec![id.clone()], links, ..none }
            }
            Self::Site(id) => {
                let mut cameras: Vec<_> =
                    fleet.sites.get(id)?.watchers().map(|watcher| watcher.camera.clone()).collect();
                cameras.sort_unstable();
                cameras.dedup();
                Bearing { cameras, sites: vec![id.clone()], ..none }
            }
            Self::Link(id) => {
                fleet.links.get(id)?;
                Bearing { links: fleet.up_from(id).collect(), ..none }
            }
        })
    }

    /// Its strip, from a history of all that bears on it.
    pub fn strip(
        &self,
        fleet: &Fleet,
        history: &History,
        range: Range,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Strip> {
        let begin = range.begins(now, &fleet.commune.timezone);
        let past = Past::new(fleet, history, (begin, now.as_second()), settings, now);
        let spells = match self {
            Self::Camera(id) => past.camera(fleet.cameras.get(id)?),
            Self::Site(id) => past.site(fleet.sites.get(id)?),
            Self::Link(id) => {
                fleet.links.get(id)?;
                past.link(id)
            }
        };
        let pieces = cut(&spells, range, begin);
        Some(Strip { range, pieces, spells })
    }
}

/// A thing's past in pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// How far back it goes.
    pub range: Range,
    /// In order; the last one still runs.
    pub pieces: Vec<Piece>,
    /// The same as it was, change by change; of several things together none.
    pub spells: Vec<Spell>,
}

impl Strip {
    /// How all its seconds are shared out.
    pub fn seconds(&self) -> Seconds {
        let mut sum = Seconds::default();
        self.pieces.iter().for_each(|piece| sum.add_all(&piece.seconds));
        sum
    }

    /// Adds another thing's pieces of the same range.
    fn add(&mut self, own: &[Piece]) {
        for (sum, piece) in self.pieces.iter_mut().zip(own) {
            (sum.from, sum.until) = (piece.from, piece.until);
            sum.seconds.add_all(&piece.seconds);
            for (stands, seconds) in &piece.unwell {
                *sum.unwell.entry(*stands).or_default() += seconds;
            }
        }
    }
}

/// A part of a strip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piece {
    /// First second, as Unix time.
    pub from: i64,
    /// First second after it; of the last piece, now.
    pub until: i64,
    /// How its seconds are shared out.
    pub seconds: Seconds,
    /// What was not well, and how long it was so; of several things together, added up.
    pub unwell: BTreeMap<Stands, i64>,
}

impl Piece {
    /// What it is called after: what was down longest, else what was not counted, else what was impaired.
    pub fn main_fault(&self) -> Option<Stands> {
        let rank = |stands: &Stands| match stands.account.class() {
            Class::Down => 2,
            Class::Excluded => 1,
            Class::Up => 0,
        };
        self.unwell.iter().max_by_key(|(stands, seconds)| (rank(stands), **seconds)).map(|(stands, _)| *stands)
    }

    /// What it is where there is room for one state: the worst of what counts, else what held for most of it.
    fn at_a_glance(&self) -> Account {
        let fault = self.main_fault().map_or(Account::Up, |stands| stands.account);
        match fault.class() {
            Class::Excluded if self.seconds.degraded > 0 => Account::Degraded,
            Class::Excluded if self.seconds.up * 2 >= self.seconds.total() => Account::Up,
            _ => fault,
        }
    }

    /// The same for many things added up: one that was lost among hundreds must not make all look as if they were. It is
    /// the measure of an area's tile: more than a tenth lost is bad.
    pub fn of_many(&self) -> Account {
        let (up, down) = (self.seconds.class(Class::Up), self.seconds.class(Class::Down));
        match () {
            () if (up + down) * 2 < self.seconds.total() || up + down == 0 => Account::Unseen,
            () if down * 10 > up + down => Account::Down,
            () if down > 0 || self.seconds.degraded > 0 => Account::Degraded,
            () => Account::Up,
        }
    }

    fn take_in(&mut self, stands: Stands, seconds: i64) {
        self.seconds.add(stands.account, seconds);
        if stands.account != Account::Up {
            *self.unwell.entry(stands).or_default() += seconds;
        }
    }
}

/// All sites of a fleet at once, as the wall shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct Together {
    /// All of them added up.
    pub commune: Strip,
    /// Those of each area that has any, with those of areas that are a part of it, added up.
    pub areas: BTreeMap<AreaId, Strip>,
    /// How each site stood in each piece, in one word: the worst of what counts, else what held for most of it.
    pub sites: BTreeMap<SiteId, Box<[Account]>>,
}

/// All sites of a fleet, from the history of all that it has.
pub fn together(fleet: &Fleet, history: &History, range: Range, settings: &Settings, now: Timestamp) -> Together {
    let begin = range.begins(now, &fleet.commune.timezone);
    let past = Past::new(fleet, history, (begin, now.as_second()), settings, now);
    let none = || Strip { range, pieces: cut(&[], range, begin), spells: Vec::new() };
    let (mut commune, mut areas, mut sites) = (none(), BTreeMap::new(), BTreeMap::new());
    for site in fleet.sites.values() {
        let own = cut(&past.site(site), range, begin);
        commune.add(&own);
        for area in fleet.areas_up_from(site.area.as_ref()) {
            areas.entry(area.clone()).or_insert_with(none).add(&own);
        }
        sites.insert(site.id.clone(), own.iter().map(Piece::at_a_glance).collect());
    }
    Together { commune, areas, sites }
}

/// Cuts spells that follow each other from `begin` on into the pieces of a range. What lies beyond them is empty.
fn cut(spells: &[Spell], range: Range, begin: i64) -> Vec<Piece> {
    let (count, step) = range.grid();
    let end = spells.last().map_or(begin, |last| last.until);
    let bounds = (0..count as i64).map(|number| begin + number * step);
    let mut pieces: Vec<Piece> =
        bounds.map(|from| Piece { from, until: (from + step).min(end).max(from), ..Piece::default() }).collect();
    for spell in spells {
        let mut from = spell.from.max(begin);
        while from < spell.until {
            let number = ((from - begin) / step) as usize;
            let Some(piece) = pieces.get_mut(number) else { break };
            let until = spell.until.min(begin + (number as i64 + 1) * step);
            piece.take_in(spell.stands, until - from);
            from = until;
        }
    }
    pieces
}
