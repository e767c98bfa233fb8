//! What looks measured of a camera, summed up over minutes and hours, and how that is packed for the journal.

use super::{CameraId, Check, Observation};
use jiff::Timestamp;

/// What looks measured in a minute or in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Looks at the stream, up to 255 of them.
    pub looks: u8,
    /// Frames a second, on average.
    pub fps: Option<f64>,
    /// The fewest that a look saw.
    pub least_fps: Option<f64>,
    /// Payload in kbit/s, on average.
    pub kilobits: Option<f64>,
    /// Packets that were lost, 0 to 1, on average.
    pub loss: Option<f64>,
    /// Camera clock minus ours in seconds, as last measured.
    pub clock_offset: Option<f64>,
    /// How long a short look at the stream took in seconds, on average; long ones take what they are meant to take.
    pub took: Option<f64>,
    /// The longest of them.
    pub longest: Option<f64>,
}

/// How finely figures are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grain {
    /// By the minute, ten of which lie in a row of the journal.
    Minute,
    /// By the hour, 24 of which lie in a row of the journal.
    Hour,
}

impl Grain {
    /// How long a part is, in seconds.
    pub const fn part(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3600,
        }
    }

    /// How long a row is, in seconds.
    pub const fn row(self) -> i64 {
        match self {
            Self::Minute => 600,
            Self::Hour => 86_400,
        }
    }
}

/// Parts of a row that are over.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureRow {
    /// How fine it is.
    pub grain: Grain,
    /// First second of its row.
    pub begins: i64,
    /// Whose it is.
    pub camera: CameraId,
    /// Its parts, packed one behind the other.
    pub parts: Vec<u8>,
}

/// Bytes of a packed part.
const PART: usize = 18;
/// What stands for a figure that was not measured, and the largest one that can be told.
const NONE: u16 = u16::MAX;
const MOST: f64 = 65_534.0;

impl Figures {
    /// Packs a part; `place` is its number within its row.
    pub fn pack(&self, place: u8, into: &mut Vec<u8>) {
        let number = |value: Option<f64>, unit: f64| match value {
            Some(value) if value.is_finite() => (value * unit).round().clamp(0.0, MOST) as u16,
            _ => NONE,
        };
        into.extend([place, self.looks]);
        for value in [
            number(self.fps, 100.0),
            number(self.least_fps, 100.0),
            number(self.kilobits, 1.0),
            number(self.loss, 10_000.0),
            number(self.took, 1000.0),
            number(self.longest, 1000.0),
        ] {
            into.extend(value.to_be_bytes());
        }
        into.extend(self.clock_offset.map_or(f32::NAN, |offset| offset as f32).to_be_bytes());
    }

    /// Unpacks the parts of a row with their places; what is cut off at the end is left out.
    pub fn unpack(parts: &[u8]) -> impl Iterator<Item = (u8, Self)> {
        parts.chunks_exact(PART).map(|part| {
            let word = |at: usize| u16::from_be_bytes([part[at], part[at + 1]]);
            let number =
                |at: usize, unit: f64| Some(word(at)).filter(|word| *word != NONE).map(|word| f64::from(word) / unit);
            let offset = f32::from_be_bytes([part[14], part[15], part[16], part[17]]);
            let figures = Self {
                looks: part[1],
                fps: number(2, 100.0),
                least_fps: number(4, 100.0),
                kilobits: number(6, 1.0),
                loss: number(8, 10_000.0),
                took: number(10, 1000.0),
                longest: number(12, 1000.0),
                clock_offset: offset.is_finite().then(|| f64::from(offset)),
            };
            (part[0], figures)
        })
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.looks == 0 && self.clock_offset.is_none()
    }
}

/// What is measured before it is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sum {
    looks: u8,
    fps: Mean,
    kilobits: Mean,
    loss: Mean,
    took: Mean,
    clock_offset: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Mean {
    sum: f64,
    count: u32,
    least: f64,
    most: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.least = if self.count == 0 { value } else { self.least.min(value) };
        self.most = if self.count == 0 { value } else { self.most.max(value) };
        self.sum += value;
        self.count += 1;
    }

    fn known(&self, value: f64) -> Option<f64> {
        (self.count > 0).then_some(value)
    }

    fn mean(&self) -> Option<f64> {
        self.known(self.sum / f64::from(self.count.max(1)))
    }
}

