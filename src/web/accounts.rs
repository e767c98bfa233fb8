//! Accounts, passes and the audit trail on pages, for whoever keeps them.

use super::{
    asked,
    origin::OwnPage,
    page::moment,
    people::{self, Deed, Issued},
    seen::Seen,
    state::{Shared, Wish},
    visitor::Visitor,
    whole::{Frame, html},
    words::{Words, words},
};
use crate::{
    model::{AreaId, Language, LinkKind, Snapshot},
    request::Refused,
    rights::{Account, Bounds, Invite, Pass, PassKind, Role},
};
use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::str::FromStr;

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
    /// Ids and names of all areas.
    areas: Vec<(&'a str, &'a str)>,
    /// Ids and names of those who take turns.
    people: Vec<(String, String)>,
    /// Whether people may sign in by a provider.
    provider: bool,
    /// Ids and names of the links that are agents, and sources.
    agents: Vec<(&'a str, &'a str)>,
    sources: Vec<(&'a str, &'a str)>,
}

struct AccountRow<'a> {
    name: &'a str,
    full_name: &'a str,
    role: &'static str,
    word: &'static str,
    created: String,
    closed: bool,
    invited: bool,
    second: bool,
    passkeys: usize,
    /// What they are called at the provider, and whether somebody has come by that.
    provider: Option<(&'a str, bool)>,
    /// What it is bound to, and what of that there is no more.
    areas: String,
    gone: String,
    /// Ids of these areas.
    bound: Vec<&'a str>,
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
    areas: String,
    gone: String,
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
        second: account.second.is_some(),
        passkeys: account.passkeys.len(),
        provider: account.openid.as_ref().map(|openid| (openid.name(), openid.is_bound())),
        areas: named(account.areas.as_ref(), snapshot),
        gone: gone(account.areas.as_ref(), snapshot),
        bound: account.areas.iter().flat_map(Bounds::areas).map(AreaId::as_str).collect(),
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
        areas: named(pass.areas.as_ref(), snapshot),
        gone: gone(pass.areas.as_ref(), snapshot),
    }
}

/// What the areas are called that something is bound to.
fn named(areas: Option<&Bounds>, snapshot: &Snapshot) -> String {
    let names = areas.iter().flat_map(|areas| areas.areas()).filter_map(|id| snapshot.fleet.areas.get(id));
    names.map(|area| area.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Which of them the configuration has no more.
fn gone(areas: Option<&Bounds>, snapshot: &Snapshot) -> String {
    let ids = areas.iter().flat_map(|areas| areas.gone(&snapshot.fleet));
    ids.map(AreaId::as_str).collect::<Vec<_>>().join(", ")
}

async fn accounts(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let language = wish.language(&shared.snapshot());
    shown(&shared, &visitor, language, None)
}

fn shown(shared: &Shared, visitor: &Visitor, language: Language, issued: Option<(&'static str, &str)>) -> Response {
    let snapshot = shared.snapshot();
    let (register, words) = (shared.state.access.register.borrow().clone(), words(language));
    let now = (shared.state.access.now)();
    let page = Accounts {
        words,
        issued,
        accounts: register.accounts().map(|account| account_row(account, &snapshot, language)).collect(),
        passes: register.passes(now).map(|pass| pass_row(pass, &snapshot, language)).collect(),
        kinds: (PassKind::Token.text(language), PassKind::Screen.text(language)),
        roles: Role::ALL.iter().map(|role| (role.as_str(), role.text(language))).collect(),
        areas: snapshot.fleet.areas.iter().map(|(id, area)| (id.as_str(), area.name.as_str())).collect(),
        people: shared.sheet().choices.people.iter().map(|(id, name)| (id.clone(), name.clone())).collect(),
        provider: shared.state.access.openid.is_some(),
        agents: links(&snapshot, LinkKind::Agent),
        sources: links(&snapshot, LinkKind::Source),
    };
    let frame = Frame { shared, visitor, snapshot: &snapshot, language, path: "/accounts", events: "" };
    html(page.render().and_then(|main| frame.whole(&main)))
}

/// Ids and names of the links of a kind.
fn links(snapshot: &Snapshot, kind: LinkKind) -> Vec<(&str, &str)> {
    let links = snapshot.fleet.links.iter().filter(|(_, link)| link.kind == kind);
    links.map(|(id, link)| (id.as_str(), link.name.as_str())).collect()
}

/// A form's fields, of which some may come several times.
struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first of a name; nothing where there is none.
    fn one(&self, key: &str) -> &str {
        self.0.iter().find(|(known, _)| known == key).map_or("", |(_, value)| value)
    }

    /// The areas that are chosen.
    fn areas(&self) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == "area").map(|(_, value)| value.clone()).collect()
    }

    /// A name of a closed list.
    fn named<T: FromStr>(&self, key: &str) -> Result<T, Box<Response>> {
        let refused =
            |_| Box::new((StatusCode::UNPROCESSABLE_ENTITY, format!("{key}: there is no such\n")).into_response());
        self.one(key).parse().map_err(refused)
    }
}

