//! Tells people what is the matter with the journal itself. All else is told from the outbox, and so not at all while
//! that cannot be written: this alone goes out from memory, over the first channel that takes it, once.

use super::{progress::STUCK, supervise::Outcome};
use crate::{
    alert,
    clock::Clock,
    config::Config,
    deliver,
    journal::Condition,
    model::{ChannelId, IncidentId, JournalNotice, Notice, PlainNotice, Trouble},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// A write that fails for a moment, as while a backup runs, is no news.
const PATIENCE: Duration = Duration::from_secs(20);
/// How soon all channels are tried again when none took it.
const RETRY: Duration = Duration::from_secs(60);
/// One channel may take so long.
const CHANNEL: Duration = Duration::from_secs(20);
const _: () = assert!(PATIENCE.as_secs() > STUCK.as_secs(), "health says it first");

/// What is to be told of the journal, and when: pure, so that time can be made up.
#[derive(Debug, Default)]
struct Troubles {
    failing: Option<(Instant, String)>,
    /// That it fails was told.
    told: bool,
    damaged: Option<String>,
    wanted: Vec<(Trouble, String)>,
}

impl Troubles {
    /// Takes in how the journal fares.
    fn see(&mut self, journal: &Condition, now: Instant) {
        match &journal.impaired {
            Some(why) => _ = self.failing.get_or_insert_with(|| (now, why.clone())),
            None => {
                self.failing = None;
                // Who was told is told the end. Where nobody could be reached there is nothing to take back.
                self.wanted.retain(|(trouble, _)| *trouble != Trouble::Failing);
                if std::mem::take(&mut self.told) {
                    self.wanted.push((Trouble::Restored, String::new()));
                }
            }
        }
        if journal.set_aside != self.damaged {
            self.damaged.clone_from(&journal.set_aside);
            self.wanted.retain(|(trouble, _)| *trouble != Trouble::Damaged);
            self.wanted.extend(journal.set_aside.clone().map(|what| (Trouble::Damaged, what)));
        }
    }

    /// What to tell now.
    fn due(&mut self, now: Instant) -> Option<(Trouble, String)> {
        if let Some((since, why)) = &self.failing
            && !self.told
            && now.duration_since(*since) >= PATIENCE
            && self.wanted.iter().all(|(trouble, _)| *trouble != Trouble::Failing)
        {
            self.wanted.retain(|(trouble, _)| *trouble != Trouble::Restored);
            self.wanted.push((Trouble::Failing, why.clone()));
        }
        self.wanted.first().cloned()
    }

    /// Somebody was told.
    fn told(&mut self, trouble: Trouble) {
        self.wanted.retain(|(wanted, _)| *wanted != trouble);
        self.told |= trouble == Trouble::Failing;
    }

    /// When there may be something to tell, if nothing changes.
    fn wake(&self) -> Option<Instant> {
        let waits = self.failing.as_ref().filter(|_| !self.told && self.wanted.is_empty());
        waits.map(|(since, _)| *since + PATIENCE)
    }
}

/// What it works with.
pub(super) struct Distress {
    pub(super) means: deliver::Means,
    pub(super) clock: Clock,
    pub(super) configs: watch::Receiver<Arc<Config>>,
    pub(super) journal: watch::Receiver<Condition>,
}

impl Distress {
    /// Runs until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Outcome {
        let mut troubles = Troubles::default();
        loop {
            troubles.see(&self.journal.borrow_and_update().clone(), Instant::now());
            let mut again = None;
            while let Some((trouble, what)) = troubles.due(Instant::now()) {
                if !self.tell(trouble, &what).await {
                    again = Some(Instant::now() + RETRY);
                    break;
                }
                troubles.told(trouble);
            }
            let wake = again.or(troubles.wake());
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = self.journal.changed() => if changed.is_err() {
                    return Err("the journal is gone".to_owned());
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }

    /// Whether anybody took it.
    async fn tell(&self, trouble: Trouble, what: &str) -> bool {
        let config = self.configs.borrow().clone();
        let now = self.clock.now();
        let id = IncidentId::stored(format!("{}-{}", trouble.as_str(), now.as_millisecond()));
        let plain = PlainNotice { id, place: config.fleet.commune.name.clone(), at: now };
        let notice = Notice::Journal(JournalNotice { plain, trouble, what: what.to_owned() });
        for (id, channel) in self.channels(&config).iter().filter_map(|id| config.deliver.channels.get_key_value(id)) {
            let dispatch = deliver::Dispatch {
                notice: &notice,
                key: &notice.key(),
                at: now,
                zone: &config.fleet.commune.timezone,
                page: config.deliver.page.as_ref(),
                ack: None,
                first: None,
                places: &config.deliver.places,
                matter: None,
            };
            match timeout(CHANNEL, deliver::tell(channel, &self.means, dispatch)).await {
                Ok(None) => {}
                Ok(Some(Ok(_))) => {
                    tracing::warn!(channel = %id, trouble = trouble.as_str(), "told from memory");
                    return true;
                }
                Ok(Some(Err(refusal))) => {
                    tracing::warn!(channel = %id, %refusal, "cannot be told of the journal's trouble")
                }
                Err(_) => tracing::warn!(channel = %id, "takes too long to be told of the journal's trouble"),
            }
        }
        tracing::error!(trouble = trouble.as_str(), "no channel can be told of the journal's trouble");
        false
    }

    /// Those of the maintainers first, then the shared ones, then any: the more helpless we are, the less it matters
    /// whom it is.
    fn channels(&self, config: &Config) -> Vec<ChannelId> {
        let alert = &config.alert;
        let zone = &config.fleet.commune.timezone;
        let maintainers = alert::roster::recipients(alert, &alert.maintainers, self.clock.now(), zone);
        let maintainers = maintainers.into_iter().flat_map(|recipient| recipient.channels);
        let all = maintainers.chain(alert.always.iter().cloned()).chain(config.deliver.channels.keys().cloned());
        let mut known = BTreeSet::new();
        let rings = |id: &ChannelId| config.deliver.channels.get(id).is_some_and(|channel| channel.target.rings());
        all.filter(|channel| !rings(channel) && known.insert(channel.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impaired(why: Option<&str>) -> Condition {
        Condition { impaired: why.map(str::to_owned), ..Condition::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_is_told_once_and_its_end_to_whoever_was_told() {
        let (mut troubles, began) = (Troubles::default(), Instant::now());
        let at = |second| began + Duration::from_secs(second);
        troubles.see(&impaired(Some("full")), at(0));
        assert_eq!((troubles.due(at(19)), troubles.wake()), (None, Some(at(20))));
        troubles.see(&impaired(Some("full")), at(19));
        let told = troubles.due(at(20)).expect("it lasts");
        assert_eq!(told, (Trouble::Failing, "full".to_owned()));
        assert_eq!(troubles.due(at(21)), Some(told), "until somebody took it");
        troubles.told(Trouble::Failing);
        for second in [22, 3600, 86_400] {
            troubles.see(&impaired(Some("full")), at(second));
            assert_eq!((troubles.due(at(second)), troubles.wake()), (None, None), "once");
        }
        troubles.see(&impaired(None), at(86_401));
        assert_eq!(troubles.due(at(86_401)).map(|(trouble, _)| trouble), Some(Trouble::Restored));
        troubles.told(Trouble::Restored);
        assert_eq!(troubles.due(at(86_402)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_before_anybody_was_told_is_no_news() {
        let (mut troubles, began) = (Troubles::default(), Instant::now());
        let at = |second| began + Duration::from_secs(second);
        for second in 0..100 {
            troubles.see(&impaired((second % 2 == 0).then_some("busy")), at(10 * second));
            assert_eq!(troubles.due(at(10 * second)), None);
        }
        // Nobody could be reached until it was over.
        troubles.see(&impaired(Some("full")), at(2000));
        assert!(troubles.due(at(2020)).is_some());
        troubles.see(&impaired(None), at(2030));
        assert_eq!(troubles.due(at(2030)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn damage_is_told_once() {
        let (mut troubles, now) = (Troubles::default(), Instant::now());
        let damaged = Condition { set_aside: Some("lies in x".into()), ..Condition::default() };
        troubles.see(&damaged, now);
        assert_eq!(troubles.due(now), Some((Trouble::Damaged, "lies in x".to_owned())));
        troubles.told(Trouble::Damaged);
        troubles.see(&damaged, now);
        assert_eq!(troubles.due(now), None);
    }
}
