//! Carries notices from the outbox to their channels: each channel in order, one at a time. A recipient's next channel
//! takes over where one fails, and a channel that keeps failing is itself reported.

use super::{
    event_loop::DeliverSettings,
    progress::{Progress, TURN},
    supervise::Outcome,
    task::Task,
};
use crate::{
    clock::Clock,
    deliver::{self, Channel, Refusal},
    journal::{Delivery, Error, Journal},
    metrics::Own,
    model::{ChannelId, Reason, later},
    monitor::Event,
};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use secrecy::SecretSlice;
use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Wait before the journal is asked again after it could not be read.
const RETRY: Duration = Duration::from_secs(1);
/// Tries over one channel before the recipient's next one is used.
const TRIES: u32 = 2;
/// Failures in a row after which a channel is reported.
const REPORTED_AFTER: u32 = 3;
/// A receiver that wants to be left alone for longer has its messages sent another way, where there is one.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the relay works with.
#[derive(Clone)]
pub(super) struct Relay {
    pub(super) http: reqwest::Client,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) own: Arc<Own>,
    pub(super) settings: watch::Receiver<DeliverSettings>,
    /// Signs the links by which people take incidents on.
    pub(super) key: Arc<SecretSlice<u8>>,
    /// Where a failing channel is reported.
    pub(super) news: mpsc::Sender<Event>,
    pub(super) failures: Arc<Failures>,
    pub(super) progress: Progress,
}

/// Failures in a row, by channel.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<ChannelId, u32>>);

impl Failures {
    /// Notes an outcome; whether the channel is to be reported now.
    pub(super) fn note(&self, channel: &ChannelId, ok: bool) -> bool {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ok {
            failures.remove(channel);
            return false;
        }
        let count = failures.entry(channel.clone()).or_default();
        *count += 1;
        *count == REPORTED_AFTER
    }
}

