//! What pages show of the time before now: strips that were read from the journal, kept for all who ask.
//!
//! Pages are made from a snapshot without waiting. So whoever asks for the page of a camera, a site or a link has its past
//! read first, which takes milliseconds and is then good for a while; that of all sites together takes longer with a large
//! fleet and is made again and again before anybody asks.

mod draw;
mod plot;
mod section;
mod sources;
#[cfg(test)]
pub(super) mod tests;

pub use plot::Measured;
pub(super) use plot::{Plot, plots};
pub(super) use section::{Called, Section, of_all, of_one};
pub use sources::Sources;

use crate::{
    model::{AreaId, SiteId, Snapshot},
    uptime::{Account, Of, Piece, Range, Strip, Together},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep, timeout},
};

/// Strips that are kept; whoever asks for more of them waits for the journal once more.
const KEPT: usize = 200;
/// How many are read at once, and how long one may wait for that: a page without its past is better than none.
const PLACES: usize = 2;
const PATIENCE: Duration = Duration::from_secs(2);
/// How old a strip may be that is shown, by how long its pieces are.
const DAY_OLD: Duration = Duration::from_secs(10);
const LONG_OLD: Duration = Duration::from_secs(300);
/// How often those of all sites are made, the last day's and the longer ones. The time that it took is waited for as well,
/// many times over, so that the largest fleet and the slowest disk give a small part of themselves.
const ALL_DAY: Duration = Duration::from_secs(15);
const ALL_LONG: Duration = Duration::from_secs(300);
const SHARE: u32 = 200;

/// What is known of the past.
pub(super) struct Past {
    sources: Sources,
    places: Semaphore,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    one: HashMap<(Of, Range), (Arc<Looked>, Instant)>,
    /// One of each range.
    all: [Option<Arc<Together>>; Range::ALL.len()],
}

/// What was read of one thing.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) strip: Strip,
    /// Of a camera, what looks measured.
    pub(super) measured: Measured,
}

impl Past {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, places: Semaphore::new(PLACES), kept: Mutex::default() }
    }

    /// Has at hand what a page shows of the past, if it can be read in time.
    pub(super) async fn ready(&self, wanted: Option<(Of, Range)>) {
        let Some((of, range)) = wanted else { return };
        let oldest = if range == Range::Day { DAY_OLD } else { LONG_OLD };
        let key = (of, range);
        if self.kept().one.get(&key).is_some_and(|(_, at)| at.elapsed() < oldest) {
            return;
        }
        let read = async {
            let _place = self.places.acquire().await.ok()?;
            let strip = (self.sources.one)(key.0.clone(), range).await;
            let strip = strip.map_err(|error| tracing::debug!(error, "the past cannot be read")).ok()??;
            let measured = match &key.0 {
                Of::Camera(camera) => (self.sources.figures)(camera.clone(), range).await,
                Of::Site(_) | Of::Link(_) => Ok(Measured::default()),
            };
            let measured = measured.map_err(|error| tracing::debug!(error, "figures cannot be read"));
            Some(Looked { strip, measured: measured.unwrap_or_default() })
        };
        let Ok(Some(looked)) = timeout(PATIENCE, read).await else { return };
        let mut kept = self.kept();
        if kept.one.len() >= KEPT
            && let Some(oldest) = kept.one.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone())
        {
            kept.one.remove(&oldest);
        }
        kept.one.insert(key, (Arc::new(looked), Instant::now()));
    }

    /// What was read of something.
    pub(super) fn one(&self, of: &Of, range: Range) -> Option<Arc<Looked>> {
        self.kept().one.get(&(of.clone(), range)).map(|(looked, _)| looked.clone())
    }

    /// All sites together.
    pub(super) fn all(&self, range: Range) -> Option<Arc<Together>> {
        self.kept().all[range as usize].clone()
    }

    /// Has that of all sites at hand. Runs for ever.
    pub(super) async fn keep_at_hand(&self, mut snapshots: watch::Receiver<Arc<Snapshot>>) {
        let mut long = Instant::now();
        loop {
            let began = Instant::now();
            let ranges = if long <= began { &Range::ALL[..] } else { &Range::ALL[..1] };
            for range in ranges {
                match (self.sources.all)(*range).await {
                    Ok(together) => self.kept().all[*range as usize] = Some(Arc::new(together)),
                    Err(error) => tracing::debug!(error, "the past of all sites cannot be read"),
                }
            }
            let rest = began.elapsed() * SHARE;
            if ranges.len() > 1 {
                long = Instant::now() + ALL_LONG.max(rest);
            }
            let fleet = snapshots.borrow_and_update().fleet.clone();
            // Who adds a site sees it at once.
            let other = snapshots.wait_for(|now| !Arc::ptr_eq(&now.fleet, &fleet));
            if timeout(ALL_DAY.max(rest), other).await.is_ok_and(|ended| ended.is_err()) {
                // Nothing is shown any more; whoever holds this ends it.
                sleep(ALL_DAY).await;
            }
        }
    }

    /// One of a fleet of which nothing is remembered.
    #[cfg(test)]
    pub(super) fn unknown() -> Self {
        Self::new(tests::unreadable())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A site's last day, as tiles show it: by the hour, and where there are many of them, by two.
pub(super) fn day_of(all: Option<&Together>, site: &SiteId, many: bool) -> String {
    let together = if many { 4 } else { 2 };
    all.and_then(|all| all.sites.get(site)).map_or_else(String::new, |pieces| draw::mini(pieces, together))
}

/// An area's last day, by the hour, or where there are many areas by four.
pub(super) fn day_of_area(all: Option<&Together>, area: &AreaId, many: bool) -> String {
    let Some(strip) = all.and_then(|all| all.areas.get(area)) else { return String::new() };
    let pieces: Vec<Account> = strip.pieces.iter().map(Piece::of_many).collect();
    draw::mini(&pieces, if many { 8 } else { 2 })
}

/// How a piece is coloured where there is room for one colour: as well, impaired, lost or not known.
fn shade(account: Account) -> &'static str {
    match account {
        Account::Up => "good",
        Account::Degraded => "fair",
        Account::Down | Account::Unreachable | Account::External => "bad",
        Account::Login | Account::Unseen | Account::Maintenance | Account::Off | Account::MonitorDown => "none",
    }
}
