//! Tiles of a wall: a site or an area at one glance.

use super::{
    ground::urgency,
    page::{self, Moment, level_symbol, moment},
};
use crate::model::{Counts, Coverage, Language, Level, Site, SiteStatus, Snapshot, State, ViewState};

/// A site in a tile.
pub(super) struct SiteTile<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) hamlet: &'a str,
    pub(super) level: &'static str,
    pub(super) word: &'static str,
    pub(super) symbol: &'static str,
    pub(super) lost: String,
    pub(super) views: String,
    pub(super) since: Moment,
    /// The open incident's number.
    pub(super) incident: Option<u32>,
    /// That it is well again and the incident not yet over.
    pub(super) recovering: Option<String>,
    /// For how many minutes nobody has taken it on, where it is blind and that is too long.
    pub(super) unattended: Option<u64>,
    /// Its last day, drawn; nothing where that is not known.
    pub(super) day: String,
}

/// An area in a tile; the one without an id is what lies in none.
pub(super) struct AreaTile<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) level: &'static str,
    pub(super) symbol: &'static str,
    pub(super) percent: Option<u32>,
    pub(super) coverage: Coverage,
    pub(super) blind: usize,
    pub(super) unwell: usize,
    /// Its last day, drawn; nothing where that is not known.
    pub(super) day: String,
}

impl<'a> SiteTile<'a> {
    /// A site's tile.
    pub(super) fn of(snapshot: &Snapshot, site: &'a Site, status: &SiteStatus, language: Language) -> Self {
        let lost = status.views.iter().filter(|view| view.state == ViewState::Lost);
        let lost: Vec<&str> = lost.map(|view| view.name.as_str()).collect();
        let covered = status.views.iter().filter(|view| view.state == ViewState::Covered).count();
        Self {
            id: site.id.as_str(),
            name: &site.name,
            hamlet: &site.hamlet,
            level: status.level.as_str(),
            word: status.level.text(language),
            symbol: level_symbol(status.level),
            lost: lost.join("; "),
            views: format!("{covered}/{}", status.views.len()),
            since: moment(status.since, snapshot),
            incident: snapshot.number(status),
            recovering: page::recovering(snapshot, status, language),
            unattended: snapshot.unattended(status).map(|waits| waits.as_secs() / 60),
            day: String::new(),
        }
    }
}

impl<'a> AreaTile<'a> {
    /// An area's tile.
    pub(super) fn of(id: &'a str, name: &'a str, coverage: Coverage, counts: Counts) -> Self {
        let level = standing(coverage, &counts);
        let well = counts.cameras_in(State::Up) + counts.cameras_in(State::Off);
        Self {
            id,
            name,
            level: level.as_str(),
            symbol: level_symbol(level),
            percent: percent(coverage),
            coverage,
            blind: counts.sites(Level::Blind),
            unwell: counts.all_cameras() - well,
            day: String::new(),
        }
    }

    /// Worst first: by how it stands, then by the share that is covered.
    pub(super) fn rank(&self) -> (u8, u32) {
        let level = self.level.parse().map_or(u8::MAX, urgency);
        (level, self.percent.unwrap_or(100))
    }
}

/// Rounded down, so that only what is whole is shown as 100.
pub(super) fn percent(coverage: Coverage) -> Option<u32> {
    coverage.ratio().map(|ratio| (ratio * 100.0).floor() as u32)
}

/// How an area stands as a whole: one lost view among hundreds must not make it look as if it were blind.
pub(super) fn standing(coverage: Coverage, counts: &Counts) -> Level {
    let Coverage { covered, lost, total, .. } = coverage;
    if total == 0 || (covered + lost) * 2 < total {
        Level::Unknown
    } else if lost == total {
        Level::Blind
    } else if counts.sites(Level::Blind) > 0 || lost * 10 > total {
        Level::Critical
    } else if lost > 0 || counts.sites(Level::Reduced) > 0 {
        Level::Reduced
    } else if covered < total {
        Level::Unknown
    } else {
        Level::Full
    }
}
