//! What one probe saw: rungs, times, stream and device facts, and the reason when something failed.
//!
//! An observation holds no picture data and no password. `kind` is for machines, `detail` for people, who are told it in
//! their language.

use super::{Detail, LoginScheme, closed::closed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

closed! {
    /// How deep a probe was asked to look.
    #[derive(PartialOrd, Ord)]
    pub enum Check {
        /// TCP connect and `OPTIONS` without a login: is the RTSP server there?
        Liveness "liveness",
        /// The whole ladder up to arriving media.
        Stream "stream",
        /// The same, but watched for seconds: what only time shows, such as speed, jitter and keyframe intervals.
        Survey "survey",
        /// ONVIF: clock offset, device information, stream addresses and device-status events.
        Device "device",
    }
}

impl Check {
    /// Whether it looks at arriving media.
    pub fn sees_media(self) -> bool {
        matches!(self, Self::Stream | Self::Survey)
    }
}

/// The result of one probe of one camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What was asked.
    pub check: Check,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The transcript: each step with its outcome, in order.
    pub rungs: Vec<Rung>,
    /// Why it is not well; `None` when all that was asked was found in order.
    pub failure: Option<Failure>,
    /// What the stream showed, when media arrived.
    pub stream: Option<StreamFacts>,
    /// What the device says of itself.
    pub device: Option<DeviceFacts>,
    /// How the camera asked for the login that was good.
    pub login_scheme: Option<LoginScheme>,
    /// Camera clock minus ours, in seconds.
    pub clock_offset_seconds: Option<f64>,
    /// Bytes received from the camera, as far as they are counted.
    pub bytes: u64,
}

impl Observation {
    /// A look that began at `started` and has found nothing yet.
    pub fn new(check: Check, started: Timestamp) -> Self {
        Self {
            check,
            started,
            took: Duration::ZERO,
            rungs: Vec::new(),
            failure: None,
            stream: None,
            device: None,
            login_scheme: None,
            clock_offset_seconds: None,
            bytes: 0,
        }
    }

    /// What this one look alone says.
    pub fn verdict(&self) -> Verdict {
        match self.failure.as_ref().map(|failure| failure.kind.weight()) {
            None => Verdict::Up,
            Some(Weight::Degrades) => Verdict::Degraded,
            Some(Weight::Fails) => Verdict::Down,
            Some(Weight::Unproven | Weight::Inconclusive) => Verdict::Unproven,
        }
    }

    /// Whether media was seen to arrive, live: the only proof that a camera sees.
    pub fn proves(&self) -> bool {
        let works = matches!(self.verdict(), Verdict::Up | Verdict::Degraded);
        works && self.check.sees_media() && self.stream.as_ref().is_some_and(|stream| stream.proven)
    }
}

closed! {
    /// What one look says, before any confirmation.
    pub enum Verdict {
        /// All in order.
        Up "up",
        /// It works, with a fault that should be looked at.
        Degraded "degraded",
        /// It does not do its work.
        Down "down",
        /// It could not be seen whether it does.
        Unproven "unproven",
    }
}

/// One step of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// Which step.
    pub name: RungName,
    /// Whether it held.
    pub ok: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What was found, for people.
    pub detail: Detail,
}

closed! {
    /// The steps, cheapest first.
    pub enum RungName {
        /// TCP connect.
        Reach "reach",
        /// RTSP `OPTIONS` without a login.
        Options "options",
        /// RTSP `DESCRIBE` by our own client, which tells a wrong password from a stale nonce.
        Login "login",
        /// RTSP `DESCRIBE`, with the login where there is one.
        Describe "describe",
        /// RTSP `SETUP` of the video stream.
        Setup "setup",
        /// RTSP `PLAY`.
        Play "play",
        /// Waiting for video RTP until the evidence suffices.
        Media "media",
        /// RTSP `TEARDOWN`.
        Teardown "teardown",
        /// ONVIF `GetSystemDateAndTime`, without a login.
        OnvifClock "onvif_clock",
        /// ONVIF `GetDeviceInformation`, with the login.
        OnvifDevice "onvif_device",
        /// ONVIF `GetProfiles` and `GetStreamUri`: does the configured address still exist?
        OnvifStreams "onvif_streams",
        /// ONVIF events: create a pull point, pull once, unsubscribe.
        OnvifEvents "onvif_events",
        /// Whether the probe's worker process survived what the camera sends, now and lately; told only when it did not.
        Worker "worker",
    }
}

/// Why something is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For machines: metric label, JSON, message table.
    pub kind: FailureKind,
    /// For people: what exactly happened. Holds no URL with a login, no password, no stream bytes.
    pub detail: Detail,
}

impl Failure {
    /// A failure with its detail.
    pub fn new(kind: FailureKind, detail: Detail) -> Self {
        Self { kind, detail }
    }
}

