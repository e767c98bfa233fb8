//! The ONVIF device service of a simulated camera: its clock without a login, its identity with one.

use super::{camera::Shared, digest, fault::Fault};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use std::sync::{Arc, atomic::Ordering};

const PATH: &str = "/onvif/device_service";
const NONCE: &str = "5e1f00d5";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route(PATH, post(answer)).with_state(shared)
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
    if body.contains("GetDeviceInformation") {
        let spec = &shared.spec;
        return soap(format!(
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>{}</tds:Manufacturer><tds:Model>{}</tds:Model>\
             <tds:FirmwareVersion>{}</tds:FirmwareVersion><tds:SerialNumber>{}</tds:SerialNumber>\
             <tds:HardwareId>sim</tds:HardwareId></tds:GetDeviceInformationResponse>",
            spec.manufacturer, spec.model, spec.firmware, spec.serial
        ));
    }
    (StatusCode::BAD_REQUEST, "").into_response()
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
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:tt=\"http://www.onvif.org/ver10/schema\">\
         <s:Body>{body}</s:Body></s:Envelope>"
    );
    ([(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")], envelope).into_response()
}
