//! ONVIF by oxvif, inside a worker: the clock without a login, then with it who the device is, which streams it names,
//! and one pull of its status topics.
//!
//! WS-UsernameToken, with the camera's own clock, is tried only where the device does not speak Digest. A subscription
//! lives for one look: long ones have frozen cameras. Addresses that a device names are asked at the address that was
//! reached, since many name an old or an internal one.

use super::{
    soap::SoapTransport,
    text::{clean, clean_to},
    topics,
    transcript::Transcript,
    wire::{OnvifJob, Report},
};
use crate::model::{DeviceFacts, Failure, FailureKind, RungName, stream_address, told};
use oxvif::{OnvifClient, OnvifError};
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio::time::{Instant, timeout};
use url::Url;

/// Streams whose addresses are asked for; a recorder of eight channels has two each.
const MOST_STREAMS: usize = 16;
/// Characters of a stream's address.
const MOST_ADDRESS: usize = 256;
/// How long a subscription may outlive a look that was cut off; in seconds, since some read minutes as seconds.
const SUBSCRIPTION: &str = "PT60S";
/// How long the device may wait for a message: properties come at once.
const PULL: &str = "PT2S";

/// Asks the device for all that it knows of its health.
pub(super) async fn look(http: &reqwest::Client, job: &OnvifJob) -> Report {
    let mut transcript = Transcript::default();
    let arrived = Instant::now();
    let transport = Arc::new(SoapTransport::new(http.clone(), job.answer_timeout));
    let anonymous = OnvifClient::new(job.url.as_str()).with_transport(transport.clone());

    let began = Instant::now();
    let answer = timeout(2 * job.answer_timeout, anonymous.get_system_date_and_time()).await;
    let outcome = match answer {
        Ok(Ok(clock)) => Ok(clock.utc_unix.map(|theirs| {
            // Whole seconds come back; the middle of the exchange is the best guess at when they were read.
            let middle = (began - arrived) + began.elapsed() / 2;
            theirs as f64 + 0.5 - (job.now.as_millisecond() as f64 / 1000.0 + middle.as_secs_f64())
        })),
        Ok(Err(_)) => Err(transport.failure("GetSystemDateAndTime")),
        Err(_) => Err(late("GetSystemDateAndTime", job)),
    };
    let mut offset = None;
    match outcome {
        Ok(found) => {
            offset = found;
            let detail = offset.map_or_else(|| told!(NoUtc), |offset| told!(ClockOff, format_args!("{offset:+.1}")));
            transcript.step(RungName::OnvifClock, began, Ok(((), detail)));
        }
        // Some firmwares want a login even here, against the standard: then there is no offset, and that is no fault.
        Err(failure) if failure.kind == FailureKind::Auth => {
            transcript.aside(RungName::OnvifClock, began, false, told!(ClockNeedsLogin));
        }
        Err(failure) => {
            transcript.step::<()>(RungName::OnvifClock, began, Err(failure));
            return Report { bytes: transport.bytes(), ..transcript.report() };
        }
    }

    let mut device = None;
    if let Some((client, mut facts)) = identify(job, offset, &mut transcript, &transport).await {
        let services = timeout(2 * job.answer_timeout, client.get_capabilities()).await.ok().and_then(Result::ok);
        if let Some(services) = services {
            if let Some(media) = services.media.url {
                facts.streams = streams(job, &client, &media, &mut transcript).await.unwrap_or_default();
            }
            if let Some(events) = services.events.url {
                pull(job, &client, &events, &mut facts, &mut transcript).await;
            }
        }
        device = Some(facts);
    }
    let bytes = transport.bytes();
    Report { device, clock_offset_seconds: offset, bytes, ..transcript.report() }
}

/// Who it is, and a client whose login is good.
async fn identify(
    job: &OnvifJob,
    offset: Option<f64>,
    transcript: &mut Transcript,
    counted: &Arc<SoapTransport>,
) -> Option<(OnvifClient, DeviceFacts)> {
    let began = Instant::now();
    let digest = Arc::new(counted.with_login(job.login.clone()));
    let mut client = OnvifClient::new(job.url.as_str()).with_transport(digest.clone());
    let mut answer = timeout(2 * job.answer_timeout, client.get_device_info()).await;
    let mut failure = digest.failure("GetDeviceInformation");
    if let (Ok(Err(_)), Some(login), false) = (&answer, &job.login, digest.answered_challenge())
        && failure.kind == FailureKind::Auth
    {
        client = OnvifClient::new(job.url.as_str())
            .with_transport(counted.clone())
            .with_credentials(&login.username, login.password.expose_secret())
            .with_utc_offset(offset.unwrap_or(0.0).round() as i64);
        answer = timeout(2 * job.answer_timeout, client.get_device_info()).await;
        failure = counted.failure("GetDeviceInformation");
        if failure.kind == FailureKind::Auth && offset.is_none() {
            // The token holds a time, and the device's is not known: the password may be right.
            failure.detail = told!(PerhapsClock, failure.detail);
        }
    }
    let outcome = match answer {
        Ok(Ok(info)) => {
            let device = DeviceFacts {
                manufacturer: clean(&info.manufacturer),
                model: clean(&info.model),
                firmware: clean(&info.firmware_version),
                serial: clean(&info.serial_number),
                ..DeviceFacts::default()
            };
            let detail = told!(DeviceIs, device.manufacturer, device.model, device.firmware);
            Ok(((client, device), detail))
        }
        Ok(Err(_)) => Err(failure),
        Err(_) => Err(late("GetDeviceInformation", job)),
    };
    transcript.step(RungName::OnvifDevice, began, outcome)
}

