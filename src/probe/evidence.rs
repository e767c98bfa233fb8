//! What arriving packets prove: frames, keyframes, rates and loss, from headers alone.
//!
//! Pure: the shell hands in each packet with the time since `PLAY`.

use super::nal;
use crate::model::{Codec, Failure, FailureKind, StreamFacts};
use std::time::Duration;

/// One video RTP packet, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    /// Media time in seconds since the first packet.
    pub(super) media: f64,
    /// RTP payload; only its first bytes are looked at.
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
    frames: u32,
    keyframes: u32,
    packets: u32,
    lost: u32,
    bytes: u64,
    /// Media time of the first and of the current frame.
    first_frame: Option<f64>,
    last_frame: f64,
    last_keyframe: Option<f64>,
    longest_keyframe_gap: Option<f64>,
    last_arrival: Duration,
}

impl Evidence {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            frames: 0,
            keyframes: 0,
            packets: 0,
            lost: 0,
            bytes: 0,
            first_frame: None,
            last_frame: 0.0,
            last_keyframe: None,
            longest_keyframe_gap: None,
            last_arrival: Duration::ZERO,
        }
    }

    /// Takes in a packet. A frame is a change of timestamp: some cameras set the marker bit on the wrong packets.
    pub(super) fn packet(&mut self, packet: Packet<'_>) {
        self.packets += 1;
        // A stream that is joined in the middle lacks what was sent before, which is no loss.
        if self.packets > 1 {
            self.lost += u32::from(packet.lost);
        }
        self.bytes += packet.payload.len() as u64;
        self.last_arrival = packet.arrived;
        if self.first_frame.is_none() || packet.media != self.last_frame {
            self.frames += 1;
            self.first_frame.get_or_insert(packet.media);
            self.last_frame = packet.media;
        }
        if nal::begins_keyframe(self.codec, packet.payload) && self.last_keyframe != Some(packet.media) {
            self.keyframes += 1;
            if let Some(last) = self.last_keyframe.replace(packet.media) {
                let gap = packet.media - last;
                self.longest_keyframe_gap = Some(self.longest_keyframe_gap.map_or(gap, |longest| longest.max(gap)));
            }
        }
    }

    /// Whether no more need be seen: enough frames whose timestamps advance, and enough keyframes.
    pub(super) fn suffices(&self, frames: u32, keyframes: u32) -> bool {
        self.frames >= frames && self.keyframes >= keyframes && self.media_seconds() > 0.0
    }

    /// The verdict when the look ended after `looked`, having wanted `frames`; `broken` when the session ended by
    /// itself.
    pub(super) fn verdict(&self, looked: Duration, frames: u32, broken: bool) -> Result<String, Failure> {
        let silence = looked.saturating_sub(self.last_arrival);
        if self.frames == 0 {
            let detail = format!("PLAY was granted, but no video came in {:.1} s", looked.as_secs_f64());
            return Err(Failure::new(FailureKind::NoMedia, detail));
        }
        if self.suffices(frames, 0) {
            return Ok(self.summary());
        }
        // A slow camera may need longer than a look for its frames; it is alive as long as it goes on.
        let patience = Duration::from_secs_f64((3.0 * self.frame_seconds().unwrap_or(0.0)).max(2.0));
        if !broken && self.frames >= 2 && self.media_seconds() > 0.0 && silence < patience {
            return Ok(self.summary());
        }
        let detail = format!("video stopped after {} frames, silent for {:.1} s", self.frames, silence.as_secs_f64());
        Err(Failure::new(FailureKind::Stalled, detail))
    }

    /// The facts for pages, metrics and JSON.
    pub(super) fn facts(&self, size: Option<(u32, u32)>) -> StreamFacts {
        StreamFacts {
            codec: self.codec,
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
            fps: self.frame_seconds().map(|seconds| 1.0 / seconds),
            bytes_per_second: (self.media_seconds() > 0.0).then(|| self.bytes as f64 / self.media_seconds()),
            keyframe_interval_seconds: self.longest_keyframe_gap,
            frames: self.frames,
            keyframes: self.keyframes,
            packets: self.packets,
            packets_lost: self.lost,
        }
    }

    /// Frames seen so far.
    pub(super) fn frames(&self) -> u32 {
        self.frames
    }

    fn media_seconds(&self) -> f64 {
        self.first_frame.map_or(0.0, |first| self.last_frame - first)
    }

    fn frame_seconds(&self) -> Option<f64> {
        (self.frames >= 2 && self.media_seconds() > 0.0).then(|| self.media_seconds() / f64::from(self.frames - 1))
    }

    fn summary(&self) -> String {
        let rate = self.frame_seconds().map_or_else(String::new, |seconds| format!(", {:.1} frames/s", 1.0 / seconds));
        format!("{} frames, {} keyframes{rate}", self.frames, self.keyframes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of two packets each at `fps`, a keyframe each `gop`.
    fn stream(frames: u32, fps: f64, gop: u32) -> Evidence {
        let mut evidence = Evidence::new(Codec::H264);
        for frame in 0..frames {
            let media = f64::from(frame) / fps;
            let arrived = Duration::from_secs_f64(media);
            let nal = if frame % gop == 0 { 0x65 } else { 0x41 };
            for _ in 0..2 {
                evidence.packet(Packet { media, payload: &[nal; 500], lost: 0, arrived });
            }
        }
        evidence
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
        assert!((facts.bytes_per_second.expect("bytes") - 15_500.0).abs() < 1.0);
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
}
