//! Stringee: a provider that calls and speaks Vietnamese, for those who have no exchange. Keys cannot come back without an
//! address of ours that it can reach, so such a call is heard and never takes anything on.
//!
//! Wire facts (its REST API, as published): `POST /v1/call2/callout` with a token of our own making (JWT, HS256, `cty`
//! "stringee-api;v=1") and a `talk` action; `{"r":0}` says that it calls, not that anybody answered. What became of it stands
//! in `GET /v1/call/log` once the call has ended: `answer_time` is 0 where nobody answered.

use super::{
    Dispatch, Receipt, Refusal,
    hand_over::{JsonBody, hand_over},
    phone::{refusal, spoken},
    sign::mac,
};
use crate::{call::Outcome, model::Language};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use url::Url;

/// How long a token of ours is good for.
const TOKEN: i64 = 600;
/// How often it is asked what became of a call, and for how long: it rings for a minute and speaks for half of one.
const EVERY: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(150);

/// A telephone that Stringee calls.
#[derive(Debug, Clone)]
pub struct Stringee {
    /// Base URL of its API.
    pub api: Url,
    /// The API key's SID.
    pub sid: String,
    /// The API key's secret.
    pub secret: SecretString,
    /// The number that calls, bought there.
    pub from: String,
    /// The number that is called.
    pub phone: String,
}

#[derive(Deserialize)]
struct Answer {
    r: i64,
    #[serde(default, alias = "callId")]
    call_id: Option<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    id: String,
    #[serde(default)]
    answer_time: u64,
    #[serde(default)]
    stop_time: u64,
}

/// Calls somebody, if the notice is worth a call.
pub(super) async fn tell(
    to: &Stringee,
    language: Language,
    http: &Client,
    dispatch: &Dispatch<'_>,
) -> Result<Receipt, Refusal> {
    if !dispatch.notice.rings() {
        return Ok(None);
    }
    let end =
        |number: &str| json!({"type": "external", "number": international(number), "alias": international(number)});
    let talk = json!({"action": "talk", "text": spoken(dispatch, language), "loop": 2, "silenceTime": 1000});
    let body = json!({"from": end(&to.from), "to": [end(&to.phone)], "actions": [talk]});
    let now = dispatch.at.as_millisecond();
    let token = token(to, dispatch.at.as_second());
    let url = address(to, "v1/call2/callout")?;
    let answer = read(&hand_over(http.post(url).header("X-STRINGEE-AUTH", &token).json_body(&body)).await?)?;
    let (began, id) = (Instant::now(), answer.call_id);
    let mut log = address(to, "v1/call/log")?;
    log.query_pairs_mut()
        .append_pair("version", "2")
        .append_pair("to_number", &international(&to.phone))
        // Its clock and ours are not the same.
        .append_pair("from_start_time", &(now - 60_000).to_string());
    while began.elapsed() < PATIENCE {
        sleep(EVERY).await;
        // What cannot be asked now is asked again.
        let Ok(text) = hand_over(http.get(log.clone()).header("X-STRINGEE-AUTH", &token)).await else { continue };
        let calls = read(&text).ok().and_then(|answer| answer.data).map(|data| data.calls).unwrap_or_default();
        let ours = |call: &&Call| id.as_ref().is_none_or(|id| *id == call.id) && call.stop_time > 0;
        let Some(call) = calls.iter().find(ours) else { continue };
        let outcome = if call.answer_time > 0 { Outcome::Heard } else { Outcome::NoAnswer };
        return if outcome.is_told() { Ok(Some(outcome.as_str().to_owned())) } else { Err(refusal(outcome)) };
    }
    // It took the call; to call again might wake somebody who has heard it.
    Ok(Some("unknown".to_owned()))
}

fn address(to: &Stringee, path: &str) -> Result<Url, Refusal> {
    let unusable = |_| Refusal { permanent: true, ..Refusal::passing("the channel's address cannot be made") };
    to.api.join(path).map_err(unusable)
}

fn read(text: &str) -> Result<Answer, Refusal> {
    let answer: Answer =
        serde_json::from_str(text).map_err(|_| Refusal::passing("Stringee's answer is no JSON of its API"))?;
    match answer.r {
        0 => Ok(answer),
        code => Err(Refusal::passing(format!(
            "Stringee says error {code}; check sid, secret, from and the account's balance"
        ))),
    }
}

/// Numbers as Stringee writes them: with the country and without a plus.
fn international(number: &str) -> String {
    match (number.strip_prefix('+'), number.strip_prefix('0')) {
        (Some(rest), _) => rest.to_owned(),
        (None, Some(rest)) => format!("84{rest}"),
        (None, None) => number.to_owned(),
    }
}

/// What proves that we have the API key (RFC 7519).
fn token(to: &Stringee, now: i64) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"typ": "JWT", "alg": "HS256", "cty": "stringee-api;v=1"}));
    let claims = json!({"jti": format!("{}-{now}", to.sid), "iss": to.sid, "exp": now + TOKEN, "rest_api": true});
    let signed = format!("{header}.{}", part(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac(to.secret.expose_secret().as_bytes(), signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_their_country() {
        for (written, sent) in
            [("+84900000001", "84900000001"), ("0900000001", "84900000001"), ("84900000001", "84900000001")]
        {
            assert_eq!(international(written), sent);
        }
    }

    #[test]
    fn answers_are_read_and_refusals_named() {
        assert_eq!(read("{\"r\":0,\"callId\":\"c1\"}").ok().and_then(|answer| answer.call_id).as_deref(), Some("c1"));
        let refused = read("{\"r\":10,\"message\":\"canary\"}").err().expect("it is refused");
        assert!(refused.reason.contains("error 10") && !refused.reason.contains("canary"), "{refused}");
        assert!(read("<html>").is_err());
    }
}