/// Port, path and query of each stream that the device names.
async fn streams(
    job: &OnvifJob,
    client: &OnvifClient,
    media: &str,
    transcript: &mut Transcript,
) -> Option<Vec<String>> {
    let began = Instant::now();
    let media = reached(job, media)?;
    let asked = async {
        let mut streams = Vec::new();
        for profile in client.get_profiles(media.as_str()).await?.into_iter().take(MOST_STREAMS) {
            let uri = client.get_stream_uri(media.as_str(), &profile.token).await?.uri;
            streams.extend(uri.parse::<Url>().ok().map(|url| clean_to(&stream_address(&url), MOST_ADDRESS)));
        }
        Ok::<_, OnvifError>(streams)
    };
    let found = timeout(3 * job.answer_timeout, asked).await.ok().and_then(Result::ok);
    let detail = match &found {
        Some(streams) => told!(NamesStreams, streams.join(", ")),
        None => told!(NamesNone),
    };
    transcript.aside(RungName::OnvifStreams, began, found.is_some(), detail);
    found
}

/// One round: create, pull, unsubscribe. A device that does not take part is not at fault.
async fn pull(
    job: &OnvifJob,
    client: &OnvifClient,
    events: &str,
    facts: &mut DeviceFacts,
    transcript: &mut Transcript,
) {
    let began = Instant::now();
    let Some(events) = reached(job, events) else { return };
    let filter = topics::filter();
    let created = client.create_pull_point_subscription(events.as_str(), Some(&filter), Some(SUBSCRIPTION));
    let created = timeout(job.answer_timeout, created).await.ok().and_then(Result::ok);
    let Some(subscription) = created.and_then(|created| reached(job, &created.reference_url)) else {
        transcript.aside(RungName::OnvifEvents, began, false, told!(NoEvents));
        return;
    };
    let pulled = timeout(job.answer_timeout, client.pull_messages(subscription.as_str(), PULL, 64)).await;
    // Whatever came: a device has few subscriptions. Its answer does not matter, the subscription ends by itself.
    let _ = timeout(job.answer_timeout, client.unsubscribe(subscription.as_str())).await;
    let Ok(Ok(messages)) = pulled else {
        transcript.aside(RungName::OnvifEvents, began, false, told!(EventsUnsent));
        return;
    };
    let status = topics::read(&messages);
    let detail = match status.alarms.as_slice() {
        [] => told!(ReportsNoFailure),
        alarms => told!(Reports, alarms.join(", ")),
    };
    facts.alarms = status.alarms;
    facts.last_reboot = status.last_reboot;
    facts.last_clock_sync = status.last_clock_sync;
    facts.events_read = true;
    transcript.aside(RungName::OnvifEvents, began, true, detail);
}

/// A service that the device names, at the host and port that are configured: nobody else hears of its login, and a
/// device behind a forwarded port names ports that only its own network knows.
fn reached(job: &OnvifJob, named: &str) -> Option<Url> {
    let named: Url = named.parse().ok()?;
    let mut url = job.url.clone();
    url.set_path(named.path());
    url.set_query(named.query());
    matches!(named.scheme(), "http" | "https").then_some(url)
}

fn late(request: &str, job: &OnvifJob) -> Failure {
    let limit = 2 * job.answer_timeout;
    let detail = told!(NoAnswerTo, format_args!("ONVIF {request}"), format_args!("{limit:?}"));
    Failure::new(FailureKind::Timeout, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_leads_nowhere_but_to_itself() {
        let url = "http://10.20.1.7:8080/onvif/device_service".parse().expect("a URL");
        let answer_timeout = std::time::Duration::from_secs(1);
        let job = OnvifJob { url, login: None, now: jiff::Timestamp::UNIX_EPOCH, answer_timeout };
        let check = |named: &str, expected: Option<&str>| {
            assert_eq!(reached(&job, named).as_ref().map(Url::as_str), expected, "{named}");
        };
        check("http://192.168.1.10/onvif/media?a=1", Some("http://10.20.1.7:8080/onvif/media?a=1"));
        check("https://u:p@203.0.113.1:9999/x", Some("http://10.20.1.7:8080/x"));
        check("ftp://10.20.1.7/x", None);
        check("", None);
    }
}
