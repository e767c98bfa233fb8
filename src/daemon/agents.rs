//! Says when an agent is lost, and when it is back.

use super::{contacts::Contacts, shared::Shared, supervise::Outcome};
use crate::{
    model::{LinkId, elapsed, later},
    monitor::Event,
    topology::Voice,
};
use std::{collections::BTreeMap, time::Duration};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// An agent that was not heard of for so long is lost: it says something each 44 s, and tries again at once. With the seconds that
/// a verdict on a link takes, that is known within a minute.
const LOST_AFTER: Duration = Duration::from_secs(52);

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
        let known = contacts.all();
        shared.own.agents.set(fleet.agents().map(|(id, _)| (id.as_str(), known.get(id))));
        lost.retain(|id, _| fleet.links.contains_key(id));
        for (id, _) in fleet.agents() {
            let heard = known.get(id).and_then(|contact| contact.heard).unwrap_or(began);
            let is_lost = elapsed(now, heard) > LOST_AFTER;
            if lost.insert(id.clone(), is_lost) == Some(is_lost) {
                continue;
            }
            let event = match is_lost {
                true => {
                    tracing::warn!(agent = %id, "the agent is not heard of any more");
                    Event::AgentLost(id.clone(), heard)
                }
                false => Event::Heard(Voice::Link(id.clone()), true),
            };
            // waits: agents -> event_loop
            if shared.news.send(event).await.is_err() {
                return Err("the event loop is gone".to_owned());
            }
        }
    }
}
