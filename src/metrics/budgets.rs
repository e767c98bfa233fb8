//! Metrics of the plan: what is left of the budgets, which logins are in doubt, and what is held back.

use super::fleet::Family;
use crate::model::{Held, Outlooks};
use prometheus::proto::MetricFamily;

/// Appends the families that speak of the plan.
pub(super) fn budgets(outlooks: &Outlooks, families: &mut Vec<MetricFamily>) {
    let limit = "camhealth_camera_budget_bytes";
    let mut limits = Family::gauge(limit, "Bytes that looks may move from the camera in any 24 hours.");
    let mut left = Family::gauge("camhealth_camera_budget_left_bytes", "Bytes that looks could move from it at once.");
    let mut looks = Family::gauge("camhealth_camera_budget_looks", "Looks that may begin at the camera in any hour.");
    let mut looks_left = Family::gauge("camhealth_camera_budget_left_looks", "Looks that could begin at it at once.");
    let mut strikes =
        Family::gauge("camhealth_camera_login_strikes", "Rejected logins that count; with 2 none is tried any more.");
    let mut next =
        Family::gauge("camhealth_camera_next_probe_timestamp_seconds", "When the next look is due, as Unix time.");
    let mut held = Family::gauge("camhealth_camera_probe_held", "1 for the reason why a look that is due waits.");
    for (id, outlook) in &outlooks.cameras {
        let camera = ("camera", id.as_str());
        limits.add(&[camera], outlook.bytes.limit as f64);
        left.add(&[camera], outlook.bytes.left as f64);
        looks.add(&[camera], outlook.looks.limit as f64);
        looks_left.add(&[camera], outlook.looks.left as f64);
        for (protocol, count) in [("rtsp", outlook.rtsp_strikes), ("onvif", outlook.onvif_strikes)] {
            strikes.add(&[camera, ("protocol", protocol)], f64::from(count));
        }
        if let Some(look) = outlook.next {
            next.add(&[camera], look.at.as_millisecond() as f64 / 1000.0);
        }
        if let Some(reason) = outlook.held {
            held.add(&[camera, ("reason", reason.as_str())], 1.0);
        }
    }
    families.extend([limits, left, looks, looks_left, strikes, next, held].map(Family::done));
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
