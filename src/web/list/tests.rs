//! Whatever is asked for, all pages together show exactly what matches, once and in order.

use super::{select::ROWS, *};
use crate::{
    model::FailureKind,
    web::province::{Wanted, area, at, snapshot},
};
use axum::extract::Query;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Syllables with and without their marks, so that the recount needs no folding of its own.
const SYLLABLES: [(&str, &str); 6] =
    [("Đường", "duong"), ("Ngã", "nga"), ("tư", "tu"), ("Chợ", "cho"), ("Quỳnh", "quynh"), ("bến", "ben")];

fn plain(name: &str) -> String {
    let syllable =
        |word: &str| SYLLABLES.iter().find(|(marked, _)| *marked == word).map_or(word, |(_, plain)| plain).to_owned();
    name.split(' ').map(syllable).collect::<Vec<_>>().join(" ")
}

fn cameras() -> impl Strategy<Value = Vec<Wanted>> {
    let one = (
        proptest::collection::vec(0..SYLLABLES.len(), 1..4),
        any::<bool>(),
        0..CameraState::ALL.len(),
        proptest::option::of(0..3usize),
        proptest::option::of(0..4usize),
        0..1000i64,
    );
    let one = one.prop_map(|(name, lent, state, cause, area, age)| Wanted {
        name: name.into_iter().map(|number| SYLLABLES[number].0).collect::<Vec<_>>().join(" "),
        kind: if lent { Kind::Household } else { Kind::Public },
        state: CameraState::ALL[state],
        cause: cause.map(|number| FailureKind::ALL[number]),
        area,
        age,
    });
    proptest::collection::vec(one, 0..260)
}

fn asked() -> impl Strategy<Value = String> {
    let q = proptest::sample::select(vec!["", "duong", "Đường", "CHỢ nga", "quynh", "camera-0001", "zzz"]);
    let state = proptest::sample::select(vec!["", "unwell", "up", "down", "off", "no such state"]);
    let kind = proptest::sample::select(vec!["", "public", "household"]);
    let cause = proptest::sample::select(vec!["", FailureKind::ALL[0].as_str(), FailureKind::ALL[2].as_str()]);
    let area = proptest::sample::select(vec!["", " ", "khu-000", "khu-003", "nowhere"]);
    let sort = proptest::sample::select(vec!["", "name", "since"]);
    (q, state, kind, cause, area, sort).prop_map(|(q, state, kind, cause, area, sort)| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let pairs = [("q", q), ("state", state), ("level", state), ("kind", kind), ("cause", cause), ("area", area)];
        query.extend_pairs(pairs.into_iter().chain([("sort", sort)])).finish()
    })
}

fn read(what: What, query: &str) -> Filter {
    let uri = format!("/?{query}").parse().expect("an address");
    let Query(asked) = Query::<Asked>::try_from_uri(&uri).expect("it can be read");
    Filter::read(what, &asked)
}

