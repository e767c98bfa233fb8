//! What is usual for a camera at an hour of the day, from what was measured at that hour on earlier days.

use crate::model::{Figures, Point};
use jiff::Timestamp;

/// Days on which an hour was measured before its range is told.
const DAYS: usize = 5;

/// The usual range of one figure at each hour of the day, in UTC: eight of ten days lie in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Usual([Option<(f64, f64)>; 24]);

impl Usual {
    /// From the hours of some weeks.
    pub fn of(hours: &[Point], figure: impl Fn(&Figures) -> Option<f64>) -> Self {
        let mut seen: [Vec<f64>; 24] = Default::default();
        for (at, figures) in hours {
            if let Some(value) = figure(figures).filter(|value| value.is_finite()) {
                seen[slot(*at)].push(value);
            }
        }
        Self(seen.map(|mut values| {
            if values.len() < DAYS {
                return None;
            }
            values.sort_by(f64::total_cmp);
            let tenth = values.len() / 10;
            Some((values[tenth], values[values.len() - 1 - tenth]))
        }))
    }

    /// The range at a moment, where enough is known.
    pub fn at(&self, at: Timestamp) -> Option<(f64, f64)> {
        self.0[slot(at)]
    }
}

fn slot(at: Timestamp) -> usize {
    usize::try_from(at.as_second().rem_euclid(86_400) / 3600).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hours(values: &[(i64, f64)]) -> Vec<Point> {
        let point = |(hour, fps): &(i64, f64)| {
            let at = Timestamp::from_second(hour * 3600).expect("a time");
            (at, Figures { fps: Some(*fps), ..Figures::default() })
        };
        values.iter().map(point).collect()
    }

    proptest! {
        #[test]
        fn most_days_lie_in_the_range_and_its_ends_were_measured(
            values in proptest::collection::vec((0..24 * 30i64, 0.0..60.0f64), 0..300),
            hour in 0..24i64,
        ) {
            let usual = Usual::of(&hours(&values), |figures| figures.fps);
            let mine: Vec<f64> = values.iter().filter(|(at, _)| at % 24 == hour).map(|(_, fps)| *fps).collect();
            match usual.at(Timestamp::from_second(hour * 3600 + 1799).expect("a time")) {
                None => prop_assert!(mine.len() < DAYS),
                Some((low, high)) => {
                    let outside = mine.iter().filter(|fps| **fps < low || **fps > high).count();
                    prop_assert!(outside <= mine.len() / 10 * 2, "{} of {}", outside, mine.len());
                    prop_assert!(mine.contains(&low) && mine.contains(&high) && low <= high);
                }
            }
        }
    }

    #[test]
    fn one_bad_night_of_many_does_not_widen_it() {
        let mut values: Vec<_> = (0..30).map(|day| (day * 24 + 3, 15.0)).collect();
        values[7].1 = 1.0;
        assert_eq!(Usual::of(&hours(&values), |figures| figures.fps).at(Timestamp::UNIX_EPOCH), None);
        let at = Timestamp::from_second(3 * 3600).expect("a time");
        assert_eq!(Usual::of(&hours(&values), |figures| figures.fps).at(at), Some((15.0, 15.0)));
    }
}
