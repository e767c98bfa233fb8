//! One site's alert: when somebody must be told, and why.
//!
//! Pure: level and time in, a [`Decision`] with its [`Reason`] out. Two dampers keep the phone silent for noise: a
//! level must stay bad before the alarm and stay good before the all-clear; and within one incident only a level
//! worse than any told before speaks again. What was told is always taken back. An unknown level opens nothing and
//! closes nothing.

use crate::model::{IncidentId, Level, OpenAlert, Reason, Site, elapsed, later};
use jiff::Timestamp;

/// The alert of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    open: Option<OpenAlert>,
    /// Since when the level says the opposite of what people were told: bad while nothing is open, good while
    /// something is.
    turned: Option<Timestamp>,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Why.
    pub reason: Reason,
    /// The alert as it stands with this notice; for an all-clear, as it stood.
    pub alert: OpenAlert,
}

impl Watch {
    /// The alert as an earlier run of the daemon left it. Delays begin anew, so that a restart tells nothing early.
    pub fn restored(open: Option<OpenAlert>) -> Self {
        Self { open, turned: None }
    }

    /// What people were told and not yet taken back.
    pub fn open(&self) -> Option<&OpenAlert> {
        self.open.as_ref()
    }

    /// Takes in the level as it is now, and says what to tell, if anything.
    pub fn consider(&mut self, now: Timestamp, site: &Site, level: Level) -> Option<Decision> {
        let bad = level.worse_than(site.alert_below);
        let Some(open) = &mut self.open else {
            return self.perhaps_open(now, site, level, bad);
        };
        if bad || level == Level::Unknown {
            self.turned = None;
            if !level.worse_than(open.told) {
                return None;
            }
            open.told = level;
            open.step += 1;
            return Some(Decision { reason: Reason::CoverageWorse, alert: open.clone() });
        }
        let well_since = *self.turned.get_or_insert(now);
        if elapsed(now, well_since) < site.clear_after {
            return None;
        }
        self.turned = None;
        self.open.take().map(|mut alert| {
            alert.step += 1;
            Decision { reason: Reason::CoverageRestored, alert }
        })
    }

    fn perhaps_open(&mut self, now: Timestamp, site: &Site, level: Level, bad: bool) -> Option<Decision> {
        if !bad {
            self.turned = None;
            return None;
        }
        let since = *self.turned.get_or_insert(now);
        if elapsed(now, since) < site.alert_after {
            return None;
        }
        self.turned = None;
        let alert = OpenAlert { incident: IncidentId::new(&site.id, since), since, told: level, step: 1 };
        self.open = Some(alert.clone());
        Some(Decision { reason: Reason::CoverageLost, alert })
    }

    /// When a delay runs out, if the level stays as it is.
    pub fn deadline(&self, site: &Site) -> Option<Timestamp> {
        let delay = if self.open.is_some() { site.clear_after } else { site.alert_after };
        self.turned.map(|since| later(since, delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn site(alert_after: u64, clear_after: u64) -> Site {
        Site {
            id: "cho".into(),
            name: String::new(),
            hamlet: String::new(),
            views: Vec::new(),
            alert_below: Level::Reduced,
            alert_after: Duration::from_secs(alert_after),
            clear_after: Duration::from_secs(clear_after),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    /// Feeds (second, level) and compares what is told, each as `second reason step since`.
    #[track_caller]
    fn check(site: &Site, levels: &[(i64, Level)], expected: &[&str]) {
        let mut watch = Watch::default();
        let told: Vec<String> = levels
            .iter()
            .filter_map(|(second, level)| watch.consider(at(*second), site, *level).map(|told| (second, told)))
            .map(|(second, told)| {
                let (reason, since) = (told.reason.as_str(), told.alert.since.as_second());
                format!("{second} {reason} {} {since}", told.alert.step)
            })
            .collect();
        assert_eq!(told, expected);
    }

    use Level::{Blind, Critical, Full, Reduced, Unknown};

    #[test]
    fn an_acceptable_level_tells_nobody() {
        check(&site(0, 0), &[(0, Full), (1, Reduced), (2, Unknown), (3, Full)], &[]);
    }

    #[test]
    fn a_lost_view_is_told_and_taken_back() {
        let told = ["1 coverage_lost 1 1", "9 coverage_restored 2 1"];
        check(&site(0, 0), &[(0, Full), (1, Critical), (5, Critical), (9, Full)], &told);
    }

    #[test]
    fn a_short_dip_is_not_told() {
        check(&site(60, 0), &[(0, Critical), (59, Critical), (60, Full), (61, Critical), (120, Critical)], &[]);
        check(&site(60, 0), &[(0, Critical), (60, Critical)], &["60 coverage_lost 1 0"]);
    }

    #[test]
    fn recovery_must_last_before_the_all_clear() {
        let levels = [(0, Blind), (10, Full), (60, Blind), (100, Full), (159, Full), (160, Full)];
        check(&site(0, 60), &levels, &["0 coverage_lost 1 0", "160 coverage_restored 2 0"]);
    }

    #[test]
    fn within_an_incident_only_worse_than_ever_speaks() {
        let levels = [(0, Critical), (1, Blind), (2, Critical), (3, Blind), (4, Critical), (99, Full), (200, Full)];
        let told = ["0 coverage_lost 1 0", "1 coverage_worse 2 0", "200 coverage_restored 3 0"];
        check(&site(0, 60), &levels, &told);
    }

    #[test]
    fn an_unknown_level_closes_nothing() {
        check(&site(0, 10), &[(0, Blind), (5, Full), (10, Unknown), (30, Full), (39, Full)], &["0 coverage_lost 1 0"]);
    }

    #[test]
    fn a_restart_neither_repeats_nor_forgets() {
        let site = site(0, 0);
        let mut watch = Watch::default();
        let first = watch.consider(at(0), &site, Blind).expect("an alarm");
        let mut watch = Watch::restored(Some(first.alert.clone()));
        assert_eq!(watch.consider(at(5), &site, Unknown), None);
        assert_eq!(watch.consider(at(6), &site, Blind), None);
        let clear = watch.consider(at(9), &site, Full).expect("an all-clear");
        assert_eq!((clear.reason, clear.alert.incident), (Reason::CoverageRestored, first.alert.incident));
    }

    proptest! {
        /// Alarms and all-clears alternate with one id, and nothing stays open on a site that stays well.
        #[test]
        fn every_alarm_is_taken_back(levels in proptest::collection::vec(proptest::sample::select(Level::ALL.to_vec()), 0..300)) {
            let site = site(20, 30);
            let mut watch = Watch::default();
            let mut open: Option<IncidentId> = None;
            let quiet = std::iter::repeat_n(Full, 10);
            for (n, level) in (0..).zip(levels.into_iter().chain(quiet)) {
                let Some(told) = watch.consider(at(10 * n), &site, level) else { continue };
                match told.reason {
                    Reason::CoverageLost => prop_assert_eq!(open.replace(told.alert.incident), None),
                    Reason::CoverageWorse => prop_assert_eq!(open.as_ref(), Some(&told.alert.incident)),
                    Reason::CoverageRestored => prop_assert_eq!(open.take(), Some(told.alert.incident)),
                }
            }
            prop_assert_eq!(open, None);
        }
    }
}
