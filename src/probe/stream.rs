//! The upper rungs, by retina, inside a worker: `DESCRIBE`, `SETUP`, `PLAY`, media, `TEARDOWN`.
//!
//! retina's errors print whole URLs and stream bytes in hex, so only the stage and the status code are used.
//! Settings and workarounds are for retina 0.4.21: the packet path, since the frame path dies on one bad NAL; a tick
//! beside `next()`, since a request from the camera loses the stream's wakeup; and `TeardownPolicy::Auto`, since
//! `Always` opens connections to whatever host the camera's Content-Base names.

use super::{
    evidence::{Evidence, Packet},
    login,
    text::clean,
    transcript::Transcript,
    wire::{Report, StreamJob},
};
use crate::model::{Codec, Failure, FailureKind, RungName, Transport};
use futures_util::StreamExt;
use retina::{
    client::{
        Credentials, Described, InitialTimestampPolicy, PacketItem, PlayOptions, Playing, Session, SessionGroup,
        SessionOptions, SetupOptions, Stream, TcpTransportOptions, TeardownPolicy, UdpTransportOptions,
        UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
    },
    codec::ParametersRef,
};
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;

/// Heads of the answers around the media, which retina does not hand out: five or six of some 200 bytes.
const HEADS: u64 = 1200;

/// How often the session is polled even when nothing woke us.
const TICK: Duration = Duration::from_millis(200);

/// Climbs until the evidence suffices; `stop` cuts the look short and still tears down.
pub(super) async fn look(job: &StreamJob, stop: &CancellationToken) -> Report {
    let mut transcript = Transcript::default();
    let group = Arc::new(SessionGroup::default());
    let facts = tokio::select! {
        facts = climb(job, &group, &mut transcript, stop) => facts,
        // Media is stopped inside; this is for the requests before it.
        () = stop.cancelled() => None,
    };
    tear_down(job, &group, &mut transcript).await;
    Report { stream: facts, ..transcript.report() }
}

async fn climb(
    job: &StreamJob,
    group: &Arc<SessionGroup>,
    transcript: &mut Transcript,
    stop: &CancellationToken,
) -> Option<crate::model::StreamFacts> {
    let arrived = Instant::now();
    login::try_login(job, transcript).await?;
    let mut session = describe(job, group, transcript).await?;
    let video = choose_video(job, &session, transcript)?;
    set_up(job, &mut session, video.index, transcript).await?;
    let session = play(job, session, transcript).await?;
    Some(watch(job, session, &video, transcript, arrived, stop).await)
}

async fn describe(
    job: &StreamJob,
    group: &Arc<SessionGroup>,
    transcript: &mut Transcript,
) -> Option<Session<Described>> {
    let began = Instant::now();
    let credentials = job.login.as_ref().map(|login| Credentials {
        username: login.username.clone(),
        password: login.password.expose_secret().to_owned(),
    });
    let options = SessionOptions::default()
        .creds(credentials)
        .user_agent("camhealth".into())
        .session_group(group.clone())
        .teardown(TeardownPolicy::Auto)
        .unassigned_channel_data(UnassignedChannelDataPolicy::Ignore);
    let outcome = match timeout(job.answer_timeout, Session::describe(job.url.clone(), options)).await {
        Ok(Ok(session)) => {
            transcript.received(session.sdp().len() as u64 + HEADS);
            let count = session.streams().len();
            let detail = format!("{count} {}", if count == 1 { "stream" } else { "streams" });
            Ok((session, detail))
        }
        Ok(Err(error)) => Err(match error.status_code() {
            // The login was good a moment ago: some makes answer so when their connections run out.
            Some(401) if job.login.is_some() => {
                let detail = "the login that was good a moment ago is refused: no connection is left";
                Failure::new(FailureKind::SessionLimit, detail)
            }
            status => refusal("DESCRIBE", status, job.login.is_some()),
        }),
        Err(_) => Err(late("DESCRIBE", job)),
    };
    transcript.step(RungName::Describe, began, outcome)
}

/// The stream to look at.
struct Video {
    index: usize,
    codec: Codec,
    /// Width and height in pixels, where the description tells them.
    size: Option<(u32, u32)>,
}

