//! Carries notices from the outbox to their channels: each channel in order, one at a time, until it takes them.

use super::event_loop::DeliverSettings;
use crate::{
    clock::Clock,
    deliver,
    journal::{Delivery, Error, Journal},
    metrics::Own,
    model::{ChannelId, later},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Wait before the journal is asked again after it could not be read.
const RETRY: Duration = Duration::from_secs(1);

/// Runs until `stop`. What is not sent then stays in the outbox for the next run.
pub(super) async fn run(
    http: reqwest::Client,
    journal: Journal,
    clock: Clock,
    own: Arc<Own>,
    settings: watch::Receiver<DeliverSettings>,
    wake: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut sending: JoinSet<ChannelId> = JoinSet::new();
    let mut busy: HashSet<ChannelId> = HashSet::new();
    loop {
        let now = clock.now();
        let wake_at = match next(&journal, now, &own).await {
            Ok((due, next)) => {
                for delivery in due.into_iter().filter(|delivery| busy.insert(delivery.channel.clone())) {
                    let (http, journal, clock, own) = (http.clone(), journal.clone(), clock.clone(), own.clone());
                    let settings = settings.borrow().clone();
                    sending.spawn(async move {
                        let channel = delivery.channel.clone();
                        if let Err(error) = deliver_one(&http, &journal, &clock, &own, &settings, delivery).await {
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
        // A busy channel's next notice is overdue all the while; others must not wait for it.
        let wake_at = match wake_at {
            Some(at) if at <= now => later(now, RETRY),
            Some(at) => at,
            None => jiff::Timestamp::MAX,
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(done) = sending.join_next() => match done {
                Ok(channel) => drop(busy.remove(&channel)),
                // Which channel panicked is not known; asking the journal again is harmless for the others.
                Err(_) => busy.clear(),
            },
            () = wake.notified() => {}
            () = clock.sleep_until(wake_at) => {}
        }
    }
}

async fn next(
    journal: &Journal,
    now: jiff::Timestamp,
    own: &Own,
) -> Result<(Vec<Delivery>, Option<jiff::Timestamp>), Error> {
    let due = journal.due(now).await?;
    let (next, waiting) = journal.waiting().await?;
    own.set_notices_pending(waiting);
    Ok((due, next))
}

async fn deliver_one(
    http: &reqwest::Client,
    journal: &Journal,
    clock: &Clock,
    own: &Own,
    settings: &DeliverSettings,
    delivery: Delivery,
) -> Result<(), Error> {
    let (settings, commune) = &**settings;
    let id = delivery.channel;
    let Some(channel) = settings.channels.get(&id) else {
        tracing::warn!(channel = %id, incident = %delivery.notice.incident, "the channel is gone; its notice is not sent");
        return journal.abandoned(delivery.id, clock.now()).await;
    };
    let outcome = deliver::send(http, channel, &delivery.notice, settings, commune).await;
    own.notice(&id, outcome.is_ok());
    match outcome {
        Ok(()) => {
            tracing::info!(channel = %id, incident = %delivery.notice.incident, "told");
            journal.sent(delivery.id, clock.now()).await
        }
        Err(refusal) => {
            let wait = deliver::retry_after(delivery.attempts, &refusal);
            tracing::warn!(channel = %id, incident = %delivery.notice.incident, %refusal, ?wait, "not told yet");
            journal.postponed(delivery.id, later(clock.now(), wait), refusal.reason).await
        }
    }
}
