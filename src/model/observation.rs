//! What one probe saw: rungs, times, stream and device facts, and the reason when something failed.
//!
//! An observation holds no picture data and no password. `kind` is for machines, `detail` for people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How deep a probe was asked to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// TCP connect and `OPTIONS` without a login: is the RTSP server there?
    Liveness,
    /// The whole ladder up to arriving media.
    Stream,
    /// ONVIF: clock offset and device information.
    Device,
}

impl Check {
    /// All, cheapest first.
    pub const ALL: [Self; 3] = [Self::Liveness, Self::Stream, Self::Device];

    /// Name in metric labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Stream => "stream",
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungName {
    /// TCP connect.
    Reach,
    /// RTSP `OPTIONS` without a login.
    Options,
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
}

impl RungName {
    /// Name in JSON and in the printed ladder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Options => "options",
            Self::Describe => "describe",
            Self::Setup => "setup",
            Self::Play => "play",
            Self::Media => "media",
            Self::Teardown => "teardown",
            Self::OnvifClock => "onvif_clock",
            Self::OnvifDevice => "onvif_device",
        }
    }
}

/// Why something is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// The session broke in the middle, as when an encoder restarts.
    EncoderRestarted "encoder_restarted" Degrades
    /// Too many RTP packets are missing.
    Loss "loss" Degrades
    /// The camera's clock is wrong.
    Clock "clock" Degrades
    /// The monitor itself could not look.
    ProbeFailed "probe_failed" Inconclusive
}

impl FailureKind {
    /// Whether only the first rungs, reach and `OPTIONS`, end this way, so that an answer to `OPTIONS` refutes it.
    pub fn out_of_reach(self) -> bool {
        matches!(self, Self::Unresolved | Self::Unreachable | Self::Timeout | Self::Refused | Self::NoRtsp)
    }
}

/// What a short look at the stream showed, from headers alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

/// A codec whose frames can be counted without decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFacts {
    /// Maker.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
}
