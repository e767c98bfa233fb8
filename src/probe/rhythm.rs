//! The rhythm of a stream: do its timestamps advance, without jumps, at the speed of time, and evenly? And do its
//! frames arrive live, or from a cache?
//!
//! Pure. Times of arrival and media times are both in seconds from any beginning.
//!
//! Who has the last group of pictures in a cache can send it faster than it was filmed, but not for longer than it
//! lasts. So frames count as live from the last one on that did not come ahead of its time: the *live stretch*. What
//! runs ahead begins the stretch anew; what comes late, as behind a full line, does not.

use std::collections::HashSet;

/// A step forward beyond this is a jump: no camera that is looked at sends a frame so seldom.
const JUMP_FORWARD: f64 = 10.0;
/// A step back beyond this is a jump; less is the reordering of B-frames.
const JUMP_BACK: f64 = -1.0;
/// Buffered frames come in a burst at first, which says nothing about speed.
const SETTLING: f64 = 1.0;
/// Less than this is too short to tell a wrong speed from jitter.
const SPEED_SPAN: f64 = 2.5;

/// By how much frames may run ahead of time: what a network holds back for a moment, it delivers at once.
const AHEAD: f64 = 0.3;
/// By how much a camera's clock may be fast while its frames still count as live.
const FAST: f64 = 0.1;

/// Timestamps of one look that are remembered: more than a camera at 120 frames a second has in it.
const REMEMBERED: usize = 2048;

/// A sender that begins anew within this time, and no further away in its own, has not been away.
const PAUSE: f64 = 1.0;

/// What the frames so far show.
#[derive(Debug, Clone, Default)]
pub(super) struct Rhythm {
    last: Option<Beat>,
    /// Media time without its jumps.
    smooth: f64,
    live: Stretch,
    line: Line,
    first_arrival: Option<f64>,
    frames: u32,
    media_span: f64,
    steps: u32,
    jitter: f64,
    worst_jitter: f64,
    jumps: u32,
    /// Media time by which jumps have moved the timestamps.
    jumped: f64,
    /// The longest time without a frame that ended.
    longest_pause: f64,
    /// The times of all frames: one that comes again is a repetition, or a late piece, and no new frame.
    seen: HashSet<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    media: f64,
    arrived: f64,
}

/// Frames that came no faster than time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stretch {
    smooth: f64,
    from: f64,
    to: f64,
    /// How many.
    pub(super) frames: u32,
}

impl Stretch {
    /// Seconds in which they arrived.
    pub(super) fn seconds(&self) -> f64 {
        self.to - self.from
    }

    fn extend(&mut self, smooth: f64, arrived: f64) {
        let real = arrived - self.from;
        if self.frames == 0 || smooth - self.smooth - real > AHEAD + FAST * real {
            *self = Self { smooth, from: arrived, to: arrived, frames: 0 };
        }
        self.to = arrived;
        self.frames += 1;
    }
}

/// The line of least squares through media time over arrival: bursts do not bend it as its ends would be.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    count: f64,
    media: f64,
    arrived: f64,
    product: f64,
    square: f64,
    from: Option<f64>,
    to: f64,
}

impl Line {
    fn extend(&mut self, media: f64, arrived: f64) {
        self.count += 1.0;
        self.media += media;
        self.arrived += arrived;
        self.product += media * arrived;
        self.square += arrived * arrived;
        self.from.get_or_insert(arrived);
        self.to = arrived;
    }

    fn slope(&self) -> Option<f64> {
        let spread = self.count * self.square - self.arrived * self.arrived;
        (spread > 1e-9).then(|| (self.count * self.product - self.media * self.arrived) / spread)
    }
}

impl Rhythm {
    /// Whether a packet of this media time belongs to the frame that is arriving.
    pub(super) fn is_at(&self, media: f64) -> bool {
        self.last.is_some_and(|last| last.media == media)
    }

    /// Whether a frame of this media time has come before.
    pub(super) fn knows(&self, media: f64) -> bool {
        self.seen.contains(&media.to_bits())
    }

