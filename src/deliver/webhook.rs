//! A webhook: the notice as JSON, with a key that stays the same over retries.

use super::Message;
use crate::model::Notice;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

/// What is posted.
#[derive(Debug, Serialize)]
struct Body<'a> {
    /// The same over retries: a receiver that knows it already has this notice.
    key: String,
    title: &'a str,
    message: &'a str,
    link: Option<&'a Url>,
    #[serde(flatten)]
    notice: &'a Notice,
}

pub(super) fn request(
    http: &Client,
    url: &Url,
    token: Option<&SecretString>,
    notice: &Notice,
    message: &Message,
) -> RequestBuilder {
    let key = notice.key();
    let body =
        Body { key: key.clone(), title: &message.title, message: &message.body, link: message.link.as_ref(), notice };
    let json = serde_json::to_vec(&body).expect("plain data with text keys can always be written as JSON");
    let request = http.post(url.clone()).header("Content-Type", "application/json").header("Idempotency-Key", key);
    let request = match token {
        Some(token) => request.bearer_auth(token.expose_secret()),
        None => request,
    };
    request.body(json)
}