/// All rows of all pages, by what a row is called.
fn all_pages<T>(filter: &Filter, page: impl Fn(&Filter) -> (usize, usize, Vec<T>)) -> Vec<T> {
    let (found, pages, mut rows) = page(filter);
    assert!(pages == 1 || rows.len() == ROWS);
    for number in 2..=pages {
        rows.extend(page(&Filter { page: number, ..filter.clone() }).2);
    }
    assert_eq!((found, pages), (rows.len(), rows.len().div_ceil(ROWS).max(1)));
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn pages_together_show_what_matches(wanted in cameras(), query in asked()) {
        let snapshot = snapshot(&wanted, 4);
        let index = Index::of(&snapshot.fleet);
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        // Areas 2 and 3 are parts of 0 and 1.
        let lies = |of: Option<usize>| match value("area") {
            "" => true,
            " " => of.is_none(),
            "khu-000" => matches!(of, Some(0 | 2)),
            "khu-003" => of == Some(3),
            _ => false,
        };
        let said = |text: &str| {
            let words = plain(&value("q").replace("CHỢ", "Chợ")).to_lowercase();
            words.split_whitespace().all(|word| text.contains(word))
        };

        let filter = read(What::Cameras, &query);
        let shown = all_pages(&filter, |filter| {
            let page = select::cameras(&index, &snapshot, filter);
            (page.found, page.pages, page.rows.iter().map(|(camera, _)| camera.id.to_string()).collect())
        });
        let matches = wanted.iter().enumerate().filter(|(number, one)| {
            let id = format!("camera-{number:05}");
            // A family's name is not searched.
            let name = if one.kind == Kind::Public { plain(&one.name) } else { String::new() };
            let stands = match value("state") {
                "" | "no such state" => true,
                "unwell" => one.state != CameraState::Up,
                state => one.state.as_str() == state,
            };
            let kind = value("kind").is_empty() || value("kind") == one.kind.as_str();
            let cause = value("cause").is_empty() || one.cause.is_some_and(|cause| cause.as_str() == value("cause"));
            stands && kind && cause && lies(one.area) && said(&format!("{name} {id}"))
        });
        let expected: BTreeSet<String> = matches.map(|(number, _)| format!("camera-{number:05}")).collect();
        prop_assert_eq!(shown.len(), expected.len(), "each once");
        let since: Vec<i64> = shown.iter().map(|id| -snapshot.cameras.get(id.as_str()).expect("it is").since.as_second()).collect();
        prop_assert!(filter.sort != Sort::Since || since.is_sorted());
        prop_assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), expected);

        let filter = read(What::Sites, &query);
        let shown = all_pages(&filter, |filter| {
            let page = select::sites(&index, &snapshot, filter);
            (page.found, page.pages, page.rows.iter().map(|(site, _)| site.id.to_string()).collect())
        });
        let matches = wanted.chunks(3).enumerate().filter(|(number, three)| {
            let id = format!("site-{number:05}");
            let level = snapshot.sites.get(id.as_str()).expect("it is there").level;
            let stands = match value("level") {
                "unwell" => level != Level::Full,
                _ => true,
            };
            stands && lies(three[0].area) && said(&format!("nga tu {} {id} thôn", plain(&three[0].name)))
        });
        let expected: BTreeSet<String> = matches.map(|(number, _)| format!("site-{number:05}")).collect();
        prop_assert_eq!(shown.len(), expected.len(), "each once");
        prop_assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn whatever_is_asked_is_bounded_and_its_address_means_the_same(q in ".*", area in ".{0,100}", page in ".{0,30}") {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs([("q", &q), ("area", &area), ("page", &page), ("state", &q)]).finish();
        for what in [What::Cameras, What::Sites, What::Links] {
            let filter = read(what, &query);
            prop_assert!(filter.query().len() < 2000);
            prop_assert_eq!(&read(what, &filter.query()), &filter);
            let shown = snapshot(&[], 0);
            let html = main(&shown, &Index::of(&shown.fleet), &filter, Language::Vi).expect("it is rendered");
            prop_assert!(!html.contains("<script") && html.len() < 20_000);
        }
    }
}

#[test]
fn a_page_that_is_not_there_is_the_last_one_and_names_are_escaped() {
    let wanted = |number: i64| Wanted {
        name: "<b>Chợ</b>".into(),
        kind: Kind::Public,
        state: CameraState::Up,
        cause: None,
        area: Some(0),
        age: number,
    };
    let shown = snapshot(&(0..150).map(wanted).collect::<Vec<_>>(), 1);
    let index = Index::of(&shown.fleet);
    let filter = read(What::Cameras, "page=99&q=%3Cb%3E&sort=since");
    let html = main(&shown, &index, &filter, Language::En).expect("it is rendered");
    assert_eq!(html.matches("<tr class=\"camera").count(), 50);
    assert!(html.contains("Page 2 / 2") && html.contains("/cameras?q=%3Cb%3E&#38;sort=since&#38;lang=en"), "{html}");
    assert!(!html.contains("<b>Chợ") && html.contains("value=\"&#60;b&#62;\""), "{html}");
    assert_eq!((shown.at, area(0).as_str()), (at(0), "khu-000"));
}
