//! A month's pages: all lines on pages of detail, once each and in order, and no page large, whatever the fleet.

use super::{
    detail::{self, Detail, LINES},
    page::{self, View},
    tables::Table,
};
use crate::{
    model::{Fleet, History, Kind, Language},
    uptime::{Month, Report, Settings, of_month},
    web::province::province,
};
use std::sync::Arc;

const LARGEST: usize = 295_000;

fn report(cameras: usize, areas: usize) -> (Arc<Fleet>, Report) {
    let snapshot = province(cameras, areas);
    let month = Month::of(snapshot.at, &snapshot.fleet.commune.timezone);
    let report = of_month(&snapshot.fleet, &History::default(), month, &Settings::default(), snapshot.at);
    (snapshot.fleet.clone(), report)
}

/// The names of the rows of all pages, in order, each page no larger than it may be.
fn names(view: View<'_>, detail: &Detail) -> Vec<String> {
    let mut names = Vec::new();
    for number in 1.. {
        let html = detail::main(view, detail, "", number).expect("it is rendered");
        assert!(html.len() < LARGEST, "{detail:?} takes {} bytes", html.len());
        let rows = html.split("<th scope=\"row\">").skip(1);
        let before = names.len();
        names.extend(rows.map(|row| {
            let id = row.split_once("<span class=\"id\">").map_or(row, |(_, id)| id);
            id.split(['<', ' ']).next().unwrap_or_default().to_owned()
        }));
        if names.len() < before + LINES {
            return names;
        }
        assert!(html.contains("page=") && html.contains(&format!(" {number} / ")), "it leads on");
    }
    names
}

#[test]
fn the_page_of_a_commune_is_small() {
    let (_, report) = report(240, 4);
    let view = View { report: &report, language: Language::Vi, lent: &|_| false, home: Some("/reports/2026-09") };
    let html = page::main(view, &[]).expect("it is rendered");
    assert!(html.len() < LARGEST, "{} bytes", html.len());
}

#[test]
fn the_pages_of_a_province_are_small_and_miss_nobody() {
    let (fleet, report) = report(20_000, 130);
    let lent = |id: &str| fleet.cameras.get(id).is_some_and(|camera| camera.kind == Kind::Household);
    let view = View { report: &report, language: Language::Vi, lent: &lent, home: Some("/reports/2026-09") };
    let summary = page::main(view, &[]).expect("it is rendered");
    assert!(summary.len() < LARGEST, "{} bytes", summary.len());
    for name in ["areas", "sites", "cameras", "households"] {
        assert!(summary.contains(&format!("/reports/2026-09/{name}?lang=vi")), "{name} leads to its pages");
    }
    for table in Table::ALL {
        let lines: Vec<&str> = table.lines(&report, &lent).iter().map(|line| line.id.as_str()).collect();
        assert_eq!(names(view, &Detail::Lines(table)), lines, "{table:?}");
    }
    let found = detail::main(view, &Detail::Lines(Table::Cameras), "DUONG khai 19999", 1).expect("it is rendered");
    assert_eq!(found.matches("<th scope=\"row\">").count(), 1, "{found}");
}

/// A commune's report is one page, as it is one file.
#[test]
fn a_small_report_is_whole() {
    let (fleet, report) = report(210, 2);
    let lent = |id: &str| fleet.cameras.get(id).is_some_and(|camera| camera.kind == Kind::Household);
    let view = View { report: &report, language: Language::En, lent: &lent, home: Some("/reports/2026-09") };
    let page = page::main(view, &[]).expect("it is rendered");
    let lines: usize = Table::ALL.iter().map(|table| table.lines(&report, &lent).len()).sum();
    // Each has a strip of its days.
    assert_eq!(page.matches("class=\"strip\"").count(), lines);
    assert!(!page.contains("class=\"more\""));
    assert_eq!(page, page::main(View { home: None, ..view }, &[]).expect("it is rendered"));
}

#[test]
fn months_of_which_nothing_is_known_are_not_listed_and_one_says_so() {
    let snapshot = province(30, 0);
    let zone = &snapshot.fleet.commune.timezone;
    let latest = Month::of(snapshot.at, zone);
    let (before, earlier) = (latest.before(), latest.before().before());
    let listed = |since, shown| {
        let navigation = super::navigation(&snapshot, Language::Vi, (shown, since));
        [latest, before, earlier].map(|month| navigation.contains(&format!(">{month}<")))
    };
    let since = snapshot.at - jiff::SignedDuration::from_hours(24 * 40);
    let first = Month::of(since, zone);
    assert_eq!(first, before);
    assert_eq!(listed(Some(since), latest), [true, true, false]);
    assert_eq!(listed(Some(since), earlier), [true, true, true], "the one that is shown is listed");
    assert_eq!(listed(None, latest), [true, true, true], "nothing is hidden where that is not known");
    let history = History { begins: Some(since), ..History::default() };
    for (month, known) in [(latest, true), (before, true), (earlier, false)] {
        let report = of_month(&snapshot.fleet, &history, month, &Settings::default(), snapshot.at);
        assert_eq!(report.is_known(), known, "{month}");
        let view = View { report: &report, language: Language::Vi, lent: &|_| false, home: Some("/reports/x") };
        if !known {
            let page = page::unknown(view).expect("it is rendered");
            assert!(page.contains("Không có số liệu của tháng này.") && !page.contains("<table"), "{page}");
        }
    }
}

#[test]
fn the_contracts_terms_are_shown_bounded_and_are_no_formulas_in_a_table() {
    use crate::uptime::{Deadline, Kept, Reckoning, Stand, TermLine, Terms};
    let (_, mut report) = report(240, 4);
    let at = report.from;
    let deadline = |stands, used_seconds| Some(Deadline { allowed_seconds: 3600, used_seconds, stands, at: Some(at) });
    let line = |number| TermLine {
        id: format!("cho-{number}"),
        number,
        cause: "site",
        place: "<i>Chợ".into(),
        level: crate::model::Level::Blind,
        opened: at,
        closed: None,
        responded_by: Some("=Hưng".into()),
        responded: Some(at),
        respond: deadline(Stand::Kept, 60),
        repair: deadline(Stand::Missed, 7200),
        seconds: Reckoning { counted: 7200, others: 1800, seen: 60, ..Reckoning::default() },
        earlier_seconds: 0,
    };
    report.contract = Some(Terms {
        contractor: "Ánh Sáng".into(),
        respond: Kept { kept: 500, missed: 0, open: 0 },
        repair: Kept { kept: 0, missed: 500, open: 1 },
        lines: (0..500).map(line).collect(),
    });
    let view = View { report: &report, language: Language::Vi, lent: &|_| false, home: Some("/reports/2026-09") };
    let page = page::main(view, &[]).expect("it is rendered");
    for part in [
        "&#60;i&#62;Chợ",
        "100,00 % (500 đúng hạn, 0 quá hạn)",
        "0,00 % (0 đúng hạn, 500 quá hạn, 1 chưa đến hạn)",
        "✗ quá hạn: 2 giờ / 1 giờ",
        "30 phút do đường truyền hoặc điện của bên khác; 1 phút đã thấy lại, chờ ổn định",
        "+440",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(page.len() < LARGEST, "{} bytes", page.len());
    let table = super::terms_csv(&report).expect("a table");
    assert_eq!(table.lines().count(), 501);
    assert!(table.contains(",blind,") && table.contains(",'=Hưng,3600,60,kept,"), "{table}");
}
