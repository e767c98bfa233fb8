//! What one look says under the commune's thresholds: facts that the probe only reports become failures here.
//!
//! The worst comes first: a stream that loses packets matters more to an officer than a clock that is off. Each
//! threshold is left only with a margin, so that a value on its edge does not flap.

use super::Settings;
use crate::model::{
    Check, Detail, DeviceFacts, Failure, FailureKind, Hour, Known, LoginScheme, Memory, Observation, Promise,
    StreamFacts, StreamKind, elapsed, later, told,
};
use jiff::Timestamp;

/// What a threshold that was crossed must be undercut by before it counts as kept again.
const MARGIN: f64 = 0.8;
/// Between two measurements of drift: sender reports are exact to a fraction of a second only.
const DRIFT_SPAN: f64 = 600.0;
/// Steps of a clock below this are how clocks are set.
const DRIFT_STEP: f64 = 2.0;

/// What a camera is measured by.
#[derive(Debug, Clone, Copy)]
pub struct Measure<'a> {
    /// What its stream should be.
    pub promise: &'a Promise,
    /// The serial number that the configuration names.
    pub serial: Option<&'a str>,
    /// Path and port of the configured stream, as `:554/sub`.
    pub stream: &'a str,
    /// Why it is not well now, if it is not: that threshold is left with a margin.
    pub cause: Option<FailureKind>,
    /// The commune's thresholds.
    pub settings: &'a Settings,
}

/// Takes an observation into `memory` and gives its failure: the probe's own, or else what its facts and what is
/// remembered amount to.
pub fn judge(now: Timestamp, observation: &Observation, memory: &mut Memory, measure: Measure<'_>) -> Option<Failure> {
    if let Some(offset) = observation.clock_offset_seconds {
        clock_was_reset(now, offset, memory);
        memory.clock_offset_seconds = Some(offset);
    }
    if let Some(device) = &observation.device {
        learn_device(now, device, memory);
        let said = device_failure(now, device, memory, measure);
        memory.onvif.hear(said, 1);
    }
    if let Some(failure) = &observation.failure {
        if failure.kind == FailureKind::Auth && memory.login_good && observation.check.sees_media() {
            return Some(Failure::new(FailureKind::AuthChanged, told!(LoginGoodBefore, failure.detail)));
        }
        let took_digest = memory.login_scheme.as_ref().is_some_and(|known| known.now == LoginScheme::Digest);
        if failure.kind == FailureKind::InsecureLogin && took_digest {
            return Some(Failure::new(FailureKind::InsecureLogin, told!(DigestBefore, failure.detail)));
        }
        return Some(failure.clone());
    }
    if observation.check.sees_media() {
        memory.login_good = true;
    }
    if let Some(scheme) = observation.login_scheme {
        Known::learn(&mut memory.login_scheme, scheme, now);
    }
    let mut found = None;
    if let Some(stream) = &observation.stream {
        if observation.check == Check::Survey {
            let said = survey_failure(now, stream, memory, measure);
            memory.survey.hear(said, measure.settings.good_to_up);
        }
        found = stream_failure(now, stream, memory, measure);
        learn_stream(now, stream, found.as_ref().map(|failure| failure.kind), memory);
    }
    let offset = memory.clock_offset_seconds;
    found
        .or_else(|| downgraded(now, memory, measure))
        .or_else(|| memory.survey.told.clone())
        .or_else(|| memory.onvif.told.clone())
        .or_else(|| clock(offset?, measure))
}

impl Measure<'_> {
    /// The limit as it is now for a value that must stay below it.
    fn upper(&self, kind: FailureKind, limit: f64) -> f64 {
        if self.cause == Some(kind) { limit * MARGIN } else { limit }
    }

    /// The limit as it is now for a value that must stay above it.
    fn lower(&self, kind: FailureKind, limit: f64) -> f64 {
        if self.cause == Some(kind) { limit / MARGIN } else { limit }
    }
}

/// What any look at the stream can tell.
fn stream_failure(now: Timestamp, stream: &StreamFacts, memory: &Memory, measure: Measure<'_>) -> Option<Failure> {
    let past = memory.baseline.hour(now);
    loss(stream, measure)
        .or_else(|| jumps(stream))
        .or_else(|| parameters(now, stream, memory, measure))
        .or_else(|| frozen(stream, past, measure))
        .or_else(|| low_fps(stream, past, measure))
        .or_else(|| low_bitrate(stream, past, measure))
}

/// What only a look of some seconds can tell.
fn survey_failure(now: Timestamp, stream: &StreamFacts, memory: &mut Memory, measure: Measure<'_>) -> Option<Failure> {
    let drift = drift(now, stream, memory, measure);
    speed(stream, measure).or_else(|| jitter(stream, measure)).or_else(|| keyframes(stream, measure)).or(drift)
}

