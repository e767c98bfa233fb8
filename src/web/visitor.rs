//! Who visits, and whether they may: asked once of each request, before it reaches its page.

use super::{
    needed::{Needed, needed},
    refuse::refuse,
    scraper, secrets,
    server::{BODY, Guest, Way},
    state::{Access, Shared},
};
use crate::{
    edits::Subject,
    model::{Fleet, Language},
    rights::{By, Denied, Hash, PassKind, Right, Who},
};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use std::convert::Infallible;

/// The cookie that a browser shows.
pub(super) const COOKIE: &str = "camhealth";
/// The cookie by which a browser is known in which an account has signed in before.
pub(super) const BROWSER: &str = "camhealth-browser";
/// A machine's proof is good for so many seconds before and after its own.
const MACHINE: i64 = 60;
/// What a form holds, or a script sends, beside a cookie.
pub(super) const FORM_TOKEN: &str = "csrf";
const FORM_HEADER: &str = "x-csrf-token";

/// Whoever visits.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) by: By,
    /// What forms on their pages hold; empty where no cookie says who they are.
    pub(super) token: String,
    /// How they came.
    pub(super) way: Way,
    /// What they showed.
    pass: Option<Hash>,
}

impl Visitor {
    /// Nobody that is known.
    pub(super) fn stranger() -> Self {
        let by = By { who: Who::Stranger, from: String::new() };
        Self { by, token: String::new(), way: Way::default(), pass: None }
    }

    /// Whether what they showed is still good for the same: who is signed out elsewhere, or bound to other areas since, is
    /// not to see what goes on.
    pub(super) fn is_known(&self, access: &Access) -> bool {
        let (register, now) = (access.register.borrow(), (access.now)());
        let kinds = [PassKind::Session, PassKind::Token, PassKind::Screen];
        self.pass.as_ref().is_none_or(|pass| register.who(now, pass, &kinds) == self.by.who)
    }

    /// Whether they may do so.
    pub(super) fn may(&self, right: Right) -> bool {
        self.by.who.may(right).is_ok()
    }

    /// Whether they see the page on which something is edited.
    pub(super) fn sees(&self, subject: Subject) -> Result<(), Denied> {
        self.by.who.may(subject.seen_with())?;
        if subject.is_of_the_commune() { self.by.who.may_all() } else { Ok(()) }
    }

    /// What the areas are called that they are bound to; an id where there is no such area any more.
    pub(super) fn areas(&self, fleet: &Fleet) -> Option<Vec<String>> {
        let name =
            |id: &crate::model::AreaId| fleet.areas.get(id).map_or_else(|| id.to_string(), |area| area.name.clone());
        Some(self.by.who.areas()?.areas().map(name).collect())
    }

    /// The name of whoever signed in.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.by.who {
            Who::Person { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Each request passes `enter`; one that did not is a stranger's.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(Self::stranger))
    }
}

/// A cookie that a browser sent.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// Finds out who visits, and lets them on if they may.
pub(super) async fn enter(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    // An address that there is not has no page either, which says so.
    let Some(route) = parts.extensions.get::<MatchedPath>().map(|route| route.as_str().to_owned()) else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let (mut who, pass) = who(&shared, &parts);
    // A web configuration holds for metrics even where nobody else is asked who they are.
    let scraped = route == scraper::ADDRESS && matches!(who, Who::Stranger | Who::Anybody);
    if scraped && !(shared.state.access.scrapers)().is_empty() {
        who = scraper::known(&shared, &parts).await.unwrap_or(Who::Stranger);
    }
    let access = &shared.state.access;
    let now = (access.now)();
    if let Some(used) = &pass
        && access.register.borrow().pass(now, used).is_some_and(|known| known.is_to_be_noted(now))
    {
        shared.mention(used.clone());
    }
    let guest = parts.extensions.get::<Guest>();
    let from = guest.map(|guest| guest.address().to_string()).unwrap_or_default();
    let way = guest.map(Guest::way).unwrap_or_default();
    let by_cookie = pass.as_ref().filter(|_| !parts.headers.contains_key(header::AUTHORIZATION));
    let token = by_cookie.map(|pass| secrets::form_token(&shared.state.access.key, pass)).unwrap_or_default();
    let visitor = Visitor { by: By { who, from }, token, way, pass };
    let outcome = match needed(&parts.method, &route) {
        Some(Needed::Nothing) => Ok(()),
        Some(Needed::Known) if visitor.by.who == Who::Stranger => Err(Denied::SignIn),
        Some(Needed::Known) => Ok(()),
        Some(Needed::Right(right)) => visitor.by.who.may(right),
        Some(Needed::Whole(right)) => visitor.by.who.may(right).and_then(|()| visitor.by.who.may_all()),
        // Of another method, which the page refuses; or of nobody's.
        None if route.contains("{*") || !matches!(parts.method, Method::GET | Method::POST | Method::DELETE) => Ok(()),
        None => visitor.by.who.may(Right::Accounts),
    };
    let sets_up = matches!(route.as_str(), "/second-step" | "/sign-out")
        || route.starts_with("/passkeys")
        || needed(&parts.method, &route) == Some(Needed::Nothing);
    let outcome = match outcome {
        Ok(()) if !sets_up && access.lacks_second_step(&visitor.by.who) => Err(Denied::SecondStep),
        outcome => outcome,
    };
    if let Err(denied) = outcome {
        return turned_away(denied, &parts);
    }
    let mut body = body;
    if !visitor.token.is_empty() && !matches!(parts.method, Method::GET | Method::HEAD) {
        // It was read by the gate, and is no larger.
        let bytes = to_bytes(body, BODY).await.unwrap_or_default();
        let field = url::form_urlencoded::parse(&bytes).find(|(key, _)| key == FORM_TOKEN).map(|(_, value)| value);
        let header = parts.headers.get(FORM_HEADER).and_then(|value| value.to_str().ok());
        let shown = header.or(field.as_deref()).unwrap_or_default();
        if !secrets::same(shown, &visitor.token) {
            let vietnamese = "Trang này đã cũ hoặc không phải của hệ thống: hãy mở lại trang rồi gửi lại.";
            return refuse(
                &path,
                StatusCode::FORBIDDEN,
                vietnamese,
                "the page is too old, or not ours: open it anew and send again",
            );
        }
        body = Body::from(bytes);
    }
    parts.extensions.insert(visitor);
    next.run(Request::from_parts(parts, body)).await
}

