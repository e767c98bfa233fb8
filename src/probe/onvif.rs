//! ONVIF by oxvif, inside a worker: clock offset without a login, then device information with it.
//!
//! The transport is ours: HTTP Digest answers one challenge once, WS-UsernameToken (with the camera's own clock) is
//! tried only where the device does not speak Digest, and the two never go in one request. A rejected login is never
//! repeated. Bodies are capped, redirects and proxies off (oxvif 0.17.0's own transport sends up to five logins on
//! one wrong password).

use super::{
    transcript::{Transcript, clean},
    wire::{Key, OnvifJob, Report},
};
use crate::model::{DeviceFacts, Failure, FailureKind, RungName};
use futures_util::StreamExt;
use oxvif::{
    OnvifClient,
    transport::{Transport, TransportError},
};
use reqwest::{StatusCode, header};
use secrecy::ExposeSecret;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;
use tokio::time::{Instant, timeout};

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

/// Asks the device for its clock and its identity.
pub(super) async fn look(http: &reqwest::Client, job: &OnvifJob) -> Report {
    let mut transcript = Transcript::default();
    let arrived = Instant::now();
    let transport = Arc::new(SoapTransport::new(http.clone(), job.answer_timeout));
    let anonymous = OnvifClient::new(job.url.as_str()).with_transport(transport.clone());

    let began = Instant::now();
    let answer = timeout(2 * job.answer_timeout, anonymous.get_system_date_and_time()).await;
    let outcome = match answer {
        Ok(Ok(clock)) => Ok(clock.utc_unix.map(|theirs| {
            // Whole seconds come back; the middle of the exchange is the best guess at when they were read.
            let middle = (began - arrived) + began.elapsed() / 2;
            theirs as f64 + 0.5 - (job.now.as_millisecond() as f64 / 1000.0 + middle.as_secs_f64())
        })),
        Ok(Err(_)) => Err(transport.failure("GetSystemDateAndTime")),
        Err(_) => Err(late("GetSystemDateAndTime", job)),
    };
    let mut offset = None;
    match outcome {
        Ok(found) => {
            offset = found;
            let detail =
                offset.map_or_else(|| "tells no UTC time".into(), |offset| format!("clock {offset:+.1} s off"));
            transcript.step(RungName::OnvifClock, began, Ok(((), detail)));
        }
        // Some firmwares want a login even here, against the standard: then there is no offset, and that is no fault.
        Err(failure) if failure.kind == FailureKind::Auth => {
            transcript.aside(RungName::OnvifClock, began, false, "the device wants a login for its clock");
        }
        Err(failure) => {
            transcript.step::<()>(RungName::OnvifClock, began, Err(failure));
            return Report { bytes: transport.bytes(), ..transcript.report() };
        }
    }

    let device = identify(http, job, offset, &mut transcript, &transport).await;
    let bytes = transport.bytes();
    Report { device, clock_offset_seconds: offset, bytes, ..transcript.report() }
}

async fn identify(
    http: &reqwest::Client,
    job: &OnvifJob,
    offset: Option<f64>,
    transcript: &mut Transcript,
    counted: &Arc<SoapTransport>,
) -> Option<DeviceFacts> {
    let began = Instant::now();
    let digest = Arc::new(SoapTransport {
        login: job.login.clone(),
        bytes: counted.bytes.clone(),
        ..SoapTransport::new(http.clone(), job.answer_timeout)
    });
    let client = OnvifClient::new(job.url.as_str()).with_transport(digest.clone());
    let mut answer = timeout(2 * job.answer_timeout, client.get_device_info()).await;
    let mut failure = digest.failure("GetDeviceInformation");
    if let (Ok(Err(_)), Some(login), false) = (&answer, &job.login, digest.answered_challenge())
        && failure.kind == FailureKind::Auth
    {
        let token = counted.clone();
        let client = OnvifClient::new(job.url.as_str())
            .with_transport(token.clone())
            .with_credentials(&login.username, login.password.expose_secret())
            .with_utc_offset(offset.unwrap_or(0.0).round() as i64);
        answer = timeout(2 * job.answer_timeout, client.get_device_info()).await;
        failure = token.failure("GetDeviceInformation");
    }
    let outcome = match answer {
        Ok(Ok(info)) => {
            let device = DeviceFacts {
                manufacturer: clean(&info.manufacturer),
                model: clean(&info.model),
                firmware: clean(&info.firmware_version),
                serial: clean(&info.serial_number),
            };
            let detail = format!("{} {}, firmware {}", device.manufacturer, device.model, device.firmware);
            Ok((device, detail))
        }
        Ok(Err(_)) => Err(failure),
        Err(_) => Err(late("GetDeviceInformation", job)),
    };
    transcript.step(RungName::OnvifDevice, began, outcome)
}

fn late(request: &str, job: &OnvifJob) -> Failure {
    Failure::new(FailureKind::Timeout, format!("no answer to ONVIF {request} within {:?}", 2 * job.answer_timeout))
}

/// SOAP over HTTP with all that a camera may do to us bounded.
struct SoapTransport {
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
    fn new(http: reqwest::Client, limit: Duration) -> Self {
        Self { http, limit, login: None, bytes: Arc::default(), last: Mutex::default() }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn answered_challenge(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).answered_challenge
    }

    /// Why the last request failed; what the transport had no complaint about, the SOAP layer could not read.
    fn failure(&self, request: &str) -> Failure {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.failure.clone().unwrap_or_else(|| {
            Failure::new(FailureKind::Nonconforming, format!("the answer to ONVIF {request} cannot be read"))
        })
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
            return Err(Failure::new(FailureKind::Auth, "the device offers no login but an unprotected one (Basic)"));
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
                let detail = format!("an ONVIF answer of more than {} KiB", MAX_BODY / 1024);
                return Err(Failure::new(FailureKind::Oversized, detail));
            }
            text.extend_from_slice(&chunk);
        }
        Ok((status, challenge, String::from_utf8_lossy(&text).into_owned()))
    }
}

/// What an HTTP status means. A fault that speaks of authorisation comes as 400 or 500 from some makes.
fn understand(status: StatusCode, text: String) -> Result<String, Failure> {
    match status.as_u16() {
        200..=299 => Ok(text),
        401 | 403 => Err(Failure::new(FailureKind::Auth, format!("the device rejects the login (HTTP {status})"))),
        400 | 500 if text.contains("NotAuthorized") => {
            Err(Failure::new(FailureKind::Auth, format!("the device rejects the login (fault, HTTP {status})")))
        }
        _ => Err(Failure::new(FailureKind::Nonconforming, format!("the ONVIF service answers HTTP {status}"))),
    }
}

fn broken(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::new(FailureKind::Timeout, "the ONVIF service does not answer in time")
    } else if error.is_connect() {
        Failure::new(FailureKind::Refused, "the ONVIF port accepts no connection")
    } else {
        Failure::new(FailureKind::Nonconforming, "what answers at the ONVIF port does not speak HTTP")
    }
}

#[async_trait::async_trait]
impl Transport for SoapTransport {
    async fn soap_post(&self, url: &str, action: &str, body: String) -> Result<String, TransportError> {
        let outcome = self.exchange(url, action, body).await;
        outcome.map_err(|failure| {
            self.last.lock().unwrap_or_else(PoisonError::into_inner).failure = Some(failure);
            TransportError::HttpStatus { status: 0, body: String::new() }
        })
    }
}
