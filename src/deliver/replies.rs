//! What people answer to a bot: `ok 17` takes incident 17 on.
//!
//! Bots are asked by long polling, so that no inbound port is needed. Zalo's `getUpdates` gives one update and answers
//! error 408 when there is none; Telegram's gives a list and goes on from an offset.

use super::{
    Refusal, Target,
    hand_over::{JsonBody, hand_over},
    zalo::{Answer, method, parse, sent},
};
use reqwest::Client;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// How long a bot's server is asked to wait for something to say.
const POLL: Duration = Duration::from_secs(30);

/// One message from somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The chat that it came from.
    pub chat: String,
    /// What it says.
    pub text: String,
}

/// A bot that can be asked for replies. Several channels may share one.
#[derive(Debug, Clone)]
pub struct Bot {
    api: Url,
    token: SecretString,
    telegram: bool,
    offset: Option<i64>,
}

impl Bot {
    /// The bot behind a channel, if there is one.
    pub fn of(target: &Target) -> Option<Self> {
        let (api, token, telegram) = match target {
            Target::Zalo { api, token, .. } => (api, token, false),
            Target::Telegram { api, token, .. } => (api, token, true),
            _ => return None,
        };
        Some(Self { api: api.clone(), token: token.clone(), telegram, offset: None })
    }

    /// Whether both are the same bot: it may be asked by one only.
    pub fn is_same(&self, other: &Self) -> bool {
        use secrecy::ExposeSecret;
        self.api == other.api && self.token.expose_secret() == other.token.expose_secret()
    }

    /// Waits for what people say; nothing when nobody said anything for a while.
    pub async fn replies(&mut self, http: &Client) -> Result<Vec<Reply>, Refusal> {
        let mut body = match self.telegram {
            true => json!({"timeout": POLL.as_secs(), "allowed_updates": ["message"]}),
            false => json!({"timeout": POLL.as_secs().to_string()}),
        };
        if let Some(offset) = self.offset {
            body["offset"] = offset.into();
        }
        let url = method(&self.api, &self.token, "getUpdates")?;
        let request = http.post(url).timeout(POLL + Duration::from_secs(10)).json_body(&body);
        let answer: Answer<Value> = parse(&hand_over(request).await?)?;
        if answer.is_silence() {
            return Ok(Vec::new());
        }
        let updates = answer.good()?.result.unwrap_or_default();
        let updates = match updates {
            Value::Array(updates) => updates,
            one => vec![one],
        };
        let mut replies = Vec::new();
        for update in updates {
            if let Some(id) = update["update_id"].as_i64() {
                self.offset = Some(self.offset.unwrap_or(0).max(id + 1));
            }
            let Ok(Update { message }) = serde_json::from_value(update) else { continue };
            let chat = match message.chat.id {
                Value::String(id) => id,
                other => other.to_string(),
            };
            replies.push(Reply { chat, text: message.text });
        }
        Ok(replies)
    }

    /// Answers in a chat.
    pub async fn answer(&self, http: &Client, chat: &str, text: &str) -> Result<(), Refusal> {
        let body = json!({"chat_id": chat, "text": text});
        let request = http.post(method(&self.api, &self.token, "sendMessage")?).json_body(&body);
        sent(&hand_over(request).await?).map(|_| ())
    }
}

#[derive(Debug, Deserialize)]
struct Update {
    message: Said,
}

#[derive(Debug, Deserialize)]
struct Said {
    chat: Chat,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct Chat {
    id: Value,
}

/// The number of the incident that a text takes on: `ok 17`, `OK#17`, `nhận 17`, `đã nhận 17`.
pub fn takes_on(text: &str) -> Option<u32> {
    let text = crate::model::folded(text).to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let (number, before) = words.split_last()?;
    let agreed = matches!(before, ["ok"] | ["nhan"] | ["da", "nhan"] | ["ack"]);
    // Without a space too: ok17.
    let joined = || number.strip_prefix("ok").filter(|_| before.is_empty())?.parse().ok();
    if agreed { number.parse().ok() } else { joined() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_take_an_incident_on_in_their_own_words() {
        for text in ["ok 17", "OK 17", "Ok #17.", "nhận 17", "Đã nhận 17!", "ok17", "ack 17"] {
            assert_eq!(takes_on(text), Some(17), "{text}");
        }
        for text in ["17", "ok", "không ok 17", "ok 17 18", "", "ok mười bảy"] {
            assert_eq!(takes_on(text), None, "{text}");
        }
    }
}
