//! SpeedSMS (api.speedsms.vn): `sms/send`, with the access token as the name of HTTP's basic authentication.
//!
//! Whether a message was taken stands in the body: `status` is `success`, and `data.tranId` names it. Codes and forms are
//! those of its published documentation (speedsms.vn/sms-api-service).

use super::{
    Letter, Receipt, Refusal, Tell,
    hand_over::{JsonBody, code_of, hand_over},
    numbers::dialled,
    short::Sms,
};
use crate::model::Delivery;
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// Kinds of message: from whatever number, under the account's own name, and under one that the gateway lends.
const BY_NUMBER: u32 = 2;
const BY_NAME: u32 = 3;
const BY_LENT_NAME: u32 = 4;
/// The names that it lends.
const LENT: [&str; 2] = ["Notify", "Verify"];

/// What a code says, and whether another try may end otherwise.
const CODES: [(&str, &str, bool); 9] = [
    ("007", "has locked this machine's address", false),
    ("008", "has blocked the account", false),
    ("009", "does not let this account use its API", false),
    ("101", "finds something missing or wrong: check token, brandname and sms_type", false),
    ("105", "finds the telephone number malformed", false),
    ("110", "does not take these letters: write diacritics = false", false),
    ("113", "finds the text too long: write parts = 1", false),
    ("300", "says that the account is empty: top it up", false),
    ("500", "has a fault of its own", true),
];

pub(super) struct SpeedSms {
    pub(super) http: Client,
    pub(super) api: Url,
    pub(super) token: SecretString,
    pub(super) brandname: Option<String>,
    pub(super) kind: Option<u32>,
    pub(super) sms: Sms,
}

/// What it answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    status: Value,
    code: Value,
    data: Option<Taken>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Taken {
    tran_id: Value,
    invalid_phone: Vec<Value>,
}

#[async_trait]
impl Tell for SpeedSms {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let fitted = letter.message.short.fitted(letter.places, &self.sms);
        let body = json!({
            "to": [dialled(&self.sms.phone).unwrap_or_else(|| self.sms.phone.clone())],
            "content": fitted.text,
            "sms_type": self.kind(),
            "sender": self.brandname.as_deref().unwrap_or_default(),
        });
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["index.php", "sms", "send"]);
        }
        let request = self.http.post(url).basic_auth(self.token.expose_secret(), Some("x")).json_body(&body);
        taken(&hand_over(request).await?)
    }
}

impl SpeedSms {
    fn kind(&self) -> u32 {
        let usual = || match self.brandname.as_deref() {
            None => BY_NUMBER,
            Some(name) if LENT.contains(&name) => BY_LENT_NAME,
            Some(_) => BY_NAME,
        };
        self.kind.unwrap_or_else(usual)
    }
}

fn taken(answer: &str) -> Result<Receipt, Refusal> {
    let answer: Answer = serde_json::from_str(answer).map_err(|_| Refusal::passing("the answer is not SpeedSMS's"))?;
    if answer.status == "success" {
        let taken = answer.data.unwrap_or_default();
        if !taken.invalid_phone.is_empty() {
            let reason = "SpeedSMS finds the telephone number malformed";
            return Err(Refusal { permanent: true, ..Refusal::passing(reason) });
        }
        return Ok(Some(code_of(&taken.tran_id)).filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())));
    }
    let code = code_of(&answer.code);
    Err(match CODES.iter().find(|(known, ..)| *known == code) {
        Some((_, why, passes)) => {
            Refusal { permanent: !passes, ..Refusal::passing(format!("SpeedSMS {why} (code {code})")) }
        }
        None => Refusal::passing(format!("SpeedSMS answers with code {code}")),
    })
}

/// What it answers of a message that it accepted, for each number.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    status: Value,
    code: Value,
    data: Vec<OfNumber>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfNumber {
    status: Value,
}

/// What became of a message by its `tranId`.
pub(super) async fn delivery(http: &Client, api: &Url, token: &SecretString, id: &str) -> Result<Delivery, Refusal> {
    let mut url = api.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["index.php", "sms", "status", id]);
    }
    arrived(&hand_over(http.get(url).basic_auth(token.expose_secret(), Some("x"))).await?)
}

