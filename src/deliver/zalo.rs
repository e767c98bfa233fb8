//! Zalo Bot: `sendMessage` over HTTPS, no inbound port needed; replies are fetched by [`super::replies`].
//!
//! Wire facts: `POST {api}/bot{token}/sendMessage` with `chat_id` and `text` of at most 2,000 characters; the answer is
//! `{"ok":true,"result":{"message_id":…}}`, and a refusal may come with HTTP 200 and `ok: false`.

use super::{
    Letter, Receipt, Refusal, Tell,
    hand_over::{JsonBody, hand_over},
    message::cut,
};
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// Characters in a message.
const LONGEST: usize = 2000;

pub(super) struct Zalo {
    pub(super) http: Client,
    pub(super) api: Url,
    pub(super) token: SecretString,
    pub(super) chat: String,
}

/// What bot APIs of this family answer.
#[derive(Debug, Deserialize)]
pub(super) struct Answer<T> {
    #[serde(default)]
    pub(super) ok: bool,
    pub(super) result: Option<T>,
    #[serde(default)]
    pub(super) error_code: i64,
    pub(super) parameters: Option<Parameters>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    pub(super) retry_after: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sent {
    pub(super) message_id: serde_json::Value,
}

#[async_trait]
impl Tell for Zalo {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let text = cut(&letter.message.whole(), LONGEST);
        let body = serde_json::json!({"chat_id": self.chat, "text": text});
        let request = self.http.post(method(&self.api, &self.token, "sendMessage")?).json_body(&body);
        sent(&hand_over(request).await?)
    }
}

/// The address of a bot's method. Its token is part of the path, so it is shown nowhere.
pub(super) fn method(api: &Url, token: &SecretString, name: &str) -> Result<Url, Refusal> {
    let text = format!("{}/bot{}/{name}", api.as_str().trim_end_matches('/'), token.expose_secret());
    text.parse().map_err(|_| Refusal { permanent: true, ..Refusal::passing("the channel's address cannot be made") })
}

/// Reads what became of a message.
pub(super) fn sent(answer: &str) -> Result<Receipt, Refusal> {
    let answer = parse::<Sent>(answer)?.good()?;
    Ok(answer.result.map(|sent| match sent.message_id {
        serde_json::Value::String(id) => id,
        other => other.to_string(),
    }))
}

/// Reads an answer, whatever it says.
pub(super) fn parse<T: serde::de::DeserializeOwned>(answer: &str) -> Result<Answer<T>, Refusal> {
    serde_json::from_str(answer).map_err(|_| Refusal::passing("the answer is no bot API's"))
}

impl<T> Answer<T> {
    /// Whether it says that nobody said anything, as Zalo's `getUpdates` does.
    pub(super) fn is_silence(&self) -> bool {
        !self.ok && self.error_code == 408
    }

    /// The answer, unless it is a refusal under HTTP 200.
    pub(super) fn good(self) -> Result<Self, Refusal> {
        if self.ok {
            return Ok(self);
        }
        let code = self.error_code;
        Err(Refusal {
            reason: format!("the bot API says error {code}"),
            wait: self.parameters.and_then(|parameters| parameters.retry_after).map(Duration::from_secs),
            permanent: matches!(code, 400..=404),
            unreached: false,
        })
    }
}
