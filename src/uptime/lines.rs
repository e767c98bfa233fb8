//! What a report says, as data: totals, a line for each thing and group, causes, days and incidents.

use super::{
    account::{Account, Seconds},
    answers::Answers,
    terms::Terms,
};
use crate::model::{CameraId, FailureKind, Level, Strength, closed};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Everything of one period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Report {
    /// Whose report it is.
    pub commune: String,
    /// IANA zone of its days, or its offset where it has no name.
    pub timezone: String,
    /// The same.
    #[serde(skip)]
    pub zone: TimeZone,
    /// First moment.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// First moment after what it counts.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Since when anything is remembered, in whatever period; `null` where that is not known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub known_since: Option<Timestamp>,
    /// Whether the period is over; else it is counted up to the moment at which the report was made.
    pub complete: bool,
    /// Availability agreed for cameras, 0 to 1.
    pub camera_target: f64,
    /// Availability agreed for sites, 0 to 1.
    pub site_target: f64,
    /// Share of the time that must have been measured for a verdict, 0 to 1.
    pub measured_at_least: f64,
    /// All cameras together.
    pub total: Line,
    /// By whose cameras they are.
    pub kinds: Vec<Line>,
    /// All sites together.
    pub coverage: Line,
    /// Each site, the worst first.
    pub sites: Vec<Line>,
    /// Each camera, the worst first.
    pub cameras: Vec<Line>,
    /// Each link, the worst first.
    pub links: Vec<Line>,
    /// Cameras by the link that they hang on, the worst first.
    pub cameras_by_link: Vec<Line>,
    /// Cameras by the area that they count to, with all areas that are a part of it, the worst first.
    pub cameras_by_area: Vec<Line>,
    /// Cameras by make and model, the worst first.
    pub makes: Vec<Line>,
    /// What cameras were down by, the longest first.
    pub causes: Vec<CauseLine>,
    /// All cameras day by day.
    pub days: Vec<DayLine>,
    /// Incidents that were open at some time of it, in order.
    pub incidents: Vec<IncidentLine>,
    /// How those were answered that were decided in it.
    pub answers: Answers,
    /// How exercises were answered, which count nowhere else.
    pub drills: Answers,
    /// What became of the contract's terms on repairs; `null` where there are none.
    pub contract: Option<Terms>,
    /// The same length of time before.
    pub before: Option<Trend>,
    /// Cameras that the journal knows and the configuration no longer has; nothing of theirs is counted.
    pub removed: Vec<CameraId>,
}

/// One thing, or several added up by their seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
pub struct Line {
    /// Its id, or the name of the group.
    pub id: String,
    /// Its name for people; that of household cameras is their id.
    pub name: String,
    /// How many cameras or sites are added up.
    pub members: usize,
    /// Of a camera that is not looked at: the weaker proof by which it counts as seeing.
    pub proof: Option<Strength>,
    /// Seconds in each state; they add up to the period, once for each member.
    pub seconds: Seconds,
    /// Of a site: seconds of `down` in which no view at all was seen.
    pub blind_seconds: Option<i64>,
    /// Up as a share of up and down, whoever is to blame, 0 to 1.
    pub service: Option<f64>,
    /// The same without outages of others' lines and power, 0 to 1.
    pub contractor: Option<f64>,
    /// How much of the time in which it was to work was measured, 0 to 1.
    pub measured: Option<f64>,
    /// Outages, whoever is to blame.
    pub outages: usize,
    /// Outages that the contractor answers for.
    pub failures: usize,
    /// Mean time to restore: the contractor's seconds down by failure.
    pub mttr_seconds: Option<f64>,
    /// Mean operating time between failures: seconds up by failure.
    pub mtbf_seconds: Option<f64>,
    /// Change against the period before of what the verdict is about, in shares of 1.
    pub change: Option<f64>,
    /// How it stands to what was agreed; `None` where nothing was.
    pub verdict: Option<Verdict>,
    /// Availability day by day, of what the verdict is about.
    pub days: Vec<Option<f64>>,
}

closed! {
    /// How availability stands to what was agreed.
    pub enum Verdict {
        /// It is as agreed.
        Pass "pass",
        /// It is less.
        Fail "fail",
        /// Too little was measured to say.
        NotMeasured "not_measured",
    }
}

/// What cameras were down by.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CauseLine {
    /// What the seconds count as.
    pub account: Account,
    /// Why, where the camera itself was down.
    pub cause: Option<FailureKind>,
    /// Camera-seconds.
    pub seconds: i64,
    /// How many cameras.
    pub cameras: usize,
}

/// All cameras on one day.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DayLine {
    /// Which day, where people live.
    #[schema(value_type = String, format = Date)]
    pub date: jiff::civil::Date,
    /// Camera-seconds in each state.
    pub seconds: Seconds,
    /// As in [`Line`].
    pub service: Option<f64>,
    /// As in [`Line`].
    pub contractor: Option<f64>,
    /// As in [`Line`].
    pub measured: Option<f64>,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentLine {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: u32,
    /// What failed: site, link, device, commune or monitor.
    pub cause: &'static str,
    /// The name for people of what failed.
    pub place: String,
    /// The worst level that was told.
    pub level: Level,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it ended; `None` while it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// How long it lasted, or has lasted.
    pub seconds: i64,
    /// How long it took until somebody took it on.
    pub acknowledged_after_seconds: Option<i64>,
}

/// All cameras in the period before.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Trend {
    /// First moment.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// As in [`Line`].
    pub service: Option<f64>,
    /// As in [`Line`].
    pub contractor: Option<f64>,
    /// As in [`Line`].
    pub measured: Option<f64>,
}

/// The figure of a line that is compared.
type Figure = fn(&Line) -> Option<f64>;

impl Report {
    /// Whether anything is remembered of the period.
    pub fn is_known(&self) -> bool {
        self.known_since.is_none_or(|since| since < self.until)
    }

    /// Notes in each line how it changed.
    pub(super) fn compare(&mut self, before: &Self) {
        fn set(line: &mut Line, before: &Line, figure: Figure) {
            line.change = figure(line).zip(figure(before)).map(|(now, then)| now - then);
        }
        let contractor: Figure = |line| line.contractor;
        let service: Figure = |line| line.service;
        set(&mut self.total, &before.total, contractor);
        set(&mut self.coverage, &before.coverage, service);
        let groups: [(&mut Vec<Line>, &[Line], Figure); 7] = [
            (&mut self.kinds, &before.kinds, contractor),
            (&mut self.cameras, &before.cameras, contractor),
            (&mut self.sites, &before.sites, service),
            (&mut self.links, &before.links, service),
            (&mut self.cameras_by_link, &before.cameras_by_link, contractor),
            (&mut self.cameras_by_area, &before.cameras_by_area, contractor),
            (&mut self.makes, &before.makes, contractor),
        ];
        for (lines, before, figure) in groups {
            let before: BTreeMap<&str, &Line> = before.iter().map(|line| (line.id.as_str(), line)).collect();
            for line in lines {
                if let Some(same) = before.get(line.id.as_str()) {
                    set(line, same, figure);
                }
            }
        }
    }
}
