//! Areas: what lies above the hamlet, such as a province's communes, or the old communes that one was merged from.

use super::AreaId;

/// A part of the ground that somebody answers for as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Name for people.
    pub name: String,
    /// The larger area that it is a part of.
    pub parent: Option<AreaId>,
}
