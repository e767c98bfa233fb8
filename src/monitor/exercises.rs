//! Exercises that begin by themselves: one each month where it is wished for, in turn at each site, and never while
//! somebody is wanted for something real.

use super::{Monitor, turns::EVERY};
use crate::{
    alert::exercises,
    model::{Cause, SiteId, later},
};
use jiff::Timestamp;
use std::time::Duration;

/// Where something real goes on, it is asked again after so long.
const PUT_OFF: Duration = Duration::from_secs(30 * 60);

/// When the last exercise began, whoever began it, and when there may be another.
#[derive(Debug, Default)]
pub(super) struct Exercises {
    pub(super) last: Option<Timestamp>,
    /// When that is looked at again; at once where there is nothing.
    pub(super) next: Option<Timestamp>,
}

impl Monitor {
    /// Begins the month's exercise, if it is time.
    pub(super) fn perhaps_exercise(&mut self, now: Timestamp) {
        let alert = &self.settings.alert;
        if !alert.monthly_drill || alert.rotations.is_empty() {
            self.exercises.next = None;
            return;
        }
        // Time zones are not asked for each event, and a clock that was set back puts nothing off.
        let hourly = later(now, EVERY);
        if self.exercises.next.is_some_and(|next| now < next && next <= hourly) {
            return;
        }
        let due = exercises::next(now, self.exercises.last, &self.fleet.commune.timezone).unwrap_or(hourly);
        self.exercises.next = Some(if due > now { due.min(hourly) } else { later(now, PUT_OFF) });
        if due <= now
            && !self.is_busy()
            && let Some(site) = self.site_in_turn(now)
        {
            self.drill(now, site);
        }
    }

    /// Somebody begins an exercise, or it begins by itself.
    pub(super) fn drill(&mut self, now: Timestamp, site: SiteId) {
        if self.book.drilling().is_none() {
            self.exercises = Exercises { last: Some(now), next: None };
        }
        self.book.drill(now, site);
    }

    /// Whether somebody is wanted, or this monitor sees nothing.
    fn is_busy(&self) -> bool {
        let open = self.book.incidents().filter(|incident| incident.closed.is_none());
        let wanted = |cause: &Cause| !matches!(cause, Cause::Unproven(_));
        self.cut_off.is_some()
            || open.into_iter().any(|incident| incident.ack.is_none() && !incident.held && wanted(&incident.cause))
    }

    /// Each month another site, in their order.
    fn site_in_turn(&self, now: Timestamp) -> Option<SiteId> {
        let local = now.to_zoned_datetime(self.fleet.commune.timezone.clone());
        let months = usize::try_from(i32::from(local.year()) * 12 + i32::from(local.month())).unwrap_or_default();
        let count = self.fleet.sites.len().max(1);
        self.fleet.sites.keys().nth(months % count).cloned()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        alert::{self, Person, Rotation},
        model::{Cause, Level, Local, Restored, Site, View, Watcher},
        monitor::{Effect, Event, Monitor, Settings, tests::fleet},
    };
    use jiff::{
        SignedDuration, Timestamp,
        civil::{date, time},
    };
    use std::{sync::Arc, time::Duration};

    fn at(local: &str) -> Timestamp {
        format!("{local}+07:00").parse().expect("a time")
    }

    fn settings() -> Settings {
        let an = Person { name: "An".into(), channels: vec!["an".into()], calls: vec![] };
        let rotation = Rotation {
            id: "truc".into(),
            people: vec!["an".into()],
            start: date(2026, 11, 2),
            handovers: vec![time(7, 0, 0, 0)],
            days: 1,
            handover_notice: Duration::ZERO,
        };
        let alert = alert::Settings {
            people: [("an".into(), an)].into(),
            rotations: vec![rotation],
            monthly_drill: true,
            ..alert::Settings::default()
        };
        Settings { alert, ..Settings::default() }
    }