async fn invite(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let form = Fields(form);
    let role = match form.named("role") {
        Ok(role) => role,
        Err(refused) => return *refused,
    };
    let bound = (role, people::bounds(&form.areas()));
    let invite = people::invitation(form.one("name"), form.one("full_name"), bound, false);
    let invite = Invite { openid: people::called_at_provider(form.one("openid")), ..invite };
    issued(&shared, &visitor, language, people::invite(&shared, &visitor.by, invite).await)
}

fn issued(shared: &Shared, visitor: &Visitor, language: Language, outcome: Result<Issued, Refused>) -> Response {
    let words = words(language);
    match outcome {
        Ok(Issued::Link(path)) => shown(shared, visitor, language, Some((words.link_once, &path))),
        Ok(Issued::Screen(path)) => shown(shared, visitor, language, Some((words.screen_once, &path))),
        Ok(Issued::Calendar(path)) => shown(shared, visitor, language, Some((words.calendar_once, &path))),
        Ok(Issued::Token(token)) => shown(shared, visitor, language, Some((words.token_once, &token))),
        Err(refused) => asked::refusal(&refused),
    }
}

async fn change(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let deed = match deed(&Fields(form)) {
        Ok(deed) => deed,
        Err(refused) => return *refused,
    };
    let language = wish.language(&shared.snapshot());
    match people::change(&shared, &visitor.by, name, deed).await {
        Ok(Some(made)) => issued(&shared, &visitor, language, Ok(made)),
        outcome => done(outcome.map(drop)),
    }
}

/// What a button of an account's form asks for.
fn deed(form: &Fields) -> Result<Deed, Box<Response>> {
    Ok(match form.one("deed") {
        "link" => Deed::Link,
        "appoint" => Deed::Appoint { role: form.named("role")? },
        "bind" => Deed::Bind { areas: form.areas() },
        "no_second_step" => Deed::NoSecondStep,
        "no_passkeys" => Deed::NoPasskeys,
        "provider" => Deed::Provider { called: form.one("called").to_owned() },
        "close" => Deed::Close,
        "sign_out" => Deed::SignOut,
        _ => return Err(Box::new((StatusCode::UNPROCESSABLE_ENTITY, "deed: there is no such\n").into_response())),
    })
}

async fn issue(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Vec<(String, String)>>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let form = Fields(form);
    let (kind, role) = match (form.named("kind"), form.named("role")) {
        (Ok(kind), Ok(role)) => (kind, role),
        (Err(refused), _) | (_, Err(refused)) => return *refused,
    };
    // Nothing where it has no end.
    let days = form.one("days").trim().parse().ok();
    // A code says where the daemon is reached, which is not to be found out when it is made already.
    let code = (kind == PassKind::Joining).then(|| (shared.state.agents.code)());
    if let Some(None) = code {
        return (StatusCode::UNPROCESSABLE_ENTITY, format!("{}\n", words(language).no_address_for_agents))
            .into_response();
    }
    let bound = (kind, role, people::bounds(&form.areas()));
    let outcome = people::issue(&shared, &visitor.by, bound, form.one("label"), days).await;
    match (outcome, code.flatten()) {
        (Ok(Issued::Token(secret)), Some(code)) => {
            shown(&shared, &visitor, language, Some((words(language).code_once, &code(&secret))))
        }
        (outcome, _) => issued(&shared, &visitor, language, outcome),
    }
}

async fn end(Seen(shared): Seen, visitor: Visitor, _: OwnPage, Path(id): Path<String>) -> Response {
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

async fn audit(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>, Query(part): Query<Before>) -> Response {
    let snapshot = shared.snapshot();
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
