//! Messages word for word: what an officer reads.

use super::*;
use crate::model::{
    CameraLine, ChannelNotice, DigestNotice, Duty, FailureKind, IncidentId, JournalNotice, Level, OverdueLine,
    PlainNotice, Reason, SiteLine, State, Trouble,
};

fn site(name: &str, level: Level, lost: &[&str]) -> SiteLine {
    let views_lost = lost.iter().map(|view| (*view).to_owned()).collect();
    SiteLine { id: name.into(), name: name.into(), level, views_lost, views_total: 3 }
}

fn notice(reason: Reason, level: Level) -> IncidentNotice {
    let at = |time: &str| format!("2026-11-24T{time}Z").parse().expect("a time");
    let since = at("16:30:05");
    let bad = level != Level::Full;
    let camera = CameraLine { name: "Chợ 02".into(), state: State::Down, cause: Some(FailureKind::Refused), since };
    IncidentNotice {
        incident: IncidentId::stored("nga-tu-cho-1".into()),
        number: 17,
        step: 1,
        round: 0,
        reason,
        cause: Cause::Site("nga-tu-cho".into()),
        place: "Ngã tư Chợ".into(),
        hamlet: Some("Thôn Đông".into()),
        level,
        sites: vec![site("Ngã tư Chợ", level, if bad { &["về phía cảng", "vào chợ"] } else { &[] })],
        since,
        at: at("18:45:00"),
        recovering: None,
        cameras: Cameras {
            named: if bad { vec![camera] } else { vec![] },
            public: usize::from(bad),
            households: if bad { 2 } else { 0 },
        },
        episode: 1,
        related: vec![],
        taken_on_by: None,
        link_answers: false,
    }
}

fn said(notice: &IncidentNotice, language: Language) -> Message {
    composed(&Notice::Incident(Box::new(notice.clone())), language)
}

fn composed(notice: &Notice, language: Language) -> Message {
    let zone = TimeZone::fixed(jiff::tz::offset(7));
    let page = "http://may-chu.lan:9740/".parse().expect("a URL");
    compose(notice, language, &zone, Some(&page), None)
}

#[test]
fn an_alarm_says_where_what_since_when_which_and_why() {
    let message = said(&notice(Reason::CoverageLost, Level::Critical), Language::Vi);
    assert_eq!(message.title, "Ngã tư Chợ: nguy cấp");
    assert_eq!(
        message.whole(),
        "Ngã tư Chợ: nguy cấp\nNgã tư Chợ (Thôn Đông)\nMức độ: nguy cấp\nMất 2/3 hướng nhìn: về phía cảng; vào chợ\n\
         Từ 23:30:05 24/11/2026\n• Chợ 02: cổng RTSP đóng (thiết bị vẫn bật), từ 23:30:05 24/11/2026\n\
         • và 2 camera hộ dân\nSự cố #17\nTrả lời \"ok 17\" để nhận.\n\
         http://may-chu.lan:9740/incidents/17"
    );
}

#[test]
fn an_all_clear_says_how_long_it_was() {
    let message = said(&notice(Reason::CoverageRestored, Level::Full), Language::En);
    assert_eq!(message.title, "Ngã tư Chợ: coverage restored");
    assert_eq!(
        message.body,
        "Ngã tư Chợ (Thôn Đông)\nLevel: full\nLost at 23:30:05 24/11/2026, for 2 h 14 min\nIncident #17"
    );
    assert_eq!((message.answer.as_str(), message.ack), ("", None));
}

#[test]
fn a_link_is_named_with_the_sites_that_it_took_down() {
    let notice = IncidentNotice {
        cause: Cause::Link("tu-dong".into()),
        place: "Tủ mạng Thôn Đông".into(),
        level: Level::Blind,
        sites: vec![site("Ngã tư Chợ", Level::Blind, &["a", "b", "c"]), site("Cầu Cảng", Level::Critical, &["a"])],
        cameras: Cameras { named: vec![], public: 6, households: 30 },
        link_answers: true,
        ..notice(Reason::CoverageLost, Level::Blind)
    };
    let message = said(&notice, Language::Vi);
    assert_eq!(message.title, "Tủ mạng Thôn Đông mất kết nối: 36 camera, 2 điểm");
    assert_eq!(
        message.body,
        "• Ngã tư Chợ: mù hoàn toàn (mất 3/3 hướng)\n• Cầu Cảng: nguy cấp (mất 1/3 hướng)\nTừ 23:30:05 24/11/2026\n\
         Thiết bị mạng vẫn trả lời: kiểm tra nguồn điện của các camera.\n• và 6 camera công cộng khác\n\
         • và 30 camera hộ dân\nSự cố #17"
    );
}

