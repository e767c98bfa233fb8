//! What arriving packets prove: frames, keyframes, rates, loss and whether the picture moves at all, without decoding.
//!
//! Pure: the shell hands in each packet with the time since `PLAY`. Payloads are compared by a hash, never kept.

use super::{nal, rhythm::Rhythm};
use crate::model::{Codec, Failure, FailureKind, StreamFacts};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// Packets are compared from here on, since slice headers hold a counter (those of H.264 and H.265 are shorter); but
/// for frames so small that little but the header would be left.
const HEADER: usize = 8;
const SMALL_FRAME: usize = 64;

/// One video RTP packet, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    /// Media time in seconds since the first packet.
    pub(super) media: f64,
    /// RTP payload.
    pub(super) payload: &'a [u8],
    /// Packets missing before this one.
    pub(super) lost: u16,
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
    last_arrival: Duration,
    current: Frame,
    /// Hash of the last whole frame.
    previous: Option<u64>,
    identical: u32,
    delta_frames: u32,
    delta_bytes: u64,
    parameters: Option<u64>,
    parameter_changes: u32,
    sender_clock: Option<f64>,
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
            last_arrival: Duration::ZERO,
            current: Frame::default(),
            previous: None,
            identical: 0,
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
        self.last_arrival = packet.arrived;
        // What is missing may be the end of one frame or the beginning of the next.
        self.current.torn |= lost > 0;
        if self.rhythm.beat(packet.media, packet.arrived.as_secs_f64()) {
            self.end_frame();
            self.frames += 1;
            self.current.torn = lost > 0;
        }
        self.current.extend(packet.payload);
        self.parameter_sets(packet.payload);
        if nal::begins_keyframe(self.codec, packet.payload) && self.last_keyframe != Some(packet.media) {
            self.current.keyframe = true;
            self.keyframes += 1;
            if let Some(last) = self.last_keyframe.replace(packet.media) {
                let gap = packet.media - last;
                self.longest_keyframe_gap = Some(self.longest_keyframe_gap.map_or(gap, |longest| longest.max(gap)));
            }
        }
    }

    /// Takes in a sender report: the camera's time minus ours, in seconds.
    pub(super) fn sender_report(&mut self, offset: f64) {
        self.sender_clock = Some(offset);
    }

    fn end_frame(&mut self) {
        let frame = std::mem::take(&mut self.current);
        if frame.bytes == 0 || frame.torn {
            self.previous = None;
            return;
        }
        let hash = frame.hash();
        self.identical += u32::from(self.previous == Some(hash));
        self.previous = Some(hash);
        // Of the first frame the beginning may be missing.
        if !frame.keyframe && self.frames > 1 {
            self.delta_frames += 1;
            self.delta_bytes += frame.bytes as u64;
        }
    }

    fn parameter_sets(&mut self, payload: &[u8]) {
        let Some(set) = nal::sequence_parameters(self.codec, payload) else { return };
        let mut hasher = DefaultHasher::new();
        hasher.write(set);
        let hash = hasher.finish();
        if self.parameters.replace(hash).is_some_and(|before| before != hash) {
            self.parameter_changes += 1;
        }
    }

    /// Whether no more need be seen: enough frames whose timestamps advance, and enough keyframes.
    pub(super) fn suffices(&self, frames: u32, keyframes: u32) -> bool {
        self.frames >= frames && self.keyframes >= keyframes && self.rhythm.media_seconds() > 0.0
    }

    /// The verdict when the look ended after `looked`, having wanted `frames`; `broken` when the session ended by
    /// itself.
    pub(super) fn verdict(&self, looked: Duration, frames: u32, broken: bool) -> Result<String, Failure> {
        let silence = looked.saturating_sub(self.last_arrival);
        if self.frames == 0 {
            let detail = format!("PLAY was granted, but no video came in {:.1} s", looked.as_secs_f64());
            return Err(Failure::new(FailureKind::NoMedia, detail));
        }
        // A slow camera may need longer than a look for its frames; it is alive as long as it goes on.
        let patience = Duration::from_secs_f64((3.0 * self.rhythm.frame_seconds().unwrap_or(0.0)).max(2.0));
        let goes_on = !broken && self.frames >= 2 && self.rhythm.media_seconds() > 0.0 && silence < patience;
        if !goes_on && !self.suffices(frames, 0) {
            let seconds = silence.as_secs_f64();
            let detail = format!("video stopped after {} frames, silent for {seconds:.1} s", self.frames);
            return Err(Failure::new(FailureKind::Stalled, detail));
        }
        // All whole frames but the first repeat the one before; fewer than eight may be chance.
        if self.identical >= 7 && self.identical + 2 >= self.frames {
            let detail = format!("{} frames in a row are the same byte for byte", self.identical + 1);
            return Err(Failure::new(FailureKind::Frozen, detail));
        }
        Ok(self.summary())
    }

    /// The facts for pages, metrics and JSON.
    pub(super) fn facts(&self, size: Option<(u32, u32)>) -> StreamFacts {
        let seconds = self.rhythm.media_seconds();
        StreamFacts {
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

    /// Frames seen so far.
    pub(super) fn frames(&self) -> u32 {
        self.frames
    }

    fn summary(&self) -> String {
        let seconds = self.rhythm.frame_seconds();
        let rate = seconds.map_or_else(String::new, |seconds| format!(", {:.1} frames/s", 1.0 / seconds));
        format!("{} frames, {} keyframes{rate}", self.frames, self.keyframes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of two packets each at `fps`, a keyframe each `gop`; `content` gives the byte that fills a frame.
    fn stream_of(frames: u32, fps: f64, gop: u32, content: impl Fn(u32) -> u8) -> Evidence {
        let mut evidence = Evidence::new(Codec::H264);
        for frame in 0..frames {
            let media = f64::from(frame) / fps;
            let arrived = Duration::from_secs_f64(media);
            let mut payload = [content(frame); 500];
            payload[0] = if frame % gop == 0 { 0x65 } else { 0x41 };
            // A counter, as slice headers have.
            payload[1] = frame as u8;
            for _ in 0..2 {
                evidence.packet(Packet { media, payload: &payload, lost: 0, arrived });
            }
        }
        evidence
    }

    fn stream(frames: u32, fps: f64, gop: u32) -> Evidence {
        stream_of(frames, fps, gop, |frame| frame as u8)
    }

    #[track_caller]
    fn check(evidence: &Evidence, looked: f64, broken: bool, expected: Result<(), FailureKind>) {
        let verdict = evidence.verdict(Duration::from_secs_f64(looked), 10, broken);
        assert_eq!(verdict.map(|_| ()).map_err(|failure| failure.kind), expected);
    }

    #[test]
    fn ten_advancing_frames_suffice() {
        assert!(stream(10, 15.0, 30).suffices(10, 1));
        assert!(!stream(9, 15.0, 30).suffices(10, 1));
        assert!(!stream(10, 15.0, 30).suffices(10, 2));
        check(&stream(10, 15.0, 30), 0.7, false, Ok(()));
    }

    #[test]
    fn rates_come_from_media_time() {
        let facts = stream(31, 15.0, 15).facts(Some((640, 360)));
        assert_eq!((facts.frames, facts.keyframes, facts.packets), (31, 3, 62));
        assert!((facts.fps.expect("a rate") - 15.0).abs() < 1e-6);
        assert!((facts.keyframe_interval_seconds.expect("two keyframes") - 1.0).abs() < 1e-6);
        assert!((facts.bytes_per_second.expect("bytes") - 15_000.0).abs() < 1.0);
        assert_eq!(facts.delta_frame_bytes, Some(1000.0));
    }

    #[test]
    fn silence_is_no_media_and_an_end_is_a_stall() {
        check(&Evidence::new(Codec::H264), 6.5, false, Err(FailureKind::NoMedia));
        check(&stream(5, 15.0, 30), 6.5, false, Err(FailureKind::Stalled));
        check(&stream(5, 15.0, 30), 0.4, true, Err(FailureKind::Stalled));
    }

    #[test]
    fn a_slow_camera_that_goes_on_is_alive() {
        check(&stream(6, 1.0, 30), 6.5, false, Ok(()));
        check(&stream(2, 0.25, 30), 6.5, false, Ok(()));
    }

    #[test]
    fn a_timestamp_that_stands_still_is_no_life() {
        let mut evidence = Evidence::new(Codec::H264);
        for _ in 0..100 {
            evidence.packet(Packet { media: 0.0, payload: &[0x41], lost: 0, arrived: Duration::from_secs(6) });
        }
        check(&evidence, 6.5, false, Err(FailureKind::Stalled));
    }

    #[test]
    fn the_same_frame_again_and_again_is_frozen_whatever_its_counter_says() {
        check(&stream_of(10, 15.0, 1, |_| 7), 0.7, false, Err(FailureKind::Frozen));
        check(&stream_of(10, 15.0, 30, |_| 7), 0.7, false, Err(FailureKind::Frozen));
        // A picture that stands for a moment, as from a source slower than its encoder.
        check(&stream_of(12, 15.0, 30, |frame| (frame / 2) as u8), 0.7, false, Ok(()));
    }

    #[test]
    fn frames_with_a_packet_missing_are_compared_with_nothing() {
        let mut evidence = Evidence::new(Codec::Mjpeg);
        for frame in 0..10 {
            let media = f64::from(frame);
            let arrived = Duration::from_secs_f64(media);
            evidence.packet(Packet { media, payload: &[9; 100], lost: 1, arrived });
        }
        assert_eq!(evidence.facts(None).identical_frames, 0);
        assert_eq!(evidence.facts(None).packets_lost, 9);
    }

    #[test]
    fn new_parameter_sets_in_mid_stream_are_counted() {
        let mut evidence = Evidence::new(Codec::H264);
        for (frame, level) in [30, 30, 31, 31].into_iter().enumerate() {
            let media = frame as f64;
            let arrived = Duration::from_secs_f64(media);
            evidence.packet(Packet { media, payload: &[0x67, 66, 0, level], lost: 0, arrived });
            evidence.packet(Packet { media, payload: &[0x65, frame as u8], lost: 0, arrived });
        }
        assert_eq!(evidence.facts(None).parameter_changes, 1);
    }
}
