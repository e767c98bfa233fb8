//! Telegram bots, as an option: Vietnam's providers have blocked Telegram since 2025.
//!
//! `sendMessage` takes 4,096 characters; a later message of an incident answers the first one.

use super::{
    Letter, Receipt, Refusal, Tell,
    hand_over::{JsonBody, hand_over},
    message::cut,
    zalo::{method, sent},
};
use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use url::Url;

/// Characters in a message.
const LONGEST: usize = 4096;

pub(super) struct Telegram {
    pub(super) http: Client,
    pub(super) api: Url,
    pub(super) token: SecretString,
    pub(super) chat: String,
}

#[async_trait]
impl Tell for Telegram {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let text = cut(&letter.message.whole(), LONGEST);
        let mut body = serde_json::json!({
            "chat_id": self.chat,
            "text": text,
            "disable_notification": !letter.notice.pages(),
        });
        if let Some(first) = letter.first.and_then(|first| first.parse::<i64>().ok()) {
            // The first message may have been deleted by then.
            body["reply_parameters"] = serde_json::json!({"message_id": first, "allow_sending_without_reply": true});
        }
        let request = self.http.post(method(&self.api, &self.token, "sendMessage")?).json_body(&body);
        sent(&hand_over(request).await?)
    }
}
