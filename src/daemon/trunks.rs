//! Keeps in touch with exchanges, so that a dead one is found before somebody must be called: registers with those that
//! want it, and asks the others whether they are there.

use super::{shared::Shared, supervise::Outcome};
use crate::{
    deliver::{self, Target, Trunk},
    model::{ChannelId, later},
    monitor::Event,
    outbox::Failures,
};
use futures_util::future::join_all;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often an exchange is asked.
const EVERY: Duration = Duration::from_secs(60);

/// Runs until `stop`.
pub(super) async fn run(mut shared: Shared, stop: CancellationToken) -> Outcome {
    // Apart from those of calls: an exchange that answers may still refuse each of them.
    let mut failures = Failures::default();
    loop {
        let config = shared.configs.borrow_and_update().clone();
        let asked = join_all(config.deliver.trunks.values().map(|trunk| deliver::alive(trunk)));
        let answers = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            answers = asked => answers,
        };
        for (trunk, answer) in config.deliver.trunks.values().zip(&answers) {
            note(&shared, &mut failures, trunk, answer.as_ref().err().map(|why| why.text()));
        }
        let up = answers.iter().map(Result::is_ok);
        shared.own.set_trunks(config.deliver.trunks.keys().map(String::as_str).zip(up));
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            changed = shared.configs.changed() => if changed.is_err() { return Err("the event loop is gone".to_owned()) },
            () = shared.clock.sleep_until(later(shared.clock.now(), EVERY)) => {}
        }
    }
}

/// What follows from an answer, or from none: a channel that calls over it is reported like one that takes nothing.
fn note(shared: &Shared, failures: &mut Failures, trunk: &Arc<Trunk>, error: Option<&'static str>) {
    if let Some(error) = error {
        tracing::warn!(trunk = trunk.id, "{error}");
    }
    let config = shared.configs.borrow().clone();
    let over = |target: &Target| matches!(target, Target::Sip(phone) if Arc::ptr_eq(&phone.trunk, trunk));
    let channel: Option<&ChannelId> =
        config.deliver.channels.iter().find(|(_, channel)| over(&channel.target)).map(|(id, _)| id);
    let Some(channel) = channel else { return };
    if failures.note(channel, error.is_none(), None) {
        let (channel, error) = (channel.clone(), error.unwrap_or_default().to_owned());
        // The loop may be full or gone; what cannot be reported is in the log and in the metrics.
        let _ = shared.news.try_send(Event::ChannelFailing { channel, error });
    }
}
