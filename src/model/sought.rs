//! Which incidents are looked for, whether they are open or ended long ago: by what they are about, not by their text.

use super::{Cause, Incident, Level, SiteId};
use jiff::Timestamp;
use std::{collections::BTreeSet, fmt};

/// Something by which incidents are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A site that they keep or kept down.
    Site(SiteId),
    /// What failed, by its kind and its id.
    Root(&'static str, String),
    /// The kind of what failed.
    Cause(&'static str),
    /// The worst that was told, by the level's name: levels have no order among themselves.
    Told(&'static str),
}

impl Thing {
    /// That the worst that was told is this.
    pub const fn told(level: Level) -> Self {
        Self::Told(level.as_str())
    }
}

/// As it stands in the journal.
impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(site) => write!(f, "site:{site}"),
            Self::Root(kind, id) => write!(f, "{kind}:{id}"),
            Self::Cause(kind) => write!(f, "cause:{kind}"),
            Self::Told(level) => write!(f, "told:{level}"),
        }
    }
}

impl Incident {
    /// By what it is found.
    pub fn things(&self) -> BTreeSet<Thing> {
        let mut things: BTreeSet<Thing> = self.sites.keys().cloned().map(Thing::Site).collect();
        things.insert(Thing::Cause(self.cause.kind()));
        things.insert(Thing::told(self.told));
        match &self.cause {
            Cause::Site(site) | Cause::Unproven(site) => things.insert(Thing::Site(site.clone())),
            Cause::Link(_) | Cause::Device(_) => {
                things.insert(Thing::Root(self.cause.kind(), self.cause.subject().to_owned()))
            }
            Cause::Commune | Cause::Monitor => false,
        };
        things
    }
}

/// What is looked for: incidents of which all of this is true, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sought {
    /// They have each of these.
    pub all: BTreeSet<Thing>,
    /// They have one of these, for each of these sets.
    pub any: Vec<BTreeSet<Thing>>,
    /// It was decided in this time.
    pub opened: Option<(Timestamp, Timestamp)>,
    /// The one of this number.
    pub number: Option<u32>,
    /// Those with a lower number.
    pub before: Option<u32>,
    /// How many are wanted.
    pub most: usize,
}

impl Sought {
    /// Whether an incident is one of those.
    pub fn takes(&self, incident: &Incident) -> bool {
        let things = incident.things();
        self.all.is_subset(&things)
            && self.any.iter().all(|set| !set.is_disjoint(&things))
            && self.opened.is_none_or(|(from, until)| from <= incident.opened && incident.opened < until)
            && self.number.is_none_or(|number| incident.number == number)
            && self.before.is_none_or(|before| incident.number < before)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The newest first.
    pub incidents: Vec<Incident>,
    /// Before which number to go on, where there may be more.
    pub older: Option<u32>,
}
