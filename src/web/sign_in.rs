//! Signing in and out, and choosing a password by a link that is good once.

use super::{
    origin::OwnPage,
    refuse::refuse,
    secrets::{self, LONGEST, SHORTEST},
    server::{Guest, Way},
    state::{Shared, Wish},
    totp,
    visitor::{BROWSER, COOKIE, Visitor, cookie},
    whole::{Frame, html},
    words::{Words, words},
};
use crate::{
    model::Language,
    request::{Refused, Request},
    rights::{self, Account, By, Hash, OpenId, PassKind, Proof, SecondStep, Try, Who, Wrong},
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
/// Seconds within which a code follows a password.
const HALF_WAY: i64 = 300;
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
    /// Who has shown their password and is asked for a code: the account, and what says so.
    half_way: Option<(&'a str, &'a str)>,
    shortest: usize,
    /// A provider by which they may sign in too: its name, and where its button leads.
    provider: Option<(String, String)>,
    /// Whether anybody has a passkey.
    passkeys: bool,
}

impl<'a> Page<'a> {
    /// The form that asks for name and password.
    fn sign_in(shared: &Shared, words: &'a Words, to: &'a str) -> Self {
        let query = || {
            url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("to", to), ("lang", words.lang)])
                .finish()
        };
        let provider = shared.state.access.openid.as_ref();
        let provider = provider.map(|known| (known.name().to_owned(), format!("/sign-in/openid?{}", query())));
        let (action, shortest) = ("/sign-in", SHORTEST);
        let passkeys = shared.state.access.register.borrow().accounts().any(|account| !account.passkeys.is_empty());
        Self { words, action, choosing: None, to, trouble: None, half_way: None, shortest, provider, passkeys }
    }
}

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Going {
    #[serde(default)]
    to: String,
}

impl Going {
    /// Where somebody wanted to go before.
    pub(super) fn to(to: &str) -> Self {
        Self { to: to.to_owned() }
    }

    /// The address, if it is one of ours: a link must not lead elsewhere by way of us.
    pub(super) fn address(&self) -> &str {
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

/// The form that asks for name and password, with what went wrong.
pub(super) fn refused(
    shared: &Shared,
    language: Language,
    (status, trouble): (StatusCode, &str),
    to: &str,
) -> Response {
    let page = Page { trouble: Some(trouble.to_owned()), ..Page::sign_in(shared, words(language), to) };
    shown(shared, language, status, &page)
}

pub(super) async fn page(
    State(shared): State<Shared>,
    Query(wish): Query<Wish>,
    Query(going): Query<Going>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let page = Page::sign_in(&shared, words(language), going.address());
    shown(&shared, language, StatusCode::OK, &page)
}

pub(super) async fn sign_in(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<SignIn>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let address = address(guest);
    let going = Going { to: form.to.clone() };
    match let_in(&shared, &headers, address, (&form.name, &form.password)).await {
        Ok(account) if account.second.is_some() => {
            let shown = account.password.clone();
            ask_code(&shared, language, (&account, shown, going.address()), (StatusCode::OK, None))
        }
        Ok(account) => match enter(&shared, (visitor.way, address), &headers, (account.name, None), &going).await {
            Ok(response) => response,
            Err(refused) => super::asked::refusal(&refused),
        },
        Err(wait) => {
            let words = words(language);
            let (status, trouble) = trouble(words, wait, words.wrong_password);
            refused(&shared, language, (status, &trouble), going.address())
        }
    }
}

/// Where a request comes from.
pub(super) fn address(guest: Option<Extension<Guest>>) -> IpAddr {
    guest.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(guest)| guest.address())
}

/// What is said where somebody must wait, or where what they typed was wrong.
pub(super) fn trouble(words: &Words, wait: Option<Duration>, wrong: &str) -> (StatusCode, String) {
    match wait {
        Some(wait) => (StatusCode::TOO_MANY_REQUESTS, format!("{} {} s.", words.wait_to_sign_in, wait.as_secs() + 1)),
        None => (StatusCode::FORBIDDEN, wrong.to_owned()),
    }
}

/// Lets somebody in who has shown all that is asked for: their browser is known from now on.
pub(super) async fn enter(
    shared: &Shared,
    (way, address): (Way, IpAddr),
    headers: &HeaderMap,
    (account, proof): (String, Option<Proof>),
    going: &Going,
) -> Result<Response, Refused> {
    let (secret, pass) = session();
    let by = By { who: Who::Called(account.clone()), from: address.to_string() };
    let wish = rights::Wish::SignIn { account: account.clone(), pass, label: label(headers), proof };
    shared.ask(&by, Request::People(wish)).await?;
    Ok(entered(shared, way, &account, &secret, going))
}

/// What a browser will show, and what is kept of it.
pub(super) fn session() -> (SecretString, Hash) {
    let secret = secrets::secret();
    let pass = secrets::known_as(secret.expose_secret());
    (secret, pass)
}

/// Hands over to a browser what it is known by, and sends it on.
pub(super) fn entered(shared: &Shared, way: Way, account: &str, secret: &SecretString, going: &Going) -> Response {
    let mut response = Redirect::to(going.address()).into_response();
    set(&mut response, way, COOKIE, secret.expose_secret());
    set(&mut response, way, BROWSER, &browser_of(shared, account));
    response
}

/// The cookie of a browser in which an account has signed in before.
fn known_browser<'h>(shared: &Shared, headers: &'h HeaderMap, account: &str) -> Option<&'h str> {
    let kept = cookie(headers, BROWSER).and_then(|kept| kept.rsplit_once('.').map(|(name, _)| (name, kept)))?;
    let (name, kept) = kept;
    (name == account && secrets::same(kept, &browser_of(shared, name))).then_some(kept)
}

