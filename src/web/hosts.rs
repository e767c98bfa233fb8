//! The names by which the daemon may be asked.
//!
//! A page of somebody else's can make its own name lead to our address (DNS rebinding), and a browser then takes our
//! pages for that page's own: it may read and change all. Such an attack needs a name, and tells it in each request. So
//! an address in figures is always taken, and a name only where it is known.

use axum::http::{HeaderMap, Uri, header};
use std::{net::IpAddr, sync::Arc};

/// The known names.
#[derive(Clone)]
pub struct Hosts {
    configured: Arc<[String]>,
    page: Arc<dyn Fn() -> Option<String> + Send + Sync>,
}

impl Hosts {
    /// Those of `[web] hosts`, and the one that links in messages lead to, which a reload may change.
    pub fn new(configured: &[String], page: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self { configured: configured.into(), page: Arc::new(page) }
    }

    /// The name that is not known, where the request has one.
    pub(super) fn unknown(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let in_line = uri.authority().map(|authority| authority.as_str().as_bytes());
        let in_headers = headers.get_all(header::HOST).iter().map(|value| value.as_bytes());
        // Old programs that speak HTTP/1.0 name nothing, which no browser does.
        let mut all = in_line.into_iter().chain(in_headers);
        all.find(|name| !std::str::from_utf8(name).is_ok_and(|name| self.is_known(name)))
            .map(|name| String::from_utf8_lossy(name).chars().take(80).collect())
    }

    fn is_known(&self, authority: &str) -> bool {
        let Some(host) = without_port(authority) else { return false };
        let figures = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if figures.parse::<IpAddr>().is_ok() {
            return true;
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || self.configured.contains(&name)
            || (self.page)().is_some_and(|page| page.eq_ignore_ascii_case(&name))
    }
}

/// The host of `host:port` or `[address]:port`.
fn without_port(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let plain = !host.is_empty() && !host.contains('@') && (host.starts_with('[') || !host.contains(':'));
    (plain && port.bytes().all(|digit| digit.is_ascii_digit())).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(line: &str, hosts: &[&str]) -> Option<String> {
        let known = Hosts::new(&["giamsat.xa".to_owned()], || Some("may-chu.lan".to_owned()));
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().expect("a value"));
        }
        known.unknown(&line.parse().expect("a URI"), &headers)
    }

    #[test]
    fn addresses_and_known_names_are_taken_with_any_port() {
        for host in [
            "127.0.0.1:9740",
            "10.20.0.2",
            "[::1]:9740",
            "[2001:db8::1]",
            "localhost:9740",
            "LOCALHOST",
            "wall.localhost:1",
            "giamsat.xa",
            "Giamsat.Xa.:80",
            "may-chu.lan:9740",
        ] {
            assert_eq!(unknown("/", &[host]), None, "{host}");
        }
        assert_eq!(unknown("/", &[]), None, "HTTP/1.0 names none");
    }

    #[test]
    fn other_names_are_not_however_they_are_told() {
        for host in [
            "evil.example:9740",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "localhost.evil.example",
            "giamsat.xa.evil.example",
            "127.0.0.1@evil.example",
            "evil.example:9740:1",
            "[::1].evil.example",
            "127.0.0.1:9740x",
            "",
        ] {
            assert_eq!(unknown("/", &[host]).as_deref(), Some(host));
        }
        assert_eq!(unknown("http://evil.example/", &["127.0.0.1"]).as_deref(), Some("evil.example"));
        assert_eq!(unknown("/", &["127.0.0.1", "evil.example"]).as_deref(), Some("evil.example"));
    }
}
