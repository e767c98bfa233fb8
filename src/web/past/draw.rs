//! Strips as SVG: a column for each piece, shared out by how long it stood how. Classes for colours, no style and no
//! script.

use super::shade;
use crate::uptime::{Account, Class, Piece};
use std::fmt::Write;

/// Width and height of a column in its own units, and of what is left between two; pages stretch them.
const COLUMN: f64 = 10.0;
const WIDTH: f64 = 8.6;
const HEIGHT: f64 = 30.0;
/// What an outage has of a column at least, however short: it must be seen.
const LEAST: f64 = 5.0;

/// Colours of a strip for a tile: of several pieces the one counts that stands last.
const SHADES: [&str; 4] = ["good", "none", "fair", "bad"];

/// From the ground up: what was lost stands on it.
const ORDER: [Account; Account::ALL.len()] = [
    Account::Down,
    Account::Unreachable,
    Account::External,
    Account::Login,
    Account::Unseen,
    Account::MonitorDown,
    Account::Maintenance,
    Account::Off,
    Account::Degraded,
    Account::Up,
];

/// A strip whose pieces have these titles. `label` says all of it in a sentence.
pub(super) fn bar(pieces: &[Piece], titles: impl Iterator<Item = String>, label: &str) -> String {
    let width = pieces.len() as f64 * COLUMN;
    let mut svg = format!(
        "<svg class=\"bar past-bar\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\">",
        escaped(label)
    );
    // One path for each state, since a page may have many columns, and over them what is pointed at.
    let mut paths: [String; ORDER.len()] = Default::default();
    for (number, piece) in pieces.iter().enumerate() {
        let x = number as f64 * COLUMN + (COLUMN - WIDTH) / 2.0;
        let mut y = HEIGHT;
        for (account, height) in heights(piece) {
            y -= height;
            let place = ORDER.iter().position(|known| *known == account).unwrap_or_default();
            put(&mut paths[place], format_args!("M{x:.1} {:.1}h{WIDTH}v{height:.1}h-{WIDTH}z", y.max(0.0)));
        }
    }
    for (account, path) in ORDER.iter().zip(paths).filter(|(_, path)| !path.is_empty()) {
        put(&mut svg, format_args!("<path class=\"{}\" d=\"{path}\"/>", account.as_str()));
    }
    for (number, title) in titles.enumerate() {
        let (x, title) = (number as f64 * COLUMN, escaped(&title));
        put(
            &mut svg,
            format_args!("<rect x=\"{x}\" width=\"{COLUMN}\" height=\"{HEIGHT}\"><title>{title}</title></rect>"),
        );
    }
    svg + "</svg>"
}

/// How high each state stands in a column, from the ground up; together they fill it.
fn heights(piece: &Piece) -> Vec<(Account, f64)> {
    let total = piece.seconds.total();
    if total <= 0 {
        return Vec::new();
    }
    let mut heights: Vec<(Account, f64)> = Vec::new();
    for account in ORDER {
        let seconds = piece.seconds.of(account);
        if seconds > 0 {
            let height = seconds as f64 / total as f64 * HEIGHT;
            heights.push((account, if account.class() == Class::Down { height.max(LEAST) } else { height }));
        }
    }
    // What the short outages were given is taken from what has most.
    let over = heights.iter().map(|(_, height)| height).sum::<f64>() - HEIGHT;
    if let Some((_, most)) = heights.iter_mut().max_by(|a, b| a.1.total_cmp(&b.1)) {
        *most = (*most - over).max(1.0);
    }
    heights
}

/// A strip for a tile, in which so many pieces are one: one line for each colour. Whoever needs words finds them on the
/// site's page.
pub(super) fn mini(pieces: &[Account], together: usize) -> String {
    let rank = |shade: &str| SHADES.iter().position(|known| *known == shade);
    let worst = |pieces: &[Account]| pieces.iter().map(|account| shade(*account)).max_by_key(|shade| rank(shade));
    let shades: Vec<&str> = pieces.chunks(together).filter_map(worst).collect();
    let mut svg = format!(
        "<svg class=\"mini\" viewBox=\"0 -.5 {} 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        shades.len()
    );
    // What was well is the ground on which the rest is drawn.
    for class in &SHADES[1..] {
        let mut path = String::new();
        let mut at = 0;
        for run in shades.chunk_by(|a, b| a == b) {
            if run[0] == *class {
                put(&mut path, format_args!("M{at} 0h{}", run.len()));
            }
            at += run.len();
        }
        if !path.is_empty() {
            put(&mut svg, format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
    }
    svg + "</svg>"
}

/// Text as it stands in an attribute or an element.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes all text");
}
