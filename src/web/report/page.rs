//! The report as a page, and as a file that needs nothing beside it.

use super::{
    figures::{hours, length, mean_length, percent, points},
    svg,
    words::{self, Words, words},
};
use crate::{
    model::{Kind, Language},
    uptime::{Account, CauseLine, Class, IncidentLine, Line, Report, Verdict},
};
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    words: &'static Words,
    report: &'a Report,
    period: String,
    figures: [Figure; 3],
    bar: String,
    shares: Vec<Share>,
    total_hours: String,
    plot: String,
    tables: Vec<Table>,
    causes: Vec<(String, String, usize)>,
    incidents: Vec<IncidentRow>,
    removed: String,
    /// Where other forms of it are: name and address.
    forms: &'a [(&'static str, String)],
}

#[derive(Template)]
#[template(path = "report_file.html")]
struct File<'a> {
    lang: &'a str,
    title: String,
    style: &'static str,
    main: &'a str,
}

/// One of the three figures that stand side by side.
struct Figure {
    name: &'static str,
    meaning: &'static str,
    value: String,
    note: String,
    class: &'static str,
}

struct Share {
    class: &'static str,
    name: &'static str,
    counted: &'static str,
    hours: String,
    share: String,
}

struct Table {
    id: &'static str,
    title: &'static str,
    /// Long tables are folded.
    folded: bool,
    blind: bool,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    name: String,
    members: usize,
    strip: String,
    service: String,
    contractor: String,
    measured: String,
    down: String,
    blind: String,
    outages: usize,
    mttr: String,
    mtbf: String,
    change: String,
    verdict: &'static str,
    class: &'static str,
}

struct IncidentRow {
    number: u32,
    place: String,
    cause: &'static str,
    level: &'static str,
    class: &'static str,
    from: String,
    length: String,
    taken_on: String,
}

