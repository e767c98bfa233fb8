//! Who watches the watcher: a heartbeat to an address outside, systemd's watchdog, and Alertmanager, which is told
//! again and again what is open.

use super::{
    event_loop::DeliverSettings,
    relay::Failures,
    supervise::{Health, Outcome},
};
use crate::{
    clock::Clock,
    deliver::{self, Target, alertmanager},
    metrics::Own,
    model::{ChannelId, Snapshot, later},
    monitor::Event,
};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// What all of them need.
#[derive(Clone)]
pub(super) struct Watchdog {
    pub(super) http: reqwest::Client,
    pub(super) clock: Clock,
    pub(super) own: Arc<Own>,
    pub(super) settings: watch::Receiver<DeliverSettings>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) health: Health,
    pub(super) failures: Failures,
    pub(super) news: mpsc::Sender<Event>,
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
            if self.health.runs().is_ok() {
                // Without systemd there is nobody to tell.
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
            }
        }
    }

    /// Asks for the heartbeat's address as long as the daemon lives and can remember and tell. Runs until `stop`.
    pub(super) async fn heartbeat(mut self, stop: CancellationToken) -> Outcome {
        loop {
            let heartbeat = self.settings.borrow_and_update().deliver.heartbeat.clone();
            let pause = match heartbeat {
                None => Duration::from_secs(3600),
                Some(heartbeat) => {
                    if self.health.check().is_ok() {
                        let answer = self.http.get(heartbeat.url.clone()).send().await;
                        let ok = answer.is_ok_and(|answer| answer.status().is_success());
                        self.own.heartbeat(ok, self.clock.now());
                    }
                    heartbeat.every
                }
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = self.settings.changed() => if changed.is_err() { return gone() },
                () = self.clock.sleep_until(later(self.clock.now(), pause)) => {}
            }
        }
    }

    /// Tells each Alertmanager what is open, at once when it changes and again and again. Runs until `stop`.
    pub(super) async fn alertmanagers(mut self, stop: CancellationToken) -> Outcome {
        let mut told = Vec::new();
        let mut due = self.clock.now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = self.snapshots.changed() => if changed.is_err() { return gone() },
                () = self.clock.sleep_until(due) => {}
            }
            let now = self.clock.now();
            let snapshot = self.snapshots.borrow_and_update().clone();
            let incidents: Vec<_> = snapshot.incidents.iter().map(|i| (i.id.clone(), i.step, i.closed)).collect();
            if now < due && incidents == told {
                continue;
            }
            told = incidents;
            due = later(now, alertmanager::RESEND);
            self.tell_alertmanagers(&snapshot).await;
        }
    }

    async fn tell_alertmanagers(&self, snapshot: &Snapshot) {
        let settings = self.settings.borrow().clone();
        let alerts = alertmanager::alerts(
            snapshot,
            self.clock.now(),
            settings.deliver.page.as_ref(),
            self.health.check().is_ok(),
        );
        for (id, channel) in &settings.deliver.channels {
            let Target::Alertmanager { urls, token } = &channel.target else { continue };
            for url in urls {
                let outcome = alertmanager::post(&self.http, url, token.as_ref(), &alerts).await;
                self.note(id, outcome);
            }
        }
    }

    fn note(&self, id: &ChannelId, outcome: Result<(), deliver::Refusal>) {
        let error = outcome.as_ref().err().map(|refusal| refusal.reason.clone());
        self.own.notice(id, error.as_deref(), self.clock.now());
        if self.failures.lock().unwrap_or_else(PoisonError::into_inner).note(id, outcome.is_ok(), None) {
            let (channel, error) = (id.clone(), error.unwrap_or_default());
            tracing::warn!(%channel, error, "an Alertmanager cannot be told");
            let _ = self.news.try_send(Event::ChannelFailing { channel, error });
        }
    }
}

fn gone() -> Outcome {
    Err("the event loop is gone".to_owned())
}
