//! The second opinion on a stream, by retina: another reading of the same camera, where our own client cannot go on.
//!
//! retina's errors print whole URLs and stream bytes in hex, so only the stage and the status code are used. Settings
//! and workarounds are for retina 0.4.21: the packet path, since the frame path dies on one bad NAL; a tick beside
//! `next()`, since a request from the camera loses the stream's wakeup; and no `TEARDOWN`, since that opens connections
//! to whatever host the camera's Content-Base names and hands it the login.

use super::{
    evidence::{End, Evidence, Packet},
    transcript::Transcript,
    watch::{Watch, refusal, unanswered},
    wire::{Report, StreamJob},
};
use crate::model::{Client, Codec, Failure, FailureKind, RungName, StreamFacts, StreamKind, Transport, told};
use futures_util::StreamExt;
use retina::{
    client::{
        Credentials, Described, InitialTimestampPolicy, PacketItem, PlayOptions, Playing, Session, SessionOptions,
        SetupOptions, TcpTransportOptions, TeardownPolicy, UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
    },
    codec::ParametersRef,
};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;

/// Heads of the answers around the media, which retina does not hand out: five or six of some 200 bytes.
const HEADS: u64 = 1200;

/// How often the session is polled even when nothing woke us.
const TICK: Duration = Duration::from_millis(200);

/// Whether retina may be asked: over TCP in the clear only, and not where it could give a login away, since it answers
/// Basic wherever it is asked for it.
pub(super) fn may_look(job: &StreamJob) -> bool {
    let harmless = job.login.as_ref().is_none_or(|login| login.allow_basic);
    job.transport == Transport::Tcp && job.url.scheme() == "rtsp" && harmless
}

/// Climbs until the evidence suffices. The session ends with its connection.
pub(super) async fn look(job: &StreamJob, stop: &CancellationToken) -> Report {
    let mut transcript = Transcript::default();
    let facts = tokio::select! {
        facts = climb(job, &mut transcript, stop) => facts,
        () = stop.cancelled() => None,
    };
    Report { stream: facts, ..transcript.report() }
}

async fn climb(job: &StreamJob, transcript: &mut Transcript, stop: &CancellationToken) -> Option<StreamFacts> {
    let arrived = Instant::now();
    let mut session = describe(job, transcript).await?;
    let began = Instant::now();
    let Some((index, kind)) = choose_video(&session) else {
        let failure = Failure::new(FailureKind::NoVideo, told!(OffersNoVideo));
        return transcript.step(RungName::Setup, began, Err(failure));
    };
    let transport = retina::client::Transport::Tcp(TcpTransportOptions::default());
    let set_up = session.setup(index, SetupOptions::default().transport(transport));
    let outcome = asked(job, "SETUP", set_up).await;
    transcript.step(RungName::Setup, began, outcome.map(|()| ((), told!(ByRetina, told!(VideoOver, "TCP")))))?;
    let began = Instant::now();
    let options = PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Ignore)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::ProcessPackets);
    let outcome = asked(job, "PLAY", session.play(options)).await;
    let session = transcript.step(RungName::Play, began, outcome.map(|playing| (playing, told!(Granted))))?;
    Some(watch(job, session, kind, transcript, arrived, stop).await)
}

/// What retina's answer to a request amounts to.
async fn asked<T>(
    job: &StreamJob,
    request: &str,
    answer: impl Future<Output = Result<T, retina::Error>>,
) -> Result<T, Failure> {
    match timeout(job.answer_timeout, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(match error.status_code() {
            Some(status) => refusal(request, status),
            None => Failure::new(FailureKind::Nonconforming, told!(RetinaCannot, request)),
        }),
        Err(_) => Err(unanswered(request, job)),
    }
}

async fn describe(job: &StreamJob, transcript: &mut Transcript) -> Option<Session<Described>> {
    let began = Instant::now();
    let credentials = job.login.as_ref().map(|login| Credentials {
        username: login.username.clone(),
        password: login.password.expose_secret().to_owned(),
    });
    let options = SessionOptions::default()
        .creds(credentials)
        .user_agent("camhealth".into())
        .teardown(TeardownPolicy::Never)
        .unassigned_channel_data(UnassignedChannelDataPolicy::Ignore);
    let outcome = asked(job, "DESCRIBE", Session::describe(job.url.clone(), options)).await;
    let outcome = outcome.map(|session| {
        transcript.received(session.sdp().len() as u64 + HEADS);
        let count = session.streams().len();
        let streams = if count == 1 { told!(OneStream) } else { told!(Streams, count) };
        (session, told!(ByRetina, streams))
    });
    transcript.step(RungName::Describe, began, outcome)
}

/// Index, codec and size of the first video stream.
fn choose_video(session: &Session<Described>) -> Option<(usize, StreamKind)> {
    let mut video = session.streams().iter().enumerate().filter(|(_, stream)| stream.media() == "video");
    let (index, stream) = video.next()?;
    let codec = match stream.encoding_name() {
        "h264" => Codec::H264,
        "h265" => Codec::H265,
        "jpeg" => Codec::Mjpeg,
        _ => Codec::Other,
    };
    let size = match stream.parameters() {
        Some(ParametersRef::Video(video)) => Some(video.pixel_dimensions()),
        _ => None,
    };
    Some((index, (codec, size)))
}

async fn watch(
    job: &StreamJob,
    session: Session<Playing>,
    (codec, size): StreamKind,
    transcript: &mut Transcript,
    arrived: Instant,
    stop: &CancellationToken,
) -> StreamFacts {
    let mut session = Box::pin(session);
    let mut watch = Watch::new(job, Evidence::new(codec));
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !watch.is_over() {
        let item = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            item = session.next() => item,
            _ = tick.tick() => continue,
        };
        match item {
            Some(Ok(PacketItem::Rtp(packet))) => {
                watch.bytes += packet.raw().len() as u64 + 4;
                watch.evidence.packet(Packet {
                    media: packet.timestamp().elapsed_secs(),
                    payload: packet.payload(),
                    lost: packet.loss(),
                    anew: false,
                    arrived: watch.began.elapsed(),
                });
            }
            Some(Ok(PacketItem::Rtcp(compound))) => {
                watch.bytes += compound.raw().len() as u64 + 4;
                let ours = job.now.as_millisecond() as f64 / 1000.0 + arrived.elapsed().as_secs_f64();
                if let Some(theirs) = super::rtsp::rtp::sender_report(compound.raw()) {
                    watch.evidence.sender_report(theirs - ours);
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                watch.end = End::Closed;
                break;
            }
        }
    }
    transcript.received(watch.bytes);
    let outcome = watch.verdict();
    if !stop.is_cancelled() || outcome.is_ok() {
        transcript.step(RungName::Media, watch.began, outcome.map(|summary| ((), summary)));
    }
    watch.facts(size, Client::Retina)
}
