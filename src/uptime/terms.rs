//! The contract in a report: what was kept and what was missed in its period, each incident with what its seconds count as.

use super::{
    clock::{Clock, Deadline, Reckoning, Stand, of_incident},
    past::Past,
    settings::Settings,
    span::{Month, Period, second},
};
use crate::model::{Duty, Fleet, Incident, Level};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of the contract's terms in a period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Terms {
    /// Who is bound by the contract.
    pub contractor: String,
    /// How answers stood.
    pub respond: Kept,
    /// How repairs stood.
    pub repair: Kept,
    /// Each term of each incident that was kept or missed in the period, or ran at its end; what was missed first.
    pub lines: Vec<TermLine>,
}

/// How many deadlines were kept and missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Kept {
    /// Done in time.
    pub kept: usize,
    /// Not done in time.
    pub missed: usize,
    /// Neither by the end of the period.
    pub open: usize,
}

impl Kept {
    /// Kept as a share of what was kept and missed.
    pub fn share(&self) -> Option<f64> {
        let all = self.kept + self.missed;
        (all > 0).then(|| self.kept as f64 / all as f64)
    }

    fn add(&mut self, deadline: &Deadline) {
        match deadline.stands {
            Stand::Kept => self.kept += 1,
            Stand::Missed => self.missed += 1,
            Stand::Running | Stand::Paused => self.open += 1,
            Stand::Merged => {}
        }
    }
}

/// An incident under one term.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TermLine {
    /// The incident's id.
    pub id: String,
    /// Its number.
    pub number: u32,
    /// What failed: site, link, device, commune or unproven.
    pub cause: &'static str,
    /// The name for people of what failed.
    pub place: String,
    /// The level of which the term speaks.
    pub level: Level,
    /// When it was decided: its seconds are counted from then on.
    #[schema(value_type = String, format = DateTime)]
    pub opened: Timestamp,
    /// When it ended, where that was within the period.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed: Option<Timestamp>,
    /// Who answered first for the contractor, and when, where that was within the period.
    pub responded_by: Option<String>,
    /// The same.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub responded: Option<Timestamp>,
    /// How its answer stands; `null` where none was agreed, or it was decided before the period.
    pub respond: Option<Deadline>,
    /// How its repair stands, in the same way.
    pub repair: Option<Deadline>,
    /// What its seconds count as, up to the end of the period.
    pub seconds: Reckoning,
    /// Seconds before the month that comes before the period's: a report reads no further back, and counts none of them.
    pub earlier_seconds: i64,
}

/// The terms of a period; `None` without a contract.
pub(super) fn terms(
    past: &Past<'_>,
    fleet: &Fleet,
    incidents: &[Incident],
    period: &Period,
    settings: &Settings,
) -> Option<Terms> {
    let contract = settings.contract.as_ref()?;
    // What is older is not in the history that reports are made from.
    let first = Month::of(second(period.from), &period.zone).before().period(&period.zone, second(period.until)).from;
    let (mut respond, mut repair, mut lines) = (Kept::default(), Kept::default(), Vec::new());
    for incident in incidents.iter().filter(|incident| incident.opened.as_second() < period.until) {
        let from = incident.opened.as_second().max(first);
        for clock in of_incident(past, contract, incident, (from, period.until), &period.zone) {
            let line = line(fleet, incident, clock, period, from);
            if line.respond.is_none() && line.repair.is_none() {
                continue;
            }
            line.respond.iter().for_each(|deadline| respond.add(deadline));
            line.repair.iter().for_each(|deadline| repair.add(deadline));
            lines.push(line);
        }
    }
    let missed = |line: &TermLine| {
        let is = |deadline: &Option<Deadline>| deadline.is_some_and(|one| one.stands == Stand::Missed);
        is(&line.repair) || is(&line.respond)
    };
    lines.sort_by_key(|line| (!missed(line), line.opened, line.number, line.level.severity().map(std::cmp::Reverse)));
    Some(Terms { contractor: contract.contractor.clone(), respond, repair, lines })
}

fn line(fleet: &Fleet, incident: &Incident, clock: Clock, period: &Period, from: i64) -> TermLine {
    // What was decided in a month before stands in that month's report. What began before all that is read here was counted
    // whole while it was open.
    let noted = |duty: Duty| {
        let old = from > incident.opened.as_second();
        let noted = incident.overdue.iter().find(|one| one.duty == duty && one.level == clock.level);
        noted.filter(|_| old).map(|one| one.at).filter(|at| at.as_second() < period.until)
    };
    let of_period = |duty: Duty, deadline: Deadline| {
        let deadline = match noted(duty) {
            Some(at) if deadline.stands != Stand::Merged => {
                Deadline { stands: Stand::Missed, at: Some(at), ..deadline }
            }
            _ => deadline,
        };
        let decided = matches!(deadline.stands, Stand::Kept | Stand::Missed);
        let at = deadline.at.map_or(period.from, Timestamp::as_second);
        (deadline.stands != Stand::Merged && (!decided || at >= period.from)).then_some(deadline)
    };
    let within = |at: &Timestamp| at.as_second() < period.until;
    let responded = incident.responded.as_ref().filter(|ack| within(&ack.at));
    TermLine {
        id: incident.id.to_string(),
        number: incident.number,
        cause: incident.cause.kind(),
        place: fleet.place(&incident.cause),
        level: clock.level,
        opened: incident.opened,
        closed: incident.closed.filter(within),
        responded_by: responded.map(|ack| ack.by.clone()),
        responded: responded.map(|ack| ack.at),
        respond: clock.respond.and_then(|deadline| of_period(Duty::Respond, deadline)),
        repair: clock.repair.and_then(|deadline| of_period(Duty::Repair, deadline)),
        seconds: clock.seconds,
        earlier_seconds: from - incident.opened.as_second(),
    }
}
