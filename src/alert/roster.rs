//! Who is on call: turns, shifts and stand-ins, in local time.
//!
//! Pure. Turns are counted in days of the calendar, so that handing over stays at its hour. Before the first turn the
//! cycle runs backwards: somebody is always on call.

use super::{Override, Rotation, Settings, Target};
use crate::model::{PersonId, Recipient};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// A time in which one person answers for a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub person: PersonId,
    /// First moment.
    pub from: Timestamp,
    /// First moment after.
    pub until: Timestamp,
    /// Whether they stand in for whoever has the turn.
    pub stands_in: bool,
}

/// Who is on call in a rotation at `now`.
pub fn on_call<'s>(
    settings: &'s Settings,
    rotation: &'s Rotation,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<&'s PersonId> {
    stand_in(settings, rotation, now).and_then(|other| other.person.as_ref()).or_else(|| turn(rotation, now, zone))
}

/// The shift at `now` and those after it, `count` in all.
pub fn shifts(settings: &Settings, rotation: &Rotation, now: Timestamp, zone: &TimeZone, count: usize) -> Vec<Shift> {
    let mut shifts: Vec<Shift> = Vec::new();
    let mut at = now;
    // A rotation of one person never changes hands: its boundaries are bounded too.
    for _ in 0..4096 {
        let Some(person) = on_call(settings, rotation, at, zone) else { break };
        let Some(until) = next_boundary(settings, rotation, at, zone) else { break };
        let stands_in = stands_in(settings, rotation, at);
        let full = shifts.len() == count;
        match shifts.last_mut() {
            Some(last) if last.person == *person && last.stands_in == stands_in => last.until = until,
            _ if full => break,
            _ => shifts.push(Shift { person: person.clone(), from: at, until, stands_in }),
        }
        at = until;
    }
    shifts
}

/// Those whom targets stand for at `now`, each once.
pub fn recipients(settings: &Settings, targets: &[Target], now: Timestamp, zone: &TimeZone) -> Vec<Recipient> {
    let mut people: Vec<PersonId> = Vec::new();
    let mut recipients: Vec<Recipient> = Vec::new();
    let named = |id: &str| settings.rotations.iter().find(|rotation| rotation.id == id);
    for target in targets {
        match target {
            Target::OnCall => people.extend(
                settings.rotations.iter().filter_map(|rotation| on_call(settings, rotation, now, zone).cloned()),
            ),
            Target::Rotation(id) => {
                people.extend(named(id).and_then(|rotation| on_call(settings, rotation, now, zone).cloned()));
            }
            Target::Next(id) => {
                let next = named(id).and_then(|rotation| shifts(settings, rotation, now, zone, 2).pop());
                people.extend(next.map(|shift| shift.person));
            }
            Target::Person(person) => people.push(person.clone()),
            Target::Channel(channel) => {
                let channels = vec![channel.clone()];
                recipients.push(Recipient { person: None, channels, rings: false });
            }
        }
    }
    for person in people {
        if let Some(known) = settings.people.get(&person) {
            recipients.push(Recipient { person: Some(person), channels: known.channels.clone(), rings: false });
        }
    }
    let mut keys = std::collections::BTreeSet::new();
    recipients.retain(|recipient| keys.insert(recipient.key()));
    recipients
}

/// Whether somebody stands in at `now`.
pub(super) fn stands_in(settings: &Settings, rotation: &Rotation, now: Timestamp) -> bool {
    stand_in(settings, rotation, now).is_some_and(|other| other.person.is_some())
}

/// Whether whoever has the turn at `now` is away and nobody stands in. They are on call all the same: that is better than
/// nobody.
pub(super) fn is_open(settings: &Settings, rotation: &Rotation, now: Timestamp) -> bool {
    stand_in(settings, rotation, now).is_some_and(|other| other.person.is_none())
}

/// The telephones of these people, as far as they are called for alarms.
pub fn telephones(settings: &Settings, people: &[Recipient]) -> Vec<Recipient> {
    let telephone = |recipient: &Recipient| {
        let person = recipient.person.clone()?;
        let calls = &settings.people.get(&person)?.calls;
        (!calls.is_empty()).then(|| Recipient { person: Some(person), channels: calls.clone(), rings: true })
    };
    people.iter().filter_map(telephone).collect()
}

fn stand_in<'s>(settings: &'s Settings, rotation: &Rotation, now: Timestamp) -> Option<&'s Override> {
    let applies = |other: &&Override| {
        other.from <= now && now < other.until && other.rotation.as_ref().is_none_or(|id| *id == rotation.id)
    };
    settings.overrides.iter().rfind(applies)
}

fn turn<'r>(rotation: &'r Rotation, now: Timestamp, zone: &TimeZone) -> Option<&'r PersonId> {
    let local = now.to_zoned_datetime(zone.clone());
    let mut handovers = rotation.handovers.clone();
    handovers.sort();
    let shifts = i64::try_from(handovers.len()).ok().filter(|shifts| *shifts > 0)?;
    let days = i64::from(rotation.start.until(local.date()).ok()?.get_days());
    let passed = handovers.iter().filter(|handover| **handover <= local.time()).count();
    let number = days * shifts + i64::try_from(passed).ok()? - 1;
    let turn = number.div_euclid(i64::from(rotation.days.max(1)));
    let count = i64::try_from(rotation.people.len()).ok().filter(|count| *count > 0)?;
    rotation.people.get(usize::try_from(turn.rem_euclid(count)).ok()?)
}