/// The account that somebody has shown the password of. `Err` says how long they must wait before they may try at all, or
/// that something was wrong.
pub(super) async fn let_in(
    shared: &Shared,
    headers: &HeaderMap,
    address: IpAddr,
    (name, password): (&str, &SecretString),
) -> Result<Account, Option<Duration>> {
    let access = &shared.state.access;
    let typed: String = name.trim().to_lowercase().chars().take(64).collect();
    let tried = Try { address, account: &typed, browser: known_browser(shared, headers, &typed) };
    // One password at a time is looked at: each takes memory and time on purpose.
    let _turn = access.hashing.acquire().await.map_err(|_| None)?;
    let wait = access.throttle.lock().unwrap_or_else(PoisonError::into_inner).wait((access.now)(), tried);
    if !wait.is_zero() {
        return Err(Some(wait));
    }
    let register = access.register.borrow().clone();
    let account = register.account(&typed).filter(|account| !account.closed).cloned();
    let (kept, password) = (account.as_ref().and_then(|account| account.password.clone()), password.clone());
    let short = password.expose_secret().len() <= LONGEST;
    let right = tokio::task::spawn_blocking(move || short && secrets::is_right(&password, kept.as_ref())).await;
    let mut throttle = access.throttle.lock().unwrap_or_else(PoisonError::into_inner);
    match account.filter(|_| right.unwrap_or(false)) {
        Some(account) => {
            throttle.signed_in(tried);
            Ok(account)
        }
        None => {
            throttle.mistake((access.now)(), tried);
            Err(None)
        }
    }
}

/// The same of whoever a provider has just vouched for.
pub(super) fn ask_code_of_vouched(shared: &Shared, language: Language, account: &Account, to: &str) -> Response {
    let shown = account.openid.as_ref().and_then(OpenId::shown);
    ask_code(shared, language, (account, shown, to), (StatusCode::OK, None))
}

