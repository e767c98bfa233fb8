//! One look by our own client: `DESCRIBE`, `SETUP`, `PLAY`, media, and `TEARDOWN`, all on one connection.

use super::{
    connection::{Connection, Lost},
    rtp::{self, Track},
    sdp::{self, Media},
};
use crate::{
    model::{Client, Detail, Failure, FailureKind, RungName, StreamFacts, Transport, rtsp_port, stream_address, told},
    probe::{
        evidence::{End, Evidence, Packet},
        reach,
        text::clean,
        transcript::Transcript,
        watch::{Watch, refusal},
        wire::{Report, StreamJob},
    },
};
use std::net::SocketAddr;
use tokio::{
    net::UdpSocket,
    time::{Duration, Instant, MissedTickBehavior, timeout},
};
use tokio_util::sync::CancellationToken;

/// Redirects that are followed in one look.
const REDIRECTS: u32 = 2;
/// How often the time is looked at while nothing comes.
const TICK: Duration = Duration::from_millis(100);
/// How long a camera may take to confirm `TEARDOWN`.
const TEARDOWN: Duration = Duration::from_secs(3);
/// Larger than any packet on an Ethernet.
const DATAGRAM: usize = 2048;
/// Longer session names are no names.
const MAX_SESSION: usize = 128;

/// Climbs until the evidence suffices; `stop` cuts the look short and still tears down.
pub(in crate::probe) async fn look(job: &StreamJob, stop: &CancellationToken) -> Report {
    let mut transcript = Transcript::default();
    let began = Instant::now();
    let opened = tokio::select! {
        opened = Connection::open(job) => opened,
        () = stop.cancelled() => return transcript.report(),
    };
    let mut connection = match opened {
        Ok(connection) => connection,
        Err(failure) => {
            transcript.step::<()>(RungName::Describe, began, Err(failure));
            return transcript.report();
        }
    };
    let mut session = None;
    let facts = tokio::select! {
        facts = climb(job, &mut connection, &mut session, &mut transcript, stop) => facts,
        // Media is stopped inside; this is for the requests before it.
        () = stop.cancelled() => None,
    };
    let login_scheme = connection.auth.scheme();
    tear_down(job, &mut connection, session, &mut transcript).await;
    transcript.received(connection.received);
    Report { stream: facts, login_scheme, ..transcript.report() }
}

/// A session that is to be torn down.
struct Session {
    id: Option<String>,
    uri: String,
    udp: Option<Udp>,
    /// The channels of media and of reports about it.
    channels: (u8, u8),
}

struct Udp {
    media: UdpSocket,
    reports: UdpSocket,
}

/// What the description says about what to ask for.
struct Described {
    video: Media,
    /// How the session is addressed.
    uri: String,
    /// How its video is.
    video_uri: String,
}

async fn climb(
    job: &StreamJob,
    connection: &mut Connection,
    session: &mut Option<Session>,
    transcript: &mut Transcript,
    stop: &CancellationToken,
) -> Option<StreamFacts> {
    let arrived = Instant::now();
    let described = describe(job, connection, transcript).await?;
    let began = Instant::now();
    let outcome = set_up(job, connection, &described).await;
    let set_up = session.insert(transcript.step(RungName::Setup, began, outcome)?);
    let began = Instant::now();
    let outcome = play(job, connection, set_up, &described).await;
    transcript.step(RungName::Play, began, outcome)?;
    Some(watch(job, connection, set_up, &described.video, transcript, arrived, stop).await)
}

