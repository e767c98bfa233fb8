//! SMS: through a GSM modem of one's own (gammu-smsd), the rung that works without Internet, or an HTTP gateway.
//!
//! What a message says in so little room is worked out by [`short`](super::short).

use super::{Letter, Receipt, Refusal, Tell, hand_over::hand_over, short::Sms};
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::process::Command;
use url::Url;

/// gammu-smsd-inject only writes to a queue.
const INJECTED: Duration = Duration::from_secs(10);

pub(super) struct Gateway {
    pub(super) http: Client,
    pub(super) url: Url,
    pub(super) token: Option<SecretString>,
    pub(super) body: String,
    pub(super) sms: Sms,
}

pub(super) struct Gammu {
    pub(super) program: PathBuf,
    pub(super) config: Option<PathBuf>,
    pub(super) sms: Sms,
}

#[async_trait]
impl Tell for Gateway {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        // Values are put into the JSON as JSON, without the quotes that the template has around them.
        let inner = |value: &str| {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        };
        let body = (self.body)
            .replace("{phone}", &inner(&self.sms.phone))
            .replace("{key}", &inner(letter.key))
            .replace("{text}", &inner(&letter.message.short.fitted(letter.places, &self.sms).text));
        let mut request = self.http.post(self.url.clone()).header("Content-Type", "application/json");
        request = request.header("Idempotency-Key", letter.key);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        hand_over(request.body(body)).await.map(|_| None)
    }
}

#[async_trait]
impl Tell for Gammu {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let mut command = Command::new(&self.program);
        if let Some(config) = &self.config {
            command.arg("-c").arg(config);
        }
        let fitted = letter.message.short.fitted(letter.places, &self.sms);
        command.args(["TEXT", &self.sms.phone]);
        if fitted.is_unicode() {
            command.arg("-unicode");
        }
        if fitted.parts > 1 {
            // A text that is longer than one part is refused otherwise.
            command.arg("-len").arg(fitted.text.chars().count().to_string());
        }
        command.arg("-textutf8").arg(fitted.text);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(INJECTED, command.status()).await {
            Ok(Ok(status)) if status.success() => Ok(None),
            Ok(Ok(status)) => Err(Refusal::passing(format!("gammu-smsd-inject ended with {status}"))),
            Ok(Err(error)) => Err(Refusal::passing(format!("gammu-smsd-inject cannot be started: {}", error.kind()))),
            Err(_) => Err(Refusal::passing("gammu-smsd-inject did not end in time")),
        }
    }
}
