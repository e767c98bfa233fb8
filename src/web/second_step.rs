//! The page on which somebody sets up their second step: a seed that a phone takes over, confirmed by a first code, and ten
//! recovery codes that are shown once.

use super::{
    origin::OwnPage,
    page::moment,
    seen::Seen,
    server::Guest,
    sign_in,
    state::{Shared, Wish},
    totp,
    visitor::Visitor,
    whole::{Frame, html},
    words::{Words, words},
};
use crate::{
    model::Language,
    request::Request,
    rights::{self, Hash, SecondStep, Seed, Who},
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::Query,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "second_step.html")]
struct Page<'a> {
    words: &'a Words,
    trouble: Option<String>,
    /// Whose it is, for whatever keeps passwords.
    account: &'a str,
    /// Whether their role must have it.
    required: bool,
    /// Since when it is on, and how many recovery codes are left.
    on: Option<(String, usize)>,
    seed: Option<Shown>,
    /// What is shown once.
    recovery: Vec<String>,
}

/// A seed, as a phone takes it over.
struct Shown {
    side: usize,
    path: String,
    spelled: String,
    link: String,
}

impl Shown {
    fn of(seed: &Seed, commune: &str, account: &str) -> Option<Self> {
        let link = totp::link(seed, &format!("camhealth {commune}"), account)?;
        let (side, path) = totp::drawn(&link)?;
        Some(Self { side, path, spelled: totp::spelled(seed), link })
    }
}

/// The account of whoever visits; programs and screens have none.
fn account(visitor: &Visitor) -> Option<&str> {
    match &visitor.by.who {
        Who::Person { account, .. } => Some(account),
        _ => None,
    }
}

/// What of the page is shown.
#[derive(Default)]
struct Part {
    status: StatusCode,
    trouble: Option<String>,
    seed: Option<Seed>,
    recovery: Vec<String>,
}

fn shown(shared: &Shared, visitor: &Visitor, language: Language, part: Part) -> Response {
    let Some(name) = account(visitor) else {
        return (StatusCode::NOT_FOUND, "programs and screens have no second step\n").into_response();
    };
    let (snapshot, access) = (shared.snapshot(), &shared.state.access);
    let second = access.register.borrow().account(name).and_then(|account| account.second.clone());
    let page = Page {
        words: words(language),
        trouble: part.trouble,
        account: name,
        required: access.lacks_second_step(&visitor.by.who),
        on: second.map(|second| (moment(second.since, &snapshot).text, second.recovery.len())),
        seed: part.seed.and_then(|seed| Shown::of(&seed, &snapshot.fleet.commune.name, name)),
        recovery: part.recovery,
    };
    let frame = Frame { shared, visitor, snapshot: &snapshot, language, path: "/second-step", events: "" };
    let mut response = html(page.render().and_then(|main| frame.whole(&main)));
    *response.status_mut() = part.status;
    response
}

pub(super) async fn page(Seen(shared): Seen, visitor: Visitor, Query(wish): Query<Wish>) -> Response {
    let language = wish.language(&shared.snapshot());
    shown(&shared, &visitor, language, Part::default())
}

#[derive(Deserialize)]
pub(super) struct Change {
    deed: String,
    #[serde(default)]
    password: Option<SecretString>,
    #[serde(default)]
    code: Option<SecretString>,
}

pub(super) async fn change(
    Seen(shared): Seen,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Change>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let Some(name) = account(&visitor) else { return shown(&shared, &visitor, language, Part::default()) };
    let (words, access) = (words(language), &shared.state.access);
    let part = match (form.deed.as_str(), &form.password, &form.code) {
        // Whoever finds a browser that is signed in must not put their own phone in place of another.
        ("begin", Some(password), _) => {
            match sign_in::let_in(&shared, &headers, sign_in::address(guest), (name, password)).await {
                Ok(_) => {
                    let seed = totp::seed();
                    shared.waiting.put((access.now)(), name, seed.clone());
                    Part { seed: Some(seed), ..Part::default() }
                }
                Err(wait) => {
                    let (status, trouble) = sign_in::trouble(words, wait, words.wrong_password);
                    Part { status, trouble: Some(trouble), ..Part::default() }
                }
            }
        }
        ("confirm", _, Some(code)) => {
            let now = (access.now)();
            let Some(seed) = shared.waiting.of(now, name) else {
                let trouble = Some(words.seed_too_old.to_owned());
                return shown(
                    &shared,
                    &visitor,
                    language,
                    Part { status: StatusCode::CONFLICT, trouble, ..Part::default() },
                );
            };
            let code: String = code.expose_secret().chars().filter(|letter| !letter.is_whitespace()).collect();
            match totp::step(&seed, &code, now) {
                Some(step) => match confirm(&shared, &visitor, (name, seed), step).await {
                    Ok(recovery) => Part { recovery, ..Part::default() },
                    Err(refused) => return super::asked::refusal(&refused),
                },
                None => {
                    let trouble = Some(words.wrong_code.to_owned());
                    Part { status: StatusCode::FORBIDDEN, trouble, seed: Some(seed), ..Part::default() }
                }
            }
        }
        _ => Part { status: StatusCode::BAD_REQUEST, ..Part::default() },
    };
    shown(&shared, &visitor, language, part)
}

/// Asks for it from now on; the recovery codes.
async fn confirm(
    shared: &Shared,
    visitor: &Visitor,
    (name, seed): (&str, Seed),
    last: u64,
) -> Result<Vec<String>, crate::request::Refused> {
    let (told, recovery): (Vec<String>, Vec<Hash>) = totp::recovery().into_iter().unzip();
    let second = SecondStep { seed, last, recovery, since: (shared.state.access.now)() };
    let wish = rights::Wish::SecondStep(name.to_owned(), second);
    shared.ask(&visitor.by, Request::People(wish)).await?;
    shared.waiting.done(name);
    Ok(told)
}
