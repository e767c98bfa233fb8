//! What is said, as sound: each piece is a recorded file where there is one, else spoken by `espeak-ng`, once, and kept.

use crate::model::Language;
use audio::at_8_khz;
use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

mod audio;

/// Samples in a second of a telephone's sound.
pub(super) const RATE: u32 = 8000;
/// A sentence takes it some hundredths of a second.
const SPOKEN: Duration = Duration::from_secs(10);
/// A sentence of a minute at its own rate.
const LARGEST: u64 = 4 * 1024 * 1024;
/// Between two pieces.
const PAUSE: usize = RATE as usize / 4;
/// Pieces that are kept, some 30 kB each: those of a commune's sites and levels are fewer.
const KEPT: usize = 512;
/// Letters of a piece: names are shorter.
const LONGEST: usize = 300;
/// Words a minute: slower than people speak, since names must be understood at night.
const SPEED: &str = "140";

/// Sound at 8 kHz.
pub(super) type Clip = Arc<[i16]>;

/// A piece of what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The name of its recording, without `.wav`; what changes each time has none.
    pub(super) name: Option<String>,
    /// Its words.
    pub(super) text: String,
}

/// What was spoken before.
#[derive(Debug, Clone, Default)]
pub struct Voice(Arc<Mutex<BTreeMap<(&'static str, String), Clip>>>);

/// By what a voice speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mouth<'a> {
    pub(super) speaker: &'a Path,
    pub(super) prompts: Option<&'a Path>,
    pub(super) language: Language,
}

impl Voice {
    /// Pieces one after the other. Where nothing can be spoken it is a signal: a call without words is better than none.
    pub(super) async fn say(&self, pieces: &[Piece], mouth: Mouth<'_>) -> Clip {
        let mut samples = Vec::new();
        for piece in pieces {
            if let Some(clip) = self.piece(piece, mouth).await {
                samples.extend_from_slice(&clip);
                samples.resize(samples.len() + PAUSE, 0);
            }
        }
        if samples.is_empty() { audio::signal() } else { samples.into() }
    }

    async fn piece(&self, piece: &Piece, mouth: Mouth<'_>) -> Option<Clip> {
        if let (Some(name), Some(prompts)) = (&piece.name, mouth.prompts) {
            // Read anew each time: somebody may just be recording it.
            if let Ok(bytes) = tokio::fs::read(prompts.join(format!("{name}.wav"))).await {
                match at_8_khz(bytes).await {
                    Some(clip) => return Some(clip),
                    None => tracing::warn!(prompt = name, "a recorded prompt is no WAV file of 16 bits: it is spoken"),
                }
            }
        }
        let key = (mouth.language.as_str(), piece.text.clone());
        if let Some(clip) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(clip.clone());
        }
        let clip = match spoken(&piece.text, mouth).await {
            Ok(clip) => clip,
            Err(why) => {
                tracing::error!(speaker = %mouth.speaker.display(), "a call cannot be spoken: {why}");
                return None;
            }
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            // What is in use is spoken again soon.
            kept.clear();
        }
        kept.insert(key, clip.clone());
        Some(clip)
    }
}

/// Words spoken by espeak-ng.
async fn spoken(text: &str, mouth: Mouth<'_>) -> Result<Clip, String> {
    // In brackets it reads phonemes.
    let text: String = text.chars().filter(|letter| !matches!(letter, '[' | ']')).take(LONGEST).collect();
    let voice = mouth.language.pick("vi", "en");
    let mut command = Command::new(mouth.speaker);
    command.args(["-v", voice, "-s", SPEED, "--stdin", "--stdout"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut program = command.spawn().map_err(|error| format!("it cannot be started: {}", error.kind()))?;
    let (Some(mut input), Some(output)) = (program.stdin.take(), program.stdout.take()) else {
        return Err("it cannot be spoken to".to_owned());
    };
    let speaking = async {
        input.write_all(text.as_bytes()).await.map_err(|error| error.kind().to_string())?;
        drop(input);
        let mut bytes = Vec::new();
        output.take(LARGEST).read_to_end(&mut bytes).await.map_err(|error| error.kind().to_string())?;
        Ok::<_, String>(bytes)
    };
    let bytes = tokio::time::timeout(SPOKEN, speaking).await.map_err(|_| "it does not end in time".to_owned())??;
    at_8_khz(bytes).await.ok_or_else(|| "it gave no sound; is the voice installed?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &str, text: &str) -> Piece {
        Piece { name: Some(name.into()), text: text.into() }
    }

    fn mouth<'a>(speaker: &'a Path, prompts: Option<&'a Path>) -> Mouth<'a> {
        Mouth { speaker, prompts, language: Language::Vi }
    }

    #[tokio::test]
    async fn without_a_speaker_there_is_a_signal() {
        let clip = Voice::default().say(&[piece("intro", "Báo động")], mouth(Path::new("/nowhere/espeak"), None)).await;
        assert_eq!(clip, audio::signal());
    }

    #[tokio::test]
    async fn a_recording_goes_before_the_synthetic_voice() {
        let directory = tempfile::tempdir().expect("a directory");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(directory.path().join("intro.wav"), spec).expect("a file");
        (0..32_000).for_each(|_| file.write_sample(1000_i16).expect("it is written"));
        file.finalize().expect("it is whole");
        std::fs::write(directory.path().join("broken.wav"), "no sound").expect("it is written");

        let mouth = mouth(Path::new("/nowhere/espeak"), Some(directory.path()));
        let clip = Voice::default().say(&[piece("intro", "Báo động"), piece("broken", "Hỏng")], mouth).await;
        let second = RATE as usize;
        assert!(clip.len().abs_diff(second + PAUSE) < 100, "{} samples", clip.len());
        assert!((900..1100).contains(&clip[second / 2]), "{}", clip[second / 2]);
    }
}
