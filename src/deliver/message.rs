//! A notice in words, Vietnamese or English: site, level, lost views, since when, which cameras and why.
//!
//! Pure. Household cameras are counted, never named: their owners' affairs do not travel over push services.

use crate::model::{CameraLine, Language, Notice, Reason, elapsed};
use jiff::{Timestamp, tz::TimeZone};
use std::time::Duration;
use url::Url;

/// A title that fits a lock screen, and what an officer needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub title: String,
    /// A few lines.
    pub body: String,
    /// Where to look further.
    pub link: Option<Url>,
}

/// Puts a notice into words. Times are local to `zone`.
pub fn compose(notice: &Notice, language: Language, zone: &TimeZone, page: Option<&Url>) -> Message {
    let words = Words { language, zone, now: notice.at };
    let mut lines = vec![words.place(notice), words.coverage(notice), words.since(notice)];
    lines.extend(notice.cameras.iter().map(|camera| words.camera(camera)));
    if notice.households > 0 {
        lines.push(words.households(notice.households));
    }
    lines.push(words.incident(notice));
    let mut link = page.cloned();
    if let Some(link) = &mut link {
        link.set_fragment(Some(&format!("site-{}", notice.site)));
    }
    Message { title: words.title(notice), body: lines.join("\n"), link }
}

struct Words<'a> {
    language: Language,
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Words<'_> {
    fn pick<'w>(&self, vietnamese: &'w str, english: &'w str) -> &'w str {
        match self.language {
            Language::Vi => vietnamese,
            Language::En => english,
        }
    }

    fn title(&self, notice: &Notice) -> String {
        let level = notice.level.text(self.language);
        match notice.reason {
            Reason::CoverageLost => format!("{}: {level}", notice.site_name),
            Reason::CoverageWorse => format!("{}: {} {level}", notice.site_name, self.pick("nặng hơn,", "worse,")),
            Reason::CoverageRestored => {
                format!("{}: {}", notice.site_name, self.pick("đã quan sát lại được", "coverage restored"))
            }
        }
    }

    fn place(&self, notice: &Notice) -> String {
        format!("{} ({})", notice.site_name, notice.hamlet)
    }

    fn coverage(&self, notice: &Notice) -> String {
        let level = format!("{}: {}", self.pick("Mức độ", "Level"), notice.level.text(self.language));
        if notice.views_lost.is_empty() {
            return level;
        }
        let (lost, total) = (notice.views_lost.len(), notice.views_total);
        let of = match self.language {
            Language::Vi => format!("Mất {lost}/{total} hướng nhìn"),
            Language::En => format!("{lost} of {total} views lost"),
        };
        format!("{level}\n{of}: {}", notice.views_lost.join("; "))
    }

    fn since(&self, notice: &Notice) -> String {
        let since = self.clock(notice.since);
        let lasted = self.length(elapsed(notice.at, notice.since));
        match (notice.reason, self.language) {
            (Reason::CoverageRestored, Language::Vi) => format!("Mất từ {since}, kéo dài {lasted}"),
            (Reason::CoverageRestored, Language::En) => format!("Lost at {since}, for {lasted}"),
            (_, Language::Vi) => format!("Từ {since}"),
            (_, Language::En) => format!("Since {since}"),
        }
    }

    fn camera(&self, camera: &CameraLine) -> String {
        let cause = match camera.cause {
            Some(cause) => cause.text(self.language),
            None => camera.state.text(self.language),
        };
        format!("• {}: {cause}, {} {}", camera.name, self.pick("từ", "since"), self.clock(camera.since))
    }

    fn households(&self, count: usize) -> String {
        match self.language {
            Language::Vi => format!("• và {count} camera hộ dân"),
            Language::En => format!("• and {count} household camera{}", if count == 1 { "" } else { "s" }),
        }
    }

    fn incident(&self, notice: &Notice) -> String {
        format!("{} {}", self.pick("Sự cố", "Incident"), notice.incident)
    }

    /// The time of day, with the day where it is not today.
    fn clock(&self, at: Timestamp) -> String {
        let (then, now) = (at.to_zoned_datetime(self.zone.clone()), self.now.to_zoned_datetime(self.zone.clone()));
        let format = if then.date() == now.date() { "%H:%M:%S" } else { "%H:%M:%S %d/%m/%Y" };
        then.strftime(format).to_string()
    }

    fn length(&self, length: Duration) -> String {
        let seconds = length.as_secs();
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        match self.language {
            _ if seconds < 60 => format!("{seconds} {}", self.pick("giây", "s")),
            Language::Vi if hours == 0 => format!("{minutes} phút"),
            Language::Vi => format!("{hours} giờ {minutes} phút"),
            Language::En if hours == 0 => format!("{minutes} min"),
            Language::En => format!("{hours} h {minutes} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailureKind, IncidentId, Level, State};

    fn notice(reason: Reason, level: Level) -> Notice {
        let at = |time: &str| format!("2026-11-24T{time}Z").parse().expect("a time");
        let since = at("16:30:05");
        Notice {
            incident: IncidentId::stored("nga-tu-cho-1".into()),
            step: 1,
            reason,
            site: "nga-tu-cho".into(),
            site_name: "Ngã tư Chợ".into(),
            hamlet: "Thôn Đông".into(),
            level,
            views_lost: if level == Level::Full {
                vec![]
            } else {
                vec!["về phía cảng".into(), "vào chợ".into()]
            },
            views_total: 3,
            since,
            at: at("18:45:00"),
            cameras: match level {
                Level::Full => vec![],
                _ => vec![CameraLine {
                    name: "Chợ 02".into(),
                    state: State::Down,
                    cause: Some(FailureKind::Refused),
                    since,
                }],
            },
            households: if level == Level::Full { 0 } else { 2 },
        }
    }

    #[track_caller]
    fn check(notice: &Notice, language: Language, title: &str, body: &str) {
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let page = "http://may-chu.lan:9740/".parse().expect("a URL");
        let message = compose(notice, language, &zone, Some(&page));
        assert_eq!(message.title, title);
        assert_eq!(message.body, body);
        assert_eq!(message.link.expect("a link").as_str(), "http://may-chu.lan:9740/#site-nga-tu-cho");
    }

    #[test]
    fn an_alarm_says_where_what_since_when_which_and_why() {
        let notice = notice(Reason::CoverageLost, Level::Critical);
        let level = Level::Critical.text(Language::Vi);
        let cause = FailureKind::Refused.text(Language::Vi);
        check(
            &notice,
            Language::Vi,
            &format!("Ngã tư Chợ: {level}"),
            &format!(
                "Ngã tư Chợ (Thôn Đông)\nMức độ: {level}\nMất 2/3 hướng nhìn: về phía cảng; vào chợ\n\
                 Từ 23:30:05 24/11/2026\n• Chợ 02: {cause}, từ 23:30:05 24/11/2026\n• và 2 camera hộ dân\n\
                 Sự cố nga-tu-cho-1"
            ),
        );
    }

    #[test]
    fn an_all_clear_says_how_long_it_was() {
        let notice = notice(Reason::CoverageRestored, Level::Full);
        let level = Level::Full.text(Language::En);
        check(
            &notice,
            Language::En,
            "Ngã tư Chợ: coverage restored",
            &format!(
                "Ngã tư Chợ (Thôn Đông)\nLevel: {level}\nLost at 23:30:05 24/11/2026, for 2 h 14 min\n\
                 Incident nga-tu-cho-1"
            ),
        );
    }
}
