//! ntfy: one `POST` of JSON to the server's root (its publish-as-JSON form, which keeps diacritics in titles).

use super::Message;
use crate::model::{Level, Notice, Reason};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

#[derive(Debug, Serialize)]
struct Body<'a> {
    topic: &'a str,
    title: &'a str,
    message: &'a str,
    priority: u8,
    tags: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a Url>,
}

pub(super) fn request(
    http: &Client,
    url: &Url,
    topic: &str,
    token: Option<&SecretString>,
    notice: &Notice,
    message: &Message,
) -> RequestBuilder {
    let body = Body {
        topic,
        title: &message.title,
        message: &message.body,
        priority: priority(notice),
        tags: [if notice.reason == Reason::CoverageRestored { "white_check_mark" } else { "rotating_light" }],
        click: message.link.as_ref(),
    };
    let json = serde_json::to_vec(&body).expect("plain data with text keys can always be written as JSON");
    let request = http.post(url.clone()).header("Content-Type", "application/json").body(json);
    match token {
        Some(token) => request.bearer_auth(token.expose_secret()),
        None => request,
    }
}

/// ntfy's scale is 1 to 5; 5 rings through, 3 is its default.
fn priority(notice: &Notice) -> u8 {
    match (notice.reason, notice.level) {
        (Reason::CoverageRestored, _) => 3,
        (_, Level::Blind) => 5,
        _ => 4,
    }
}
