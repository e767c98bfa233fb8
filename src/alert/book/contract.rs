//! The contract's clock in the book of incidents: that the contractor answered, and which terms an incident outlasted.

use super::Book;
use crate::model::{Ack, Happened, IncidentId, Overdue};
use jiff::Timestamp;

impl Book {
    /// The contractor answers that they see to an open incident. The first answer counts, and nobody is told: its escalation
    /// goes on until somebody of the commune has it in hand.
    pub fn respond(&mut self, name: &str, ack: &Ack) {
        let Some(id) = self.named(name).map(|incident| incident.id.clone()) else { return };
        if self.incidents.get(&id).is_some_and(|incident| incident.responded.is_none()) {
            self.incidents.change(&id, |incident| incident.responded = Some(ack.clone()));
            self.happened.extend(self.incidents.get(&id).map(|incident| Happened::responded(incident, ack)));
            self.changed.insert(id);
        }
    }

    /// The terms of the contract that an incident outlasted, as they are reckoned now: what became known of the past since
    /// may have changed that.
    pub fn overdue(&mut self, now: Timestamp, id: &IncidentId, overdue: &[Overdue]) {
        let Some(incident) = self.incidents.get(id).cloned().filter(|incident| incident.overdue != overdue) else {
            return;
        };
        let same = |one: &Overdue, other: &Overdue| (one.duty, one.level) == (other.duty, other.level);
        let lacks = |all: &[Overdue], one: &Overdue| !all.iter().any(|other| same(one, other));
        for new in overdue.iter().filter(|one| lacks(&incident.overdue, one)) {
            self.happened.push(Happened::overdue(&incident, new, new.at.min(now), true));
        }
        for gone in incident.overdue.iter().filter(|one| lacks(overdue, one)) {
            self.happened.push(Happened::overdue(&incident, gone, now, false));
        }
        self.incidents.change(id, |incident| incident.overdue = overdue.to_vec());
        self.changed.insert(id.clone());
    }
}
