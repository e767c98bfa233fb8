//! What is learned of a camera over days: its own past, against which its present is judged.

use super::{Codec, DeviceFacts, Failure, FailureKind, LoginScheme};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was learned of one camera; survives a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// What it sends at each hour of the day.
    pub baseline: Baseline,
    /// The stream's parameters, with the time since which they hold.
    pub stream: Option<Known<StreamKind>>,
    /// The device behind the address, with the time since which it is that one. Many never tell, and it is large.
    pub device: Option<Box<Known<DeviceFacts>>>,
    /// What the last looks of some seconds found.
    pub survey: Opinion,
    /// What the last looks by ONVIF found.
    pub onvif: Opinion,
    /// Camera clock minus ours, in seconds, as last measured by ONVIF.
    pub clock_offset_seconds: Option<f64>,
    /// The same by sender reports, with its time: only the change means anything.
    pub sender_clock: Option<(Timestamp, f64)>,
    /// Starts of the device that were noticed lately, oldest first.
    pub boots: Vec<Timestamp>,
    /// Whether its login was ever good.
    pub login_good: bool,
    /// How it asked for the login, with the time since which it does so.
    pub login_scheme: Option<Known<LoginScheme>>,
    /// Whether the device ever named the configured stream: many name only one of several addresses of a stream.
    pub stream_named: bool,
    /// Sixteen bits of a hash over the address at which all this was learned; nothing where it never proved to see.
    pub place: Option<u16>,
}

/// Codec, and width and height in pixels where they are known.
pub type StreamKind = (Codec, Option<(u32, u32)>);

/// A fact and what it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known<T> {
    /// As it is now.
    pub now: T,
    /// As it was before, with the time of the change.
    pub before: Option<(T, Timestamp)>,
}

impl<T: PartialEq> Known<T> {
    /// Takes in the fact as seen at `at`.
    pub fn learn(known: &mut Option<Self>, seen: T, at: Timestamp) {
        match known {
            Some(known) => known.change(seen, at),
            None => *known = Some(Self::first(seen)),
        }
    }

    /// The fact as it was seen first.
    pub fn first(seen: T) -> Self {
        Self { now: seen, before: None }
    }

    /// Takes in the fact as seen again at `at`.
    pub fn change(&mut self, seen: T, at: Timestamp) {
        if self.now != seen {
            self.before = Some((std::mem::replace(&mut self.now, seen), at));
        }
    }
}

/// What a witness that is heard seldom says, between its statements: others must not deny it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Opinion {
    /// What holds.
    pub told: Option<Failure>,
    /// What was said last and how often in a row, while it is not yet believed.
    pub candidate: Option<(Option<FailureKind>, u32)>,
}

impl Opinion {
    /// Takes in a statement; it is believed when it was made `needed` times in a row.
    pub fn hear(&mut self, said: Option<Failure>, needed: u32) {
        let kind = said.as_ref().map(|failure| failure.kind);
        if self.told.as_ref().map(|failure| failure.kind) == kind {
            self.told = said;
            self.candidate = None;
            return;
        }
        let times = match self.candidate {
            Some((candidate, times)) if candidate == kind => times + 1,
            _ => 1,
        };
        if times >= needed {
            self.told = said;
            self.candidate = None;
        } else {
            self.candidate = Some((kind, times));
        }
    }
}

/// What a camera sends, by hour of the day: night halves frame rates and shrinks frames.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline(Vec<Kept>);

/// An hour as it is kept: a province has half a million of them, and seven digits of an average are enough.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Kept {
    looks: u32,
    fps: f32,
    bytes_per_second: f32,
    delta_frame_bytes: f32,
}

/// Moving averages of one hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, ToSchema)]
pub struct Hour {
    /// Looks that were averaged.
    pub looks: u32,
    /// Frames a second.
    pub fps: f64,
    /// Bytes a second.
    pub bytes_per_second: f64,
    /// Bytes of a frame between keyframes.
    pub delta_frame_bytes: f64,
}

impl Baseline {
    /// Looks of an hour of the day before its averages are believed.
    pub const BELIEVED_AFTER: u32 = 12;
    /// Looks over which averages move: about a week of a household camera, and an hour of a public one.
    const WINDOW: u32 = 28;

    /// The averages of the hour of the day at `at`, when they are believed.
    pub fn hour(&self, at: Timestamp) -> Option<Hour> {
        let kept = self.0.get(slot(at)).filter(|hour| hour.looks >= Self::BELIEVED_AFTER)?;
        Some(Hour {
            looks: kept.looks,
            fps: f64::from(kept.fps),
            bytes_per_second: f64::from(kept.bytes_per_second),
            delta_frame_bytes: f64::from(kept.delta_frame_bytes),
        })
    }

    /// Takes in what a look saw at `at`. What departs from the past is `doubtful`: it weighs a tenth, so that a fault
    /// does not soon look usual, and a change that was meant does so in the end.
    pub fn learn(&mut self, at: Timestamp, seen: Hour, doubtful: bool) {
        if self.0.len() != 24 {
            self.0 = vec![Kept::default(); 24];
        }
        let hour = &mut self.0[slot(at)];
        hour.looks = hour.looks.saturating_add(1);
        let weight = if doubtful { 0.1 } else { 1.0 } / f64::from(hour.looks.min(Self::WINDOW));
        let moved = |average: &mut f32, value: f64| {
            let before = f64::from(*average);
            *average = (before + (value - before) * weight) as f32;
        };
        moved(&mut hour.fps, seen.fps);
        moved(&mut hour.bytes_per_second, seen.bytes_per_second);
        moved(&mut hour.delta_frame_bytes, seen.delta_frame_bytes);
    }
}

/// The hour of the day, in UTC: any zone would do.
fn slot(at: Timestamp) -> usize {
    usize::try_from(at.as_second().rem_euclid(86_400) / 3600).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Detail;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600 + minute * 60).expect("a small time")
    }

    #[test]
    fn each_hour_has_its_own_past_and_is_believed_after_some_looks() {
        let mut baseline = Baseline::default();
        let day = Hour { looks: 0, fps: 15.0, bytes_per_second: 32_000.0, delta_frame_bytes: 2000.0 };
        for minute in 0..11 {
            baseline.learn(at(9, minute), day, false);
        }
        assert_eq!(baseline.hour(at(9, 30)), None);
        baseline.learn(at(33, 0), day, false);
        assert!((baseline.hour(at(57, 0)).expect("believed").fps - 15.0).abs() < 1e-9);
        assert_eq!(baseline.hour(at(10, 0)), None);
    }

    #[test]
    fn an_opinion_changes_when_it_is_repeated() {
        let failure = |detail: &str| Some(Failure::new(FailureKind::Jitter, Detail::plain(detail)));
        let mut opinion = Opinion::default();
        opinion.hear(failure("a"), 2);
        assert_eq!(opinion.told, None);
        opinion.hear(None, 2);
        opinion.hear(failure("b"), 2);
        assert_eq!(opinion.told, None);
        opinion.hear(failure("c"), 2);
        assert_eq!(opinion.told, failure("c"));
        opinion.hear(failure("d"), 2);
        assert_eq!(opinion.told, failure("d"), "the newest words for the same thing");
        opinion.hear(None, 2);
        opinion.hear(None, 2);
        assert_eq!(opinion.told, None);
    }
}
