//! A certificate from an authority that speaks ACME (RFC 8555), such as Let's Encrypt: ordered, kept in one file, and ordered again
//! in time. The authority asks for a proof over plain HTTP at port 80 (HTTP-01), which is all that is served there; other
//! visitors are shown the encrypted address.

mod files;
mod order;
mod renewal;

pub use renewal::{Renewal, Standing};

use super::server::to_https;
use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use url::Url;

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The authority's directory.
    pub directory: Url,
    /// The authority's own roots in PEM, where it is a private one.
    pub roots: Option<PathBuf>,
    /// The names that the certificate is for.
    pub names: Vec<String>,
    /// Whom the authority may write to.
    pub contact: Option<String>,
    /// Where the authority asks for the proof; it asks at port 80 from outside.
    pub listen: SocketAddr,
    /// Where the certificate, its key and the account lie.
    pub folder: PathBuf,
}

/// Proofs that the authority asks for now, by what it calls them.
#[derive(Clone, Default)]
pub struct Proofs(Arc<Mutex<BTreeMap<String, String>>>);

impl Proofs {
    fn put(&self, name: String, proof: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, proof);
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn of(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// What is served in plain HTTP.
    pub fn served(&self) -> Router {
        let known = self.clone();
        let proof = async move |Path(name): Path<String>| -> Response {
            match known.of(&name) {
                Some(proof) => ([(header::CONTENT_TYPE, "application/octet-stream")], proof).into_response(),
                None => (StatusCode::NOT_FOUND, "nothing is asked for under this name\n").into_response(),
            }
        };
        Router::new().route("/.well-known/acme-challenge/{name}", get(proof)).fallback_service(to_https())
    }
}
