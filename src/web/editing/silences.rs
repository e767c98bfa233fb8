//! What is silenced for now, on the page of maintenance: beginning it and ending it.

use crate::{
    model::{Snapshot, Span},
    request::{Request, Silence},
    web::{
        asked,
        origin::OwnPage,
        page::moment,
        seen::Seen,
        state::{Shared, Wish},
        visitor::Visitor,
        words::words,
    },
};
use axum::{
    Form,
    extract::{Path, Query},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

/// A window that somebody set.
pub(super) struct Silenced {
    pub(super) id: String,
    pub(super) scope: String,
    pub(super) until: String,
    pub(super) why: String,
}

/// What people have silenced for now.
pub(super) fn silenced(snapshot: &Snapshot) -> Vec<Silenced> {
    // Those of the configuration stand below, each with its form or its file.
    let set = snapshot.windows.iter().filter(|window| window.id.starts_with('w'));
    let told = set.map(|window| Silenced {
        id: window.id.clone(),
        scope: window.scope.to_string(),
        until: match window.span {
            Span::Once { until, .. } => moment(until, snapshot).text,
            Span::Weekly { .. } => String::new(),
        },
        why: format!("{} ({})", window.reason, window.author),
    });
    told.collect()
}

/// What is to be silenced.
#[derive(Debug, Deserialize)]
pub(super) struct Begin {
    scope: String,
    minutes: u32,
    #[serde(default)]
    author: String,
    reason: String,
}

pub(super) async fn begin(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Begin>,
) -> Response {
    let Ok(scope) = form.scope.parse() else {
        return (StatusCode::BAD_REQUEST, "there is no such thing to silence\n").into_response();
    };
    let author = visitor.name().map_or(form.author, str::to_owned);
    let (from, until, minutes) = (None, None, Some(f64::from(form.minutes)));
    let silence = Silence { scope, from, until, minutes, author, reason: form.reason };
    done(&shared, &visitor, &wish, Request::Silence(silence)).await
}

pub(super) async fn end(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Path(window): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    done(&shared, &visitor, &wish, Request::Unsilence { window }).await
}

async fn done(shared: &Shared, visitor: &Visitor, wish: &Wish, request: Request) -> Response {
    match shared.ask(&visitor.by, request).await {
        Ok(_) => {
            let lang = words(wish.language(&shared.snapshot())).lang;
            Redirect::to(&format!("/settings/maintenance?lang={lang}")).into_response()
        }
        Err(refused) => asked::refusal(&refused),
    }
}
