//! The two addresses of agents: one by which they join, and one at which they say what they saw and hear what to do.

use super::{
    key::{Doubt, print, signer},
    pack::unpacked,
};
use crate::{
    model::{AgentAnswer, AgentMessage, Fits, LinkId},
    request::{Done, Refused, Request},
    rights::{self, By, PassKind, Who},
    web::{asked, gate::Modest, secrets, server::Guest, state::Shared},
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// How often it is looked whether there is something to say.
const EVERY: Duration = Duration::from_secs(1);

/// Our version; an agent may be one minor version behind it or ahead.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

#[derive(Deserialize)]
pub(super) struct Joining {
    code: SecretString,
    /// Its public key, 32 bytes in base64 for addresses.
    key: String,
}

/// An agent joins: by a code that is good once, it is known by its key from now on.
pub(super) async fn join(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    _: Modest,
    Json(joining): Json<Joining>,
) -> Response {
    let key = BASE64_URL_SAFE_NO_PAD.decode(&joining.key).ok().filter(|key| key.len() == 32);
    let Some(key) = key else { return refused(StatusCode::BAD_REQUEST, "key: 32 bytes in base64 for addresses") };
    let code = secrets::known_as(joining.code.expose_secret());
    let access = &shared.state.access;
    let link = access.register.borrow().pass((access.now)(), &code).map(|pass| pass.label.clone());
    let Some(link) = link else {
        let why =
            "the code was used, is older than a day, or was never given: camhealth agents add NAME prints another";
        return refused(StatusCode::FORBIDDEN, why);
    };
    let from = guest.map(|Extension(guest)| guest.address().to_string()).unwrap_or_default();
    let by = By { who: Who::Called(link.clone()), from };
    let wish = rights::Wish::Join { code, agent: print(&key) };
    match shared.ask(&by, Request::People(wish)).await {
        Ok(_) => Json(json!({ "link": link })).into_response(),
        Err(refusal) => asked::refusal(&refusal),
    }
}

/// An agent says what it saw, and hears what to do; while there is nothing to say, after a while.
pub(super) async fn exchange(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let access = &shared.state.access;
    let now = (access.now)();
    let agents = &shared.state.agents;
    let print = match signer(&headers, "/agent/exchange", &body, now.as_millisecond()) {
        Ok(print) => print,
        Err(Doubt::Unsigned) => {
            (agents.doubted)("unsigned");
            return refused(StatusCode::UNAUTHORIZED, "the message is not signed by an agent's key");
        }
        // It sets its idea of our time by this and tries again.
        Err(Doubt::Time) => {
            (agents.doubted)("time");
            let answer = json!({ "error": "the message was signed at another time", "now": now.as_millisecond() });
            return (StatusCode::UNAUTHORIZED, Json(answer)).into_response();
        }
    };
    let pass = access.register.borrow().pass(now, &print).filter(|pass| pass.kind == PassKind::Agent).cloned();
    let Some(pass) = pass else {
        (agents.doubted)("unknown");
        return refused(
            StatusCode::FORBIDDEN,
            "no agent is known by this key: it was revoked, or another has joined in its place",
        );
    };
    if let Err(wait) = shared.agent_messages.take(print.clone()) {
        (agents.doubted)("flood");
        let mut response =
            refused(StatusCode::TOO_MANY_REQUESTS, "more messages than an agent has reason to send: wait");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        return response;
    }
    if pass.is_to_be_noted(now) {
        shared.mention(print.clone());
    }
    let message = match unpacked(&body) {
        Ok(message) => message,
        Err(why) => {
            (agents.doubted)("unread");
            return refused(StatusCode::BAD_REQUEST, &why);
        }
    };
    let link = LinkId::from(pass.label.as_str());
    if (agents.heard)(&link, &message) == Fits::Refused {
        (agents.doubted)("version");
        let why = format!(
            "the daemon is camhealth {VERSION}, and takes agents that are one minor version behind it or ahead: install that \
             version on the agent; what it saw is kept until then"
        );
        return refused(StatusCode::UPGRADE_REQUIRED, &why);
    }
    let AgentMessage { plan: known, wait, looks, .. } = message;
    let mut taken = 0;
    if !looks.is_empty() {
        let request = Request::Witnessed { print: print.0.clone(), agent: link.clone(), looks };
        match shared.ask(&By::machine(), request).await {
            Ok(Done::Taken { number }) => taken = number,
            Ok(_) => {}
            Err(Refused::NotDurable) => {
                return refused(StatusCode::SERVICE_UNAVAILABLE, "it cannot be remembered now: send it again");
            }
            Err(refusal) => return asked::refusal(&refusal),
        }
    }
    let wait = Duration::from_secs(wait.min(AgentMessage::LONGEST_WAIT));
    if let Some(Extension(guest)) = guest {
        guest.waits(&print.0, wait);
    }
    let until = tokio::time::Instant::now() + wait;
    loop {
        let plan = (agents.plan)(&link).filter(|plan| plan.print != known);
        let is_known = access.register.borrow().pass((access.now)(), &print).is_some();
        if plan.is_some() || !is_known || tokio::time::Instant::now() >= until {
            // Hours of nothing to say are what a line of an idle agent costs.
            if taken == 0 && plan.is_none() {
                return StatusCode::NO_CONTENT.into_response();
            }
            return Json(AgentAnswer { taken, plan: plan.map(|plan| (*plan).clone()) }).into_response();
        }
        tokio::time::sleep(EVERY).await;
    }
}
