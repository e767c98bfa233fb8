//! Asks whether anybody is at an address that belongs to the network itself: a switch, a gateway.

use super::exhaustion::own_fault;
use crate::model::Beacon;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(2);
/// Echo request of ICMP (RFC 792) and of ICMPv6 (RFC 4443).
const ECHO_REQUEST: (u8, u8) = (8, 128);
const ECHO_REPLY: (u8, u8) = (0, 129);

/// Whether anybody answers; `None` when this machine could not ask.
pub async fn answers(beacon: &Beacon) -> Option<bool> {
    let answer = async {
        match beacon {
            Beacon::Tcp(address) => understand(TcpStream::connect(address).await.map(|_| true)),
            Beacon::Icmp(address) => match icmp_socket(*address) {
                Ok(socket) => understand(echo(socket, *address).await),
                // No packet was sent: too many sockets, or a user who may not send ICMP.
                Err(_) => None,
            },
        }
    };
    timeout(LIMIT, answer).await.unwrap_or(Some(false))
}

fn understand(outcome: io::Result<bool>) -> Option<bool> {
    match outcome {
        Ok(answers) => Some(answers),
        Err(error) if own_fault(&error) => None,
        // Whoever refuses is there.
        Err(error) => Some(error.kind() == io::ErrorKind::ConnectionRefused),
    }
}

/// Why ICMP cannot be sent here, if it cannot: it takes a group that the kernel lets.
pub fn icmp_refusal() -> Option<String> {
    let made = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::ICMPV4));
    made.err().map(|error| {
        format!(
            "this user may not send ICMP ({error}): set net.ipv4.ping_group_range = 0 2147483647, or ask tcp:// instead"
        )
    })
}

/// An unprivileged ICMP socket: the kernel fills in checksum and identifier, and hands over only answers to this socket.
fn icmp_socket(address: IpAddr) -> io::Result<UdpSocket> {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

/// One echo.
async fn echo(socket: UdpSocket, address: IpAddr) -> io::Result<bool> {
    socket.connect(SocketAddr::new(address, 0)).await?;
    let pick = |(v4, v6): (u8, u8)| if address.is_ipv4() { v4 } else { v6 };
    socket.send(&[pick(ECHO_REQUEST), 0, 0, 0, 0, 0, 0, 1]).await?;
    let mut answer = [0; 64];
    let length = socket.recv(&mut answer).await?;
    Ok(length >= 8 && answer[0] == pick(ECHO_REPLY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_accepts_refuses_or_echoes_is_there() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let open = listener.local_addr().expect("an address");
        assert_eq!(answers(&Beacon::Tcp(open)).await, Some(true));
        drop(listener);
        assert_eq!(answers(&Beacon::Tcp(open)).await, Some(true), "refused, and so there");
        if icmp_refusal().is_none() {
            let loopback = Beacon::Icmp("127.0.0.1".parse().expect("an address"));
            assert_eq!(answers(&loopback).await, Some(true));
        }
        // Nobody can be asked at the address of everybody.
        let everybody = Beacon::Tcp("255.255.255.255:9".parse().expect("an address"));
        assert_eq!(answers(&everybody).await, Some(false));
    }

    #[test]
    fn what_this_machine_lacks_is_no_silence() {
        let of = |code: rustix::io::Errno| understand(Err(io::Error::from_raw_os_error(code.raw_os_error())));
        assert_eq!(of(rustix::io::Errno::MFILE), None);
        assert_eq!(of(rustix::io::Errno::ADDRNOTAVAIL), None);
        assert_eq!(of(rustix::io::Errno::HOSTUNREACH), Some(false));
        assert_eq!(of(rustix::io::Errno::CONNREFUSED), Some(true));
    }
}
