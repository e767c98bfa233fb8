//! Shifts as time passes: who takes over is told before, and shifts in which nobody can be told are told days ahead.

use super::Monitor;
use crate::{
    alert::turns::{Turn, gaps, handovers},
    model::{Note, OpenLine, Recipient, later},
};
use jiff::Timestamp;
use std::{collections::BTreeSet, time::Duration};

/// Shifts are looked at so often, beside when somebody is to be told or the configuration changes.
pub(super) const EVERY: Duration = Duration::from_secs(3600);
/// How long before a shift in which nobody can be told that is said.
const AHEAD: Duration = Duration::from_secs(3 * 24 * 3600);
/// How far shifts are looked at, so that it is known when one ends.
const SPAN: Duration = Duration::from_secs(15 * 24 * 3600);
/// Open incidents that are named in such a notice.
const NAMED: usize = 5;

/// What was told of shifts, and when there may be more to tell.
#[derive(Debug, Default)]
pub(super) struct Shifts {
    /// When shifts are looked at again; at once where there is nothing.
    pub(super) next: Option<Timestamp>,
    /// Names of what was told of shifts that are still to come.
    told: BTreeSet<String>,
}

impl Monitor {
    /// Looks at shifts, if it is time. Names keep what a run before this one told from being told twice.
    pub(super) fn perhaps_shifts(&mut self, now: Timestamp) {
        if self.shifts.next.is_some_and(|next| now < next && next <= later(now, EVERY)) {
            return;
        }
        let (settings, zone) = (&self.settings.alert, &self.fleet.commune.timezone);
        let mut next = later(now, EVERY);
        let (mut told, mut notes) = (BTreeSet::new(), Vec::new());
        for handover in handovers(settings, now, later(now, SPAN), zone) {
            if handover.due > now {
                next = next.min(handover.due);
                continue;
            }
            let shift = handover.shift;
            let id = format!("handover-{}-{}-{}", handover.rotation, shift.person, shift.from.as_second());
            let known = settings.people.get(&shift.person);
            let to = known.map(|known| Recipient {
                person: Some(shift.person),
                channels: known.channels.clone(),
                rings: false,
            });
            let (open, count) = self.open_lines();
            let note =
                Note::Handover { rotation: handover.rotation, from: shift.from, until: shift.until, open, count };
            notes.extend(to.map(|to| (id, note, Some(to))));
        }
        let soon = |gap: &Turn| gap.shift.from < later(now, AHEAD);
        for gap in gaps(settings, now, later(now, SPAN), zone).into_iter().filter(soon) {
            let (shift, why) = (gap.shift, gap.gap);
            let known = settings.people.get(&shift.person).map(|known| known.name.clone());
            let person = known.unwrap_or_else(|| shift.person.to_string());
            // One that has begun is told each day.
            let day = now.to_zoned_datetime(zone.clone()).date();
            let id = match shift.from > now {
                true => format!("gap-{}-{}", gap.rotation, shift.from.as_second()),
                false => format!("gap-{}-{day}", gap.rotation),
            };
            let (from, until) = (shift.from, shift.until);
            notes.extend(why.map(|why| (id, Note::Gap { rotation: gap.rotation, person, from, until, why }, None)));
        }
        for (id, note, to) in notes {
            if !self.shifts.told.contains(&id) {
                self.note(now, id.clone(), note, to);
            }
            told.insert(id);
        }
        self.shifts = Shifts { next: Some(next), told };
    }

    /// The first few incidents that are open, the worst first, and how many there are.
    fn open_lines(&self) -> (Vec<OpenLine>, usize) {
        let mut open: Vec<_> = self.book.incidents().filter(|incident| incident.closed.is_none()).collect();
        open.sort_by_key(|incident| (std::cmp::Reverse(incident.told.severity()), incident.number));
        let lines = open.iter().take(NAMED).map(|incident| OpenLine {
            number: incident.number,
            place: self.fleet.place(&incident.cause),
            level: incident.told,
            taken_on_by: incident.ack.as_ref().map(|ack| ack.by.clone()),
        });
        (lines.collect(), open.len())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        alert::{self, Override, Person, Rotation, Target},
        model::{ChannelId, Commune, DailyHours, Fleet, Language, Note, Notice, local::hour},
        monitor::{Effect, Event, Monitor, Settings},
    };
    use jiff::{
        Timestamp,
        civil::{date, time},
        tz::TimeZone,
    };
    use std::{sync::Arc, time::Duration};

    fn at(local: &str) -> Timestamp {
        format!("{local}+07:00").parse().expect("a time")
    }

