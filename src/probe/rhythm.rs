//! The rhythm of a stream: do its timestamps advance, without jumps, at the speed of time, and evenly?
//!
//! Pure. Times of arrival and media times are both in seconds from any beginning.

/// A step forward beyond this is a jump: no camera that is looked at sends a frame so seldom.
const JUMP_FORWARD: f64 = 10.0;
/// A step back beyond this is a jump; less is the reordering of B-frames.
const JUMP_BACK: f64 = -1.0;
/// Buffered frames come in a burst at first, which says nothing about speed.
const SETTLING: f64 = 1.0;
/// Less than this is too short to tell a wrong speed from jitter.
const SPEED_SPAN: f64 = 2.5;

/// What the frames so far show.
#[derive(Debug, Clone, Default)]
pub(super) struct Rhythm {
    last: Option<Beat>,
    line: Line,
    first_arrival: Option<f64>,
    media_span: f64,
    steps: u32,
    jitter: f64,
    worst_jitter: f64,
    jumps: u32,
    /// Media time by which jumps have moved the timestamps.
    jumped: f64,
}

#[derive(Debug, Clone, Copy)]
struct Beat {
    media: f64,
    arrived: f64,
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
    /// Takes in the first packet of a frame; whether it is a frame of its own, that is, the timestamp changed.
    pub(super) fn beat(&mut self, media: f64, arrived: f64) -> bool {
        let Some(last) = self.last else {
            self.last = Some(Beat { media, arrived });
            self.first_arrival = Some(arrived);
            return true;
        };
        if media == last.media {
            return false;
        }
        let step = media - last.media;
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
