//! Sign-ins that were begun and have not come back from the provider. Each is good once, for some minutes, and for the browser
//! that shows its cookie.

use super::provider::Begun;
use crate::{
    model::{Language, later},
    rights::Hash,
    web::secrets,
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long somebody may take at the provider.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(600);
/// Sign-ins that are held of one address, and of all. The oldest makes room, of the same address first: who begins many keeps
/// nobody else out.
const OF_ONE: usize = 20;
const OF_ALL: usize = 2000;

/// What is held of one.
pub(in crate::web) struct Held {
    /// What the provider's answer must fit.
    pub(super) begun: Begun,
    /// Where somebody wanted to go.
    pub(super) to: String,
    /// What they read.
    pub(super) language: Language,
    /// Where they began.
    pub(super) address: IpAddr,
}

/// All of them, by the hash of what the cookie shows.
#[derive(Default)]
pub(in crate::web) struct Pending(Mutex<BTreeMap<Hash, (Timestamp, Held)>>);

impl Pending {
    pub(super) fn put(&self, now: Timestamp, id: Hash, held: Held) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (until, _)| *until > now);
        let mut own: Vec<(Timestamp, Hash)> = all
            .iter()
            .filter(|(_, (_, other))| other.address == held.address)
            .map(|(id, (until, _))| (*until, id.clone()))
            .collect();
        own.sort();
        for (_, id) in own.iter().take((own.len() + 1).saturating_sub(OF_ONE)) {
            all.remove(id);
        }
        if all.len() >= OF_ALL {
            let oldest = all.iter().min_by_key(|(_, (until, _))| *until).map(|(id, _)| id.clone());
            oldest.map(|id| all.remove(&id));
        }
        all.insert(id, (later(now, GOOD_FOR), held));
    }

    /// The one of this cookie and of this state, which is held no more. Of another state it stays: a link of somebody else's
    /// must not end it.
    pub(super) fn take(&self, now: Timestamp, id: &Hash, state: &str) -> Option<Held> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, held) = all.get(id)?;
        if *until <= now || !secrets::same(held.begun.state(), state) {
            return None;
        }
        all.remove(id).map(|(_, held)| held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn held(address: u32, state: &str) -> Held {
        let address = IpAddr::from(address.to_be_bytes());
        Held { begun: Begun::of_state(state), to: "/".into(), language: Language::En, address }
    }

    fn id(number: usize) -> Hash {
        Hash(format!("{number:05}"))
    }

    #[test]
    fn it_is_good_once_for_its_state_and_its_time() {
        let pending = Pending::default();
        pending.put(at(0), id(1), held(1, "a"));
        assert!(pending.take(at(1), &id(1), "b").is_none() && pending.take(at(1), &id(2), "a").is_none());
        assert!(pending.take(at(1), &id(1), "a").is_some(), "a wrong one did not end it");
        assert!(pending.take(at(1), &id(1), "a").is_none(), "once");
        pending.put(at(0), id(3), held(1, "a"));
        assert!(pending.take(at(600), &id(3), "a").is_none(), "ten minutes");
    }

    #[test]
    fn whoever_begins_many_ends_their_own_and_nobody_elses() {
        let pending = Pending::default();
        pending.put(at(0), id(0), held(1, "a"));
        for number in 1..=3000 {
            pending.put(at(1), id(number), held(2, "a"));
        }
        assert!(pending.take(at(2), &id(0), "a").is_some());
        assert!(pending.take(at(2), &id(2980), "a").is_none() && pending.take(at(2), &id(3000), "a").is_some());
        for number in 0..5000 {
            pending.put(at(3), id(number), held(number as u32, "a"));
        }
        assert!(pending.0.lock().expect("no panic").len() <= OF_ALL);
    }
}