    fn settings() -> Settings {
        let people = ["an", "binh"];
        let person = |name: &str| Person { name: name.to_uppercase(), channels: vec![name.into()], calls: vec![] };
        let alert = alert::Settings {
            people: people.iter().map(|name| ((*name).into(), person(name))).collect(),
            rotations: vec![Rotation {
                id: "truc".into(),
                people: people.iter().map(|name| (*name).into()).collect(),
                start: date(2026, 11, 2),
                handovers: vec![time(7, 0, 0, 0)],
                days: 1,
                handover_notice: Duration::from_secs(1800),
            }],
            overrides: vec![Override {
                rotation: None,
                person: None,
                from: at("2026-11-07T07:00:00"),
                until: at("2026-11-08T07:00:00"),
                reason: "phép".into(),
            }],
            maintainers: vec![Target::Channel("keeper".into())],
            ..alert::Settings::default()
        };
        Settings { alert, ..Settings::default() }
    }

    /// What is told in a span in which nothing happens but time, and how often the monitor asked to be woken.
    fn told(from: &str, until: &str) -> (Vec<String>, usize) {
        let (name, timezone) = ("Hải Bình".to_owned(), TimeZone::fixed(jiff::tz::offset(7)));
        let commune = Commune { name, language: Language::Vi, timezone: timezone.clone(), night: DailyHours::NIGHT };
        let (mut now, until, mut woken) = (at(from), at(until), 0);
        let fleet = Arc::new(Fleet::empty(commune));
        let (mut monitor, mut effects) = Monitor::new(fleet, settings(), Default::default(), now);
        let mut lines = Vec::new();
        while now < until {
            for effect in effects {
                let Effect::Notify(notice, to) = effect else { continue };
                let Notice::Note(_, note) = *notice else { panic!("{notice:?}") };
                let channels: Vec<&str> = to.iter().flat_map(|to| &to.channels).map(ChannelId::as_str).collect();
                let from = match &note {
                    Note::Handover { from, count, .. } => {
                        assert_eq!(*count, 0);
                        *from
                    }
                    Note::Gap { from, .. } => *from,
                    other => panic!("{other:?}"),
                };
                let local = |at: Timestamp| {
                    let local = at.to_zoned_datetime(timezone.clone());
                    format!("{:02} {}", local.day(), hour(local.time()))
                };
                lines.push(format!("{}: {} {} {}", local(now), note.reason(), channels.join(","), local(from)));
            }
            now = monitor.next_deadline().max(now + jiff::Span::new().seconds(1));
            effects = monitor.handle(now, Event::Tick);
            woken += 1;
        }
        (lines, woken)
    }

    #[test]
    fn who_takes_over_is_told_in_time_and_a_gap_three_days_ahead_each_once() {
        let (lines, woken) = told("2026-11-03T06:00:00", "2026-11-06T00:00:00");
        assert_eq!(
            lines,
            [
                "03 06:30: handover binh 03 07:00",
                "04 06:30: handover an 04 07:00",
                // Three days ahead, within the hour.
                "04 07:30: roster_gap keeper 07 07:00",
                "05 06:30: handover binh 05 07:00",
            ]
        );
        assert!(woken < 3 * 24 * 4, "woken {woken} times in three days");
    }

    #[test]
    fn a_gap_is_told_to_those_who_keep_the_roster_where_they_are_named() {
        let roster_keepers = vec![Target::Channel("chief".into())];
        let now = at("2026-11-04T12:00:00");
        let settings = Settings { alert: alert::Settings { roster_keepers, ..settings().alert }, ..settings() };
        let (name, timezone) = ("Hải Bình".to_owned(), TimeZone::fixed(jiff::tz::offset(7)));
        let commune = Commune { name, language: Language::Vi, timezone, night: DailyHours::NIGHT };
        let (_, effects) = Monitor::new(Arc::new(Fleet::empty(commune)), settings, Default::default(), now);
        let told = effects.iter().filter_map(|effect| match effect {
            Effect::Notify(notice, to) if notice.reason() == "roster_gap" => Some(to[0].key()),
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), ["channel:chief"]);
    }

    #[test]
    fn what_begins_while_nobody_was_there_is_told_at_the_start() {
        let (lines, _) = told("2026-11-03T06:45:00", "2026-11-03T06:50:00");
        assert_eq!(lines, ["03 06:45: handover binh 03 07:00"]);
        let (lines, _) = told("2026-11-07T08:00:00", "2026-11-08T00:30:00");
        // A gap that has begun is told each day.
        assert_eq!(lines, ["07 08:00: roster_gap keeper 07 08:00", "08 00:00: roster_gap keeper 08 00:00"]);
    }
}
