//! From rows of the journal to what held in each second.
//!
//! A row says since when its state holds, which often lies before it was decided: a camera is `down` since the first
//! look that failed. Usually the later row is right about the time that both claim: a link that is found to be down
//! explains cameras that were called down before. But what is laid over a camera's own state (maintenance, owner's
//! hours, a dead link, the monitor's isolation) hides it, and when that ends, the state below shows up again with the
//! time at which it began long ago. Such a row takes back nothing: it holds from its decision on.

use crate::model::{FailureKind, State, Transition};

/// What held from a second on, until the next entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timeline<T>(Vec<(i64, T)>);

/// A camera's state and its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Was {
    pub(super) state: State,
    pub(super) cause: Option<FailureKind>,
}

impl<T: Copy + PartialEq> Timeline<T> {
    /// Changes in the order in which they were written; a later one is right about all time since it began.
    pub(super) fn of(changes: impl IntoIterator<Item = (i64, T)>) -> Self {
        let mut timeline = Self(Vec::new());
        changes.into_iter().for_each(|(since, value)| timeline.set(since, value));
        timeline
    }

    fn set(&mut self, since: i64, value: T) {
        while self.0.last().is_some_and(|(began, _)| *began >= since) {
            self.0.pop();
        }
        self.0.push((since, value));
    }

    /// What held at a second; `None` before the first entry.
    pub(super) fn at(&self, second: i64) -> Option<T> {
        let next = self.0.partition_point(|(began, _)| *began <= second);
        next.checked_sub(1).map(|last| self.0[last].1)
    }

    /// What follows what holds at a second, and from when on.
    pub(super) fn next(&self, second: i64) -> Option<(i64, T)> {
        self.0.get(self.0.partition_point(|(began, _)| *began <= second)).copied()
    }

    /// The seconds at which something changes.
    pub(super) fn changes(&self) -> impl Iterator<Item = i64> {
        self.0.iter().map(|(began, _)| *began)
    }
}

impl Timeline<Was> {
    /// A camera's states.
    pub(super) fn of_camera<'a>(rows: impl IntoIterator<Item = &'a Transition>) -> Self {
        let mut timeline = Self(Vec::new());
        for row in rows {
            let began = timeline.reach(row.to, row.since.as_second(), row.decided.as_second());
            timeline.set(began, Was { state: row.to, cause: row.cause });
        }
        timeline
    }

    /// The same with what was learned later of times of which nothing was known: nobody had looked, or nobody could.
    pub(super) fn filled(&self, late: &Self) -> Self {
        let mut moments: Vec<i64> = self.changes().chain(late.changes()).collect();
        moments.sort_unstable();
        moments.dedup();
        let mut filled = Self(Vec::new());
        for second in moments {
            let (known, late) = (self.at(second), late.at(second));
            let unseen = known.is_none_or(|was| match was.state {
                State::Unreachable => true,
                // A login that is refused was seen to be.
                State::Unknown => was.cause.is_none(),
                _ => false,
            });
            let learned = late.filter(|late| unseen && late.state != State::Unknown);
            if let Some(was) = learned.or(known)
                && filled.0.last().is_none_or(|(_, before)| *before != was)
            {
                filled.0.push((second, was));
            }
        }
        filled
    }

    /// Whether it was well, or nobody knew better, when the maintenance began that holds at a second: what is out of
    /// service on purpose only after it broke was not planned.
    pub(super) fn is_planned(&self, second: i64) -> bool {
        let next = self.0.partition_point(|(began, _)| *began <= second);
        let mut known = self.0[..next].iter().rev().map(|(_, was)| was.state).peekable();
        let in_maintenance = known.peek() == Some(&State::Maintenance);
        in_maintenance && known.find(|state| *state != State::Maintenance).is_none_or(|before| !before.is_lost())
    }

    /// From when a row holds.
    fn reach(&self, to: State, since: i64, decided: i64) -> i64 {
        let Some((began, Was { state: from, .. })) = self.0.last() else { return since };
        let takes_back = match (from, to) {
            (State::Maintenance | State::Off, _) => false,
            (State::Unknown | State::Unreachable, State::Down | State::Unreachable) => false,
            (_, State::Up | State::Degraded) => since > *began,
            _ => true,
        };
        if !takes_back {
            return decided.max(*began);
        }
        // As far back as nothing lies that it cannot know better.
        let mut earliest = since;
        for (index, (_, Was { state, .. })) in self.0.iter().enumerate().rev() {
            let known_better = match to {
                State::Unknown => matches!(state, State::Maintenance | State::Off | State::Unknown),
                _ => matches!(state, State::Maintenance | State::Off | State::Unknown | State::Unreachable),
            };
            if known_better {
                let next = self.0.get(index + 1).map(|(began, _)| *began);
                // The last entry of all holds until now: what follows it begins where it says.
                earliest = earliest.max(next.unwrap_or(since.max(self.0[index].0)));
                break;
            }
        }
        earliest
    }
}
