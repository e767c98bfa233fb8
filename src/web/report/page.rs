//! The report as a page, and as a file that needs nothing beside it.

use super::{
    contract::{Contract, contract},
    figures::{hours, length, mean_length, percent, points},
    svg,
    tables::{INCIDENTS as INCIDENTS_TABLE, Table},
    words::{Words, words},
};
use crate::{
    model::{Kind, Language, Local},
    uptime::{Account, Answers, CauseLine, Class, IncidentLine, Line, Report, Spread, Verdict},
};
use askama::Template;
use std::{collections::BTreeSet, ops::Range};

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
    tables: Vec<Shown>,
    causes: Vec<(String, String, usize)>,
    incidents: Vec<IncidentRow>,
    incidents_all: usize,
    incidents_address: String,
    answers: Vec<(&'static str, String)>,
    drills: Vec<(&'static str, String)>,
    contract: Option<Contract>,
    removed: String,
    removed_more: usize,
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

#[derive(Template)]
#[template(path = "report_unknown.html")]
struct Unknown<'a> {
    words: &'static Words,
    period: String,
    commune: &'a str,
    since: String,
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

/// A table, or the part of it that is shown.
pub(super) struct Shown {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) folded: bool,
    pub(super) blind: bool,
    pub(super) rows: Vec<Row>,
    /// How many rows it has in all, and where they are.
    pub(super) all: usize,
    pub(super) address: String,
}

pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) members: usize,
    pub(super) proof: Option<&'static str>,
    pub(super) strip: String,
    pub(super) service: String,
    pub(super) contractor: String,
    pub(super) measured: String,
    pub(super) down: String,
    pub(super) blind: String,
    pub(super) outages: usize,
    pub(super) mttr: String,
    pub(super) mtbf: String,
    pub(super) change: String,
    pub(super) verdict: &'static str,
    pub(super) class: &'static str,
}

pub(super) struct IncidentRow {
    pub(super) number: u32,
    pub(super) place: String,
    pub(super) cause: &'static str,
    pub(super) level: &'static str,
    pub(super) class: &'static str,
    pub(super) from: String,
    pub(super) length: String,
    pub(super) taken_on: String,
}

/// Lines of a report that are shown on one page, whatever they are about; of more only the worst are.
const WHOLE: usize = 320;
/// Incidents on the page of a large fleet, the latest of them.
const INCIDENTS: usize = 40;
/// Cameras that are named which the configuration no longer has.
const REMOVED: usize = 200;
/// How a report is shown.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) report: &'a Report,
    pub(super) language: Language,
    /// Knows a household's camera by its id.
    pub(super) lent: &'a dyn Fn(&str) -> bool,
    /// Where its pages are, `/reports/2026-10`; `None` where it is one file, which has everything.
    pub(super) home: Option<&'a str>,
}

/// The content of the page: the whole report, or the worst of each table where that is too much. `forms` are the
/// addresses of its other forms.
pub(super) fn main(view: View<'_>, forms: &[(&'static str, String)]) -> askama::Result<String> {
    let View { report, language, .. } = view;
    let words = words(language);
    let show = Show { report, words, language };
    let total = &report.total;
    let lines = Table::ALL.map(|table| (table, table.lines(report, view.lent)));
    let terms = report.contract.as_ref().map_or(0, |terms| terms.lines.len());
    let all = lines.iter().map(|(_, lines)| lines.len()).sum::<usize>() + report.incidents.len() + terms;
    let is_whole = view.home.is_none() || all <= WHOLE;
    let address = |name: &str| match view.home {
        Some(home) => format!("{home}/{name}?lang={}", words.lang),
        None => String::new(),
    };
    let tables = lines.into_iter().filter(|(_, lines)| !lines.is_empty()).map(|(table, lines)| {
        let most = if is_whole { lines.len() } else { table.most() };
        show.table(table, &lines, 0..most, address(table.as_str()))
    });
    let incidents = match is_whole {
        true => &report.incidents[..],
        false => &report.incidents[report.incidents.len().saturating_sub(INCIDENTS)..],
    };
    let removed = if is_whole { usize::MAX } else { REMOVED };
    let share = |account: Account| Share {
        class: account.as_str(),
        name: account.text(language),
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
        tables: tables.collect(),
        causes: report.causes.iter().map(|line| show.cause(line)).collect(),
        incidents: incidents.iter().map(|line| show.incident(line)).collect(),
        incidents_all: report.incidents.len(),
        incidents_address: address(INCIDENTS_TABLE),
        answers: show.answers(&report.answers),
        drills: if report.drills.incidents > 0 { show.answers(&report.drills) } else { Vec::new() },
        contract: report.contract.as_ref().map(|terms| contract(terms, report, language, is_whole)),
        removed_more: report.removed.len().saturating_sub(removed),
        removed: report.removed.iter().take(removed).map(ToString::to_string).collect::<Vec<_>>().join(", "),
        forms,
    };
    page.render()
}

