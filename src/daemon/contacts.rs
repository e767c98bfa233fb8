//! When each agent was last heard of, and what it said of itself.

use crate::model::{AgentContact, AgentMessage, Fits, LinkId, fits};
use imbl::OrdMap;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was heard of agents.
#[derive(Clone, Default)]
pub(super) struct Contacts(Arc<Mutex<OrdMap<LinkId, AgentContact>>>);

impl Contacts {
    fn held(&self) -> MutexGuard<'_, OrdMap<LinkId, AgentContact>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An agent says something; how its version fits ours. What a version says that is refused is no word of its cameras, so
    /// it counts as silent.
    pub(super) fn heard(&self, now: Timestamp, agent: &LinkId, message: &AgentMessage) -> Fits {
        let fits = fits(env!("CARGO_PKG_VERSION"), &message.version);
        let version = message.version.chars().filter(|letter| letter.is_ascii_graphic()).take(24).collect();
        let ahead = message.clock.map(|clock| clock.saturating_sub(now.as_millisecond()) as f64 / 1000.0);
        let mut held = self.held();
        let before = held.get(agent).and_then(|contact| contact.heard);
        let contact = AgentContact {
            heard: if fits == Fits::Refused { before } else { Some(now) },
            version,
            fits,
            backlog: message.backlog,
            dropped: message.dropped,
            alarms: message.alarms,
            clock_offset_seconds: ahead,
        };
        held.insert(agent.clone(), contact);
        fits
    }

    /// A source says something.
    pub(super) fn claimed(&self, now: Timestamp, source: &LinkId) {
        let heard = AgentContact {
            heard: Some(now),
            version: String::new(),
            fits: Fits::Same,
            backlog: 0,
            dropped: 0,
            alarms: 0,
            clock_offset_seconds: None,
        };
        self.held().insert(source.clone(), heard);
    }

    /// What was heard of all.
    pub(super) fn all(&self) -> OrdMap<LinkId, AgentContact> {
        self.held().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(version: &str, clock: Option<i64>) -> AgentMessage {
        let (version, plan) = (version.to_owned(), String::new());
        AgentMessage { version, plan, backlog: 7, dropped: 0, wait: 0, clock, alarms: 0, looks: Vec::new() }
    }

    #[test]
    fn what_an_agent_says_of_itself_is_bounded() {
        let (contacts, now) = (Contacts::default(), Timestamp::UNIX_EPOCH);
        let version = format!("{}\n{}", env!("CARGO_PKG_VERSION"), "x\u{202e}".repeat(100));
        contacts.heard(now, &"a".into(), &message(&version, Some(i64::MIN)));
        let known = contacts.all().get("a").cloned().expect("it was heard");
        assert_eq!((known.version.len(), known.backlog, known.heard), (24, 7, Some(now)));
        assert!(known.version.is_ascii() && known.clock_offset_seconds < Some(-1e12));
        contacts.heard(now, &"a".into(), &message(env!("CARGO_PKG_VERSION"), Some(1500)));
        assert_eq!(contacts.all().get("a").and_then(|known| known.clock_offset_seconds), Some(1.5));
    }

    #[test]
    fn a_version_that_is_refused_says_nothing_of_its_cameras() {
        let contacts = Contacts::default();
        let at = |second| Timestamp::from_second(second).expect("a time");
        contacts.heard(at(1), &"a".into(), &message("99.0.0", None));
        assert_eq!(contacts.all().get("a").map(|known| (known.heard, known.fits)), Some((None, Fits::Refused)));
        contacts.heard(at(2), &"a".into(), &message(env!("CARGO_PKG_VERSION"), None));
        contacts.heard(at(3), &"a".into(), &message("99.0.0", None));
        assert_eq!(contacts.all().get("a").and_then(|known| known.heard), Some(at(2)), "it was well once");
    }
}
