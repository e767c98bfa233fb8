//! Signing in by a passkey: nobody types anything.

use super::{
    ceremony::{Held, Place, id},
    own::{asked_for, told},
};
use crate::{
    rights::Proof,
    web::{
        asked,
        origin::OwnPage,
        secrets,
        server::Guest,
        sign_in::{self, Going},
        state::{Shared, Wish},
        visitor::Visitor,
        words::words,
    },
};
use axum::{
    Extension, Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use webauthn_rs::prelude::PublicKeyCredential;

/// Asks for whosever passkey the browser has.
pub(super) async fn begin(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
) -> Response {
    let snapshot = shared.snapshot();
    let words = words(wish.language(&snapshot));
    let Some(place) = Place::of(&headers, visitor.way) else {
        return told(StatusCode::CONFLICT, words.passkeys_need_name);
    };
    match place.ask(&snapshot.fleet.commune.name) {
        Ok((options, held)) => {
            let ceremony = secrets::secret();
            let now = (shared.state.access.now)();
            shared.passkeys.put(now, secrets::known_as(ceremony.expose_secret()), sign_in::address(guest), held);
            asked_for(&ceremony, options)
        }
        Err(error) => {
            tracing::warn!("no passkey can be asked for: {error:?}");
            told(StatusCode::INTERNAL_SERVER_ERROR, words.passkey_refused)
        }
    }
}

/// What a browser answers, to what, and where somebody wanted to go.
#[derive(Deserialize)]
pub(super) struct Shown {
    ceremony: SecretString,
    credential: PublicKeyCredential,
    #[serde(default)]
    to: String,
}

/// Mistakes make nobody wait: a signature cannot be guessed, and each try needs a ceremony of its own.
pub(super) async fn end(
    State(shared): State<Shared>,
    guest: Option<Extension<Guest>>,
    visitor: Visitor,
    headers: HeaderMap,
    _: OwnPage,
    Query(wish): Query<Wish>,
    Json(shown): Json<Shown>,
) -> Response {
    let words = words(wish.language(&shared.snapshot()));
    let Some(place) = Place::of(&headers, visitor.way) else {
        return told(StatusCode::CONFLICT, words.passkeys_need_name);
    };
    let access = &shared.state.access;
    let ceremony = secrets::known_as(shown.ceremony.expose_secret());
    let is_sign_in = |held: &Held| matches!(held, Held::SignIn(_));
    let Some(Held::SignIn(begun)) = shared.passkeys.take((access.now)(), &ceremony, is_sign_in) else {
        return told(StatusCode::CONFLICT, words.passkey_too_late);
    };
    let id = id(shown.credential.get_credential_id());
    let known = access.register.borrow().of_passkey(&id).map(|(account, passkey)| (account.clone(), passkey.clone()));
    let Some((account, passkey)) = known else {
        return told(StatusCode::FORBIDDEN, words.passkey_unknown);
    };
    let key = match place.shown(begun, &shown.credential, (&account, &passkey), &access.key) {
        Ok(key) => key,
        Err(error) => {
            tracing::warn!(account = account.name, "a passkey was shown that is not right: {error:?}");
            return told(StatusCode::FORBIDDEN, words.passkey_refused);
        }
    };
    let proof = Some(Proof::Passkey { id, key });
    let (came, going) = ((visitor.way, sign_in::address(guest)), Going::to(&shown.to));
    match sign_in::enter(&shared, came, &headers, (account.name, proof), &going).await {
        Ok(response) => response,
        Err(refused) => asked::refusal(&refused),
    }
}
