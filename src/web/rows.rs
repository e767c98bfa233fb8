//! A camera in a row of a table: how walls and lists show it.

use super::page::{Moment, moment, rungs, symbol};
use crate::model::{Camera, CameraStatus, Check, Language, Snapshot, State, StreamFacts, ToldRung};
use std::cmp::Ordering;

/// One row.
pub(super) struct CameraRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) area: String,
    pub(super) state: &'static str,
    pub(super) word: &'static str,
    pub(super) symbol: &'static str,
    pub(super) cause: &'static str,
    pub(super) detail: String,
    pub(super) since: Moment,
    pub(super) media: Option<Moment>,
    pub(super) probe: Option<Moment>,
    pub(super) stream: String,
    pub(super) clock: String,
    pub(super) link: String,
    pub(super) rungs: Vec<ToldRung>,
}

impl CameraRow {
    /// A camera's row, with the steps of the look that tells most where those are shown.
    pub(super) fn of(
        snapshot: &Snapshot,
        language: Language,
        camera: &Camera,
        status: &CameraStatus,
        with_steps: bool,
    ) -> Self {
        let fleet = &snapshot.fleet;
        let link = camera.link.as_ref().and_then(|id| fleet.links.get(id));
        let area = camera.area.as_ref().and_then(|id| fleet.areas.get(id));
        Self {
            id: camera.id.to_string(),
            name: camera.public_name().to_owned(),
            kind: camera.kind.text(language),
            area: area.map_or_else(String::new, |area| area.name.clone()),
            state: status.state.as_str(),
            word: status.state.text(language),
            symbol: symbol(status.state),
            cause: status.cause.map_or("", |cause| cause.text(language)),
            detail: if with_steps { camera.told(&status.detail, language) } else { String::new() },
            since: moment(status.since, snapshot),
            media: status.last_media.map(|at| moment(at, snapshot)),
            probe: status.last_probe.map(|at| moment(at, snapshot)),
            stream: status
                .stream_at(snapshot.at)
                .filter(|stream| stream.frames > 0)
                .map_or_else(String::new, |stream| figures(&stream, language)),
            clock: status.clock_offset_at(snapshot.at).map_or_else(String::new, |offset| format!("{offset:+.0} s")),
            link: link.map_or_else(String::new, |link| link.name.clone()),
            rungs: if with_steps { steps(camera, status, language) } else { Vec::new() },
        }
    }
}

/// The deepest look tells most; while nobody answers, the last attempt does.
fn steps(camera: &Camera, status: &CameraStatus, language: Language) -> Vec<ToldRung> {
    let deepest = status.last.get(&Check::Stream);
    let latest = status.last.values().filter(|last| last.failure.is_some()).max_by_key(|last| last.started);
    let last = if status.state == State::Up { deepest } else { latest.or(deepest) };
    last.map_or_else(Vec::new, |last| rungs(camera, &last.rungs, language))
}

fn figures(stream: &StreamFacts, language: Language) -> String {
    let words = super::words::words(language);
    let size = stream.width.zip(stream.height).map_or_else(String::new, |(w, h)| format!(" {w}×{h}"));
    let fps = stream.fps.map_or_else(String::new, |fps| format!(", {fps:.0} {}", words.frames));
    let rate = stream.bytes_per_second.map_or_else(String::new, |b| format!(", {:.0} kbit/s", b * 8.0 / 1000.0));
    let lost = match stream.packets_lost {
        0 => String::new(),
        lost => format!(", {lost} {}", words.lost_packets),
    };
    format!("{}{size}{fps}{rate}{lost}", stream.codec.as_str().to_uppercase())
}

/// The first of many in an order, in that order, without putting the others into one.
pub(super) fn first_of<T>(mut all: Vec<T>, most: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if all.len() > most {
        all.select_nth_unstable_by(most, &order);
        all.truncate(most);
    }
    all.sort_by(order);
    all
}
