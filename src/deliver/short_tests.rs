//! What an SMS says where there is little room, and that it always says what matters.

use super::*;
use crate::deliver::compose;
use crate::model::{
    Cameras, Cause, IncidentId, IncidentNotice, Language, Level, Notice, PlainNotice, Reason, SiteLine, folded,
};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn notice(place: &str, reason: Reason, cause: Cause, number: u32) -> Notice {
    let line = SiteLine {
        id: "cho".into(),
        name: place.into(),
        level: Level::Blind,
        views_lost: vec!["ra cảng".into()],
        views_total: 1,
    };
    Notice::Incident(Box::new(IncidentNotice {
        incident: IncidentId::stored("i".into()),
        number,
        step: 1,
        round: 0,
        reason,
        cause,
        place: place.into(),
        hamlet: None,
        level: Level::Blind,
        sites: vec![line.clone(), line],
        since: "2026-11-24T16:30:05Z".parse().expect("a time"),
        at: "2026-11-24T18:45:00Z".parse().expect("a time"),
        recovering: None,
        cameras: Cameras { named: vec![], public: 6, households: 30 },
        episode: 1,
        related: vec![],
        taken_on_by: (reason == Reason::Acknowledged).then(|| "Thượng úy Nguyễn Hoàng Anh Tuấn".into()),
        link_answers: false,
    }))
}

fn sent(notice: &Notice, language: Language, diacritics: bool, parts: u32, names: &[&str]) -> Fitted {
    let zone = TimeZone::fixed(jiff::tz::offset(7));
    let sms = Sms { phone: "+84900000001".into(), diacritics, parts };
    compose(notice, language, &zone, None, None).short.fitted(&Places::of(names.iter().copied()), &sms)
}

fn site() -> Cause {
    Cause::Site("cho".into())
}

#[test]
fn what_matters_stays_and_the_rest_gives_way() {
    let names = ["Ngã tư Nguyễn Trãi – Lê Lợi", "Ngã tư Chợ", "Ngã ba Cổng Ủy ban nhân dân xã Hải Bình (phía Bắc)"];
    let lost = |place: &str, diacritics, parts| {
        sent(&notice(place, Reason::CoverageLost, site(), 17), Language::Vi, diacritics, parts, &names).text
    };
    assert_eq!(lost("Ngã tư Chợ", false, 1), "#17 Nga tu Cho: mu hoan toan. Tu 23:30:05 24/11/2026. Nhan: ok 17");
    assert_eq!(lost("Ngã tư Chợ", true, 1), "#17 Ngã tư Chợ: mù hoàn toàn. Từ 23:30:05 24/11/2026. Nhận: ok 17");
    // The exact time goes first, then the time, then words of the name.
    assert_eq!(lost(names[0], true, 1), "#17 Ngã tư Nguyễn Trãi – Lê Lợi: mù hoàn toàn. Nhận: ok 17");
    let long = lost(names[2], true, 1);
    assert_eq!(long, "#17 N3 Cổng UBND X.Hải Bình (phía Bắc): mù hoàn toàn. Nhận: ok 17");
    assert!(lost(names[2], true, 2).contains(names[2]), "two parts have room for all of it");
    let link = notice("Tủ mạng Thôn Đông", Reason::Escalated, Cause::Link("tu".into()), 1234);
    assert_eq!(
        sent(&link, Language::Vi, true, 1, &names).text,
        "#1234 Chưa ai nhận – Tủ mạng Thôn Đông mất kết nối. Nhận: ok 1234"
    );
    let taken = notice(names[2], Reason::Acknowledged, site(), 17);
    let taken = sent(&taken, Language::Vi, true, 1, &names).text;
    assert_eq!(taken, "#17 Thượng úy Nguyễn Hoàng Anh Tuấn đã nhận: N3 Cổng UBND X.Hải Bình.");
    let test = Notice::Test(PlainNotice {
        id: IncidentId::stored("t".into()),
        place: "Xã Hải Bình".into(),
        at: "2026-11-24T18:45:00Z".parse().expect("a time"),
    });
    assert_eq!(sent(&test, Language::Vi, false, 1, &names).text, "Tin thu tu camhealth. Tu 01:45:00.");
}

#[test]
fn a_part_too_many_is_not_paid_and_each_is_counted() {
    let place = "Ngã tư Nguyễn Trãi – Lê Lợi, cổng sau chợ đầu mối nông sản thực phẩm Hải Bình";
    let alarm = notice(place, Reason::CoverageLost, site(), 17);
    for (diacritics, parts, expected) in [(true, 1, 1), (true, 2, 2), (true, 3, 2), (false, 1, 1), (false, 3, 1)] {
        assert_eq!(sent(&alarm, Language::Vi, diacritics, parts, &[place]).parts, expected, "{diacritics} {parts}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the place is called: it fits, and has the number, the level and how to answer; without diacritics it is
    /// plain.
    #[test]
    fn number_level_and_answer_are_always_there(
        place in "\\PC{1,120}",
        others in prop::collection::vec("\\PC{1,40}", 0..5),
        number in 1u32..100_000,
        reason in prop::sample::select(&Reason::ALL[..]),
        diacritics in any::<bool>(),
        parts in 1u32..4,
        language in prop::sample::select(vec![Language::Vi, Language::En]),
    ) {
        let names: Vec<&str> = others.iter().map(String::as_str).chain([place.as_str()]).collect();
        let fitted = sent(&notice(&place, reason, site(), number), language, diacritics, parts, &names);
        let text = &fitted.text;
        prop_assert!(fitted.parts <= parts && fitted.parts == gsm::parts(text), "{text:?}");
        prop_assert!(text.starts_with(&format!("#{number} ")), "{text:?}");
        prop_assert!(diacritics || !gsm::is_unicode(text), "{text:?}");
        if reason.pages() {
            prop_assert!(text.ends_with(&format!("ok {number}")), "{text:?}");
        }
        if reason == Reason::CoverageLost {
            let level = Level::Blind.text(language);
            let level = if diacritics { level.to_owned() } else { folded(level) };
            prop_assert!(text.contains(&level), "{text:?} has no {level:?}");
        }
    }
}
