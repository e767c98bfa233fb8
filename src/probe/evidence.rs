//! What arriving packets prove: frames, keyframes, rates, loss and whether the picture moves at all, without decoding.
//!
//! Pure: the shell hands in each packet with the time since `PLAY`. Payloads are compared by a hash, never kept.

use super::{
    nal::{self, Shows},
    rhythm::Rhythm,
    size,
};
use crate::model::{Codec, Detail, Failure, FailureKind, StreamFacts, told};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// Packets are compared from here on, since slice headers hold a counter (those of H.264 and H.265 are shorter); but
/// for frames so small that little but the header would be left.
const HEADER: usize = 8;
const SMALL_FRAME: usize = 64;

/// Frames that arrive live for this long prove a stream; ten frames at 15 frames a second take 0.6 s.
const LIVE_SECONDS: f64 = 0.5;
/// Where timestamps say nothing, frames must have come during this share of the look.
const SPREAD: f64 = 0.5;
/// A silence of this length, or of three frames where they come more seldom, is a stall.
const LEAST_PATIENCE: Duration = Duration::from_secs(2);
/// Frames further apart than this, in seconds, are no video.
const MAX_BETWEEN: f64 = 4.0;
/// Repetitions of one frame that are no chance.
const REPEATED: u32 = 7;
/// How long a stream that moved before must repeat one frame.
const FROZEN_AFTER: Duration = Duration::from_secs(2);
/// The same of a camera with few frames a second: so many over so long are no chance either.
const SELDOM_REPEATED: (u32, Duration) = (3, Duration::from_secs(3));
/// A frame is compared with so many before it, since a picture of two fields, or a cache of a few frames, alternates.
const COMPARED: usize = 4;

/// Who ended a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// We had seen enough, or its time was over.
    Ours,
    /// The camera ended the session or the connection.
    Closed,
}

/// One video RTP packet, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    /// Media time in seconds since the first packet.
    pub(super) media: f64,
    /// RTP payload.
    pub(super) payload: &'a [u8],
    /// Packets missing before this one.
    pub(super) lost: u16,
    /// Whether its sender is another than that of the packet before (its SSRC changed).
    pub(super) anew: bool,
    /// Time since `PLAY`.
    pub(super) arrived: Duration,
}

/// What has arrived so far.
#[derive(Debug)]
pub(super) struct Evidence {
    codec: Codec,
    rhythm: Rhythm,
    frames: u32,
    keyframes: u32,
    packets: u32,
    lost: u32,
    bytes: u64,
    last_keyframe: Option<f64>,
    longest_keyframe_gap: Option<f64>,
    current: Frame,
    /// Hashes of the last whole frames, the newest first.
    previous: [Option<u64>; COMPARED],
    /// The picture that begins next is a keyframe: its parameter sets came before it.
    keyframe_ahead: bool,
    identical: u32,
    /// Repetitions in a row up to now.
    repeated: Option<Repeated>,
    restarts: u32,
    size: Option<(u32, u32)>,
    delta_frames: u32,
    delta_bytes: u64,
    parameters: Option<u64>,
    parameter_changes: u32,
    sender_clock: Option<f64>,
}

/// Frames in a row that came before.
#[derive(Debug)]
struct Repeated {
    count: u32,
    /// When the first of them had arrived.
    since: Duration,
    /// They do not all repeat the one right before them.
    alternates: bool,
}

/// The frame that is arriving.
#[derive(Debug, Default)]
struct Frame {
    bytes: usize,
    keyframe: bool,
    /// A packet of it is missing.
    torn: bool,
    whole: DefaultHasher,
    without_header: DefaultHasher,
}

impl Frame {
    fn extend(&mut self, payload: &[u8]) {
        self.whole.write(payload);
        self.without_header.write(&payload[HEADER.min(payload.len())..]);
        self.bytes += payload.len();
    }

    fn hash(&self) -> u64 {
        let content = if self.bytes >= SMALL_FRAME { &self.without_header } else { &self.whole };
        let mut hasher = content.clone();
        self.bytes.hash(&mut hasher);
        hasher.finish()
    }
}

