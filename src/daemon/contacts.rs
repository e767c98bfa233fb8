//! When each agent was last heard of, and what it said of itself.

use crate::{
    model::{AgentMessage, Fleet, LinkId},
    web::AgentStanding,
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What was heard of agents.
#[derive(Clone, Default)]
pub(super) struct Contacts(Arc<Mutex<BTreeMap<LinkId, Contact>>>);

#[derive(Clone)]
struct Contact {
    heard: Timestamp,
    version: String,
    backlog: u64,
    dropped: u64,
}

impl Contacts {
    fn held(&self) -> MutexGuard<'_, BTreeMap<LinkId, Contact>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An agent says something.
    pub(super) fn heard(&self, now: Timestamp, agent: &LinkId, message: &AgentMessage) {
        let version = message.version.chars().filter(|letter| letter.is_ascii_graphic()).take(24).collect();
        let contact = Contact { heard: now, version, backlog: message.backlog, dropped: message.dropped };
        self.held().insert(agent.clone(), contact);
    }

    /// How all agents of a fleet stand.
    pub(super) fn standing(&self, fleet: &Arc<Fleet>) -> Vec<AgentStanding> {
        // Most fleets have none, and some have thousands of cameras.
        if fleet.agents().next().is_none() {
            return Vec::new();
        }
        let known = self.held().clone();
        let mut cameras: BTreeMap<LinkId, usize> = BTreeMap::new();
        for agent in fleet.cameras.values().filter_map(|camera| fleet.agent_of(camera)) {
            *cameras.entry(agent).or_default() += 1;
        }
        let standing = |(id, _): (&LinkId, _)| {
            let contact = known.get(id);
            AgentStanding {
                link: id.to_string(),
                heard: contact.map(|contact| contact.heard),
                version: contact.map(|contact| contact.version.clone()).unwrap_or_default(),
                backlog: contact.map_or(0, |contact| contact.backlog),
                dropped: contact.map_or(0, |contact| contact.dropped),
                cameras: cameras.get(id).copied().unwrap_or_default(),
            }
        };
        fleet.agents().map(standing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Commune, DailyHours, Language};

    #[test]
    fn what_an_agent_calls_itself_is_bounded() {
        let contacts = Contacts::default();
        let message = AgentMessage {
            version: "1.0\n".repeat(100),
            plan: String::new(),
            backlog: 7,
            dropped: 0,
            wait: 0,
            looks: Vec::new(),
        };
        let now = Timestamp::UNIX_EPOCH;
        contacts.heard(now, &"a".into(), &message);
        let (name, timezone) = (String::new(), jiff::tz::TimeZone::UTC);
        let mut fleet = Fleet::empty(Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT });
        let link = crate::model::Link {
            name: "A".into(),
            kind: crate::model::LinkKind::Agent,
            parent: None,
            bytes_per_day: None,
            looks_per_second: 1.0,
            probe: None,
        };
        fleet.links.insert("a".into(), link.clone());
        fleet.links.insert("b".into(), link);
        let standing = contacts.standing(&Arc::new(fleet));
        assert_eq!((standing[0].version.len(), standing[0].backlog, standing[0].heard), (24, 7, Some(now)));
        assert_eq!((standing[1].heard, standing.len()), (None, 2));
    }
}
