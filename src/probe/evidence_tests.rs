//! What is proof of life and what is none, for streams made of numbers.

use super::*;
use proptest::prelude::*;

/// Frames of two packets each at `fps`, a keyframe each `gop`; `content` gives the byte that fills a frame, `arrival`
/// the second in which frame number so many comes.
fn stream_of(frames: u32, fps: f64, gop: u32, content: impl Fn(u32) -> u8, arrival: impl Fn(f64) -> f64) -> Evidence {
    let mut evidence = Evidence::new(Codec::H264);
    for frame in 0..frames {
        let media = f64::from(frame) / fps;
        let arrived = Duration::from_secs_f64(arrival(f64::from(frame)));
        let mut payload = [content(frame); 500];
        payload[0] = if frame % gop == 0 { 0x65 } else { 0x41 };
        // A counter, as slice headers have.
        payload[1] = frame as u8;
        for _ in 0..2 {
            evidence.packet(Packet { media, payload: &payload, lost: 0, anew: false, arrived });
        }
    }
    evidence
}

fn stream(frames: u32, fps: f64, gop: u32) -> Evidence {
    stream_of(frames, fps, gop, |frame| frame as u8, |frame| frame / fps)
}

#[track_caller]
fn check(evidence: &Evidence, looked: f64, end: End, expected: Result<(), FailureKind>) {
    let verdict = evidence.verdict(Duration::from_secs_f64(looked), 10, end);
    assert_eq!(verdict.map(|_| ()).map_err(|failure| failure.kind), expected);
}

fn facts(evidence: &Evidence, size: Option<(u32, u32)>) -> StreamFacts {
    evidence.facts(size, Duration::from_secs(2), 10)
}

#[test]
fn ten_frames_over_half_a_second_suffice() {
    assert!(stream(10, 15.0, 30).suffices(10, 1));
    assert!(!stream(9, 15.0, 30).suffices(10, 1));
    assert!(!stream(10, 15.0, 30).suffices(10, 2));
    assert!(!stream(12, 30.0, 30).suffices(10, 1), "ten frames in a third of a second");
    check(&stream(10, 15.0, 30), 0.7, End::Ours, Ok(()));
}

#[test]
fn what_comes_faster_than_it_was_filmed_is_no_proof() {
    let cached = stream_of(45, 15.0, 30, |frame| frame as u8, |_| 0.05);
    assert!(!cached.suffices(10, 0));
    assert!(!cached.decided(Duration::from_secs(1), 10), "live video may follow");
    assert!(cached.decided(Duration::from_secs(3), 10));
    check(&cached, 6.5, End::Ours, Err(FailureKind::CachedOnly));
    let relay = stream_of(60, 15.0, 30, |frame| frame as u8, |frame| ((frame - 45.0) / 15.0).max(0.05));
    assert!(relay.suffices(10, 0), "live video follows");
    check(&relay, 1.0, End::Ours, Ok(()));
    check(&relay, 6.5, End::Ours, Err(FailureKind::Stalled));
}

#[test]
fn how_a_look_ends_counts_however_it_began() {
    check(&stream(15, 15.0, 30), 6.5, End::Ours, Err(FailureKind::Stalled));
    check(&stream(15, 15.0, 30), 1.0, End::Closed, Err(FailureKind::SessionClosed));
    check(&stream(90, 15.0, 30), 8.1, End::Ours, Err(FailureKind::Stalled));
    check(&stream(90, 15.0, 30), 6.5, End::Ours, Ok(()));
    assert!(!facts(&stream(90, 15.0, 30), None).proven || Duration::from_secs(2) < Duration::from_secs(6));
}

#[test]
fn rates_come_from_media_time() {
    let facts = facts(&stream(31, 15.0, 15), Some((640, 360)));
    assert_eq!((facts.frames, facts.keyframes, facts.packets), (31, 3, 62));
    assert!((facts.fps.expect("a rate") - 15.0).abs() < 1e-6);
    assert!((facts.keyframe_interval_seconds.expect("two keyframes") - 1.0).abs() < 1e-6);
    assert!((facts.bytes_per_second.expect("bytes") - 15_000.0).abs() < 1.0);
    assert_eq!(facts.delta_frame_bytes, Some(1000.0));
}

