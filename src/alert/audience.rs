//! Who is told of an incident, and what that means for the steps of its escalation.

use super::{Settings, Step, Target, roster};
use crate::model::{Cause, Incident, Reason, Recipient, later};
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

/// An escalation that maintenance keeps back is considered again after this, and a round begins again no sooner.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// What the first notice of an incident says.
pub(super) fn first_reason(incident: &Incident) -> Reason {
    match incident.cause {
        Cause::Monitor => Reason::MonitorCutOff,
        Cause::Unproven(_) => Reason::CoverageUnproven,
        Cause::Site(_) | Cause::Link(_) | Cause::Device(_) | Cause::Commune => Reason::CoverageLost,
    }
}

/// Who is told, and what that means for the steps to come.
pub(super) fn audience(
    incident: &mut Incident,
    reason: Reason,
    now: Timestamp,
    settings: &Settings,
    zone: &TimeZone,
) -> Vec<Recipient> {
    let shared: Vec<Target> = settings.always.iter().cloned().map(Target::Channel).collect();
    let mut to = match reason {
        Reason::Escalated | Reason::Reminder => Vec::new(),
        // Whoever waited for the end of quiet hours: shared channels were told at once.
        _ if reason == first_reason(incident) && incident.step > 0 => Vec::new(),
        _ => roster::recipients(settings, &shared, now, zone),
    };
    if !reason.pages() {
        incident.audience.iter().for_each(|recipient| add(&mut to, recipient));
        return to;
    }
    if let Some(end) = quiet_until(incident, now, settings, zone) {
        incident.next_rung = Some(end);
        return to;
    }
    let climbs = !incident.paged || matches!(reason, Reason::Escalated | Reason::Reminder);
    if climbs {
        let policy = policy(settings);
        let count = u32::try_from(policy.len()).unwrap_or(u32::MAX);
        let at = (incident.rung % count.max(1)) as usize;
        let step = policy.get(at).map(|step| step.to.clone()).unwrap_or_default();
        let people = roster::recipients(settings, &step, now, zone);
        incident.paged |= !people.is_empty();
        for recipient in &people {
            add(&mut incident.audience, recipient);
            add(&mut to, recipient);
        }
        incident.rung += 1;
        let rounds = settings.repeat.saturating_add(1);
        let next = policy.get((incident.rung % count.max(1)) as usize).map(|step| step.after);
        let goes_on = incident.ack.is_none() && incident.rung < count.saturating_mul(rounds);
        // A round that begins again waits at least a minute.
        let wait = next.unwrap_or_default().max(if incident.rung.is_multiple_of(count.max(1)) {
            PAUSE
        } else {
            Duration::ZERO
        });
        incident.next_rung = goes_on.then(|| later(now, wait));
    } else {
        // Worse: all who know are told, and so is whoever is on call now.
        incident.audience.iter().for_each(|recipient| add(&mut to, recipient));
        let first = policy(settings).first().map(|step| step.to.clone()).unwrap_or_default();
        for recipient in roster::recipients(settings, &first, now, zone) {
            add(&mut incident.audience, &recipient);
            add(&mut to, &recipient);
        }
    }
    to
}

/// The end of the quiet hours that keep an incident from people, if they do.
fn quiet_until(incident: &Incident, now: Timestamp, settings: &Settings, zone: &TimeZone) -> Option<Timestamp> {
    let quiet = settings.quiet.as_ref()?;
    let loud = incident.told == quiet.except || incident.told.worse_than(quiet.except);
    let minor = !loud && incident.cause != Cause::Monitor && !incident.paged;
    let time = now.to_zoned_datetime(zone.clone()).time();
    (minor && quiet.hours.contain(time)).then(|| quiet.hours.ends_after(now, zone))
}

fn policy(settings: &Settings) -> std::borrow::Cow<'_, [Step]> {
    if settings.steps.is_empty() {
        let step = Step { after: Duration::ZERO, to: vec![Target::OnCall] };
        return vec![step].into();
    }
    settings.steps.as_slice().into()
}

/// Adds whoever is not among them.
pub(super) fn add(all: &mut Vec<Recipient>, one: &Recipient) {
    if all.iter().all(|known| known.key() != one.key()) {
        all.push(one.clone());
    }
}