async fn describe(job: &StreamJob, connection: &mut Connection, transcript: &mut Transcript) -> Option<Described> {
    let began = Instant::now();
    let mut uri = job.url.to_string();
    let mut redirects = 0;
    let response = loop {
        let outcome = connection.request(job, "DESCRIBE", &uri, "Accept: application/sdp\r\n").await;
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => {
                let of_login = failure.kind.refuses_login() || failure.kind == FailureKind::InsecureLogin;
                let rung = if of_login && job.login.is_some() { RungName::Login } else { RungName::Describe };
                transcript.step::<()>(rung, began, Err(failure));
                return None;
            }
        };
        if !matches!(response.status, 301..=303 | 305 | 307 | 308) {
            break response;
        }
        redirects += 1;
        let location = response.header("location").and_then(fit);
        let itself = location.and_then(|location| redirect(&job.url, &location));
        match itself.filter(|_| redirects <= REDIRECTS) {
            Some(to) => uri = to,
            None => {
                let to = response.header("location").and_then(|location| job.url.join(location).ok());
                // It may hold our own path, and some makes want the password in that.
                let to = to.map_or_else(String::new, |to| {
                    let host = to.host_str().unwrap_or_default();
                    clean(&format!("({}://{host}{})", to.scheme(), stream_address(&to)))
                });
                let failure = Failure::new(FailureKind::Nonconforming, told!(Redirected, to));
                transcript.step::<()>(RungName::Describe, began, Err(failure));
                return None;
            }
        }
    };
    if connection.auth.has_login() && response.status != 403 {
        let detail = match connection.auth.scheme() {
            Some(scheme) => told!(LoginGood, scheme.as_str()),
            None => told!(LoginUnasked),
        };
        transcript.step(RungName::Login, began, Ok(((), detail)));
    }
    if response.status != 200 {
        let failure = refusal("DESCRIBE", response.status);
        return transcript.step(RungName::Describe, began, Err(failure));
    }
    let description = sdp::parse(&response.body);
    let Some(video) = description.video().cloned() else {
        let kinds: Vec<String> = description.media.iter().map(|media| clean(&media.kind)).collect();
        let detail = if kinds.is_empty() { told!(OffersNothing) } else { told!(OffersOnly, kinds.join(", ")) };
        let failure = Failure::new(FailureKind::NoVideo, detail);
        return transcript.step(RungName::Describe, began, Err(failure));
    };
    let base = ["content-base", "content-location"].into_iter().find_map(|name| response.header(name));
    let base = base.and_then(fit).filter(|base| base.contains("://")).unwrap_or(uri);
    let count = description.media.len();
    let codec = if video.encoding.is_empty() { video.codec.as_str() } else { &video.encoding };
    let detail = if count == 1 { told!(OneStreamIn, codec) } else { told!(StreamsIn, count, codec) };
    let described = Described {
        uri: sdp::address(&base, description.control.as_deref()),
        video_uri: sdp::address(&base, video.control.as_deref()),
        video,
    };
    transcript.step(RungName::Describe, began, Ok((described, detail)))
}

/// Where the camera sends us, if that is to itself.
fn redirect(from: &url::Url, location: &str) -> Option<String> {
    let to = from.join(location).ok()?;
    let end = |url: &url::Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), rtsp_port(url));
    let itself = end(&to) == end(from) && to.username().is_empty() && to.password().is_none();
    itself.then(|| to.to_string())
}

/// Text of the camera's that is sent back to it, without what would end a header.
fn fit(value: &str) -> Option<String> {
    let fit: String = value.chars().filter(char::is_ascii_graphic).take(1024).collect();
    (!fit.is_empty()).then_some(fit)
}

async fn set_up(
    job: &StreamJob,
    connection: &mut Connection,
    described: &Described,
) -> Result<(Session, Detail), Failure> {
    let udp = match job.transport {
        Transport::Tcp => None,
        Transport::Udp => Some(Udp::bind(connection).await?),
    };
    let header = match &udp {
        None => "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n".to_owned(),
        Some(udp) => {
            let port = udp.media.local_addr().map_or(0, |address| address.port());
            format!("Transport: RTP/AVP;unicast;client_port={port}-{}\r\n", port.saturating_add(1))
        }
    };
    let response = connection.request(job, "SETUP", &described.video_uri, &header).await.map_err(at_setup)?;
    if response.status == 461 {
        let other = if job.transport == Transport::Tcp { "udp" } else { "tcp" };
        return Err(Failure::new(FailureKind::RtspError, told!(TransportRefused, other)));
    }
    if response.status != 200 {
        return Err(refusal("SETUP", response.status));
    }
    let id = response.header("session").map(session_id).filter(|id| !id.is_empty());
    let channels = response.header("transport").and_then(channels).unwrap_or((0, 1));
    connection.expect_channels(channels.0.max(channels.1));
    let over = if udp.is_some() { "UDP" } else { "TCP" };
    Ok((Session { id, uri: described.uri.clone(), udp, channels }, told!(VideoOver, over)))
}

