//! What one look says under the commune's thresholds: facts that the probe only reports become failures here.

use super::Settings;
use crate::model::{Failure, FailureKind, Observation};

/// The failure of an observation: the probe's own, or else what its facts amount to under `settings`.
///
/// The worst comes first: a stream that loses packets matters more to an officer than a clock that is off.
/// `known_offset` is the camera's clock offset as last measured: looks at the stream do not measure it, and must
/// not deny it.
pub fn judge(observation: &Observation, known_offset: Option<f64>, settings: &Settings) -> Option<Failure> {
    observation
        .failure
        .clone()
        .or_else(|| loss(observation, settings))
        .or_else(|| clock(observation.clock_offset_seconds.or(known_offset)?, settings))
}

fn loss(observation: &Observation, settings: &Settings) -> Option<Failure> {
    let stream = observation.stream.as_ref()?;
    // One or two missing packets are usual where a shared encoder is joined in the middle, so a ratio alone
    // would convict a healthy camera after a short look.
    if stream.packets_lost <= 2 {
        return None;
    }
    let sent = f64::from(stream.packets) + f64::from(stream.packets_lost);
    let ratio = f64::from(stream.packets_lost) / sent;
    (ratio > settings.loss_ratio).then(|| {
        Failure::new(
            FailureKind::Loss,
            format!("{} of {} RTP packets lost ({:.1} %)", stream.packets_lost, sent, 100.0 * ratio),
        )
    })
}

fn clock(offset: f64, settings: &Settings) -> Option<Failure> {
    (offset.abs() > settings.clock_offset.as_secs_f64()).then(|| {
        let half_hours = offset / 1800.0;
        // Whole half hours are a time zone set wrong, not a clock that drifts.
        let hint = if half_hours.abs() >= 1.0 && (half_hours - half_hours.round()).abs() * 1800.0 < 30.0 {
            "; check its time zone"
        } else {
            ""
        };
        Failure::new(FailureKind::Clock, format!("camera clock is {offset:+.0} s off{hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, Codec, StreamFacts};

    fn look(packets: u32, packets_lost: u32, clock_offset_seconds: Option<f64>) -> Observation {
        Observation {
            check: Check::Stream,
            started: jiff::Timestamp::UNIX_EPOCH,
            took: std::time::Duration::ZERO,
            rungs: Vec::new(),
            failure: None,
            stream: Some(StreamFacts {
                codec: Codec::H264,
                width: None,
                height: None,
                fps: None,
                bytes_per_second: None,
                keyframe_interval_seconds: None,
                frames: 10,
                keyframes: 1,
                packets,
                packets_lost,
            }),
            device: None,
            clock_offset_seconds,
            bytes: 0,
        }
    }

    #[track_caller]
    fn check(observation: Observation, expected: Option<&str>) {
        let failure = judge(&observation, None, &Settings::default());
        assert_eq!(failure.map(|failure| failure.detail).as_deref(), expected);
    }

    #[test]
    fn facts_within_the_thresholds_are_no_failure() {
        check(look(100, 2, Some(-59.0)), None);
    }

    #[test]
    fn a_look_that_measures_no_clock_does_not_deny_a_wrong_one() {
        let failure = judge(&look(100, 0, None), Some(3600.0), &Settings::default());
        assert_eq!(failure.map(|failure| failure.kind), Some(FailureKind::Clock));
        assert_eq!(judge(&look(100, 0, Some(0.0)), Some(3600.0), &Settings::default()), None);
    }

    #[test]
    fn lost_packets_are_told_with_their_share() {
        check(look(90, 10, None), Some("10 of 100 RTP packets lost (10.0 %)"));
    }

    #[test]
    fn a_clock_that_is_off_by_hours_points_to_the_time_zone() {
        check(look(10, 0, Some(25_201.0)), Some("camera clock is +25201 s off; check its time zone"));
        check(look(10, 0, Some(100.0)), Some("camera clock is +100 s off"));
    }
}
