//! When each of many things is to be looked at again: the first is found at once, and moving one moves no other.

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Times by key, and keys by time.
#[derive(Debug)]
pub(super) struct Deadlines<K> {
    at: BTreeMap<K, Timestamp>,
    order: BTreeSet<(Timestamp, K)>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Deadlines<K> {
    /// When `key` is due from now on; never with `None`.
    pub(super) fn set(&mut self, key: &K, at: Option<Timestamp>) {
        if self.at.get(key).copied() == at {
            return;
        }
        let before = match at {
            Some(at) => {
                self.order.insert((at, key.clone()));
                self.at.insert(key.clone(), at)
            }
            None => self.at.remove(key),
        };
        if let Some(before) = before {
            self.order.remove(&(before, key.clone()));
        }
    }

    /// `key` is due by then, if not before.
    pub(super) fn by(&mut self, key: &K, at: Option<Timestamp>) {
        if at.is_some_and(|at| self.at.get(key).is_none_or(|before| at < *before)) {
            self.set(key, at);
        }
    }

    /// When the first of them is due.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Those that are due by `now`. They stay due until they are set anew.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = &K> {
        self.order.iter().take_while(move |(at, _)| *at <= now).map(|(_, key)| key)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.at.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_and_the_due_are_what_a_search_finds(
            changes in proptest::collection::vec((0u8..8, proptest::option::of(0i64..20)), 0..60),
            now in 0i64..20,
        ) {
            let at = |second| Timestamp::from_second(second).expect("a small time");
            let mut deadlines = Deadlines::default();
            let mut known: BTreeMap<u8, i64> = BTreeMap::new();
            for (key, second) in changes {
                deadlines.set(&key, second.map(at));
                match second {
                    Some(second) => known.insert(key, second),
                    None => known.remove(&key),
                };
                prop_assert_eq!(deadlines.first(), known.values().min().map(|second| at(*second)));
            }
            let mut due: Vec<u8> = deadlines.due(at(now)).copied().collect();
            due.sort_unstable();
            let found: Vec<u8> = known.iter().filter(|(_, second)| **second <= now).map(|(key, _)| *key).collect();
            prop_assert_eq!(due, found);
        }
    }
}
