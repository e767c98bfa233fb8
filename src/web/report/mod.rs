//! The uptime report over HTTP and as files: a page with plots, a table for spreadsheets, JSON.

mod desk;
mod detail;
mod figures;
mod page;
mod svg;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod words;

pub(super) use desk::{Desk, Unready};
pub use figures::{length, mean_length, percent};
pub use page::{file, households};
pub use table::csv;

use super::{
    page::around,
    refuse::refuse,
    router::{NotEmbedded, Shared, Wish, html},
};
use crate::{
    model::{Language, Snapshot},
    uptime::{Month, Report},
};
use axum::{
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Works out the report of a month; the error is for people.
pub type Reporter = Arc<dyn Fn(Month) -> BoxFuture<'static, Result<Report, String>> + Send + Sync>;

/// Months that the list of reports goes back.
const MONTHS: usize = 13;

/// How soon a report is asked for again that could not be worked out at once, in seconds.
const AGAIN: HeaderValue = HeaderValue::from_static("5");

/// The list of months, and the report of the one that runs.
pub(super) async fn latest(State(shared): State<Shared>, _: NotEmbedded, Query(wish): Query<Wish>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let month = Month::of(snapshot.at, &snapshot.fleet.commune.timezone);
    show(&shared, &snapshot, month, wish.language(&snapshot)).await
}

/// A month's page, or with `.csv` behind it its table.
pub(super) async fn one(
    State(shared): State<Shared>,
    _: NotEmbedded,
    uri: Uri,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
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
    let forms = match shared.reports.of(month, &snapshot).await {
        Ok(forms) => forms,
        Err(unready) => return unready.told(uri.path()),
    };
    match forms.csv().await {
        Ok(text) => {
            let name = format!("attachment; filename=\"camhealth-{month}.csv\"");
            let headers =
                [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
            (headers, text).into_response()
        }
        Err(error) => Unready::Failed(error).told(uri.path()),
    }
}

/// What of a page of detail is asked for.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Part {
    q: Option<String>,
    page: Option<String>,
}

/// A page of one of a month's tables, or of its incidents.
pub(super) async fn detail(
    State(shared): State<Shared>,
    _: NotEmbedded,
    Path((name, table)): Path<(String, String)>,
    Query(wish): Query<Wish>,
    Query(part): Query<Part>,
) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    let found = known(&name, &snapshot).ok().zip(table.parse::<detail::Detail>().ok());
    let Some((month, detail)) = found else {
        return (StatusCode::NOT_FOUND, words::words(language).no_table).into_response();
    };
    let search = super::list::short(part.q.as_deref().unwrap_or_default());
    let number = part.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1);
    let path = format!("/reports/{month}/{table}");
    let forms = match shared.reports.of(month, &snapshot).await {
        Ok(forms) => forms,
        Err(unready) => return unready.told(&path),
    };
    let main = match forms.detail(&detail, &search, number, language) {
        Ok(main) => main,
        Err(error) => return Unready::Failed(error).told(&path),
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("q", &search).append_pair("page", &number.to_string()).finish();
    let events = format!("/events?lang={}&incident=", words::words(language).lang);
    let shown = around(&shared, main, &snapshot, language, &format!("{path}?{query}"), &events);
    shown.unwrap_or_else(|error| html(Err(error)))
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
    let path = format!("/reports/{month}");
    let forms = shared.reports.of(month, snapshot).await;
    let main = match forms.and_then(|forms| forms.page(language).clone().map_err(Unready::Failed)) {
        Ok(main) => main,
        Err(unready) => return unready.told(&path),
    };
    // It is told how old it is and nothing else: the figures of a report do not move under the reader.
    let events = format!("/events?lang={}&incident=", words::words(language).lang);
    around(shared, main, snapshot, language, &path, &events).unwrap_or_else(|error| html(Err(error)))
}

/// Links to the months, the latest first.
fn navigation(snapshot: &Snapshot, language: Language, shown: Month) -> String {
    let words = words::words(language);
    let latest = Month::of(snapshot.at, &snapshot.fleet.commune.timezone);
    let link = |month: Month| match month == shown {
        true => format!("<li><b aria-current=\"page\">{month}</b></li>"),
        false => format!("<li><a href=\"/reports/{month}?lang={}\">{month}</a></li>", words.lang),
    };
    let months = std::iter::successors(Some(latest), |month| Some(month.before())).take(MONTHS);
    let months: String = months.map(link).collect();
    format!("<nav aria-label=\"{}\"><ul class=\"months\">{months}</ul></nav>", words.months)
}

impl Unready {
    /// As whoever asked for `path` reads it.
    pub(super) fn told(self, path: &str) -> Response {
        match self {
            Self::Crowded => {
                let vietnamese = "Nhiều người đang chờ báo cáo; hãy thử lại sau vài giây.";
                let english = "many wait for reports; try again in some seconds";
                let mut response = refuse(path, StatusCode::SERVICE_UNAVAILABLE, vietnamese, english);
                response.headers_mut().insert(header::RETRY_AFTER, AGAIN);
                response
            }
            Self::Failed(error) => {
                let vietnamese = format!("Không lập được báo cáo: {error}");
                let english = format!("the report cannot be made: {error}");
                refuse(path, StatusCode::INTERNAL_SERVER_ERROR, &vietnamese, &english)
            }
        }
    }
}