fn loss(stream: &StreamFacts, measure: Measure<'_>) -> Option<Failure> {
    // One or two missing packets are usual where a shared encoder is joined in the middle, so a ratio alone
    // would convict a healthy camera after a short look.
    if stream.packets_lost <= 2 {
        return None;
    }
    let sent = f64::from(stream.packets) + f64::from(stream.packets_lost);
    let ratio = f64::from(stream.packets_lost) / sent;
    (ratio > measure.upper(FailureKind::Loss, measure.settings.loss_ratio)).then(|| {
        let percent = 100.0 * ratio;
        let detail = told!(PacketsLost, stream.packets_lost, format_args!("{sent}"), format_args!("{percent:.1}"));
        Failure::new(FailureKind::Loss, detail)
    })
}

/// A login that went by Digest and is sent in clear now may go to somebody else than the camera.
fn downgraded(now: Timestamp, memory: &Memory, measure: Measure<'_>) -> Option<Failure> {
    let known = memory.login_scheme.as_ref().filter(|known| known.now == LoginScheme::Basic)?;
    let (before, at) = known.before.as_ref()?;
    (*before == LoginScheme::Digest && elapsed(now, *at) < measure.settings.change_shown_for)
        .then(|| Failure::new(FailureKind::LoginDowngraded, told!(DigestToBasic)))
}

fn jumps(stream: &StreamFacts) -> Option<Failure> {
    (stream.timestamp_jumps > 0)
        .then(|| Failure::new(FailureKind::Timestamps, told!(TimestampsJumped, stream.timestamp_jumps)))
}

fn parameters(now: Timestamp, stream: &StreamFacts, memory: &Memory, measure: Measure<'_>) -> Option<Failure> {
    let failed = |detail: Detail| Some(Failure::new(FailureKind::ParametersChanged, detail));
    if stream.parameter_changes > 0 {
        return failed(told!(ParametersChanged, stream.parameter_changes));
    }
    let (codec, size) = (stream.codec, stream.size());
    if let Some(promised) = measure.promise.codec.filter(|promised| *promised != codec) {
        return failed(told!(CodecIs, codec.as_str(), promised.as_str()));
    }
    if let (Some(promised), Some(found)) = (measure.promise.size, size)
        && promised != found
    {
        return failed(told!(SizeIs, pixels(found), pixels(promised)));
    }
    // Where nothing is promised, a change is told for a while and then taken for meant.
    let promised = measure.promise.codec.is_some() && (measure.promise.size.is_some() || size.is_none());
    let change = memory.stream.as_ref().filter(|known| known.now == (codec, size));
    if let (false, Some((before, at))) = (promised, change.and_then(|known| known.before.as_ref()))
        && elapsed(now, *at) < measure.settings.change_shown_for
    {
        let name = |(codec, size): &StreamKind| {
            size.map_or_else(|| codec.as_str().to_owned(), |size| format!("{} {}", codec.as_str(), pixels(size)))
        };
        return failed(told!(StreamWas, name(before), name(&(codec, size))));
    }
    None
}

fn pixels((width, height): (u32, u32)) -> String {
    format!("{width}×{height}")
}

fn frozen(stream: &StreamFacts, past: Option<Hour>, measure: Measure<'_>) -> Option<Failure> {
    let (size, usual) = (stream.delta_frame_bytes?, past?.delta_frame_bytes);
    (size < usual * measure.lower(FailureKind::FrozenSuspect, measure.settings.frozen_ratio)).then(|| {
        let detail = told!(SmallFrames, format_args!("{size:.0}"), format_args!("{usual:.0}"));
        Failure::new(FailureKind::FrozenSuspect, detail)
    })
}

fn low_fps(stream: &StreamFacts, past: Option<Hour>, measure: Measure<'_>) -> Option<Failure> {
    let fps = stream.fps?;
    let (wanted, source) = wanted(measure.promise.fps, past.map(|past| past.fps))?;
    (fps < wanted * measure.lower(FailureKind::LowFps, measure.settings.fps_ratio)).then(|| {
        let detail = told!(FrameRateIs, format_args!("{fps:.1}"), format_args!("{wanted:.1}"), source);
        Failure::new(FailureKind::LowFps, detail)
    })
}

fn low_bitrate(stream: &StreamFacts, past: Option<Hour>, measure: Measure<'_>) -> Option<Failure> {
    let rate = stream.bytes_per_second?;
    let (wanted, source) = wanted(measure.promise.bytes_per_second, past.map(|past| past.bytes_per_second))?;
    (rate < wanted * measure.lower(FailureKind::LowBitrate, measure.settings.bitrate_ratio)).then(|| {
        let kilobits = |bytes: f64| format!("{:.0}", bytes * 8.0 / 1000.0);
        let detail = told!(BitrateIs, kilobits(rate), kilobits(wanted), source);
        Failure::new(FailureKind::LowBitrate, detail)
    })
}

