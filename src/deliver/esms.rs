//! eSMS (rest.esms.vn): `SendMultipleMessage_V4_post_json`.
//!
//! Whether a message was taken stands in the body, under HTTP 200 in any case: `CodeResult` 100 means that eSMS accepted
//! it, and no more than that. A `RequestId` is taken once a day, so a try whose answer was lost sends nothing twice.
//! Codes and forms are those of its published documentation (developers.esms.vn, "Bảng mã lỗi").

use super::{
    Letter, Receipt, Refusal, Tell,
    hand_over::{JsonBody, code_of, hand_over},
    numbers::at_home,
    short::Sms,
};
use crate::model::{Delivery, hex};
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

/// A message under a registered name, and one from a number of the gateway's own.
const BY_NAME: &str = "2";
const BY_NUMBER: &str = "8";
const ACCEPTED: &str = "100";
/// It finds no such message, and it has sent all of a message.
const NOT_YET: &str = "105";
const DONE: &str = "5";
/// The `RequestId` was used today.
const KNOWN: &str = "124";

/// What a code says, and whether another try may end otherwise.
const CODES: [(&str, &str, bool); 9] = [
    ("99", "blocks this number, or cannot read the request", false),
    ("101", "does not know the keys: check token and secret", false),
    ("102", "has no price list for this account", false),
    ("103", "says that the account is empty: top it up", false),
    ("104", "does not know the brandname, or it is not active", false),
    ("108", "finds the telephone number malformed", false),
    ("140", "does not know this machine's address: have it admitted", false),
    ("146", "refuses words that are not of a registered template: have it registered, or leave brandname out", false),
    ("177", "has the brandname not registered with the receiver's network", false),
];

pub(super) struct Esms {
    pub(super) http: Client,
    pub(super) api: Url,
    pub(super) token: SecretString,
    pub(super) secret: SecretString,
    pub(super) brandname: Option<String>,
    pub(super) sms: Sms,
}

/// What it answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    code_result: Value,
    #[serde(rename = "SMSID")]
    sms_id: Option<String>,
    /// Of a request that it knows: how far that is.
    send_status: Value,
}

#[async_trait]
impl Tell for Esms {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let answer = self.ask(letter, "").await?;
        match said(&answer) {
            Said::Refused => self.taken(&self.ask(letter, &letter.at.to_string()).await?),
            _ => self.taken(&answer),
        }
    }
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It was accepted, now or by an earlier try.
    Accepted,
    /// It knows the request and has nothing of it under way: an earlier try was refused. It must be asked under another
    /// name, or what was refused for want of money would never be sent.
    Refused,
    /// Another code.
    Code(String),
}

fn said(answer: &Answer) -> Said {
    let under_way = || matches!(code_of(&answer.send_status).as_str(), "1" | "2" | "5");
    match code_of(&answer.code_result) {
        code if code == ACCEPTED => Said::Accepted,
        code if code == KNOWN && under_way() => Said::Accepted,
        code if code == KNOWN => Said::Refused,
        code => Said::Code(code),
    }
}

impl Esms {
    async fn ask(&self, letter: &Letter<'_>, again: &str) -> Result<Answer, Refusal> {
        let fitted = letter.message.short.fitted(letter.places, &self.sms);
        let mut body = json!({
            "ApiKey": self.token.expose_secret(),
            "SecretKey": self.secret.expose_secret(),
            "Phone": at_home(&self.sms.phone),
            "Content": fitted.text,
            "SmsType": if self.brandname.is_some() { BY_NAME } else { BY_NUMBER },
            "IsUnicode": if fitted.is_unicode() { "1" } else { "0" },
            "RequestId": request_id(letter.key, &self.sms.phone, again),
        });
        if let Some(brandname) = &self.brandname {
            body["Brandname"] = brandname.as_str().into();
        }
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["MainService.svc", "json", "SendMultipleMessage_V4_post_json", ""]);
        }
        let answer = hand_over(self.http.post(url).json_body(&body)).await?;
        serde_json::from_str(&answer).map_err(|_| Refusal::passing("the answer is not eSMS's"))
    }

    fn taken(&self, answer: &Answer) -> Result<Receipt, Refusal> {
        let code = match said(answer) {
            Said::Accepted => return Ok(answer.sms_id.clone().filter(|id| id.len() <= 64)),
            Said::Refused => KNOWN.to_owned(),
            Said::Code(code) => code,
        };
        Err(match CODES.iter().find(|(known, ..)| *known == code) {
            Some((_, why, passes)) => {
                Refusal { permanent: !passes, ..Refusal::passing(format!("eSMS {why} (code {code})")) }
            }
            None => Refusal::passing(format!("eSMS answers with code {code}")),
        })
    }
}

/// What it answers of a message that it accepted.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Status {
    code_response: Value,
    send_status: Value,
    send_success: Value,
    send_failed: Value,
}

/// What became of a message by its `SMSID`.
pub(super) async fn delivery(
    http: &Client,
    api: &Url,
    (token, secret): (&SecretString, &SecretString),
    id: &str,
) -> Result<Delivery, Refusal> {
    let mut url = api.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["MainService.svc", "json", "GetSendStatus"]);
    }
    url.query_pairs_mut()
        .append_pair("RefId", id)
        .append_pair("ApiKey", token.expose_secret())
        .append_pair("SecretKey", secret.expose_secret());
    arrived(&hand_over(http.get(url)).await?)
}