/// The first video stream whose frames can be counted.
fn choose_video(job: &StreamJob, session: &Session<Described>, transcript: &mut Transcript) -> Option<Video> {
    let began = Instant::now();
    let streams = session.streams();
    let codec_of = |stream: &Stream| match stream.encoding_name() {
        "h264" => Some(Codec::H264),
        "h265" => Some(Codec::H265),
        "jpeg" => Some(Codec::Mjpeg),
        _ => None,
    };
    let video = || streams.iter().enumerate().filter(|(_, stream)| stream.media() == "video");
    let outcome = match video().find_map(|(index, stream)| Some((index, stream, codec_of(stream)?))) {
        Some((_, stream, _)) if foreign(job, stream) && job.transport == Transport::Udp => {
            // Over UDP, TEARDOWN would go to that other host, with the login.
            let detail = "the description names another host (Content-Base); over UDP it is not followed";
            Err(Failure::new(FailureKind::Nonconforming, detail))
        }
        Some((index, stream, codec)) => {
            let size = match stream.parameters() {
                Some(ParametersRef::Video(video)) => Some(video.pixel_dimensions()),
                _ => None,
            };
            return Some(Video { index, codec, size });
        }
        None => {
            let names: Vec<String> = video().map(|(_, stream)| clean(stream.encoding_name())).collect();
            let detail = if names.is_empty() {
                "the description offers no video".to_owned()
            } else {
                format!(
                    "the video codec {} is not supported; set the camera to H.264, H.265 or MJPEG",
                    names.join(", ")
                )
            };
            Err(Failure::new(FailureKind::CodecUnsupported, detail))
        }
    };
    transcript.step::<()>(RungName::Setup, began, outcome.map(|()| ((), String::new())));
    None
}

fn foreign(job: &StreamJob, stream: &Stream) -> bool {
    stream.control().is_some_and(|control| control.host_str() != job.url.host_str())
}

async fn set_up(
    job: &StreamJob,
    session: &mut Session<Described>,
    index: usize,
    transcript: &mut Transcript,
) -> Option<()> {
    let began = Instant::now();
    let transport = match job.transport {
        Transport::Tcp => retina::client::Transport::Tcp(TcpTransportOptions::default()),
        Transport::Udp => retina::client::Transport::Udp(UdpTransportOptions::default()),
    };
    let set_up = session.setup(index, SetupOptions::default().transport(transport));
    let outcome = match timeout(job.answer_timeout, set_up).await {
        Ok(Ok(())) => Ok(((), format!("video over {}", if job.transport == Transport::Tcp { "TCP" } else { "UDP" }))),
        Ok(Err(error)) => Err(match error.status_code() {
            // The same login was good for DESCRIBE a moment ago.
            Some(401) => stale_nonce("SETUP"),
            Some(461) => {
                let other = if job.transport == Transport::Tcp { "udp" } else { "tcp" };
                let detail = format!("the camera refuses this transport (461); try transport = \"{other}\"");
                Failure::new(FailureKind::RtspError, detail)
            }
            status => refusal("SETUP", status, true),
        }),
        Err(_) => Err(late("SETUP", job)),
    };
    transcript.step(RungName::Setup, began, outcome)
}

async fn play(job: &StreamJob, session: Session<Described>, transcript: &mut Transcript) -> Option<Session<Playing>> {
    let began = Instant::now();
    let options = PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Ignore)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::ProcessPackets);
    let outcome = match timeout(job.answer_timeout, session.play(options)).await {
        Ok(Ok(session)) => Ok((session, "granted".to_owned())),
        Ok(Err(error)) => Err(match error.status_code() {
            Some(401) => stale_nonce("PLAY"),
            status => refusal("PLAY", status, true),
        }),
        Err(_) => Err(late("PLAY", job)),
    };
    transcript.step(RungName::Play, began, outcome)
}

