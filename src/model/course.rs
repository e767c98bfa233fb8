//! How an incident stands now, as against the worst that was told of it.

use super::{Incident, Language, Level, Local, SiteId, Snapshot};
use jiff::Timestamp;

/// How an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Course {
    /// It lasts, and the worst of its sites is at this level.
    Lasting(Level),
    /// All its sites are well enough since then; it ends when they stay so.
    Recovering(Timestamp),
    /// It ended.
    Ended(Timestamp),
}

impl Course {
    /// The course of an incident; `site` says how well a site is covered, and since when well enough while its alert
    /// is open.
    pub fn of(incident: &Incident, site: impl Fn(&SiteId) -> Option<(Level, Option<Timestamp>)>) -> Self {
        if let Some(at) = incident.closed {
            return Self::Ended(at);
        }
        let kept = incident.sites.iter().filter(|(_, told)| **told != Level::Full);
        let now: Vec<_> = kept.filter_map(|(id, _)| site(id)).collect();
        if now.is_empty() {
            return Self::Lasting(incident.told);
        }
        let recovered: Option<Vec<Timestamp>> = now.iter().map(|(_, since)| *since).collect();
        if let Some(since) = recovered.and_then(|times| times.into_iter().max()) {
            return Self::Recovering(since);
        }
        // What cannot be said is worse than what is well.
        let rank = |level: &Level| match level {
            Level::Full => 0,
            Level::Reduced => 1,
            Level::Unknown => 2,
            Level::Critical => 3,
            Level::Blind => 4,
        };
        Self::Lasting(now.into_iter().map(|(level, _)| level).max_by_key(rank).unwrap_or(incident.told))
    }

    /// Since when it recovers, if it does.
    pub fn recovering(self) -> Option<Timestamp> {
        match self {
            Self::Recovering(since) => Some(since),
            Self::Lasting(_) | Self::Ended(_) => None,
        }
    }

    /// The level whose colour it has.
    pub fn level(self) -> Level {
        match self {
            Self::Lasting(level) => level,
            Self::Recovering(_) | Self::Ended(_) => Level::Full,
        }
    }

    /// What people call it.
    pub fn text(self, language: Language, local: Local<'_>) -> String {
        let (since, vietnamese, english) = match self {
            Self::Lasting(level) => return level.text(language).to_owned(),
            Self::Recovering(since) => (since, "đang hồi phục từ", "recovering since"),
            Self::Ended(at) => (at, "kết thúc lúc", "ended at"),
        };
        format!("{} {}", language.pick(vietnamese, english), local.short(since))
    }
}

impl Snapshot {
    /// How an incident stands.
    pub fn course(&self, incident: &Incident) -> Course {
        Course::of(incident, |id| self.sites.get(id).map(|site| (site.level, site.recovering)))
    }

    /// The same for people.
    pub fn course_text(&self, course: Course, language: Language) -> String {
        course.text(language, self.local())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cause, IncidentId};

    fn at(second: i64) -> Timestamp {
        // 14:00 in Vietnam.
        Timestamp::from_second(1_790_060_400 + second).expect("a time in this century")
    }

    fn incident(sites: &[(&str, Level)], closed: Option<Timestamp>) -> Incident {
        Incident {
            id: IncidentId::stored("tu-dong-1".into()),
            number: 42,
            sites: sites.iter().map(|(id, level)| ((*id).into(), *level)).collect(),
            step: 1,
            paged: true,
            escalated: 1,
            closed,
            ..Incident::new(Cause::Link("tu-dong".into()), at(0), Level::Blind)
        }
    }

    #[test]
    fn it_is_as_bad_as_the_worst_of_the_sites_that_it_still_keeps() {
        let two = incident(&[("cho", Level::Blind), ("cang", Level::Critical)], None);
        let course = |cho, cang| Course::of(&two, |id| Some(if id.as_str() == "cho" { cho } else { cang }));
        let well = |second| (Level::Full, Some(at(second)));
        let bad = |level| (level, None);
        assert_eq!(course(bad(Level::Blind), bad(Level::Critical)), Course::Lasting(Level::Blind));
        assert_eq!(course(well(60), bad(Level::Critical)), Course::Lasting(Level::Critical), "one still lasts");
        assert_eq!(course(well(60), bad(Level::Unknown)), Course::Lasting(Level::Unknown), "ignorance is no recovery");
        assert_eq!(course(well(60), well(300)), Course::Recovering(at(300)), "since the last of them is well");
        let relieved = incident(&[("cho", Level::Full), ("cang", Level::Critical)], None);
        let course = Course::of(&relieved, |id| (id.as_str() == "cang").then_some(well(300)));
        assert_eq!(course, Course::Recovering(at(300)), "what it no longer keeps does not count");
    }

    #[test]
    fn what_has_no_site_is_as_it_was_told_and_what_ended_ended() {
        assert_eq!(Course::of(&incident(&[], None), |_| None), Course::Lasting(Level::Blind));
        let ended = Course::of(&incident(&[("cho", Level::Full)], Some(at(9))), |_| None);
        assert_eq!(ended, Course::Ended(at(9)));
    }

    #[test]
    fn it_is_said_in_local_time_with_the_day_where_it_is_another() {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
        let local = |second| Local::new(&zone, at(second));
        let course = Course::Recovering(at(300));
        assert_eq!(course.text(Language::Vi, local(400)), "đang hồi phục từ 14:05");
        assert_eq!(course.text(Language::En, local(400)), "recovering since 14:05");
        assert_eq!(course.text(Language::Vi, local(86_400)), "đang hồi phục từ 14:05 22/09");
        assert_eq!(Course::Lasting(Level::Blind).text(Language::Vi, local(0)), "mù hoàn toàn");
    }
}
