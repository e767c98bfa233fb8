//! The words of what single people are told: that money runs out, what became of their answer, that their shift begins, that
//! nobody can be reached on one.

use super::words::Words;
use crate::model::{Answered, Language, Note};
use jiff::Timestamp;

/// Numbers of incidents in a line.
const NUMBERS: usize = 5;

impl Words<'_> {
    /// In a line.
    pub(super) fn noted(&self, note: &Note) -> String {
        match note {
            Note::Spending { channel, parts, per_day } => self.language.pick(
                format!("Kênh {channel} sắp hết SMS hôm nay: {parts}/{per_day}"),
                format!("SMS of {channel} are nearly used up today: {parts} of {per_day}"),
            ),
            Note::Answer { number, outcome, by } => answered(self.language, *number, *outcome, by),
            Note::Handover { rotation, from, open, count, .. } => {
                let numbers: Vec<String> = open.iter().take(NUMBERS).map(|line| format!("#{}", line.number)).collect();
                let open = match (*count, self.brief) {
                    (0, _) => self.language.pick("không có sự cố mở", "nothing is open").to_owned(),
                    (count, true) => self.language.pick(format!("{count} sự cố mở"), format!("{count} open")),
                    (count, false) => {
                        let numbers = numbers.join(", ");
                        self.language.pick(format!("{count} sự cố mở ({numbers})"), format!("{count} open ({numbers})"))
                    }
                };
                let at = self.local.short(*from);
                self.language.pick(
                    format!("Ca trực {rotation} của bạn từ {at}: {open}"),
                    format!("Your shift {rotation} begins at {at}: {open}"),
                )
            }
            Note::Gap { rotation, person, from, .. } => {
                let at = self.local.short(*from);
                let whom = if person.is_empty() { String::new() } else { format!(" ({person})") };
                self.language.pick(
                    format!("Ca trực {rotation} từ {at} còn trống, cần người{whom}"),
                    format!("The shift {rotation} from {at} needs somebody{whom}"),
                )
            }
            Note::CutOff { place, agent, since, over } => {
                let at = self.local.short(*since);
                match (*over, self.brief) {
                    (false, false) => self.language.pick(
                        format!("{place}: mù hoàn toàn từ {at} ({agent} tự báo, không liên lạc được máy chủ)"),
                        format!("{place}: blind since {at} (told by {agent}, which cannot reach the server)"),
                    ),
                    (false, true) => self.language.pick(
                        format!("{place}: mù hoàn toàn từ {at}, mất máy chủ"),
                        format!("{place}: blind since {at}, no server"),
                    ),
                    (true, false) => self.language.pick(
                        format!("{place}: đã quan sát lại được, mù từ {at} ({agent} tự báo)"),
                        format!("{place}: seen again, was blind since {at} (told by {agent})"),
                    ),
                    (true, true) => {
                        self.language.pick(format!("{place}: đã quan sát lại được"), format!("{place}: seen again"))
                    }
                }
            }
        }
    }

    /// In a few lines.
    pub(super) fn note(&self, note: &Note) -> String {
        match note {
            Note::Spending { .. } => self
                .language
                .pick(
                    "Phần mười cuối trong ngày chỉ dành cho báo động mù hoàn toàn; tin khác đi qua kênh tiếp theo của mỗi \
                     người. Nếu cần, tăng per_day của kênh.",
                    "The last tenth of a day is kept for alarms of blind sites; all else goes over each person's next \
                     channel. Raise the channel's per_day if that is too little.",
                )
                .to_owned(),
            Note::Answer { number, outcome, by } => answered(self.language, *number, *outcome, by),
            Note::Handover { from, until, open, count, .. } => {
                let mut lines = vec![self.shift(*from, *until)];
                lines.extend(open.iter().map(|line| {
                    let by = line.taken_on_by.as_ref().map(|by| {
                        self.language.pick(format!(" ({by} đã nhận)"), format!(" ({by} took it on)"))
                    });
                    let level = line.level.text(self.language);
                    format!("• #{} {}: {level}{}", line.number, line.place, by.unwrap_or_default())
                }));
                let more = count.saturating_sub(open.len());
                lines.extend((more > 0).then(|| {
                    self.language.pick(format!("• và {more} sự cố khác"), format!("• and {more} more"))
                }));
                lines.extend((*count == 0).then(|| {
                    self.language.pick("Không có sự cố nào đang mở.", "No incident is open.").to_owned()
                }));
                lines.join("\n")
            }
            Note::Gap { from, until, why, .. } => {
                let remedy = self.language.pick(
                    "Hãy cử người trực thay hoặc sửa lịch trực.",
                    "Name somebody who stands in, or mend the roster.",
                );
                format!("{}\n{}. {remedy}", self.shift(*from, *until), capitalised(why.text(self.language)))
            }
            Note::CutOff { over: true, .. } => self
                .language
                .pick("Không cần làm gì thêm.", "Nothing is left to do.")
                .to_owned(),
            Note::CutOff { .. } => self
                .language
                .pick(
                    "Máy chủ giám sát hoặc đường truyền tới đó không hoạt động, nên hộp theo dõi tự báo. Hãy kiểm tra camera tại \
                     chỗ và báo người quản trị.",
                    "The monitor, or the line to it, does not work, so the agent tells by itself. Look after the cameras there and \
                     call whoever keeps the monitor.",
                )
                .to_owned(),
        }
    }

    fn shift(&self, from: Timestamp, until: Timestamp) -> String {
        format!("{} – {}", self.local.full(from), self.local.full(until))
    }
}

