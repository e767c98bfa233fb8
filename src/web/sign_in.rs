//! Signing in and out, and choosing a password by a link that is good once.

use super::{
    origin::OwnPage,
    refuse::refuse,
    secrets::{self, LONGEST, SHORTEST},
    server::{Guest, Way},
    state::{Shared, Wish},
    visitor::{BROWSER, COOKIE, Visitor, cookie},
    whole::{Frame, html},
    words::{Words, words},
};
use crate::{
    model::Language,
    request::Request,
    rights::{self, By, Hash, PassKind, Try, Who},
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::PoisonError,
    time::Duration,
};

/// How long a browser keeps what it is known by; the register may end it sooner.
const KEPT: u64 = 90 * 24 * 3600;
/// Letters of what a browser says it is that are kept.
const LABEL: usize = 60;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    words: &'a Words,
    /// Where the form leads.
    action: &'a str,
    /// Whose password is chosen; nobody's where somebody signs in.
    choosing: Option<&'a str>,
    to: &'a str,
    trouble: Option<String>,
    shortest: usize,
}

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Going {
    #[serde(default)]
    to: String,
}

impl Going {
    /// The address, if it is one of ours: a link must not lead elsewhere by way of us.
    fn address(&self) -> &str {
        let own = self.to.starts_with('/') && !self.to.starts_with("//") && !self.to.contains(['\\', '\r', '\n']);
        if own { &self.to } else { "/" }
    }
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: SecretString,
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    password: SecretString,
    again: SecretString,
}

/// The page around one of these forms.
fn shown(shared: &Shared, language: Language, status: StatusCode, page: &Page<'_>) -> Response {
    let snapshot = shared.snapshot();
    let around = |main: String| {
        let visitor = &Visitor::stranger();
        Frame { shared, visitor, snapshot: &snapshot, language, path: page.action, events: "" }.whole(&main)
    };
    let mut response = html(page.render().and_then(around));
    *response.status_mut() = status;
    response
}

pub(super) async fn page(
    State(shared): State<Shared>,
    Query(wish): Query<Wish>,
    Query(going): Query<Going>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let page = Page {
        words: words(language),
        action: "/sign-in",
        choosing: None,
        to: going.address(),
        trouble: None,
        shortest: SHORTEST,
    };
    shown(&shared, language, StatusCode::OK, &page)
}

pub(super) async fn sign_in(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    Visitor { way, .. }: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<SignIn>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let address = guest.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(guest)| guest.address());
    let by = By { who: Who::Stranger, from: address.to_string() };
    let going = Going { to: form.to.clone() };
    match let_in(&shared, &headers, address, &form).await {
        Ok((account, pass)) => {
            let who = Who::Called(account.clone());
            let wish = rights::Wish::SignIn { account: account.clone(), pass: pass.1, label: label(&headers) };
            match shared.ask(&By { who, ..by }, Request::People(wish)).await {
                Ok(_) => {
                    let mut response = Redirect::to(going.address()).into_response();
                    set(&mut response, way, COOKIE, pass.0.expose_secret());
                    set(&mut response, way, BROWSER, &browser_of(&shared, &account));
                    response
                }
                Err(refused) => super::asked::refusal(&refused),
            }
        }
        Err(wait) => {
            let words = words(language);
            let trouble = match wait {
                Some(wait) => format!("{} {} s.", words.wait_to_sign_in, wait.as_secs() + 1),
                None => words.wrong_password.to_owned(),
            };
            let (to, status) =
                (going.address(), if wait.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::FORBIDDEN });
            let page =
                Page { words, action: "/sign-in", choosing: None, to, trouble: Some(trouble), shortest: SHORTEST };
            shown(&shared, language, status, &page)
        }
    }
}

/// The account that somebody has shown the password of, and a new secret with its hash. `Err` says how long they must
/// wait before they may try at all, or that something was wrong.
async fn let_in(
    shared: &Shared,
    headers: &HeaderMap,
    address: IpAddr,
    form: &SignIn,
) -> Result<(String, (SecretString, Hash)), Option<Duration>> {
    let access = &shared.state.access;
    let typed: String = form.name.trim().to_lowercase().chars().take(64).collect();
    // A browser in which this account has signed in before shows so.
    let kept = cookie(headers, BROWSER).and_then(|kept| kept.rsplit_once('.').map(|(name, _)| (name, kept)));
    let browser = kept.filter(|(name, kept)| *name == typed && secrets::same(kept, &browser_of(shared, name)));
    let tried = Try { address, account: &typed, browser: browser.map(|(_, kept)| kept) };
    // One password at a time is looked at: each takes memory and time on purpose.
    let _turn = access.hashing.acquire().await.map_err(|_| None)?;
    let wait = access.throttle.lock().unwrap_or_else(PoisonError::into_inner).wait((access.now)(), tried);
    if !wait.is_zero() {
        return Err(Some(wait));
    }
    let register = access.register.borrow().clone();
    let account = register.account(&typed).filter(|account| !account.closed);
    let (kept, name) =
        (account.and_then(|account| account.password.clone()), account.map(|account| account.name.clone()));
    let password = form.password.clone();
    let short = password.expose_secret().len() <= LONGEST;
    let right = tokio::task::spawn_blocking(move || short && secrets::is_right(&password, kept.as_ref())).await;
    let mut throttle = access.throttle.lock().unwrap_or_else(PoisonError::into_inner);
    match name.filter(|_| right.unwrap_or(false)) {
        Some(name) => {
            throttle.signed_in(tried);
            let secret = secrets::secret();
            let id = secrets::known_as(secret.expose_secret());
            Ok((name, (secret, id)))
        }
        None => {
            throttle.mistake((access.now)(), tried);
            Err(None)
        }
    }
}

