//! Carries notices from the outbox to their channels. What is told next, and what follows a failure, is decided by the
//! core (`outbox`); here messages are sent, and what became of them is noted.

use super::{
    calls::Subject,
    delivery::{FOLLOWED, Followed, follow},
    progress::TURN,
    shared::Shared,
    supervise::Outcome,
    task::Task,
};
use crate::{
    deliver,
    journal::Error,
    model::{ChannelId, Refusal, later},
    monitor::Event,
    outbox::{self, InFlight, Sending},
};
use futures_util::future::{BoxFuture, FutureExt};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use std::{
    collections::HashMap,
    num::NonZeroU32,
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{self, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Wait before the journal is asked again after it could not be read or written.
const RETRY: Duration = Duration::from_secs(1);

/// Wait before a channel is tried again that hangs on another machine of the province.
const ELSEWHERE: Duration = Duration::from_secs(60);

/// Hands one message to its channel, once. Tests have channels of their own.
pub(super) type TellFn = Arc<dyn Fn(Sending) -> BoxFuture<'static, Result<deliver::Receipt, Refusal>> + Send + Sync>;

/// What the relay works with.
#[derive(Clone)]
pub(super) struct Relay {
    pub(super) shared: Shared,
    pub(super) tell: TellFn,
}

/// What the relay's loop remembers.
#[derive(Default)]
struct Round {
    in_flight: InFlight,
    sending: JoinSet<Option<Followed>>,
    /// What is asked after, once a gateway accepted it.
    following: JoinSet<()>,
    channels: HashMap<task::Id, ChannelId>,
    limits: HashMap<ChannelId, (u32, Arc<DefaultDirectRateLimiter>)>,
    counted: Option<Instant>,
}

impl Relay {
    /// Runs until `stop`. What is not sent then stays in the outbox for the next run.
    pub(super) async fn run(self, wake: Arc<Notify>, stop: CancellationToken) -> Outcome {
        let mut round = Round::default();
        loop {
            let now = self.shared.clock.now();
            let wake_at = match self.serve(now, &mut round).await {
                Ok(wake_at) => {
                    self.shared.progress.turn(Task::Relay);
                    wake_at
                }
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read or written");
                    Some(later(now, RETRY))
                }
            };
            // The outbox is asked now and then all the same: that it can be read is what health wants to know.
            let wake_at = wake_at.map_or(later(now, TURN), |at| at.min(later(now, TURN)));
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(done) = round.sending.join_next_with_id() => {
                    if let Some(followed) = round.ended(done).filter(|_| round.following.len() < FOLLOWED) {
                        round.following.spawn(follow(self.shared.clone(), followed));
                    }
                }
                Some(_) = round.following.join_next() => {}
                () = wake.notified() => {}
                () = self.shared.clock.sleep_until(wake_at) => {}
            }
        }
    }

    /// Sends whatever's turn it is; when it is the next one's.
    async fn serve(&self, now: Timestamp, round: &mut Round) -> Result<Option<Timestamp>, Error> {
        let heads = self.shared.journal.heads(now).await?;
        let heads = self.pressing_first(heads, now).await?;
        if round.counted.is_none_or(|at| at.elapsed() >= TURN) {
            self.shared.own.set_notices_pending(self.shared.journal.waiting().await?);
            round.counted = Some(Instant::now());
        }
        let mut behind = Vec::new();
        for head in outbox::refused(now, &heads, &round.in_flight) {
            behind.extend(self.shared.journal.behind(head.clone()).await?);
        }
        let aside = outbox::aside(now, &behind, &heads, &round.in_flight, |channel| self.is_known(channel));
        if !aside.is_empty() {
            self.shared.journal.mark(aside, now).await?;
            return Ok(Some(now));
        }
        let ready = outbox::ready(now, &heads, &round.in_flight);
        for ready in &ready {
            let Some(newest) = self.shared.journal.newest(ready.thread.clone(), now).await? else { continue };
            let step = outbox::step(now, ready, newest, |channel| self.is_known(channel));
            if !step.marks.is_empty() {
                self.shared.journal.mark(step.marks, now).await?;
            }
            if let Some(message) = step.send {
                self.send(message, round);
            }
        }
        // What was moved aside has made room for the next.
        Ok(if ready.is_empty() { outbox::wake(now, &heads, &round.in_flight) } else { Some(now) })
    }

    fn send(&self, message: Sending, round: &mut Round) {
        let channel = message.place.channel.clone();
        round.in_flight.insert(channel.clone(), message.thread.clone());
        let (relay, limit) = (self.clone(), self.limit(&channel, &mut round.limits));
        let silent = self.is_silent(&message);
        let sending = round.sending.spawn(async move {
            if silent {
                relay.settle(&message, Ok(None)).await;
                return None;
            }
            if let Some(limit) = limit {
                limit.until_ready().await;
            }
            relay.deliver(message).await
        });
        round.channels.insert(sending.id(), channel);
    }

    /// Whether it is news to a telephone, which rings for alarms alone: then it only takes the place of calls that wait, and
    /// says nothing of whether the telephone works.
    fn is_silent(&self, message: &Sending) -> bool {
        let config = self.shared.configs.borrow();
        let rings = config.deliver.channels.get(&message.place.channel).is_some_and(|known| known.target.rings());
        rings && !message.notice.rings()
    }

    /// The limit of a channel, which a reload may change.
    fn limit(
        &self,
        channel: &ChannelId,
        limits: &mut HashMap<ChannelId, (u32, Arc<DefaultDirectRateLimiter>)>,
    ) -> Option<Arc<DefaultDirectRateLimiter>> {
        let per_minute = self.shared.configs.borrow().deliver.channels.get(channel)?.per_minute;
        let quota = || Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let made = || (per_minute, Arc::new(RateLimiter::direct(quota())));
        let known = limits.entry(channel.clone()).or_insert_with(made);
        if known.0 != per_minute {
            *known = made();
        }
        Some(known.1.clone())
    }

    /// Hands a message to its channel and notes what became of it; what is to be asked after.
    async fn deliver(&self, message: Sending) -> Option<Followed> {
        let (channel, notice) = (&message.place.channel, &message.notice);
        let telling = async {
            self.pay(&message).await?;
            (self.tell)(message.clone()).await
        };
        let telling = AssertUnwindSafe(telling).catch_unwind().await;
        // What fails inside camhealth is a try that failed: it would do so for ever.
        let outcome = telling.unwrap_or_else(|_| Err(Refusal::passing("telling it failed inside camhealth")));
        let now = self.shared.clock.now();
        let failed = outcome.as_ref().err().map(|refusal| refusal.reason.clone());
        self.shared.own.notice(channel, failed.as_deref(), now);
        self.count(channel, outcome.as_ref().ok().and_then(Option::as_deref));
        // A channel that did its work does not fail by a person who is busy.
        let works = outcome.as_ref().map_or_else(|refusal| refusal.unreached, |_| true);
        let reports =
            self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner).note(channel, works, Some(notice));
        if reports {
            let error = failed.clone().unwrap_or_default();
            // The loop may be full or gone; what cannot be reported is in the log and in the metrics.
            let _ = self.shared.news.try_send(Event::ChannelFailing { channel: channel.clone(), error });
        }
        let incident = notice.incident().map(|incident| incident.number);
        match &outcome {
            Ok(_) => tracing::info!(%channel, incident, reason = notice.reason(), "told"),
            Err(refusal) => tracing::warn!(%channel, incident, %refusal, "not told yet"),
        }
        if let Some(incident) = notice.incident()
            && outbox::is_unreached(&message, failed.is_some(), |channel| self.is_known(channel))
        {
            let (incident, step) = (incident.number.to_string(), incident.step);
            // Where the loop is full the step is taken in its time.
            let _ = self.shared.news.try_send(Event::PassOn { incident, step });
        }
        let followed = Followed::of(&message, outcome.as_ref().ok().and_then(Option::as_deref));
        self.settle(&message, outcome).await;
        followed
    }

    /// Notes what became of a message.
    async fn settle(&self, message: &Sending, outcome: Result<deliver::Receipt, Refusal>) {
        let now = self.shared.clock.now();
        let mark = outbox::settle(now, message, outcome, |channel| self.is_known(channel));
        if let Err(error) = self.shared.journal.mark(vec![mark], now).await {
            let channel = &message.place.channel;
            // It will be sent again; its key tells the receiver that it has it already.
            tracing::error!(%channel, %error, "what became of a notice cannot be remembered");
            tokio::time::sleep(RETRY).await;
        }
    }

    fn is_known(&self, channel: &ChannelId) -> bool {
        self.shared.configs.borrow().deliver.channels.contains_key(channel)
    }
}

