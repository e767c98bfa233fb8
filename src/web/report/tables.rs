//! The tables of a report, by the names that stand in their addresses, and the lines of each.

use super::words::Words;
use crate::uptime::{Line, Report};

/// What the pages of all incidents are called in addresses, beside these.
pub(super) const INCIDENTS: &str = "incidents";

crate::model::closed! {
    /// One table.
    pub(super) enum Table {
        Areas "areas",
        Sites "sites",
        Cameras "cameras",
        Households "households",
        Links "links",
        ByLink "by-link",
        Makes "makes",
    }
}

impl Table {
    pub(super) fn title(self, words: &Words) -> &'static str {
        match self {
            Self::Areas => words.by_area,
            Self::Sites => words.sites,
            Self::Cameras => words.cameras,
            Self::Households => words.households,
            Self::Links => words.links,
            Self::ByLink => words.by_link,
            Self::Makes => words.makes,
        }
    }

    /// Whether it is folded: what is long and looked at seldom.
    pub(super) fn is_folded(self) -> bool {
        matches!(self, Self::Households | Self::ByLink)
    }

    /// How many of its lines, the worst, a summary shows of a large fleet.
    pub(super) fn most(self) -> usize {
        match self {
            Self::Sites | Self::Cameras => 40,
            Self::Areas => 30,
            _ => 15,
        }
    }

    /// What was agreed for its lines.
    pub(super) fn target(self, report: &Report) -> f64 {
        if self == Self::Sites { report.site_target } else { report.camera_target }
    }

    /// Its lines, the worst first. `lent` knows a household's camera by its id.
    pub(super) fn lines<'r>(self, report: &'r Report, lent: &dyn Fn(&str) -> bool) -> Vec<&'r Line> {
        match self {
            Self::Areas => report.cameras_by_area.iter().collect(),
            Self::Sites => report.sites.iter().collect(),
            Self::Cameras => report.cameras.iter().filter(|line| !lent(&line.id)).collect(),
            Self::Households => report.cameras.iter().filter(|line| lent(&line.id)).collect(),
            Self::Links => report.links.iter().collect(),
            Self::ByLink => report.cameras_by_link.iter().collect(),
            Self::Makes => report.makes.iter().collect(),
        }
    }
}
