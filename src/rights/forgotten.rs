//! What of the audit trail was forgotten: its beginning, and never more. The entry up to which that went is remembered by
//! its number and its link, so that what is left can still be checked, and so that nobody takes more away unseen.

use super::audit::{Break, Entry, broken};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the trail was forgotten, from its beginning on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forgotten {
    /// The number of the last entry that is gone.
    pub number: u64,
    /// When that was written.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Its link, on which the first entry that is left hangs.
    pub link: String,
    /// The first entry at which the chain was broken already in what is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<u64>,
}

impl Forgotten {
    /// What was forgotten of a trail that was not watched so far: all before its oldest entry, if that is not the first.
    pub fn before(oldest: &Entry) -> Option<Self> {
        let number = oldest.number.checked_sub(1).filter(|number| *number > 0)?;
        Some(Self { number, at: oldest.at, link: oldest.previous.clone(), broken: None })
    }

    /// The same when these entries, the oldest that were left, are forgotten too.
    pub fn and(earlier: Option<&Self>, entries: &[Entry]) -> Option<Self> {
        let Some(last) = entries.last() else { return earlier.cloned() };
        let known = earlier.and_then(|earlier| earlier.broken);
        let now = || hangs(earlier, entries.first()).or_else(|| broken(entries)).map(Break::number);
        Some(Self { number: last.number, at: last.at, link: last.link.clone(), broken: known.or_else(now) })
    }
}

/// A part of the audit trail, the newest entry first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail {
    /// Its entries.
    pub entries: Vec<Entry>,
    /// How far the trail was forgotten.
    pub forgotten: Option<Forgotten>,
    /// Whether the oldest entry that is left is among these, and on what it hangs is known.
    pub is_whole: bool,
}

impl Trail {
    /// The entry at which it is first broken.
    pub fn broken(&self) -> Option<u64> {
        let gone = || self.forgotten.as_ref().and_then(|gone| gone.broken);
        let begins = || hangs(self.forgotten.as_ref(), self.entries.last()).map(Break::number);
        let first = self.is_whole.then(|| gone().or_else(begins)).flatten();
        first.or_else(|| broken(self.entries.iter().rev()).map(Break::number))
    }
}

/// Where the trail is broken between what was forgotten and the oldest entry that is left.
pub fn hangs(forgotten: Option<&Forgotten>, oldest: Option<&Entry>) -> Option<Break> {
    let oldest = oldest?;
    let fits = match forgotten {
        Some(gone) => (gone.number + 1, &*gone.link) == (oldest.number, &*oldest.previous),
        None => oldest.number == 1 && oldest.previous.is_empty(),
    };
    (!fits).then_some(Break::Gap(oldest.number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::{Chain, Deed};
    use proptest::prelude::*;

    fn entries(count: usize) -> Vec<Entry> {
        let mut chain = Chain::default();
        let at = |second: i64| Timestamp::from_second(1_790_000_000 + second).expect("a time in this century");
        (0..count as i64).map(|second| chain.add(at(second), Deed { action: "silence", ..Deed::default() })).collect()
    }

    proptest! {
        /// In whatever portions a beginning goes, the rest hangs on it; and if one entry more goes, that shows.
        #[test]
        fn what_is_left_hangs_on_what_is_gone(count in 3..30usize, cuts in prop::collection::vec(1..8usize, 1..8)) {
            let all = entries(count);
            let (mut gone, mut from) = (None, 0);
            for cut in cuts {
                let until = (from + cut).min(count - 2);
                gone = Forgotten::and(gone.as_ref(), &all[from..until]);
                from = until;
                prop_assert_eq!(gone.as_ref().map_or(0, |gone| gone.number), from as u64);
                prop_assert_eq!(hangs(gone.as_ref(), all.get(from)), None);
                prop_assert_eq!(hangs(gone.as_ref(), all.get(from + 1)), Some(Break::Gap(from as u64 + 2)));
                prop_assert_eq!(gone.as_ref().and_then(|gone| gone.broken), None);
            }
        }

        /// What was broken before it was forgotten stays known.
        #[test]
        fn a_break_is_not_forgotten_with_its_entries(count in 4..20usize, which in 0..20usize) {
            let mut all = entries(count);
            let which = which % (count - 2);
            all[which].who.push('x');
            let gone = Forgotten::and(None, &all[..count - 1]);
            let gone = Forgotten::and(gone.as_ref(), &all[count - 1..]);
            prop_assert_eq!(gone.and_then(|gone| gone.broken), Some(which as u64 + 1));
        }
    }
}
