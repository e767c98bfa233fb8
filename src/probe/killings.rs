//! Remembers which cameras ended workers lately. Pure: time comes from outside.
//!
//! One good answer takes nothing back: a camera that sends good answers and deadly ones by turns would otherwise never
//! be named. It runs alone as long as one of its killings is remembered.

use crate::model::elapsed;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How long a killing is remembered.
pub(super) const WINDOW: Duration = Duration::from_secs(6 * 3600);
/// From how many on a camera's good answers carry a note too.
pub(super) const MANY: usize = 3;
/// How often the log names the same camera at most.
const NAMED_EVERY: Duration = Duration::from_secs(3600);
/// Killings of one camera that are remembered: a number to be shown, no need to be exact about more.
const MOST: usize = 1000;

/// Killings by camera and protocol.
#[derive(Debug, Default)]
pub(super) struct Killings(BTreeMap<(String, &'static str), Record>);

#[derive(Debug, Default)]
struct Record {
    at: VecDeque<Timestamp>,
    named: Option<Timestamp>,
}

impl Killings {
    /// Notes that what a camera sent over a protocol ended a worker; whether the log should name it now.
    pub(super) fn note(&mut self, now: Timestamp, camera: &str, protocol: &'static str) -> bool {
        self.forget(now);
        let record = self.0.entry((camera.to_owned(), protocol)).or_default();
        if record.at.len() == MOST {
            record.at.pop_front();
        }
        record.at.push_back(now);
        let due = record.named.is_none_or(|named| elapsed(now, named) >= NAMED_EVERY);
        if due {
            record.named = Some(now);
        }
        due
    }

    /// How many of a camera's are remembered.
    pub(super) fn of(&mut self, now: Timestamp, camera: &str, protocol: &'static str) -> usize {
        self.forget(now);
        // No borrowed key fits a pair with an owned half; few cameras are in here.
        self.0.iter().find(|((name, by), _)| name == camera && *by == protocol).map_or(0, |(_, record)| record.at.len())
    }

    /// All that are remembered.
    pub(super) fn all(&mut self, now: Timestamp) -> impl Iterator<Item = (&str, &'static str, usize)> {
        self.forget(now);
        self.0.iter().map(|((camera, protocol), record)| (camera.as_str(), *protocol, record.at.len()))
    }

    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, record| {
            while record.at.front().is_some_and(|at| elapsed(now, *at) >= WINDOW) {
                record.at.pop_front();
            }
            !record.at.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).expect("a time")
    }

    #[test]
    fn killings_are_counted_by_camera_and_protocol_and_forgotten_after_six_hours() {
        let mut killings = Killings::default();
        for minute in [0, 60, 120] {
            killings.note(at(minute), "a", "rtsp");
        }
        killings.note(at(121), "b", "rtsp");
        killings.note(at(122), "a", "onvif");
        assert_eq!(killings.of(at(122), "a", "rtsp"), 3);
        assert_eq!(killings.all(at(122)).collect::<Vec<_>>(), [("a", "onvif", 1), ("a", "rtsp", 3), ("b", "rtsp", 1)]);
        assert_eq!(killings.of(at(359), "a", "rtsp"), 3);
        assert_eq!(killings.of(at(360), "a", "rtsp"), 2);
        assert_eq!(killings.of(at(122 + 360), "a", "rtsp"), 0);
        assert_eq!(killings.all(at(122 + 360)).count(), 0, "nothing is kept of who does it no more");
    }

    #[test]
    fn the_log_names_a_camera_once_an_hour() {
        let mut killings = Killings::default();
        let named: Vec<i64> = (0..180).step_by(7).filter(|minute| killings.note(at(*minute), "a", "rtsp")).collect();
        assert_eq!(named, [0, 63, 126]);
        assert!(killings.note(at(127), "b", "rtsp"), "another camera is another matter");
    }

    #[test]
    fn a_camera_that_kills_all_day_takes_bounded_memory() {
        let mut killings = Killings::default();
        for second in 0..5000 {
            killings.note(at(0) + jiff::SignedDuration::from_secs(second), "a", "rtsp");
        }
        assert_eq!(killings.of(at(90), "a", "rtsp"), MOST);
    }
}
