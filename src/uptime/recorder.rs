//! Sums up what looks measure, minute by minute and hour by hour, until it goes to the journal.
//!
//! Of each camera the minute and the hour that run are held, and the minutes of ten that are over. What is over is handed
//! out for all cameras at once: rows of one time lie side by side in the journal, so that little of it is written twice.

use crate::model::{CameraId, FigureRow, Figures, Grain, Observation, Point, Sum};
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Fleets up to so many cameras write each minute as it ends: their pages are to show it, and it costs them little.
const SMALL: usize = 1000;
/// Rows that wait to be written at most, while the journal cannot be: what is beyond is given up, the oldest first.
const WAITING: usize = 60_000;

/// What is not yet written of all cameras.
#[derive(Debug, Default)]
pub struct Recorder {
    cameras: BTreeMap<CameraId, [Open; 2]>,
    over: VecDeque<FigureRow>,
    closed: Option<i64>,
}

/// A row that is being filled.
#[derive(Debug, Default)]
struct Open {
    begins: i64,
    /// Parts that are over and not yet handed out.
    parts: Vec<u8>,
    /// The part that runs, and its first second.
    sum: Sum,
    runs: i64,
}

impl Open {
    /// Lets the part that runs end, if another one begins.
    fn turn(&mut self, grain: Grain, at: i64) {
        let part = at - at.rem_euclid(grain.part());
        if part == self.runs {
            return;
        }
        let figures = std::mem::take(&mut self.sum).figures();
        if !figures.is_empty() {
            let place = (self.runs - self.begins) / grain.part();
            figures.pack(u8::try_from(place).unwrap_or(u8::MAX), &mut self.parts);
        }
        self.runs = part;
    }

    /// Hands out what is over.
    fn take(&mut self, grain: Grain, camera: &CameraId) -> Option<FigureRow> {
        let parts = std::mem::take(&mut self.parts);
        (!parts.is_empty()).then(|| FigureRow { grain, begins: self.begins, camera: camera.clone(), parts })
    }
}

const GRAINS: [Grain; 2] = [Grain::Minute, Grain::Hour];

impl Recorder {
    /// Takes in what a look measured; one that only asks whether somebody is there measures nothing.
    pub fn take_in(&mut self, camera: &CameraId, seen: &Observation) {
        if seen.check == crate::model::Check::Liveness {
            return;
        }
        let at = seen.started.as_second();
        if !self.cameras.contains_key(camera) {
            self.cameras.insert(camera.clone(), Default::default());
        }
        let Some(opens) = self.cameras.get_mut(camera) else { return };
        for (grain, open) in GRAINS.into_iter().zip(opens) {
            open.turn(grain, at);
            let row = at - at.rem_euclid(grain.row());
            if row != open.begins {
                self.over.extend(open.take(grain, camera));
                open.begins = row;
            }
            open.sum.add(seen);
        }
    }

    /// Lets all that is over go to the journal, once a minute; of a large fleet whole rows of minutes only.
    pub fn close(&mut self, now: Timestamp) {
        let now = now.as_second();
        let step = if self.cameras.len() <= SMALL { Grain::Minute.part() } else { Grain::Minute.row() };
        let closed = now - now.rem_euclid(step);
        if self.closed == Some(closed) {
            return;
        }
        self.closed = Some(closed);
        self.hand_out(|open, grain| open.turn(grain, now));
        // One that was not looked at for a day is let go: it may be gone.
        self.cameras.retain(|_, [minute, _]| now - minute.runs < 86_400);
    }

    /// Lets everything go, over or not: the daemon stops.
    pub fn close_all(&mut self) {
        self.hand_out(|open, grain| open.turn(grain, i64::MAX));
    }

    fn hand_out(&mut self, turn: impl Fn(&mut Open, Grain)) {
        for (number, grain) in GRAINS.into_iter().enumerate() {
            for (camera, opens) in &mut self.cameras {
                turn(&mut opens[number], grain);
                self.over.extend(opens[number].take(grain, camera));
            }
        }
        let beyond = self.over.len().saturating_sub(WAITING);
        self.over.drain(..beyond);
    }

    /// The minutes of a camera that are over and not yet handed out.
    pub fn lately(&self, camera: &CameraId) -> Vec<Point> {
        let Some([minute, _]) = self.cameras.get(camera) else { return Vec::new() };
        let point = |(place, figures): (u8, Figures)| {
            let at = minute.begins + i64::from(place) * Grain::Minute.part();
            Some((Timestamp::from_second(at).ok()?, figures))
        };
        Figures::unpack(&minute.parts).filter_map(point).collect()
    }

    /// Whether anything waits to be written.
    pub fn waits(&self) -> bool {
        !self.over.is_empty()
    }

