//! The audit trail: what people changed, each entry chained to the one before it by a hash, so that a gap shows.

use crate::model::hex;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// Letters of what stood before and after that are kept.
const LONGEST: usize = 400;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who: an account, or what a program or screen is called.
    pub who: String,
    /// From which address, where it came over the network.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// What was done, from a closed list of names.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What stood there before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// What stands there now.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
    /// The link of the chain that this one hangs on; empty for the first.
    pub previous: String,
    /// The link of this entry: a hash over all the rest of it.
    pub link: String,
}

/// What somebody did, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deed {
    /// Who.
    pub who: String,
    /// From which address.
    pub from: String,
    /// What.
    pub action: &'static str,
    /// To what.
    pub subject: String,
    /// What stood there before.
    pub before: String,
    /// What stands there now.
    pub after: String,
}

/// The end of the chain, on which the next entry hangs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    number: u64,
    link: String,
}

impl Chain {
    /// The chain that ends with this entry; a new one without.
    pub fn after(last: Option<&Entry>) -> Self {
        last.map_or_else(Self::default, |entry| Self { number: entry.number, link: entry.link.clone() })
    }

    /// Hangs on what somebody did.
    pub fn add(&mut self, now: Timestamp, deed: Deed) -> Entry {
        let cut = |text: String| text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect::<String>();
        let mut entry = Entry {
            number: self.number + 1,
            // As the journal keeps it, so that the hash is the same when it is read again.
            at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            who: cut(deed.who),
            from: cut(deed.from),
            action: deed.action.to_owned(),
            subject: cut(deed.subject),
            before: cut(deed.before),
            after: cut(deed.after),
            previous: std::mem::take(&mut self.link),
            link: String::new(),
        };
        entry.link = entry.hashed();
        *self = Self::after(Some(&entry));
        entry
    }
}

impl Entry {
    fn hashed(&self) -> String {
        let mut hash = Sha256::new();
        let (number, at) = (self.number.to_string(), self.at.as_millisecond().to_string());
        let parts: [&str; 9] = [
            &number,
            &at,
            &self.who,
            &self.from,
            &self.action,
            &self.subject,
            &self.before,
            &self.after,
            &self.previous,
        ];
        for part in parts {
            // Its length goes first, so that no letters wander from one part into the next.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }
}

/// What is wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// This entry is not as it was written.
    Changed(u64),
    /// Entries are missing before this one.
    Gap(u64),
}

impl Break {
    /// The number of the entry at which it shows.
    pub fn number(self) -> u64 {
        match self {
            Self::Changed(number) | Self::Gap(number) => number,
        }
    }
}

/// Where a chain, from its oldest kept entry on, is first broken. What was forgotten before that is no gap.
pub fn broken<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<Break> {
    let mut before: Option<&Entry> = None;
    for entry in entries {
        if entry.link != entry.hashed() {
            return Some(Break::Changed(entry.number));
        }
        if before.is_some_and(|before| before.link != entry.previous || before.number + 1 != entry.number) {
            return Some(Break::Gap(entry.number));
        }
        before = Some(entry);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn entries(deeds: &[(String, String)]) -> Vec<Entry> {
        let mut chain = Chain::default();
        let deed = |who: &String, after: &String| Deed {
            who: who.clone(),
            action: "silence",
            subject: "site:cho".into(),
            after: after.clone(),
            ..Deed::default()
        };
        deeds.iter().zip(0..).map(|((who, after), second)| chain.add(at(second), deed(who, after))).collect()
    }

    proptest! {
        #[test]
        fn whatever_is_changed_or_taken_away_shows(
            deeds in prop::collection::vec((".{0,12}", ".{0,12}"), 2..12),
            (which, how) in (any::<prop::sample::Index>(), 0..6usize),
        ) {
            let whole = entries(&deeds);
            prop_assert_eq!(broken(&whole), None);
            // What was forgotten from its beginning is no gap.
            prop_assert_eq!(broken(&whole[1..]), None);
            let number = which.index(whole.len());
            let mut other = whole.clone();
            match how {
                0 => other[number].who.push('x'),
                1 => other[number].after.push(' '),
                2 => other[number].at = at(1_000_000),
                3 => other[number].number += 1,
                4 => {
                    // One that is made up, with a hash that is right for itself.
                    other[number].subject = "all".into();
                    other[number].link = other[number].hashed();
                    if number + 1 == whole.len() { return Ok(()); }
                }
                _ if number == 0 || number + 1 == whole.len() => return Ok(()),
                _ => drop(other.remove(number)),
            }
            prop_assert!(broken(&other).is_some(), "{how} at {number}");
            // It survives being written and read.
            let json = serde_json::to_string(&whole).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Vec<Entry>>(&json).expect("entries"), whole);
        }
    }
}