#[test]
fn a_jump_of_the_clock_is_no_keyframe_interval_and_hides_no_stall() {
    let mut evidence = Evidence::new(Codec::H264);
    for frame in 0..40 {
        let arrived = Duration::from_secs_f64(f64::from(frame) / 15.0);
        let media = arrived.as_secs_f64() + if frame >= 20 { 3600.0 } else { 0.0 };
        let payload = [if frame % 15 == 0 { 0x65 } else { 0x41 }, frame as u8];
        evidence.packet(Packet { media, payload: &payload, lost: 0, anew: false, arrived });
    }
    let interval = facts(&evidence, None).keyframe_interval_seconds.expect("three keyframes");
    assert!((interval - 1.0).abs() < 0.1, "{interval}");
    check(&evidence, 3.0, End::Ours, Ok(()));
    check(&evidence, 6.5, End::Ours, Err(FailureKind::Stalled));
}

#[test]
fn timestamps_without_sense_are_alive_while_they_come() {
    let mut evidence = Evidence::new(Codec::H264);
    for frame in 0..97 {
        let arrived = Duration::from_secs_f64(f64::from(frame) / 15.0);
        let media = f64::from(frame) * if frame % 2 == 0 { 5000.0 } else { -900.0 };
        evidence.packet(Packet { media, payload: &[0x41, frame as u8], lost: 0, anew: false, arrived });
    }
    check(&evidence, 6.5, End::Ours, Ok(()));
    let ten_times = stream_of(65, 1.0, 30, |frame| frame as u8, |frame| frame / 10.0);
    assert!(!ten_times.suffices(10, 0), "it runs ahead of its time, as a cache does");
    check(&ten_times, 6.5, End::Ours, Ok(()));
}

#[test]
fn silence_is_no_media_and_an_end_is_told() {
    check(&Evidence::new(Codec::H264), 6.5, End::Ours, Err(FailureKind::NoMedia));
    check(&Evidence::new(Codec::H264), 0.1, End::Closed, Err(FailureKind::NoMedia));
    check(&stream(5, 15.0, 30), 6.5, End::Ours, Err(FailureKind::Stalled));
    check(&stream(5, 15.0, 30), 0.4, End::Closed, Err(FailureKind::SessionClosed));
}

#[test]
fn a_slow_camera_that_goes_on_is_alive() {
    check(&stream(6, 1.0, 30), 6.5, End::Ours, Ok(()));
    check(&stream(2, 0.25, 30), 6.5, End::Ours, Ok(()));
}

#[test]
fn a_timestamp_that_stands_still_is_no_life() {
    let mut evidence = stream(15, 15.0, 30);
    for tick in 0..100 {
        let arrived = Duration::from_secs_f64(1.0 + f64::from(tick) * 0.055);
        evidence.packet(Packet { media: 14.0 / 15.0, payload: &[0x41], lost: 0, anew: false, arrived });
    }
    check(&evidence, 6.5, End::Ours, Err(FailureKind::Stalled));
}

#[test]
fn the_same_frame_again_and_again_is_frozen_whatever_its_counter_says() {
    let same = |frames, gop, content: fn(u32) -> u8| stream_of(frames, 15.0, gop, content, |frame| frame / 15.0);
    check(&same(10, 1, |_| 7), 0.7, End::Ours, Err(FailureKind::Frozen));
    check(&same(10, 30, |_| 7), 0.7, End::Ours, Err(FailureKind::Frozen));
    // A picture that stands for a moment, as from a source slower than its encoder.
    check(&same(12, 30, |frame| (frame / 2) as u8), 0.7, End::Ours, Ok(()));
    assert!(same(12, 30, |_| 7).hangs(10) && !same(12, 30, |frame| frame as u8).hangs(10));
    // An encoder that hangs while we look.
    check(&same(97, 300, |frame| frame.min(40) as u8), 6.5, End::Ours, Err(FailureKind::Frozen));
    check(&same(97, 300, |frame| frame.min(80) as u8), 6.5, End::Ours, Ok(()));
}