/// The same login was good for `DESCRIBE` a moment ago.
fn at_setup(failure: Failure) -> Failure {
    if !failure.kind.refuses_login() {
        return failure;
    }
    Failure::new(FailureKind::SessionLimit, told!(LoginLimited))
}

/// The name in `Session: 1;timeout=60`. Looks are shorter than any timeout: none is heeded.
fn session_id(value: &str) -> String {
    let name = value.split(';').next().unwrap_or_default().trim();
    name.chars().filter(char::is_ascii_graphic).take(MAX_SESSION).collect()
}

/// The channels of `RTP/AVP/TCP;unicast;interleaved=2-3`.
fn channels(transport: &str) -> Option<(u8, u8)> {
    let parts = transport.split(';').filter_map(|part| part.trim().split_once('='));
    let (_, value) = parts.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("interleaved"))?;
    let (media, reports) = value.split_once('-').unwrap_or((value, ""));
    let media: u8 = media.trim().parse().ok()?;
    Some((media, reports.trim().parse().unwrap_or(media.saturating_add(1))))
}

async fn play(
    job: &StreamJob,
    connection: &mut Connection,
    session: &Session,
    described: &Described,
) -> Result<((), Detail), Failure> {
    let headers = format!("{}Range: npt=0.000-\r\n", session.header());
    let response = connection.request(job, "PLAY", &described.uri, &headers).await.map_err(at_setup)?;
    match response.status {
        200 => Ok(((), told!(Granted))),
        status => Err(refusal("PLAY", status)),
    }
}

impl Session {
    fn header(&self) -> String {
        self.id.as_ref().map_or_else(String::new, |id| format!("Session: {id}\r\n"))
    }
}

impl Udp {
    /// Two ports next to each other, the lower one even (RFC 3550, section 11).
    async fn bind(connection: &Connection) -> Result<Self, Failure> {
        let (_, ours) = connection.ends();
        for _ in 0..32 {
            let any = UdpSocket::bind(SocketAddr::new(ours, 0)).await.map_err(no_port)?;
            let port = any.local_addr().map_err(no_port)?.port() & !1;
            drop(any);
            let media = UdpSocket::bind(SocketAddr::new(ours, port)).await;
            let reports = UdpSocket::bind(SocketAddr::new(ours, port.saturating_add(1))).await;
            if let (Ok(media), Ok(reports)) = (media, reports) {
                return Ok(Self { media, reports });
            }
        }
        Err(Failure::new(FailureKind::ProbeFailed, told!(NoUdpPair)))
    }
}

fn no_port(error: std::io::Error) -> Failure {
    Failure::new(FailureKind::ProbeFailed, told!(NoUdpPort, reach::words(error.kind())))
}

/// What comes next while a stream plays.
enum Next {
    Media(tokio_util::bytes::Bytes),
    Report(tokio_util::bytes::Bytes),
    Nothing,
    Closed,
}

async fn watch(
    job: &StreamJob,
    connection: &mut Connection,
    session: &mut Session,
    video: &Media,
    transcript: &mut Transcript,
    arrived: Instant,
    stop: &CancellationToken,
) -> StreamFacts {
    let mut watch = Watch::new(job, Evidence::new(video.codec));
    let mut track = Track::new(video.payload_types.clone(), video.clock_rate);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffers = (vec![0; DATAGRAM], vec![0; DATAGRAM]);
    let mut other = 0u32;
    let (before, over_udp, mut datagrams) = (connection.received, session.udp.is_some(), 0);
    while !watch.is_over() {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            next = next(connection, session, &mut buffers) => next,
            _ = tick.tick() => continue,
        };
        // All that comes counts for the budget, on whatever channel.
        watch.bytes = connection.received - before + if over_udp { datagrams } else { 0 };
        match next {
            Next::Media(packet) => {
                datagrams += packet.len() as u64 + 4;
                let Some(tracked) = track.packet(&packet) else {
                    other = other.saturating_add(1);
                    continue;
                };
                let rtp::Tracked { media, lost, anew, payload } = tracked;
                watch.evidence.packet(Packet { media, payload, lost, anew, arrived: watch.began.elapsed() });
            }
            // Sender reports go on after video has stopped: they prove nothing but the camera's time.
            Next::Report(packet) => {
                datagrams += packet.len() as u64 + 4;
                let ours = job.now.as_millisecond() as f64 / 1000.0 + arrived.elapsed().as_secs_f64();
                if let Some(theirs) = rtp::sender_report(&packet) {
                    watch.evidence.sender_report(theirs - ours);
                }
            }
            Next::Nothing => {}
            Next::Closed => {
                watch.end = End::Closed;
                break;
            }
        }
    }
    if session.udp.is_some() {
        transcript.received(datagrams);
    }
    let mut outcome = watch.verdict();
    if let Err(failure) = &mut outcome
        && failure.kind == FailureKind::NoMedia
        && other > 0
    {
        failure.detail = told!(OtherPackets, failure.detail, other);
    }
    // A look that we cut short ourselves says nothing about the camera.
    if !stop.is_cancelled() || outcome.is_ok() {
        transcript.step(RungName::Media, watch.began, outcome.map(|summary| ((), summary)));
    }
    watch.facts(video.size, Client::Own)
}

