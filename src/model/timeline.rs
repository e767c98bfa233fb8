//! An incident's timeline as it is shown: what happened, in order, and who did not answer within a step.

use super::{Happened, Happening, Incident, PersonId};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What happened to an incident and to its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// In the order of time.
    pub lines: Vec<TimelineLine>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineLine {
    /// What.
    pub entry: Happened,
    /// Where a step was taken because nobody took it on: who had been told by then, and neither took it on nor answered a
    /// call.
    pub silent: BTreeSet<PersonId>,
    /// Who was to be told by then, and no channel had taken it.
    pub unreached: BTreeSet<PersonId>,
}

impl Timeline {
    /// The timeline of an incident, of the entries that are kept of it, in their order. What the incident itself says and no
    /// entry does, since it was written by an earlier version or is forgotten, is said too.
    pub fn of(incident: &Incident, entries: Vec<Happened>) -> Self {
        let mut entries = entries;
        let has = |what: Happening, at: Option<Timestamp>| {
            // The journal keeps milliseconds.
            let same = |entry: &Happened| at.is_none_or(|at| entry.at.as_millisecond() == at.as_millisecond());
            entries.iter().any(|entry| entry.what == what && same(entry))
        };
        let mut missing = Vec::new();
        if !has(Happening::Opened, None) {
            missing.push(Happened { step: 1, ..Happened::to(incident, Happening::Opened, incident.opened) });
        }
        let acks = incident.lapsed.iter().map(|lapsed| &lapsed.last).chain(&incident.ack);
        missing.extend(
            acks.filter(|ack| !has(Happening::TakenOn, Some(ack.at))).map(|ack| Happened::taken_on(incident, ack)),
        );
        if let Some(at) = incident.closed.filter(|_| !has(Happening::Ended, None) && !has(Happening::Merged, None)) {
            missing.push(Happened { step: incident.step, ..Happened::to(incident, Happening::Ended, at) });
        }
        entries.extend(missing);
        // Of one moment each stays where it was, but that it opens before all else.
        entries.sort_by_key(|entry| (entry.at, entry.what != Happening::Opened));
        let mut asked = Asked::default();
        Self { lines: entries.into_iter().map(|entry| asked.take(entry)).collect() }
    }

    /// Who did not answer within some step, whoever that was.
    pub fn silent(&self) -> BTreeSet<&PersonId> {
        self.lines.iter().flat_map(|line| &line.silent).collect()
    }

    /// The same for whoever is not to know by name who is told what: when what happened, and how many did not answer.
    pub fn without_names(mut self) -> Self {
        for TimelineLine { entry, silent, unreached } in &mut self.lines {
            (entry.person, entry.channel) = (None, None);
            if entry.what.is_of_a_message() || entry.what == Happening::KeptBack {
                entry.detail = Default::default();
            }
            silent.clear();
            unreached.clear();
        }
        self
    }

    /// The same for whoever sees a part of what the incident keeps down: how bad it is elsewhere is not told.
    pub fn of_a_part(mut self) -> Self {
        for TimelineLine { entry, .. } in &mut self.lines {
            entry.level = None;
            if matches!(entry.what, Happening::RootFound | Happening::KeptBack) {
                entry.detail = Default::default();
            }
        }
        self
    }
}

/// Who is asked to take the incident on, in a round.
#[derive(Default)]
struct Asked {
    queued: BTreeSet<PersonId>,
    reached: BTreeSet<PersonId>,
    /// Who answered a call, and so is not silent.
    answered: BTreeSet<PersonId>,
}

impl Asked {
    fn take(&mut self, entry: Happened) -> TimelineLine {
        let (mut silent, mut unreached) = (BTreeSet::new(), BTreeSet::new());
        match (entry.what, &entry.person) {
            (Happening::Queued, Some(person)) => drop(self.queued.insert(person.clone())),
            (what, Some(person)) if what.reaches() => {
                self.reached.insert(person.clone());
                self.answered.extend((what == Happening::Heard).then(|| person.clone()));
            }
            // Somebody has it in hand, or all are asked anew.
            (Happening::TakenOn | Happening::AckExpired, _) => *self = Self::default(),
            (Happening::Escalated, _) => {
                silent = self.reached.difference(&self.answered).cloned().collect();
                unreached = self.queued.difference(&self.reached).cloned().collect();
            }
            _ => {}
        }
        TimelineLine { entry, silent, unreached }
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
