//! The first rung: is anybody at this address?

use super::{
    Settings,
    exhaustion::{could_not_ask, own_fault},
    transcript::Transcript,
};
use crate::model::{Detail, Failure, FailureKind, RungName, rtsp_port, told};
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
            Ok(Ok(stream)) => Ok(((stream, address), told!(Accepts, address))),
            Ok(Err(error)) => Err(failure(address, &error)),
            Err(_) => {
                let detail = told!(AcceptedNone, address, format_args!("{limit:?}"));
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
        None => return Err(Failure::new(FailureKind::Unresolved, told!(NoHost))),
    };
    // In URLs of schemes that are not the web's, a dotted IPv4 address is kept as a name.
    if let Ok(ip) = name.parse::<std::net::IpAddr>() {
        return Ok((ip, port).into());
    }
    let found = match timeout(limit, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(mut addresses)) => addresses.next(),
        Ok(Err(error)) if own_fault(&error) => return Err(could_not_ask()),
        Ok(Err(_)) | Err(_) => None,
    };
    found.ok_or_else(|| Failure::new(FailureKind::Unresolved, told!(Nameless, name)))
}

/// Why `address` could not be connected to.
pub(super) fn failure(address: SocketAddr, error: &io::Error) -> Failure {
    match error.kind() {
        _ if own_fault(error) => could_not_ask(),
        io::ErrorKind::ConnectionRefused => Failure::new(FailureKind::Refused, told!(Refuses, address)),
        io::ErrorKind::TimedOut => Failure::new(FailureKind::Timeout, told!(Unanswering, address)),
        kind => Failure::new(FailureKind::Unreachable, told!(NoWay, address, words(kind))),
    }
}

/// How a connection failed, as the system says it.
pub(super) fn words(kind: io::ErrorKind) -> Detail {
    match kind {
        io::ErrorKind::HostUnreachable => told!(HostUnreachable),
        io::ErrorKind::NetworkUnreachable => told!(NetworkUnreachable),
        io::ErrorKind::NetworkDown => told!(NetworkDown),
        io::ErrorKind::ConnectionReset => told!(ConnectionReset),
        io::ErrorKind::ConnectionAborted => told!(ConnectionAborted),
        io::ErrorKind::ConnectionRefused => told!(ConnectionRefused),
        io::ErrorKind::NotConnected => told!(NotConnected),
        io::ErrorKind::BrokenPipe => told!(BrokenPipe),
        io::ErrorKind::TimedOut => told!(TimedOut),
        io::ErrorKind::UnexpectedEof => told!(EndedEarly),
        io::ErrorKind::PermissionDenied => told!(NotPermitted),
        io::ErrorKind::AddrInUse => told!(AddressInUse),
        other => Detail::plain(&other.to_string()),
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

    #[test]
    fn what_the_system_says_is_said_in_english_as_it_says_it() {
        use io::ErrorKind as Is;
        for kind in [
            Is::HostUnreachable,
            Is::NetworkUnreachable,
            Is::NetworkDown,
            Is::ConnectionReset,
            Is::ConnectionAborted,
            Is::ConnectionRefused,
            Is::NotConnected,
            Is::BrokenPipe,
            Is::TimedOut,
            Is::UnexpectedEof,
            Is::PermissionDenied,
            Is::AddrInUse,
            Is::InvalidInput,
        ] {
            let words = words(kind);
            assert_eq!((words.to_string(), words.is_plain()), (kind.to_string(), kind == Is::InvalidInput));
        }
    }
}
