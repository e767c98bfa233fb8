//! One HTTP request to a channel, and what a refusal means.

use crate::model::Refusal;
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use std::time::Duration;

/// Longest wait for a receiver.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for a connection: a channel that cannot be reached must make room for the next one soon.
const CONNECT: Duration = Duration::from_secs(5);
/// Answers are read up to this size.
const LARGEST: usize = 64 * 1024;

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
    Err(Refusal {
        reason: format!("HTTP {status}{hint}"),
        wait: wait.map(Duration::from_secs),
        permanent: !passes,
        unreached: false,
    })
}

/// A code in a gateway's answer, which may be a number or a text: what is no short code is told as none, since it could
/// hold anything.
pub(super) fn code_of(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let is_code = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_code { text } else { "unknown".to_owned() }
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
