//! What is asked of a browser, and whether its answer is right: by `webauthn-rs`, with the name under which the page is open.

use crate::{
    rights::{Account, Passkey},
    web::{secrets, server::Way},
};
use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use secrecy::SecretSlice;
use serde_json::Value;
use std::net::IpAddr;
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey as Known, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

/// What waits for a browser's answer.
pub(in crate::web) enum Held {
    /// A passkey that is made: whose, and what they call it.
    New {
        /// Whose account it is for.
        account: String,
        /// What they call it.
        label: String,
        /// What the answer must fit.
        begun: PasskeyRegistration,
    },
    /// A sign-in, by whosever passkey it will be.
    SignIn(DiscoverableAuthentication),
}

/// The name and the address under which a browser has the page open. A passkey is good for one name and no other.
pub(in crate::web) struct Place {
    name: String,
    origin: Url,
}

impl Place {
    /// Where a browser is; nothing where it can have no passkey: by an address in figures, or unencrypted from another machine. The
    /// name was looked at by the gate.
    pub(in crate::web) fn of(headers: &HeaderMap, way: Way) -> Option<Self> {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        let scheme = if way.encrypted { "https" } else { "http" };
        let origin = Url::parse(&format!("{scheme}://{host}")).ok()?;
        let name = origin.domain()?.to_owned();
        let is_here = name == "localhost" || name.ends_with(".localhost");
        let is_name = name.parse::<IpAddr>().is_err();
        (is_name && (way.encrypted || is_here)).then_some(Self { name, origin })
    }

    fn library(&self, commune: &str) -> Result<Webauthn, WebauthnError> {
        WebauthnBuilder::new(&self.name, &self.origin)?.rp_name(commune).build()
    }

    /// Asks for a new passkey of an account's.
    pub(super) fn make(
        &self,
        (commune, key): (&str, &SecretSlice<u8>),
        account: &Account,
        label: &str,
    ) -> Result<(Value, Held), WebauthnError> {
        let known = account.passkeys.iter().filter_map(|passkey| BASE64_URL_SAFE_NO_PAD.decode(&passkey.id).ok());
        let known = known.map(|id| id.as_slice().into()).collect();
        let (asked, begun) = self.library(commune)?.start_passkey_registration(
            handle(key, &account.name),
            &account.name,
            &account.full_name,
            Some(known),
        )?;
        let mut asked = json(&asked)?;
        // Nobody types a name to sign in by one, so it must be found without; Android keeps it in its own store only then.
        asked["publicKey"]["authenticatorSelection"]["residentKey"] = "required".into();
        asked["publicKey"]["authenticatorSelection"]["requireResidentKey"] = true.into();
        Ok((asked, Held::New { account: account.name.clone(), label: label.to_owned(), begun }))
    }

    /// The passkey that a browser has made.
    pub(super) fn made(
        &self,
        begun: &PasskeyRegistration,
        answer: &RegisterPublicKeyCredential,
        (label, now): (&str, Timestamp),
    ) -> Result<Passkey, WebauthnError> {
        let known = self.library("")?.finish_passkey_registration(answer, begun)?;
        Ok(Passkey::new(id(known.cred_id().as_ref()), written(&known)?, label, now))
    }

    /// Asks for anybody's passkey.
    pub(super) fn ask(&self, commune: &str) -> Result<(Value, Held), WebauthnError> {
        let (asked, begun) = self.library(commune)?.start_discoverable_authentication()?;
        let mut asked = json(&asked)?;
        // A button was pressed: the browser is not to wait until somebody goes to a field.
        if let Some(asked) = asked.as_object_mut() {
            asked.remove("mediation");
        }
        Ok((asked, Held::SignIn(begun)))
    }

    /// How a passkey stands that was shown, if it is right, and of this account.
    pub(super) fn shown(
        &self,
        begun: DiscoverableAuthentication,
        answer: &PublicKeyCredential,
        (account, passkey): (&Account, &Passkey),
        key: &SecretSlice<u8>,
    ) -> Result<String, WebauthnError> {
        let library = self.library("")?;
        let (whose, _) = library.identify_discoverable_authentication(answer)?;
        if whose != handle(key, &account.name) {
            return Err(WebauthnError::InvalidUserUniqueId);
        }
        let mut known: Known = serde_json::from_str(&passkey.key).map_err(WebauthnError::ParseJSONFailure)?;
        let result = library.finish_discoverable_authentication_v2(answer, begun, DiscoverableKey::from(&known))?;
        known.update_credential(&result);
        written(&known)
    }
}

/// How a passkey names itself in what a browser sends.
pub(super) fn id(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What a passkey calls its owner: nothing that says who it is to whoever finds the key.
fn handle(key: &SecretSlice<u8>, account: &str) -> Uuid {
    Uuid::from_bytes(secrets::handle(key, account))
}

fn json(asked: &impl serde::Serialize) -> Result<Value, WebauthnError> {
    serde_json::to_value(asked).map_err(WebauthnError::ParseJSONFailure)
}

fn written(known: &Known) -> Result<String, WebauthnError> {
    serde_json::to_string(known).map_err(WebauthnError::ParseJSONFailure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, encrypted: bool) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a value"));
        let place = Place::of(&headers, Way { encrypted, ..Way::default() })?;
        place.library("Xã Hải Bình").expect("the library takes it");
        Some((place.name, place.origin.to_string()))
    }

    #[test]
    fn a_browser_has_passkeys_under_a_name_and_where_nobody_listens() {
        let some = |name: &str, origin: &str| Some((name.to_owned(), origin.to_owned()));
        assert_eq!(place("giamsat.xa.vn", true), some("giamsat.xa.vn", "https://giamsat.xa.vn/"));
        assert_eq!(place("Giamsat.xa.vn:9740", true), some("giamsat.xa.vn", "https://giamsat.xa.vn:9740/"));
        assert_eq!(place("localhost:9740", false), some("localhost", "http://localhost:9740/"));
        for (host, encrypted) in
            [("giamsat.xa.vn", false), ("127.0.0.1:9740", true), ("[::1]:9740", true), ("", true), ("a b", true)]
        {
            assert_eq!(place(host, encrypted), None, "{host}");
        }
    }

    #[test]
    fn what_is_asked_can_be_found_without_a_name_and_tells_nobody_who_somebody_is() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost".parse().expect("a value"));
        let place = Place::of(&headers, Way::default()).expect("a place");
        let key: SecretSlice<u8> = b"key".to_vec().into();
        let mut account = crate::rights::worlds::account("an");
        account.passkeys.push(Passkey::new("AAEC".into(), String::new(), "điện thoại", Timestamp::UNIX_EPOCH));
        let (asked, held) = place.make(("Xã Hải Bình", &key), &account, "máy").expect("it is asked");
        assert!(matches!(held, Held::New { account, .. } if account == "an"));
        let asked = &asked["publicKey"];
        assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(asked["excludeCredentials"][0]["id"], "AAEC", "the same phone twice is refused by the phone");
        assert_ne!(handle(&key, "an"), handle(&key, "bo"));
        let (asked, _) = place.ask("Xã Hải Bình").expect("it is asked");
        assert!(asked["mediation"].is_null() && asked["publicKey"]["userVerification"] == "required", "{asked}");
        assert_eq!(asked["publicKey"]["allowCredentials"].as_array().map_or(0, Vec::len), 0, "whosever it is");
    }
}
