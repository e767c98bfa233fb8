//! One HTTP request to a channel, what a refusal means, and how long to wait after it.

use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use std::time::Duration;

/// Longest wait for a receiver.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for a connection: a channel that cannot be reached must make room for the next one soon.
const CONNECT: Duration = Duration::from_secs(5);
/// Answers are read up to this size.
const LARGEST: usize = 64 * 1024;
/// Waits between tries grow from the first to the last of these.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_secs(5 * 60);

/// Why a notice could not be handed over. Holds no address and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// For people.
    pub reason: String,
    /// How long the receiver asks us to wait.
    pub wait: Option<Duration>,
    /// The same message will never be taken over this channel as it is configured.
    pub permanent: bool,
}

impl Refusal {
    /// A refusal that may pass.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), wait: None, permanent: false }
    }
}

/// An HTTP client for channels.
pub fn http_client() -> reqwest::Result<Client> {
    // A redirect would carry the token and the notice to a host that nobody configured.
    Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("camhealth")
        .build()
}

/// How long to wait before the next try, after `attempts` that failed: doubling, or what the receiver asked for,
/// whichever is longer, but never so long that a message is as good as lost.
pub fn retry_after(attempts: u32, refusal: &Refusal) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << attempts.min(10));
    doubled.min(LAST_RETRY).max(refusal.wait.unwrap_or_default().min(Duration::from_secs(3600)))
}

/// Sends a request; the body of a good answer.
pub(super) async fn hand_over(request: RequestBuilder) -> Result<String, Refusal> {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            // reqwest's own words would name the address, which may hold a token.
            let reason = if error.is_timeout() {
                "no answer in time"
            } else if error.is_connect() {
                "no connection"
            } else {
                "the request failed"
            };
            return Err(Refusal::passing(reason));
        }
    };
    let status = response.status();
    if status.is_success() {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                break;
            }
        }
        return Ok(String::from_utf8_lossy(&body).into_owned());
    }
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; check the channel's token",
        StatusCode::NOT_FOUND => "; check the channel's address",
        StatusCode::GONE => "; the receiver wants no more messages",
        _ => "",
    };
    let passes = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT);
    Err(Refusal { reason: format!("HTTP {status}{hint}"), wait: wait.map(Duration::from_secs), permanent: !passes })
}

/// JSON bodies without reqwest's optional feature.
pub(super) trait JsonBody {
    fn json_body(self, body: &impl serde::Serialize) -> Self;
}

impl JsonBody for reqwest::RequestBuilder {
    fn json_body(self, body: &impl serde::Serialize) -> Self {
        let json = serde_json::to_vec(body).expect("plain data with text keys can always be written as JSON");
        self.header("Content-Type", "application/json").body(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_honour_the_receiver() {
        let refusal = |wait| Refusal { wait: Option::map(wait, Duration::from_secs), ..Refusal::passing("") };
        let seconds: Vec<u64> = (0..8).map(|n| retry_after(n, &refusal(None)).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(retry_after(0, &refusal(Some(90))).as_secs(), 90);
        assert_eq!(retry_after(99, &refusal(Some(7 * 86_400))).as_secs(), 3600);
    }
}