#[test]
fn what_recovers_says_so_rather_than_calling_it_lost() {
    let notice = IncidentNotice {
        recovering: Some("2026-11-24T18:40:10Z".parse().expect("a time")),
        related: vec![3, 4],
        ..notice(Reason::Escalated, Level::Full)
    };
    let message = said(&notice, Language::Vi);
    assert_eq!(message.title, "Chưa ai nhận – Ngã tư Chợ: đang hồi phục từ 01:40");
    assert!(
        message.body.contains("\nMức độ: đủ\nTừ 23:30:05 24/11/2026, đang hồi phục từ 01:40\n"),
        "{}",
        message.body
    );
    assert!(message.body.ends_with("\nSự cố #17, cùng sự cố #3, #4"), "{}", message.body);
    let message = said(&notice, Language::En);
    assert_eq!(message.title, "Nobody took it – Ngã tư Chợ: recovering since 01:40");
}

/// A digest, a failing channel, trouble with the journal and a test.
fn others() -> Vec<Notice> {
    let plain = || PlainNotice {
        id: IncidentId::stored("x".into()),
        place: "Xã Hải Bình".into(),
        at: "2026-11-24T18:45:00Z".parse().expect("a time"),
    };
    let cameras = notice(Reason::CoverageLost, Level::Blind).cameras;
    let (channel, error) = ("zalo-an".into(), "HTTP 503".into());
    let trouble = |trouble| Notice::Journal(JournalNotice { plain: plain(), trouble, what: "ổ đĩa".into() });
    [
        Notice::Digest(DigestNotice {
            plain: plain(),
            level: Level::Blind,
            cameras: Cameras { public: 9, ..cameras },
            overdue: Vec::new(),
            overdue_total: 0,
        }),
        Notice::Channel(ChannelNotice { plain: plain(), level: Level::Full, channel, error }),
        Notice::Test(plain()),
    ]
    .into_iter()
    .chain(Trouble::ALL.map(trouble))
    .collect()
}

#[test]
fn what_is_of_no_incident_names_none() {
    let others = others();
    for notice in &others {
        for language in [Language::Vi, Language::En] {
            let message = composed(notice, language);
            assert_eq!((message.answer.as_str(), &message.ack), ("", &None));
            assert_eq!(message.link.as_ref().map(Url::as_str), Some("http://may-chu.lan:9740/"), "the wall");
            assert!(!message.whole().contains('#') && !message.short.whole().contains('#'), "{}", message.whole());
        }
    }
    let digest = composed(&others[0], Language::Vi);
    assert_eq!(digest.title, "Tổng hợp 25/11/2026: 9 camera công cộng cần xử lý");
    assert_eq!(
        digest.body,
        "Cần xử lý: 9 camera công cộng, 2 camera hộ dân.\n\
         • Chợ 02: cổng RTSP đóng (thiết bị vẫn bật), từ 23:30:05 24/11/2026\n\
         • và 8 camera công cộng khác\n• và 2 camera hộ dân"
    );
    let Notice::Digest(mut late) = others[0].clone() else { panic!("it is a digest") };
    let since = "2026-11-24T16:30:05Z".parse().expect("a time");
    late.overdue = vec![OverdueLine { number: 17, place: "Ngã tư Chợ".into(), duty: Duty::Repair, since }];
    late.overdue_total = 3;
    let late = composed(&Notice::Digest(late), Language::Vi);
    assert_eq!(late.title, "Tổng hợp 25/11/2026: 9 camera công cộng cần xử lý, 3 sự cố quá hạn hợp đồng");
    let told = "\nQuá hạn hợp đồng: 3 sự cố.\n\
                • #17 Ngã tư Chợ: khắc phục, quá hạn từ 23:30 24/11\n• và 2 sự cố khác";
    assert!(late.body.ends_with(told), "{}", late.body);
    let channel = composed(&others[1], Language::En);
    assert_eq!(channel.title, "The channel zalo-an takes nothing");
    assert_eq!(channel.short.whole(), "The channel zalo-an takes nothing. Since 01:45:00.");
    assert!(channel.body.contains("zalo-an takes no messages: HTTP 503."), "{}", channel.body);
}

#[test]
fn each_reason_has_a_title_of_its_own_in_each_language() {
    for language in [Language::Vi, Language::En] {
        let reasons = Reason::ALL.iter().map(|reason| said(&notice(*reason, Level::Blind), language).title);
        let others = others();
        let mut titles: Vec<String> =
            reasons.chain(others.iter().map(|other| composed(other, language).title)).collect();
        titles.sort();
        titles.dedup();
        // That the monitor is cut off, and that it is an exercise, is told by the cause.
        assert_eq!(titles.len(), Reason::ALL.len() + others.len() - 2, "{titles:#?}");
    }
}
