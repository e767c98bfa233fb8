//! What one probe saw: rungs, times, stream and device facts, and the reason when something failed.
//!
//! An observation holds no picture data and no password. `kind` is for machines, `detail` for people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// How deep a probe was asked to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// TCP connect and `OPTIONS` without a login: is the RTSP server there?
    Liveness,
    /// The whole ladder up to arriving media.
    Stream,
    /// The same, but watched for seconds: what only time shows, such as speed, jitter and keyframe intervals.
    Survey,
    /// ONVIF: clock offset, device information, stream addresses and device-status events.
    Device,
}

impl Check {
    /// All, cheapest first.
    pub const ALL: [Self; 4] = [Self::Liveness, Self::Stream, Self::Survey, Self::Device];

    /// Whether it looks at arriving media.
    pub fn sees_media(self) -> bool {
        matches!(self, Self::Stream | Self::Survey)
    }

    /// Name in metric labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Stream => "stream",
            Self::Survey => "survey",
            Self::Device => "device",
        }
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
            clock_offset_seconds: None,
            bytes: 0,
        }
    }

    /// What this one look alone says.
    pub fn verdict(&self) -> Verdict {
        match self.failure.as_ref().map(|failure| failure.kind.weight()) {
            None => Verdict::Up,
            Some(Weight::Degrades | Weight::Inconclusive) => Verdict::Degraded,
            Some(Weight::Fails) => Verdict::Down,
        }
    }
}

/// What one look says, before any confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All in order.
    Up,
    /// It works, with a fault that should be looked at.
    Degraded,
    /// It does not do its work.
    Down,
}

impl Verdict {
    /// Name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// One step of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Deserialize)]
pub struct Rung {
    /// Which step.
    pub name: RungName,
    /// Whether it held.
    pub ok: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What was found, for people.
    pub detail: String,
}

/// The steps, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungName {
    /// TCP connect.
    Reach,
    /// RTSP `OPTIONS` without a login.
    Options,
    /// RTSP `DESCRIBE` by our own client, which tells a wrong password from a stale nonce.
    Login,
    /// RTSP `DESCRIBE`, with the login where there is one.
    Describe,
    /// RTSP `SETUP` of the video stream.
    Setup,
    /// RTSP `PLAY`.
    Play,
    /// Waiting for video RTP until the evidence suffices.
    Media,
    /// RTSP `TEARDOWN`.
    Teardown,
    /// ONVIF `GetSystemDateAndTime`, without a login.
    OnvifClock,
    /// ONVIF `GetDeviceInformation`, with the login.
    OnvifDevice,
    /// ONVIF `GetProfiles` and `GetStreamUri`: does the configured address still exist?
    OnvifStreams,
    /// ONVIF events: create a pull point, pull once, unsubscribe.
    OnvifEvents,
    /// Whether the probe's worker process survived what the camera sends, now and lately; told only when it did not.
    Worker,
}

impl RungName {
    /// Name in JSON and in the printed ladder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Options => "options",
            Self::Login => "login",
            Self::Describe => "describe",
            Self::Setup => "setup",
            Self::Play => "play",
            Self::Media => "media",
            Self::Teardown => "teardown",
            Self::OnvifClock => "onvif_clock",
            Self::OnvifDevice => "onvif_device",
            Self::OnvifStreams => "onvif_streams",
            Self::OnvifEvents => "onvif_events",
            Self::Worker => "worker",
        }
    }
}

/// Why something is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
pub struct Failure {
    /// For machines: metric label, JSON, message table.
    pub kind: FailureKind,
    /// For people: what exactly happened. Holds no URL with a login, no password, no stream bytes.
    pub detail: String,
}

impl Failure {
    /// A failure with its detail.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// How much a failure weighs for the camera's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The camera does not do its work.
    Fails,
    /// It works, but not as it should.
    Degrades,
    /// The look could not tell: the monitor itself failed.
    Inconclusive,
}

macro_rules! failure_kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal $weight:ident)*) => {
        /// The closed list of reasons: the one source for wall, metrics and messages.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FailureKind {
            $($(#[$doc])* $variant,)*
        }

        impl FailureKind {
            /// All reasons, in the order of the ladder.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name in metric labels and JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

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
    Auth "auth" Fails
    /// A login that was good is refused: the camera is out of connections, or its password was changed.
    AuthChanged "auth_changed" Fails
    /// All sessions are taken (453, 503): the camera lives and serves somebody else.
    SessionLimit "session_limit" Degrades
    /// The stream's path does not exist.
    NotFound "not_found" Fails
    /// RTSP goes wrong after `OPTIONS`: an error status that has no reason of its own, or no valid answer.
    RtspError "rtsp_error" Fails
    /// It answers, but not as the standard wants it, so no media could be asked for.
    Nonconforming "nonconforming" Degrades
    /// No video that this daemon can count: another codec, or sound only.
    CodecUnsupported "codec_unsupported" Degrades
    /// `PLAY` was granted and no video came.
    NoMedia "no_media" Fails
    /// Video came and stopped.
    Stalled "stalled" Fails
    /// Frame after frame is the same, byte for byte: the encoder hangs.
    Frozen "frozen" Fails
    /// The camera itself reports that its sensor gives no signal.
    SignalLoss "signal_loss" Degrades
    /// The session broke in the middle, as when an encoder restarts.
    EncoderRestarted "encoder_restarted" Degrades
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
    Hardware "hardware_failure" Degrades
    /// It starts anew again and again.
    RebootLoop "reboot_loop" Degrades
    /// Another device answers at this address.
    Swapped "device_swapped" Degrades
    /// Its firmware is older than it was.
    Rollback "firmware_rollback" Degrades
    /// The device names other stream addresses than the configured one.
    UriDrift "stream_uri_changed" Degrades
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
}

/// What a short look at the stream showed, from headers alone.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Deserialize)]
pub struct StreamFacts {
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

/// A codec whose frames can be counted without decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// H.264.
    H264,
    /// H.265.
    H265,
    /// Motion JPEG.
    Mjpeg,
}

impl Codec {
    /// Name in metric labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
            Self::Mjpeg => "mjpeg",
        }
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
