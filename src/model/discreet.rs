//! What of a camera is not told: a password in its address, and a household's name and address.

use super::{Camera, Kind, Observation, rtsp_port};
use std::{
    iter,
    net::{IpAddr, SocketAddr},
};
use url::Url;

/// In place of what is not told.
const HIDDEN: &str = "***";
/// Shorter names are in any text.
const SHORTEST_NAME: usize = 4;

/// Port, path and query of a stream, which stay when a device's address changes. A password that some makes carry in
/// them is masked.
pub fn stream_address(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}"));
    let path: String = iter::once(url.path().to_owned()).chain(query).collect();
    // In rtsp://user:12/3@host the password ends what reads as the port and goes on in the path.
    match path.contains('@') || url.fragment().is_some_and(|fragment| fragment.contains('@')) {
        true => format!(":{HIDDEN}"),
        false => format!(":{}{}", rtsp_port(url), masked(&path)),
    }
}

/// A password may hold whatever parts an address, so it goes on to the end, but for parameters that surely are others.
fn masked(path: &str) -> String {
    const NAMES: [&str; 9] = ["password=", "passwd=", "pass=", "pwd=", "pw=", "psw=", "secret=", "token=", "key="];
    let lower = path.to_ascii_lowercase();
    let Some(value) = NAMES.iter().filter_map(|name| Some(lower.find(name)? + name.len())).min() else {
        return path.to_owned();
    };
    let mut end = path.len();
    while let Some(length) = harmless_end(&path[value..end]) {
        end -= length;
    }
    format!("{}{HIDDEN}{}", &path[..value], &path[end..])
}

/// The length of a parameter at the end of a text that only counts something, such as `_channel=1`.
fn harmless_end(text: &str) -> Option<usize> {
    const NAMES: [&str; 5] = ["channel", "ch", "profile", "stream", "subtype"];
    let start = text.rfind(['&', '_', ';', '?'])?;
    let (name, value) = text[start + 1..].split_once('=')?;
    let number = value.strip_suffix(".sdp").unwrap_or(value);
    let counts = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (NAMES.contains(&name) && counts).then(|| text.len() - start)
}

impl Camera {
    /// Its name where others may read it: a household's stays in the configuration.
    pub fn public_name(&self) -> &str {
        match self.kind {
            Kind::Public => &self.name,
            Kind::Household => self.id.as_str(),
        }
    }

    /// Host and port of its stream where others may read them; a household's stay in the configuration.
    pub fn public_host(&self) -> Option<String> {
        let host = || format!("{}:{}", self.rtsp.host_str().unwrap_or_default(), rtsp_port(&self.rtsp));
        (self.kind == Kind::Public && self.weaker_proof().is_none()).then(host)
    }

    /// A text about it, such as what a look found, as others may read it: without a household's name and addresses.
    pub fn discreet(&self, text: &str) -> String {
        if self.kind == Kind::Public {
            return text.to_owned();
        }
        let mut text = without_addresses(text);
        let hosts = [Some(&self.rtsp), self.onvif.as_ref()].into_iter().flatten().filter_map(Url::host_str);
        let name = Some(self.name.as_str()).filter(|name| name.len() >= SHORTEST_NAME && *name != self.id.as_str());
        for known in hosts.chain(name).filter(|known| !known.is_empty()) {
            text = text.replace(known, HIDDEN);
        }
        text
    }

    /// Leaves of what a look found what may be remembered and logged: of a household no more than others may read.
    pub fn make_discreet(&self, seen: &mut Observation) {
        if self.kind == Kind::Public {
            return;
        }
        let rungs = seen.rungs.iter_mut().map(|rung| &mut rung.detail);
        for detail in rungs.chain(seen.failure.as_mut().map(|failure| &mut failure.detail)) {
            *detail = detail.changed(&mut |text| self.discreet(text));
        }
        for stream in seen.device.iter_mut().flat_map(|device| &mut device.streams) {
            *stream = self.discreet(stream);
        }
    }
}

