//! What the daemon and its workers say to each other: JSON in length-delimited frames over a socket pair.

use super::{
    Look, Settings,
    sandbox::Layer,
    text::{clean, clean_to},
};
use crate::model::{
    Camera, Certificate, Check, Client, Detail, DeviceFacts, Failure, Login, LoginScheme, Rung, StreamFacts, Transport,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, net::SocketAddr, time::Duration};
use tokio::net::UnixStream;
use tokio_util::codec::{Framed, LengthDelimitedCodec};
use url::Url;

/// Larger than any honest report, so that a worker that was taken over cannot fill the daemon's memory.
const MAX_FRAME: usize = 64 * 1024;
/// How much longer a look may take when its time is over in the middle of a burst, or of a silence.
pub(super) const LONGER: Duration = Duration::from_millis(2500);

pub(super) fn framed(stream: UnixStream) -> Framed<UnixStream, LengthDelimitedCodec> {
    Framed::new(stream, LengthDelimitedCodec::builder().max_frame_length(MAX_FRAME).new_codec())
}

/// A job with the number by which its report is told apart.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) job: Job,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// First of all: the layers that confine it.
    Confined(BTreeSet<Layer>),
    /// A job is done.
    Done(Box<Reply>),
}

/// A report on the job of the same number.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) id: u64,
    pub(super) report: Report,
}

/// What a worker is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Job {
    Stream(StreamJob),
    Onvif(OnvifJob),
}

/// The upper rungs of the RTSP ladder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StreamJob {
    /// With an address for a host.
    pub(super) url: Url,
    pub(super) login: Option<Key>,
    /// Which certificate it must have over TLS.
    pub(super) certificate: Option<Certificate>,
    pub(super) transport: Transport,
    /// Which client begins.
    pub(super) client: Client,
    pub(super) answer_timeout: Duration,
    pub(super) media_timeout: Duration,
    pub(super) frames: u32,
    pub(super) keyframes: u32,
    /// Watch for the whole of `media_timeout`.
    pub(super) survey: bool,
    /// Bytes of media after which the look ends, whatever it has seen.
    pub(super) byte_limit: u64,
    /// The wall-clock time at which the job was handed out.
    pub(super) now: Timestamp,
}

/// ONVIF clock and device information.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OnvifJob {
    /// With an address for a host.
    pub(super) url: Url,
    pub(super) login: Option<Key>,
    /// The wall-clock time at which the job was handed out.
    pub(super) now: Timestamp,
    pub(super) answer_timeout: Duration,
}

/// A login on its way to a worker.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) username: String,
    #[serde(serialize_with = "expose")]
    pub(super) password: SecretString,
    /// Whether it may be sent in clear.
    pub(super) allow_basic: bool,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl From<&Login> for Key {
    fn from(login: &Login) -> Self {
        let Login { username, password, allow_basic } = login;
        Self { username: username.clone(), password: password.clone(), allow_basic: *allow_basic }
    }
}

/// The one place where a password is written out: to our own child process.
fn expose<S: serde::Serializer>(password: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(password.expose_secret())
}

/// What a worker saw.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) rungs: Vec<Rung>,
    pub(super) failure: Option<Failure>,
    pub(super) stream: Option<StreamFacts>,
    pub(super) device: Option<DeviceFacts>,
    pub(super) login_scheme: Option<LoginScheme>,
    pub(super) clock_offset_seconds: Option<f64>,
    pub(super) bytes: u64,
}

/// Characters of all that a sentence for people speaks of; its words are ours.
const MOST_DETAIL: usize = 512;
/// Steps of a report.
const MOST_RUNGS: usize = 32;
/// Addresses of streams and topics of alarms, and the characters of each.
const MOST_NAMED: usize = 32;
const MOST_ADDRESS: usize = 256;

/// What a frame says; nothing where no worker of ours can have said it. Details are phrases that we know, each with as
/// much as it speaks of: text of its own a worker has none.
pub(super) fn said(frame: &[u8]) -> Option<Said> {
    let said = serde_json::from_slice(frame).ok()?;
    match &said {
        Said::Done(reply) if reply.report.details().any(Detail::is_plain) => None,
        _ => Some(said),
    }
}

impl Report {
    fn details(&self) -> impl Iterator<Item = &Detail> {
        let of_rungs = self.rungs.iter().map(|rung| &rung.detail);
        of_rungs.chain(self.failure.as_ref().map(|failure| &failure.detail))
    }

    /// The same without what cannot be seen and what is longer than honest reports are: a worker may have been taken
    /// over, and what it says is kept and shown.
    pub(super) fn cleaned(mut self) -> Self {
        self.rungs.truncate(MOST_RUNGS);
        let details = self.rungs.iter_mut().map(|rung| &mut rung.detail);
        for detail in details.chain(self.failure.as_mut().map(|failure| &mut failure.detail)) {
            let mut left = MOST_DETAIL;
            *detail = detail.changed(&mut |text| {
                let text = clean_to(text, left);
                left -= text.chars().count();
                text
            });
        }
        if let Some(device) = &mut self.device {
            let DeviceFacts { manufacturer, model, firmware, serial, streams, alarms, .. } = device;
            for name in [manufacturer, model, firmware, serial] {
                *name = clean(name);
            }
            for list in [streams, alarms] {
                list.truncate(MOST_NAMED);
                list.iter_mut().for_each(|named| *named = clean_to(named, MOST_ADDRESS));
            }
        }
        self
    }
}