impl Sum {
    /// Takes in what a look measured.
    pub fn add(&mut self, seen: &Observation) {
        if seen.check.sees_media() {
            self.looks = self.looks.saturating_add(1);
        }
        if seen.check == Check::Stream {
            self.took.add(seen.took.as_secs_f64());
        }
        if let Some(stream) = seen.stream.as_ref().filter(|stream| stream.frames > 0) {
            stream.fps.into_iter().for_each(|fps| self.fps.add(fps));
            stream.bytes_per_second.into_iter().for_each(|rate| self.kilobits.add(rate * 8.0 / 1000.0));
            let sent = f64::from(stream.packets) + f64::from(stream.packets_lost);
            if sent > 0.0 {
                self.loss.add(f64::from(stream.packets_lost) / sent);
            }
        }
        self.clock_offset = seen.clock_offset_seconds.or(self.clock_offset);
    }

    /// What all looks came to.
    pub fn figures(&self) -> Figures {
        Figures {
            looks: self.looks,
            fps: self.fps.mean(),
            least_fps: self.fps.known(self.fps.least),
            kilobits: self.kilobits.mean(),
            loss: self.loss.mean(),
            clock_offset: self.clock_offset,
            took: self.took.mean(),
            longest: self.took.known(self.took.most),
        }
    }
}

/// What was measured at a time: of a minute or an hour that began then.
pub type Point = (Timestamp, Figures);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Codec, StreamFacts};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_to_within_its_units(
            parts in proptest::collection::vec(
                (any::<u8>(), any::<u8>(), proptest::option::of(0.0..600.0f64), proptest::option::of(0.0..60_000.0f64),
                 proptest::option::of(0.0..1.0f64), proptest::option::of(-1e6..1e6f64), proptest::option::of(0.0..60.0f64)),
                0..30,
            ),
            cut in 0..PART,
        ) {
            let figures: Vec<(u8, Figures)> = parts.iter().map(|(place, looks, fps, kilobits, loss, offset, took)| {
                let figures = Figures {
                    looks: *looks, fps: *fps, least_fps: *fps, kilobits: *kilobits, loss: *loss, clock_offset: *offset,
                    took: *took, longest: *took,
                };
                (*place, figures)
            }).collect();
            let mut packed = Vec::new();
            figures.iter().for_each(|(place, one)| one.pack(*place, &mut packed));
            prop_assert_eq!(packed.len(), figures.len() * PART);
            let near = |a: Option<f64>, b: Option<f64>, unit: f64| match (a, b) {
                (None, None) => true,
                (Some(a), Some(b)) => (a - b).abs() <= unit,
                _ => false,
            };
            packed.extend(std::iter::repeat_n(7, cut));
            let unpacked: Vec<_> = Figures::unpack(&packed).collect();
            prop_assert_eq!(unpacked.len(), figures.len());
            for ((place, one), (found_place, found)) in figures.iter().zip(&unpacked) {
                prop_assert_eq!((place, one.looks), (found_place, found.looks));
                prop_assert!(near(one.fps, found.fps, 0.01) && near(one.least_fps, found.least_fps, 0.01));
                prop_assert!(near(one.kilobits, found.kilobits, 0.51) && near(one.loss, found.loss, 0.0001));
                prop_assert!(near(one.took, found.took, 0.001) && near(one.longest, found.longest, 0.001));
                prop_assert!(near(one.clock_offset, found.clock_offset, 0.1));
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for (_, figures) in Figures::unpack(&bytes) {
                prop_assert!(figures.clock_offset.is_none_or(f64::is_finite));
            }
        }
    }

    #[test]
    fn a_sum_is_of_what_each_look_can_tell() {
        let at = Timestamp::UNIX_EPOCH;
        let look = |check, fps: f64, lost, took| Observation {
            stream: Some(StreamFacts {
                frames: 20,
                fps: Some(fps),
                bytes_per_second: Some(1000.0 * fps),
                packets: 100 - lost,
                packets_lost: lost,
                ..StreamFacts::new(Codec::H264)
            }),
            took: std::time::Duration::from_secs(took),
            ..Observation::new(check, at)
        };
        let mut sum = Sum::default();
        assert!(sum.figures().is_empty());
        sum.add(&Observation { clock_offset_seconds: Some(-3.0), ..Observation::new(Check::Device, at) });
        assert!(!sum.figures().is_empty());
        sum.add(&look(Check::Stream, 20.0, 0, 1));
        sum.add(&look(Check::Survey, 10.0, 2, 8));
        let found = sum.figures();
        assert_eq!((found.looks, found.fps, found.least_fps), (2, Some(15.0), Some(10.0)));
        assert_eq!((found.kilobits, found.loss, found.clock_offset), (Some(120.0), Some(0.01), Some(-3.0)));
        assert_eq!((found.took, found.longest), (Some(1.0), Some(1.0)), "a long look takes what it is meant to take");
    }
}
