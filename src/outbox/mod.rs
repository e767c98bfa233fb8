//! The outbox as decisions: what is told next, over which channel, what is told instead, when to try again, and when a
//! channel is itself reported.
//!
//! Pure: rows come from the journal as plain data, and what is decided goes back to it as [`Mark`](crate::model::Mark)s.
//! A row belongs to a *thread* (one recipient, one incident) and waits at a *place* (one channel). The rules:
//!
//! - A channel's rows go in the order in which they were queued, one at a time ([`ready`]). So do a thread's.
//! - Of what waits in a thread only the newest is told, at the place of whichever row's turn it is: it says all that the
//!   others would have ([`step()`]). What rang in one that was never heard rings in it too ([`kept_reason`]).
//! - A recipient's next channel takes over where one fails; when all did, it takes patience ([`settle`]). So it does for
//!   whoever waits behind a row that its channel refuses, and which has no other ([`aside`]).
//! - A channel that keeps failing is reported once ([`Failures`]).

mod budget;
mod delivery;
mod failures;
mod line;
mod retry;
mod step;

pub use budget::{Paid, is_pressing, paid};
pub use delivery::ask_after;
pub use failures::Failures;
pub use line::{InFlight, Ready, aside, ready, refused, wake};
pub use retry::{is_unreached, retry_after, settle};
pub use step::{Sending, Step, kept_reason, step};

#[cfg(test)]
mod case_tests;
#[cfg(test)]
mod world_tests;

use crate::model::{ChannelId, Recipient};

/// Tries over one channel before the recipient's next one is used.
const TRIES: u32 = 2;

/// The recipient's next channel that the configuration has, after the one of number `nth`, if there is another.
fn next_channel(recipient: &Recipient, nth: usize, known: impl Fn(&ChannelId) -> bool) -> Option<(ChannelId, usize)> {
    let channels = &recipient.channels;
    let others = (1..channels.len()).map(|step| (nth + step) % channels.len());
    let mut others = others.filter_map(|nth| Some((channels.get(nth)?.clone(), nth)));
    others.find(|(channel, _)| known(channel))
}