impl Relay {
    /// Runs until `stop`. What is not sent then stays in the outbox for the next run.
    pub(super) async fn run(self, wake: Arc<Notify>, stop: CancellationToken) -> Outcome {
        let mut sending: JoinSet<ChannelId> = JoinSet::new();
        let mut busy: HashSet<ChannelId> = HashSet::new();
        let mut limits: HashMap<ChannelId, (u32, Arc<DefaultDirectRateLimiter>)> = HashMap::new();
        loop {
            let now = self.clock.now();
            let wake_at = match self.next(now, &busy).await {
                Ok((due, next)) => {
                    self.progress.turn(Task::Relay);
                    for delivery in due {
                        busy.insert(delivery.channel.clone());
                        let limit = self.limit(&delivery.channel, &mut limits);
                        let relay = self.clone();
                        sending.spawn(async move {
                            let channel = delivery.channel.clone();
                            if let Some(limit) = limit {
                                limit.until_ready().await;
                            }
                            if let Err(error) = relay.deliver(delivery).await {
                                // It will be sent again; its key tells the receiver that it has it already.
                                tracing::error!(%channel, %error, "what became of a notice cannot be remembered");
                                tokio::time::sleep(RETRY).await;
                            }
                            channel
                        });
                    }
                    next
                }
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    Some(later(now, RETRY))
                }
            };
            // A busy channel's next notice is overdue all the while; others must not wait for it. The outbox is asked
            // now and then all the same: that it can be read is what health wants to know.
            let wake_at = match wake_at {
                Some(at) if at <= now => later(now, RETRY),
                Some(at) => at.min(later(now, TURN)),
                None => later(now, TURN),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(done) = sending.join_next() => match done {
                    Ok(channel) => drop(busy.remove(&channel)),
                    // Which channel panicked is not known; asking the journal again is harmless for the others.
                    Err(error) => {
                        tracing::error!(%error, "telling somebody ended inside camhealth; it is tried again");
                        busy.clear();
                    }
                },
                () = wake.notified() => {}
                () = self.clock.sleep_until(wake_at) => {}
            }
        }
    }

    async fn next(
        &self,
        now: Timestamp,
        busy: &HashSet<ChannelId>,
    ) -> Result<(Vec<Delivery>, Option<Timestamp>), Error> {
        let due = self.journal.due(now, busy.iter().cloned().collect()).await?;
        let (next, waiting) = self.journal.waiting().await?;
        self.own.set_notices_pending(waiting);
        Ok((due, next))
    }

    /// The limit of a channel, which a reload may change.
    fn limit(
        &self,
        channel: &ChannelId,
        limits: &mut HashMap<ChannelId, (u32, Arc<DefaultDirectRateLimiter>)>,
    ) -> Option<Arc<DefaultDirectRateLimiter>> {
        let per_minute = self.settings.borrow().deliver.channels.get(channel)?.per_minute;
        let quota = || Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let made = || (per_minute, Arc::new(RateLimiter::direct(quota())));
        let known = limits.entry(channel.clone()).or_insert_with(made);
        if known.0 != per_minute {
            *known = made();
        }
        Some(known.1.clone())
    }

    async fn deliver(&self, delivery: Delivery) -> Result<(), Error> {
        let settings = self.settings.borrow().clone();
        let deliver = &settings.deliver;
        let id = &delivery.channel;
        let incident = delivery.notice.number;
        let Some(channel) = deliver.channels.get(id) else {
            return match other(&delivery, &settings) {
                Some(next) => self.journal.postponed(delivery.id, self.clock.now(), next, "is gone".into()).await,
                None => {
                    tracing::warn!(channel = %id, incident, "the channel is gone; its notice is not sent");
                    self.journal.abandoned(delivery.id, self.clock.now()).await
                }
            };
        };
        let outcome = self.tell(channel, &delivery, &settings).await;
        let failed = outcome.as_ref().err().map(|refusal| refusal.reason.clone());
        self.own.notice(id, failed.as_deref(), self.clock.now());
        if self.failures.note(id, outcome.is_ok()) && delivery.notice.reason != Reason::ChannelFailing {
            let error = failed.unwrap_or_default();
            // The loop may be full or gone; what cannot be reported is in the log and in the metrics.
            let _ = self.news.try_send(Event::ChannelFailing { channel: id.clone(), error });
        }
        match outcome {
            Ok(receipt) => {
                tracing::info!(channel = %id, incident, reason = delivery.notice.reason.as_str(), "told");
                self.journal.sent(delivery.id, receipt, self.clock.now()).await
            }
            Err(refusal) => {
                let (next, wait) = after(&delivery, &refusal, &settings);
                tracing::warn!(channel = %id, incident, %refusal, next = %next.0, ?wait, "not told yet");
                self.journal.postponed(delivery.id, later(self.clock.now(), wait), next, refusal.reason).await
            }
        }
    }

    async fn tell(
        &self,
        channel: &Channel,
        delivery: &Delivery,
        settings: &DeliverSettings,
    ) -> Result<deliver::Receipt, Refusal> {
        let (deliver, commune) = (&settings.deliver, &settings.commune);
        let notice = &delivery.notice;
        let person = delivery.recipient.person.as_ref().map_or(delivery.channel.as_str(), |person| person.as_str());
        let page = deliver.page.as_ref();
        let number = notice.number.to_string();
        let ack = page.and_then(|page| deliver::sign::link(page, &self.key, &number, notice.round, person));
        let dispatch = deliver::Dispatch {
            notice,
            key: &notice.key(),
            at: self.clock.now(),
            zone: &commune.timezone,
            page,
            ack,
            first: delivery.first.as_deref(),
        };
        deliver::tell(channel, &self.http, dispatch).await.unwrap_or(Ok(None))
    }
}

/// The recipient's next channel that the configuration has, if there is another.
fn other(delivery: &Delivery, settings: &DeliverSettings) -> Option<(ChannelId, usize)> {
    let channels = &delivery.recipient.channels;
    let turns = (1..channels.len()).map(|step| (delivery.turn + step) % channels.len());
    let known = |turn: usize| Some((channels.get(turn)?.clone(), turn));
    turns.filter_map(known).find(|(channel, _)| settings.deliver.channels.contains_key(channel))
}

/// Over which channel to try next, and when.
fn after(delivery: &Delivery, refusal: &Refusal, settings: &DeliverSettings) -> ((ChannelId, usize), Duration) {
    let stay = (delivery.channel.clone(), delivery.turn);
    let tried_enough = (delivery.attempts + 1).is_multiple_of(TRIES);
    let leave = refusal.permanent || tried_enough || refusal.wait.is_some_and(|wait| wait > PATIENCE);
    match other(delivery, settings).filter(|_| leave) {
        // Once around, all of them failed: then it takes patience.
        Some(next) if next.1 > delivery.turn => (next, Duration::ZERO),
        Some(next) => {
            (next, deliver::retry_after(delivery.attempts / TRIES, &Refusal { wait: None, ..refusal.clone() }))
        }
        None => (stay, deliver::retry_after(delivery.attempts, refusal)),
    }
}
