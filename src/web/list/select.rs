//! Which cameras and sites a page of a list shows: a pass over all that allocates nothing for those it does not show.

use super::{
    asked::{Filter, Place, Sort},
    index::{Entry, Index, words},
};
use crate::{
    model::{AreaId, Camera, CameraStatus, Level, Site, SiteStatus, Snapshot, State},
    web::ground::{camera_urgency, together, urgency},
};
use jiff::Timestamp;
use std::{collections::BTreeSet, sync::Arc};

/// Rows on a page.
pub(in crate::web) const ROWS: usize = 100;

/// One page.
#[derive(Debug)]
pub(super) struct Selected<'a, T, S> {
    /// How many match in all.
    pub(super) found: usize,
    /// Which page this is, from 1: the last one where a later one was asked for.
    pub(super) page: usize,
    pub(super) pages: usize,
    pub(super) rows: Vec<(&'a Arc<T>, &'a Arc<S>)>,
}

/// What something is sorted by: how urgent it is, and since when it stands as it does.
type Rank = (u16, Timestamp);

/// Cameras that match.
pub(super) fn cameras<'a>(
    index: &'a Index,
    snapshot: &'a Snapshot,
    filter: &Filter,
) -> Selected<'a, Camera, CameraStatus> {
    let here = Here::of(snapshot, filter);
    let rank = |camera: &Camera, status: &CameraStatus| {
        let wanted = filter.state.takes(status.state, State::Up)
            && filter.kind.is_none_or(|kind| camera.kind == kind)
            && filter.cause.is_none_or(|cause| status.cause == Some(cause))
            && here.has(camera.area.as_ref());
        let urgency = u16::from(camera_urgency(status.state)) * 2 + camera.kind as u16;
        wanted.then_some((urgency, status.since))
    };
    let entries = index.cameras.iter().map(|entry| (&entry.it.id, entry));
    select(together(entries, snapshot.cameras.iter()), filter, rank)
}

/// Sites that match.
pub(super) fn sites<'a>(index: &'a Index, snapshot: &'a Snapshot, filter: &Filter) -> Selected<'a, Site, SiteStatus> {
    let here = Here::of(snapshot, filter);
    let rank = |site: &Site, status: &SiteStatus| {
        let wanted = filter.level.takes(status.level, Level::Full) && here.has(site.area.as_ref());
        wanted.then_some((u16::from(urgency(status.level)), status.since))
    };
    let entries = index.sites.iter().map(|entry| (&entry.it.id, entry));
    select(together(entries, snapshot.sites.iter()), filter, rank)
}

/// The areas that are wanted.
enum Here<'a> {
    Anywhere,
    Outside,
    Within(BTreeSet<&'a AreaId>),
}

impl<'a> Here<'a> {
    fn of(snapshot: &'a Snapshot, filter: &Filter) -> Self {
        let fleet = &snapshot.fleet;
        match &filter.place {
            None => Self::Anywhere,
            Some(Place::Outside) => Self::Outside,
            Some(Place::In(wanted)) => {
                let is_part = |area: &&AreaId| fleet.areas_up_from(Some(area)).any(|above| above.as_str() == wanted);
                Self::Within(fleet.areas.keys().filter(is_part).collect())
            }
        }
    }

    fn has(&self, area: Option<&AreaId>) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Outside => area.is_none(),
            Self::Within(areas) => area.is_some_and(|area| areas.contains(area)),
        }
    }
}

/// What matches: by what it is sorted, and what it is.
type Found<'a, T, S> = ((u64, u32), &'a Arc<T>, &'a Arc<S>);

fn select<'a, T: 'a, S: 'a>(
    all: impl Iterator<Item = (&'a Entry<T>, &'a Arc<S>)>,
    filter: &Filter,
    rank: impl Fn(&T, &S) -> Option<Rank>,
) -> Selected<'a, T, S> {
    let words = words(&filter.words);
    let mut found: Vec<Found<'a, T, S>> = Vec::new();
    for (entry, status) in all {
        let Some((urgency, since)) = rank(&entry.it, status).filter(|_| entry.has(&words)) else { continue };
        let first = match filter.sort {
            Sort::Worst => u64::from(urgency),
            Sort::Name => 0,
            Sort::Since => u64::MAX - u64::try_from(since.as_millisecond()).unwrap_or(0),
        };
        found.push(((first, entry.place), &entry.it, status));
    }
    let count = found.len();
    let pages = count.div_ceil(ROWS).max(1);
    let page = filter.page.clamp(1, pages);
    let start = (page - 1) * ROWS;
    if start > 0 {
        found.select_nth_unstable_by_key(start, |(rank, ..)| *rank);
    }
    let mut rest = found.split_off(start);
    if rest.len() > ROWS {
        rest.select_nth_unstable_by_key(ROWS, |(rank, ..)| *rank);
        rest.truncate(ROWS);
    }
    rest.sort_unstable_by_key(|(rank, ..)| *rank);
    Selected { found: count, page, pages, rows: rest.into_iter().map(|(_, it, status)| (it, status)).collect() }
}