    /// Takes in the first packet of a frame; whether it is a frame of its own, that is, the timestamp changed.
    pub(super) fn beat(&mut self, media: f64, arrived: f64) -> bool {
        if self.seen.len() < REMEMBERED {
            self.seen.insert(media.to_bits());
        }
        let Some(last) = self.last else {
            self.frames = 1;
            self.live.extend(0.0, arrived);
            self.first_arrival = Some(arrived);
            self.last = Some(Beat { media, arrived });
            return true;
        };
        if media == last.media {
            return false;
        }
        self.frames += 1;
        self.longest_pause = self.longest_pause.max(arrived - last.arrived);
        let step = media - last.media;
        // A jump says nothing about speed: it counts as the time in which it happened.
        self.smooth += if (JUMP_BACK..=JUMP_FORWARD).contains(&step) { step } else { arrived - last.arrived };
        self.live.extend(self.smooth, arrived);
        if (JUMP_BACK..=JUMP_FORWARD).contains(&step) {
            self.media_span += step;
            self.steps += 1;
            // RFC 3550, section 6.4.1.
            let difference = ((arrived - last.arrived) - step).abs();
            self.jitter += (difference - self.jitter) / 16.0;
            self.worst_jitter = self.worst_jitter.max(self.jitter);
        } else {
            self.jumps += 1;
            self.jumped += step;
        }
        if self.first_arrival.is_some_and(|first| arrived - first >= SETTLING) {
            self.line.extend(media - self.jumped, arrived);
        }
        self.last = Some(Beat { media, arrived });
        true
    }

    /// The sender began anew at `media`: whether its time goes on where it was. If not, that is no jump of a clock.
    pub(super) fn sender_began_anew(&mut self, media: f64, arrived: f64) -> bool {
        let Some(last) = &mut self.last else { return true };
        let (step, pause) = (media - last.media, arrived - last.arrived);
        let goes_on = pause < PAUSE && (-PAUSE..=PAUSE).contains(&step);
        if !goes_on {
            last.media = media - pause.max(f64::MIN_POSITIVE);
            self.seen.clear();
        }
        goes_on
    }

    /// Media time without its jumps, in seconds since the first frame.
    pub(super) fn smooth(&self) -> f64 {
        self.smooth
    }

    /// The newest frames that came no faster than time.
    pub(super) fn live(&self) -> Stretch {
        self.live
    }

    /// When the first and the last frame began to arrive.
    pub(super) fn arrivals(&self) -> Option<(f64, f64)> {
        Some((self.first_arrival?, self.last?.arrived))
    }

    /// The longest pause so far after which frames came again, in seconds.
    pub(super) fn longest_pause(&self) -> f64 {
        self.longest_pause
    }

    /// Seconds of arrival from frame to frame.
    pub(super) fn arrival_seconds(&self) -> Option<f64> {
        let (first, last) = self.arrivals()?;
        (self.frames > 1).then(|| (last - first) / f64::from(self.frames - 1))
    }

    /// Media seconds between the first and the last frame, jumps left out.
    pub(super) fn media_seconds(&self) -> f64 {
        self.media_span
    }

    /// Media seconds from frame to frame.
    pub(super) fn frame_seconds(&self) -> Option<f64> {
        (self.steps > 0 && self.media_span > 0.0).then(|| self.media_span / f64::from(self.steps))
    }

    /// The worst interarrival jitter so far, in seconds.
    pub(super) fn jitter(&self) -> Option<f64> {
        (self.steps >= 2).then_some(self.worst_jitter)
    }

    /// Timestamps that jumped.
    pub(super) fn jumps(&self) -> u32 {
        self.jumps
    }

