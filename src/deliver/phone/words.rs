//! The words of a call, in pieces: what is the matter as it stands now, and what the keys mean.

use super::{matter::Matter, speech::Piece};
use crate::{
    call::Prompt,
    deliver::words::Words,
    model::{Cause, IncidentNotice, Language, Local, Notice},
};
use jiff::tz::TimeZone;

/// What a call speaks of, and how.
pub(super) struct Script<'a> {
    pub(super) language: Language,
    pub(super) zone: &'a TimeZone,
    pub(super) notice: &'a Notice,
    pub(super) matter: &'a dyn Matter,
}

impl Script<'_> {
    /// What is said for a prompt, as things stand.
    pub(super) fn pieces(&self, prompt: &Prompt) -> Vec<Piece> {
        let pick = |vietnamese: &str, english: &str| self.language.pick(vietnamese, english).to_owned();
        let one = |name: &str, text: String| vec![Piece { name: Some(name.to_owned()), text }];
        match prompt {
            Prompt::Message => self.message(),
            Prompt::Taken => one("taken", pick("Đã ghi nhận. Cảm ơn.", "Noted. Thank you.")),
            Prompt::Passed => one("passed", pick("Đang gọi người tiếp theo.", "The next one is called.")),
            Prompt::NoNext => one(
                "no-next",
                pick(
                    "Không còn ai khác để chuyển. Nhấn phím một để nhận xử lý.",
                    "There is nobody further to pass it on to. Press one to take it on.",
                ),
            ),
            Prompt::Failed => one(
                "failed",
                pick("Chưa ghi nhận được. Hãy mở trang camera.", "It could not be noted. Please open the page."),
            ),
            Prompt::Ended => one("ended", pick("Sự cố đã kết thúc.", "The incident is over.")),
            Prompt::TakenBy(name) => {
                let text = self.language.pick(format!("{name} đã nhận sự cố này."), format!("{name} has taken it on."));
                vec![Piece { name: None, text }]
            }
        }
    }

    fn message(&self) -> Vec<Piece> {
        let mut pieces = self.news();
        let one = self.language.pick("Nhấn phím một để nhận xử lý.", "Press one to take it on.");
        pieces.push(Piece { name: Some("press-1".into()), text: one.into() });
        if self.notice.incident().is_some() {
            let two = self.language.pick("Nhấn phím hai để chuyển cho người tiếp theo.", "Press two to pass it on.");
            pieces.push(Piece { name: Some("press-2".into()), text: two.into() });
        }
        pieces
    }

    /// What is the matter.
    pub(super) fn news(&self) -> Vec<Piece> {
        if let Notice::Incident(notice) = self.notice {
            return self.incident(&self.matter.newest(notice));
        }
        let text =
            self.language.pick("Đây là cuộc gọi thử của hệ thống camera.", "This is a test of the cameras' alarm.");
        vec![Piece { name: Some("test".into()), text: text.into() }]
    }

    fn incident(&self, notice: &IncidentNotice) -> Vec<Piece> {
        let intro = self.language.pick("Báo động camera.", "Camera alarm.");
        let mut pieces = vec![Piece { name: Some("intro".into()), text: intro.into() }];
        match &notice.cause {
            // Place and level apart, so that a recording of each is enough for all sites.
            Cause::Site(site) => {
                pieces.push(Piece { name: Some(format!("site-{site}")), text: format!("{}.", notice.place) });
                let level = notice.level;
                let name = format!("level-{}", level.as_str());
                pieces.push(Piece { name: Some(name), text: format!("{}.", level.text(self.language)) });
            }
            cause => {
                let words = Words { language: self.language, local: Local::new(self.zone, notice.at), brief: false };
                let name = format!("{}-{}", cause.kind(), cause.subject());
                let text = words.title(&Notice::Incident(Box::new(notice.clone())));
                pieces.push(Piece { name: Some(name), text });
            }
        }
        pieces
    }
}
