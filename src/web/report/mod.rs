//! The uptime report over HTTP and as files: a page with plots, a table for spreadsheets, JSON.

mod contract;
mod desk;
mod detail;
mod figures;
mod page;
mod svg;
mod table;
mod tables;
mod terms_table;
#[cfg(test)]
mod tests;
pub(super) mod visit;
mod words;

pub use contract::figure as kept;
pub(super) use desk::{Desk, Unready};
pub use figures::{length, mean_length, percent};
pub(super) use page::alone;
pub use page::{file, households};
pub use table::csv;
pub use terms_table::terms_csv;

use super::refuse::refuse;
use crate::{
    model::{Language, Snapshot},
    rights::Bounds,
    uptime::{Month, Report},
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;

/// Works out the report of a month, or of what lies in some areas; the error is for people.
pub type Reporter = Arc<dyn Fn(Month, Option<Bounds>) -> BoxFuture<'static, Result<Report, String>> + Send + Sync>;

/// Months that the list of reports goes back.
const MONTHS: usize = 13;

/// How soon a report is asked for again that could not be worked out at once, in seconds.
const AGAIN: HeaderValue = HeaderValue::from_static("5");

/// A month of which something can be said.
pub(super) fn known(name: &str, snapshot: &Snapshot) -> Result<Month, String> {
    let month = name.parse::<Month>()?;
    match month.has_begun(&snapshot.fleet.commune.timezone, snapshot.at) {
        true => Ok(month),
        false => Err(format!("{month} has not begun")),
    }
}

/// Links to the months, the latest first: those of which something is known, and the one that is shown.
fn navigation(snapshot: &Snapshot, language: Language, (shown, known_since): (Month, Option<Timestamp>)) -> String {
    let words = words::words(language);
    let zone = &snapshot.fleet.commune.timezone;
    let latest = Month::of(snapshot.at, zone);
    let first = known_since.map(|since| Month::of(since, zone));
    let link = |month: Month| match month == shown {
        true => format!("<li><b aria-current=\"page\">{month}</b></li>"),
        false => format!("<li><a href=\"/reports/{month}?lang={}\">{month}</a></li>", words.lang),
    };
    let months = std::iter::successors(Some(latest), |month| Some(month.before())).take(MONTHS);
    let months = months.filter(|month| *month == shown || first.is_none_or(|first| *month >= first));
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