/// What a browser keeps in which an account has signed in.
fn browser_of(shared: &Shared, account: &str) -> String {
    format!("{account}.{}", secrets::form_token(&shared.state.access.key, &Hash(format!("browser of {account}"))))
}

pub(super) async fn sign_out(State(shared): State<Shared>, visitor: Visitor, _: OwnPage) -> Response {
    if let Who::Person { pass, .. } = &visitor.by.who {
        // What is gone already is what they wanted.
        let _ = shared.ask(&visitor.by, Request::People(rights::Wish::SignOut(pass.clone()))).await;
    }
    let mut response = Redirect::to("/sign-in").into_response();
    set(&mut response, visitor.way, COOKIE, "");
    response
}

/// Whom a link is for that chooses a password.
fn invited(shared: &Shared, secret: &str) -> Option<String> {
    let access = &shared.state.access;
    let register = access.register.borrow().clone();
    let pass = register.pass((access.now)(), &secrets::known_as(secret))?;
    (pass.kind == PassKind::Invitation).then(|| pass.account.clone())?
}

fn used_up(language: Language) -> Response {
    (StatusCode::NOT_FOUND, words(language).link_used_up).into_response()
}

pub(super) async fn join_page(
    State(shared): State<Shared>,
    Path(secret): Path<String>,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let Some(name) = invited(&shared, &secret) else { return used_up(language) };
    let action = format!("/join/{secret}");
    let page = Page {
        words: words(language),
        action: &action,
        choosing: Some(&name),
        to: "/",
        trouble: None,
        shortest: SHORTEST,
    };
    shown(&shared, language, StatusCode::OK, &page)
}

pub(super) async fn join(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    Path(secret): Path<String>,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Choice>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let Some(name) = invited(&shared, &secret) else { return used_up(language) };
    let (action, words) = (format!("/join/{secret}"), words(language));
    let password = form.password;
    let letters = password.expose_secret().chars().count();
    let trouble = match () {
        () if letters < SHORTEST || password.expose_secret().len() > LONGEST => Some(words.password_length),
        () if password.expose_secret().to_lowercase().contains(&name) => Some(words.password_is_name),
        () if password.expose_secret() != form.again.expose_secret() => Some(words.passwords_differ),
        () => None,
    };
    if let Some(trouble) = trouble {
        let trouble = Some(trouble.to_owned());
        let page = Page { words, action: &action, choosing: Some(&name), to: "/", trouble, shortest: SHORTEST };
        return shown(&shared, language, StatusCode::BAD_REQUEST, &page);
    }
    let Ok(_turn) = shared.state.access.hashing.acquire().await else { return used_up(language) };
    let hash = tokio::task::spawn_blocking(move || secrets::hashed(&password)).await.ok().flatten();
    let Some(hash) = hash else {
        return refuse(
            &action,
            StatusCode::INTERNAL_SERVER_ERROR,
            "Không lưu được mật khẩu.",
            "the password cannot be kept",
        );
    };
    let from = guest.map(|Extension(guest)| guest.address().to_string()).unwrap_or_default();
    let wish = rights::Wish::Choose { invitation: secrets::known_as(&secret), password: hash };
    match shared.ask(&By { who: Who::Called(name), from }, Request::People(wish)).await {
        Ok(_) => Redirect::to("/sign-in").into_response(),
        Err(refused) => super::asked::refusal(&refused),
    }
}

/// A screen is known from now on by the link that was opened there.
pub(super) async fn screen(
    State(shared): State<Shared>,
    Path(secret): Path<String>,
    Visitor { way, .. }: Visitor,
    Query(wish): Query<Wish>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let access = &shared.state.access;
    let register = access.register.borrow().clone();
    match register.pass((access.now)(), &secrets::known_as(&secret)).filter(|pass| pass.kind == PassKind::Screen) {
        Some(_) => {
            let mut response = Redirect::to("/").into_response();
            set(&mut response, way, COOKIE, &secret);
            response
        }
        None => used_up(language),
    }
}

fn set(response: &mut Response, way: Way, name: &str, value: &str) {
    let age = if value.is_empty() { 0 } else { KEPT };
    // What came encrypted is shown encrypted only.
    let secure = if way.encrypted { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    // A name of ours and letters and digits are always a header.
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// What a browser says it is, in few letters.
fn label(headers: &HeaderMap) -> String {
    let said = headers.get(header::USER_AGENT).and_then(|said| said.to_str().ok()).unwrap_or_default();
    said.chars().filter(|letter| !letter.is_control()).take(LABEL).collect()
}