impl Round {
    /// A message is out of our hands; what became of it is noted. What of it is to be asked after.
    fn ended(&mut self, done: Result<(task::Id, Option<Followed>), JoinError>) -> Option<Followed> {
        let (id, followed) = done.unwrap_or_else(|error| {
            tracing::error!(%error, "telling somebody ended inside camhealth; it is tried again");
            (error.id(), None)
        });
        if let Some(channel) = self.channels.remove(&id) {
            self.in_flight.remove(&channel);
        }
        followed
    }
}

/// Tells people for real: in words, over the channel as it is configured.
pub(super) fn real(shared: &Shared) -> TellFn {
    let shared = shared.clone();
    Arc::new(move |message| {
        let shared = shared.clone();
        let config = shared.configs.borrow().clone();
        async move {
            let (deliver, commune) = (&config.deliver, &config.fleet.commune);
            let id = &message.place.channel;
            let Some(channel) = deliver.channels.get(id) else { return Err(Refusal::passing("the channel is gone")) };
            if let (Some(machine), Some(here)) = (&channel.machine, &deliver.here)
                && machine != here
            {
                // The next channel takes it over at once; this one is tried again in case the commune moves there.
                let refusal = Refusal::passing(format!("it hangs on the machine {machine}, and this is {here}"));
                return Err(Refusal { wait: Some(ELSEWHERE), ..refusal });
            }
            let notice = &message.notice;
            let person = message.recipient.person.as_ref().map_or(id.as_str(), |person| person.as_str());
            let page = deliver.page.as_ref();
            let subject = notice.incident().map(|incident| {
                let known = message.recipient.person.as_ref().and_then(|person| config.alert.people.get(person));
                let who = known.map_or_else(|| person.to_owned(), |known| known.name.clone());
                Subject::new(&shared, incident, who, id.clone())
            });
            let ack = notice.incident().zip(page).and_then(|(incident, page)| {
                deliver::sign::link(page, &shared.key, &incident.number.to_string(), incident.round, person)
            });
            let dispatch = deliver::Dispatch {
                notice,
                key: &notice.key(),
                at: shared.clock.now(),
                zone: &commune.timezone,
                page,
                ack,
                first: message.first.as_deref(),
                places: &deliver.places,
                matter: subject.as_ref().map(|subject| subject as &dyn deliver::Matter),
            };
            deliver::tell(channel, &shared.means, dispatch).await.unwrap_or(Ok(None))
        }
        .boxed()
    })
}
