//! ntfy: one `POST` of JSON to the server's root (its publish-as-JSON form, which keeps diacritics in titles).
//!
//! All messages of an incident carry one `sequence_id`: from ntfy 2.16 on, a later one changes the first in place; an
//! older server shows it as another message. The button takes the incident on by a signed link.

use super::{
    Letter, Receipt, Refusal, Tell,
    hand_over::{JsonBody, hand_over},
};
use crate::model::{Level, Note, Notice, Reason, Trouble};
use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

pub(super) struct Ntfy {
    pub(super) http: Client,
    pub(super) url: Url,
    pub(super) topic: String,
    pub(super) token: Option<SecretString>,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    topic: &'a str,
    title: &'a str,
    message: &'a str,
    priority: u8,
    tags: [&'a str; 1],
    sequence_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a Url>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action<'a>>,
}

#[derive(Debug, Serialize)]
struct Action<'a> {
    action: &'a str,
    label: &'a str,
    url: &'a Url,
    method: &'a str,
    clear: bool,
}

#[async_trait]
impl Tell for Ntfy {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let (notice, message) = (letter.notice, letter.message);
        let label = message.take_on;
        let body = Body {
            topic: &self.topic,
            title: &message.title,
            message: &message.body,
            priority: priority(notice),
            tags: [tag(notice)],
            sequence_id: sequence(notice.id().as_str()),
            click: message.link.as_ref(),
            actions: (message.ack.iter())
                .map(|url| Action { action: "http", label, url, method: "POST", clear: true })
                .collect(),
        };
        let mut request = self.http.post(self.url.clone()).json_body(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        hand_over(request).await.map(|_| None)
    }

    fn takes_updates(&self) -> bool {
        true
    }
}

/// ntfy allows letters, digits, '-' and '_', up to 64 of them.
fn sequence(incident: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let text: String = incident.chars().map(safe).collect();
    // The end holds the time that tells incidents apart.
    text[text.len().saturating_sub(64)..].to_owned()
}

/// ntfy's scale is 1 to 5; 5 rings through, 3 is its default.
fn priority(notice: &Notice) -> u8 {
    match notice {
        Notice::Incident(notice) => match (notice.reason, notice.level) {
            (reason, _) if reason.clears() => 3,
            (Reason::Acknowledged | Reason::RootFound, _) => 3,
            (Reason::Merged | Reason::CoverageUnproven, _) => 2,
            (Reason::Escalated | Reason::MonitorCutOff | Reason::Drill, _) | (_, Level::Blind) => 5,
            _ => 4,
        },
        Notice::Journal(notice) if notice.trouble == Trouble::Restored => 2,
        Notice::Journal(_) => 4,
        Notice::Note(_, Note::CutOff { over: false, .. }) => 5,
        Notice::Note(_, Note::Gap { .. }) => 4,
        Notice::Channel(_) | Notice::Test(_) | Notice::Note(..) => 3,
        Notice::Digest(_) => 2,
    }
}

fn tag(notice: &Notice) -> &'static str {
    match notice {
        Notice::Incident(notice) => match notice.reason {
            Reason::CoverageRestored | Reason::CoverageProven | Reason::MonitorRestored | Reason::DrillOver => {
                "white_check_mark"
            }
            Reason::Acknowledged => "bust_in_silhouette",
            Reason::RootFound | Reason::Merged => "link",
            Reason::CoverageUnproven => "warning",
            _ => "rotating_light",
        },
        Notice::Journal(notice) if notice.trouble == Trouble::Restored => "white_check_mark",
        Notice::Journal(_) | Notice::Channel(_) => "warning",
        Notice::Digest(_) => "clipboard",
        Notice::Test(_) => "test_tube",
        Notice::Note(_, Note::Spending { .. } | Note::Gap { .. }) => "warning",
        Notice::Note(_, Note::CutOff { over: false, .. }) => "rotating_light",
        Notice::Note(_, Note::CutOff { .. }) => "white_check_mark",
        Notice::Note(_, Note::Answer { .. }) => "bust_in_silhouette",
        Notice::Note(_, Note::Handover { .. }) => "calendar",
    }
}
