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

/// How long to wait before the next try, after `attempts` that failed before this one: doubling, or what the receiver
/// asked for, whichever is longer, but never so long that a message is as good as lost.
pub fn retry_after(attempts: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << attempts.min(10));
    doubled.min(LAST_RETRY).max(asked.unwrap_or_default().min(LONGEST))
}