/// 0 is arrived; from 64 on it will not, as networks number it (3GPP TS 23.040, TP-Status); else it is on its way.
fn arrived(answer: &str) -> Result<Delivery, Refusal> {
    let answer: Status = serde_json::from_str(answer).map_err(|_| Refusal::passing("the answer is not SpeedSMS's"))?;
    if answer.status != "success" {
        return Err(Refusal::passing(format!("SpeedSMS answers with code {}", code_of(&answer.code))));
    }
    let status = answer.data.first().and_then(|of| of.status.as_i64().or_else(|| of.status.as_str()?.parse().ok()));
    Ok(match status {
        Some(0) => Delivery::Delivered,
        Some(64..) => Delivery::Failed,
        _ => Delivery::Pending,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers are those of its documentation.
    #[test]
    fn success_is_read_from_the_body() {
        let accepted = r#"{"status":"success","code":"00",
            "data":{"tranId":123456,"totalSMS":1,"totalPrice":250,"invalidPhone":[]}}"#;
        assert_eq!(taken(accepted), Ok(Some("123456".into())));
        assert_eq!(taken(r#"{"status":"success","code":"00"}"#), Ok(None));
    }

    #[test]
    fn each_published_code_is_told_in_words() {
        for (json, part, permanent) in [
            (r#"{"status":"error","code":"007","message":"IP locked"}"#, "address", true),
            (r#"{"status":"error","code":"101","message":"Invalid or missing parameters"}"#, "check token", true),
            (
                r#"{"status":"error","code":"105","message":"Phone number invalid","invalidPhone":["84"]}"#,
                "telephone number",
                true,
            ),
            (r#"{"status":"error","code":"300","message":"Your account balance not enough"}"#, "is empty", true),
            (r#"{"status":"error","code":"500","message":"Internal error, please try again"}"#, "own", false),
            (r#"{"status":"error","code":"999"}"#, "code 999", false),
            (r#"{"status":"error","code":{"a":1}}"#, "code unknown", false),
            (r#"{"status":"success","data":{"tranId":1,"invalidPhone":["84900"]}}"#, "malformed", true),
            ("[]", "code unknown", false),
            ("<html>", "not SpeedSMS's", false),
        ] {
            let refusal = taken(json).expect_err("it is refused");
            assert!(refusal.reason.contains(part) && refusal.permanent == permanent, "{json}: {refusal:?}");
        }
    }

    #[test]
    fn what_became_of_it_is_read_from_the_body_too() {
        let of = |status: &str| {
            format!(r#"{{"status":"success","code":"00","data":[{{"phone":"84900000001","status":{status}}}]}}"#)
        };
        let found = ["0", "\"0\"", "1", "63", "-1", "64", "255"].map(|status| arrived(&of(status)).expect("it tells"));
        use Delivery::{Delivered, Failed, Pending};
        assert_eq!(found, [Delivered, Delivered, Pending, Pending, Pending, Failed, Failed]);
        assert_eq!(arrived(r#"{"status":"success","code":"00","data":[]}"#), Ok(Pending));
        assert!(arrived(r#"{"status":"error","code":"101"}"#).is_err() && arrived("<html>").is_err());
    }

    #[test]
    fn its_kind_follows_from_the_name() {
        let channel = |brandname: Option<&str>, kind| SpeedSms {
            http: Client::new(),
            api: "http://127.0.0.1:9/".parse().expect("an address"),
            token: "a".into(),
            brandname: brandname.map(str::to_owned),
            kind,
            sms: Sms { phone: "0901234567".into(), diacritics: true, parts: 1 },
        };
        let kinds = [(None, None), (Some("CA HAI BINH"), None), (Some("Notify"), None), (Some("CA HAI BINH"), Some(5))];
        assert_eq!(kinds.map(|(name, kind)| channel(name, kind).kind()), [2, 3, 4, 5]);
    }
}
