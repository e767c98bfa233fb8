//! Areas: what lies above the hamlet, such as a province's communes, or the old communes that one was merged from.

use super::{AreaId, Fleet};

/// A part of the ground that somebody answers for as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Name for people.
    pub name: String,
    /// The larger area that it is a part of.
    pub parent: Option<AreaId>,
}

/// More than any tree of areas has; it bounds the way up whatever a caller builds.
const DEEPEST: usize = 64;

impl Fleet {
    /// An area and all that it is a part of, from the smallest up; nothing without an area.
    pub fn areas_up_from<'a>(&'a self, area: Option<&'a AreaId>) -> impl Iterator<Item = &'a AreaId> {
        std::iter::successors(area, |id| self.areas.get(*id)?.parent.as_ref()).take(DEEPEST)
    }
}
