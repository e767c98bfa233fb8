//! The words of messages.

use crate::model::{
    CameraLine, Cameras, Cause, ChannelNotice, Course, DigestNotice, IncidentNotice, JournalNotice, Language, Local,
    Notice, OverdueLine, Reason, SiteLine, Trouble, elapsed,
};
use jiff::Timestamp;
use std::time::Duration;

pub(super) struct Words<'a> {
    pub(super) language: Language,
    pub(super) local: Local<'a>,
    /// Whether there is little room: what one can do without is left out.
    pub(super) brief: bool,
}

impl Words<'_> {
    pub(super) fn title(&self, notice: &Notice) -> String {
        match notice {
            Notice::Incident(notice) => self.news(notice),
            Notice::Channel(ChannelNotice { channel, .. }) => self
                .language
                .pick(format!("Kênh báo tin {channel} đang hỏng"), format!("The channel {channel} takes nothing")),
            Notice::Journal(notice) => self.trouble(notice.trouble).to_owned(),
            Notice::Digest(DigestNotice { plain, cameras, overdue_total, .. }) => {
                let (date, count) = (self.local.date(plain.at), cameras.public);
                let mut title = self.language.pick(
                    format!("Tổng hợp {date}: {count} camera công cộng cần xử lý"),
                    format!("Digest of {date}: {count} public cameras need attention"),
                );
                if *overdue_total > 0 {
                    let late = self.language.pick("sự cố quá hạn hợp đồng", "incidents overdue by the contract");
                    title += &format!(", {overdue_total} {late}");
                }
                title
            }
            Notice::Test(_) => self.language.pick("Tin thử từ camhealth", "A test from camhealth").to_owned(),
            Notice::Note(_, note) => self.noted(note),
        }
    }

    /// Incidents that the contractor is late with, in a line each.
    pub(super) fn overdue(&self, notice: &DigestNotice) -> Vec<String> {
        if notice.overdue_total == 0 {
            return Vec::new();
        }
        let heading = self.language.pick(
            format!("Quá hạn hợp đồng: {} sự cố.", notice.overdue_total),
            format!("Overdue by the contract: {} incidents.", notice.overdue_total),
        );
        let line = |line: &OverdueLine| {
            let since = self.language.pick("quá hạn từ", "overdue since");
            let what = line.duty.text(self.language);
            format!("• #{} {}: {what}, {since} {}", line.number, line.place, self.local.short(line.since))
        };
        let more = notice.overdue_total.saturating_sub(notice.overdue.len());
        let more = (more > 0)
            .then(|| self.language.pick(format!("• và {more} sự cố khác"), format!("• and {more} more incidents")));
        [heading].into_iter().chain(notice.overdue.iter().map(line)).chain(more).collect()
    }

    fn trouble(&self, trouble: Trouble) -> &'static str {
        match trouble {
            Trouble::Failing => self.language.pick(
                "Bộ giám sát không ghi được nhật ký: tạm ngừng báo tin",
                "The monitor cannot write its journal: it tells nobody of faults",
            ),
            Trouble::Restored => {
                self.language.pick("Bộ giám sát đã ghi được nhật ký trở lại", "The monitor can write its journal again")
            }
            Trouble::Damaged => {
                self.language.pick("Nhật ký của bộ giám sát bị hỏng", "The monitor's journal was damaged")
            }
        }
    }

    /// What is new of an incident, in a line.
    fn news(&self, notice: &IncidentNotice) -> String {
        let place = &notice.place;
        match notice.reason {
            Reason::CoverageLost | Reason::MonitorCutOff => self.headline(notice),
            Reason::CoverageWorse => match &notice.cause {
                Cause::Site(_) => {
                    format!(
                        "{place}: {} {}",
                        self.language.pick("nặng hơn,", "worse,"),
                        notice.level.text(self.language)
                    )
                }
                _ => format!("{} – {}", self.language.pick("Nặng hơn", "Worse"), self.headline(notice)),
            },
            Reason::CoverageRestored => match &notice.cause {
                Cause::Link(_) | Cause::Commune => {
                    format!("{place}: {}", self.language.pick("đã có kết nối lại", "connected again"))
                }
                _ => format!("{place}: {}", self.language.pick("đã quan sát lại được", "coverage restored")),
            },
            Reason::CoverageUnproven => self.unproven(place),
            Reason::Drill => self.headline(notice),
            Reason::DrillOver => {
                let lasted = self.length(elapsed(notice.at, notice.since));
                let outcome = match &notice.taken_on_by {
                    Some(name) => self
                        .language
                        .pick(format!("{name} đã nhận sau {lasted}"), format!("{name} took it on after {lasted}")),
                    None => self.language.pick("không ai nhận", "nobody took it on").to_owned(),
                };
                format!("{}: {outcome}", self.drill(place))
            }
            Reason::CoverageProven => {
                format!("{place}: {}", self.language.pick("đã rõ tình trạng quan sát", "known again how it is covered"))
            }
            Reason::Escalated => {
                format!("{} – {}", self.language.pick("Chưa ai nhận", "Nobody took it"), self.headline(notice))
            }
            Reason::Reminder => {
                format!("{} – {}", self.language.pick("Vẫn chưa xong", "Still open"), self.headline(notice))
            }
            Reason::Acknowledged => {
                let name = notice.taken_on_by.as_deref();
                let name = name.unwrap_or(self.language.pick("Đã có người", "Somebody"));
                format!("{name} {}: {place}", self.language.pick("đã nhận", "took it on"))
            }
            Reason::RootFound => match &notice.cause {
                Cause::Site(_) => {
                    format!(
                        "{place}: {}",
                        self.language.pick("vẫn mất, do camera tại chỗ", "still lost, by its own cameras")
                    )
                }
                _ => format!("{} – {}", self.language.pick("Đã rõ nguyên nhân", "Root found"), self.headline(notice)),
            },
            Reason::Merged => {
                format!("{place}: {}", self.language.pick("thuộc một sự cố khác", "part of another incident"))
            }
            Reason::MonitorRestored => {
                self.language.pick("Bộ giám sát đã thấy lại camera", "The monitor sees cameras again").to_owned()
            }
        }
    }

    /// What failed, in a line.
    fn headline(&self, notice: &IncidentNotice) -> String {
        let place = &notice.place;
        let cameras = notice.cameras.public + notice.cameras.households;
        let sites = notice.sites.len();
        let lost = match self.brief {
            true => String::new(),
            false => self.language.pick(
                format!(": {cameras} camera, {sites} điểm"),
                format!(": {cameras} camera{}, {sites} site{}", plural(cameras), plural(sites)),
            ),
        };
        match &notice.cause {
            Cause::Link(_) => format!("{place} {}{lost}", self.language.pick("mất kết nối", "is down")),
            Cause::Device(_) => self.language.pick(
                format!("Đầu ghi {place} không trả lời{lost}"),
                format!("Recorder {place} does not answer{lost}"),
            ),
            Cause::Commune => {
                let lost = lost.strip_prefix(": ").map(|lost| format!(" ({lost})")).unwrap_or_default();
                format!("{place}: {}{lost}", self.language.pick("toàn xã mất kết nối", "everything is down"))
            }
            Cause::Monitor => {
                self.language.pick("Bộ giám sát không thấy camera nào", "The monitor sees no camera at all").to_owned()
            }
            Cause::Unproven(_) => self.unproven(place),
            Cause::Drill(_) => self.drill(place),
            Cause::Site(_) => match self.recovering(notice) {
                Some(recovering) => format!("{place}: {recovering}"),
                None => format!("{place}: {}", notice.level.text(self.language)),
            },
        }
    }

    fn drill(&self, place: &str) -> String {
        self.language.pick(format!("DIỄN TẬP – {place}"), format!("EXERCISE – {place}"))
    }

    fn unproven(&self, place: &str) -> String {
        format!("{place}: {}", self.language.pick("chưa chứng minh được còn quan sát", "not proven that it is covered"))
    }

    pub(super) fn place(&self, place: &str, hamlet: Option<&str>) -> String {
        hamlet.map_or_else(|| place.to_owned(), |hamlet| format!("{place} ({hamlet})"))
    }

    pub(super) fn explanation(&self, notice: &IncidentNotice) -> Option<String> {
        if notice.reason.clears() {
            return None;
        }
        let text = match &notice.cause {
            Cause::Monitor => self.language.pick(
                "Không camera nào trả lời và không có gì chứng tỏ mạng của máy giám sát còn hoạt động. Camera được ghi \
                 là chưa rõ, không tính là hỏng. Kiểm tra mạng và nguồn điện của máy giám sát.",
                "No camera answers and nothing proves that the monitor's own network works. Cameras count as unknown, \
                 not as down. Check the monitor's network and power.",
            ),
            Cause::Unproven(_) => self.language.pick(
                "Từ hơn 5 phút camera có trả lời nhưng không cho lấy hình (sai tài khoản, hết lượt kết nối…), nên không \
                 biết còn quan sát được không. Chưa phải báo động; cần nhà thầu xử lý.",
                "For more than 5 minutes cameras answer and hand out no video (a refused login, no session left …), so \
                 nobody knows whether they see. This is no alarm; the contractor should mend it.",
            ),
            Cause::Drill(_) => self.language.pick(
                "Đây là diễn tập: không điểm nào bị mất. Hãy nhận như một sự cố thật.",
                "This is an exercise: nothing is lost. Please take it on as you would an incident.",
            ),
            Cause::Commune => self.language.pick(
                "Mọi camera im lặng cùng lúc trong khi mạng của máy giám sát vẫn hoạt động: có thể mất điện toàn xã.",
                "All cameras fell silent together while the monitor's network works: perhaps a power cut.",
            ),
            _ => return None,
        };
        Some(text.to_owned())
    }

    pub(super) fn coverage(&self, site: &SiteLine) -> String {
        let level = format!("{}: {}", self.language.pick("Mức độ", "Level"), site.level.text(self.language));
        if site.views_lost.is_empty() {
            return level;
        }
        let (lost, total) = (site.views_lost.len(), site.views_total);
        let of = self.language.pick(format!("Mất {lost}/{total} hướng nhìn"), format!("{lost} of {total} views lost"));
        format!("{level}\n{of}: {}", site.views_lost.join("; "))
    }

    pub(super) fn site(&self, site: &SiteLine) -> String {
        let views = match site.views_lost.len() {
            0 => String::new(),
            lost => self.language.pick(
                format!(" (mất {lost}/{} hướng)", site.views_total),
                format!(" ({lost} of {} views lost)", site.views_total),
            ),
        };
        format!("• {}: {}{views}", site.name, site.level.text(self.language))
    }

    pub(super) fn more_sites(&self, count: usize) -> String {
        self.language.pick(format!("• và {count} điểm khác"), format!("• and {count} more site{}", plural(count)))
    }

    pub(super) fn since(&self, notice: &IncidentNotice) -> String {
        let since = self.local.exact(notice.since);
        let lasted = self.length(elapsed(notice.at, notice.since));
        match notice.reason.clears() && notice.reason != Reason::DrillOver {
            true => self
                .language
                .pick(format!("Mất từ {since}, kéo dài {lasted}"), format!("Lost at {since}, for {lasted}")),
            false => {
                [self.begun(notice.since)].into_iter().chain(self.recovering(notice)).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// The same where there is little room: how long it was, or since when to the minute.
    pub(super) fn roughly_since(&self, notice: &IncidentNotice) -> String {
        match notice.reason.clears() {
            true => {
                let lasted = self.length(elapsed(notice.at, notice.since));
                self.language.pick(format!("Kéo dài {lasted}"), format!("For {lasted}"))
            }
            false => self.roughly_begun(notice.since),
        }
    }

    /// Since when, to the minute.
    pub(super) fn roughly_begun(&self, since: Timestamp) -> String {
        format!("{} {}", self.language.pick("Từ", "Since"), self.local.short(since))
    }

    /// Since when.
    pub(super) fn begun(&self, since: Timestamp) -> String {
        format!("{} {}", self.language.pick("Từ", "Since"), self.local.exact(since))
    }

    /// That it is on its way to the all-clear, if it is.
    fn recovering(&self, notice: &IncidentNotice) -> Option<String> {
        Some(Course::Recovering(notice.recovering?).text(self.language, self.local))
    }

    /// That a link's own device answers.
    pub(super) fn link_answers(&self) -> &'static str {
        self.language.pick(
            "Thiết bị mạng vẫn trả lời: kiểm tra nguồn điện của các camera.",
            "The network device itself answers: check the cameras' power.",
        )
    }

    pub(super) fn camera(&self, camera: &CameraLine) -> String {
        let cause = match camera.cause {
            Some(cause) => cause.text(self.language),
            None => camera.state.text(self.language),
        };
        format!("• {}: {cause}, {} {}", camera.name, self.language.pick("từ", "since"), self.local.exact(camera.since))
    }

    pub(super) fn more_cameras(&self, count: usize) -> String {
        self.language.pick(
            format!("• và {count} camera công cộng khác"),
            format!("• and {count} more public camera{}", plural(count)),
        )
    }

    pub(super) fn households(&self, count: usize) -> String {
        self.language
            .pick(format!("• và {count} camera hộ dân"), format!("• and {count} household camera{}", plural(count)))
    }

    pub(super) fn episode(&self, episode: u32) -> String {
        self.language.pick(format!("Lần thứ {episode} trong 6 giờ"), format!("Number {episode} within 6 hours"))
    }

    pub(super) fn incident(&self, notice: &IncidentNotice) -> String {
        let related: Vec<String> = notice.related.iter().map(|number| format!("#{number}")).collect();
        let with = match related.is_empty() {
            true => String::new(),
            false => format!(", {} {}", self.language.pick("cùng sự cố", "with incident"), related.join(", ")),
        };
        format!("{} #{}{with}", self.language.pick("Sự cố", "Incident"), notice.number)
    }

    pub(super) fn how_to_answer(&self, number: u32) -> String {
        self.language
            .pick(format!("Trả lời \"ok {number}\" để nhận."), format!("Answer \"ok {number}\" to take it on."))
    }

    pub(super) fn short_answer(&self, number: u32) -> String {
        self.language.pick(format!("Nhận: ok {number}"), format!("Take it on: ok {number}"))
    }

    pub(super) fn digest(&self, cameras: &Cameras) -> String {
        match (cameras.public, cameras.households) {
            (0, 0) => self.language.pick("Mọi camera hoạt động tốt.", "All cameras are well.").to_owned(),
            (public, households) => self.language.pick(
                format!("Cần xử lý: {public} camera công cộng, {households} camera hộ dân."),
                format!("To be looked after: {public} public and {households} household cameras."),
            ),
        }
    }

    pub(super) fn test(&self) -> String {
        self.language
            .pick(
                "Nếu bạn đọc được tin này thì kênh báo tin của bạn hoạt động. Không có sự cố nào.",
                "If you can read this, you can be reached. Nothing is wrong.",
            )
            .to_owned()
    }

    pub(super) fn channel_failing(&self, notice: &ChannelNotice) -> String {
        let ChannelNotice { channel, error, .. } = notice;
        self.language.pick(
            format!("Kênh {channel} không nhận tin: {error}. Tin được gửi qua kênh tiếp theo của mỗi người; hãy sửa kênh này."),
            format!("The channel {channel} takes no messages: {error}. Each person's next channel is used; please mend it."),
        )
    }

    /// What becomes of messages while nothing can be remembered.
    pub(super) fn journal(&self, notice: &JournalNotice) -> String {
        let what = &notice.what;
        match notice.trouble {
            Trouble::Restored => {
                self.language.pick("Các tin bị giữ lại đang được gửi.", "What was kept back is being sent.").to_owned()
            }
            Trouble::Damaged => self.language.pick(
                format!("Phần đọc được đã giữ lại, tệp hỏng được để riêng; bộ giám sát vẫn chạy. {what}"),
                format!("What could be read is kept, the damaged file is set aside; the monitor goes on. {what}"),
            ),
            Trouble::Failing => self.language.pick(
                format!(
                    "Ổ đĩa của máy giám sát đầy hoặc hỏng ({what}). Màn hình vẫn đúng, nhưng không tin nào về sự cố được \
                     gửi cho tới khi sửa xong: hãy theo dõi màn hình. Giải phóng ổ đĩa là đủ, không cần khởi động lại."
                ),
                format!(
                    "The monitor's disk is full or broken ({what}). The wall stays true, but no message on faults is sent \
                     until it is mended: watch the wall. To free some space is enough, no restart is needed."
                ),
            ),
        }
    }

    fn length(&self, length: Duration) -> String {
        let seconds = length.as_secs();
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        match (seconds, hours) {
            (0..60, _) => self.language.pick(format!("{seconds} giây"), format!("{seconds} s")),
            (_, 0) => self.language.pick(format!("{minutes} phút"), format!("{minutes} min")),
            _ => self.language.pick(format!("{hours} giờ {minutes} phút"), format!("{hours} h {minutes} min")),
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
