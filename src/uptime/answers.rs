//! How incidents were answered: how long it took until somebody was told, and until somebody took them on.

use crate::model::{Cause, First, Incident, IncidentId, PATIENCE, elapsed};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Incidents that nobody took on in time and that are named.
const NAMED: usize = 100;

/// How the incidents were answered that were decided in a period.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Answers {
    /// How many incidents were decided in it.
    pub incidents: usize,
    /// From the decision until a first message was sent; `null` where none is known to have been.
    pub sent: Option<Spread>,
    /// From the decision until somebody first took it on; `null` where nobody did.
    pub taken_on: Option<Spread>,
    /// In how many seconds somebody is to take an incident on.
    pub in_time_seconds: u64,
    /// How many lasted longer than that and were not taken on by then.
    pub late: usize,
    /// Their numbers, at most 100 of them.
    pub late_numbers: Vec<u32>,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spread {
    /// Of how many incidents.
    pub incidents: usize,
    /// Half of them took no longer.
    pub median_seconds: u64,
    /// The longest.
    pub worst_seconds: u64,
    /// The number of the incident that took so long.
    pub worst: u32,
}

impl Spread {
    fn of(mut all: Vec<(u64, u32)>) -> Option<Self> {
        all.sort_unstable();
        let (worst_seconds, worst) = *all.last()?;
        let (median_seconds, _) = all[(all.len() - 1) / 2];
        Some(Self { incidents: all.len(), median_seconds, worst_seconds, worst })
    }
}

/// How those incidents were answered that were decided from one second on and before another.
pub(super) fn answers(
    incidents: &[Incident],
    first: &BTreeMap<IncidentId, First>,
    (from, until): (i64, i64),
    now: Timestamp,
) -> Answers {
    let decided = incidents.iter().filter(|incident| (from..until).contains(&incident.opened.as_second()));
    // Nobody is called for what is no alarm.
    let decided: Vec<&Incident> = decided.filter(|incident| !matches!(incident.cause, Cause::Unproven(_))).collect();
    let known = |incident: &Incident| first.get(&incident.id).copied().unwrap_or_default();
    let taken_on = |incident: &Incident| {
        let acks = incident.ack.iter().chain(incident.lapsed.iter().map(|lapsed| &lapsed.last)).map(|ack| ack.at);
        acks.chain(known(incident).taken_on).min()
    };
    let after = |incident: &Incident, at: Timestamp| elapsed(at, incident.opened).as_secs();
    let spread = |at: &dyn Fn(&Incident) -> Option<Timestamp>| {
        Spread::of(decided.iter().filter_map(|one| Some((after(one, at(one)?), one.number))).collect())
    };
    let ended = |incident: &Incident| taken_on(incident).or(incident.closed).unwrap_or(now);
    let late = decided.iter().filter(|one| elapsed(ended(one), one.opened) > PATIENCE);
    let mut late: Vec<u32> = late.map(|incident| incident.number).collect();
    late.sort_unstable();
    Answers {
        incidents: decided.len(),
        sent: spread(&|incident| known(incident).sent),
        taken_on: spread(&taken_on),
        in_time_seconds: PATIENCE.as_secs(),
        late: late.len(),
        late_numbers: late.into_iter().take(NAMED).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ack, Lapsed, Level};
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn incident(number: u32, opened: i64) -> Incident {
        let id = IncidentId::stored(format!("i{number}"));
        Incident { id, number, opened: at(opened), ..Incident::new(Cause::Commune, at(opened - 60), Level::Blind) }
    }

    fn ack(second: i64) -> Ack {
        Ack { by: "An".into(), via: "page".into(), at: at(second) }
    }

    #[test]
    fn what_was_decided_in_the_period_counts_and_what_nobody_took_on_is_named() {
        let lapsed = Some(Lapsed { count: 1, last: ack(90), ran_out: None });
        let incidents = [
            incident(1, -10),
            Incident { ack: Some(ack(30)), ..incident(2, 0) },
            // Taken on twice: the first time counts.
            Incident { ack: Some(ack(9000)), lapsed, ..incident(3, 10) },
            // Over before anybody had to see to it.
            Incident { closed: Some(at(800)), ..incident(4, 20) },
            incident(5, 40),
            Incident { cause: Cause::Unproven("cho".into()), ..incident(6, 50) },
            incident(7, 10_000),
        ];
        let sent = |second| First { sent: Some(at(second)), taken_on: None };
        let first = [("i2", sent(1)), ("i3", sent(13)), ("i4", sent(25)), ("i7", sent(10_001))];
        let first = first.map(|(id, first)| (IncidentId::stored(id.into()), first)).into();
        let span = (at(0).as_second(), at(10_000).as_second());
        let told = answers(&incidents, &first, span, at(2000));
        let spread = |incidents, median_seconds, worst_seconds, worst| {
            Some(Spread { incidents, median_seconds, worst_seconds, worst })
        };
        assert_eq!((told.incidents, told.sent, told.taken_on), (4, spread(3, 3, 5, 4), spread(2, 30, 80, 3)));
        assert_eq!((told.late, told.late_numbers), (1, vec![5]));
        assert_eq!(answers(&[], &BTreeMap::new(), span, at(0)).sent, None);
    }

    proptest! {
        #[test]
        fn at_least_half_took_no_longer_than_the_median(all in prop::collection::vec((0..1000u64, 0..9u32), 1..50)) {
            let spread = Spread::of(all.clone()).expect("there are some");
            let within = |limit: u64| all.iter().filter(|(seconds, _)| *seconds <= limit).count();
            prop_assert!(within(spread.median_seconds) * 2 >= all.len());
            let less = all.iter().filter(|(seconds, _)| *seconds < spread.median_seconds).count();
            prop_assert!(less * 2 < all.len(), "and no shorter time would do");
            prop_assert_eq!(within(spread.worst_seconds), all.len());
            prop_assert!(all.contains(&(spread.worst_seconds, spread.worst)));
        }
    }
}
