//! Asks gateways what became of SMS that they accepted: accepted is not arrived. What they say is in the log; a start anew asks
//! no more of what was sent before it.

use super::shared::Shared;
use crate::{
    deliver,
    model::{ChannelId, Delivery, SmsReceipt},
    outbox::{self, Sending},
};

/// Messages that are followed at once; of more it is not asked.
pub(super) const FOLLOWED: usize = 64;

/// A message that a gateway accepted.
#[derive(Debug)]
pub(super) struct Followed {
    channel: ChannelId,
    /// The gateway's name for it.
    id: String,
    incident: Option<u32>,
}

impl Followed {
    /// Of a message and the receipt that its channel gave; nothing of channels that do not tell.
    pub(super) fn of(message: &Sending, receipt: Option<&str>) -> Option<Self> {
        let receipt: SmsReceipt = receipt?.parse().ok()?;
        let incident = message.notice.incident().map(|incident| incident.number);
        Some(Self { channel: message.place.channel.clone(), id: receipt.id?, incident })
    }
}

/// Asks until it is known, or for as long as that is of use.
pub(super) async fn follow(shared: Shared, followed: Followed) {
    let Followed { channel, id, incident } = followed;
    let mut asked = 0;
    while let Some(wait) = outbox::ask_after(asked) {
        tokio::time::sleep(wait).await;
        asked += 1;
        let config = shared.configs.borrow().clone();
        let Some(known) = config.deliver.channels.get(&channel) else { return };
        match deliver::delivery(known, &shared.means.http, &id).await {
            None => return,
            Some(Ok(Delivery::Pending)) => {}
            Some(Ok(delivery @ Delivery::Delivered)) => {
                return tracing::info!(%channel, incident, delivery = delivery.as_str(), "an SMS arrived");
            }
            Some(Ok(delivery @ Delivery::Failed)) => {
                return tracing::warn!(%channel, incident, delivery = delivery.as_str(), "an SMS did not arrive");
            }
            Some(Err(refusal)) => {
                tracing::debug!(%channel, incident, %refusal, "what became of an SMS is not told")
            }
        }
    }
    tracing::info!(%channel, incident, "what became of an SMS is not known");
}