/// Who shows what they are known by, and their pass.
fn who(shared: &Shared, parts: &Parts) -> (Who, Option<Hash>) {
    let access = &shared.state.access;
    let (now, register) = ((access.now)(), access.register.borrow().clone());
    if let Some(shown) = parts.headers.get(header::AUTHORIZATION) {
        let shown = shown.to_str().unwrap_or_default();
        let mut pass = None;
        let known = match shown.split_once(' ') {
            Some(("Bearer", token)) => {
                let id = secrets::known_as(token.trim());
                pass = Some(id.clone());
                register.who(now, &id, &[PassKind::Token])
            }
            Some(("Camhealth", proof)) => {
                let second = proof.split('.').next().and_then(|second| second.parse::<i64>().ok()).unwrap_or(0);
                let right = secrets::machine_token(&access.key, second, parts.method.as_str(), parts.uri.path());
                let fresh = (now.as_second() - second).abs() <= MACHINE;
                if fresh && secrets::same(&right, proof) { Who::Machine } else { Who::Stranger }
            }
            _ => Who::Stranger,
        };
        return match known == Who::Stranger && !access.sign_in {
            true => (Who::Anybody, None),
            false => (known, pass),
        };
    }
    if let Some(secret) = cookie(&parts.headers, COOKIE) {
        let id = secrets::known_as(secret);
        let who = register.who(now, &id, &[PassKind::Session, PassKind::Screen]);
        if who != Who::Stranger {
            return (who, Some(id));
        }
    }
    (if access.sign_in { Who::Stranger } else { Who::Anybody }, None)
}

fn turned_away(denied: Denied, parts: &Parts) -> Response {
    let path = parts.uri.path();
    let reads_pages =
        parts.headers.get(header::ACCEPT).is_some_and(|kinds| kinds.to_str().unwrap_or_default().contains("text/html"));
    match denied {
        Denied::SignIn if parts.method == Method::GET && reads_pages && !path.starts_with("/api/") => {
            let to = parts.uri.path_and_query().map_or("/", |to| to.as_str());
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
            Redirect::to(&format!("/sign-in?{query}")).into_response()
        }
        Denied::SignIn => {
            let mut response = refuse(path, StatusCode::UNAUTHORIZED, "Hãy đăng nhập trước.", "sign in first");
            let way = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, way);
            if path == scraper::ADDRESS {
                let way = header::HeaderValue::from_static("Basic realm=\"camhealth metrics\", charset=\"UTF-8\"");
                response.headers_mut().append(header::WWW_AUTHENTICATE, way);
            }
            response
        }
        Denied::SecondStep if parts.method == Method::GET && reads_pages && !path.starts_with("/api/") => {
            Redirect::to("/second-step").into_response()
        }
        Denied::Role(_) | Denied::SecondStep | Denied::Commune | Denied::Outside => {
            let [vietnamese, english] = Language::ALL.map(|language| denied.text(language));
            refuse(path, StatusCode::FORBIDDEN, &vietnamese, &english)
        }
    }
}
