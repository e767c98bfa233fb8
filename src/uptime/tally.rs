//! Adding up: what each second of one thing counts as, its days, and its outages.

use super::{
    account::{Account, Class, Seconds},
    spell::{Spell, Stands},
    timeline::{Timeline, Was},
};
use crate::model::{FailureKind, LinkState, Run, State};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How old the last sign of life of a run may be while it is taken to run still; it is noted once a minute.
const ALIVE: i64 = 90;

/// When the monitor ran: disjoint spans in order.
pub(super) struct Watched(Vec<(i64, i64)>);

impl Watched {
    pub(super) fn of(runs: &[Run], now: i64) -> Self {
        let mut spans: Vec<(i64, i64)> = runs
            .iter()
            .map(|run| (run.from.as_second(), run.until.as_second()))
            .map(|(from, until)| (from, if (0..=ALIVE).contains(&(now - until)) { now } else { until }))
            .collect();
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (from, until) in spans {
            match joined.last_mut() {
                Some((_, end)) if from <= *end => *end = until.max(*end),
                _ => joined.push((from, until)),
            }
        }
        Self(joined)
    }

    pub(super) fn at(&self, second: i64) -> bool {
        let next = self.0.partition_point(|(from, _)| *from <= second);
        next.checked_sub(1).is_some_and(|last| second < self.0[last].1)
    }

    pub(super) fn edges(&self) -> impl Iterator<Item = i64> {
        self.0.iter().flat_map(|(from, until)| [*from, *until])
    }
}

/// A link as the seconds of what hangs on it need it.
pub(super) struct Above<'a> {
    pub(super) contractors: bool,
    pub(super) timeline: &'a Timeline<LinkState>,
}

/// What a second of a camera counts as. `above` are its links from the nearest up.
pub(super) fn of_camera(was: Option<Was>, above: &[Above<'_>], second: i64) -> Account {
    match was.map(|was| (was.state, was.cause)) {
        None => Account::Unseen,
        Some((State::Up, _)) => Account::Up,
        Some((State::Degraded, _)) => Account::Degraded,
        Some((State::Down, _)) => Account::Down,
        Some((State::Maintenance, _)) => Account::Maintenance,
        Some((State::Off, _)) => Account::Off,
        Some((State::Unknown, Some(FailureKind::Auth | FailureKind::AuthChanged))) => Account::Login,
        Some((State::Unknown, _)) => Account::Unseen,
        Some((State::Unreachable, _)) => cut_by(above, second).unwrap_or(Account::External),
    }
}

/// Who answers for the highest link that is down, if one is.
pub(super) fn cut_by(above: &[Above<'_>], second: i64) -> Option<Account> {
    let down = |link: &&Above<'_>| link.timeline.at(second) == Some(LinkState::Down);
    let highest = above.iter().rev().find(down)?;
    Some(if highest.contractors { Account::Unreachable } else { Account::External })
}

/// A time in which a thing was down, over gaps in which nothing was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    /// Seconds of it that the contractor answers for.
    pub(super) contractors: i64,
}

/// The sums of one thing.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) seconds: Seconds,
    /// The same by day of the period.
    pub(super) days: Vec<Seconds>,
    pub(super) outages: Vec<Outage>,
    /// Seconds down, by what they count as and why.
    pub(super) causes: BTreeMap<(Account, Option<FailureKind>), i64>,
}

impl Tally {
    /// Adds up the spells of a period, of which these are the days with their ends.
    pub(super) fn of(days: &[(Date, i64)], spells: &[Spell]) -> Self {
        let mut tally = Self { days: vec![Seconds::default(); days.len()], ..Self::default() };
        let (mut open, mut day) = (None::<Outage>, 0);
        for spell in spells {
            let (Stands { account, cause, .. }, length) = (spell.stands, spell.seconds());
            tally.seconds.add(account, length);
            let mut from = spell.from;
            while from < spell.until {
                while days.get(day).is_some_and(|(_, end)| *end <= from) {
                    day += 1;
                }
                let end = days.get(day).map_or(spell.until, |(_, end)| spell.until.min(*end));
                if let Some(day) = tally.days.get_mut(day) {
                    day.add(account, end - from);
                }
                from = end;
            }
            match account.class() {
                Class::Up => tally.outages.extend(open.take()),
                Class::Excluded => {}
                Class::Down => {
                    let theirs = matches!(account, Account::Down | Account::Unreachable);
                    open.get_or_insert(Outage { contractors: 0 }).contractors += if theirs { length } else { 0 };
                    let cause = cause.filter(|_| account == Account::Down);
                    *tally.causes.entry((account, cause)).or_default() += length;
                }
            }
        }
        tally.outages.extend(open);
        tally
    }

    /// Takes in another thing's sums; both are of the same period.
    pub(super) fn add(&mut self, other: &Self) {
        self.seconds.add_all(&other.seconds);
        self.days.resize(self.days.len().max(other.days.len()), Seconds::default());
        self.days.iter_mut().zip(&other.days).for_each(|(ours, theirs)| ours.add_all(theirs));
        self.outages.extend(&other.outages);
        for (key, seconds) in &other.causes {
            *self.causes.entry(*key).or_default() += seconds;
        }
    }

    /// Outages that the contractor answers for, and their seconds.
    pub(super) fn repairs(&self) -> (usize, i64) {
        let theirs = || self.outages.iter().filter(|outage| outage.contractors > 0);
        (theirs().count(), theirs().map(|outage| outage.contractors).sum())
    }
}
