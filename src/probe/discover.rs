//! Finds devices: by WS-Discovery where multicast reaches, and address by address where it does not.

use super::{
    soap::{self, SoapTransport},
    text::clean,
};
use futures_util::future::join_all;
use oxvif::{OnvifClient, discovery};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use url::Url;

/// Where cameras listen for RTSP.
const RTSP_PORTS: [u16; 2] = [554, 8554];
/// Where their ONVIF services are: web ports, and those of some makes (Tapo 2020, Hikvision's SDK 8000, XM 8899).
const ONVIF_PORTS: [u16; 5] = [80, 8000, 8080, 2020, 8899];
/// Longest wait for a TCP connect; a device on the same network answers in milliseconds.
const CONNECT: Duration = Duration::from_millis(700);
/// Longest wait for one answer by SOAP or WS-Discovery.
const ANSWER: Duration = Duration::from_secs(2);
/// Longest wait for answers to a multicast.
const ROUND: Duration = Duration::from_secs(2);
/// Bytes of an ONVIF address.
const MOST_URL: usize = 256;

/// A device that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its address.
    pub address: IpAddr,
    /// Where RTSP is, if its port is open.
    pub rtsp: Option<SocketAddr>,
    /// Its ONVIF device service, if it has one.
    pub onvif: Option<Url>,
    /// WS-Discovery endpoint reference.
    pub endpoint: Option<String>,
}

/// Asks everybody whom multicast reaches, over all interfaces but loopback.
pub async fn multicast() -> Vec<Candidate> {
    let found = discovery::probe_rounds(2, ROUND, Duration::from_millis(500)).await;
    let mut candidates: BTreeMap<IpAddr, Candidate> = BTreeMap::new();
    for device in found {
        let urls = device.xaddrs.iter().filter_map(|address| service(address));
        for (address, url) in urls.filter_map(|url| Some((address_of(&url)?, url))) {
            let (onvif, endpoint) = (Some(url), some(&device.endpoint));
            candidates.entry(address).or_insert(Candidate { address, rtsp: None, onvif, endpoint });
        }
    }
    let mut found = Vec::new();
    for candidate in candidates.into_values() {
        let rtsp = open(candidate.address, &RTSP_PORTS).await;
        found.push(Candidate { rtsp, ..candidate });
    }
    found
}

/// Asks one address; `None` when no camera answers there.
pub async fn ask(address: IpAddr) -> Option<Candidate> {
    let (rtsp, web) = tokio::join!(open(address, &RTSP_PORTS), open(address, &ONVIF_PORTS));
    if rtsp.is_none() && web.is_none() {
        return None;
    }
    let announced = discovery::probe_unicast(address, ANSWER / 2).await.into_iter().next();
    let endpoint = announced.as_ref().and_then(|device| some(&device.endpoint));
    let mut named = announced.into_iter().flat_map(|device| device.xaddrs).filter_map(|named| service(&named));
    // Some name an old or an internal address; the one that was reached is right.
    let named = named.find(|url| address_of(url) == Some(address));
    let onvif = match (named, web) {
        (Some(url), _) => Some(url),
        (None, Some(_)) => guess(address).await,
        (None, None) => None,
    };
    (rtsp.is_some() || onvif.is_some()).then_some(Candidate { address, rtsp, onvif, endpoint })
}

/// The first of the ports that is open.
async fn open(address: IpAddr, ports: &[u16]) -> Option<SocketAddr> {
    let tries = ports
        .iter()
        .map(|port| SocketAddr::new(address, *port))
        .map(|at| async move { timeout(CONNECT, TcpStream::connect(at)).await.ok()?.ok().map(|_| at) });
    join_all(tries).await.into_iter().flatten().next()
}

/// The ONVIF service at the usual path of one of the usual ports, if its clock can be read there without a login.
async fn guess(address: IpAddr) -> Option<Url> {
    let http = soap::http_client().ok()?;
    let tries =
        ONVIF_PORTS.iter().map(|port| (SocketAddr::new(address, *port), http.clone())).map(|(at, http)| async move {
            let url: Url = format!("http://{at}/onvif/device_service").parse().ok()?;
            let transport = Arc::new(SoapTransport::new(http, ANSWER));
            let client = OnvifClient::new(url.as_str()).with_transport(transport);
            timeout(ANSWER, client.get_system_date_and_time()).await.ok()?.ok().map(|_| url)
        });
    join_all(tries).await.into_iter().flatten().next()
}

/// An address that a device announces, without the login that some put in. What is long or no web address is left out.
fn service(named: &str) -> Option<Url> {
    let mut url: Url = named.parse().ok()?;
    // Can only fail for addresses that have no host.
    let bare = url.set_username("").and_then(|()| url.set_password(None));
    (bare.is_ok() && matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MOST_URL).then_some(url)
}

fn address_of(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

fn some(text: &str) -> Option<String> {
    Some(clean(text)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_devices_announce_is_bounded_and_printable() {
        let service = |named: &str| service(named).map(|url| url.to_string());
        let plain = "http://10.20.1.7/onvif/device_service";
        assert_eq!(service(plain).as_deref(), Some(plain));
        assert_eq!(service("http://u:canary@10.20.1.7/onvif/device_service").as_deref(), Some(plain));
        let turned = service("http://10.20.1.7/a\u{202e}b\u{1b}[2J").expect("an address");
        assert!(turned.is_ascii() && !turned.contains('\u{1b}'), "{turned}");
        assert_eq!(service(&format!("http://10.20.1.7/{}", "a".repeat(300))), None);
        assert_eq!(service("javascript:alert(1)"), None);
        assert_eq!(some("urn:uuid:1\u{202e}\n"), Some("urn:uuid:1".into()));
        assert_eq!(some("\u{200b}"), None);
    }
}