    /// Media seconds a second of arrival, after the first burst.
    pub(super) fn speed(&self) -> Option<f64> {
        let span = self.line.to - self.line.from?;
        self.line.slope().filter(|_| span >= SPEED_SPAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames whose media and arrival times are functions of their number.
    fn rhythm(frames: u32, media: impl Fn(f64) -> f64, arrival: impl Fn(f64) -> f64) -> Rhythm {
        let mut rhythm = Rhythm::default();
        for frame in (0..frames).map(f64::from) {
            rhythm.beat(media(frame), arrival(frame));
        }
        rhythm
    }

    #[test]
    fn an_even_stream_runs_at_the_speed_of_time() {
        let even = rhythm(90, |frame| frame / 15.0, |frame| frame / 15.0);
        assert!((even.speed().expect("six seconds") - 1.0).abs() < 1e-6);
        assert!(even.jitter().expect("frames") < 1e-9);
        assert_eq!(even.jumps(), 0);
    }

    #[test]
    fn a_stream_at_half_speed_is_measured_despite_its_first_burst() {
        let half = rhythm(90, |frame| frame / 30.0, |frame| if frame < 10.0 { 0.0 } else { (frame - 10.0) / 15.0 });
        assert!((half.speed().expect("enough") - 0.5).abs() < 0.05, "{half:?}");
    }

    #[test]
    fn jumps_are_counted_and_do_not_bend_the_rates() {
        let jump = |frame: f64| frame / 15.0 + if frame >= 40.0 { 3600.0 } else { 0.0 };
        let jumped = rhythm(90, jump, |frame| frame / 15.0);
        assert_eq!(jumped.jumps(), 1);
        assert!((jumped.frame_seconds().expect("frames") - 1.0 / 15.0).abs() < 1e-6);
        assert!((jumped.speed().expect("enough") - 1.0).abs() < 0.05);
    }

    /// What arrives within `seconds` of a cache that holds `cached` seconds and is sent `speed` times too fast, and of
    /// the live stream after it.
    fn relay(cached: f64, speed: f64, seconds: f64) -> Rhythm {
        let handed_over = cached / speed;
        let arrival = |frame: f64| {
            let media = frame / 15.0;
            if media < cached { media / speed } else { (media - cached).max(handed_over) }
        };
        let mut rhythm = Rhythm::default();
        (0..600).map(f64::from).filter(|frame| arrival(*frame) <= seconds).for_each(|frame| {
            rhythm.beat(frame / 15.0, arrival(frame));
        });
        rhythm
    }

    #[test]
    fn a_cache_has_no_live_stretch_and_what_follows_it_has() {
        for (cached, speed) in [(3.0, 1e6), (3.0, 4.0), (10.0, 10.0), (10.0, 2.0)] {
            let burst = relay(cached, speed, cached / speed);
            assert!(burst.live().seconds() < 0.5, "{cached} s at {speed}: {:?}", burst.live());
            let live = relay(cached, speed, cached + 1.2).live();
            assert!(live.seconds() > 0.6 && live.frames >= 10, "{cached} s at {speed}: {live:?}");
        }
        let bursts = rhythm(31, |frame| frame / 15.0, |frame| (frame / 15.0).ceil()).live();
        assert!(bursts.seconds() > 0.9 && bursts.frames > 10, "a second at once, again and again, is live: {bursts:?}");
    }

    #[test]
    fn a_sender_that_begins_anew_makes_no_jump() {
        let mut rhythm = rhythm(15, |frame| frame / 15.0, |frame| frame / 15.0);
        assert!(rhythm.sender_began_anew(1.0, 1.0), "it goes on");
        rhythm.beat(1.0, 1.0);
        assert!(!rhythm.sender_began_anew(-3000.0, 1.1), "it was away");
        rhythm.beat(-3000.0, 1.1);
        rhythm.beat(-2999.9, 1.2);
        assert_eq!(rhythm.jumps(), 0);
        assert!((rhythm.media_seconds() - 1.2).abs() < 1e-6, "{rhythm:?}");
    }

    #[test]
    fn reordered_frames_are_no_jump() {
        // I P B B: timestamps 0 3 1 2.
        let order = [0.0, 3.0, 1.0, 2.0];
        let reordered =
            rhythm(40, |frame| (frame - frame % 4.0 + order[frame as usize % 4]) / 15.0, |frame| frame / 15.0);
        assert_eq!(reordered.jumps(), 0);
        assert!((reordered.frame_seconds().expect("frames") - 1.0 / 15.0).abs() < 0.01);
    }

    #[test]
    fn bursts_show_as_jitter() {
        let bursts = rhythm(90, |frame| frame / 15.0, |frame| (frame / 15.0).ceil());
        assert!(bursts.jitter().expect("frames") > 0.08, "{bursts:?}");
        assert!((bursts.speed().expect("seconds") - 1.0).abs() < 0.1, "and not as a wrong speed: {bursts:?}");
    }
}
