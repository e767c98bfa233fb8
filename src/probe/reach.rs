//! The first rung: is anybody at this address?

use super::{
    Settings,
    exhaustion::{self, own_fault},
    transcript::Transcript,
};
use crate::model::{Failure, FailureKind, RungName, rtsp_port};
use std::{io, net::SocketAddr, time::Duration};
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
    let outcome = match resolve(url, rtsp_port(url), limit).await {
        Ok(address) => match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => Ok(((stream, address), format!("{address} accepts connections"))),
            Ok(Err(error)) => Err(failure(address, &error)),
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
    let found = match timeout(limit, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(mut addresses)) => addresses.next(),
        Ok(Err(error)) if own_fault(&error) => {
            return Err(Failure::new(FailureKind::ProbeFailed, exhaustion::DETAIL));
        }
        Ok(Err(_)) | Err(_) => None,
    };
    found.ok_or_else(|| Failure::new(FailureKind::Unresolved, format!("{name} has no address")))
}

/// Why `address` could not be connected to.
pub(super) fn failure(address: SocketAddr, error: &io::Error) -> Failure {
    match error.kind() {
        _ if own_fault(error) => Failure::new(FailureKind::ProbeFailed, exhaustion::DETAIL),
        io::ErrorKind::ConnectionRefused => Failure::new(
            FailureKind::Refused,
            format!("{address} refuses connections: the host is there, the port is closed"),
        ),
        io::ErrorKind::TimedOut => Failure::new(FailureKind::Timeout, format!("{address} did not answer")),
        kind => Failure::new(FailureKind::Unreachable, format!("no way to {address}: {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn what_this_machine_lacks_is_not_held_against_the_camera() {
        let kind = |code: Errno| {
            let error = io::Error::from_raw_os_error(code.raw_os_error());
            failure(([10, 0, 0, 7], 554).into(), &error).kind
        };
        for own in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL, Errno::PERM] {
            assert_eq!(kind(own), FailureKind::ProbeFailed, "{own:?}");
        }
        assert_eq!(kind(Errno::CONNREFUSED), FailureKind::Refused);
        assert_eq!(kind(Errno::HOSTUNREACH), FailureKind::Unreachable);
        assert_eq!(kind(Errno::TIMEDOUT), FailureKind::Timeout);
    }
}
