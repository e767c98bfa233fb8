//! A webhook: the notice as JSON, signed as in Standard Webhooks 1.0.
//!
//! `webhook-id` is the same over retries; the signature is HMAC-SHA256 over `id.timestamp.body` under the key that
//! `whsec_…` holds in base64.

use super::{Letter, Receipt, Refusal, Tell, hand_over::hand_over, sign::mac};
use crate::model::Notice;
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

pub(super) struct Webhook {
    pub(super) http: Client,
    pub(super) url: Url,
    pub(super) token: Option<SecretString>,
    pub(super) secret: Option<SecretString>,
}

/// What is posted.
#[derive(Debug, Serialize)]
struct Body<'a> {
    /// The same over retries: a receiver that knows it already has this notice.
    key: &'a str,
    title: &'a str,
    message: &'a str,
    link: Option<&'a Url>,
    #[serde(flatten)]
    notice: &'a Notice,
}

#[async_trait]
impl Tell for Webhook {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let message = letter.message;
        let body = Body {
            key: letter.key,
            title: &message.title,
            message: &message.body,
            link: message.link.as_ref(),
            notice: letter.notice,
        };
        let json = serde_json::to_vec(&body).expect("plain data with text keys can always be written as JSON");
        let at = letter.at.to_string();
        let mut request = (self.http.post(self.url.clone()))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", letter.key)
            .header("webhook-id", letter.key)
            .header("webhook-timestamp", &at);
        if let Some(secret) = &self.secret {
            let signature = signature(secret, letter.key, &at, &json)?;
            request = request.header("webhook-signature", signature);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        hand_over(request.body(json)).await.map(|_| None)
    }

    fn takes_updates(&self) -> bool {
        true
    }
}

/// `v1,` and the signature in base64.
fn signature(secret: &SecretString, id: &str, at: &str, body: &[u8]) -> Result<String, Refusal> {
    let text = secret.expose_secret();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text).trim());
    let unusable = || Refusal { permanent: true, ..Refusal::passing("the signing secret is no base64") };
    let key = key.map_err(|_| unusable())?;
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", body].concat();
    Ok(format!("v1,{}", STANDARD.encode(mac(&key, &signed))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // The example of the Standard Webhooks reference libraries.
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signature = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signature.expect("it signs"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