/// What a figure is measured by, and how that is called: the promise, or else the camera's own past.
fn wanted(promised: Option<f64>, usual: Option<f64>) -> Option<(f64, Detail)> {
    promised.map(|promised| (promised, told!(Promised))).or_else(|| Some((usual?, told!(Usual))))
}

fn speed(stream: &StreamFacts, measure: Measure<'_>) -> Option<Failure> {
    let speed = stream.media_speed?;
    let off = if speed < 1.0 { 1.0 / speed.max(1e-6) - 1.0 } else { speed - 1.0 };
    (off > measure.upper(FailureKind::Timestamps, measure.settings.media_speed))
        .then(|| Failure::new(FailureKind::Timestamps, told!(TimestampsRun, format_args!("{speed:.2}"))))
}

fn jitter(stream: &StreamFacts, measure: Measure<'_>) -> Option<Failure> {
    let jitter = stream.jitter_seconds?;
    (jitter > measure.upper(FailureKind::Jitter, measure.settings.jitter.as_secs_f64()))
        .then(|| Failure::new(FailureKind::Jitter, told!(PacketsUneven, format_args!("{:.0}", jitter * 1000.0))))
}

/// Smart codecs space keyframes far apart, so only a promise makes it a fault.
fn keyframes(stream: &StreamFacts, measure: Measure<'_>) -> Option<Failure> {
    let (found, promised) = (stream.keyframe_interval_seconds?, measure.promise.keyframe_interval?.as_secs_f64());
    (found > measure.upper(FailureKind::KeyframeInterval, promised * 1.5)).then(|| {
        let detail = told!(KeyframesApart, format_args!("{found:.1}"), format_args!("{promised:.1}"));
        Failure::new(FailureKind::KeyframeInterval, detail)
    })
}

/// How fast the camera's clock runs, by two sender reports far apart.
fn drift(now: Timestamp, stream: &StreamFacts, memory: &mut Memory, measure: Measure<'_>) -> Option<Failure> {
    let offset = stream.sender_clock_seconds?;
    let Some((at, before)) = memory.sender_clock else {
        memory.sender_clock = Some((now, offset));
        return None;
    };
    let span = elapsed(now, at).as_secs_f64();
    if span < DRIFT_SPAN {
        return memory.survey.told.clone().filter(|failure| failure.kind == FailureKind::ClockDrift);
    }
    memory.sender_clock = Some((now, offset));
    let moved = offset - before;
    let rate = moved / span;
    let limit = measure.upper(FailureKind::ClockDrift, measure.settings.clock_drift);
    (moved.abs() > DRIFT_STEP && rate.abs() > limit)
        .then(|| Failure::new(FailureKind::ClockDrift, told!(ClockGains, format_args!("{:+.0}", rate * 3600.0))))
}

fn clock(offset: f64, measure: Measure<'_>) -> Option<Failure> {
    let limit = measure.upper(FailureKind::Clock, measure.settings.clock_offset.as_secs_f64());
    (offset.abs() > limit).then(|| {
        let half_hours = offset / 1800.0;
        // Whole half hours are a time zone set wrong, not a clock that drifts.
        let hint = if half_hours.abs() >= 1.0 && (half_hours - half_hours.round()).abs() * 1800.0 < 30.0 {
            told!(AndTimeZone)
        } else if is_factory_clock(offset) {
            told!(AndPower)
        } else {
            Detail::default()
        };
        Failure::new(FailureKind::Clock, told!(CameraClockOff, format_args!("{offset:+.0}"), hint))
    })
}

/// A clock that is years behind begins at its factory's date: there was a power cut, and the battery is dead.
fn is_factory_clock(offset: f64) -> bool {
    offset < -5.0 * 365.0 * 86_400.0
}

/// A clock that falls back to its factory's date is evidence of a start.
fn clock_was_reset(now: Timestamp, offset: f64, memory: &mut Memory) {
    let before = memory.clock_offset_seconds;
    if is_factory_clock(offset) && before.is_some_and(|before| !is_factory_clock(before) || offset < before - 60.0) {
        memory.boots.push(now);
    }
}

