//! Plots stay on their drawing whatever was measured, and say what they show.

use super::*;
use crate::model::{Kind, State};
use crate::web::province::{Wanted, snapshot};
use proptest::prelude::*;
use std::sync::Arc;

fn camera() -> Arc<Snapshot> {
    let wanted =
        Wanted { name: "Cổng chợ".into(), kind: Kind::Public, state: State::Up, cause: None, area: None, age: 60 };
    snapshot(&[wanted], 0)
}

fn drawn(snapshot: &Snapshot, camera: &Camera, range: Range, measured: &Measured, language: Language) -> Vec<Plot> {
    let status = snapshot.cameras.values().next().expect("a camera");
    plots(snapshot, (camera, status), range, measured, language)
}

/// The coordinates of all paths.
fn coordinates(svg: &str) -> Vec<(f64, f64)> {
    let paths = svg.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut found = Vec::new();
    for path in paths {
        for piece in path.split(['M', 'L']).skip(1) {
            let piece = piece.split(['h', 'H', 'v', 'z']).next().expect("a part");
            let mut numbers = piece.split(' ').map(|number| number.parse::<f64>().expect("a number"));
            found.push((numbers.next().expect("x"), numbers.next().expect("y")));
        }
    }
    found
}

/// How often the line of what was measured begins anew.
fn strokes(svg: &str) -> usize {
    let path = svg.split("class=\"value\" d=\"").nth(1).expect("a line").split('"').next().expect("its end");
    path.matches('M').count()
}

fn at(snapshot: &Snapshot, before: i64) -> Timestamp {
    second(snapshot.at.as_second() - before)
}

fn fps(values: &[(Timestamp, f64)]) -> Vec<Point> {
    values.iter().map(|(at, fps)| (*at, Figures { looks: 1, fps: Some(*fps), ..Figures::default() })).collect()
}

proptest! {
    #[test]
    fn everything_lies_on_the_drawing(
        values in proptest::collection::vec((0..3_000_000i64, -1e7..1e7f64), 1..200),
        promise in proptest::option::of(1.0..60.0f64),
        range in proptest::sample::select(Range::ALL.to_vec()),
    ) {
        let snapshot = camera();
        let mut camera = (**snapshot.fleet.cameras.values().next().expect("one")).clone();
        camera.promise.fps = promise;
        let mut points: Vec<Point> = values.iter().map(|(before, value)| {
            let positive = Some(value.abs() % 60_000.0);
            let figures = Figures {
                looks: 1, fps: positive, least_fps: positive, kilobits: positive, loss: positive.map(|it| it / 60_000.0),
                clock_offset: Some(*value), took: positive, longest: positive,
            };
            (at(&snapshot, *before), figures)
        }).collect();
        points.sort_by_key(|(at, _)| *at);
        let measured = Measured { hours: points.clone(), points };
        for plot in drawn(&snapshot, &camera, range, &measured, Language::Vi) {
            prop_assert!(!plot.svg.contains("NaN") && !plot.svg.contains("inf"));
            for (x, y) in coordinates(&plot.svg) {
                prop_assert!((LEFT - 1.0..=WIDTH).contains(&x) && (TOP - 1.0..=HEIGHT).contains(&y), "{x} {y}: {}", plot.svg);
            }
            prop_assert!(plot.svg.len() < 60_000, "{}", plot.svg.len());
        }
    }
}

#[test]
fn there_is_a_gap_where_nothing_was_measured_and_a_dot_for_one_look_alone() {
    let snapshot = camera();
    let camera = snapshot.fleet.cameras.values().next().expect("one");
    let minutes = |from: i64, until: i64| (from..until).rev().map(|minute| (at(&snapshot, minute * 60), 15.0));
    let values: Vec<_> = minutes(200, 400).chain(minutes(100, 101)).chain(minutes(0, 60)).collect();
    let measured = Measured { points: fps(&values), hours: Vec::new() };
    let [plot] = &drawn(&snapshot, camera, Range::Day, &measured, Language::En)[..] else { panic!("one was measured") };
    assert_eq!(strokes(&plot.svg), 3, "{}", plot.svg);
    assert!(
        plot.svg.contains("Frame rate (frames/s): latest 15, lowest 15, average 15, highest 15")
            || plot.svg.contains("Frame rate (frames/s): latest 15.0"),
        "{}",
        plot.svg
    );
    assert!(!plot.promised && !plot.usual);
    // One that is looked at each quarter of an hour has no gaps by that.
    let values: Vec<_> = (1..90).rev().map(|look| (at(&snapshot, look * 900), 15.0)).collect();
    let measured = Measured { points: fps(&values), hours: Vec::new() };
    let plots = drawn(&snapshot, camera, Range::Day, &measured, Language::En);
    assert_eq!(strokes(&plots[0].svg), 1);
}

#[test]
fn the_promise_and_what_is_usual_are_drawn_where_they_are_known() {
    let snapshot = camera();
    let mut camera = (**snapshot.fleet.cameras.values().next().expect("one")).clone();
    camera.promise.fps = Some(25.0);
    let hours: Vec<_> = (1..24 * 20).rev().map(|hour| (at(&snapshot, hour * 3600), 20.0 + (hour % 3) as f64)).collect();
    let measured = Measured { points: fps(&hours), hours: fps(&hours) };
    for range in [Range::Week, Range::Month] {
        let plot = drawn(&snapshot, &camera, range, &measured, Language::Vi).remove(0);
        assert!(plot.promised && plot.usual);
        for part in ["class=\"usual\"", "class=\"target\"", "class=\"value\"", "Tốc độ khung hình (hình/giây)"]
        {
            assert!(plot.svg.contains(part), "{part}: {}", plot.svg);
        }
        assert_eq!(strokes(&plot.svg), 1);
    }
    assert!(drawn(&snapshot, &camera, Range::Week, &Measured::default(), Language::Vi).is_empty());
}