async fn next(connection: &mut Connection, session: &Session, buffers: &mut (Vec<u8>, Vec<u8>)) -> Next {
    let (camera, _) = connection.ends();
    let of_camera = |(length, from): (usize, SocketAddr), buffer: &[u8]| match from.ip() == camera {
        true => Some(tokio_util::bytes::Bytes::copy_from_slice(&buffer[..length])),
        false => None,
    };
    let interleaved = |item: Result<Option<(u8, _)>, Lost>| match item {
        Ok(Some((channel, packet))) if channel == session.channels.0 => Next::Media(packet),
        Ok(Some((channel, packet))) if channel == session.channels.1 => Next::Report(packet),
        Ok(_) => Next::Nothing,
        Err(_) => Next::Closed,
    };
    let Some(udp) = &session.udp else { return interleaved(connection.packet().await) };
    tokio::select! {
        received = udp.media.recv_from(&mut buffers.0) => {
            received.ok().and_then(|received| of_camera(received, &buffers.0)).map_or(Next::Nothing, Next::Media)
        }
        received = udp.reports.recv_from(&mut buffers.1) => {
            received.ok().and_then(|received| of_camera(received, &buffers.1)).map_or(Next::Nothing, Next::Report)
        }
        lost = connection.packet() => if lost.is_err() { Next::Closed } else { Next::Nothing },
    }
}

/// Ends the session on the connection that is open, and nowhere else; packets that are still on their way are dropped.
async fn tear_down(
    job: &StreamJob,
    connection: &mut Connection,
    session: Option<Session>,
    transcript: &mut Transcript,
) {
    let Some(session) = session else { return };
    let began = Instant::now();
    let limit = job.answer_timeout.min(TEARDOWN);
    let header = session.header();
    let request = connection.request(job, "TEARDOWN", &session.uri, &header);
    let ok = timeout(limit, request).await.is_ok_and(|outcome| outcome.is_ok_and(|response| response.status == 200));
    let detail = if ok { told!(TornDown) } else { told!(TornDownUnheard) };
    transcript.aside(RungName::Teardown, began, ok, detail);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_to_the_same_end_whether_its_port_is_named_or_not() {
        let follows = |from: &str, to: &str| redirect(&from.parse().expect("a URL"), to).is_some();
        assert!(follows("rtsp://10.0.0.1/a", "rtsp://10.0.0.1:554/b") && follows("rtsp://10.0.0.1/a", "/b"));
        assert!(follows("rtsps://10.0.0.1/a", "rtsps://10.0.0.1:322/b"));
        for to in ["rtsps://10.0.0.1:554/b", "rtsp://10.0.0.1:322/b", "rtsps://10.0.0.2/b", "rtsps://u:p@10.0.0.1/b"] {
            assert!(!follows("rtsps://10.0.0.1/a", to), "{to}");
        }
    }

    #[test]
    fn sessions_and_channels_as_cameras_write_them() {
        for value in ["1;timeout=60;foo=bar", "1; Timeout=60", " 1 ", "1;timeout=4294967295"] {
            assert_eq!(session_id(value), "1");
        }
        assert_eq!(session_id("a\u{1b}b\r\n"), "ab");
        assert_eq!(channels("RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=1"), Some((2, 3)));
        assert_eq!(channels("RTP/AVP/TCP;unicast; Interleaved=4"), Some((4, 5)));
        assert_eq!(channels("RTP/AVP/TCP;unicast"), None);
        assert_eq!(channels("interleaved=256-257"), None);
    }
}
