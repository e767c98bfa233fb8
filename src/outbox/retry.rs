//! What became of a message, and what follows: it was told, or it is tried again, then and over which channel.

use super::{Sending, TRIES, next_channel};
use crate::model::{ChannelId, Mark, Place, Refusal, later};
use jiff::Timestamp;
use std::time::Duration;

/// A receiver that wants to be left alone for longer has its messages sent another way, where there is one.
const PATIENCE: Duration = Duration::from_secs(30);
/// Waits between tries grow from the first to the last of these.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_secs(5 * 60);
/// However long a receiver asks us to wait: beyond this a message is as good as lost.
const LONGEST: Duration = Duration::from_secs(3600);

/// What is to be noted after a channel took a message (with what it calls it), or refused it.
pub fn settle(
    now: Timestamp,
    sent: &Sending,
    outcome: Result<Option<String>, Refusal>,
    known: impl Fn(&ChannelId) -> bool,
) -> Mark {
    let refusal = match outcome {
        Ok(receipt) => return Mark::Sent { id: sent.id, receipt },
        Err(refusal) => refusal,
    };
    let before = &sent.place;
    if is_given_up(sent, &refusal) {
        return Mark::Abandoned { id: sent.id, error: Some(refusal.reason) };
    }
    let attempts = before.attempts.saturating_add(1);
    let used_up = attempts.is_multiple_of(TRIES) || refusal.wait.is_some_and(|wait| wait > PATIENCE);
    let next = next_channel(&sent.recipient, before.nth, known).filter(|_| refusal.permanent || used_up);
    let (place, wait) = match next {
        None => (Place { attempts, ..before.clone() }, retry_after(before.attempts, refusal.wait)),
        Some((channel, nth)) => {
            let attempts = attempts.checked_next_multiple_of(TRIES).unwrap_or(attempts);
            // Once around, all of them failed: then it takes patience.
            let wait = if nth > before.nth { Duration::ZERO } else { retry_after(before.attempts / TRIES, None) };
            (Place { channel, nth, attempts }, wait)
        }
    };
    Mark::Waits { id: sent.id, place, due: later(now, wait), error: Some(refusal.reason) }
}

/// Whether nobody answers any of a recipient's telephones, each of which was tried as often as may be: others are called
/// instead, by the escalation.
fn is_given_up(sent: &Sending, refusal: &Refusal) -> bool {
    let telephones = u32::try_from(sent.recipient.channels.len()).unwrap_or(u32::MAX);
    sent.recipient.rings
        && refusal.unreached
        && sent.place.attempts.saturating_add(1) >= TRIES.saturating_mul(telephones)
}

/// Whether a recipient's last telephone has failed: whoever comes next in the escalation is to be called at once, while
/// theirs is tried again.
pub fn is_unreached(sent: &Sending, failed: bool, known: impl Fn(&ChannelId) -> bool) -> bool {
    let mut further = sent.recipient.channels.iter().skip(sent.place.nth + 1);
    failed && sent.recipient.rings && !further.any(known)
}

/// How long to wait before the next try, after `attempts` that failed before this one: doubling, or what the receiver
/// asked for, whichever is longer, but never so long that a message is as good as lost.
pub fn retry_after(attempts: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << attempts.min(10));
    doubled.min(LAST_RETRY).max(asked.unwrap_or_default().min(LONGEST))
}
