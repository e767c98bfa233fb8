//! The button of the provider, and the address to which it sends people back.

use super::{held::Held, provider::Trouble};
use crate::{
    model::Language,
    request::Request,
    rights::{self, By, Who},
    web::{
        asked,
        gate::Modest,
        pending::GOOD_FOR,
        secrets,
        server::{Guest, Way},
        sign_in::{self, Going},
        state::{Shared, Wish},
        visitor::{Visitor, cookie},
        words::words,
    },
};
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// What the browser shows that began; it is sent to these addresses alone.
const COOKIE: &str = "camhealth-openid";
const PATH: &str = "/sign-in/openid";

fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, "there is no such page; the wall is at /\n").into_response()
}

/// Where the provider sends people back to. The name was looked at by the gate, and the provider takes only what it was told.
fn back_to(headers: &HeaderMap, way: Way) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let scheme = if way.encrypted { "https" } else { "http" };
    Some(format!("{scheme}://{host}{PATH}/back"))
}

/// Sends a browser to the provider.
pub(in crate::web) async fn begin(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(wish): Query<Wish>,
    Query(going): Query<Going>,
    _: Modest,
) -> Response {
    let language = wish.language(&shared.snapshot());
    let access = &shared.state.access;
    let Some((provider, back)) = access.openid.clone().zip(back_to(&headers, visitor.way)) else {
        return nothing_here();
    };
    let now = (access.now)();
    match provider.begin(now, back).await {
        Ok((url, begun)) => {
            let secret = secrets::secret();
            let held = Held { begun, to: going.address().to_owned(), language };
            let id = secrets::known_as(secret.expose_secret());
            shared.openid.put(now, id, sign_in::address(guest), held);
            let mut response = Redirect::to(url.as_str()).into_response();
            set(&mut response, visitor.way, secret.expose_secret());
            response
        }
        Err(trouble) => {
            tracing::warn!("nobody can sign in by the provider of OpenID Connect: {trouble}");
            let words = words(language);
            sign_in::refused(
                &shared,
                language,
                (StatusCode::SERVICE_UNAVAILABLE, words.provider_silent),
                going.address(),
            )
        }
    }
}

/// What the provider has the browser say.
#[derive(Deserialize)]
pub(in crate::web) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<SecretString>,
}

/// Somebody comes back from the provider.
pub(in crate::web) async fn back(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(wish): Query<Wish>,
    Query(answer): Query<Answer>,
    _: Modest,
) -> Response {
    let access = &shared.state.access;
    let Some(provider) = access.openid.clone() else { return nothing_here() };
    let id = cookie(&headers, COOKIE).map(secrets::known_as);
    let fits = |held: &Held| secrets::same(held.begun.state(), &answer.state);
    let held = id.and_then(|id| shared.openid.take((access.now)(), &id, fits));
    let Some(Held { begun, to, language }) = held else {
        let language = wish.language(&shared.snapshot());
        let refusal = (StatusCode::FORBIDDEN, words(language).provider_over);
        return sign_in::refused(&shared, language, refusal, "/");
    };
    let words = words(language);
    let outcome = match &answer.code {
        Some(code) => provider.end((access.now)(), begun, code.expose_secret().to_owned()).await,
        // They thought better of it, or may not.
        None => return sign_in::refused(&shared, language, (StatusCode::FORBIDDEN, words.provider_refused), &to),
    };
    let mut response = match outcome {
        Ok(vouched) => {
            let came = (visitor.way, sign_in::address(guest));
            let_in(&shared, &headers, came, vouched, &Going::to(&to), language).await
        }
        Err(trouble) => {
            tracing::warn!("nobody was signed in by the provider of OpenID Connect: {trouble}");
            let refusal = match trouble {
                Trouble::Unreachable => (StatusCode::SERVICE_UNAVAILABLE, words.provider_silent),
                Trouble::Strange | Trouble::Code | Trouble::Token => (StatusCode::FORBIDDEN, words.provider_refused),
            };
            sign_in::refused(&shared, language, refusal, &to)
        }
    };
    set(&mut response, visitor.way, "");
    response
}

/// Lets somebody in whom the provider vouches for, if they have an account; asks for a code where the account has a second step.
async fn let_in(
    shared: &Shared,
    headers: &HeaderMap,
    (way, address): (Way, std::net::IpAddr),
    vouched: rights::Vouched,
    going: &Going,
    language: Language,
) -> Response {
    let known = shared.state.access.register.borrow().vouched(&vouched).map(|account| account.name.clone());
    let Ok(account) = known else {
        tracing::info!("somebody whom the provider of OpenID Connect knows has no account here");
        let refusal = (StatusCode::FORBIDDEN, words(language).provider_unknown);
        return sign_in::refused(shared, language, refusal, going.address());
    };
    let (secret, pass) = sign_in::session();
    let by = By { who: Who::Called(account.clone()), from: address.to_string() };
    let label = sign_in::label(headers);
    let wish = rights::Wish::Vouched { vouched, account: account.clone(), pass, label };
    if let Err(refused) = shared.ask(&by, Request::People(wish)).await {
        return asked::refusal(&refused);
    }
    let known = shared.state.access.register.borrow().account(&account).cloned();
    match known.filter(|account| account.second.is_some()) {
        Some(account) => sign_in::ask_code_of_vouched(shared, language, &account, going.address()),
        None => sign_in::entered(shared, way, &account, &secret, going),
    }
}

fn set(response: &mut Response, way: Way, value: &str) {
    let age = if value.is_empty() { 0 } else { GOOD_FOR.as_secs() };
    let secure = if way.encrypted { "; Secure" } else { "" };
    // `Lax`: the provider's page is another site's, and leads back by a link.
    let cookie = format!("{COOKIE}={value}; Path={PATH}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
