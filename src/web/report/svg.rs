//! The report's plots as SVG: classes for colours, no style and no script, so that they work under a strict policy.

use super::{figures::percent, words};
use crate::{
    model::{Language, local},
    uptime::{Account, Class, DayLine, Report, Seconds},
};
use std::fmt::Write;

/// Width of plots in their own units; pages stretch them.
const WIDTH: f64 = 1000.0;

/// Availability of all cameras day by day, beside what was agreed.
pub(super) fn days(report: &Report, language: Language) -> String {
    const HEIGHT: f64 = 220.0;
    let words = words::words(language);
    let figures = |day: &DayLine| [day.service, day.contractor];
    let lowest = report.days.iter().flat_map(figures).flatten().fold(report.camera_target, f64::min);
    let floor = [0.98, 0.95, 0.9, 0.8, 0.5].into_iter().find(|floor| *floor < lowest).unwrap_or(0.0);
    let y = |share: f64| 10.0 + (1.0 - share) / (1.0 - floor) * (HEIGHT - 40.0);
    let step = (WIDTH - 90.0) / report.days.len().max(1) as f64;
    let x = |day: usize| 80.0 + (day as f64 + 0.5) * step;
    let mut svg = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}: {}, {}\">",
        words.by_day, words.service, words.contractor
    );
    for share in [1.0, (1.0 + floor) / 2.0, floor] {
        let (at, text) = (y(share), percent(Some(share), language));
        line(&mut svg, "grid", (80.0, at), (WIDTH - 10.0, at));
        text_at(&mut svg, "right", 72.0, at + 5.0, &text);
    }
    let target = y(report.camera_target);
    line(&mut svg, "target", (80.0, target), (WIDTH - 10.0, target));
    for (number, day) in report.days.iter().enumerate().filter(|(number, _)| number % 5 == 0) {
        text_at(&mut svg, "middle", x(number), HEIGHT - 8.0, &local::day(day.date));
    }
    for (class, contractors) in [("service", false), ("contractor", true)] {
        let figure = |day: &DayLine| if contractors { day.contractor } else { day.service };
        let mut path = String::new();
        let mut pen_is_down = false;
        for (number, day) in report.days.iter().enumerate() {
            let Some(share) = figure(day) else {
                pen_is_down = false;
                continue;
            };
            let command = if pen_is_down { 'L' } else { 'M' };
            put(&mut path, format_args!("{command}{:.1} {:.1}", x(number), y(share)));
            put(
                &mut svg,
                format_args!("<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>", x(number), y(share)),
            );
            pen_is_down = true;
        }
        put(&mut svg, format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    }
    svg + "</svg>"
}

/// How the seconds are shared out, as one bar.
pub(super) fn shares(seconds: &Seconds, language: Language) -> String {
    let words = words::words(language);
    let label = words.where_time_went;
    let mut svg = format!(
        "<svg class=\"bar\" viewBox=\"0 0 {WIDTH} 26\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}\">"
    );
    let total = seconds.total().max(1) as f64;
    let mut x = 0.0;
    for account in Account::ALL {
        let width = seconds.of(account) as f64 / total * WIDTH;
        if width > 0.0 {
            let class = account.as_str();
            put(&mut svg, format_args!("<rect class=\"{class}\" x=\"{x:.2}\" width=\"{width:.2}\" height=\"26\"/>"));
            x += width;
        }
    }
    svg + "</svg>"
}

/// A cell for each day: as agreed, nearly so, or not; empty where nothing can be said. Beside a table that has the
/// figures, so it is not read aloud.
pub(super) fn strip(days: &[Option<f64>], target: f64) -> String {
    let width = days.len().max(1) * 8;
    let mut svg = format!(
        "<svg class=\"strip\" viewBox=\"0 0 {width} 18\" width=\"{width}\" height=\"18\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\">"
    );
    let class_of = |share: &Option<f64>| match share {
        None => "none",
        Some(share) if *share >= target => "good",
        // Half a day lost is another thing than an hour.
        Some(share) if *share >= 0.5 => "fair",
        Some(_) => "bad",
    };
    for class in ["none", "good", "fair", "bad"] {
        let cells = days.iter().enumerate().filter(|(_, share)| class_of(share) == class);
        let path: String = cells.map(|(day, _)| format!("M{} 0h7v18h-7z", day * 8)).collect();
        if !path.is_empty() {
            put(&mut svg, format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
    }
    svg + "</svg>"
}

/// How a class of states is called.
pub(super) fn class(account: Account, language: Language) -> &'static str {
    let words = words::words(language);
    match account.class() {
        Class::Up => words.counted_up,
        Class::Down => words.counted_down,
        Class::Excluded => words.excluded,
    }
}

fn line(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    put(svg, format_args!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"));
}

fn text_at(svg: &mut String, class: &str, x: f64, y: f64, text: &str) {
    put(svg, format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes all text");
}