fn learn_device(now: Timestamp, device: &DeviceFacts, memory: &mut Memory) {
    let before = memory.device.as_ref().and_then(|known| known.now.last_reboot);
    // The camera tells its start by its own clock; only that it changed, and by how much, means anything. A clock
    // that is set moves it by seconds.
    if let (Some(before), Some(told)) = (before, device.last_reboot)
        && told.duration_since(before).unsigned_abs().as_secs() > 30
    {
        memory.boots.push(now);
    }
    let identity = |device: &DeviceFacts| DeviceFacts {
        manufacturer: device.manufacturer.clone(),
        model: device.model.clone(),
        firmware: device.firmware.clone(),
        serial: device.serial.clone(),
        ..DeviceFacts::default()
    };
    let last_reboot = device.last_reboot.or(before);
    let told = identity(device);
    let known = memory.device.get_or_insert_with(|| Box::new(Known::first(told.clone())));
    if identity(&known.now) != told {
        known.change(told, now);
    }
    known.now.last_reboot = last_reboot;
}

/// What ONVIF tells of the device.
fn device_failure(now: Timestamp, device: &DeviceFacts, memory: &mut Memory, measure: Measure<'_>) -> Option<Failure> {
    let settings = measure.settings;
    memory.boots.retain(|boot| later(*boot, settings.reboot_window) > now);
    let signal = device.alarms.iter().find(|topic| topic.ends_with("SignalLoss"));
    let hardware = || device.alarms.iter().find(|topic| !topic.ends_with("SignalLoss"));
    if let Some(topic) = signal {
        return Some(Failure::new(FailureKind::SignalLoss, told!(DeviceReports, topic)));
    }
    // Some devices forget to tell it now and then, which is no other device.
    let tells_serial = !device.serial.is_empty();
    if let Some(wanted) = measure.serial.filter(|wanted| tells_serial && *wanted != device.serial) {
        let detail = told!(SerialIsNot, format_args!("{:?}", device.serial), format_args!("{wanted:?}"));
        return Some(Failure::new(FailureKind::Swapped, detail));
    }
    let change = memory.device.as_ref().and_then(|known| known.before.as_ref());
    if let Some((before, at)) = change.filter(|(_, at)| elapsed(now, *at) < settings.change_shown_for) {
        let both_tell = tells_serial && !before.serial.is_empty();
        if both_tell && before.serial != device.serial && measure.serial.is_none() {
            let since = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
            let [serial, before] = [device, before].map(|device| format!("{:?}", device.serial));
            let detail = told!(SerialSince, serial, since, before);
            return Some(Failure::new(FailureKind::Swapped, detail));
        }
        if before.serial == device.serial && older(&device.firmware, &before.firmware) {
            let detail = told!(FirmwareOlder, device.firmware, before.firmware);
            return Some(Failure::new(FailureKind::Rollback, detail));
        }
    }
    if memory.boots.len() >= settings.reboots as usize {
        let detail = told!(StartedOften, memory.boots.len(), format_args!("{:?}", settings.reboot_window));
        return Some(Failure::new(FailureKind::RebootLoop, detail));
    }
    if let Some(topic) = hardware() {
        return Some(Failure::new(FailureKind::Hardware, told!(DeviceReports, topic)));
    }
    let named = device.streams.iter().any(|named| same_stream(measure.stream, named));
    memory.stream_named |= named;
    if memory.stream_named && !named && !device.streams.is_empty() {
        let detail = told!(StreamsRenamed, measure.stream, device.streams.join(", "));
        return Some(Failure::new(FailureKind::UriDrift, detail));
    }
    None
}

/// Whether two addresses are of one stream: the same port and path, and all that the configured query asks for.
fn same_stream(configured: &str, named: &str) -> bool {
    let split = |address: &'_ str| -> (String, Vec<String>) {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        (path.trim_end_matches('/').to_owned(), query.split('&').map(str::to_owned).collect())
    };
    let (ours, theirs) = (split(configured), split(named));
    ours.0 == theirs.0 && ours.1.iter().all(|part| part.is_empty() || theirs.1.contains(part))
}

/// Whether the numbers of one version come before those of another: `5.4.2 build 161130` before `5.4.10`.
fn older(now: &str, before: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
    };
    let (now, before) = (numbers(now), numbers(before));
    !now.is_empty() && !before.is_empty() && now < before
}

/// Takes a look into the camera's past, if it is not of another kind of fault.
fn learn_stream(now: Timestamp, stream: &StreamFacts, found: Option<FailureKind>, memory: &mut Memory) {
    use FailureKind::{FrozenSuspect, LowBitrate, LowFps};
    if !matches!(found, None | Some(FrozenSuspect | LowBitrate | LowFps)) {
        return;
    }
    Known::learn(&mut memory.stream, (stream.codec, stream.size()), now);
    if let (Some(fps), Some(bytes_per_second), Some(delta_frame_bytes)) =
        (stream.fps, stream.bytes_per_second, stream.delta_frame_bytes)
    {
        memory.baseline.learn(now, Hour { looks: 0, fps, bytes_per_second, delta_frame_bytes }, found.is_some());
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
