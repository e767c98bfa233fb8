//! Whose turn it is: each channel and each thread takes one message at a time, and who waits behind a row that its
//! channel refuses goes another way.

use super::{TRIES, next_channel};
use crate::model::{Behind, ChannelId, Head, Mark, Place, Thread, later};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// No retry waits longer. What is due later still was put there before the clock was set back, and is due now.
const LONGEST_WAIT: Duration = Duration::from_secs(65 * 60);

/// What is being sent: the thread that each busy channel carries a message of.
pub type InFlight = BTreeMap<ChannelId, Thread>;

/// A thread whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Which.
    pub thread: Thread,
    /// Its rows whose turn it is at their channels, the oldest first.
    pub rows: Vec<(i64, Place)>,
}

/// The threads whose turn it is, given the heads of all channels.
pub fn ready(now: Timestamp, heads: &[Head], in_flight: &InFlight) -> Vec<Ready> {
    let mut threads: BTreeMap<&Thread, Vec<&Head>> = BTreeMap::new();
    for head in free(heads, in_flight).filter(|head| due(now, head) <= now) {
        threads.entry(&head.thread).or_default().push(head);
    }
    let mut ready: Vec<Ready> = (threads.into_iter())
        .map(|(thread, mut heads)| {
            heads.sort_by_key(|head| head.id);
            let rows = heads.into_iter().map(|head| (head.id, head.place.clone())).collect();
            Ready { thread: thread.clone(), rows }
        })
        .collect();
    ready.sort_by_key(|ready| ready.rows.first().map(|(id, _)| *id));
    ready
}

/// When it will be somebody's turn, if nothing else happens; what is in flight ends by itself.
pub fn wake(now: Timestamp, heads: &[Head], in_flight: &InFlight) -> Option<Timestamp> {
    free(heads, in_flight).map(|head| due(now, head)).min()
}

/// The heads that their channels refuse: whoever waits behind one might wait for ever.
pub fn refused<'h>(now: Timestamp, heads: &'h [Head], in_flight: &InFlight) -> impl Iterator<Item = &'h Head> {
    free(heads, in_flight).filter(move |head| is_refused(now, head))
}

/// Whose turn never comes, since the row before it is refused again and again, moves on to the recipient's next channel
/// that works, as far as is known.
pub fn aside(
    now: Timestamp,
    behind: &[Behind],
    heads: &[Head],
    in_flight: &InFlight,
    known: impl Fn(&ChannelId) -> bool,
) -> Vec<Mark> {
    let works = |channel: &ChannelId| {
        known(channel) && heads.iter().all(|head| head.place.channel != *channel || !is_refused(now, head))
    };
    let mut moved = BTreeSet::new();
    let mut marks = Vec::new();
    for Behind { row, recipient } in behind {
        let free = in_flight.values().all(|thread| *thread != row.thread);
        if !free || due(now, row) > now || moved.contains(&row.thread) {
            continue;
        }
        if let Some((channel, nth)) = next_channel(recipient, row.place.nth, works) {
            moved.insert(row.thread.clone());
            let place = Place { channel, nth, attempts: row.place.attempts };
            let error = Some(format!("{} refuses what waits before it", row.place.channel));
            marks.push(Mark::Waits { id: row.id, place, due: now, error });
        }
    }
    marks
}

fn is_refused(now: Timestamp, head: &Head) -> bool {
    head.place.attempts >= TRIES && due(now, head) > now
}

/// The heads that nothing keeps back but time: neither their channel nor their thread is being served.
fn free<'h>(heads: &'h [Head], in_flight: &InFlight) -> impl Iterator<Item = &'h Head> {
    heads.iter().filter(move |head| {
        !in_flight.contains_key(&head.place.channel) && in_flight.values().all(|thread| *thread != head.thread)
    })
}

/// When a row may be tried: what was never tried at once, whatever the clock says.
fn due(now: Timestamp, head: &Head) -> Timestamp {
    if head.place.attempts == 0 || head.due > later(now, LONGEST_WAIT) { now } else { head.due }
}