impl Evidence {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            rhythm: Rhythm::default(),
            frames: 0,
            keyframes: 0,
            packets: 0,
            lost: 0,
            bytes: 0,
            last_keyframe: None,
            longest_keyframe_gap: None,
            current: Frame::default(),
            previous: [None; COMPARED],
            keyframe_ahead: false,
            identical: 0,
            repeated: None,
            restarts: 0,
            size: None,
            delta_frames: 0,
            delta_bytes: 0,
            parameters: None,
            parameter_changes: 0,
            sender_clock: None,
        }
    }

    /// Takes in a packet. A frame is a change of timestamp: some cameras set the marker bit on the wrong packets.
    pub(super) fn packet(&mut self, packet: Packet<'_>) {
        self.packets += 1;
        // A stream that is joined in the middle lacks what was sent before, which is no loss.
        let lost = if self.packets > 1 { u32::from(packet.lost) } else { 0 };
        self.lost += lost;
        self.bytes += packet.payload.len() as u64;
        // What is missing may be the end of one frame or the beginning of the next.
        self.current.torn |= lost > 0;
        let arrived = packet.arrived.as_secs_f64();
        if packet.anew && !self.rhythm.sender_began_anew(packet.media, arrived) {
            self.restarts += 1;
        }
        self.parameter_sets(packet.payload);
        self.keyframe_ahead |= nal::begins_keyframe(self.codec, packet.payload);
        let shows = nal::shows(self.codec, packet.payload);
        if !self.rhythm.is_at(packet.media) {
            // Only a picture that begins is a frame, and only once: what a cache, a loop in the network or a line that
            // reorders sends again has been counted.
            if shows != Shows::Picture || self.rhythm.knows(packet.media) {
                return;
            }
            self.end_frame(packet.arrived);
            self.rhythm.beat(packet.media, arrived);
            self.frames += 1;
            self.current.torn = lost > 0;
        }
        if shows == Shows::Nothing {
            return;
        }
        self.current.extend(packet.payload);
        let now = self.rhythm.smooth();
        if std::mem::take(&mut self.keyframe_ahead) && self.last_keyframe != Some(now) {
            self.current.keyframe = true;
            self.keyframes += 1;
            if let Some(last) = self.last_keyframe.replace(now) {
                let gap = now - last;
                self.longest_keyframe_gap = Some(self.longest_keyframe_gap.map_or(gap, |longest| longest.max(gap)));
            }
        }
    }

    /// Takes in a sender report: the camera's time minus ours, in seconds.
    pub(super) fn sender_report(&mut self, offset: f64) {
        self.sender_clock = Some(offset);
    }

    fn end_frame(&mut self, now: Duration) {
        let frame = std::mem::take(&mut self.current);
        if frame.bytes == 0 || frame.torn {
            self.previous = [None; COMPARED];
            return;
        }
        let hash = frame.hash();
        if self.previous.contains(&Some(hash)) {
            self.identical += 1;
            let repeated = self.repeated.get_or_insert(Repeated { count: 0, since: now, alternates: false });
            repeated.count += 1;
            repeated.alternates |= self.previous[0] != Some(hash);
        } else {
            self.repeated = None;
        }
        self.previous.rotate_right(1);
        self.previous[0] = Some(hash);
        // Of the first frame the beginning may be missing.
        if !frame.keyframe && self.frames > 1 && nal::tells(self.codec) {
            self.delta_frames += 1;
            self.delta_bytes += frame.bytes as u64;
        }
    }

    fn parameter_sets(&mut self, payload: &[u8]) {
        let set = nal::sequence_parameters(self.codec, payload);
        self.size = self.size.or_else(|| size::of(self.codec, set.unwrap_or(payload)));
        let Some(set) = set else { return };
        let mut hasher = DefaultHasher::new();
        hasher.write(set);
        let hash = hasher.finish();
        if self.parameters.replace(hash).is_some_and(|before| before != hash) {
            self.parameter_changes += 1;
        }
    }

    /// Whether no more need be seen: enough frames that arrived live, over time, and enough keyframes.
    pub(super) fn suffices(&self, frames: u32, keyframes: u32) -> bool {
        let live = self.rhythm.live();
        live.frames >= frames
            && live.seconds() >= LIVE_SECONDS
            && (self.keyframes >= keyframes || !nal::tells(self.codec))
    }

    /// Whether the picture has hung from the first frame on: no more time would tell more.
    pub(super) fn hangs(&self, frames: u32) -> bool {
        self.repeats_throughout() && self.suffices(frames, 0)
    }

    /// Whether all whole frames but the first repeat an earlier one; fewer may be chance.
    fn repeats_throughout(&self) -> bool {
        self.identical >= REPEATED && self.identical + 2 >= self.frames
    }

    /// Whether the stream is proven to live at `looked`: it sufficed, or its frames spread over most of the look,
    /// whatever their timestamps say, and have not stopped.
    pub(super) fn proven(&self, looked: Duration, frames: u32) -> bool {
        let Some((first, last)) = self.rhythm.arrivals() else { return false };
        let spread = last - first >= SPREAD * looked.as_secs_f64() && self.frames >= 2 && last - first >= LIVE_SECONDS;
        self.silence(looked) < self.patience() && (spread || self.suffices(frames, 0))
    }

    /// Whether a look that has taken its time can be ended: it has a proof, or a silence that disproves it. A stream
    /// that has paused before, as behind a weak radio link, is waited for somewhat longer than it paused; that proves
    /// nothing unless it goes on.
    pub(super) fn decided(&self, looked: Duration, frames: u32) -> bool {
        let paused = Duration::from_secs_f64(1.5 * self.rhythm.longest_pause().min(MAX_BETWEEN));
        self.frames == 0 || self.proven(looked, frames) || self.silence(looked) >= self.patience().max(paused)
    }

    /// The verdict when the look ended after `looked`, having wanted `frames`.
    pub(super) fn verdict(&self, looked: Duration, frames: u32, end: End) -> Result<Detail, Failure> {
        let silence = self.silence(looked).as_secs_f64();
        if self.frames == 0 {
            let detail = match end {
                End::Closed => told!(EndedBeforeVideo),
                End::Ours => told!(NoVideoCame, format_args!("{:.1}", looked.as_secs_f64())),
            };
            return Err(Failure::new(FailureKind::NoMedia, detail));
        }
        if end == End::Closed {
            let detail = told!(EndedAfterPlay, format_args!("{:.1}", looked.as_secs_f64()));
            return Err(Failure::new(FailureKind::SessionClosed, detail));
        }
        if !self.proven(looked, frames) {
            return Err(if self.is_cached() && !self.suffices(frames, 0) {
                Failure::new(FailureKind::CachedOnly, told!(CameFromCache, self.frames, format_args!("{silence:.1}")))
            } else {
                Failure::new(FailureKind::Stalled, told!(VideoStopped, self.frames, format_args!("{silence:.1}")))
            });
        }
        let at_last = self.repeated.as_ref().is_some_and(|Repeated { count, since, alternates }| {
            let (few, long) = SELDOM_REPEATED;
            let lasted = self.last_frame().saturating_sub(*since);
            *count >= REPEATED && lasted >= FROZEN_AFTER || *count >= few && lasted >= long && !alternates
        });
        if self.repeats_throughout() || at_last {
            let count = self.repeated.as_ref().map_or(self.identical, |repeated| repeated.count) + 1;
            return Err(Failure::new(FailureKind::Frozen, told!(SameFrames, count)));
        }
        if self.restarts > 0 {
            let detail = told!(BeganAnew, self.restarts, format_args!("{:.1}", looked.as_secs_f64()));
            return Err(Failure::new(FailureKind::EncoderRestarted, detail));
        }
        Ok(self.summary())
    }

    /// Packets of a frame that never ends are no life: its beginning counts.
    fn silence(&self, looked: Duration) -> Duration {
        looked.saturating_sub(self.last_frame())
    }

    fn last_frame(&self) -> Duration {
        self.rhythm.arrivals().map_or(Duration::ZERO, |(_, last)| Duration::from_secs_f64(last))
    }

    /// A slow camera may need longer than a look for its frames; it is alive as long as it goes on. Only their arrival
    /// counts, since timestamps may be wrong.
    fn patience(&self) -> Duration {
        let between = self.rhythm.arrival_seconds().unwrap_or(0.0).min(MAX_BETWEEN);
        Duration::from_secs_f64(3.0 * between).max(LEAST_PATIENCE)
    }

    /// Whether most of what was filmed came faster than that.
    fn is_cached(&self) -> bool {
        let Some((first, last)) = self.rhythm.arrivals() else { return false };
        self.frames > 2 && self.rhythm.smooth() > 1.5 * (last - first) + 0.1
    }

    /// The facts for pages, metrics and JSON.
    pub(super) fn facts(&self, described: Option<(u32, u32)>, looked: Duration, frames: u32) -> StreamFacts {
        let size = described.or(self.size);
        let seconds = self.rhythm.media_seconds();
        StreamFacts {
            proven: self.proven(looked, frames),
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
            fps: self.rhythm.frame_seconds().map(|seconds| 1.0 / seconds),
            // The last frame has begun but its time has not passed.
            bytes_per_second: (seconds > 0.0)
                .then(|| self.bytes.saturating_sub(self.current.bytes as u64) as f64 / seconds),
            keyframe_interval_seconds: self.longest_keyframe_gap,
            frames: self.frames,
            keyframes: self.keyframes,
            packets: self.packets,
            packets_lost: self.lost,
            identical_frames: self.identical,
            delta_frame_bytes: (self.delta_frames > 0).then(|| self.delta_bytes as f64 / f64::from(self.delta_frames)),
            jitter_seconds: self.rhythm.jitter(),
            media_speed: self.rhythm.speed(),
            timestamp_jumps: self.rhythm.jumps(),
            parameter_changes: self.parameter_changes,
            sender_clock_seconds: self.sender_clock,
            ..StreamFacts::new(self.codec)
        }
    }

    fn summary(&self) -> Detail {
        let seconds = self.rhythm.frame_seconds();
        let rate = seconds.map(|seconds| told!(AndRate, format_args!("{:.1}", 1.0 / seconds)));
        let keyframes = nal::tells(self.codec).then(|| told!(AndKeyframes, self.keyframes));
        told!(Frames, self.frames, keyframes.unwrap_or_default(), rate.unwrap_or_default())
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
