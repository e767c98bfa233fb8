//! Asks links' beacons and the monitor's anchors, again and again.

use super::supervise::Outcome;
use crate::{
    clock::Clock,
    model::{Beacon, LinkId, Snapshot, later},
    monitor::Event,
    probe,
    topology::Voice,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How often each is asked.
const EVERY: Duration = Duration::from_secs(10);
/// How soon one that did not answer is asked again.
const CONFIRM: Duration = Duration::from_secs(2);
/// Silent answers in a row that count as silence: one lost packet proves nothing.
const SILENT: u32 = 2;

/// Runs until `stop`.
pub(super) async fn run(
    clock: Clock,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    news: mpsc::Sender<Event>,
    stop: CancellationToken,
) -> Outcome {
    let mut silent: BTreeMap<Voice, u32> = BTreeMap::new();
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = clock.sleep_until(later(clock.now(), pause)) => {}
        }
        let fleet = snapshots.borrow().fleet.clone();
        // What lies behind an agent nobody reaches from here.
        let reached = |id: &LinkId| !fleet.is_behind_agent(id);
        let links = fleet.links.iter().filter(|(id, _)| reached(id));
        let links = links.filter_map(|(id, link)| Some((Voice::Link(id.clone()), link.probe.clone()?)));
        let anchors = fleet.anchors.iter().map(|anchor| (Voice::Anchors, anchor.clone()));
        let answers = ask(links.chain(anchors), clock.now()).await;
        silent.retain(|voice, _| answers.contains_key(voice));
        for (voice, answers) in answers {
            // Who could not be asked is not said to be silent.
            let Some(answers) = answers else { continue };
            let count = silent.entry(voice.clone()).or_default();
            *count = if answers { 0 } else { count.saturating_add(1) };
            // waits: beacons -> event_loop
            if (answers || *count >= SILENT) && news.send(Event::Heard(voice, answers)).await.is_err() {
                return Err("the event loop is gone".to_owned());
            }
        }
        pause = if silent.values().any(|count| (1..SILENT).contains(count)) { CONFIRM } else { EVERY };
    }
}

/// Whether each answers, where it could be asked; of the anchors one suffices.
async fn ask(beacons: impl Iterator<Item = (Voice, Beacon)>, now: Timestamp) -> BTreeMap<Voice, Option<bool>> {
    let mut asked = JoinSet::new();
    for (voice, beacon) in beacons {
        asked.spawn(async move { (voice, probe::beacon::answers(&beacon, now).await) });
    }
    let mut answers = BTreeMap::new();
    while let Some(answered) = asked.join_next().await {
        // A task of ours does not panic; if it did, nothing would be known.
        let Ok((voice, answer)) = answered else { continue };
        answers.entry(voice).and_modify(|known| *known = either(*known, answer)).or_insert(answer);
    }
    answers
}

/// Two witnesses of the same: one that answers settles it, and only if both were asked in vain is it silence.
fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_could_not_be_asked_is_not_said_to_be_silent() {
        assert_eq!(either(Some(false), None), None);
        assert_eq!(either(None, Some(true)), Some(true));
        assert_eq!(either(Some(false), Some(false)), Some(false));
    }
}
