//! One site: when its coverage is too low for long enough to count, and well for long enough to be taken back.
//!
//! Three dampers: a level must stay bad before it counts; it must stay well before the all-clear; and that second
//! delay grows fourfold with each alert of the last hours, so that a site that flaps, in whatever rhythm, stays open
//! as one alert instead of paging again and again. What opened is always closed. An unknown level opens nothing and
//! closes nothing.

use crate::model::{Level, OpenAlert, Site, elapsed, later};
use jiff::Timestamp;
use std::time::Duration;

/// Alerts that ended within this time make the next all-clear wait longer.
const MEMORY: Duration = Duration::from_secs(6 * 60 * 60);
/// The longest wait for an all-clear.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// Where the configuration wants no wait at all, a site that flaps waits for multiples of this.
const SHORTEST: Duration = Duration::from_secs(15);

/// The alert of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damper {
    open: Option<OpenAlert>,
    /// Since when the level says the opposite: bad while nothing is open, well while something is.
    turned: Option<Timestamp>,
    ended: Vec<Timestamp>,
}

/// What became of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is below its threshold.
    Opened(OpenAlert),
    /// It is worse than ever since then.
    Worse(OpenAlert),
    /// It is well again.
    Restored,
}

impl Damper {
    /// The alert as an earlier run of the daemon left it. Delays begin anew, so that a restart tells nothing early.
    pub fn restored(open: Option<OpenAlert>, ended: Vec<Timestamp>) -> Self {
        Self { open, turned: None, ended }
    }

    /// The alert that is open.
    pub fn open(&self) -> Option<&OpenAlert> {
        self.open.as_ref()
    }

    /// Since when the site is well enough again, while its alert is open.
    pub fn recovering(&self) -> Option<Timestamp> {
        self.turned.filter(|_| self.open.is_some())
    }

    /// When the last alerts ended.
    pub fn ended(&self) -> &[Timestamp] {
        &self.ended
    }

    /// Takes in the level as it is, and as it would be without what is out of service on purpose: only the latter
    /// opens an alert, only the former closes one. While `held`, the cause is still being looked for.
    pub fn consider(
        &mut self,
        now: Timestamp,
        site: &Site,
        level: Level,
        excused: Level,
        held: bool,
    ) -> Option<Change> {
        let bad = excused.worse_than(site.alert_below);
        let Some(open) = &mut self.open else {
            return self.perhaps_open(now, site, excused, bad, held);
        };
        if level.worse_than(site.alert_below) || level == Level::Unknown {
            self.turned = None;
            if held || !excused.worse_than(open.worst) {
                return None;
            }
            open.worst = excused;
            return Some(Change::Worse(open.clone()));
        }
        let well_since = *self.turned.get_or_insert(now);
        if elapsed(now, well_since) < self.clear_after(now, site) {
            return None;
        }
        self.turned = None;
        self.open = None;
        self.ended.retain(|ended| elapsed(now, *ended) < MEMORY);
        self.ended.push(now);
        Some(Change::Restored)
    }

    fn perhaps_open(&mut self, now: Timestamp, site: &Site, level: Level, bad: bool, held: bool) -> Option<Change> {
        if !bad {
            self.turned = None;
            return None;
        }
        let since = *self.turned.get_or_insert(now);
        if held || elapsed(now, since) < site.alert_after {
            return None;
        }
        self.turned = None;
        let alert = OpenAlert { since, worst: level };
        self.open = Some(alert.clone());
        Some(Change::Opened(alert))
    }

    /// How long the site must be well before its alert ends.
    fn clear_after(&self, now: Timestamp, site: &Site) -> Duration {
        Self::wait(self.ended.iter().filter(|ended| elapsed(now, **ended) < MEMORY).count(), site)
    }

    /// The same after so many alerts of the last hours.
    fn wait(lately: usize, site: &Site) -> Duration {
        match u32::try_from(lately).unwrap_or(u32::MAX) {
            0 => site.clear_after,
            times => {
                let grown = site.clear_after.max(SHORTEST).saturating_mul(4u32.saturating_pow(times));
                grown.min(LONGEST.max(site.clear_after))
            }
        }
    }

