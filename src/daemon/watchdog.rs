//! Who watches the watcher: a heartbeat to an address outside, systemd's watchdog, and Alertmanager, which is told
//! again and again what is open.

use super::{manager, shared::Shared, supervise::Outcome};
use crate::{
    deliver::{self, Target, alertmanager},
    model::{ChannelId, Snapshot, later},
    monitor::Event,
};
use futures_util::future::join_all;
use std::{collections::BTreeSet, sync::PoisonError, time::Duration};
use tokio_util::sync::CancellationToken;
use url::Position;

/// What all of them need.
#[derive(Clone)]
pub(super) struct Watchdog {
    pub(super) shared: Shared,
}

impl Watchdog {
    /// Tells systemd that the daemon does its work, at half of the time that it allows, as its manual advises. Runs
    /// until `stop`.
    pub(super) async fn systemd(self, limit: Duration, stop: CancellationToken) -> Outcome {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(limit / 2) => {}
            }
            if self.shared.health.runs().is_ok() {
                manager::tell(&[sd_notify::NotifyState::Watchdog]);
            }
        }
    }

    /// Asks for the heartbeat's address as long as the daemon lives and can remember and tell. Runs until `stop`.
    pub(super) async fn heartbeat(mut self, stop: CancellationToken) -> Outcome {
        loop {
            let heartbeat = self.shared.configs.borrow_and_update().deliver.heartbeat.clone();
            let pause = match heartbeat {
                None => Duration::from_secs(3600),
                Some(heartbeat) => {
                    if self.shared.health.check().is_ok() {
                        let answer = self.shared.means.http.get(heartbeat.url.clone()).send().await;
                        let ok = answer.is_ok_and(|answer| answer.status().is_success());
                        self.shared.own.heartbeat(ok, self.shared.clock.now());
                    }
                    heartbeat.every
                }
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = self.shared.configs.changed() => if changed.is_err() { return gone() },
                () = self.shared.clock.sleep_until(later(self.shared.clock.now(), pause)) => {}
            }
        }
    }

    /// Tells each Alertmanager what is open, at once when it changes and again and again. Runs until `stop`.
    pub(super) async fn alertmanagers(mut self, stop: CancellationToken) -> Outcome {
        let (mut told, mut silent) = (Vec::new(), BTreeSet::new());
        let mut due = self.shared.clock.now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = self.shared.snapshots.changed() => if changed.is_err() { return gone() },
                () = self.shared.clock.sleep_until(due) => {}
            }
            let now = self.shared.clock.now();
            let snapshot = self.shared.snapshots.borrow_and_update().clone();
            let incidents: Vec<_> = snapshot.incidents.iter().map(|i| (i.id.clone(), i.step, i.closed)).collect();
            if now < due && incidents == told {
                continue;
            }
            told = incidents;
            due = later(now, alertmanager::RESEND);
            self.tell_alertmanagers(&snapshot, &mut silent).await;
        }
    }

    /// Tells all members of each cluster at once, so that one that is gone holds up no other. They tell each other whom they told, and
    /// one is enough; `silent` are those that could not be told last time.
    async fn tell_alertmanagers(&self, snapshot: &Snapshot, silent: &mut BTreeSet<(ChannelId, String)>) {
        let config = self.shared.configs.borrow().clone();
        let alerts = alertmanager::alerts(
            snapshot,
            self.shared.clock.now(),
            config.deliver.page.as_ref(),
            self.shared.health.check().is_ok(),
        );
        for (id, channel) in &config.deliver.channels {
            let Target::Alertmanager { urls, token } = &channel.target else { continue };
            let posts = urls.iter().map(async |url| {
                // It may hold a password.
                let place = url[Position::BeforeHost..Position::AfterPort].to_owned();
                (place, alertmanager::post(&self.shared.means.http, url, token.as_ref(), &alerts).await)
            });
            let mut outcomes = Vec::new();
            for (place, outcome) in join_all(posts).await {
                let member = (id.clone(), place);
                match (&outcome, silent.contains(&member)) {
                    (Ok(()), true) => {
                        silent.remove(&member);
                    }
                    (Err(error), false) => {
                        tracing::warn!(channel = %id, alertmanager = member.1, %error, "it cannot be told");
                        silent.insert(member);
                    }
                    _ => {}
                }
                outcomes.push(outcome);
            }
            if let Some(best) = outcomes.into_iter().reduce(Result::or) {
                self.note(id, best);
            }
        }
    }

    fn note(&self, id: &ChannelId, outcome: Result<(), deliver::Refusal>) {
        let error = outcome.as_ref().err().map(|refusal| refusal.reason.clone());
        self.shared.own.notice(id, error.as_deref(), self.shared.clock.now());
        if self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner).note(id, outcome.is_ok(), None) {
            let (channel, error) = (id.clone(), error.unwrap_or_default());
            tracing::warn!(%channel, error, "an Alertmanager cannot be told");
            let _ = self.shared.news.try_send(Event::ChannelFailing { channel, error });
        }
    }
}

fn gone() -> Outcome {
    Err("the event loop is gone".to_owned())
}
