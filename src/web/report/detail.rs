//! Pages of detail: one table of a report, or its incidents, searched and a hundred lines at a time.

use super::{
    page::{IncidentRow, Show, Shown, View},
    tables::{INCIDENTS, Table},
    words::{Words, words},
};
use crate::model::folded;
use askama::Template;
use std::str::FromStr;

/// Lines on a page.
pub(super) const LINES: usize = 100;

/// What a page of detail shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Detail {
    Lines(Table),
    Incidents,
}

impl FromStr for Detail {
    type Err = crate::model::UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == INCIDENTS { Ok(Self::Incidents) } else { name.parse().map(Self::Lines) }
    }
}

#[derive(Template)]
#[template(path = "report_detail.html")]
struct DetailPage<'a> {
    words: &'static Words,
    period: String,
    home: &'a str,
    title: &'static str,
    /// Where the form leads.
    address: String,
    search: &'a str,
    found: usize,
    table: Option<Shown>,
    incidents: Vec<IncidentRow>,
    incidents_all: usize,
    incidents_address: String,
    /// Number, count, and the addresses before and after, which are empty at the ends.
    page: usize,
    pages: usize,
    before: String,
    after: String,
}

/// A page of one table, or of the incidents; `page` counts from 1, and one that is not there is the last.
pub(super) fn main(view: View<'_>, detail: &Detail, search: &str, page: usize) -> askama::Result<String> {
    let View { report, language, .. } = view;
    let (words, home) = (words(language), view.home.unwrap_or_default());
    let show = Show { report, words, language };
    let plain = |text: &str| folded(text).to_lowercase();
    let wanted: Vec<String> = plain(search).split_whitespace().map(str::to_owned).collect();
    let has = |id: &str, name: &str| {
        wanted.is_empty() || {
            let text = plain(&format!("{name}\n{id}"));
            wanted.iter().all(|word| text.contains(word.as_str()))
        }
    };
    let (mut lines, mut incidents) = (Vec::new(), Vec::new());
    let (name, title) = match detail {
        Detail::Lines(table) => {
            lines = table.lines(report, view.lent);
            lines.retain(|line| has(&line.id, &line.name));
            (table.as_str(), table.title(words))
        }
        Detail::Incidents => {
            // The latest first: the list is long, and people look for what was lately.
            incidents =
                report.incidents.iter().rev().filter(|line| has(&line.number.to_string(), &line.place)).collect();
            (INCIDENTS, words.incidents)
        }
    };
    let found = lines.len() + incidents.len();
    let pages = found.div_ceil(LINES).max(1);
    let page = page.clamp(1, pages);
    let range = (page - 1) * LINES..(page * LINES).min(found);
    let address = format!("{home}/{name}");
    let to = |page: usize| match (1..=pages).contains(&page) {
        true => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("q", search).append_pair("page", &page.to_string()).append_pair("lang", words.lang);
            format!("{address}?{}", query.finish())
        }
        false => String::new(),
    };
    let page = DetailPage {
        words,
        period: show.period(),
        home,
        title,
        search,
        found,
        table: match detail {
            // What somebody has asked for by itself is not folded.
            Detail::Lines(table) if found > 0 => {
                Some(Shown { folded: false, ..show.table(*table, &lines, range.clone(), String::new()) })
            }
            _ => None,
        },
        incidents: incidents.get(range).unwrap_or_default().iter().map(|line| show.incident(line)).collect(),
        incidents_all: incidents.len(),
        incidents_address: String::new(),
        before: to(page - 1),
        after: to(page + 1),
        address,
        page,
        pages,
    };
    page.render()
}
