//! Who is told: the channels that always are, and those of the person on call.
//!
//! Pure.

use super::{Person, Rotation, Settings};
use crate::model::{ChannelId, PersonId};
use jiff::{Timestamp, tz::TimeZone};

/// The channels that a notice goes to at `now`, each once, in the order of the configuration.
pub fn recipients(settings: &Settings, now: Timestamp, zone: &TimeZone) -> Vec<ChannelId> {
    let on_call = on_call(settings, now, zone).map(|(_, person)| person.channels.as_slice()).unwrap_or_default();
    let mut channels: Vec<ChannelId> = Vec::new();
    for channel in settings.always.iter().chain(on_call) {
        if !channels.contains(channel) {
            channels.push(channel.clone());
        }
    }
    channels
}

/// Who is on call at `now`, if there is a rotation.
pub fn on_call<'s>(settings: &'s Settings, now: Timestamp, zone: &TimeZone) -> Option<(&'s PersonId, &'s Person)> {
    let id = turn(settings.rotation.as_ref()?, now, zone)?;
    settings.people.get_key_value(id)
}

/// Turns are counted in days of the calendar, so that handing over stays at its hour. Before the first turn the
/// cycle runs backwards: somebody is always on call.
fn turn<'r>(rotation: &'r Rotation, now: Timestamp, zone: &TimeZone) -> Option<&'r PersonId> {
    let local = now.to_zoned_datetime(zone.clone());
    let days = i64::from(rotation.start.until(local.date()).ok()?.get_days());
    let days = if local.time() < rotation.handover { days - 1 } else { days };
    let turn = days.div_euclid(i64::from(rotation.days.max(1)));
    let count = i64::try_from(rotation.people.len()).ok().filter(|count| *count > 0)?;
    rotation.people.get(usize::try_from(turn.rem_euclid(count)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let person = |name: &str| Person { name: name.into(), channels: vec!["all".into(), name.into()] };
        let people = ["an", "binh", "chi"];
        Settings {
            always: vec!["all".into()],
            people: people.iter().map(|name| ((*name).into(), person(name))).collect(),
            rotation: Some(Rotation {
                people: people.iter().map(|name| (*name).into()).collect(),
                start: jiff::civil::date(2026, 11, 2),
                handover: jiff::civil::time(7, 0, 0, 0),
                days: 2,
            }),
            ..Settings::default()
        }
    }

    #[track_caller]
    fn check(local: &str, expected: &str) {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let now = format!("{local}+07:00").parse().expect("a time");
        let settings = settings();
        assert_eq!(on_call(&settings, now, &zone).map(|(id, _)| id.as_str()), Some(expected), "{local}");
        let channels = recipients(&settings, now, &zone);
        assert_eq!(channels.iter().map(ChannelId::as_str).collect::<Vec<_>>(), ["all", expected]);
    }

    #[test]
    fn turns_change_at_the_hour_of_handing_over() {
        check("2026-11-02T07:00:00", "an");
        check("2026-11-04T06:59:59", "an");
        check("2026-11-04T07:00:00", "binh");
        check("2026-11-06T12:00:00", "chi");
        check("2026-11-08T07:00:00", "an");
    }

    #[test]
    fn before_the_first_turn_somebody_is_on_call_too() {
        check("2026-11-02T06:00:00", "chi");
        check("2026-10-30T08:00:00", "binh");
    }

    #[test]
    fn without_a_rotation_the_common_channels_are_told() {
        let settings = Settings { rotation: None, ..settings() };
        assert_eq!(recipients(&settings, Timestamp::UNIX_EPOCH, &TimeZone::UTC), ["all".into()]);
    }
}
