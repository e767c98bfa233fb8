//! What becomes of a thread whose turn it is: its newest row is sent, and what that makes stale is not.

use super::{Ready, next_channel};
use crate::model::{ChannelId, Mark, Newest, Notice, Place, Reason, Recipient, Thread};
use jiff::Timestamp;

/// One message that is to be handed to a channel now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The row.
    pub id: i64,
    /// What it belongs to.
    pub thread: Thread,
    /// Over which channel.
    pub place: Place,
    /// Who it is for.
    pub recipient: Recipient,
    /// What the channel called the first message of this thread.
    pub first: Option<String>,
    /// What to tell, with the reason that it is told for.
    pub notice: Notice,
}

/// What is to be noted, and then sent. With nothing to send the row waits for another turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// To be noted together, before anything is sent.
    pub marks: Vec<Mark>,
    /// To be sent.
    pub send: Option<Sending>,
}

/// What becomes of a thread whose turn it is; `known` says which channels the configuration has.
///
/// The newest row is told at its own place, if its turn has come there. Otherwise it takes the place, and the tries, of
/// the oldest row whose turn has come at a channel of the same recipient.
pub fn step(now: Timestamp, ready: &Ready, newest: Newest, known: impl Fn(&ChannelId) -> bool) -> Step {
    let mut marks = Vec::new();
    if newest.has_older {
        marks.push(Mark::Superseded { thread: ready.thread.clone(), before: newest.id });
    }
    let own = ready.rows.iter().any(|(id, _)| *id == newest.id).then(|| newest.place.clone());
    let inherited = || ready.rows.iter().find_map(|(_, place)| at(place, &newest.recipient));
    // A reload may have given them other channels: then it waits for its turn at its own.
    let Some(place) = own.or_else(inherited) else { return Step { marks, send: None } };
    if !known(&place.channel) {
        marks.push(match next_channel(&newest.recipient, place.nth, known) {
            Some((channel, nth)) => Mark::Waits {
                id: newest.id,
                place: Place { channel, nth, attempts: place.attempts },
                due: now,
                error: Some(format!("the channel {} is gone", place.channel)),
            },
            None => Mark::Abandoned { id: newest.id, error: None },
        });
        return Step { marks, send: None };
    }
    if place != newest.place {
        marks.push(Mark::Waits { id: newest.id, place: place.clone(), due: now, error: None });
    }
    let send = Sending {
        id: newest.id,
        thread: ready.thread.clone(),
        first: newest.first.get(&place.channel).cloned(),
        place,
        recipient: newest.recipient,
        notice: ringing(newest.notice, &newest.unheard),
    };
    Step { marks, send: Some(send) }
}

/// The place of another row of the same thread, as a place of this recipient.
fn at(place: &Place, recipient: &Recipient) -> Option<Place> {
    let nth = recipient.channels.iter().position(|channel| *channel == place.channel)?;
    Some(Place { nth, ..place.clone() })
}

/// A notice for somebody who was to be told for these reasons before, and was not.
fn ringing(notice: Notice, unheard: &[Reason]) -> Notice {
    match notice.incident().map(|incident| kept_reason(incident.reason, unheard)) {
        Some(reason) => notice.because(reason),
        None => notice,
    }
}

/// Why a notice is told to somebody who was to be told for these reasons before, oldest first, and was not: mere news
/// must not take the ring out of an alarm that it superseded. Once somebody has taken the incident on, or it ended,
/// nobody is to be rung for what was before.
pub fn kept_reason(reason: Reason, unheard: &[Reason]) -> Reason {
    if !matches!(reason, Reason::RootFound | Reason::Merged) {
        return reason;
    }
    let rings = unheard.iter().fold(None, |rings, before| match before {
        Reason::Acknowledged => None,
        before if before.clears() => None,
        before => rings.or(before.pages().then_some(*before)),
    });
    rings.unwrap_or(reason)
}
