//! Keeps in mind when each agent was last heard of, and says when one is lost.

use super::{shared::Shared, supervise::Outcome};
use crate::{
    model::{AgentMessage, Fleet, LinkId, elapsed, later},
    monitor::Event,
    topology::Voice,
    web::AgentStanding,
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);
/// An agent that was not heard of for so long is lost: it says something each 25 s, and tries again at once. With the seconds that
/// a verdict on a link takes, that is known within a minute.
const LOST_AFTER: Duration = Duration::from_secs(40);

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

/// Runs until the daemon stops.
pub(super) async fn run(shared: Shared, contacts: Contacts) -> Outcome {
    // Whoever was there before a restart has a moment to say so.
    let began = shared.clock.now();
    let mut lost: BTreeMap<LinkId, bool> = BTreeMap::new();
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return Ok(()),
            () = shared.clock.sleep_until(later(shared.clock.now(), EVERY)) => {}
        }
        let (now, fleet) = (shared.clock.now(), shared.snapshots.borrow().fleet.clone());
        let standing = contacts.standing(&fleet);
        shared.own.set_agents(
            standing.iter().map(|one| (one.link.as_str(), one.version.as_str(), one.heard, one.backlog, one.dropped)),
        );
        lost.retain(|id, _| fleet.links.contains_key(id));
        for one in standing {
            let id = LinkId::from(one.link.as_str());
            let heard = one.heard.unwrap_or(began);
            let is_lost = elapsed(now, heard) > LOST_AFTER;
            if lost.insert(id.clone(), is_lost) == Some(is_lost) {
                continue;
            }
            let event = match is_lost {
                true => {
                    tracing::warn!(agent = %id, "the agent is not heard of any more");
                    Event::AgentLost(id, heard)
                }
                false => Event::Heard(Voice::Link(id), true),
            };
            // waits: agents -> event_loop
            if shared.news.send(event).await.is_err() {
                return Err("the event loop is gone".to_owned());
            }
        }
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