async fn watch(
    job: &StreamJob,
    session: Session<Playing>,
    video: &Video,
    transcript: &mut Transcript,
    arrived: Instant,
    stop: &CancellationToken,
) -> crate::model::StreamFacts {
    let began = Instant::now();
    let mut session = Box::pin(session);
    let mut evidence = Evidence::new(video.codec);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut bytes = 0;
    let mut broken = false;
    let mut restarted = false;
    let enough = |evidence: &Evidence, bytes: u64| {
        (!job.survey && evidence.suffices(job.frames, job.keyframes)) || bytes >= job.byte_limit
    };
    while began.elapsed() < job.media_timeout && !enough(&evidence, bytes) {
        let item = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            item = session.next() => item,
            _ = tick.tick() => continue,
        };
        match item {
            Some(Ok(PacketItem::Rtp(packet))) => {
                bytes += packet.raw().len() as u64 + 4;
                evidence.packet(Packet {
                    media: packet.timestamp().elapsed_secs(),
                    payload: packet.payload(),
                    lost: packet.loss(),
                    arrived: began.elapsed(),
                });
            }
            // Sender reports go on after video has stopped: they prove nothing but the camera's time.
            Some(Ok(PacketItem::Rtcp(compound))) => {
                bytes += compound.raw().len() as u64 + 4;
                let ours = job.now.as_millisecond() as f64 / 1000.0 + arrived.elapsed().as_secs_f64();
                let reports = compound.pkts().filter_map(|packet| packet.as_sender_report().ok().flatten());
                for report in reports {
                    evidence.sender_report(ntp_seconds(report.ntp_timestamp()) - ours);
                }
            }
            Some(Ok(_)) => {}
            // retina ends a session at a change of SSRC, a step back in sequence or stray bytes.
            Some(Err(_)) => {
                broken = true;
                restarted = evidence.frames() > 0;
                break;
            }
            None => {
                broken = true;
                break;
            }
        }
    }
    transcript.received(bytes);
    let outcome = match evidence.verdict(began.elapsed(), job.frames, broken) {
        Ok(summary) => Ok(((), summary)),
        Err(_) if restarted => {
            let detail = format!("the session broke after {} frames, as when an encoder restarts", evidence.frames());
            Err(Failure::new(FailureKind::EncoderRestarted, detail))
        }
        Err(failure) if bytes >= job.byte_limit && failure.kind != FailureKind::Frozen => {
            let detail = "the camera's byte budget ended the look before it could tell";
            Err(Failure::new(FailureKind::ProbeFailed, detail))
        }
        Err(failure) => Err(failure),
    };
    // A look that we cut short ourselves says nothing about the camera.
    if !stop.is_cancelled() || outcome.is_ok() {
        transcript.step(RungName::Media, began, outcome);
    }
    evidence.facts(video.size)
}

async fn tear_down(job: &StreamJob, group: &SessionGroup, transcript: &mut Transcript) {
    if group.stale_sessions().num_sessions == 0 {
        return;
    }
    let began = Instant::now();
    let outcome = timeout(job.answer_timeout.min(Duration::from_secs(3)), group.await_teardown()).await;
    let ok = matches!(outcome, Ok(Ok(())));
    let detail = if ok { "session closed" } else { "not confirmed; the camera may hold the session for a minute" };
    transcript.aside(RungName::Teardown, began, ok, detail);
}

/// Seconds since 1970 of a time that counts from 1900 in 2⁻³² seconds.
fn ntp_seconds(time: retina::NtpTimestamp) -> f64 {
    const FROM_1900_TO_1970: f64 = 2_208_988_800.0;
    time.0 as f64 / f64::from(2u32).powi(32) - FROM_1900_TO_1970
}

/// What an RTSP status means. `asked` is whether a login went along.
pub(super) fn refusal(request: &str, status: Option<u16>, asked: bool) -> Failure {
    match status {
        Some(401) if !asked => {
            Failure::new(FailureKind::Auth, "the camera asks for a login and the configuration names none")
        }
        Some(status @ (401 | 403)) => {
            Failure::new(FailureKind::Auth, format!("the camera rejects the login (status {status} to {request})"))
        }
        Some(404) => Failure::new(FailureKind::NotFound, "the camera knows no stream at this path (status 404)"),
        Some(status @ (453 | 503)) => {
            let detail = format!("all sessions of the camera are taken (status {status} to {request})");
            Failure::new(FailureKind::SessionLimit, detail)
        }
        Some(status @ 200..=299) => {
            let detail = format!("the answer to {request} (status {status}) is not as the standard wants it");
            Failure::new(FailureKind::Nonconforming, detail)
        }
        Some(status) => Failure::new(FailureKind::RtspError, format!("status {status} to {request}")),
        None => Failure::new(FailureKind::RtspError, format!("no valid answer to {request}")),
    }
}

fn stale_nonce(request: &str) -> Failure {
    let detail = format!("the login was good for DESCRIBE and is rejected for {request}: the camera changes its nonce");
    Failure::new(FailureKind::Nonconforming, detail)
}

pub(super) fn late(request: &str, job: &StreamJob) -> Failure {
    Failure::new(FailureKind::RtspError, format!("no answer to {request} within {:?}", job.answer_timeout))
}