/// The form that asks for a code of whoever has just shown a password, or what stands in its place.
fn ask_code(
    shared: &Shared,
    language: Language,
    (account, proven, to): (&Account, Option<Hash>, &str),
    (status, trouble): (StatusCode, Option<String>),
) -> Response {
    let access = &shared.state.access;
    let proven = proven.unwrap_or(Hash(String::new()));
    let half = secrets::half_way(&access.key, (access.now)().as_second(), &account.name, &proven);
    let words = words(language);
    let page = Page {
        action: "/sign-in/code",
        half_way: Some((&account.name, &half)),
        trouble,
        ..Page::sign_in(shared, words, to)
    };
    shown(shared, language, status, &page)
}

#[derive(Deserialize)]
pub(super) struct Code {
    name: String,
    /// That they have shown the password.
    half: SecretString,
    code: SecretString,
    #[serde(default)]
    to: String,
}

/// The account of whoever has shown its password a moment ago, or was vouched for; and which of the two it was.
fn half_way(shared: &Shared, form: &Code) -> Option<(Account, SecondStep, Hash)> {
    let access = &shared.state.access;
    let account = access.register.borrow().account(&form.name).filter(|account| !account.closed).cloned()?;
    let shown = form.half.expose_secret();
    let second = shown.split('.').next()?.parse::<i64>().ok()?;
    let openid = account.openid.as_ref().and_then(OpenId::shown);
    let is_right = |proven: &Hash| secrets::same(&secrets::half_way(&access.key, second, &account.name, proven), shown);
    let proven = account.password.iter().cloned().chain(openid).find(is_right)?;
    let fresh = (0..=HALF_WAY).contains(&(access.now)().as_second().saturating_sub(second));
    let step = account.second.clone()?;
    fresh.then_some((account, step, proven))
}

/// The second step: a code, or a recovery code. Mistakes make wait as wrong passwords do, and are counted apart from them:
/// whoever gets so far has shown the password.
pub(super) async fn code(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Form(form): Form<Code>,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let (words, going, address) = (words(language), Going { to: form.to.clone() }, address(guest));
    let Some((account, second, proven)) = half_way(&shared, &form) else {
        return refused(&shared, language, (StatusCode::FORBIDDEN, words.half_way_over), going.address());
    };
    let access = &shared.state.access;
    // No account has a name with a space in it.
    let counted = format!("{} code", account.name);
    let tried = Try { address, account: &counted, browser: known_browser(&shared, &headers, &account.name) };
    let again = |wait| {
        let (status, trouble) = trouble(words, wait, words.wrong_code);
        ask_code(&shared, language, (&account, Some(proven.clone()), going.address()), (status, Some(trouble)))
    };
    // One at a time, so that many at once are no more tries than one after the other.
    let Ok(_turn) = access.hashing.acquire().await else { return again(None) };
    let wait = access.throttle.lock().unwrap_or_else(PoisonError::into_inner).wait((access.now)(), tried);
    if !wait.is_zero() {
        return again(Some(wait));
    }
    let proof = totp::proof(&second, form.code.expose_secret(), (access.now)());
    let outcome = match proof {
        Some(proof) => {
            enter(&shared, (visitor.way, address), &headers, (account.name.clone(), Some(proof)), &going).await
        }
        None => Err(Refused::People(Wrong::Code)),
    };
    let mut throttle = access.throttle.lock().unwrap_or_else(PoisonError::into_inner);
    match outcome {
        Ok(response) => {
            throttle.signed_in(tried);
            response
        }
        Err(Refused::People(Wrong::Code)) => {
            throttle.mistake((access.now)(), tried);
            drop(throttle);
            again(None)
        }
        Err(refused) => super::asked::refusal(&refused),
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
    let page = Page { action: &action, choosing: Some(&name), ..Page::sign_in(&shared, words(language), "/") };
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
        let page = Page { action: &action, choosing: Some(&name), trouble, ..Page::sign_in(&shared, words, "/") };
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
pub(super) fn label(headers: &HeaderMap) -> String {
    let said = headers.get(header::USER_AGENT).and_then(|said| said.to_str().ok()).unwrap_or_default();
    said.chars().filter(|letter| !letter.is_control()).take(LABEL).collect()
}
