//! SOAP over HTTP towards a device, inside a worker: all that a camera may do to us is bounded.
//!
//! HTTP Digest answers one challenge once; what WS-UsernameToken needs stands in the body that oxvif makes, and the two
//! never go in one request. A rejected login is never repeated. Bodies are capped, redirects and proxies off (oxvif
//! 0.17.0's own transport sends up to five logins on one wrong password).

use super::{
    exhaustion::{caused_by_own_fault, could_not_ask},
    wire::Key,
};
use crate::model::{Failure, FailureKind, told};
use futures_util::StreamExt;
use oxvif::transport::{Transport, TransportError};
use reqwest::{StatusCode, header};
use secrecy::ExposeSecret;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// More than any honest answer to the calls that we make.
const MAX_BODY: usize = 256 * 1024;

/// An HTTP client for cameras: none of the conveniences that carry a login elsewhere.
pub(super) fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_secs(5))
        .build()
}

/// SOAP over HTTP with all that a camera may do to us bounded.
pub(super) struct SoapTransport {
    http: reqwest::Client,
    limit: Duration,
    login: Option<Key>,
    bytes: Arc<AtomicU64>,
    /// Why the last request failed, and whether a Digest challenge was answered: oxvif's error has no room for it.
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    failure: Option<Failure>,
    answered_challenge: bool,
}

impl SoapTransport {
    pub(super) fn new(http: reqwest::Client, limit: Duration) -> Self {
        Self { http, limit, login: None, bytes: Arc::default(), last: Mutex::default() }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn answered_challenge(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).answered_challenge
    }

    /// Why the last request failed; what the transport had no complaint about, the SOAP layer could not read.
    pub(super) fn failure(&self, request: &str) -> Failure {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.failure
            .clone()
            .unwrap_or_else(|| Failure::new(FailureKind::Nonconforming, told!(OnvifUnreadable, request)))
    }

    /// The same transport with a login, which counts its bytes into this one.
    pub(super) fn with_login(&self, login: Option<Key>) -> Self {
        Self { login, bytes: self.bytes.clone(), ..Self::new(self.http.clone(), self.limit) }
    }

    async fn exchange(&self, url: &str, action: &str, body: String) -> Result<String, Failure> {
        let (status, challenge, text) = self.post(url, action, body.clone(), None).await?;
        let (Some(login), Some(challenge), StatusCode::UNAUTHORIZED) = (&self.login, challenge, status) else {
            return understand(status, text);
        };
        let path = reqwest::Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
        let answer = http_auth::PasswordClient::try_from(challenge.as_str()).and_then(|mut client| {
            client.respond(&http_auth::PasswordParams {
                username: &login.username,
                password: login.password.expose_secret(),
                uri: &path,
                method: "POST",
                body: Some(body.as_bytes()),
            })
        });
        let Ok(answer) = answer else { return understand(status, text) };
        // Basic would hand the password to whoever listens.
        if !answer.starts_with("Digest ") {
            return Err(Failure::new(FailureKind::Auth, told!(OnvifInClear)));
        }
        self.last.lock().unwrap_or_else(PoisonError::into_inner).answered_challenge = true;
        let (status, _, text) = self.post(url, action, body, Some(answer)).await?;
        understand(status, text)
    }

    /// One request; status, challenge and capped body.
    async fn post(
        &self,
        url: &str,
        action: &str,
        body: String,
        authorization: Option<String>,
    ) -> Result<(StatusCode, Option<String>, String), Failure> {
        let content_type = format!("application/soap+xml; charset=utf-8; action=\"{action}\"");
        let mut request = self.http.post(url).timeout(self.limit).header(header::CONTENT_TYPE, content_type).body(body);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let response = request.send().await.map_err(|error| broken(&error))?;
        let status = response.status();
        let challenge = response.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut text = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| broken(&error))?;
            self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            if text.len() + chunk.len() > MAX_BODY {
                return Err(Failure::new(FailureKind::Oversized, told!(OnvifTooLong, MAX_BODY / 1024)));
            }
            text.extend_from_slice(&chunk);
        }
        Ok((status, challenge, String::from_utf8_lossy(&text).into_owned()))
    }
}

/// What an answer means. That a login is rejected some say by the status, some by a fault under 400 or 500, and some by
/// a fault under 200; it must be noticed however it is said, since each counts towards a lockout.
fn understand(status: StatusCode, text: String) -> Result<String, Failure> {
    let rejects = match status.as_u16() {
        401 | 403 => true,
        _ => {
            let lower = text.to_ascii_lowercase();
            let words = ["notauthorized", "not authorized", "failedauthentication", "failed authentication"];
            lower.contains("fault") && words.iter().any(|word| lower.contains(word))
        }
    };
    match status.as_u16() {
        _ if rejects => Err(Failure::new(FailureKind::Auth, told!(OnvifRejected, format_args!("{status}")))),
        200..=299 => Ok(text),
        _ => Err(Failure::new(FailureKind::Nonconforming, told!(OnvifStatus, format_args!("{status}")))),
    }
}

fn broken(error: &reqwest::Error) -> Failure {
    if caused_by_own_fault(error) {
        could_not_ask()
    } else if error.is_timeout() {
        Failure::new(FailureKind::Timeout, told!(OnvifLate))
    } else if error.is_connect() {
        Failure::new(FailureKind::Refused, told!(OnvifClosed))
    } else {
        Failure::new(FailureKind::Nonconforming, told!(SpeaksNoHttp))
    }
}

#[async_trait::async_trait]
impl Transport for SoapTransport {
    async fn soap_post(&self, url: &str, action: &str, body: String) -> Result<String, TransportError> {
        // oxvif 0.17.0 names topics by a prefix that its envelope does not declare.
        let declared = "<wsnt:TopicExpression xmlns:tns1=\"http://www.onvif.org/ver10/topics\"";
        let body = body.replacen("<wsnt:TopicExpression", declared, 1);
        let outcome = self.exchange(url, action, body).await;
        outcome.map_err(|failure| {
            self.last.lock().unwrap_or_else(PoisonError::into_inner).failure = Some(failure);
            TransportError::HttpStatus { status: 0, body: String::new() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, text: &str, expected: Option<FailureKind>) {
        let status = StatusCode::from_u16(status).expect("a status");
        assert_eq!(understand(status, text.to_owned()).err().map(|failure| failure.kind), expected, "{status} {text}");
    }

    #[test]
    fn a_rejected_login_is_noticed_however_it_is_said() {
        check(200, "<s:Body><tds:GetDeviceInformationResponse/></s:Body>", None);
        check(401, "", Some(FailureKind::Auth));
        check(400, "<s:Fault><s:Value>ter:NotAuthorized</s:Value></s:Fault>", Some(FailureKind::Auth));
        check(500, "<Fault><Text>Sender not authorized</Text></Fault>", Some(FailureKind::Auth));
        check(200, "<s:Fault><s:Value>wsse:FailedAuthentication</s:Value></s:Fault>", Some(FailureKind::Auth));
        check(500, "<s:Fault><s:Value>ter:ActionNotSupported</s:Value></s:Fault>", Some(FailureKind::Nonconforming));
        check(200, "<s:Fault><s:Value>ter:ActionNotSupported</s:Value></s:Fault>", None);
    }
}
