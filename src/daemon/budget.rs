//! What SMS cost: before one is sent, the day's account is looked at, which stands in the rows of what was sent before.
//!
//! The last tenth is for alarms of blind sites (`outbox::paid`). Such an alarm also overtakes what waits for tomorrow.

use super::relay::Relay;
use crate::{
    deliver::{self, Channel},
    journal::Error,
    model::{ChannelId, Head, Note, Refusal, SmsReceipt, elapsed},
    monitor::Event,
    outbox::{self, Paid, Sending},
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

impl Relay {
    /// Whether a message is paid; why not, where it is not.
    pub(super) async fn pay(&self, message: &Sending) -> Result<(), Refusal> {
        let config = self.shared.configs.borrow().clone();
        let id = &message.place.channel;
        let Some((channel, per_day)) = config.deliver.channels.get(id).and_then(priced) else { return Ok(()) };
        let zone = &config.fleet.commune.timezone;
        let parts = deliver::parts(channel, &message.notice, zone, &config.deliver.places);
        let now = self.shared.clock.now();
        let (midnight, tomorrow) = day(now, zone);
        let spent = match self.shared.journal.parts_since(id.clone(), midnight).await {
            Ok(spent) => spent,
            Err(error) => {
                // Somebody may have to be woken: what it costs is the lesser evil.
                tracing::warn!(channel = %id, %error, "what its SMS cost today is not known: this one goes");
                return Ok(());
            }
        };
        match outbox::paid(per_day, spent, parts, outbox::is_pressing(&message.notice)) {
            Paid::Yes { nearly } => {
                if nearly {
                    let date = now.to_zoned_datetime(zone.clone()).date();
                    let note = Note::Spending { channel: id.clone(), parts: spent.saturating_add(parts), per_day };
                    // What is full or gone is in the log and in the metrics, and the next message says it again.
                    let _ = self.shared.news.try_send(Event::Note { id: format!("sms-{id}-{date}"), note, to: None });
                }
                Ok(())
            }
            Paid::No => {
                let reason = format!("today's SMS are used up ({spent} of {per_day} parts)");
                Err(Refusal { wait: Some(elapsed(tomorrow, now)), ..Refusal::passing(reason) })
            }
        }
    }

    /// Counts what a channel took, if it sends SMS.
    pub(super) fn count(&self, channel: &ChannelId, receipt: Option<&str>) {
        let config = self.shared.configs.borrow().clone();
        let receipt = receipt.and_then(|receipt| receipt.parse::<SmsReceipt>().ok());
        let priced = config.deliver.channels.get(channel).and_then(priced);
        if let (Some(receipt), Some((_, per_day))) = (receipt, priced) {
            self.shared.own.sms(channel, receipt.parts, per_day);
        }
    }

    /// The heads, with the first alarm of a blind site in the place of what waits for the next day's SMS before it.
    pub(super) async fn pressing_first(&self, heads: Vec<Head>, now: Timestamp) -> Result<Vec<Head>, Error> {
        let config = self.shared.configs.borrow().clone();
        let (midnight, _) = day(now, &config.fleet.commune.timezone);
        let mut first = Vec::with_capacity(heads.len());
        for head in heads {
            let id = head.place.channel.clone();
            let waits = head.place.attempts > 0 && head.due > now;
            let priced = config.deliver.channels.get(&id).and_then(priced).filter(|_| waits);
            let used_up = match priced {
                Some((_, per_day)) => {
                    let spent = self.shared.journal.parts_since(id, midnight).await?;
                    outbox::paid(per_day, spent, 1, false) == Paid::No
                }
                None => false,
            };
            let alarm = match used_up {
                true => self.shared.journal.first_behind(head.clone(), outbox::is_pressing).await?,
                false => None,
            };
            first.push(alarm.unwrap_or(head));
        }
        Ok(first)
    }
}

/// A channel of which each message costs something, and for how many parts it may in a day.
fn priced(channel: &Channel) -> Option<(&Channel, u32)> {
    Some((channel, channel.per_day?))
}

/// The beginning of the local day, and of the next.
fn day(now: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let today = now.to_zoned_datetime(zone.clone()).date();
    let begins = |date: jiff::civil::Date| {
        date.to_datetime(jiff::civil::Time::midnight()).to_zoned_datetime(zone.clone()).map(|zoned| zoned.timestamp())
    };
    let next = today.checked_add(1.day()).and_then(begins);
    (begins(today).unwrap_or(now), next.unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight() {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let (begins, ends) = day("2026-11-24T18:45:00Z".parse().expect("a time"), &zone);
        assert_eq!(
            (begins.to_string().as_str(), ends.to_string().as_str()),
            ("2026-11-24T17:00:00Z", "2026-11-25T17:00:00Z")
        );
    }
}
