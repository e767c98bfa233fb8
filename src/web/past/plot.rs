//! What looks measured of a camera, as plots: with what was promised, what is usual at each hour, and gaps where nothing was
//! measured.

use super::{
    super::words::{Words, words},
    draw::escaped,
};
use crate::{
    model::{Camera, CameraStatus, Figures, Language, Point, Snapshot, local},
    uptime::{Range, Usual},
};
use jiff::{Timestamp, tz::TimeZone};
use std::fmt::Write;

/// A drawing's size in its own units, and what is left of it for figures and times.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 86.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 28.0;
/// Where too few days are known for a range, it is this part around the average of the hour.
const AROUND: f64 = 0.2;

/// What was measured of a camera.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// In the time that the page shows, by the minute or by the hour.
    pub points: Vec<Point>,
    /// Hours of thirty days, from which the usual range follows.
    pub hours: Vec<Point>,
}

/// A plot with its heading.
pub(in crate::web) struct Plot {
    pub(in crate::web) title: &'static str,
    pub(in crate::web) unit: &'static str,
    pub(in crate::web) svg: String,
    /// Whether it has a line for what was promised, and a range for what is usual.
    pub(in crate::web) promised: bool,
    pub(in crate::web) usual: bool,
}

/// One figure and how it is drawn.
struct Line<'a> {
    title: &'static str,
    unit: &'static str,
    figure: fn(&Figures) -> Option<f64>,
    /// The least that the axis spans.
    least: f64,
    promise: Option<f64>,
    /// The average of the hour, where that is learned.
    average: Option<&'a dyn Fn(Timestamp) -> Option<f64>>,
    has_usual: bool,
}

/// The plots of a camera, those of which anything was measured.
pub(in crate::web) fn plots(
    snapshot: &Snapshot,
    (camera, status): (&Camera, &CameraStatus),
    range: Range,
    measured: &Measured,
    language: Language,
) -> Vec<Plot> {
    let words = words(language);
    let hour = |at: Timestamp| status.memory.baseline.hour(at);
    let (fps, kilobits) = (
        |at: Timestamp| hour(at).map(|hour| hour.fps),
        |at: Timestamp| hour(at).map(|hour| hour.bytes_per_second * 8.0 / 1000.0),
    );
    let line =
        |title, unit, figure, least| Line { title, unit, figure, least, promise: None, average: None, has_usual: true };
    let lines = [
        Line {
            promise: camera.promise.fps,
            average: Some(&fps),
            ..line(words.frame_rate, words.frames, |figures: &Figures| figures.fps, 5.0)
        },
        Line {
            promise: camera.promise.bytes_per_second.map(|bytes| bytes * 8.0 / 1000.0),
            average: Some(&kilobits),
            ..line(words.bit_rate, "kbit/s", |figures: &Figures| figures.kilobits, 100.0)
        },
        Line {
            has_usual: false,
            ..line(words.loss, "%", |figures: &Figures| figures.loss.map(|loss| loss * 100.0), 1.0)
        },
        Line { has_usual: false, ..line(words.clock, "s", |figures: &Figures| figures.clock_offset, 2.0) },
        line(words.look_time, "s", |figures: &Figures| figures.took, 0.5),
    ];
    let frame = Frame::of(snapshot, range, language);
    lines.iter().filter_map(|line| frame.plot(line, measured)).collect()
}

/// The time that a plot shows, where people live.
struct Frame<'a> {
    zone: &'a TimeZone,
    range: Range,
    from: i64,
    until: i64,
    /// Seconds that are drawn as one point.
    bucket: i64,
    language: Language,
    words: &'static Words,
}

impl<'a> Frame<'a> {
    fn of(snapshot: &'a Snapshot, range: Range, language: Language) -> Self {
        let zone = &snapshot.fleet.commune.timezone;
        let bucket = match range {
            Range::Day => 300,
            Range::Week => 3600,
            Range::Month => 7200,
        };
        let (from, until) = (range.begins(snapshot.at, zone), snapshot.at.as_second());
        Self { zone, range, from, until, bucket, language, words: words(language) }
    }

