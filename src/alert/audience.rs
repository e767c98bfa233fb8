//! Who is told of an incident, and what that means for the steps of its escalation.

use super::{Settings, Step, Target, roster};
use crate::model::{Cause, Incident, Reason, Recipient, later};
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;

/// An escalation that maintenance keeps back is considered again after this, and a round begins again no sooner.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// An exercise that nobody takes on ends so long after its last step.
pub(super) const DRILL: Duration = Duration::from_secs(10 * 60);

/// Whether an incident's escalation has a further step in this round.
pub(super) fn has_further(incident: &Incident, settings: &Settings) -> bool {
    !is_over(incident, settings) && !incident.escalated.is_multiple_of(steps(settings))
}

/// Whether all steps of an incident's escalation were taken, as often as they are repeated.
pub(super) fn is_over(incident: &Incident, settings: &Settings) -> bool {
    incident.escalated >= all_steps(settings)
}

/// The steps of all rounds.
fn all_steps(settings: &Settings) -> u32 {
    steps(settings).saturating_mul(settings.repeat.saturating_add(1))
}

fn steps(settings: &Settings) -> u32 {
    u32::try_from(policy(settings).len()).unwrap_or(u32::MAX).max(1)
}

/// What the first notice of an incident says.
pub(super) fn first_reason(incident: &Incident) -> Reason {
    match incident.cause {
        Cause::Monitor => Reason::MonitorCutOff,
        Cause::Unproven(_) => Reason::CoverageUnproven,
        Cause::Drill(_) => Reason::Drill,
        Cause::Site(_) | Cause::Link(_) | Cause::Device(_) | Cause::Commune => Reason::CoverageLost,
    }
}

/// Who is told of an incident now, and what becomes of its escalation by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Who is told.
    pub(super) to: Vec<Recipient>,
    /// To be noted with it.
    pub(super) escalation: Escalation,
    /// Until when quiet hours keep it from people, if they do.
    pub(super) quiet: Option<Timestamp>,
}

/// How far the escalation of an incident is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Escalation {
    /// Whoever was told so far.
    audience: Vec<Recipient>,
    /// Whether a person was told.
    paged: bool,
    /// Steps that were taken.
    escalated: u32,
    /// When the next one is due.
    escalates: Option<Timestamp>,
    /// The notice by which the last one was taken.
    climbed: u32,
    /// Whether it ends by itself.
    is_drill: bool,
}

impl Escalation {
    fn of(incident: &Incident) -> Self {
        let Incident { audience, paged, escalated, escalates, climbed, .. } = incident;
        let (paged, escalated, escalates, climbed) = (*paged, *escalated, *escalates, *climbed);
        Self { audience: audience.clone(), paged, escalated, escalates, climbed, is_drill: incident.is_drill() }
    }

    /// Notes it.
    pub(super) fn note(self, incident: &mut Incident) {
        incident.audience = self.audience;
        (incident.paged, incident.escalated, incident.escalates) = (self.paged, self.escalated, self.escalates);
        incident.climbed = self.climbed;
    }
}

/// Who is told of an incident for a reason, and what becomes of its escalation by it.
pub(super) fn call(incident: &Incident, reason: Reason, now: Timestamp, settings: &Settings, zone: &TimeZone) -> Call {
    let mut escalation = Escalation::of(incident);
    let shared: Vec<Target> = settings.always.iter().cloned().map(Target::Channel).collect();
    let mut to = match reason {
        Reason::Escalated | Reason::Reminder => Vec::new(),
        // Whoever waited for the end of quiet hours: shared channels were told at once.
        _ if reason == first_reason(incident) && incident.step > 0 => Vec::new(),
        _ => roster::recipients(settings, &shared, now, zone),
    };
    if !reason.pages() {
        incident.audience.iter().for_each(|recipient| add(&mut to, recipient));
        return Call { to, escalation, quiet: None };
    }
    let quiet = quiet_until(incident, now, settings, zone);
    if quiet.is_some() {
        escalation.escalates = quiet;
        return Call { to, escalation, quiet };
    }
    let climbs = !incident.paged || matches!(reason, Reason::Escalated | Reason::Reminder);
    if climbs {
        escalation.climbed = incident.step + 1;
        escalation.climb(&mut to, incident.ack.is_some(), now, settings, zone);
    } else {
        // Worse: all who know are told, and so is whoever is on call now. Nobody's telephone rings twice for one cause.
        let read = incident.audience.iter().filter(|recipient| !recipient.rings);
        read.for_each(|recipient| add(&mut to, recipient));
        let first = policy(settings).first().map(|step| step.to.clone()).unwrap_or_default();
        for recipient in roster::recipients(settings, &first, now, zone) {
            add(&mut escalation.audience, &recipient);
            add(&mut to, &recipient);
        }
    }
    Call { to, escalation, quiet }
}

impl Escalation {
    /// Takes the next step: whoever it calls is told too.
    fn climb(&mut self, to: &mut Vec<Recipient>, taken_on: bool, now: Timestamp, settings: &Settings, zone: &TimeZone) {
        let policy = policy(settings);
        let count = steps(settings);
        let at = |escalated: u32| policy.get((escalated % count) as usize);
        let step = at(self.escalated).map(|step| step.to.clone()).unwrap_or_default();
        let people = roster::recipients(settings, &step, now, zone);
        self.paged |= !people.is_empty();
        for recipient in people.iter().chain(&roster::telephones(settings, &people)) {
            add(&mut self.audience, recipient);
            add(to, recipient);
        }
        self.escalated += 1;
        let goes_on = !taken_on && self.escalated < all_steps(settings);
        // A round that begins again waits at least a minute.
        let least = if self.escalated.is_multiple_of(count) { PAUSE } else { Duration::ZERO };
        let wait = at(self.escalated).map(|step| step.after).unwrap_or_default().max(least);
        self.escalates = match goes_on {
            true => Some(later(now, wait)),
            false => self.is_drill.then(|| later(now, DRILL)),
        };
    }
}

/// The end of the quiet hours that keep an incident from people, if they do.
fn quiet_until(incident: &Incident, now: Timestamp, settings: &Settings, zone: &TimeZone) -> Option<Timestamp> {
    let quiet = settings.quiet.as_ref()?;
    let loud = incident.told == quiet.except || incident.told.worse_than(quiet.except);
    let minor = !loud && incident.cause != Cause::Monitor && !incident.is_drill() && !incident.paged;
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