/// The content of the page of a month of which nothing is remembered: that, and not tables of nothing.
pub(super) fn unknown(View { report, language, .. }: View<'_>) -> askama::Result<String> {
    let words = words(language);
    let show = Show { report, words, language };
    let since = report.known_since.map_or_else(String::new, |since| show.local().full(since));
    Unknown { words, period: show.local().month(report.from), commune: &report.commune, since }.render()
}

/// A content as a file of its own, with its style in it and without a script.
pub(in crate::web) fn alone(title: &str, main: &str, language: Language) -> askama::Result<String> {
    let style = concat!(include_str!("../static/wall.css"), include_str!("../static/report.css"));
    File { lang: words(language).lang, title: title.to_owned(), style, main }.render()
}

/// The report as a file of its own.
pub fn file(report: &Report, households: &BTreeSet<String>, language: Language) -> askama::Result<String> {
    let words = words(language);
    let lent = |id: &str| households.contains(id);
    let main = main(View { report, language, lent: &lent, home: None }, &[])?;
    alone(&format!("{} – {}", words.title, report.commune), &main, language)
}

pub(super) struct Show<'a> {
    pub(super) report: &'a Report,
    pub(super) words: &'static Words,
    pub(super) language: Language,
}

impl Show<'_> {
    pub(super) fn period(&self) -> String {
        let month = self.local().month(self.report.from);
        match self.report.complete {
            true => month,
            false => {
                format!(
                    "{month} ({}, {} {})",
                    self.words.running,
                    self.words.so_far,
                    self.local().full(self.report.until)
                )
            }
        }
    }

    fn local(&self) -> Local<'_> {
        Local::new(&self.report.zone, self.report.until)
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
        let agreed =
            format!("{} ({} {})", verdict.text(language), words.agreed, percent(Some(report.camera_target), language));
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

    /// A part of a table. Whether it has a column for blindness does not hang on the part.
    pub(super) fn table(&self, table: Table, lines: &[&Line], part: Range<usize>, address: String) -> Shown {
        let part = part.start.min(lines.len())..part.end.min(lines.len());
        Shown {
            id: table.as_str(),
            title: table.title(self.words),
            folded: table.is_folded(),
            blind: lines.iter().any(|line| line.blind_seconds.is_some()),
            rows: lines[part].iter().map(|line| self.row(line, table.target(self.report))).collect(),
            all: lines.len(),
            address,
        }
    }

    fn row(&self, line: &Line, target: f64) -> Row {
        let language = self.language;
        let name = if line.name.is_empty() { &line.id } else { &line.name };
        Row {
            id: if *name == line.id { String::new() } else { line.id.clone() },
            name: name.clone(),
            members: line.members,
            proof: line.proof.map(|proof| proof.text(language)),
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
            verdict: line.verdict.map_or("", |verdict| verdict.text(language)),
            class: line.verdict.map_or("", class_of),
        }
    }

    fn cause(&self, line: &CauseLine) -> (String, String, usize) {
        let account = line.account.text(self.language);
        let name = line.cause.map_or_else(|| account.to_owned(), |cause| cause.text(self.language).to_owned());
        (name, length(line.seconds, self.language), line.cameras)
    }

    /// How the month's incidents, or its exercises, were answered.
    fn answers(&self, answers: &Answers) -> Vec<(&'static str, String)> {
        let words = self.words;
        let time = |seconds: u64| length(i64::try_from(seconds).unwrap_or(i64::MAX), self.language);
        let spread = |spread: Option<Spread>| match spread {
            None => "–".to_owned(),
            Some(Spread { incidents, median_seconds, worst_seconds, worst }) => format!(
                "{} {}, {} {} (#{worst}); {incidents} {}",
                words.median,
                time(median_seconds),
                words.longest,
                time(worst_seconds),
                words.incidents_counted,
            ),
        };
        let mut late = answers.late.to_string();
        if !answers.late_numbers.is_empty() {
            let numbers: Vec<String> = answers.late_numbers.iter().map(|number| format!("#{number}")).collect();
            let more = if answers.late > answers.late_numbers.len() { ", …" } else { "" };
            late = format!("{late}: {}{more}", numbers.join(", "));
        }
        vec![
            (words.decided, answers.incidents.to_string()),
            (words.until_sent, spread(answers.sent)),
            (words.until_taken_on, spread(answers.taken_on)),
            (words.not_in_time, late),
        ]
    }

    pub(super) fn incident(&self, line: &IncidentLine) -> IncidentRow {
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
            from: self.local().full(line.since),
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
