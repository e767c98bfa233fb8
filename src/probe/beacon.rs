//! Asks whether anybody is at an address that belongs to the network itself: a switch, a gateway.

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

/// Whether anybody answers.
pub async fn answers(beacon: &Beacon) -> bool {
    let answer = async {
        match beacon {
            Beacon::Tcp(address) => match TcpStream::connect(address).await {
                Ok(_) => true,
                // Whoever refuses is there.
                Err(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            },
            Beacon::Icmp(address) => echo(*address).await.unwrap_or(false),
        }
    };
    timeout(LIMIT, answer).await.unwrap_or(false)
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

/// One echo by an unprivileged ICMP socket: the kernel fills in checksum and identifier, and hands over only answers to
/// this socket.
async fn echo(address: IpAddr) -> io::Result<bool> {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(socket.into())?;
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
        assert!(answers(&Beacon::Tcp(open)).await);
        drop(listener);
        assert!(answers(&Beacon::Tcp(open)).await, "refused, and so there");
        if icmp_refusal().is_none() {
            assert!(answers(&Beacon::Icmp("127.0.0.1".parse().expect("an address"))).await);
        }
        // Nobody can be asked at the address of everybody.
        assert!(!answers(&Beacon::Tcp("255.255.255.255:9".parse().expect("an address"))).await);
    }
}
