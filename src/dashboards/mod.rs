//! Grafana dashboards as code: six boards, each in Vietnamese and in English from one source.
//!
//! The JSON is Grafana's classic dashboard model (schema version 39, Grafana 10 and later). Boards link to each other by
//! their uids and pass on what was chosen; each panel says what it shows and what to do about it.

mod camera;
mod contractor;
mod grafana;
mod own;
mod province;
mod sites;
mod wall;

use crate::model::Language;
use serde_json::Value;

/// All boards of a language, by the names of their files.
pub fn boards(language: Language) -> Vec<(&'static str, Value)> {
    let say = grafana::Say(language);
    vec![
        ("wall.json", wall::board(say)),
        ("intersections.json", sites::board(say)),
        ("camera.json", camera::board(say)),
        ("contractor.json", contractor::board(say)),
        ("camhealth.json", own::board(say)),
        ("province.json", province::board(say)),
    ]
}

/// A board as its file holds it.
pub fn text(board: &Value) -> String {
    format!("{board:#}\n")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the boards of the repository are compared")]
mod tests;
