//! What was agreed on repairs: how soon the contractor answers and how soon they have repaired, by how bad it is and by
//! what failed.

use crate::model::{Cause, Incident, Level, Span};
use std::time::Duration;

/// What was agreed on repairs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contract {
    /// What the contractor is called.
    pub contractor: String,
    /// Terms; of those that fit a level and a kind the first counts.
    pub terms: Vec<Term>,
}

/// How soon something is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Time counts while a site of the incident is at this level, or at a worse one.
    pub level: Level,
    /// What failed, by the name of its kind; whatever it was where there is none.
    pub kinds: Vec<&'static str>,
    /// How soon the contractor answers that they see to it.
    pub respond_by: Option<Duration>,
    /// How soon it is repaired.
    pub repair_by: Option<Duration>,
    /// The hours that count; all of them where there are none.
    pub hours: Option<Span>,
}

impl Contract {
    /// Kinds of what can fail for which there may be terms.
    pub const KINDS: [&'static str; 5] = ["site", "link", "device", "commune", "unproven"];

    /// The terms that hold for an incident, that of the worst level first.
    pub fn terms_of(&self, incident: &Incident) -> impl Iterator<Item = &Term> {
        let (kind, worst) = (incident.cause.kind(), incident.worst());
        let levels: &[Level] = match incident.cause {
            Cause::Monitor | Cause::Drill(_) => &[],
            Cause::Unproven(_) => &[Level::Unknown],
            _ => &[Level::Blind, Level::Critical, Level::Reduced],
        };
        let reached = levels.iter().filter(move |level| !level.worse_than(worst));
        let fits = move |term: &&Term| term.kinds.is_empty() || term.kinds.contains(&kind);
        reached.filter_map(move |level| self.terms.iter().filter(fits).find(|term| term.level == *level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn term(level: Level, kinds: &[&'static str], hours: u64) -> Term {
        let repair_by = Some(Duration::from_secs(hours * 3600));
        Term { level, kinds: kinds.to_vec(), respond_by: None, repair_by, hours: None }
    }

    #[test]
    fn the_first_term_that_fits_holds_for_each_level_that_was_reached() {
        let contract = Contract {
            terms: vec![
                term(Level::Critical, &["link"], 48),
                term(Level::Critical, &[], 24),
                term(Level::Blind, &[], 4),
                term(Level::Unknown, &[], 72),
            ],
            ..Contract::default()
        };
        for (cause, told, expected) in [
            (Cause::Site("cho".into()), Level::Blind, vec![4, 24]),
            (Cause::Site("cho".into()), Level::Critical, vec![24]),
            (Cause::Link("s".into()), Level::Blind, vec![4, 48]),
            (Cause::Commune, Level::Reduced, vec![]),
            (Cause::Unproven("cho".into()), Level::Unknown, vec![72]),
            (Cause::Monitor, Level::Unknown, vec![]),
            (Cause::Drill("cho".into()), Level::Blind, vec![]),
        ] {
            let incident = Incident::new(cause.clone(), Timestamp::UNIX_EPOCH, told);
            let hours = contract.terms_of(&incident).filter_map(|term| Some(term.repair_by?.as_secs() / 3600));
            assert_eq!(hours.collect::<Vec<_>>(), expected, "{cause:?} at {told:?}");
        }
        for cause in [Cause::Site("a".into()), Cause::Link("a".into()), Cause::Commune, Cause::Unproven("a".into())] {
            assert!(Contract::KINDS.contains(&cause.kind()));
        }
    }
}
