//! Tells people: puts a notice into words and sends it over one channel, once.
//!
//! Order, retries and memory belong to the outbox in the journal; who is told is [`recipients`]; how long to wait
//! after a failure is [`retry_after`].

mod message;
mod ntfy;
mod roster;
mod settings;
mod webhook;

pub use message::{Message, compose};
pub use roster::{on_call, recipients};
pub use settings::{Channel, Person, Rotation, Settings, Target};

use crate::model::{Commune, Notice};
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use std::time::Duration;

/// Longest wait for a receiver.
const TIMEOUT: Duration = Duration::from_secs(15);
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
}

/// An HTTP client for channels.
pub fn http_client() -> reqwest::Result<Client> {
    // A redirect would carry the token and the notice to a host that nobody configured.
    Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).user_agent("camhealth").build()
}

/// Sends a notice over a channel, once.
pub async fn send(
    http: &Client,
    channel: &Channel,
    notice: &Notice,
    settings: &Settings,
    commune: &Commune,
) -> Result<(), Refusal> {
    let message = compose(notice, channel.language, &commune.timezone, settings.page.as_ref());
    let request = match &channel.target {
        Target::Webhook { url, token } => webhook::request(http, url, token.as_ref(), notice, &message),
        Target::Ntfy { url, topic, token } => ntfy::request(http, url, topic, token.as_ref(), notice, &message),
    };
    hand_over(request).await
}

/// How long to wait before the next try, after `attempts` that failed: doubling, or what the receiver asked for,
/// whichever is longer, but never so long that a message is as good as lost.
pub fn retry_after(attempts: u32, refusal: &Refusal) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << attempts.min(10));
    doubled.min(LAST_RETRY).max(refusal.wait.unwrap_or_default().min(Duration::from_secs(3600)))
}

async fn hand_over(request: RequestBuilder) -> Result<(), Refusal> {
    let response = match request.send().await {
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
            return Err(Refusal { reason: reason.into(), wait: None });
        }
    };
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; check the channel's token",
        StatusCode::NOT_FOUND => "; check the channel's url and topic",
        _ => "",
    };
    Err(Refusal { reason: format!("HTTP {status}{hint}"), wait: wait.map(Duration::from_secs) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_honour_the_receiver() {
        let refusal = |wait| Refusal { reason: String::new(), wait: Option::map(wait, Duration::from_secs) };
        let seconds: Vec<u64> = (0..8).map(|n| retry_after(n, &refusal(None)).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(retry_after(0, &refusal(Some(90))).as_secs(), 90);
        assert_eq!(retry_after(99, &refusal(Some(7 * 86_400))).as_secs(), 3600);
    }
}
