//! Accounts, passes and the audit trail on pages, for whoever keeps them.

use super::{
    asked,
    origin::OwnPage,
    page::moment,
    people::{self, Deed, Issued},
    state::{Shared, Wish},
    visitor::Visitor,
    whole::{Frame, html},
    words::{Words, words},
};
use crate::{
    model::{Language, Snapshot},
    request::Refused,
    rights::{Account, Pass, PassKind, Role},
};
use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;

/// Entries of the audit trail on a page.
const ENTRIES: usize = 100;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/accounts", get(accounts).post(invite))
        .route("/accounts/{name}", post(change))
        .route("/passes", post(issue))
        .route("/passes/{id}/end", post(end))
        .route("/audit", get(audit))
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct Accounts<'a> {
    words: &'static Words,
    /// What was just made: what to do with it, and the link or the token itself.
    issued: Option<(&'static str, &'a str)>,
    accounts: Vec<AccountRow<'a>>,
    passes: Vec<PassRow<'a>>,
    /// What a program, and a screen, are called.
    kinds: (&'static str, &'static str),
    /// Names and words of all roles.
    roles: Vec<(&'static str, &'static str)>,
}

struct AccountRow<'a> {
    name: &'a str,
    full_name: &'a str,
    role: &'static str,
    word: &'static str,
    created: String,
    closed: bool,
    invited: bool,
}

struct PassRow<'a> {
    /// As much of its hash as tells it from others.
    id: &'a str,
    kind: &'static str,
    label: &'a str,
    account: &'a str,
    word: &'static str,
    used: String,
    until: String,
}

fn account_row<'a>(account: &'a Account, snapshot: &Snapshot, language: Language) -> AccountRow<'a> {
    AccountRow {
        name: &account.name,
        full_name: &account.full_name,
        role: account.role.as_str(),
        word: account.role.text(language),
        created: moment(account.created, snapshot).text,
        closed: account.closed,
        invited: account.password.is_none(),
    }
}

fn pass_row<'a>(pass: &'a Pass, snapshot: &Snapshot, language: Language) -> PassRow<'a> {
    PassRow {
        id: &pass.id.0,
        kind: pass.kind.text(language),
        label: &pass.label,
        account: pass.account.as_deref().unwrap_or_default(),
        word: pass.role.text(language),
        used: moment(pass.used, snapshot).text,
        until: pass.until.map_or_else(|| words(language).for_ever.to_owned(), |until| moment(until, snapshot).text),
    }
}

async fn accounts(State(shared): State<Shared>, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    shown(&shared, &visitor, language, None)
}

fn shown(shared: &Shared, visitor: &Visitor, language: Language, issued: Option<(&'static str, &str)>) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let (register, words) = (shared.state.access.register.borrow().clone(), words(language));
    let now = (shared.state.access.now)();
    let page = Accounts {
        words,
        issued,
        accounts: register.accounts().map(|account| account_row(account, &snapshot, language)).collect(),
        passes: register.passes(now).map(|pass| pass_row(pass, &snapshot, language)).collect(),
        kinds: (PassKind::Token.text(language), PassKind::Screen.text(language)),
        roles: Role::ALL.iter().map(|role| (role.as_str(), role.text(language))).collect(),
    };
    let frame = Frame { shared, visitor, snapshot: &snapshot, language, path: "/accounts", events: "" };
    html(page.render().and_then(|main| frame.whole(&main)))
}

#[derive(Debug, Deserialize)]
struct NewAccount {
    name: String,
    #[serde(default)]
    full_name: String,
    role: Role,
}

async fn invite(
    State(shared): State<Shared>,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<NewAccount>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    let invite = people::invitation(&form.name, &form.full_name, form.role, false);
    issued(&shared, &visitor, language, people::invite(&shared, &visitor.by, invite).await)
}

fn issued(shared: &Shared, visitor: &Visitor, language: Language, outcome: Result<Issued, Refused>) -> Response {
    let words = words(language);
    match outcome {
        Ok(Issued::Link(path)) => shown(shared, visitor, language, Some((words.link_once, &path))),
        Ok(Issued::Screen(path)) => shown(shared, visitor, language, Some((words.screen_once, &path))),
        Ok(Issued::Token(token)) => shown(shared, visitor, language, Some((words.token_once, &token))),
        Err(refused) => asked::refusal(&refused),
    }
}

async fn change(
    State(shared): State<Shared>,
    visitor: Visitor,
    _: OwnPage,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
    Form(deed): Form<Deed>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    match people::change(&shared, &visitor.by, name, deed).await {
        Ok(Some(made)) => issued(&shared, &visitor, language, Ok(made)),
        outcome => done(outcome.map(drop)),
    }
}

#[derive(Debug, Deserialize)]
struct NewPass {
    label: String,
    kind: PassKind,
    role: Role,
    /// Nothing where it has no end.
    #[serde(default)]
    days: String,
}

async fn issue(
    State(shared): State<Shared>,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<NewPass>,
) -> Response {
    let language = wish.language(&shared.state.snapshots.borrow());
    let days = form.days.trim().parse().ok();
    let outcome = people::issue(&shared, &visitor.by, (form.kind, form.role), &form.label, days).await;
    issued(&shared, &visitor, language, outcome)
}

async fn end(State(shared): State<Shared>, visitor: Visitor, _: OwnPage, Path(id): Path<String>) -> Response {
    done(people::end(&shared, &visitor.by, &id).await)
}

fn done(outcome: Result<(), Refused>) -> Response {
    match outcome {
        Ok(()) => Redirect::to("/accounts").into_response(),
        Err(refused) => asked::refusal(&refused),
    }
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    words: &'static Words,
    entries: Vec<EntryRow>,
    /// Where the chain is broken, among these.
    broken: Option<u64>,
    /// Where older ones are, if there are.
    older: Option<u64>,
}

struct EntryRow {
    number: u64,
    at: String,
    who: String,
    from: String,
    action: String,
    subject: String,
    before: String,
    after: String,
}

#[derive(Debug, Deserialize)]
struct Before {
    before: Option<u64>,
}

async fn audit(
    State(shared): State<Shared>,
    visitor: Visitor,
    Query(wish): Query<Wish>,
    Query(part): Query<Before>,
) -> Response {
    let snapshot = shared.state.snapshots.borrow().clone();
    let language = wish.language(&snapshot);
    // One more than is shown: the chain is looked at up to the one before the last shown.
    let (mut entries, broken) = match people::trail(&shared, part.before.unwrap_or(u64::MAX), ENTRIES + 1).await {
        Ok(trail) => trail,
        Err(why) => return (axum::http::StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    };
    let older = entries.get(ENTRIES).map(|entry| entry.number + 1);
    entries.truncate(ENTRIES);
    let rows = entries.into_iter().map(|entry| EntryRow {
        number: entry.number,
        at: moment(entry.at, &snapshot).text,
        who: entry.who,
        from: entry.from,
        action: entry.action,
        subject: entry.subject,
        before: entry.before,
        after: entry.after,
    });
    let page = Audit { words: words(language), entries: rows.collect(), broken, older };
    let (shared, visitor) = (&shared, &visitor);
    let frame = Frame { shared, visitor, snapshot: &snapshot, language, path: "/audit", events: "" };
    html(page.render().and_then(|main| frame.whole(&main)))
}