/// How much a failure weighs for the camera's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The camera does not do its work.
    Fails,
    /// It works, and media proves it, but not as it should.
    Degrades,
    /// Somebody answers, and whether media would come cannot be seen.
    Unproven,
    /// The look could not tell: the monitor itself failed.
    Inconclusive,
}

macro_rules! failure_kinds {
    ($($(#[$doc:meta])* $variant:ident $name:tt $(| $earlier:tt)* $weight:ident)*) => {
        closed! {
            /// The closed list of reasons, in the order of the ladder: the one source for wall, metrics and messages.
            #[derive(PartialOrd, Ord)]
            pub enum FailureKind {
                $($(#[$doc])* $variant $name $(| $earlier)*,)*
            }
        }

        impl FailureKind {
            /// What it means for the camera's state.
            pub fn weight(self) -> Weight {
                match self { $(Self::$variant => Weight::$weight,)* }
            }
        }
    };
}

failure_kinds! {
    /// The host name has no address.
    Unresolved "unresolved" Fails
    /// The network says that there is no way to the host.
    Unreachable "unreachable" Fails
    /// Nobody answered the TCP connect: no power, no cable, or a filter.
    Timeout "timeout" Fails
    /// The host is there and its RTSP port is closed.
    Refused "refused" Fails
    /// The port is open, but what came is no RTSP, or nothing at all.
    NoRtsp "no_rtsp" Fails
    /// The camera sent more than any honest answer holds.
    Oversized "oversized" Fails
    /// The login was rejected.
    Auth "auth" Unproven
    /// A login that was good is refused: the camera is out of connections, or its password was changed.
    AuthChanged "auth_changed" Unproven
    /// It wants the password in clear (Basic), and the configuration does not allow that.
    InsecureLogin "insecure_login" Unproven
    /// Its certificate is not the one that the configuration names.
    Certificate "certificate" Unproven
    /// All sessions are taken (453, 503): the camera lives and serves somebody else.
    SessionLimit "session_limit" Unproven
    /// The stream's path does not exist.
    NotFound "not_found" Fails
    /// RTSP goes wrong after `OPTIONS`: an error status that has no reason of its own, or no valid answer.
    RtspError "rtsp_error" Fails
    /// It answers, but not as the standard wants it, so no media could be asked for.
    Nonconforming "nonconforming" Unproven
    /// It describes itself without any video: sound only, or nothing.
    NoVideo "no_video" | "codec_unsupported" Fails
    /// `PLAY` was granted and no video came.
    NoMedia "no_media" Fails
    /// Video came and stopped.
    Stalled "stalled" Fails
    /// The camera ended the session while it played.
    SessionClosed "session_closed" Fails
    /// What came was sent faster than it was filmed, and nothing after it: somebody's cache, whose camera is gone.
    CachedOnly "cached_only" Fails
    /// Frame after frame is the same, byte for byte: the encoder hangs.
    Frozen "frozen" Fails
    /// The camera itself reports that its sensor gives no signal.
    SignalLoss "signal_loss" Degrades
    /// The stream began anew in the middle, with a pause or another time, as when an encoder restarts.
    EncoderRestarted "encoder_restarted" Degrades
    /// It took Digest before and wants the password in clear now.
    LoginDowngraded "login_downgraded" Degrades
    /// Too many RTP packets are missing.
    Loss "loss" Degrades
    /// Timestamps jump, or run slower or faster than time.
    Timestamps "timestamps" Degrades
    /// Frames between keyframes are far smaller than this camera's at this hour: perhaps the picture stands still.
    FrozenSuspect "frozen_suspect" Degrades
    /// Fewer frames a second than promised, or than this camera sends at this hour.
    LowFps "low_fps" Degrades
    /// Fewer bits a second than promised, or than this camera sends at this hour.
    LowBitrate "low_bitrate" Degrades
    /// Packets arrive unevenly.
    Jitter "jitter" Degrades
    /// Keyframes are further apart than promised.
    KeyframeInterval "keyframe_interval" Degrades
    /// Codec, size or parameter sets are not those promised, not those of before, or change in mid-stream.
    ParametersChanged "parameters_changed" Degrades
    /// The device reports a failure of its hardware: storage, fan, power supply, temperature.
    Hardware "hardware_failure" | "hardware" Degrades
    /// It starts anew again and again.
    RebootLoop "reboot_loop" Degrades
    /// Another device answers at this address.
    Swapped "device_swapped" | "swapped" Degrades
    /// Its firmware is older than it was.
    Rollback "firmware_rollback" | "rollback" Degrades
    /// The device names other stream addresses than the configured one.
    UriDrift "stream_uri_changed" | "uri_drift" Degrades
    /// The camera's clock is wrong.
    Clock "clock" Degrades
    /// The camera's clock runs too fast or too slow, by its sender reports.
    ClockDrift "clock_drift" Degrades
    /// The monitor itself could not look.
    ProbeFailed "probe_failed" Inconclusive
}

impl FailureKind {
    /// Whether only the first rungs, reach and `OPTIONS`, end this way, so that an answer to `OPTIONS` refutes it.
    pub fn out_of_reach(self) -> bool {
        matches!(self, Self::Unresolved | Self::Unreachable | Self::Timeout | Self::Refused | Self::NoRtsp)
    }

    /// Whether the login was refused, for whatever reason.
    pub fn refuses_login(self) -> bool {
        matches!(self, Self::Auth | Self::AuthChanged)
    }

    /// Whether only media that was watched for a while ends this way, so that a short good look does not refute it.
    pub fn shows_late(self) -> bool {
        matches!(self, Self::Stalled | Self::SessionClosed | Self::CachedOnly | Self::Frozen)
    }
}

/// What a short look at the stream showed, from headers alone.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Deserialize)]
pub struct StreamFacts {
    /// Whether frames arrived live, over time, up to the end of the look: proof that the camera sends.
    #[serde(default)]
    pub proven: bool,
    /// Which client saw it.
    #[serde(default)]
    pub client: Client,
    /// Video codec.
    pub codec: Codec,
    /// Width in pixels, where the description tells it.
    pub width: Option<u32>,
    /// Height in pixels, where the description tells it.
    pub height: Option<u32>,
    /// Frames a second by RTP timestamps.
    pub fps: Option<f64>,
    /// RTP payload bytes a second of media time.
    pub bytes_per_second: Option<f64>,
    /// Longest time between two keyframes seen, in seconds; `None` when fewer than two were seen.
    pub keyframe_interval_seconds: Option<f64>,
    /// Frames seen.
    pub frames: u32,
    /// Keyframes seen.
    pub keyframes: u32,
    /// RTP packets received.
    pub packets: u32,
    /// RTP packets missing by sequence number.
    pub packets_lost: u32,
    /// Frames that are the same as the one before, byte for byte.
    pub identical_frames: u32,
    /// Mean size of the frames between keyframes, in bytes; `None` when none was seen whole.
    pub delta_frame_bytes: Option<f64>,
    /// Worst interarrival jitter (RFC 3550, section 6.4.1) of the frames' first packets, in seconds.
    pub jitter_seconds: Option<f64>,
    /// Media seconds for each second of arrival, the first second left out; `None` after a short look.
    pub media_speed: Option<f64>,
    /// Timestamps that went back by more than a second or forward by more than ten.
    pub timestamp_jumps: u32,
    /// How often the parameter sets inside the stream changed.
    pub parameter_changes: u32,
    /// Camera time by its last sender report minus ours, in seconds. Many cameras count from no epoch in particular,
    /// so only its change means anything.
    pub sender_clock_seconds: Option<f64>,
}

impl StreamFacts {
    /// Facts of a stream of which nothing has arrived.
    pub fn new(codec: Codec) -> Self {
        Self {
            proven: false,
            client: Client::default(),
            codec,
            width: None,
            height: None,
            fps: None,
            bytes_per_second: None,
            keyframe_interval_seconds: None,
            frames: 0,
            keyframes: 0,
            packets: 0,
            packets_lost: 0,
            identical_frames: 0,
            delta_frame_bytes: None,
            jitter_seconds: None,
            media_speed: None,
            timestamp_jumps: 0,
            parameter_changes: 0,
            sender_clock_seconds: None,
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.width.zip(self.height)
    }
}

closed! {
    /// A video codec. Frames of all are counted, by their timestamps.
    pub enum Codec {
        /// H.264.
        H264 "h264",
        /// H.265.
        H265 "h265",
        /// Motion JPEG.
        Mjpeg "mjpeg",
        /// MPEG-4 part 2; keyframes are not told apart, here and below.
        Mpeg4 "mpeg4",
        /// H.266.
        H266 "h266",
        /// VP8.
        Vp8 "vp8",
        /// VP9.
        Vp9 "vp9",
        /// AV1.
        Av1 "av1",
        /// Any other.
        Other "other",
    }
}

closed! {
    /// An RTSP client that looks at streams.
    #[derive(Default)]
    pub enum Client {
        /// Our own, tolerant as players are.
        #[default]
        Own "own",
        /// retina, the second opinion.
        Retina "retina",
    }
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema, Deserialize)]
#[serde(default)]
pub struct DeviceFacts {
    /// Maker.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
    /// When it last started, where it tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_reboot: Option<Timestamp>,
    /// When its clock was last set, where it tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_clock_sync: Option<Timestamp>,
    /// Paths and ports of the streams that it names, as `:554/sub`; empty where it was not asked.
    pub streams: Vec<String>,
    /// Status topics that it reports as failed, such as `Device/HardwareFailure/StorageFailure`.
    pub alarms: Vec<String>,
    /// Whether it was asked for such topics and answered.
    pub events_read: bool,
}