#[test]
fn a_sender_that_goes_on_is_well_and_one_that_was_away_is_told() {
    let anew = |step: f64| {
        let mut evidence = Evidence::new(Codec::H264);
        for frame in 0..15 {
            let arrived = Duration::from_secs_f64(f64::from(frame) / 15.0);
            let media = arrived.as_secs_f64() + if frame >= 8 { step } else { 0.0 };
            evidence.packet(Packet { media, payload: &[0x41, frame as u8], lost: 0, anew: frame == 8, arrived });
        }
        evidence
    };
    check(&anew(0.0), 1.0, End::Ours, Ok(()));
    check(&anew(-4000.0), 1.0, End::Ours, Err(FailureKind::EncoderRestarted));
    assert!(facts(&anew(-4000.0), None).proven);
    assert_eq!(facts(&anew(-4000.0), None).timestamp_jumps, 0);
}

#[test]
fn frames_with_a_packet_missing_are_compared_with_nothing() {
    let mut evidence = Evidence::new(Codec::Mjpeg);
    for frame in 0..10 {
        let media = f64::from(frame);
        let arrived = Duration::from_secs_f64(media);
        evidence.packet(Packet { media, payload: &[9; 100], lost: 1, anew: false, arrived });
    }
    assert_eq!(facts(&evidence, None).identical_frames, 0);
    assert_eq!(facts(&evidence, None).packets_lost, 9);
}

#[test]
fn new_parameter_sets_in_mid_stream_are_counted() {
    let mut evidence = Evidence::new(Codec::H264);
    for (frame, level) in [30, 30, 31, 31].into_iter().enumerate() {
        let media = frame as f64;
        let arrived = Duration::from_secs_f64(media);
        for payload in [&[0x67, 66, 0, level][..], &[0x65, frame as u8]] {
            evidence.packet(Packet { media, payload, lost: 0, anew: false, arrived });
        }
    }
    assert_eq!(facts(&evidence, None).parameter_changes, 1);
}

#[test]
fn a_codec_that_is_not_taken_apart_is_video_all_the_same() {
    let mut evidence = Evidence::new(Codec::Other);
    for frame in 0..12 {
        let arrived = Duration::from_secs_f64(f64::from(frame) / 15.0);
        let media = arrived.as_secs_f64();
        evidence.packet(Packet { media, payload: &[frame as u8; 300], lost: 0, anew: false, arrived });
    }
    assert!(evidence.suffices(10, 1), "its keyframes cannot be waited for");
    check(&evidence, 0.8, End::Ours, Ok(()));
    assert_eq!((facts(&evidence, None).frames, facts(&evidence, None).keyframes), (12, 0));
}

proptest! {
    /// Whatever a stream did before: where it has been silent for longer than anybody's patience, it is not proven.
    #[test]
    fn nothing_outvotes_a_silence(
        steps in proptest::collection::vec((0.0..0.4f64, -20.0..20.0f64, 0u16..50, any::<bool>()), 1..80),
        silence in 12.0..100.0f64,
    ) {
        let mut evidence = Evidence::new(Codec::H265);
        let (mut arrived, mut media) = (0.0, 0.0);
        for (gap, step, lost, anew) in steps {
            arrived += gap;
            media += step;
            let arrived = Duration::from_secs_f64(arrived);
            evidence.packet(Packet { media, payload: &[2, 1, 7], lost, anew, arrived });
        }
        let looked = Duration::from_secs_f64(arrived + silence);
        prop_assert!(evidence.verdict(looked, 10, End::Ours).is_err());
        prop_assert!(!evidence.facts(None, looked, 10).proven);
    }

    /// What comes within less than half a second proves nothing, however much it is and whatever it says of itself.
    #[test]
    fn no_burst_is_proof(media in proptest::collection::vec(-1e6..1e6f64, 1..200)) {
        let mut evidence = Evidence::new(Codec::H264);
        for (number, media) in media.iter().enumerate() {
            let arrived = Duration::from_secs_f64(number as f64 * 0.49 / 200.0);
            evidence.packet(Packet { media: *media, payload: &[0x65, number as u8], lost: 0, anew: false, arrived });
        }
        prop_assert!(!evidence.suffices(1, 0));
        prop_assert!(evidence.verdict(Duration::from_secs_f64(0.6), 1, End::Ours).is_err());
    }

    /// An even stream is proven after a second, whatever part of it is lost, at any rate that is video.
    #[test]
    fn an_even_stream_is_proven(fps in 12.0..60.0f64, kept in proptest::collection::vec(any::<bool>(), 60)) {
        let mut evidence = Evidence::new(Codec::H264);
        let mut lost = 0;
        for frame in 0..(fps * 6.5) as usize {
            let arrived = Duration::from_secs_f64(frame as f64 / fps);
            if !kept[frame % 60] && frame % 60 != 0 {
                lost += 1;
                continue;
            }
            let payload = [0x41, frame as u8, (frame >> 8) as u8];
            evidence.packet(Packet { media: arrived.as_secs_f64(), payload: &payload, lost, anew: false, arrived });
            lost = 0;
        }
        prop_assert!(evidence.verdict(Duration::from_secs_f64(6.5), 10, End::Ours).is_ok());
    }
}

