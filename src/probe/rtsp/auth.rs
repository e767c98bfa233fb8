//! Answers a camera's challenge: by Digest, afresh for each nonce; by Basic only where that is allowed.
//!
//! A rejected password, a nonce that is too old and a camera that asks for the password in clear are told apart, so
//! that a wrong password costs one rejected request in a look.

use crate::{
    model::{Failure, FailureKind, LoginScheme, told},
    probe::wire::Key,
};
use http_auth::{ChallengeParser, ChallengeRef, DigestClient, PasswordParams, digest::Algorithm};
use secrecy::ExposeSecret;

/// How often in one look a camera may call a nonce stale that it has just given: cameras whose nonces expire do so once.
const STALE_NONCES: u32 = 1;

/// What a login has come to on one connection.
pub(super) struct Auth {
    login: Option<Key>,
    /// Whether the line is encrypted.
    encrypted: bool,
    client: Option<Client>,
    stale: u32,
}

enum Client {
    Digest(Box<DigestClient>),
    Basic(String),
}

impl Auth {
    pub(super) fn new(login: Option<Key>, encrypted: bool) -> Self {
        Self { login, encrypted, client: None, stale: 0 }
    }

    /// Whether a login is configured.
    pub(super) fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// How the camera was answered, if it asked.
    pub(super) fn scheme(&self) -> Option<LoginScheme> {
        match self.client.as_ref()? {
            Client::Digest(_) => Some(LoginScheme::Digest),
            Client::Basic(_) => Some(LoginScheme::Basic),
        }
    }

    /// The value of `Authorization` for a request, once a challenge was understood.
    pub(super) fn authorization(&mut self, method: &str, uri: &str) -> Option<String> {
        let login = self.login.as_ref()?;
        match self.client.as_mut()? {
            Client::Basic(value) => Some(value.clone()),
            Client::Digest(client) => {
                let params = PasswordParams {
                    username: &login.username,
                    password: login.password.expose_secret(),
                    uri,
                    method,
                    body: None,
                };
                // Requests have no body; some cameras want that signed (auth-int) and nothing else.
                let signed = PasswordParams { body: Some(&[]), ..params };
                let answer = client.respond(&params).or_else(|_| client.respond(&signed)).ok()?;
                Some(format!("{answer}{}", unnamed_algorithm(client)))
            }
        }
    }

    /// Takes in the challenges of a 401; `answered` says how many challenges this request has answered before. Whether
    /// the request is to be sent again.
    pub(super) fn challenged<'c>(
        &mut self,
        request: &str,
        challenges: impl Iterator<Item = &'c str>,
        answered: u32,
    ) -> Result<(), Failure> {
        let Some(login) = &self.login else {
            return Err(Failure::new(FailureKind::Auth, told!(LoginMissing)));
        };
        let challenges: Vec<&str> = challenges.collect();
        let challenges: Vec<ChallengeRef<'_>> =
            challenges.iter().flat_map(|text| ChallengeParser::new(text).map_while(Result::ok)).collect();
        let digest = challenges.iter().find_map(|challenge| DigestClient::try_from(challenge).ok());
        if answered > 0 {
            if !digest.as_ref().is_some_and(DigestClient::stale) {
                return Err(Failure::new(FailureKind::Auth, told!(LoginRejected, "401", request)));
            }
            self.stale += 1;
            if self.stale > STALE_NONCES {
                // It would be asked so for ever: a rejection by another name.
                return Err(Failure::new(FailureKind::Auth, told!(LoginAlwaysStale)));
            }
        }
        let basic = challenges.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case("basic"));
        self.client = match digest {
            Some(client) => Some(Client::Digest(Box::new(client))),
            None if basic && (login.allow_basic || self.encrypted) => {
                let value = http_auth::basic::encode_credentials(&login.username, login.password.expose_secret());
                Some(Client::Basic(value))
            }
            None if basic => return Err(Failure::new(FailureKind::InsecureLogin, told!(LoginInClear))),
            None => return Err(Failure::new(FailureKind::Nonconforming, told!(LoginStrange))),
        };
        Ok(())
    }
}

