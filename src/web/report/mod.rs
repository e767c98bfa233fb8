//! The uptime report over HTTP and as files: a page with plots, a table for spreadsheets, JSON.

mod figures;
mod page;
mod svg;
mod table;
mod words;

pub use figures::{length, mean_length, percent};
pub use page::{file, households};
pub use table::csv;
pub use words::verdict;

use super::{
    page::whole,
    router::{Shared, Wish, html},
};
use crate::{
    model::{Language, Snapshot},
    uptime::{Month, Report},
};
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;

/// Works out the report of a month; the error is for people.
pub type Reporter = Arc<dyn Fn(Month) -> BoxFuture<'static, Result<Report, String>> + Send + Sync>;

/// Months that the list of reports goes back.
const MONTHS: usize = 13;

/// The list of months, and the report of the one that runs.
pub(super) async fn latest(State(shared): State<Shared>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let month = Month::of(snapshot.at, &snapshot.fleet.commune.timezone);
    show(&shared, &snapshot, month, wish.language(&snapshot)).await
}

/// A month's page, or with `.csv` behind it its table.
pub(super) async fn one(State(shared): State<Shared>, Path(name): Path<String>, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let (month, as_table) = match name.strip_suffix(".csv") {
        Some(month) => (month, true),
        None => (name.as_str(), false),
    };
    let month = match known(month, &snapshot) {
        Ok(month) => month,
        Err(error) => return (StatusCode::NOT_FOUND, format!("{error}\n")).into_response(),
    };
    if !as_table {
        return show(&shared, &snapshot, month, wish.language(&snapshot)).await;
    }
    match (shared.state.reporter)(month).await.and_then(|report| csv(&report).map_err(|error| error.to_string())) {
        Ok(text) => {
            let name = format!("attachment; filename=\"camhealth-{month}.csv\"");
            let headers =
                [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
            (headers, text).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// A month of which something can be said.
pub(super) fn known(name: &str, snapshot: &Snapshot) -> Result<Month, String> {
    let month = name.parse::<Month>()?;
    match month.has_begun(&snapshot.fleet.commune.timezone, snapshot.at) {
        true => Ok(month),
        false => Err(format!("{month} has not begun")),
    }
}

async fn show(shared: &Shared, snapshot: &Arc<Snapshot>, month: Month, language: Language) -> Response {
    let report = match (shared.state.reporter)(month).await {
        Ok(report) => report,
        Err(error) => return failed(&error),
    };
    let forms = [("CSV", format!("/reports/{month}.csv")), ("JSON", format!("/api/v1/reports/{month}"))];
    let words = words::words(language);
    let months = months(snapshot.at, snapshot, words.lang, month);
    let list = format!("<nav aria-label=\"{}\"><ul class=\"months\">{months}</ul></nav>", words.months);
    let main = page::main(&report, &households(&snapshot.fleet), language, &forms).map(|main| list + &main);
    let path = format!("/reports/{month}");
    // It is told how old it is and nothing else: the figures of a report do not move under the reader.
    let events = format!("/events?lang={}&incident=", words.lang);
    html(main.and_then(|main| whole(&main, snapshot, language, &path, &events)))
}

/// Links to the months, the latest first.
fn months(now: Timestamp, snapshot: &Snapshot, lang: &str, shown: Month) -> String {
    let latest = Month::of(now, &snapshot.fleet.commune.timezone);
    let link = |month: Month| match month == shown {
        true => format!("<li><b aria-current=\"page\">{month}</b></li>"),
        false => format!("<li><a href=\"/reports/{month}?lang={lang}\">{month}</a></li>"),
    };
    std::iter::successors(Some(latest), |month| Some(month.before())).take(MONTHS).map(link).collect()
}

fn failed(error: &str) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("the report cannot be made: {error}\n")).into_response()
}
