//! One site: which of its views are seen, and how well that covers the site.
//!
//! Pure functions of the site and its cameras' states. A camera whose state is unknown neither covers nor loses a
//! view; it makes the answer `unknown`, which wakes nobody. Household cameras count only where a view names them.

mod sum;
mod whatif;

pub use sum::Sum;
pub use whatif::{Fragile, WhatIf, what_if};

use crate::model::{CameraId, Coverage, Level, Site, State, View, ViewState, ViewStatus};

/// How each view of a site is seen, and the level that follows. At `night` views need what they need then.
///
/// ```
/// use camhealth::coverage::evaluate;
/// use camhealth::model::{CameraId, Level, Site, State, View, Watcher};
///
/// let camera = |id: &str| Watcher { camera: id.into(), spare: false };
/// let harbour = View::new("về phía cảng", vec![camera("cho-01")]);
/// let market = View::new("vào chợ", vec![camera("cho-02"), camera("cho-03")]);
/// let site = Site::new("nga-tu-cho", vec![harbour, market]);
/// let level = |down: &[&str]| {
///     let state_of = |id: &CameraId| if down.contains(&id.as_str()) { State::Down } else { State::Up };
///     evaluate(&site, false, state_of).0
/// };
/// assert_eq!(level(&[]), Level::Full);
/// assert_eq!(level(&["cho-02"]), Level::Reduced, "another camera still sees the market");
/// assert_eq!(level(&["cho-01"]), Level::Critical, "nobody sees the road to the harbour");
/// assert_eq!(level(&["cho-01", "cho-02", "cho-03"]), Level::Blind);
/// ```
pub fn evaluate(site: &Site, night: bool, state_of: impl Fn(&CameraId) -> State) -> (Level, Vec<ViewStatus>) {
    let views: Vec<ViewStatus> = site.views.iter().map(|view| view_status(view, night, &state_of)).collect();
    let weight = |state: Option<ViewState>| {
        views.iter().filter(|view| state.is_none_or(|state| view.state == state)).map(|view| view.weight).sum::<f64>()
    };
    let seen_at_most = 1.0 - weight(Some(ViewState::Lost)) / weight(None).max(f64::MIN_POSITIVE);
    let lost = views.iter().filter(|view| view.state == ViewState::Lost).count();
    let unknown = views.iter().filter(|view| view.state == ViewState::Unknown).count();
    let must_have_missing = || {
        let mut must_haves = site.watchers().filter(|watcher| !watcher.spare);
        must_haves.any(|watcher| state_of(&watcher.camera).is_lost())
    };
    let level = if lost > 0 && (lost == views.len() || seen_at_most <= site.blind_at) {
        Level::Blind
    } else if lost > 0 {
        Level::Critical
    } else if unknown > 0 {
        Level::Unknown
    } else if must_have_missing() {
        Level::Reduced
    } else {
        Level::Full
    };
    (level, views)
}

/// All views of many sites together.
pub fn total<'a>(sites: impl IntoIterator<Item = &'a [ViewStatus]>) -> Coverage {
    let mut coverage = Coverage::default();
    for view in sites.into_iter().flatten() {
        coverage.add(view.state, view.weight);
    }
    coverage
}

