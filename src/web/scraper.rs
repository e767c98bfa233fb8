//! Who reads metrics as Prometheus does from other exporters: by a name and a password, or by a certificate, as a web
//! configuration of Prometheus' form says.

use super::{secrets, server::Guest, state::Shared};
use crate::rights::{Hash, Role, Try, Who};
use axum::http::{header, request::Parts};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::PoisonError,
};

/// The one address that they may read.
pub(super) const ADDRESS: &str = "/metrics";
/// Proofs that are remembered; a commune has a scraper or two.
const REMEMBERED: usize = 64;

/// The hash of no password, with the cost that Prometheus advises.
const NONE: &str = "$2b$10$.....................................................";

/// Whoever scrapes, if they showed what the web configuration asks of them.
pub(super) async fn known(shared: &Shared, parts: &Parts) -> Option<Who> {
    let access = &shared.state.access;
    let scrapers = (access.scrapers)();
    let guest = parts.extensions.get::<Guest>();
    if scrapers.is_empty() || scrapers.certified && !guest.is_some_and(|guest| guest.way().certified) {
        return None;
    }
    let who = |label: &str| Some(Who::Thing { label: label.to_owned(), role: Role::Wall, areas: None });
    if scrapers.users.is_empty() {
        return who("prometheus");
    }
    let (name, password) = shown(parts)?;
    let hash = scrapers.users.get(&name);
    let of = |hash: &Hash| format!("metrics|{name}|{}|{}", hash.0, password.expose_secret());
    let proof = hash.map(|hash| Hash(secrets::form_token(&access.key, &Hash(of(hash)))));
    let remembered = || shared.scraped.lock().unwrap_or_else(PoisonError::into_inner);
    if proof.as_ref().is_some_and(|proof| remembered().contains(proof)) {
        return who(&name);
    }
    let address = guest.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Guest::address);
    let account = format!("metrics|{name}");
    let tried = Try { address, account: &account, browser: None };
    // One password at a time is looked at, as of those who sign in.
    let _turn = access.hashing.acquire().await.ok()?;
    if !access.throttle.lock().unwrap_or_else(PoisonError::into_inner).wait((access.now)(), tried).is_zero() {
        return None;
    }
    let hash = hash.cloned();
    let right = tokio::task::spawn_blocking(move || is_right(&password, hash.as_ref())).await.unwrap_or(false);
    let mut throttle = access.throttle.lock().unwrap_or_else(PoisonError::into_inner);
    if !right {
        throttle.mistake((access.now)(), tried);
        return None;
    }
    throttle.signed_in(tried);
    let mut remembered = remembered();
    if remembered.len() >= REMEMBERED {
        remembered.clear();
    }
    remembered.extend(proof);
    who(&name)
}

/// A name and a password, as RFC 7617 has them.
fn shown(parts: &Parts) -> Option<(String, SecretString)> {
    let (scheme, word) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let word = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(word.trim()).ok())??;
    let text = String::from_utf8(word).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.into()))
}

/// Whether a password is the one of a bcrypt hash. Without one it takes as long.
fn is_right(password: &SecretString, hash: Option<&Hash>) -> bool {
    let right = bcrypt::verify(password.expose_secret(), hash.map_or(NONE, |hash| &hash.0));
    right.unwrap_or(false) && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_the_hash_that_htpasswd_makes() {
        // htpasswd -nbBC 4 prometheus 'mật khẩu'
        let hash = Hash(bcrypt::hash("mật khẩu", 4).expect("a hash").replacen("$2b$", "$2y$", 1));
        assert!(is_right(&"mật khẩu".into(), Some(&hash)));
        assert!(!is_right(&"mat khau".into(), Some(&hash)) && !is_right(&"mật khẩu".into(), None));
        assert!(NONE.parse::<bcrypt::HashParts>().is_ok(), "else the time would tell which names there are");
    }
}
