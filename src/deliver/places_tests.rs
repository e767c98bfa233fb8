//! Names of a commune's places in little room: they stay readable, and apart.

use super::*;
use crate::deliver::gsm;
use crate::model::folded;
use proptest::prelude::*;

/// Names as a commune has them.
const FLEET: [&str; 14] = [
    "Ngã tư Nguyễn Trãi – Lê Lợi",
    "Ngã tư Nguyễn Trãi – Lê Lai",
    "Ngã tư Chợ Đống",
    "Ngã tư Chợ Đông",
    "Ngã ba đường Quốc lộ 1A – đường Hùng Vương (phía Bắc)",
    "Ngã ba đường Quốc lộ 1A – đường Hùng Vương (phía Nam)",
    "Cổng Ủy ban nhân dân xã Hải Bình",
    "Cổng Trường Tiểu học Hải Bình",
    "Cổng Trường Trung học cơ sở Hải Bình",
    "Nhà văn hóa thôn Đông",
    "Nhà văn hóa thôn Đoài",
    "Cầu Cảng",
    "Chợ",
    "Tủ mạng Thôn Đông",
];

fn with_marks(text: &str) -> String {
    text.to_owned()
}

fn without(text: &str) -> String {
    folded(text).chars().map(gsm::plain).collect()
}

fn called(places: &Places, name: &str, letters: usize, written: &dyn Fn(&str) -> String) -> String {
    places.called(name, &Room { written, fits: &|text| text.chars().count() <= letters })
}

#[test]
fn a_name_is_shortened_as_people_would() {
    let places = Places::of(FLEET);
    for (letters, expected) in [
        (40, "Ngã tư Nguyễn Trãi – Lê Lợi"),
        (26, "N4 Ng.Trãi Lê Lợi"),
        (16, "Ng.Trãi Lê Lợi"),
        // "Lê" is in two names, "Lợi" in this one alone.
        (13, "Ng.Trãi Lợi"),
        (10, "Ng.Lợi"),
        (5, "Lợi"),
    ] {
        assert_eq!(called(&places, FLEET[0], letters, &with_marks), expected, "{letters}");
    }
    assert_eq!(called(&places, FLEET[6], 20, &with_marks), "Cổng UBND X.Hải Bình");
    assert_eq!(called(&places, FLEET[8], 16, &with_marks), "Cổng Tr.THCS Hải");
    assert_eq!(called(&places, FLEET[5], 30, &without), "N3 D.QL 1A D.Hung Vuong Nam)");
    // What nobody knows is shortened all the same, and what it is at all is kept.
    assert_eq!(called(&places, "Đường", 5, &with_marks), "Đường");
    assert_eq!(called(&Places::default(), "Quảng trường Hồ Chí Minh", 12, &with_marks), "Q.Trường Hồ");
}

#[test]
fn those_that_would_be_called_the_same_are_numbered() {
    let places = Places::of(FLEET);
    // Without marks both would be "Ngã tư Chợ Đong".
    let (one, other) = (called(&places, FLEET[2], 40, &without), called(&places, FLEET[3], 40, &without));
    assert_eq!((one.as_str(), other.as_str()), ("Nga tu Cho Dong*9", "Nga tu Cho Dong*8"));
    assert_eq!(called(&places, FLEET[2], 40, &with_marks), FLEET[2]);
    let two = Places::of(["Xxxxxxxxxx 1", "Xxxxxxxxxx 1b"]);
    assert_eq!(called(&two, "Xxxxxxxxxx 1", 8, &with_marks), "1");
    let two = Places::of(["Khu nhà trọ dài ở bờ đê", "Khu nhà trọ dài ở bờ đề"]);
    assert_eq!(called(&two, "Khu nhà trọ dài ở bờ đê", 6, &without), "de*1");
}

/// Names of places, some much alike, some with whatever a keyboard gives.
fn name() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(vec![
            "Ngã", "tư", "ba", "đường", "Đường", "Nguyễn", "Trãi", "Lê", "Lợi", "Quốc", "lộ", "1A", "Chợ", "Cầu", "phía",
            "Bắc", "Nam", "Đông", "Đống", "–", "Cổng", "trường", "Tiểu", "học", "số", "2",
        ]).prop_map(str::to_owned),
        1 => "[A-Za-zđàạệ*.(~\\[🚨]{1,8}",
        // A letter with marks of its own, and a family of faces: each is one thing to whoever reads it.
        1 => Just("e\u{323}\u{302}".to_owned()),
        1 => Just("👨‍👩‍👧".to_owned()),
    ];
    prop::collection::vec(word, 1..8).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// In whatever room: it fits, no two places of a fleet are called the same, and no letter is torn apart.
    #[test]
    fn whatever_the_room_places_stay_apart(
        names in prop::collection::btree_set(name(), 2..30),
        letters in 8usize..60,
        marks in any::<bool>(),
    ) {
        let places = Places::of(names.iter().map(String::as_str));
        let written: &dyn Fn(&str) -> String = if marks { &with_marks } else { &without };
        let mut known: HashMap<String, String> = HashMap::new();
        for name in &names {
            let called = called(&places, name, letters, written);
            prop_assert!(!called.is_empty() && called.chars().count() <= letters, "{name:?} is {called:?}");
            if let Some(other) = known.insert(called.clone(), composed(name)) {
                prop_assert_eq!(other, composed(name), "both are {}", called);
            }
            let graphemes: BTreeSet<String> = written(&composed(name)).graphemes(true).map(str::to_owned).collect();
            for letter in called.graphemes(true).filter(|letter| marks && !letter.is_ascii()) {
                let is_short = USUAL.iter().any(|(_, short)| short.contains(letter));
                prop_assert!(graphemes.contains(letter) || is_short, "{letter:?} of {called:?} is not of {name:?}");
            }
        }
    }
}