impl Job {
    pub(super) fn stream(
        camera: &Camera,
        address: SocketAddr,
        look: &Look,
        client: Client,
        settings: &Settings,
    ) -> Self {
        Self::Stream(StreamJob {
            url: at_address(&camera.rtsp, address),
            login: camera.login.as_deref().map(Key::from),
            certificate: camera.certificate,
            transport: camera.transport,
            client,
            answer_timeout: settings.answer_timeout,
            media_timeout: settings.media_timeout,
            frames: settings.frames,
            keyframes: settings.keyframes,
            survey: look.check == Check::Survey,
            byte_limit: look.byte_limit,
            now: look.started,
        })
    }

    pub(super) fn onvif(
        url: &Url,
        address: SocketAddr,
        login: Option<&Login>,
        now: Timestamp,
        settings: &Settings,
    ) -> Self {
        let url = at_address(url, address);
        Self::Onvif(OnvifJob { url, login: login.map(Key::from), now, answer_timeout: settings.answer_timeout })
    }

    /// The wall-clock time at which it was handed out.
    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Stream(job) => job.now,
            Self::Onvif(job) => job.now,
        }
    }

    /// Name of the protocol in metric labels and logs.
    pub(super) fn protocol(&self) -> &'static str {
        match self {
            Self::Stream(_) => "rtsp",
            Self::Onvif(_) => "onvif",
        }
    }

    /// The longest that an honest worker can take: each request at its limit, and some air.
    pub(super) fn deadline(&self) -> Duration {
        match self {
            // Our own client's requests, retina's where it is asked too, and the media once.
            Self::Stream(job) => job.answer_timeout * 9 + job.media_timeout + LONGER + Duration::from_secs(3),
            Self::Onvif(job) => job.answer_timeout * 12 + Duration::from_secs(5),
        }
    }
}

/// The URL with its host replaced by the address that it stands for.
pub(super) fn at_address(url: &Url, address: SocketAddr) -> Url {
    let mut url = url.clone();
    let host = match address.ip() {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    // Both can only fail for URLs that have no host, and an address was found for this one.
    let _ = url.set_host(Some(&host));
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Language, told};

    #[test]
    fn names_become_addresses_and_ports_stay() {
        let check = |url: &str, address: &str, expected: &str| {
            let url = url.parse().expect("a URL");
            assert_eq!(at_address(&url, address.parse().expect("an address")).as_str(), expected);
        };
        check("rtsp://cam-7.lan:8554/sub?x=1", "10.0.0.7:8554", "rtsp://10.0.0.7:8554/sub?x=1");
        check("rtsp://cam-7.lan/sub", "[fd00::7]:554", "rtsp://[fd00::7]/sub");
    }

    #[test]
    fn a_worker_that_was_taken_over_cannot_deface_what_is_shown() {
        let bad = "\u{202e}a\u{1b}[2J\u{200b}\n".repeat(100);
        let detail = told!(NoWay, bad, told!(OffersOnly, bad));
        let rung = Rung { name: crate::model::RungName::Media, ok: true, seconds: 0.0, detail: detail.clone() };
        let device = DeviceFacts {
            manufacturer: bad.clone(),
            model: bad.clone(),
            firmware: bad.clone(),
            serial: bad.clone(),
            streams: vec![bad.clone(); 100],
            alarms: vec![bad.clone(); 100],
            ..DeviceFacts::default()
        };
        let failure = Some(Failure::new(crate::model::FailureKind::Loss, detail));
        let report = Report { rungs: vec![rung; 100], failure, device: Some(device), ..Report::default() }.cleaned();
        let text = serde_json::to_string(&report).expect("JSON");
        assert!(["\u{202e}", "\u{200b}", "\\n", "\\u001b"].iter().all(|hidden| !text.contains(hidden)), "{text}");
        assert!(text.len() < 64 * 1024, "{}", text.len());
        let told = report.details().map(|detail| detail.text(Language::Vi).chars().count());
        assert!(told.max().is_some_and(|longest| longest < MOST_DETAIL + 100));
        assert_eq!(Report::default().cleaned().rungs, []);
    }

    #[test]
    fn a_worker_tells_phrases_that_are_known_and_nothing_else() {
        let is_heard = |detail: &str| {
            let rung = format!(r#"{{"name":"media","ok":true,"seconds":0.1,"detail":{detail}}}"#);
            let failure = format!(r#"{{"kind":"no_media","detail":{detail}}}"#);
            let heard = [format!(r#""rungs":[{rung}]"#), format!(r#""rungs":[],"failure":{failure}"#)].map(|report| {
                said(format!(r#"{{"done":{{"id":1,"report":{{{report},"bytes":0}}}}}}"#).as_bytes()).is_some()
            });
            assert_eq!(heard[0], heard[1], "{detail}");
            heard[0]
        };
        for known in [r#"["granted"]"#, r#"["nameless","text"]"#, r#"["frames","1",["and_keyframes","2"],""]"#] {
            assert!(is_heard(known), "{known}");
        }
        let deep = format!("{}[\"granted\"]{}", "[\"well_but\",".repeat(20), "]".repeat(20));
        let wide = format!("[\"frames\",{0},{0},{0}]", format!("[\"frames\",{0},{0},{0}]", r#"["frames","","",""]"#));
        for strange in [
            "\"text\"",
            r#"["plain","text"]"#,
            r#"["haunted"]"#,
            r#"["granted","more"]"#,
            r#"["nameless"]"#,
            r#"["nameless",["haunted"]]"#,
            "7",
            "null",
            &deep,
            &wide,
        ] {
            assert!(!is_heard(strange), "{strange}");
        }
    }

    #[test]
    fn a_password_crosses_the_wire_and_shows_nowhere_else() {
        let key = Key { username: "admin".into(), password: "canary".to_owned().into(), allow_basic: false };
        assert!(!format!("{key:?}").contains("canary"));
        let back: Key = serde_json::from_str(&serde_json::to_string(&key).expect("JSON")).expect("the same");
        assert_eq!(back.password.expose_secret(), "canary");
    }
}
