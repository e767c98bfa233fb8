//! Keeps in touch with exchanges, so that a dead one is found before somebody must be called: registers with those that
//! want it, and asks the others whether they are there.

use super::{shared::Shared, supervise::Outcome};
use crate::{
    deliver::{self, Target, Trunk},
    model::{ChannelId, later},
    monitor::Event,
};
use futures_util::future::join_all;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often an exchange is asked.
const EVERY: Duration = Duration::from_secs(60);

/// Runs until `stop`.
pub(super) async fn run(mut shared: Shared, stop: CancellationToken) -> Outcome {
    loop {
        let config = shared.configs.borrow_and_update().clone();
        let asked = config.deliver.trunks.values().map(|trunk| ask(&shared, trunk));
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            alive = join_all(asked) => {
                shared.own.set_trunks(config.deliver.trunks.keys().map(String::as_str).zip(alive));
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            changed = shared.configs.changed() => if changed.is_err() { return Err("the event loop is gone".to_owned()) },
            () = shared.clock.sleep_until(later(shared.clock.now(), EVERY)) => {}
        }
    }
}

/// Whether it answers; what follows where it does not.
async fn ask(shared: &Shared, trunk: &Arc<Trunk>) -> bool {
    let alive = deliver::alive(trunk).await;
    let error = alive.err().map(crate::call::Outcome::text);
    if let Some(error) = error {
        tracing::warn!(trunk = trunk.id, "{error}");
    }
    note(shared, trunk, error);
    error.is_none()
}

/// Counts it for a channel that calls over it, which is reported like one that takes nothing.
fn note(shared: &Shared, trunk: &Arc<Trunk>, error: Option<&str>) {
    let config = shared.configs.borrow().clone();
    let over = |target: &Target| matches!(target, Target::Sip(phone) if Arc::ptr_eq(&phone.trunk, trunk));
    let channel: Option<&ChannelId> =
        config.deliver.channels.iter().find(|(_, channel)| over(&channel.target)).map(|(id, _)| id);
    let Some(channel) = channel else { return };
    if shared.failures.lock().unwrap_or_else(PoisonError::into_inner).note(channel, error.is_none(), None) {
        // The loop may be full or gone; what cannot be reported is in the log and in the metrics.
        let _ = shared
            .news
            .try_send(Event::ChannelFailing { channel: channel.clone(), error: error.unwrap_or_default().to_owned() });
    }
}
