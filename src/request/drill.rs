//! Exercises: all that follows from a blind site, without one.

use super::{Field, Refused, TooMany, Unknown, name};
use crate::model::{Fleet, Incident, Scope, SiteId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An exercise that somebody wishes for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// The site that is said to have gone blind.
    #[schema(value_type = String)]
    pub site: SiteId,
    /// Who begins it, as others know them.
    #[schema(min_length = 1, max_length = 80)]
    pub by: String,
}

/// Whether an exercise can begin; `under_way` is one that has begun and is not over.
pub fn drill(wish: &Drill, fleet: &Fleet, under_way: Option<&Incident>) -> Result<(), Refused> {
    name(&wish.by, Field::By)?;
    if !fleet.sites.contains_key(&wish.site) {
        return Err(Refused::Unknown(Unknown::Scope(Scope::Site(wish.site.clone()))));
    }
    under_way.map_or(Ok(()), |incident| Err(Refused::TooMany(TooMany::Drills(incident.number))))
}
