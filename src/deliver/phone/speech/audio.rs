//! WAV files as a telephone's sound: one channel of 16 bits at 8 kHz.

use super::{Clip, RATE};
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};
use std::io::Cursor;

/// Seconds of a recording that are played.
const LONGEST: usize = 60;
/// Rates that recordings have.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// The sound of a WAV file of 16 bits, however many channels it has and at whatever usual rate; nothing of what is none.
pub(super) async fn at_8_khz(wav: Vec<u8>) -> Option<Clip> {
    // Some tens of milliseconds of work.
    tokio::task::spawn_blocking(move || read(&wav)).await.ok().flatten()
}

fn read(wav: &[u8]) -> Option<Clip> {
    let mut reader = hound::WavReader::new(Cursor::new(wav)).ok()?;
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let is_usual = spec.bits_per_sample == 16 && spec.sample_format == hound::SampleFormat::Int;
    if !is_usual || !RATES.contains(&spec.sample_rate) || !(1..=2).contains(&channels) {
        return None;
    }
    // Of what is piped the header does not know the length: it ends where no sample is left.
    let samples = reader.samples::<i16>().map_while(Result::ok).take(LONGEST * spec.sample_rate as usize * channels);
    let samples: Vec<f32> = samples.map(f32::from).collect();
    let one: Vec<f32> =
        samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    if one.is_empty() {
        return None;
    }
    let resampled = if spec.sample_rate == RATE { one } else { resampled(&one, spec.sample_rate)? };
    Some(resampled.into_iter().map(|sample| sample.round() as i16).collect())
}

fn resampled(samples: &[f32], rate: u32) -> Option<Vec<f32>> {
    let parameters = SincInterpolationParameters {
        sinc_len: 64,
        f_cutoff: Some(0.92),
        interpolation: SincInterpolationType::Linear,
        oversampling_factor: 64,
        window: WindowFunction::BlackmanHarris2,
    };
    let ratio = f64::from(RATE) / f64::from(rate);
    let mut resampler = Async::<f32>::new_sinc(ratio, 1.0, &parameters, 1024, 1, FixedAsync::Input).ok()?;
    let input = InterleavedSlice::new(samples, 1, samples.len()).ok()?;
    Some(resampler.process_all(&input, samples.len(), None).ok()?.take_data())
}

/// Three rising tones, thrice: the sign for a message that cannot be spoken.
pub(super) fn signal() -> Clip {
    let tone = |hertz: f64, seconds: f64| {
        let count = (seconds * f64::from(RATE)) as u32;
        (0..count).map(move |n| (f64::from(n) * hertz * std::f64::consts::TAU / f64::from(RATE)).sin() * 8000.0)
    };
    let once = || [950.0, 1400.0, 1800.0].into_iter().flat_map(|hertz| tone(hertz, 0.33)).chain(tone(0.0, 0.8));
    (0..3).flat_map(|_| once()).map(|sample| sample as i16).collect()
}
