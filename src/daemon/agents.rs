//! Says when an agent or a source is lost, and when it is back.

use super::{contacts::Contacts, shared::Shared, supervise::Outcome};
use crate::{
    model::{LinkId, LinkKind, elapsed, later},
    monitor::Event,
    topology::Voice,
};
use std::{collections::BTreeMap, time::Duration};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// An agent that was not heard of for so long is lost: it says something each 44 s, and tries again at once. With the seconds that
/// a verdict on a link takes, that is known within a minute.
const LOST_AFTER: Duration = Duration::from_secs(52);
/// A source says something each minute or so, as whoever wrote its script saw fit.
const SOURCE_LOST_AFTER: Duration = Duration::from_secs(5 * 60);

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
        let sources = fleet.observers().filter(|(_, link)| link.kind == LinkKind::Source).map(|(id, _)| id);
        let heard = |id| known.get(id).and_then(|contact| contact.heard);
        shared.own.agents.set_sources(sources.map(|id| (id.as_str(), heard(id))));
        lost.retain(|id, _| fleet.links.contains_key(id));
        for (id, link) in fleet.observers() {
            let heard = heard(id).unwrap_or(began);
            let limit = if link.kind == LinkKind::Source { SOURCE_LOST_AFTER } else { LOST_AFTER };
            let is_lost = elapsed(now, heard) > limit;
            if lost.insert(id.clone(), is_lost) == Some(is_lost) {
                continue;
            }
            let event = match is_lost {
                true => {
                    tracing::warn!(link = %id, kind = link.kind.as_str(), "it is not heard of any more");
                    Event::ObserverLost(id.clone(), heard)
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
