//! The ONVIF services of a simulated camera: its clock without a login; with one its identity, its streams and one
//! pull of its events.

use super::{digest, fault::Fault, shared::Shared};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use std::sync::{Arc, PoisonError, atomic::Ordering};

const PATH: &str = "/onvif/device_service";
const NONCE: &str = "5e1f00d5";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let all = [PATH, "/onvif/media_service", "/onvif/event_service", "/onvif/subscription"];
    all.into_iter().fold(Router::new(), |router, path| router.route(path, post(answer))).with_state(shared)
}

/// The address of the service behind a host and port.
pub(super) fn url(address: std::net::SocketAddr) -> String {
    format!("http://{address}{PATH}")
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    if shared.fault() == Fault::SoapBomb {
        return soap(format!("{}{}", "<a>".repeat(2_000_000), "</a>".repeat(2_000_000)));
    }
    if body.contains("GetSystemDateAndTime") {
        return soap(clock(&shared));
    }
    if let Some(login) = &shared.spec.login {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let right = given.is_some_and(|given| digest::accepts(given, "POST", login, NONCE));
        if !right || shared.fault() == Fault::WrongLogin {
            shared.failed_logins.fetch_add(u64::from(given.is_some()), Ordering::Relaxed);
            let challenge = [(header::WWW_AUTHENTICATE, digest::challenge(NONCE))];
            return (StatusCode::UNAUTHORIZED, challenge, "").into_response();
        }
    }
    let fault = shared.fault();
    let (rtsp, own) = shared.addresses.get().copied().unwrap_or((shared.spec.rtsp, shared.spec.onvif));
    let base = own.map_or_else(String::new, |address| format!("http://{address}/onvif"));
    if body.contains("GetCapabilities") {
        return soap(format!(
            "<tds:GetCapabilitiesResponse><tds:Capabilities>\
             <tt:Device><tt:XAddr>{base}/device_service</tt:XAddr></tt:Device>\
             <tt:Events><tt:XAddr>{base}/event_service</tt:XAddr></tt:Events>\
             <tt:Media><tt:XAddr>{base}/media_service</tt:XAddr></tt:Media>\
             </tds:Capabilities></tds:GetCapabilitiesResponse>"
        ));
    }
    if body.contains("GetProfiles") {
        return soap(
            "<trt:GetProfilesResponse><trt:Profiles token=\"sub\" fixed=\"true\"><tt:Name>sub</tt:Name>\
             </trt:Profiles></trt:GetProfilesResponse>"
                .into(),
        );
    }
    if body.contains("GetStreamUri") {
        let path = if fault == Fault::OtherStreams { "/elsewhere" } else { &shared.spec.path };
        let port = rtsp.port();
        // Another host, as many name: only port and path count.
        return soap(format!(
            "<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://192.168.1.108:{port}{path}</tt:Uri>\
             <tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>\
             <tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
        ));
    }
    if body.contains("CreatePullPointSubscription") {
        let asked = body.split_once("<wsnt:TopicExpression").and_then(|(_, rest)| rest.split_once('>'));
        let asked = asked.and_then(|(_, rest)| rest.split_once('<')).map_or("everything", |(topics, _)| topics);
        shared.topics.lock().unwrap_or_else(PoisonError::into_inner).extend(asked.split('|').map(str::to_owned));
        return soap(format!(
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>{base}/subscription\
             </wsa:Address></tev:SubscriptionReference><wsnt:CurrentTime>2026-11-24T00:00:00Z</wsnt:CurrentTime>\
             <wsnt:TerminationTime>2026-11-24T00:01:00Z</wsnt:TerminationTime>\
             </tev:CreatePullPointSubscriptionResponse>"
        ));
    }
    if body.contains("PullMessages") {
        return soap(messages(fault));
    }
    if body.contains("Unsubscribe") {
        return soap("<wsnt:UnsubscribeResponse/>".into());
    }
    if body.contains("GetDeviceInformation") {
        let spec = &shared.spec;
        let serial = if fault == Fault::Swapped { "another" } else { &spec.serial };
        let firmware = if fault == Fault::OldFirmware { "0.0.1" } else { &spec.firmware };
        return soap(format!(
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>{}</tds:Manufacturer><tds:Model>{}</tds:Model>\
             <tds:FirmwareVersion>{}</tds:FirmwareVersion><tds:SerialNumber>{}</tds:SerialNumber>\
             <tds:HardwareId>sim</tds:HardwareId></tds:GetDeviceInformationResponse>",
            spec.manufacturer, spec.model, firmware, serial
        ));
    }
    (StatusCode::BAD_REQUEST, "").into_response()
}

/// The state of each status topic, and a motion event that nobody asked for, as some devices send.
fn messages(fault: Fault) -> String {
    let message = |topic: &str, name: &str, value: &str| {
        format!(
            "<wsnt:NotificationMessage><wsnt:Topic>tns1:{topic}</wsnt:Topic><wsnt:Message>\
             <tt:Message UtcTime=\"2026-11-24T00:00:00Z\" PropertyOperation=\"Initialized\"><tt:Data>\
             <tt:SimpleItem Name=\"{name}\" Value=\"{value}\"/></tt:Data></tt:Message></wsnt:Message>\
             </wsnt:NotificationMessage>"
        )
    };
    let flag = |on: bool| if on { "true" } else { "false" };
    let started = match fault {
        Fault::Reboots => jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() * 60).unwrap_or_default(),
        _ => jiff::Timestamp::from_second(1_790_000_000).unwrap_or_default(),
    };
    format!(
        "<tev:PullMessagesResponse><tev:CurrentTime>2026-11-24T00:00:00Z</tev:CurrentTime>\
         <tev:TerminationTime>2026-11-24T00:01:00Z</tev:TerminationTime>{}{}{}{}</tev:PullMessagesResponse>",
        message("VideoSource/SignalLoss", "State", flag(fault == Fault::SignalLoss)),
        message("Device/HardwareFailure/StorageFailure", "Failed", flag(fault == Fault::StorageFailure)),
        message("Monitoring/OperatingTime/LastReboot", "Status", &started.to_string()),
        message("RuleEngine/CellMotionDetector/Motion", "IsMotion", "true"),
    )
}

fn clock(shared: &Shared) -> String {
    let offset = match shared.fault() {
        Fault::WrongClock { seconds } => seconds,
        _ => 0,
    };
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(offset);
    let now = now.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    format!(
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>\
         <tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>ICT-7</tt:TZ></tt:TimeZone>\
         <tt:UTCDateTime><tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time>\
         <tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month><tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime>\
         </tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>",
        now.hour(),
        now.minute(),
        now.second(),
        now.year(),
        now.month(),
        now.day()
    )
}

fn soap(body: String) -> Response {
    let envelope = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
         xmlns:tev=\"http://www.onvif.org/ver10/events/wsdl\" xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\" \
         xmlns:wsa=\"http://www.w3.org/2005/08/addressing\" xmlns:tt=\"http://www.onvif.org/ver10/schema\">\
         <s:Body>{body}</s:Body></s:Envelope>"
    );
    ([(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")], envelope).into_response()
}
