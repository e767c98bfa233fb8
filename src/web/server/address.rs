//! Where a request comes from: the peer, or whom a proxy of ours names.

use axum::http::HeaderMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Written by proxies: where a request comes from, and how.
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// By whom limits go: an IPv4 address, also where it is written as IPv6, or the 64 bits that one household is given.
pub(in crate::web) fn address(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// The address that a request comes from, by which limits go: the visitor's, or what a proxy of ours says of them. A
/// proxy appends whom it heard to what it was sent, so the last that is no proxy itself is the one that can be believed.
pub(super) fn asks(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    if !is_proxy(peer, proxies) {
        return address(peer);
    }
    for told in told(headers, FORWARDED_FOR).into_iter().rev() {
        let ip = told.parse().or_else(|_| told.parse::<SocketAddr>().map(|socket| socket.ip()));
        match ip.map(|ip: IpAddr| ip.to_canonical()) {
            Ok(ip) if is_proxy(ip, proxies) => {}
            Ok(ip) => return address(ip),
            // What it was sent is not what proxies write: there is nobody beyond.
            Err(_) => break,
        }
    }
    address(peer)
}

/// Whether the visitor's browser speaks TLS to a proxy of ours.
pub(super) fn is_encrypted_before(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> bool {
    is_proxy(peer, proxies)
        && told(headers, FORWARDED_PROTO).last().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// Whether an address is a proxy's, which stands for many visitors.
pub(super) fn is_proxy(ip: IpAddr, proxies: &[IpAddr]) -> bool {
    proxies.contains(&ip.to_canonical())
}

/// The values of a header, which may stand in several lines.
fn told<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const PROXIES: [IpAddr; 2] =
        [IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9))];

    fn asked(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a header"));
        }
        asks(peer.parse().expect("an address"), &headers, &PROXIES).to_string()
    }

    #[test]
    fn only_proxies_are_believed_and_only_what_they_wrote() {
        assert_eq!(asked("10.0.0.1", &["192.0.2.7"]), "10.0.0.1", "anybody can write a header");
        assert_eq!(asked("127.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(asked("::ffff:127.0.0.1", &["192.0.2.7:4711"]), "192.0.2.7");
        // What the visitor sent stands before what the proxy appended.
        assert_eq!(asked("127.0.0.1", &["203.0.113.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(asked("127.0.0.1", &["203.0.113.1", "192.0.2.7, 10.0.0.9"]), "192.0.2.7");
        assert_eq!(asked("127.0.0.1", &["203.0.113.1, unknown"]), "127.0.0.1");
        assert_eq!(asked("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(asked("127.0.0.1", &["2001:db8:1:2:3:4:5:6"]), "2001:db8:1:2::", "by the 64 bits of a household");
    }
}