/// The content of the page. `forms` are the addresses of its other forms.
pub(super) fn main(
    report: &Report,
    households: &BTreeSet<String>,
    language: Language,
    forms: &[(&'static str, String)],
) -> askama::Result<String> {
    let words = words(language);
    let show = Show { report, words, language, zone: &report.zone };
    let total = &report.total;
    let (lent, public): (Vec<&Line>, Vec<&Line>) =
        report.cameras.iter().partition(|line| households.contains(&line.id));
    let table = |id, title, lines: Vec<&Line>, target, folded| Table {
        id,
        title,
        folded,
        blind: lines.iter().any(|line| line.blind_seconds.is_some()),
        rows: lines.into_iter().map(|line| show.row(line, target)).collect(),
    };
    let (camera, site) = (report.camera_target, report.site_target);
    let tables = vec![
        table("sites", words.sites, report.sites.iter().collect(), site, false),
        table("cameras", words.cameras, public, camera, false),
        table("households", words.households, lent, camera, true),
        table("links", words.links, report.links.iter().collect(), camera, false),
        table("by-link", words.by_link, report.cameras_by_link.iter().collect(), camera, true),
        table("makes", words.makes, report.makes.iter().collect(), camera, false),
    ];
    let share = |account: Account| Share {
        class: account.as_str(),
        name: words::account(account, language),
        counted: svg::class(account, language),
        hours: hours(total.seconds.of(account), language),
        share: percent(Some(total.seconds.of(account) as f64 / total.seconds.total().max(1) as f64), language),
    };
    let page = Page {
        words,
        report,
        period: show.period(),
        figures: show.figures(),
        bar: svg::shares(&total.seconds, language),
        shares: Account::ALL.map(share).into_iter().collect(),
        total_hours: hours(total.seconds.total(), language),
        plot: svg::days(report, language),
        tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
        causes: report.causes.iter().map(|line| show.cause(line)).collect(),
        incidents: report.incidents.iter().map(|line| show.incident(line)).collect(),
        removed: report.removed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        forms,
    };
    page.render()
}

/// The report as a file of its own, with its style in it and without a script.
pub fn file(report: &Report, households: &BTreeSet<String>, language: Language) -> askama::Result<String> {
    let words = words(language);
    let main = main(report, households, language, &[])?;
    let style = concat!(include_str!("../static/wall.css"), include_str!("../static/report.css"));
    File { lang: words.lang, title: format!("{} – {}", words.title, report.commune), style, main: &main }.render()
}

struct Show<'a> {
    report: &'a Report,
    words: &'static Words,
    language: Language,
    zone: &'a TimeZone,
}

impl Show<'_> {
    fn period(&self) -> String {
        let month = self.report.from.to_zoned_datetime(self.zone.clone()).strftime("%m/%Y").to_string();
        match self.report.complete {
            true => month,
            false => {
                format!("{month} ({}, {} {})", self.words.running, self.words.so_far, self.time(self.report.until))
            }
        }
    }

    fn time(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M %d/%m/%Y").to_string()
    }

    fn figures(&self) -> [Figure; 3] {
        let (words, report, language) = (self.words, self.report, self.language);
        let trend = |now: Option<f64>, of: fn(&crate::uptime::Trend) -> Option<f64>| {
            let before = report.before.as_ref().and_then(of);
            match now.zip(before) {
                Some((now, before)) => format!("{} {}", points(Some(now - before), language), words.against),
                None => words.no_before.to_owned(),
            }
        };
        let total = &report.total;
        let verdict = total.verdict.unwrap_or(Verdict::NotMeasured);
        let agreed = format!(
            "{} ({} {})",
            words::verdict(verdict, language),
            words.agreed,
            percent(Some(report.camera_target), language)
        );
        [
            Figure {
                name: words.service,
                meaning: words.service_is,
                value: percent(total.service, language),
                note: trend(total.service, |before| before.service),
                class: "",
            },
            Figure {
                name: words.contractor,
                meaning: words.contractor_is,
                value: percent(total.contractor, language),
                note: format!("{agreed}; {}", trend(total.contractor, |before| before.contractor)),
                class: class_of(verdict),
            },
            Figure {
                name: words.measured,
                meaning: words.measured_is,
                value: percent(total.measured, language),
                note: trend(total.measured, |before| before.measured),
                class: "",
            },
        ]
    }

    fn row(&self, line: &Line, target: f64) -> Row {
        let language = self.language;
        let name = if line.name.is_empty() { &line.id } else { &line.name };
        Row {
            id: if *name == line.id { String::new() } else { line.id.clone() },
            name: name.clone(),
            members: line.members,
            strip: svg::strip(&line.days, target),
            service: percent(line.service, language),
            contractor: percent(line.contractor, language),
            measured: percent(line.measured, language),
            down: length(line.seconds.class(Class::Down), language),
            blind: line.blind_seconds.map_or_else(String::new, |seconds| length(seconds, language)),
            outages: line.outages,
            mttr: mean_length(line.mttr_seconds, language),
            mtbf: mean_length(line.mtbf_seconds, language),
            change: points(line.change, language),
            verdict: line.verdict.map_or("", |verdict| words::verdict(verdict, language)),
            class: line.verdict.map_or("", class_of),
        }
    }

    fn cause(&self, line: &CauseLine) -> (String, String, usize) {
        let account = words::account(line.account, self.language);
        let name = line.cause.map_or_else(|| account.to_owned(), |cause| cause.text(self.language).to_owned());
        (name, length(line.seconds, self.language), line.cameras)
    }

    fn incident(&self, line: &IncidentLine) -> IncidentRow {
        let lasted = length(line.seconds, self.language);
        IncidentRow {
            number: line.number,
            place: line.place.clone(),
            cause: match line.cause {
                "link" => self.words.cause_link,
                "device" => self.words.cause_device,
                "commune" => self.words.cause_commune,
                "monitor" => self.words.cause_monitor,
                _ => self.words.cause_site,
            },
            level: line.level.text(self.language),
            class: line.level.as_str(),
            from: self.time(line.since),
            length: match line.until {
                Some(_) => lasted,
                None => format!("{lasted}, {}", self.words.open),
            },
            taken_on: match line.acknowledged_after_seconds {
                Some(seconds) => length(seconds, self.language),
                None => self.words.nobody.to_owned(),
            },
        }
    }
}

fn class_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::NotMeasured => "thin",
    }
}

/// Ids of cameras that families lend: their lines are shown apart.
pub fn households(fleet: &crate::model::Fleet) -> BTreeSet<String> {
    let lent = fleet.cameras.values().filter(|camera| camera.kind == Kind::Household);
    lent.map(|camera| camera.id.to_string()).collect()
}