fn arrived(answer: &str) -> Result<Delivery, Refusal> {
    let status: Status = serde_json::from_str(answer).map_err(|_| Refusal::passing("the answer is not eSMS's"))?;
    let count = |value: &Value| code_of(value).parse::<u32>().unwrap_or(0);
    match (code_of(&status.code_response).as_str(), code_of(&status.send_status).as_str()) {
        // What it has just accepted it does not find at once.
        (NOT_YET, _) => Ok(Delivery::Pending),
        (ACCEPTED, DONE) if count(&status.send_success) > 0 => Ok(Delivery::Delivered),
        (ACCEPTED, DONE) if count(&status.send_failed) > 0 => Ok(Delivery::Failed),
        (ACCEPTED, _) => Ok(Delivery::Pending),
        (code, _) => Err(Refusal::passing(format!("eSMS answers with code {code}"))),
    }
}

/// What a request is known by: at most 50 characters, and the same for each try to tell somebody something.
fn request_id(key: &str, phone: &str, again: &str) -> String {
    let hash = Sha256::digest(format!("{key}\n{phone}\n{again}"));
    hex(&hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(json: &str) -> Result<Receipt, Refusal> {
        let channel = Esms {
            http: Client::new(),
            api: "http://127.0.0.1:9/".parse().expect("an address"),
            token: "a".into(),
            secret: "b".into(),
            brandname: None,
            sms: Sms { phone: "+84901234567".into(), diacritics: false, parts: 1 },
        };
        channel.taken(&serde_json::from_str(json).expect("JSON"))
    }

    /// The answers are those of its documentation.
    #[test]
    fn success_is_read_from_the_body() {
        let accepted = r#"{"CodeResult":"100","CountRegenerate":0,"SMSID":"d533459ee42b2b9525ba9eabf6a8156"}"#;
        assert_eq!(answered(accepted), Ok(Some("d533459ee42b2b9525ba9eabf6a8156".into())));
        assert_eq!(answered(r#"{"CodeResult":100}"#), Ok(None));
        let known = r#"{"CodeResult":"124","CountRegenerate":0,"ErrorMessage":"Request exist 1","SendStatus":"5"}"#;
        assert_eq!(answered(known), Ok(None), "an earlier try arrived, and only its answer was lost");
    }

    #[test]
    fn each_published_code_is_told_in_words() {
        for (json, part, permanent) in [
            (r#"{"CodeResult":"101","CountRegenerate":0,"ErrorMessage":"Authorize Failed"}"#, "check token", true),
            (r#"{"CodeResult":"103","ErrorMessage":"Balance not enough"}"#, "account is empty: top it up", true),
            (r#"{"CodeResult":"104","ErrorMessage":"Brand name code is not exist"}"#, "brandname", true),
            (r#"{"CodeResult":"146","ErrorMessage":"Sai template Brandname CSKH","SMSID":"3f5e"}"#, "template", true),
            (r#"{"CodeResult":"99"}"#, "blocks this number", true),
            (r#"{"error":"Invalid request"}"#, "code unknown", false),
            (r#"{"CodeResult":"555<script>"}"#, "code unknown", false),
            (r#"{"CodeResult":"124"}"#, "code 124", false),
        ] {
            let refusal = answered(json).expect_err("it is refused");
            assert!(refusal.reason.contains(part) && refusal.permanent == permanent, "{json}: {refusal:?}");
        }
    }

    #[test]
    fn what_became_of_it_is_read_from_the_body_too() {
        let status = |status: u8, success: u8, failed: u8| {
            format!(
                r#"{{"CodeResponse":"100","SMSID":"434a124c","SendFailed":{failed},"SendStatus":{status},
                    "SendSuccess":{success},"TotalPrice":850.0000,"TotalReceiver":1,"TotalSent":1}}"#
            )
        };
        assert_eq!(arrived(&status(5, 1, 0)), Ok(Delivery::Delivered));
        assert_eq!(arrived(&status(5, 0, 1)), Ok(Delivery::Failed));
        assert_eq!(
            [arrived(&status(1, 0, 0)), arrived(&status(2, 0, 0))],
            [Ok(Delivery::Pending), Ok(Delivery::Pending)]
        );
        assert_eq!(arrived(r#"{"CodeResponse":"105"}"#), Ok(Delivery::Pending));
        assert!(arrived(r#"{"CodeResponse":"101","SMSID":"4775"}"#).is_err() && arrived("<html>").is_err());
    }

    #[test]
    fn a_request_is_known_by_what_is_told_to_whom() {
        let id = |key, phone, again| request_id(key, phone, again);
        assert_eq!(id("a-1", "+84901", ""), id("a-1", "+84901", ""));
        let ids = [id("a-1", "+84901", ""), id("a-2", "+84901", ""), id("a-1", "+84902", ""), id("a-1", "+84901", "7")];
        let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert!(distinct.len() == ids.len() && ids.iter().all(|id| id.len() <= 50));
    }
}
