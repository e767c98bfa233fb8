//! Asks gateways what became of SMS that they accepted: accepted is not arrived. What they say is in the log and in the incident's
//! timeline; a start anew asks no more of what was sent before it.

use super::shared::Shared;
use crate::{
    deliver,
    model::{ChannelId, Delivery, Detail, Feedback, Happening, SmsReceipt},
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
    /// What the channel called it.
    receipt: String,
    incident: Option<u32>,
}

impl Followed {
    /// Of a message and the receipt that its channel gave; nothing of channels that do not tell.
    pub(super) fn of(message: &Sending, receipt: Option<&str>) -> Option<Self> {
        let (receipt, text) = (receipt?.parse::<SmsReceipt>().ok()?, receipt?.to_owned());
        let incident = message.notice.incident().map(|incident| incident.number);
        Some(Self { channel: message.place.channel.clone(), id: receipt.id?, receipt: text, incident })
    }
}

/// Asks until it is known, or for as long as that is of use.
pub(super) async fn follow(shared: Shared, followed: Followed) {
    let Followed { channel, id, receipt, incident } = followed;
    let mut asked = 0;
    while let Some(wait) = outbox::ask_after(asked) {
        tokio::time::sleep(wait).await;
        asked += 1;
        let config = shared.configs.borrow().clone();
        let Some(known) = config.deliver.channels.get(&channel) else { return };
        match deliver::delivery(known, &shared.means.http, &id).await {
            None => return,
            Some(Ok(Delivery::Pending)) => {}
            Some(Ok(Delivery::Delivered)) => {
                tracing::info!(%channel, incident, "an SMS arrived");
                return note(&shared, channel, receipt, Happening::Delivered).await;
            }
            Some(Ok(Delivery::Failed)) => {
                tracing::warn!(%channel, incident, "an SMS did not arrive");
                return note(&shared, channel, receipt, Happening::Failed).await;
            }
            Some(Err(refusal)) => {
                tracing::debug!(%channel, incident, %refusal, "what became of an SMS is not told")
            }
        }
    }
    tracing::info!(%channel, incident, "what became of an SMS is not known");
}

/// Puts it into the timeline of the message's incident, if it is of one.
async fn note(shared: &Shared, channel: ChannelId, receipt: String, what: Happening) {
    let feedback = Feedback { channel, receipt, what, at: shared.clock.now(), detail: Detail::default() };
    if let Err(error) = shared.journal.feedback(feedback).await {
        tracing::error!(%error, "what became of an SMS cannot be remembered");
    }
}
