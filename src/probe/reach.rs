//! The first rung: is anybody at this address?

use super::{Settings, network, transcript::Transcript};
use crate::model::{Failure, FailureKind, RungName};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use url::{Host, Url};

/// Connects to the URL's host; the open connection and the address that accepted it.
pub(super) async fn connect(
    url: &Url,
    settings: &Settings,
    transcript: &mut Transcript,
) -> Option<(TcpStream, SocketAddr)> {
    let began = Instant::now();
    let limit = settings.connect_timeout;
    let default_port = if url.scheme() == "rtsps" { 322 } else { 554 };
    let outcome = match resolve(url, default_port, limit).await {
        Ok(address) => match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => Ok(((stream, address), format!("{address} accepts connections"))),
            Ok(Err(error)) => Err(network::failure(address, &error)),
            Err(_) => {
                let detail = format!("{address} did not accept a connection within {limit:?}");
                Err(Failure::new(FailureKind::Timeout, detail))
            }
        },
        Err(failure) => Err(failure),
    };
    transcript.step(RungName::Reach, began, outcome)
}

/// The address of the URL's host. Workers are given addresses, never names, so that they need no resolver files.
pub(super) async fn resolve(url: &Url, default_port: u16, limit: Duration) -> Result<SocketAddr, Failure> {
    let port = url.port_or_known_default().unwrap_or(default_port);
    let name = match url.host() {
        Some(Host::Ipv4(ip)) => return Ok((ip, port).into()),
        Some(Host::Ipv6(ip)) => return Ok((ip, port).into()),
        Some(Host::Domain(name)) => name,
        None => return Err(Failure::new(FailureKind::Unresolved, "the URL names no host")),
    };
    // In URLs of schemes that are not the web's, a dotted IPv4 address is kept as a name.
    if let Ok(ip) = name.parse::<std::net::IpAddr>() {
        return Ok((ip, port).into());
    }
    let found = timeout(limit, tokio::net::lookup_host((name, port))).await;
    let address = found.ok().and_then(Result::ok).and_then(|mut addresses| addresses.next());
    address.ok_or_else(|| Failure::new(FailureKind::Unresolved, format!("{name} has no address")))
}
