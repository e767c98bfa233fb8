//! The report's addresses: a month's page, its table, and pages of detail.

use super::{
    super::{
        list::short,
        origin::NotEmbedded,
        seen::Seen,
        state::{Shared, Wish},
        visitor::Visitor,
        whole::{Frame, html},
    },
    Unready,
    detail::Detail,
    known,
    words::words,
};
use crate::{
    model::{Language, Snapshot},
    uptime::Month,
};
use axum::{
    extract::{Path, Query},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// The list of months, and the report of the one that runs.
pub(in crate::web) async fn latest(
    Seen(shared): Seen,
    visitor: Visitor,
    _: NotEmbedded,
    Query(wish): Query<Wish>,
) -> Response {
    let snapshot = shared.snapshot();
    let month = Month::of(snapshot.at, &snapshot.fleet.commune.timezone);
    show((&shared, &visitor), &snapshot, month, wish.language(&snapshot)).await
}

/// A month's page, or with `.csv` behind it its table, and with `.terms.csv` that of the contract's terms.
pub(in crate::web) async fn one(
    Seen(shared): Seen,
    visitor: Visitor,
    _: NotEmbedded,
    uri: Uri,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    let snapshot = shared.snapshot();
    let (name, as_table) = match name.strip_suffix(".csv") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let (month, of_terms) = match name.strip_suffix(".terms").filter(|_| as_table) {
        Some(month) => (month, true),
        None => (name, false),
    };
    let month = match known(month, &snapshot) {
        Ok(month) => month,
        Err(error) => return (StatusCode::NOT_FOUND, format!("{error}\n")).into_response(),
    };
    if !as_table {
        return show((&shared, &visitor), &snapshot, month, wish.language(&snapshot)).await;
    }
    let forms = match shared.reports.of(month, &snapshot).await {
        Ok(forms) => forms,
        Err(unready) => return unready.told(uri.path()),
    };
    let table = if of_terms { forms.terms() } else { forms.csv().await };
    match table {
        Ok(text) => {
            let kind = if of_terms { ".terms" } else { "" };
            let name = format!("attachment; filename=\"camhealth-{month}{kind}.csv\"");
            let headers =
                [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
            (headers, text).into_response()
        }
        Err(error) => Unready::Failed(error).told(uri.path()),
    }
}

/// What of a page of detail is asked for.
#[derive(Debug, Default, serde::Deserialize)]
pub(in crate::web) struct Part {
    q: Option<String>,
    page: Option<String>,
}

/// A page of one of a month's tables, or of its incidents.
pub(in crate::web) async fn detail(
    Seen(shared): Seen,
    visitor: Visitor,
    _: NotEmbedded,
    Path((name, table)): Path<(String, String)>,
    Query(wish): Query<Wish>,
    Query(part): Query<Part>,
) -> Response {
    let snapshot = shared.snapshot();
    let language = wish.language(&snapshot);
    let found = known(&name, &snapshot).ok().zip(table.parse::<Detail>().ok());
    let Some((month, detail)) = found else {
        return (StatusCode::NOT_FOUND, words(language).no_table).into_response();
    };
    let search = short(part.q.as_deref().unwrap_or_default());
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
    let events = format!("/events?lang={}&incident=", words(language).lang);
    let path = format!("{path}?{query}");
    let frame =
        Frame { shared: &shared, visitor: &visitor, snapshot: &snapshot, language, path: &path, events: &events };
    frame.around(main).unwrap_or_else(|error| html(Err(error)))
}

async fn show(
    (shared, visitor): (&Shared, &Visitor),
    snapshot: &Arc<Snapshot>,
    month: Month,
    language: Language,
) -> Response {
    let path = format!("/reports/{month}");
    let forms = shared.reports.of(month, snapshot).await;
    let main = match forms.and_then(|forms| forms.page(language).clone().map_err(Unready::Failed)) {
        Ok(main) => main,
        Err(unready) => return unready.told(&path),
    };
    // It is told how old it is and nothing else: the figures of a report do not move under the reader.
    let events = format!("/events?lang={}&incident=", words(language).lang);
    let frame = Frame { shared, visitor, snapshot, language, path: &path, events: &events };
    frame.around(main).unwrap_or_else(|error| html(Err(error)))
}
