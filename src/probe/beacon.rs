//! Asks whether anybody is at an address that belongs to the network itself: a switch, a gateway, the far end of a tunnel.

use super::exhaustion::own_fault;
use crate::model::{Beacon, elapsed};
use jiff::Timestamp;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpStream, UdpSocket},
    process::Command,
    time::timeout,
};

/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(2);
/// Echo request of ICMP (RFC 792) and of ICMPv6 (RFC 4443).
const ECHO_REQUEST: (u8, u8) = (8, 128);
const ECHO_REPLY: (u8, u8) = (0, 129);

/// A peer that sends anything renews its handshake each two minutes; after three its keys are good no more (REJECT_AFTER_TIME of
/// the WireGuard paper, section 6.1).
const HANDSHAKE: Duration = Duration::from_secs(180);
/// What `wg` prints of one interface: a line of some 60 bytes for each peer.
const PEERS: u64 = 256 * 1024;

/// Whether anybody answers; `None` when this machine could not ask.
pub async fn answers(beacon: &Beacon, now: Timestamp) -> Option<bool> {
    let answer = async {
        match beacon {
            Beacon::WireGuard { interface, peer } => {
                let then = handshake(&latest(interface).await?, peer)?;
                Some(elapsed(now, then) <= HANDSHAKE)
            }
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

/// What the kernel, or a WireGuard of user space, says of an interface: asked by the tool that is made for it, which knows both.
async fn latest(interface: &str) -> Option<String> {
    let mut command = Command::new("wg");
    command.args(["show", interface, "latest-handshakes"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).kill_on_drop(true).spawn().ok()?;
    let mut text = String::new();
    child.stdout.take()?.take(PEERS).read_to_string(&mut text).await.ok()?;
    child.wait().await.ok()?.success().then_some(text)
}

/// When a peer last shook hands; long ago where it never did, nothing where the interface does not know it.
fn handshake(text: &str, peer: &str) -> Option<Timestamp> {
    let second = text.lines().find_map(|line| line.strip_prefix(peer)?.strip_prefix('\t')?.trim().parse().ok())?;
    Timestamp::from_second(second).ok()
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
        assert_eq!(answers(&Beacon::Tcp(open), Timestamp::UNIX_EPOCH).await, Some(true));
        drop(listener);
        assert_eq!(answers(&Beacon::Tcp(open), Timestamp::UNIX_EPOCH).await, Some(true), "refused, and so there");
        if icmp_refusal().is_none() {
            let loopback = Beacon::Icmp("127.0.0.1".parse().expect("an address"));
            assert_eq!(answers(&loopback, Timestamp::UNIX_EPOCH).await, Some(true));
        }
        // Nobody can be asked at the address of everybody.
        let everybody = Beacon::Tcp("255.255.255.255:9".parse().expect("an address"));
        assert_eq!(answers(&everybody, Timestamp::UNIX_EPOCH).await, Some(false));
    }

    #[test]
    fn a_peer_is_as_old_as_its_last_handshake() {
        let (here, never) =
            ("8rBhQgXDcgrpoSc/WUvmeK8NaoAMZJfhrOzKdr4gnS0=", "OM+7JPZ8LmGKaS4T1sBGIekz2JxYj0CiK7DvMnbgl1Y=");
        let text = format!("{here}\t1790000000\n{never}\t0\n");
        assert_eq!(handshake(&text, here).map(Timestamp::as_second), Some(1_790_000_000));
        assert_eq!(handshake(&text, never), Some(Timestamp::UNIX_EPOCH));
        for other in [&here[1..], &here[..43], "", "x"] {
            assert_eq!(handshake(&text, other), None, "{other}");
        }
        assert_eq!(handshake(&format!("{here}\t99999999999999999\n"), here), None);
        let read = |text: &str| text.parse::<Beacon>().map(|beacon| beacon.to_string());
        let whole = format!("wireguard://wg0/{here}");
        assert_eq!(read(&whole), Ok(whole.clone()));
        let wrong = ["wireguard://wg0", "wireguard:///x", "wireguard://wg0/x", "wireguard://wg0/"].map(str::to_owned);
        let of = |interface: &str| format!("wireguard://{interface}/{here}");
        for wrong in wrong.into_iter().chain([of(""), of("-h"), of("sixteen-letters-"), of("a b"), format!("{whole}=")])
        {
            assert_eq!(read(&wrong), Err(()), "{wrong}");
        }
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
