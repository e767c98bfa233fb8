//! Renders snapshots one after the other, and writes only what is new of each.

use super::{
    cameras, commune,
    lines::{Row, Source, assemble, length},
    own::Own,
    process, sites,
};
use crate::model::{CameraId, CameraStatus, Fleet, Outlook, Snapshot, later};
use jiff::Timestamp;
use prometheus::{Encoder, TextEncoder};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Cameras from which on a fleet has few series for each, unless the configuration says otherwise.
const LARGE: usize = 5000;

/// Bytes that are kept free for what is neither a camera's nor a site's.
const OTHERS: usize = 256 * 1024;

/// How many series each camera has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// All, for fleets of up to 5,000 cameras; few for larger ones.
    #[default]
    BySize,
    /// All.
    Full,
    /// What rules, alerts and walls need.
    Lean,
}

/// Renders metrics; keeps the lines of what did not change.
#[derive(Default)]
pub struct Renderer(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    fleet: Option<(Arc<Fleet>, bool)>,
    /// The hamlet of the first site that a camera watches.
    hamlets: HashMap<CameraId, Arc<str>>,
    cameras: Vec<Row<Option<Outlook>>>,
    sites: Vec<Row<()>>,
}

impl Renderer {
    /// Everything, in the text format of Prometheus (version 0.0.4).
    pub fn render(&self, snapshot: &Snapshot, own: &Own, detail: Detail) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let large = snapshot.fleet.cameras.len() > LARGE;
        kept.update(snapshot, detail == Detail::Lean || (large && detail == Detail::BySize));
        // Of a large fleet it is many megabytes, and one that grows is copied and takes twice the room.
        let length = length(cameras::FAMILIES, &kept.cameras) + length(sites::FAMILIES, &kept.sites);
        let mut text = String::with_capacity(length + OTHERS);
        assemble(cameras::FAMILIES, &kept.cameras, &mut text);
        assemble(sites::FAMILIES, &kept.sites, &mut text);
        let mut families = commune::families(snapshot);
        families.extend(own.gather());
        families.extend(process::families());
        let mut others = Vec::new();
        // Writing to memory fails only for a family without series, and none is made.
        if let Err(error) = TextEncoder::new().encode(&families, &mut others) {
            tracing::error!(%error, "metrics cannot be rendered");
        }
        text.push_str(&String::from_utf8_lossy(&others));
        text
    }
}

impl Kept {
    fn update(&mut self, snapshot: &Snapshot, lean: bool) {
        let same = |(fleet, before): &(Arc<Fleet>, bool)| Arc::ptr_eq(fleet, &snapshot.fleet) && *before == lean;
        if !self.fleet.as_ref().is_some_and(same) {
            *self = Self { fleet: Some((snapshot.fleet.clone(), lean)), ..Self::default() };
            for site in snapshot.fleet.sites.values() {
                let hamlet: Arc<str> = site.hamlet.as_str().into();
                for watcher in site.watchers() {
                    self.hamlets.entry(watcher.camera.clone()).or_insert_with(|| hamlet.clone());
                }
            }
        }
        let (at, mut scratch) = (snapshot.at, String::new());
        // Of one fleet all snapshots have the same cameras and sites, in the order of their ids, and so has the plan.
        let mut outlooks = snapshot.outlooks.cameras.iter().peekable();
        let cameras =
            snapshot.cameras.iter().filter_map(|(id, status)| Some((snapshot.fleet.cameras.get(id)?, status)));
        for (number, (camera, status)) in cameras.enumerate() {
            let id = &camera.id;
            while outlooks.next_if(|(other, _)| *other < id).is_some() {}
            let outlook = outlooks.peek().filter(|(other, _)| *other == id).map(|(_, outlook)| (*outlook).clone());
            let source = Source { revision: status.revision, extra: outlook };
            keep(&mut self.cameras, (number, at), source, |source| {
                let subject = cameras::Subject {
                    camera: camera.clone(),
                    status: status.clone(),
                    stream: status.stream_at(at),
                    clock_offset: status.clock_offset_at(at),
                    outlook: source.extra.clone(),
                    hamlet: self.hamlets.get(id).cloned().unwrap_or_default(),
                };
                Row::write(cameras::FAMILIES, (&subject, source, ages(status, at)), lean, &mut scratch)
            });
        }
        let sites = snapshot.sites.iter().filter_map(|(id, status)| Some((snapshot.fleet.sites.get(id)?, status)));
        for (number, (site, status)) in sites.enumerate() {
            let source = Source { revision: status.revision, extra: () };
            keep(&mut self.sites, (number, at), source, |source| {
                let subject = sites::Subject { site: site.clone(), status: status.clone() };
                Row::write(sites::FAMILIES, (&subject, source, Timestamp::MAX), lean, &mut scratch)
            });
        }
        self.cameras.truncate(snapshot.cameras.len());
        self.sites.truncate(snapshot.sites.len());
    }
}

/// Writes the row of a number anew, unless it still holds at a moment.
fn keep<E: PartialEq>(
    rows: &mut Vec<Row<E>>,
    (number, at): (usize, Timestamp),
    source: Source<E>,
    write: impl FnOnce(Source<E>) -> Row<E>,
) {
    match rows.get_mut(number) {
        Some(row) if row.holds(at, &source) => {}
        Some(row) => *row = write(source),
        None => rows.push(write(source)),
    }
}

/// When figures of a camera that are shown now are too old to be shown, if nothing new comes.
fn ages(status: &CameraStatus, at: Timestamp) -> Timestamp {
    let ends = status.figures_end().map(|end| later(end, std::time::Duration::from_nanos(1)));
    ends.filter(|end| *end > at).min().unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "renderer_tests.rs"]
mod tests;
