//! Metrics of all that is not one camera or site: the commune as a whole, what is shared, and the plan.

use super::{budgets, family::Family, incidents};
use crate::model::{Kind, Snapshot, State};
use prometheus::proto::MetricFamily;

/// All families that have at least one series.
pub(super) fn families(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    commune(snapshot, &mut families);
    incidents::families(snapshot, &mut families);
    budgets::families(&snapshot.outlooks, &mut families);
    families.retain(|family| !family.get_metric().is_empty());
    families
}

fn commune(snapshot: &Snapshot, families: &mut Vec<MetricFamily>) {
    let mut cameras = Family::gauge("camhealth_cameras", "Cameras by kind and state.");
    for kind in Kind::ALL {
        for state in State::ALL {
            let labels = [("kind", kind.as_str()), ("state", state.as_str())];
            cameras.add(&labels, snapshot.count(kind, state) as f64);
        }
    }
    let coverage = snapshot.coverage;
    let mut views = Family::gauge("camhealth_views", "Views of the commune by whether they are seen.");
    let unknown = coverage.total.saturating_sub(coverage.covered + coverage.lost);
    for (state, count) in [("covered", coverage.covered), ("lost", coverage.lost), ("unknown", unknown)] {
        views.add(&[("state", state)], count as f64);
    }
    let mut ratio = Family::gauge("camhealth_coverage_ratio", "Covered views as a share of all by weight, 0 to 1.");
    if let Some(value) = coverage.ratio() {
        ratio.add(&[], value);
    }
    let mut at = Family::gauge("camhealth_snapshot_timestamp_seconds", "The moment that all this speaks of.");
    at.add(&[], snapshot.at.as_millisecond() as f64 / 1000.0);
    families.extend([cameras, views, ratio, at].map(Family::done));
}
