//! Spells: times in which a thing stands as it stands. They follow each other without a gap and add up to the period.

use super::account::Account;
use crate::model::FailureKind;

/// A time in which nothing changes, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell<S = Stands> {
    /// First second, as Unix time.
    pub from: i64,
    /// First second after it.
    pub until: i64,
    /// How it stands.
    pub stands: S,
}

/// What a second counts as, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stands {
    /// As what it counts.
    pub account: Account,
    /// Why, where a camera says so; of a site, what most of those say that do not see.
    pub cause: Option<FailureKind>,
    /// Of a site that is down: whether no view at all is seen.
    pub blind: bool,
}

impl Stands {
    /// What counts as this, for no reason that is known.
    pub(super) fn as_(account: Account) -> Self {
        Self { account, cause: None, blind: false }
    }
}

impl<S> Spell<S> {
    /// How long it lasts.
    pub fn seconds(&self) -> i64 {
        self.until - self.from
    }
}

/// The spells of a period. What holds changes at `edges` only.
pub(super) fn spells<S: PartialEq>(
    (from, until): (i64, i64),
    edges: impl IntoIterator<Item = i64>,
    stands: impl Fn(i64) -> S,
) -> Vec<Spell<S>> {
    let mut starts: Vec<i64> = edges.into_iter().filter(|second| *second > from && *second < until).collect();
    starts.push(from);
    starts.sort_unstable();
    starts.dedup();
    let mut spells: Vec<Spell<S>> = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(until);
        if end <= *start {
            continue;
        }
        let stands = stands(*start);
        match spells.last_mut() {
            Some(last) if last.stands == stands => last.until = end,
            _ => spells.push(Spell { from: *start, until: end, stands }),
        }
    }
    spells
}