/// The next moment at which somebody else may be on call.
pub(super) fn next_boundary(
    settings: &Settings,
    rotation: &Rotation,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let today = now.to_zoned_datetime(zone.clone()).date();
    let days = (0..=2).filter_map(|day| today.checked_add(day.days()).ok());
    let handovers = days.flat_map(|day| {
        rotation.handovers.iter().filter_map(move |handover| {
            Some(day.to_datetime(*handover).to_zoned_datetime(zone.clone()).ok()?.timestamp())
        })
    });
    let overrides = settings.overrides.iter().flat_map(|other| [other.from, other.until]);
    handovers.chain(overrides).filter(|at| *at > now).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alert::Person, model::ChannelId};
    use jiff::civil::{date, time};

    fn zone() -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(7))
    }

    fn at(local: &str) -> Timestamp {
        format!("{local}+07:00").parse().expect("a time")
    }

    fn settings(handovers: &[i8], days: u32) -> Settings {
        let person = |name: &str| Person { name: name.into(), channels: vec![name.into()], calls: vec![] };
        let people = ["an", "binh", "chi"];
        Settings {
            people: people.iter().map(|name| ((*name).into(), person(name))).collect(),
            rotations: vec![Rotation {
                id: "truc".into(),
                people: people.iter().map(|name| (*name).into()).collect(),
                start: date(2026, 11, 2),
                handovers: handovers.iter().map(|hour| time(*hour, 0, 0, 0)).collect(),
                days,
                handover_notice: std::time::Duration::ZERO,
            }],
            ..Settings::default()
        }
    }

    #[track_caller]
    fn check(settings: &Settings, local: &str, expected: &str) {
        let found = on_call(settings, &settings.rotations[0], at(local), &zone());
        assert_eq!(found.map(PersonId::as_str), Some(expected), "{local}");
    }

    #[test]
    fn turns_change_at_the_hour_of_handing_over() {
        let settings = settings(&[7], 2);
        check(&settings, "2026-11-02T07:00:00", "an");
        check(&settings, "2026-11-04T06:59:59", "an");
        check(&settings, "2026-11-04T07:00:00", "binh");
        check(&settings, "2026-11-06T12:00:00", "chi");
        check(&settings, "2026-11-08T07:00:00", "an");
    }

    #[test]
    fn before_the_first_turn_somebody_is_on_call_too() {
        let settings = settings(&[7], 2);
        check(&settings, "2026-11-02T06:00:00", "chi");
        check(&settings, "2026-10-30T08:00:00", "binh");
    }

    #[test]
    fn shifts_hand_over_several_times_a_day() {
        let settings = settings(&[19, 7], 1);
        check(&settings, "2026-11-02T07:00:00", "an");
        check(&settings, "2026-11-02T19:00:00", "binh");
        check(&settings, "2026-11-03T06:59:00", "binh");
        check(&settings, "2026-11-03T07:00:00", "chi");
    }

    #[test]
    fn at_tet_somebody_stands_in_and_the_shifts_say_so() {
        let mut settings = settings(&[7], 1);
        let tet = |person: &str, from: &str, until: &str| Override {
            rotation: None,
            person: Some(person.into()),
            from: at(from),
            until: at(until),
            reason: "Tết".into(),
        };
        settings.overrides = vec![
            tet("chi", "2026-11-03T00:00:00", "2026-11-05T00:00:00"),
            tet("binh", "2026-11-04T00:00:00", "2026-11-04T12:00:00"),
        ];
        check(&settings, "2026-11-03T08:00:00", "chi");
        check(&settings, "2026-11-04T08:00:00", "binh");
        let shifts = shifts(&settings, &settings.rotations[0], at("2026-11-02T08:00:00"), &zone(), 5);
        let shown: Vec<String> = (shifts.iter())
            .map(|shift| format!("{}{} {}", shift.person, if shift.stands_in { "*" } else { "" }, shift.until))
            .collect();
        assert_eq!(
            shown,
            [
                "an 2026-11-02T17:00:00Z",
                "chi* 2026-11-03T17:00:00Z",
                "binh* 2026-11-04T05:00:00Z",
                "chi* 2026-11-04T17:00:00Z",
                "chi 2026-11-05T00:00:00Z",
            ]
        );
    }

    #[test]
    fn targets_become_people_each_once() {
        let settings = settings(&[7], 1);
        let targets = [
            Target::Channel("wall".into()),
            Target::OnCall,
            Target::Next("truc".into()),
            Target::Person("an".into()),
            Target::Rotation("none".into()),
        ];
        let recipients = recipients(&settings, &targets, at("2026-11-02T08:00:00"), &zone());
        let channels: Vec<&ChannelId> = recipients.iter().flat_map(|recipient| &recipient.channels).collect();
        assert_eq!(channels.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["wall", "an", "binh"]);
    }

    #[test]
    fn a_rotation_of_one_has_one_long_shift() {
        let mut settings = settings(&[7], 1);
        settings.rotations[0].people.truncate(1);
        assert_eq!(shifts(&settings, &settings.rotations[0], at("2026-11-02T08:00:00"), &zone(), 3).len(), 1);
    }
}