/// What a look sees of packets that come 25 times a second: media time and payload of number so many.
fn packets(codec: Codec, media: impl Fn(u32) -> f64, payload: impl Fn(u32) -> Vec<u8>) -> Evidence {
    let mut evidence = Evidence::new(codec);
    for number in 0..162 {
        let arrived = Duration::from_secs_f64(f64::from(number) / 25.0);
        let payload = payload(number);
        evidence.packet(Packet { media: media(number), payload: &payload, lost: 0, anew: false, arrived });
    }
    evidence
}

#[test]
fn what_shows_no_picture_is_no_video() {
    let time = |number: u32| f64::from(number) / 25.0;
    let nothing: [fn(u32) -> Vec<u8>; 5] = [
        |_| Vec::new(),
        |number| vec![0x06, 5, number as u8, 7],
        |number| vec![0x0c, number as u8, 0xff],
        |_| vec![0x67, 0x42, 0, 0x1e, 1],
        // Later pieces of pictures that never began.
        |number| vec![0x7c, 0x01, number as u8, 7],
    ];
    for payload in nothing {
        let evidence = packets(Codec::H264, time, payload);
        assert!(!evidence.suffices(10, 0));
        check(&evidence, 6.5, End::Ours, Err(FailureKind::NoMedia));
    }
}

#[test]
fn what_is_sent_again_is_no_new_frame() {
    let picture = |number: u32| vec![0x41; 100 + number as usize];
    let two = packets(Codec::H264, |number| f64::from(number % 2) / 25.0, |number| picture(number % 2));
    check(&two, 6.5, End::Ours, Err(FailureKind::Stalled));
    let cache = packets(Codec::H264, |number| f64::from(number % 50) / 25.0, |number| picture(number % 50));
    check(&cache, 6.5, End::Ours, Err(FailureKind::Stalled));
}

#[test]
fn pictures_that_alternate_or_repeat_seldom_stand_still() {
    let time = |number: u32| f64::from(number) / 25.0;
    let two = packets(Codec::H264, time, |number| vec![0x41; 100 + (number % 2) as usize]);
    check(&two, 6.5, End::Ours, Err(FailureKind::Frozen));
    let noted = |number: u32| if number.is_multiple_of(2) { vec![0x06, 5, number as u8, 7] } else { vec![0x65; 200] };
    check(&packets(Codec::H264, |number| time(number / 2), noted), 3.3, End::Ours, Err(FailureKind::Frozen));
    let seldom = stream_of(7, 1.0, 1, |_| 9, |frame| frame);
    check(&seldom, 6.5, End::Ours, Err(FailureKind::Frozen));
}

#[test]
fn a_stream_that_paused_before_is_waited_for_and_not_believed() {
    let bursts = stream_of(100, 15.0, 30, |frame| frame as u8, |frame| (frame / 33.0).floor() * 2.2);
    let at = |seconds| Duration::from_secs_f64(seconds);
    assert!(!bursts.decided(at(6.6 + 2.1), 10) && !bursts.proven(at(6.6 + 2.1), 10));
    assert!(bursts.decided(at(6.6 + 3.4), 10));
}
