//! Alertmanager (API v2): it is told what is open again and again, and what ended for a while after.
//!
//! Its duties for clients: labels are an alert's identity; a firing alert must come again before its `endsAt`, which is
//! set at least three intervals ahead so that a lost request does not resolve it; a resolved one is repeated for five
//! minutes, since Alertmanager keeps nothing on disk. Every instance of a cluster is told, never a load balancer.

use super::{
    Refusal,
    hand_over::{JsonBody, hand_over},
};
use crate::model::{Cause, Course, Incident, Language, Level, Snapshot, elapsed, later};
use jiff::Timestamp;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use url::Url;

/// How often what is open is told.
pub const RESEND: Duration = Duration::from_secs(30);
/// How long what ended is told.
const RESOLVED: Duration = Duration::from_secs(5 * 60);

/// One alert, as its API takes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

/// What Alertmanager is to be told now: all that is open, what ended lately, and that the daemon does its work, if it
/// `works`.
pub fn alerts(snapshot: &Snapshot, now: Timestamp, page: Option<&Url>, works: bool) -> Vec<Alert> {
    // A machine that reads along has no use for exercises.
    let told = |incident: &&std::sync::Arc<Incident>| {
        !incident.is_drill() && incident.closed.is_none_or(|closed| elapsed(now, closed) <= RESOLVED)
    };
    let incidents = snapshot.incidents.iter().filter(told);
    let watchdog = works.then(|| watchdog(snapshot, now));
    incidents.map(|incident| alert(snapshot, incident, now, page)).chain(watchdog).collect()
}

/// Hands alerts to one Alertmanager.
pub async fn post(http: &Client, url: &Url, token: Option<&SecretString>, alerts: &[Alert]) -> Result<(), Refusal> {
    let mut url = url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["api", "v2", "alerts"]);
    }
    let mut request = http.post(url).json_body(&alerts);
    if let Some(token) = token {
        request = request.bearer_auth(token.expose_secret());
    }
    hand_over(request).await.map(|_| ())
}

fn alert(snapshot: &Snapshot, incident: &Incident, now: Timestamp, page: Option<&Url>) -> Alert {
    let place = snapshot.place(&incident.cause);
    let standing = match snapshot.course(incident) {
        course @ Course::Recovering(_) => snapshot.course_text(course, Language::OF_PROGRAMS),
        Course::Lasting(level) => level.as_str().to_owned(),
        Course::Ended(_) => incident.told.as_str().to_owned(),
    };
    // What an alert is called must not change while it fires: a root that is found late stands in the annotations.
    let labels = BTreeMap::from([
        ("alertname", "CamhealthIncident".to_owned()),
        ("incident", incident.id.to_string()),
        ("commune", snapshot.fleet.commune.name.clone()),
        ("severity", severity(incident).to_owned()),
    ]);
    let sites: Vec<String> = incident.sites.keys().map(|site| snapshot.place(&Cause::Site(site.clone()))).collect();
    let annotations = BTreeMap::from([
        ("summary", format!("#{} {place}: {standing}", incident.number)),
        ("cause", format!("{}/{}", incident.cause.kind(), incident.cause.subject())),
        ("sites", sites.join(", ")),
        ("number", incident.number.to_string()),
        ("acknowledged_by", incident.ack.as_ref().map_or_else(String::new, |ack| ack.by.clone())),
    ]);
    let link = page.and_then(|page| page.join(&format!("incidents/{}", incident.number)).ok());
    Alert {
        labels,
        annotations,
        starts_at: incident.since.to_string(),
        ends_at: incident.closed.unwrap_or_else(|| later(now, 4 * RESEND)).to_string(),
        generator_url: link.map(|link| link.to_string()),
    }
}

/// Told by the worst level that was ever told, so that it grows once and never changes back and forth.
fn severity(incident: &Incident) -> &'static str {
    match (&incident.cause, incident.told) {
        (Cause::Site(_), Level::Full | Level::Reduced) => "warning",
        _ => "critical",
    }
}

/// Firing while the daemon does its work: a receiver that stops hearing it knows that it does not, or that the way from it
/// is dead.
fn watchdog(snapshot: &Snapshot, now: Timestamp) -> Alert {
    Alert {
        labels: BTreeMap::from([
            ("alertname", "CamhealthWatchdog".to_owned()),
            ("commune", snapshot.fleet.commune.name.clone()),
            ("severity", "none".to_owned()),
        ]),
        annotations: BTreeMap::from([(
            "summary",
            "camhealth does its work. Route this to a receiver that cries when it stops.".to_owned(),
        )]),
        starts_at: snapshot.at.to_string(),
        ends_at: later(now, 4 * RESEND).to_string(),
        generator_url: None,
    }
}
