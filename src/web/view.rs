//! What somebody sees who is bound to areas: pages, events and reports of their own, made from snapshots in which nothing
//! else is. All who are bound to the same areas share them.

use super::{rendered::Cache, report::Desk};
use crate::{
    edits::{Item, Kind, Line, Sheet, Standing},
    model::{Fleet, Scope, Snapshot},
    request,
    rights::{Bounds, Reach, Touched},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Views that are kept; of the others the one that was asked for longest ago is made anew.
const KEPT: usize = 16;

/// What nobody has asked for in so long is let go of: else a fleet of before a reload, and all that has changed since a
/// snapshot, would be held twice.
const IDLE: Duration = Duration::from_secs(60);

/// What is seen by whoever is bound to some areas.
pub(super) struct View {
    bounds: Bounds,
    pub(super) cache: Arc<Cache>,
    pub(super) reports: Arc<Desk>,
    kept: Arc<Mutex<Kept>>,
}

/// What was made of the last fleet and its last snapshot.
#[derive(Default)]
struct Kept {
    ground: Option<Ground>,
    snapshot: Option<(Weak<Snapshot>, Arc<Snapshot>)>,
    /// When something was last made, while there is somebody who lets go of it.
    made: Option<Instant>,
}

/// A fleet, and what of it is reached.
#[derive(Clone)]
pub(super) struct Ground {
    whole: Arc<Fleet>,
    reach: Arc<Reach>,
    fleet: Arc<Fleet>,
}

impl Ground {
    /// Whether somebody may take this out of service.
    pub(super) fn may_silence(&self, scope: &Scope) -> bool {
        self.reach.may(&Touched::Service(scope.clone()), &self.whole).is_ok()
    }
}

impl View {
    /// A fleet, and what of it is reached.
    pub(super) fn ground(&self, whole: &Arc<Fleet>) -> Ground {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.note(&mut kept);
        kept.ground(&self.bounds, whole)
    }

    /// Notes that something is made, to be let go of when nobody asks any more.
    fn note(&self, kept: &mut Kept) {
        if kept.made.replace(Instant::now()).is_none() {
            tokio::spawn(let_go(self.kept.clone()));
        }
    }

    /// What is seen of a snapshot.
    pub(super) fn snapshot(&self, whole: &Arc<Snapshot>) -> Arc<Snapshot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, seen)) = &kept.snapshot
            && std::ptr::eq(of.as_ptr(), Arc::as_ptr(whole))
        {
            return seen.clone();
        }
        self.note(&mut kept);
        let ground = kept.ground(&self.bounds, &whole.fleet);
        let seen = Arc::new(ground.reach.snapshot(whole, ground.fleet));
        kept.snapshot = Some((Arc::downgrade(whole), seen.clone()));
        seen
    }

    /// What can be edited of what is seen. Names of people and channels are the commune's.
    pub(super) fn sheet(&self, whole: &Sheet, fleet: &Arc<Fleet>) -> Sheet {
        let ground = self.ground(fleet);
        let all = Kind::ALL.iter().flat_map(|kind| whole.of(*kind));
        let seen: BTreeMap<&Item, &Line> =
            all.filter(|(item, line)| request::sees(&ground.reach, fleet, item, line)).collect();
        let files =
            seen.iter().filter_map(|(item, line)| Some(((*item).clone(), line.file.clone()?, line.place.clone()?)));
        let edits = seen.values().filter_map(|line| line.edit.clone()).collect();
        let standing = |item: &Item| seen.get(item).map_or(Standing::Orphan, |line| line.standing.clone());
        Sheet::of_files(files, Default::default()).with(&edits, standing)
    }
}

/// Lets go of what is kept when nobody has asked for it lately.
async fn let_go(kept: Arc<Mutex<Kept>>) {
    loop {
        sleep(IDLE).await;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.made.is_none_or(|made| made.elapsed() >= IDLE) {
            *kept = Kept::default();
            return;
        }
    }
}

impl Kept {
    fn ground(&mut self, bounds: &Bounds, whole: &Arc<Fleet>) -> Ground {
        if let Some(ground) = self.ground.as_ref().filter(|ground| Arc::ptr_eq(&ground.whole, whole)) {
            return ground.clone();
        }
        let reach = Arc::new(Reach::of(bounds, whole));
        let ground = Ground { fleet: Arc::new(reach.fleet(whole)), reach, whole: whole.clone() };
        self.ground.insert(ground).clone()
    }
}

/// The views that somebody asked for lately.
#[derive(Default)]
pub(super) struct Views(Mutex<Vec<Arc<View>>>);

impl Views {
    /// What is seen by whoever is bound to these areas, beside the pages and reports of the whole commune.
    pub(super) fn of(&self, bounds: &Bounds, cache: &Cache, reports: &Desk) -> Arc<View> {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = views.iter().position(|view| view.bounds == *bounds).map(|place| views.remove(place));
        let view = known.unwrap_or_else(|| {
            Arc::new(View {
                bounds: bounds.clone(),
                cache: Arc::new(cache.of_a_part(bounds.clone())),
                reports: Arc::new(reports.within(bounds.clone())),
                kept: Arc::default(),
            })
        });
        views.push(view.clone());
        let many = views.len().saturating_sub(KEPT);
        views.drain(..many);
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::State,
        web::{
            incidents::{self, Known},
            past::Past,
            router::tests,
        },
    };

    #[tokio::test(start_paused = true)]
    async fn it_is_shared_and_let_go_of_when_nobody_asks() {
        let (whole, bounds) = (tests::snapshot(State::Up, 0), Bounds::of(["khu".into()]).expect("one"));
        let cache = Cache::new(Arc::new(Past::unknown()), Known::new(incidents::tests::unreadable()));
        let desk = Desk::new(Arc::new(|_, _| Box::pin(async { Err(String::new()) })));
        let views = Views::default();
        let view = views.of(&bounds, &cache, &desk);
        assert!(Arc::ptr_eq(&view, &views.of(&bounds, &cache, &desk)), "all who are bound to the same share it");
        let seen = view.snapshot(&whole);
        assert!(Arc::ptr_eq(&seen, &view.snapshot(&whole)) && seen.cameras.is_empty());
        let (held, fleet) = (Arc::downgrade(&seen), Arc::downgrade(&seen.fleet));
        drop(seen);
        let before = Arc::strong_count(&whole.fleet);
        sleep(IDLE / 2).await;
        assert!(held.upgrade().is_some(), "somebody may ask again");
        sleep(IDLE).await;
        assert!(held.upgrade().is_none() && fleet.upgrade().is_none());
        assert!(Arc::strong_count(&whole.fleet) < before, "nor is the whole fleet held");
        for number in 0..2 * KEPT {
            views.of(&Bounds::of([format!("khu-{number}").as_str().into()]).expect("one"), &cache, &desk);
        }
        assert_eq!(views.0.lock().expect("no panic").len(), KEPT);
    }
}