    /// Takes so much of what waits, the oldest first.
    pub fn take(&mut self, most: usize) -> Vec<FigureRow> {
        self.over.drain(..most.min(self.over.len())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Check;
    use proptest::prelude::*;
    use std::{collections::BTreeMap, time::Duration};

    const START: i64 = 1_790_000_000;

    fn look(second: i64, took: u64) -> Observation {
        let at = Timestamp::from_second(START + second).expect("a time");
        Observation { took: Duration::from_millis(took), ..Observation::new(Check::Stream, at) }
    }

    /// What rows say of each minute or hour; a part that was handed out twice counts twice.
    fn read(rows: &[FigureRow], grain: Grain) -> BTreeMap<(String, i64), (u64, f64)> {
        let mut found: BTreeMap<(String, i64), (u64, f64)> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.grain == grain) {
            assert_eq!(row.begins.rem_euclid(grain.row()), 0);
            for (place, figures) in Figures::unpack(&row.parts) {
                assert!(i64::from(place) < grain.row() / grain.part());
                let at = row.begins + i64::from(place) * grain.part();
                let entry = found.entry((row.camera.to_string(), at)).or_default();
                entry.0 += u64::from(figures.looks);
                entry.1 += figures.took.unwrap_or_default() * f64::from(figures.looks);
            }
        }
        found
    }

    #[test]
    fn what_waits_for_its_row_can_be_seen_before_it_is_written() {
        let mut recorder = Recorder::default();
        for number in 0..=SMALL {
            recorder.take_in(&format!("camera-{number}").as_str().into(), &look(0, 5));
        }
        let camera = CameraId::from("a");
        let row = Grain::Minute.row() - START.rem_euclid(Grain::Minute.row());
        recorder.close(Timestamp::from_second(START + row).expect("a time"));
        recorder.take(usize::MAX);
        for minute in 0..4 {
            recorder.take_in(&camera, &look(row + minute * 60, 7));
        }
        recorder.close(Timestamp::from_second(START + row + 200).expect("a time"));
        let of_it = |row: &FigureRow| row.grain == Grain::Minute && row.camera == camera;
        assert!(!recorder.take(usize::MAX).iter().any(of_it), "ten minutes are written at once");
        let lately: Vec<_> = recorder.lately(&camera).into_iter().map(|(at, _)| at.as_second() - START - row).collect();
        assert_eq!(lately, [0, 60, 120], "the fourth minute still runs");
        recorder.close(Timestamp::from_second(START + row + 600).expect("a time"));
        assert!(recorder.take(usize::MAX).iter().any(of_it));
        assert!(recorder.lately(&camera).is_empty() && recorder.lately(&"b".into()).is_empty());
    }

    proptest! {
        #[test]
        fn each_look_is_counted_once_in_its_minute_and_its_hour(
            looks in proptest::collection::vec((0..3usize, 0..900i64, 1..2000u64), 0..120),
            closes in proptest::collection::vec(any::<bool>(), 120),
        ) {
            let cameras: [CameraId; 3] = ["a".into(), "b".into(), "c".into()];
            let (mut recorder, mut second, mut rows) = (Recorder::default(), 0, Vec::new());
            let mut expected: [BTreeMap<(String, i64), (u64, f64)>; 2] = Default::default();
            for ((camera, pause, took), close) in looks.into_iter().zip(closes) {
                second += pause;
                let seen = look(second, took);
                recorder.take_in(&cameras[camera], &seen);
                recorder.take_in(&cameras[camera], &Observation::new(Check::Liveness, seen.started));
                for (grain, expected) in GRAINS.into_iter().zip(&mut expected) {
                    let at = START + second;
                    let entry = expected.entry((cameras[camera].to_string(), at - at.rem_euclid(grain.part()))).or_default();
                    *entry = (entry.0 + 1, entry.1 + took as f64 / 1000.0);
                }
                if close {
                    recorder.close(Timestamp::from_second(START + second).expect("a time"));
                    rows.extend(recorder.take(1));
                }
            }
            recorder.close_all();
            rows.extend(recorder.take(usize::MAX));
            prop_assert!(!recorder.waits());
            for (grain, expected) in GRAINS.into_iter().zip(&expected) {
                let found = read(&rows, grain);
                prop_assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
                for (key, (looks, took)) in expected {
                    let (found_looks, found_took) = found[key];
                    prop_assert_eq!(found_looks, *looks);
                    prop_assert!((found_took - took).abs() <= 0.001 * *looks as f64, "{} {}", found_took, took);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_written_for_long_stays_bounded() {
        let mut recorder = Recorder::default();
        for minute in 0..200 {
            for camera in 0..400 {
                let id = format!("camera-{camera:03}");
                recorder.take_in(&id.as_str().into(), &look(minute * 60, 10));
            }
            recorder.close(Timestamp::from_second(START + minute * 60 + 59).expect("a time"));
        }
        assert_eq!(recorder.take(usize::MAX).len(), WAITING);
    }

    #[test]
    fn a_clock_that_is_set_back_loses_nothing_that_was_over() {
        let mut recorder = Recorder::default();
        for second in [0, 30, 700, 10, 20, 2000] {
            recorder.take_in(&"a".into(), &look(second, 100));
        }
        recorder.close_all();
        let rows = recorder.take(usize::MAX);
        let looks: u64 = read(&rows, Grain::Minute).values().map(|(looks, _)| looks).sum();
        assert_eq!(looks, 6);
    }
}