    /// When a delay runs out, if the level stays as it is. The wait for an all-clear becomes shorter as alerts of before
    /// are forgotten, so of all those moments the first counts.
    pub fn deadline(&self, site: &Site) -> Option<Timestamp> {
        let turned = self.turned?;
        if self.open.is_none() {
            return Some(later(turned, site.alert_after));
        }
        let forgotten = (0..self.ended.len()).map(|one| later(self.ended[one], MEMORY));
        let moments = [turned].into_iter().chain(forgotten).enumerate();
        moments.map(|(gone, from)| later(turned, Self::wait(self.ended.len() - gone, site)).max(from)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn site(alert_after: u64, clear_after: u64) -> Site {
        let (alert_after, clear_after) = (Duration::from_secs(alert_after), Duration::from_secs(clear_after));
        Site { alert_after, clear_after, ..Site::new("cho", Vec::new()) }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    fn word(change: &Change) -> String {
        match change {
            Change::Opened(alert) => format!("opened {}", alert.since.as_second()),
            Change::Worse(alert) => format!("worse {}", alert.worst.as_str()),
            Change::Restored => "restored".into(),
        }
    }

    /// Feeds (second, level) and compares what follows, each as `second change`.
    #[track_caller]
    fn check(site: &Site, levels: &[(i64, Level)], expected: &[&str]) {
        let mut watch = Damper::default();
        let changes: Vec<String> = (levels.iter())
            .filter_map(|(second, level)| {
                let change = watch.consider(at(*second), site, *level, *level, false)?;
                Some(format!("{second} {}", word(&change)))
            })
            .collect();
        assert_eq!(changes, expected);
    }

    use Level::{Blind, Critical, Full, Reduced, Unknown};

    #[test]
    fn an_acceptable_level_tells_nobody() {
        check(&site(0, 0), &[(0, Full), (1, Reduced), (2, Unknown), (3, Full)], &[]);
    }

    #[test]
    fn a_lost_view_is_told_and_taken_back() {
        check(&site(0, 0), &[(0, Full), (1, Critical), (5, Critical), (9, Full)], &["1 opened 1", "9 restored"]);
    }

    #[test]
    fn a_short_dip_is_not_told() {
        check(&site(60, 0), &[(0, Critical), (59, Critical), (60, Full), (61, Critical), (120, Critical)], &[]);
        check(&site(60, 0), &[(0, Critical), (60, Critical)], &["60 opened 0"]);
    }

    #[test]
    fn it_recovers_from_the_first_good_level_to_the_all_clear() {
        let (site, mut watch) = (site(0, 60), Damper::default());
        let mut at_level = |second, level| {
            watch.consider(at(second), &site, level, level, false);
            watch.recovering().map(Timestamp::as_second)
        };
        let recovering = [(0, Full), (5, Blind), (10, Full), (40, Full), (50, Critical), (60, Reduced), (120, Reduced)];
        let recovering = recovering.map(|(second, level)| at_level(second, level));
        assert_eq!(recovering, [None, None, Some(10), Some(10), None, Some(60), None]);
    }

    #[test]
    fn recovery_must_last_before_the_all_clear() {
        let levels = [(0, Blind), (10, Full), (60, Blind), (100, Full), (159, Full), (160, Full)];
        check(&site(0, 60), &levels, &["0 opened 0", "160 restored"]);
    }

    #[test]
    fn while_open_only_worse_than_ever_speaks() {
        let levels = [(0, Critical), (1, Blind), (2, Critical), (3, Blind), (4, Critical), (99, Full), (200, Full)];
        check(&site(0, 60), &levels, &["0 opened 0", "1 worse blind", "200 restored"]);
    }

    #[test]
    fn an_unknown_level_closes_nothing() {
        check(&site(0, 10), &[(0, Blind), (5, Full), (10, Unknown), (30, Full), (39, Full)], &["0 opened 0"]);
    }

    #[test]
    fn what_is_out_of_service_on_purpose_opens_nothing_and_is_not_called_well() {
        let site = site(0, 0);
        let mut watch = Damper::default();
        assert_eq!(watch.consider(at(0), &site, Blind, Full, false), None, "in maintenance");
        assert!(watch.consider(at(1), &site, Blind, Blind, false).is_some(), "the window is over");
        assert_eq!(watch.consider(at(2), &site, Blind, Full, false), None, "a new window does not restore it");
        assert_eq!(watch.consider(at(3), &site, Full, Full, false), Some(Change::Restored));
    }

    #[test]
    fn while_the_cause_is_looked_for_nothing_is_said_and_no_time_is_lost() {
        let site = site(5, 0);
        let mut watch = Damper::default();
        assert_eq!(watch.consider(at(0), &site, Blind, Blind, true), None);
        assert_eq!(watch.consider(at(9), &site, Blind, Blind, true), None);
        let since = at(0);
        let opened = Some(Change::Opened(OpenAlert { since, worst: Blind }));
        assert_eq!(watch.consider(at(10), &site, Blind, Blind, false), opened);
    }

    /// A site that is lost for a minute every `period` minutes, for a day: how often it is told.
    fn alarms_of_a_flapper(period: i64) -> usize {
        let site = site(0, 60);
        let mut watch = Damper::default();
        let changes = (0..24 * 60 * 6).filter_map(|n| {
            let level = if (10 * n) % (60 * period) < 60 { Blind } else { Full };
            watch.consider(at(10 * n), &site, level, level, false)
        });
        changes.filter(|change| matches!(change, Change::Opened(_))).count()
    }

    #[test]
    fn a_rhythmic_flapper_is_told_a_few_times_a_day_in_any_rhythm() {
        for period in [2, 3, 5, 10, 20, 40, 60, 90, 119] {
            let alarms = alarms_of_a_flapper(period);
            assert!((1..=16).contains(&alarms), "each {period} minutes: {alarms} alarms a day");
        }
    }

    proptest! {
        /// Nothing happens before the deadline, and something does then.
        #[test]
        fn the_deadline_is_when_something_happens(
            ended in proptest::collection::vec(0i64..30_000, 0..4),
            open in any::<bool>(),
            turned in 20_000i64..40_000,
        ) {
            let mut ended: Vec<i64> = ended;
            ended.sort_unstable();
            let site = site(20, 60);
            let worst = if open { Some(OpenAlert { since: at(0), worst: Critical }) } else { None };
            let mut watch = Damper::restored(worst, ended.into_iter().map(at).collect());
            let level = if open { Full } else { Critical };
            prop_assert_eq!(watch.deadline(&site), None);
            watch.consider(at(turned), &site, level, level, false);
            // An all-clear without a wait comes at once.
            if let Some(deadline) = watch.deadline(&site) {
                let before = later(at(turned), elapsed(deadline, at(turned)).saturating_sub(Duration::from_secs(1)));
                prop_assert_eq!(watch.clone().consider(before, &site, level, level, false), None);
                prop_assert!(watch.consider(deadline, &site, level, level, false).is_some());
            }
        }

        /// Openings and endings alternate, and nothing stays open on a site that stays well.
        #[test]
        fn every_alarm_is_taken_back(levels in proptest::collection::vec(proptest::sample::select(Level::ALL.to_vec()), 0..300)) {
            let site = site(20, 30);
            let mut watch = Damper::default();
            let mut open = false;
            let quiet = std::iter::repeat_n(Full, 1000);
            for (n, level) in (0..).zip(levels.into_iter().chain(quiet)) {
                match watch.consider(at(10 * n), &site, level, level, false) {
                    Some(Change::Opened(_)) => prop_assert!(!std::mem::replace(&mut open, true)),
                    Some(Change::Worse(_)) => prop_assert!(open),
                    Some(Change::Restored) => prop_assert!(std::mem::replace(&mut open, false)),
                    None => {}
                }
            }
            prop_assert!(!open);
        }
    }
}