    fn plot(&self, line: &Line<'_>, measured: &Measured) -> Option<Plot> {
        let points = self.points(line.figure, &measured.points);
        let last = points.last()?.1;
        let usual = Usual::of(&measured.hours, line.figure);
        let band = |at: Timestamp| {
            let around =
                || line.average.and_then(|average| average(at)).map(|it| (it * (1.0 - AROUND), it * (1.0 + AROUND)));
            usual.at(at).or_else(around).filter(|_| line.has_usual)
        };
        let bands: Vec<(i64, Option<(f64, f64)>)> = self.times().map(|at| (at, band(second(at)))).collect();
        let known = || bands.iter().filter_map(|(_, band)| *band);
        let ends = points
            .iter()
            .map(|(_, value)| *value)
            .chain(line.promise)
            .chain(known().flat_map(|(low, high)| [low, high]));
        let (low, high) = ends.fold((0.0f64, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
        let scale = Scale::of(low, high, line.least);
        let (least, most) =
            points.iter().fold((f64::MAX, f64::MIN), |(a, b), (_, value)| (a.min(*value), b.max(*value)));
        let mean = points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64;
        let said = |value: f64| scale.said(value, self.language);
        let Words { lowest, average, highest, latest, .. } = self.words;
        let label = format!(
            "{} ({}): {latest} {}, {lowest} {}, {average} {}, {highest} {}",
            line.title,
            line.unit,
            said(last),
            said(least),
            said(mean),
            said(most)
        );
        let mut svg = format!(
            "<svg class=\"plot measured\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escaped(&label)
        );
        self.axes(&mut svg, &scale);
        if known().next().is_some() {
            put(&mut svg, format_args!("<path class=\"usual\" d=\"{}\"/>", self.band(&bands, &scale)));
        }
        if let Some(promise) = line.promise {
            let y = scale.y(promise);
            put(&mut svg, format_args!("<path class=\"target\" d=\"M{LEFT} {y:.1}H{}\"/>", WIDTH - RIGHT));
        }
        put(&mut svg, format_args!("<path class=\"value\" d=\"{}\"/>", self.curve(&points, &scale)));
        svg.push_str("</svg>");
        let usual = known().next().is_some();
        Some(Plot { title: line.title, unit: line.unit, svg, promised: line.promise.is_some(), usual })
    }

    /// Averages of what was measured, one for each time in which anything was.
    fn points(&self, figure: fn(&Figures) -> Option<f64>, points: &[Point]) -> Vec<(i64, f64)> {
        let mut averages: Vec<(i64, f64, f64)> = Vec::new();
        for (at, figures) in points {
            let Some(value) = figure(figures) else { continue };
            let at = at.as_second();
            if !(self.from..self.until).contains(&at) {
                continue;
            }
            let bucket = at - (at - self.from).rem_euclid(self.bucket);
            match averages.last_mut() {
                Some((last, sum, count)) if *last == bucket => (*sum, *count) = (*sum + value, *count + 1.0),
                _ => averages.push((bucket, value, 1.0)),
            }
        }
        averages.into_iter().map(|(at, sum, count)| (at + self.bucket / 2, sum / count)).collect()
    }

    /// A line through the points, with gaps where nothing was measured for longer than usual.
    fn curve(&self, points: &[(i64, f64)], scale: &Scale) -> String {
        let mut between: Vec<i64> = points.windows(2).map(|two| two[1].0 - two[0].0).collect();
        between.sort_unstable();
        let usual = between.get(between.len() / 2).copied().unwrap_or(self.bucket).max(self.bucket);
        let (mut path, mut last) = (String::new(), None::<i64>);
        for (at, value) in points {
            let joined = last.is_some_and(|last| at - last <= usual * 5 / 2);
            let command = if joined { 'L' } else { 'M' };
            // A point by itself is a dot: a line of no length with round ends.
            let dot = if joined { "" } else { "h0" };
            put(&mut path, format_args!("{command}{:.1} {:.1}{dot}", self.x(*at), scale.y(*value)));
            last = Some(*at);
        }
        path
    }

    /// The outline of what is usual, with gaps where that is not known.
    fn band(&self, bands: &[(i64, Option<(f64, f64)>)], scale: &Scale) -> String {
        let mut path = String::new();
        for run in bands.chunk_by(|a, b| a.1.is_some() == b.1.is_some()) {
            let edge = |(at, band): &(i64, Option<(f64, f64)>)| band.map(|band| (self.x(*at), band));
            let run: Vec<_> = run.iter().filter_map(edge).collect();
            let end = run.last().map(|(x, band)| ((x + self.step()).min(WIDTH - RIGHT), *band));
            let there = run.iter().copied().chain(end);
            for (number, (x, (_, high))) in there.clone().enumerate() {
                put(&mut path, format_args!("{}{x:.0} {:.1}", if number == 0 { 'M' } else { 'L' }, scale.y(high)));
            }
            for (x, (low, _)) in there.collect::<Vec<_>>().into_iter().rev() {
                put(&mut path, format_args!("L{x:.0} {:.1}", scale.y(low)));
            }
            if !run.is_empty() {
                path.push('z');
            }
        }
        path
    }

    /// Times at which the range is told.
    fn times(&self) -> impl Iterator<Item = i64> {
        (self.from..self.until).step_by(self.bucket.max(3600) as usize)
    }

    fn step(&self) -> f64 {
        self.bucket.max(3600) as f64 / (self.until - self.from).max(1) as f64 * (WIDTH - LEFT - RIGHT)
    }

    fn x(&self, at: i64) -> f64 {
        LEFT + (at - self.from) as f64 / (self.until - self.from).max(1) as f64 * (WIDTH - LEFT - RIGHT)
    }

    fn axes(&self, svg: &mut String, scale: &Scale) {
        for value in scale.marks() {
            let y = scale.y(value);
            put(svg, format_args!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{}\"/>", WIDTH - RIGHT));
            let text = scale.said(value, self.language);
            put(svg, format_args!("<text class=\"right\" x=\"{}\" y=\"{:.1}\">{text}</text>", LEFT - 8.0, y + 5.0));
        }
        let every = match self.range {
            Range::Day => 4 * 3600,
            Range::Week => 86_400,
            Range::Month => 5 * 86_400,
        };
        let offset = i64::from(second(self.until).to_zoned_datetime(self.zone.clone()).offset().seconds());
        let first = self.from + offset + every - 1;
        let first = first - first.rem_euclid(every) - offset;
        for at in (first..self.until).step_by(every as usize) {
            let x = self.x(at);
            if !(LEFT + 20.0..WIDTH - RIGHT - 20.0).contains(&x) {
                continue;
            }
            let there = second(at).to_zoned_datetime(self.zone.clone());
            let text = if self.range == Range::Day { local::hour(there.time()) } else { local::day(there.date()) };
            put(svg, format_args!("<path class=\"grid\" d=\"M{x:.1} {:.1}v5\"/>", HEIGHT - BOTTOM));
            put(svg, format_args!("<text class=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>", HEIGHT - 6.0));
        }
    }
}

/// From figures to the drawing, between round numbers.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// One that holds both ends and nought, and spans at least so much.
    fn of(low: f64, high: f64, least: f64) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let high = if high - low < least { low + least } else { high };
        let raw = (high - low) / 3.0;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|one| one * power).find(|step| *step >= raw).unwrap_or(raw);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step).round() as u32;
        (0..=count.min(12)).map(|number| self.low + f64::from(number) * self.step)
    }

    /// A figure with as many digits as the scale tells apart.
    fn said(&self, value: f64, language: Language) -> String {
        let digits = if self.step >= 5.0 {
            0
        } else if self.step >= 0.5 {
            1
        } else {
            2
        };
        let text = format!("{value:.digits$}");
        let text = if text.trim_start_matches('-').chars().all(|one| one == '0' || one == '.') {
            text.trim_start_matches('-').to_owned()
        } else {
            text
        };
        text.replace('.', language.pick(",", "."))
    }
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes all text");
}

#[cfg(test)]
#[path = "plot_tests.rs"]
mod tests;