/// What became of an answer, in words without a stop.
pub fn answered(language: Language, number: u32, outcome: Answered, by: &str) -> String {
    match outcome {
        Answered::Taken => language.pick(
            format!("Đã ghi nhận: {by} nhận sự cố #{number}"),
            format!("Noted: {by} takes incident #{number} on"),
        ),
        Answered::TakenBefore => language.pick(
            format!("Sự cố #{number} đã được {by} nhận trước đó"),
            format!("{by} has taken incident #{number} on already"),
        ),
        Answered::NotDurable => language.pick(
            format!("{by} nhận sự cố #{number}, nhưng chưa ghi được vào nhật ký: hãy báo người quản trị"),
            format!("{by} takes incident #{number} on, but the journal cannot be written: tell whoever maintains it"),
        ),
        Answered::Unknown => {
            language.pick(format!("Không có sự cố #{number} đang mở"), format!("There is no open incident #{number}"))
        }
        Answered::Refused => language
            .pick(format!("Chưa ghi nhận được sự cố #{number}"), format!("Incident #{number} could not be taken on")),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        deliver::compose,
        model::{GapKind, IncidentId, Level, Notice, OpenLine, PlainNotice},
    };
    use jiff::tz::TimeZone;

    fn at(local: &str) -> Timestamp {
        format!("{local}+07:00").parse().expect("a time")
    }

    fn notice(note: Note) -> Notice {
        let plain = PlainNotice {
            id: IncidentId::stored("n".into()),
            place: "Xã Hải Bình".into(),
            at: at("2026-11-26T06:30:00"),
        };
        Notice::Note(plain, note)
    }

    fn said(note: Note, language: Language) -> (String, String) {
        let message = compose(&notice(note), language, &TimeZone::fixed(jiff::tz::offset(7)), None, None);
        (message.title, message.body)
    }

    fn handover(count: usize) -> Note {
        let line = |number, by: Option<&str>| OpenLine {
            number,
            place: "Ngã tư Chợ".into(),
            level: Level::Blind,
            taken_on_by: by.map(str::to_owned),
        };
        let open = [line(17, None), line(18, Some("Trung úy An"))].into_iter().take(count).collect();
        let (from, until) = (at("2026-11-26T07:00:00"), at("2026-11-27T07:00:00"));
        Note::Handover { rotation: "truc".into(), from, until, open, count }
    }

    #[test]
    fn whoever_takes_over_reads_what_is_open() {
        let (title, body) = said(handover(2), Language::Vi);
        assert_eq!(title, "Ca trực truc của bạn từ 07:00: 2 sự cố mở (#17, #18)");
        assert_eq!(
            body,
            "07:00 26/11/2026 – 07:00 27/11/2026\n• #17 Ngã tư Chợ: mù hoàn toàn\n\
             • #18 Ngã tư Chợ: mù hoàn toàn (Trung úy An đã nhận)"
        );
        let (title, body) = said(handover(0), Language::En);
        assert_eq!(title, "Your shift truc begins at 07:00: nothing is open");
        assert!(body.ends_with("\nNo incident is open."), "{body}");
        assert!(said(handover(7), Language::En).1.ends_with("\n• and 5 more"));
    }

    #[test]
    fn each_is_read_back_as_it_was_written_and_has_words_in_both_languages() {
        let (from, until) = (at("2026-11-28T07:00:00"), at("2026-11-29T07:00:00"));
        let gap = |why| Note::Gap { rotation: "truc".into(), person: "An".into(), from, until, why };
        let answer = |outcome| Note::Answer { number: 17, outcome, by: "An".into() };
        let spending = Note::Spending { channel: "sms-an".into(), parts: 80, per_day: 100 };
        let cut_off =
            |over| Note::CutOff { place: "Ngã ba hẻm 7".into(), agent: "Hộp hẻm 7".into(), since: from, over };
        let all = [spending, handover(2), cut_off(false), cut_off(true)]
            .into_iter()
            .chain(Answered::ALL.map(answer))
            .chain(GapKind::ALL.map(gap));
        for note in all {
            let notice = notice(note.clone());
            let json = serde_json::to_string(&notice).expect("JSON");
            assert_eq!(serde_json::from_str::<Notice>(&json).expect("it is read"), notice, "{json}");
            assert!(json.contains(&format!("\"reason\":\"{}\"", note.reason())) && !notice.pages(), "{json}");
            let (vietnamese, english) = (said(note.clone(), Language::Vi), said(note, Language::En));
            assert!(vietnamese.0 != english.0 && !vietnamese.1.is_empty() && !english.1.is_empty(), "{english:?}");
        }
    }
}