    /// Local times at which exercises began, with their sites, from one moment to another.
    fn began(monitor: &mut Monitor, first: Vec<Effect>, from: &str, until: &str) -> Vec<String> {
        let (mut now, until, mut began) = (at(from), at(until), Vec::new());
        let mut effects = first;
        while now < until {
            for effect in &effects {
                if let Effect::Incident(incident) = effect
                    && let Cause::Drill(site) = &incident.cause
                    && incident.opened == now
                {
                    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
                    began.push(format!("{} {site}", Local::new(&zone, now).full(now)));
                }
            }
            now = monitor.next_deadline().max(now + SignedDuration::from_secs(1));
            effects = monitor.handle(now, Event::Tick);
        }
        began.dedup();
        began
    }

    #[test]
    fn each_month_it_begins_once_in_daytime_at_another_site_and_a_restart_repeats_none() {
        let mut fleet = (*fleet(3)).clone();
        let view = View::new("a", vec![Watcher { camera: "0-north".into(), spare: false }]);
        fleet.sites.insert("z".into(), Arc::new(Site::new("z", vec![view])));
        let fleet = Arc::new(fleet);
        let (mut monitor, effects) =
            Monitor::new(fleet.clone(), settings(), Restored::default(), at("2026-11-01T00:00:00"));
        let first = began(&mut monitor, effects, "2026-11-01T00:00:00", "2027-02-01T00:00:00");
        let days: Vec<&str> = first.iter().map(|one| &one[..16]).collect();
        assert_eq!(days, ["10:00 03/11/2026", "10:00 01/12/2026", "10:00 05/01/2027"]);
        let sites: std::collections::BTreeSet<&str> = first.iter().map(|one| &one[17..]).collect();
        assert_eq!(sites.len(), 3, "each at another site: {first:?}");

        let restored = Restored { drilled: Some(at("2027-01-05T10:00:00")), ..Restored::default() };
        let (mut monitor, effects) = Monitor::new(fleet.clone(), settings(), restored, at("2027-01-06T11:00:00"));
        let second = began(&mut monitor, effects, "2027-01-06T11:00:00", "2027-03-01T00:00:00");
        assert_eq!(second.iter().map(|one| &one[..16]).collect::<Vec<_>>(), ["10:00 02/02/2027"]);

        // Where nobody is on call, and where it is not wished for, there is none.
        let mut quiet = settings();
        quiet.alert.monthly_drill = false;
        let (mut monitor, effects) = Monitor::new(fleet, quiet, Restored::default(), at("2026-11-01T00:00:00"));
        assert_eq!(began(&mut monitor, effects, "2026-11-01T00:00:00", "2026-12-15T00:00:00"), Vec::<String>::new());
    }

    #[test]
    fn it_waits_while_somebody_is_wanted_for_something_real() {
        let open = crate::model::Incident {
            number: 1,
            opened: at("2026-11-03T09:00:00"),
            paged: true,
            ..crate::model::Incident::new(Cause::Link("gone".into()), at("2026-11-03T09:00:00"), Level::Blind)
        };
        let drilled = Some(at("2026-10-06T10:00:00"));
        let restored = Restored { incidents: vec![open], last_number: 1, drilled, ..Restored::default() };
        let (mut monitor, effects) = Monitor::new(fleet(2), settings(), restored, at("2026-11-03T09:30:00"));
        assert_eq!(began(&mut monitor, effects, "2026-11-03T09:30:00", "2026-11-04T12:00:00"), Vec::<String>::new());
        let ack = crate::model::Ack { by: "An".into(), via: "page".into(), at: at("2026-11-04T12:00:01") };
        let effects = monitor.handle(ack.at, Event::Acknowledge { incident: "1".into(), ack });
        let began = began(&mut monitor, effects, "2026-11-04T12:00:01", "2026-11-05T00:00:00");
        assert_eq!(began.len(), 1, "{began:?}");
        assert!(began[0].starts_with("12:") && began[0][5..].starts_with(" 04/11/2026"), "{began:?}");
    }
}