/// http-auth names the algorithm only where there is a quality of protection. Cameras that want SHA-256 without one
/// would take the answer for MD5 (RFC 7616, section 3.4), and so for a wrong password.
fn unnamed_algorithm(client: &DigestClient) -> &'static str {
    match client.algorithm() {
        Algorithm::Sha256 if client.rfc2069_compat() => ", algorithm=SHA-256",
        Algorithm::Sha512Trunc256 if client.rfc2069_compat() => ", algorithm=SHA-512-256",
        _ => "",
    }
}

/// Reads a challenge as a look would.
#[cfg(any(fuzzing, test))]
pub(in crate::probe) fn challenge(text: &str) {
    let key = Key { username: "u".into(), password: "p".to_owned().into(), allow_basic: true };
    let mut auth = Auth::new(Some(key), false);
    let _ = auth.challenged("DESCRIBE", std::iter::once(text), 0);
    auth.authorization("DESCRIBE", "rtsp://127.0.0.1/");
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "Digest realm=\"a\", nonce=\"b\"";
    const BASIC: &str = "Basic realm=\"a\"";

    fn auth(allow_basic: bool, encrypted: bool) -> Auth {
        Auth::new(Some(Key { username: "u".into(), password: "canary".to_owned().into(), allow_basic }), encrypted)
    }

    /// What is sent after these challenges, or the reason why nothing is.
    fn answer(mut auth: Auth, challenges: &[&str]) -> Result<String, FailureKind> {
        auth.challenged("DESCRIBE", challenges.iter().copied(), 0).map_err(|failure| failure.kind)?;
        Ok(auth.authorization("DESCRIBE", "rtsp://h/").unwrap_or_default())
    }

    #[test]
    fn digest_is_preferred_and_basic_is_sent_only_where_it_is_allowed() {
        for challenges in [&[BASIC, DIGEST][..], &["Basic realm=\"a\", Digest realm=\"a\", nonce=\"b\""]] {
            assert!(answer(auth(true, false), challenges).expect("an answer").starts_with("Digest "));
        }
        assert_eq!(answer(auth(false, false), &[BASIC]), Err(FailureKind::InsecureLogin));
        assert!(answer(auth(true, false), &[BASIC]).expect("allowed").starts_with("Basic "));
        assert!(answer(auth(false, true), &[BASIC]).expect("encrypted").starts_with("Basic "));
        assert_eq!(answer(auth(true, true), &["Negotiate"]), Err(FailureKind::Nonconforming));
        assert_eq!(answer(Auth::new(None, false), &[DIGEST]), Err(FailureKind::Auth));
    }

    #[test]
    fn an_algorithm_other_than_md5_is_always_named() {
        let answered = |more: &str| answer(auth(false, false), &[&format!("{DIGEST}{more}")]).expect("an answer");
        assert!(answered(", algorithm=SHA-256").ends_with(", algorithm=SHA-256"));
        assert_eq!(answered(", algorithm=SHA-256, qop=\"auth\"").matches("algorithm=SHA-256").count(), 1);
        assert!(!answered("").contains("algorithm"));
        assert!(answered(", qop=\"auth-int\"").contains("qop=auth-int"));
        assert!(answered(", qop=\"auth,auth-int\"").contains("qop=auth,"));
    }

    #[test]
    fn a_stale_nonce_is_answered_anew_once_and_a_rejection_never() {
        let stale = format!("{DIGEST}, stale=TRUE");
        let kind = |outcome: Result<(), Failure>| outcome.map_err(|failure| failure.kind);
        let mut once = auth(false, false);
        assert_eq!(kind(once.challenged("DESCRIBE", [DIGEST].into_iter(), 0)), Ok(()));
        assert_eq!(kind(once.challenged("DESCRIBE", [stale.as_str()].into_iter(), 1)), Ok(()));
        assert_eq!(kind(once.challenged("DESCRIBE", [stale.as_str()].into_iter(), 2)), Err(FailureKind::Auth));
        assert_eq!(kind(auth(false, false).challenged("PLAY", [DIGEST].into_iter(), 1)), Err(FailureKind::Auth));
        let mut fresh = auth(false, false);
        for request in ["DESCRIBE", "SETUP", "PLAY"] {
            assert_eq!(
                kind(fresh.challenged(request, [DIGEST].into_iter(), 0)),
                Ok(()),
                "a new nonce for each request"
            );
        }
    }
}