fn view_status(view: &View, night: bool, state_of: &impl Fn(&CameraId) -> State) -> ViewStatus {
    let needs = view.needs_now(night);
    let states = || view.watchers.iter().map(|watcher| state_of(&watcher.camera));
    let seeing = states().filter(|state| state.sees()).count();
    // By its owner's hours alone a view is not lost, and nobody is woken each night; where another camera failed too,
    // nobody sees it, and somebody must know.
    let failed = states().any(State::is_lost);
    let perhaps = states().filter(|state| *state == State::Unknown || (*state == State::Off && !failed)).count();
    let state = if seeing >= needs {
        ViewState::Covered
    } else if seeing + perhaps >= needs {
        ViewState::Unknown
    } else {
        ViewState::Lost
    };
    ViewStatus { name: view.name.clone(), state, seeing, needs, weight: view.weight }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Watcher;

    /// Builds a site from views such as `"ab:1"` (must-haves a and b, one needed) or `"a+c:1"` (c is a spare).
    fn site(views: &[&str]) -> Site {
        let views = views.iter().map(|text| {
            let (cameras, needs) = text.split_once(':').expect("a view is written cameras:needs");
            let (must, spare) = cameras.split_once('+').unwrap_or((cameras, ""));
            let watcher = |name: char, spare| Watcher { camera: name.to_string().as_str().into(), spare };
            let watchers = must.chars().map(|c| watcher(c, false)).chain(spare.chars().map(|c| watcher(c, true)));
            View { needs: needs.parse().expect("a number"), ..View::new(text, watchers.collect()) }
        });
        Site::new("site", views.collect())
    }

    fn level(site: &Site, night: bool, down: &str) -> Level {
        let state = |camera: &CameraId| if down.contains(camera.as_str()) { State::Down } else { State::Up };
        evaluate(site, night, state).0
    }

    /// `down` and `unknown` list cameras; all others are up.
    #[track_caller]
    fn check(views: &[&str], down: &str, unknown: &str, expected: Level) {
        let state_of = |camera: &CameraId| match camera.as_str() {
            name if down.contains(name) => State::Down,
            name if unknown.contains(name) => State::Unknown,
            _ => State::Up,
        };
        assert_eq!(evaluate(&site(views), false, state_of).0, expected);
    }

    #[test]
    fn all_cameras_up_is_full() {
        check(&["a:1", "b:1"], "", "", Level::Full);
    }

    #[test]
    fn a_missing_must_have_reduces_a_site_that_still_sees_everything() {
        check(&["ab:1"], "a", "", Level::Reduced);
    }

    #[test]
    fn a_missing_spare_is_no_fault_of_the_site() {
        check(&["a+c:1"], "c", "", Level::Full);
    }

    #[test]
    fn a_lost_view_is_critical_and_all_lost_is_blind() {
        check(&["a:1", "b:1"], "a", "", Level::Critical);
        check(&["a:1", "b:1"], "ab", "", Level::Blind);
        check(&["ab:2"], "a", "", Level::Blind);
    }

    #[test]
    fn what_hangs_on_an_unknown_camera_is_unknown() {
        check(&["a:1", "b:1"], "", "a", Level::Unknown);
        check(&["ab:1"], "a", "b", Level::Unknown);
        check(&["ab:1"], "", "a", Level::Full);
    }

    #[test]
    fn a_site_is_blind_where_what_matters_of_it_is_lost() {
        let mut site = site(&["a:1", "b:1"]);
        site.blind_at = 0.25;
        site.views[0].weight = 3.0;
        assert_eq!(level(&site, false, "b"), Level::Critical);
        assert_eq!(level(&site, false, "a"), Level::Blind, "a quarter of the weight is left");
        let (_, views) = evaluate(&site, false, |camera| match camera.as_str() {
            "a" => State::Up,
            _ => State::Unreachable,
        });
        assert_eq!(total([views.as_slice()]).ratio(), Some(0.75));
    }

    #[test]
    fn at_night_a_view_may_need_more_or_nothing() {
        let mut site = site(&["ab:1", "c:1"]);
        site.views[0].needs_at_night = Some(2);
        site.views[1].needs_at_night = Some(0);
        assert_eq!((level(&site, false, "a"), level(&site, true, "a")), (Level::Reduced, Level::Critical));
        assert_eq!((level(&site, false, "c"), level(&site, true, "c")), (Level::Critical, Level::Reduced));
    }

    #[test]
    fn a_view_that_is_surely_lost_counts_whatever_the_unknown_ones_do() {
        check(&["a:1", "b:1"], "a", "b", Level::Critical);
        check(&["ab:2", "c:1"], "a", "b", Level::Critical);
    }
}