/// A look tells the IP address that it went to, which is another text than the host that the configuration names.
fn without_addresses(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '[' | ']');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(belongs) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|c| !belongs(c)).unwrap_or(from.len()));
        shown.push_str(before);
        let bare = run.trim_end_matches(['.', ':']);
        let ip = bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')).unwrap_or(bare);
        match ip.parse::<IpAddr>().is_ok() || bare.parse::<SocketAddr>().is_ok() {
            true => {
                shown.push_str(HIDDEN);
                shown.push_str(&run[bare.len()..]);
            }
            false => shown.push_str(run),
        }
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_password_in_a_path_is_masked() {
        let check = |url: &str, expected: &str| assert_eq!(stream_address(&url.parse().expect("a URL")), expected);
        check("rtsp://h/sub", ":554/sub");
        check("rtsps://h/sub", ":322/sub");
        check("rtsp://h:8554/cam?channel=1&subtype=1", ":8554/cam?channel=1&subtype=1");
        check(
            "rtsp://h/user=admin_password=canary_channel=1_stream=1.sdp",
            ":554/user=admin_password=***_channel=1_stream=1.sdp",
        );
        check("rtsp://h/user=admin_password=can_ary/x_channel=1", ":554/user=admin_password=***_channel=1");
        check("rtsp://h/live?user=a&PWD=canary&passwd=canary", ":554/live?user=a&PWD=***");
        check("rtsp://h/live?token=canary&channel=1&x=canary", ":554/live?token=***");
        check("rtsp://admin:12/canary@h/sub", ":***");
        check("rtsp://admin:12#canary@h/sub", ":***");
    }

    fn household() -> Camera {
        let rtsp = "rtsp://ho-an.lan:8554/sub".parse().expect("a URL");
        let onvif = "http://10.20.9.7/onvif".parse().ok();
        Camera { name: "Nhà ông Bình".into(), kind: Kind::Household, onvif, ..Camera::new("ho-001", rtsp) }
    }

    #[test]
    fn of_a_household_neither_name_nor_address_is_told() {
        let camera = household();
        assert_eq!((camera.public_name(), camera.public_host()), ("ho-001", None));
        for (text, expected) in [
            ("10.20.9.1:8554 accepts connections", "*** accepts connections"),
            ("no way to [fd00::1]:554: host unreachable", "no way to ***: host unreachable"),
            ("no way to fd00::1: x", "no way to ***: x"),
            ("(rtsp://10.20.9.1:554/sub), 10.20.9.1.", "(rtsp://***/sub), ***."),
            ("ho-an.lan has no address", "*** has no address"),
            ("Nhà ông Bình; 3 of 12 frames at 22:30:15, 1.5 s", "***; 3 of 12 frames at 22:30:15, 1.5 s"),
        ] {
            assert_eq!(camera.discreet(text), expected);
        }
        let public = Camera { kind: Kind::Public, ..camera };
        assert_eq!(public.discreet("10.20.9.1:8554 accepts"), "10.20.9.1:8554 accepts");
        assert_eq!(public.public_host().as_deref(), Some("ho-an.lan:8554"));
    }

    proptest! {
        /// Whatever characters a password has, and wherever makes and people put it: no three letters of it are shown.
        #[test]
        fn no_part_of_a_password_is_shown(password in "[QXZJKVW12_/@#?&;=%.:+-]{4,16}", place in 0..6usize) {
            let url = match place {
                0 => format!("rtsp://10.0.0.1/user=admin_password={password}_channel=1_stream=1.sdp"),
                1 => format!("rtsp://10.0.0.1/live?user=admin&pwd={password}&channel=1"),
                2 => format!("rtsp://admin:{password}@10.0.0.1/sub"),
                3 => format!("rtsp://10.0.0.1/live?passwd={password}"),
                4 => format!("rtsp://10.0.0.1/PASS={password}/ch1"),
                _ => format!("rtsp://10.0.0.1/a#token={password}"),
            };
            if let Ok(url) = url.parse() {
                let shown = stream_address(&url);
                let letters: Vec<char> = password.chars().collect();
                for part in letters.windows(3).filter(|part| part.iter().all(|c| c.is_ascii_uppercase())) {
                    let part: String = part.iter().collect();
                    prop_assert!(!shown.contains(&part), "{shown} shows {part} of {password}");
                }
            }
        }
    }
}
