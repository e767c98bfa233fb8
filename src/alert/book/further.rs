//! What people do to an escalation: pass an incident on, and begin an exercise.

use super::Book;
use crate::{
    alert::{Settings, audience::has_further},
    model::{Cause, Incident, IncidentId, Level, Reason, SiteId},
};
use jiff::Timestamp;
use std::sync::Arc;

impl Book {
    /// The exercise that is under way, if one is.
    pub fn drilling(&self) -> Option<&Arc<Incident>> {
        self.incidents.open().find(|incident| incident.is_drill())
    }

    /// Somebody begins an exercise: all goes as if a site had gone blind, unless one is under way.
    pub fn drill(&mut self, now: Timestamp, site: SiteId) {
        if self.drilling().is_none() {
            let id = self.begin(now, Cause::Drill(site), now, Level::Unknown);
            self.tell(&id, Reason::Drill);
        }
    }

    /// The open incident that whoever was told by the notice of number `step` can pass on: by that notice the last step was
    /// taken, and there is a further one in this round. A round begins again in its own time: telephones that nobody
    /// answers must not use it up.
    pub fn can_pass_on(&self, now: Timestamp, name: &str, step: u32, settings: &Settings) -> Option<IncidentId> {
        let incident = self.named(name)?;
        let waits = incident.ack.is_none() && incident.paged && incident.escalates.is_some_and(|at| at > now);
        (waits && step == incident.climbed && has_further(incident, settings)).then(|| incident.id.clone())
    }

    /// Somebody passes an incident on, or cannot be reached: the next step of its escalation is due at once, if they can.
    pub fn pass_on(&mut self, now: Timestamp, name: &str, step: u32, settings: &Settings) {
        if let Some(id) = self.can_pass_on(now, name, step, settings) {
            self.incidents.change(&id, |incident| incident.escalates = Some(now));
        }
    }
}
