//! Metrics of the plan: what is left of the links' budgets, and how often looks are held back.

use super::family::Family;
use crate::model::{Held, Outlooks};
use prometheus::proto::MetricFamily;

pub(super) fn families(outlooks: &Outlooks, families: &mut Vec<MetricFamily>) {
    let mut limits =
        Family::gauge("camhealth_link_budget_bytes", "Bytes that looks may move over the link in any 24 hours.");
    let mut left = Family::gauge("camhealth_link_budget_left_bytes", "Bytes that looks could move over it at once.");
    for (id, budget) in &outlooks.links {
        limits.add(&[("link", id.as_str())], budget.limit as f64);
        left.add(&[("link", id.as_str())], budget.left as f64);
    }
    let mut total =
        Family::counter("camhealth_probes_held_total", "Times that a look was due and had to wait, by reason.");
    for reason in Held::ALL {
        total.add(&[("reason", reason.as_str())], outlooks.held.get(&reason).copied().unwrap_or(0) as f64);
    }
    families.extend([limits, left, total].map(Family::done));
}
