//! The page on which somebody makes passkeys of their own and forgets them.

use super::ceremony::{Held, Place};
use crate::{
    request::{Refused, Request},
    rights::{self, Account, PASSKEYS, Who, Wrong},
    web::{
        asked,
        origin::OwnPage,
        page::moment,
        secrets,
        seen::Seen,
        server::Guest,
        sign_in,
        state::{Shared, Wish},
        visitor::Visitor,
        whole::{Frame, html},
        words::{Words, words},
    },
};
use askama::Template;
use axum::{
    Extension, Form, Json,
    extract::Query,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "passkeys.html")]
struct Page<'a> {
    words: &'a Words,
    account: &'a str,
    passkeys: Vec<Row<'a>>,
    /// Whether there can be one more.
    room: bool,
    /// Whether a browser can have one under the name by which the page is open.
    possible: bool,
    /// Whether this session needs more than the password it was begun with.
    lacks: bool,
}

struct Row<'a> {
    id: &'a str,
    label: &'a str,
    created: String,
    used: String,
}

/// The account of whoever visits; programs and screens have none.
fn account(shared: &Shared, visitor: &Visitor) -> Option<Account> {
    match &visitor.by.who {
        Who::Person { account, .. } => shared.state.access.register.borrow().account(account).cloned(),
        _ => None,
    }
}

fn of_nobody() -> Response {
    (StatusCode::NOT_FOUND, "programs and screens have no passkeys\n").into_response()
}

pub(super) async fn page(
    Seen(shared): Seen,
    visitor: Visitor,
    headers: HeaderMap,
    Query(wish): Query<Wish>,
) -> Response {
    let snapshot = shared.snapshot();
    let language = wish.language(&snapshot);
    let Some(account) = account(&shared, &visitor) else { return of_nobody() };
    let words = words(language);
    let rows = account.passkeys.iter().map(|passkey| Row {
        id: &passkey.id,
        label: &passkey.label,
        created: moment(passkey.created, &snapshot).text,
        used: passkey.used.map_or_else(|| words.never_used.to_owned(), |at| moment(at, &snapshot).text),
    });
    let page = Page {
        words,
        account: &account.name,
        passkeys: rows.collect(),
        room: account.passkeys.len() < PASSKEYS,
        possible: Place::of(&headers, visitor.way).is_some(),
        lacks: shared.state.access.lacks_second_step(&visitor.by.who),
    };
    let frame =
        Frame { shared: &shared, visitor: &visitor, snapshot: &snapshot, language, path: "/passkeys", events: "" };
    html(page.render().and_then(|main| frame.whole(&main)))
}

#[derive(Deserialize)]
pub(super) struct Begin {
    password: SecretString,
    label: String,
}

/// A refusal for the script of the page, which shows it.
pub(super) fn told(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "trouble": why }))).into_response()
}

/// What the script hands to the browser, and by which the answer is known.
pub(super) fn asked_for(ceremony: &SecretString, options: Value) -> Response {
    Json(json!({ "ceremony": ceremony.expose_secret(), "options": options })).into_response()
}

/// Whoever finds a browser that is signed in must not add their own phone: the password is asked for once more.
pub(super) async fn begin(
    Seen(shared): Seen,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Begin>,
) -> Response {
    let snapshot = shared.snapshot();
    let words = words(wish.language(&snapshot));
    let Some(account) = account(&shared, &visitor) else { return of_nobody() };
    let Some(place) = Place::of(&headers, visitor.way) else {
        return told(StatusCode::CONFLICT, words.passkeys_need_name);
    };
    let address = sign_in::address(guest);
    if let Err(wait) = sign_in::let_in(&shared, &headers, address, (&account.name, &form.password)).await {
        let (status, why) = sign_in::trouble(words, wait, words.wrong_password);
        return told(status, &why);
    }
    let access = &shared.state.access;
    match place.make((&snapshot.fleet.commune.name, &access.key), &account, &form.label) {
        Ok((options, held)) => {
            let ceremony = secrets::secret();
            shared.passkeys.put((access.now)(), secrets::known_as(ceremony.expose_secret()), address, held);
            asked_for(&ceremony, options)
        }
        Err(error) => {
            tracing::warn!("no passkey can be made: {error:?}");
            told(StatusCode::INTERNAL_SERVER_ERROR, words.passkey_refused)
        }
    }
}

/// What a browser answers, and to what.
#[derive(Deserialize)]
pub(super) struct Confirm {
    ceremony: SecretString,
    credential: Value,
}

pub(super) async fn confirm(
    Seen(shared): Seen,
    visitor: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Json(answer): Json<Confirm>,
) -> Response {
    let words = words(wish.language(&shared.snapshot()));
    let (Some(account), Some(place)) = (account(&shared, &visitor), Place::of(&headers, visitor.way)) else {
        return of_nobody();
    };
    let now = (shared.state.access.now)();
    let id = secrets::known_as(answer.ceremony.expose_secret());
    let is_theirs = |held: &Held| matches!(held, Held::New { account: whose, .. } if *whose == account.name);
    let Some(Held::New { label, begun, .. }) = shared.passkeys.take(now, &id, is_theirs) else {
        return told(StatusCode::CONFLICT, words.passkey_too_late);
    };
    let made = serde_json::from_value(answer.credential).map_err(|error| error.to_string());
    let made = made.and_then(|made| place.made(&begun, &made, (&label, now)).map_err(|error| format!("{error:?}")));
    let passkey = match made {
        Ok(passkey) => passkey,
        Err(why) => {
            tracing::info!("a passkey was not taken on: {why}");
            return told(StatusCode::FORBIDDEN, words.passkey_refused);
        }
    };
    let wish = rights::Wish::AddPasskey(account.name, passkey);
    match shared.ask(&visitor.by, Request::People(wish)).await {
        Ok(_) => Json(json!({ "to": "/passkeys" })).into_response(),
        Err(Refused::People(Wrong::TooMany)) => told(StatusCode::CONFLICT, words.passkeys_full),
        Err(refused) => asked::refusal(&refused),
    }
}

#[derive(Deserialize)]
pub(super) struct Forget {
    id: String,
}

pub(super) async fn forget(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Forget>,
) -> Response {
    let Some(account) = account(&shared, &visitor) else { return of_nobody() };
    let wanted = rights::Wish::DropPasskey(account.name, form.id);
    match shared.ask(&visitor.by, Request::People(wanted)).await {
        Ok(_) => {
            let language = wish.language(&shared.snapshot());
            Redirect::to(&format!("/passkeys?lang={}", words(language).lang)).into_response()
        }
        Err(refused) => asked::refusal(&refused),
    }
}
