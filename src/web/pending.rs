//! What was begun in a browser and waits for its end: sign-ins that are at a provider, and passkeys that are asked for. Each is good
//! once and for some minutes, and lies in memory alone: whoever starts the daemon anew in between begins anew.

use crate::{model::later, rights::Hash};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long somebody may take.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(600);
/// How many are held of one address, and of all. The oldest makes room, of the same address first: who begins many keeps
/// nobody else out.
const OF_ONE: usize = 20;
const OF_ALL: usize = 2000;

struct Begun<T> {
    until: Timestamp,
    address: IpAddr,
    held: T,
}

/// All of them, by the hash of what the browser shows.
pub(super) struct Pending<T>(Mutex<BTreeMap<Hash, Begun<T>>>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pending<T> {
    pub(super) fn put(&self, now: Timestamp, id: Hash, address: IpAddr, held: T) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, begun| begun.until > now);
        let own = all.iter().filter(|(_, begun)| begun.address == address);
        let mut own: Vec<(Timestamp, Hash)> = own.map(|(id, begun)| (begun.until, id.clone())).collect();
        own.sort();
        for (_, id) in own.iter().take((own.len() + 1).saturating_sub(OF_ONE)) {
            all.remove(id);
        }
        if all.len() >= OF_ALL {
            let oldest = all.iter().min_by_key(|(_, begun)| begun.until).map(|(id, _)| id.clone());
            oldest.map(|id| all.remove(&id));
        }
        all.insert(id, Begun { until: later(now, GOOD_FOR), address, held });
    }

    /// The one that is shown, which is held no more. One that does not fit stays: a link of somebody else's must not end it.
    pub(super) fn take(&self, now: Timestamp, id: &Hash, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = all.get(id)?;
        if begun.until <= now || !fits(&begun.held) {
            return None;
        }
        all.remove(id).map(|begun| begun.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    fn id(number: usize) -> Hash {
        Hash(format!("{number:05}"))
    }

    #[test]
    fn it_is_good_once_for_what_fits_and_for_its_time() {
        let pending = Pending::default();
        pending.put(at(0), id(1), address(1), "a");
        assert!(pending.take(at(1), &id(1), |held| *held == "b").is_none());
        assert!(pending.take(at(1), &id(2), |_| true).is_none());
        assert!(pending.take(at(1), &id(1), |held| *held == "a").is_some(), "a wrong one did not end it");
        assert!(pending.take(at(1), &id(1), |_| true).is_none(), "once");
        pending.put(at(0), id(3), address(1), "a");
        assert!(pending.take(at(600), &id(3), |_| true).is_none(), "ten minutes");
    }

    #[test]
    fn whoever_begins_many_ends_their_own_and_nobody_elses() {
        let pending = Pending::default();
        pending.put(at(0), id(0), address(1), ());
        for number in 1..=3000 {
            pending.put(at(1), id(number), address(2), ());
        }
        assert!(pending.take(at(2), &id(0), |()| true).is_some());
        let still = |number| pending.take(at(2), &id(number), |()| true).is_some();
        assert!(!still(2980) && still(3000));
        for number in 0..5000 {
            pending.put(at(3), id(number), address(number as u32), ());
        }
        assert!(pending.0.lock().expect("no panic").len() <= OF_ALL);
    }
}
