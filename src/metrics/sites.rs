//! What is told of each site: the families, and from what each is written.

use super::{cameras::seconds, lines::Family};
use crate::model::{Level, Site, SiteStatus, ViewState};
use std::{collections::BTreeSet, sync::Arc};

/// A site at the moment of a snapshot.
pub(super) struct Subject {
    pub(super) site: Arc<Site>,
    pub(super) status: Arc<SiteStatus>,
}

impl Subject {
    fn id(&self) -> (&'static str, &str) {
        ("site", self.site.id.as_str())
    }

    fn hamlet(&self) -> (&'static str, &str) {
        ("hamlet", &self.site.hamlet)
    }
}

pub(super) const FAMILIES: &[Family<Subject>] = &[
    Family::gauge("camhealth_site_info", "What the site is; always 1.", |one, out| {
        out.add(&[one.hamlet(), ("name", &one.site.name), one.id()], 1.0);
    }),
    Family::gauge("camhealth_site_level", "1 for the level of coverage that the site has, else 0.", |one, out| {
        for level in Level::ALL {
            out.add(&[("level", level.as_str()), one.id()], f64::from(u8::from(one.status.level == level)));
        }
    }),
    Family::gauge("camhealth_site_views", "Views of the site by whether they are seen.", |one, out| {
        for state in ViewState::ALL {
            let count = one.status.views.iter().filter(|view| view.state == state).count();
            out.add(&[one.id(), ("state", state.as_str())], count as f64);
        }
    }),
    Family::gauge("camhealth_site_incident_open", "1 while people were told and not yet taken back.", |one, out| {
        out.add(&[one.id()], f64::from(u8::from(one.status.incident.is_some())))
    }),
    Family::gauge(
        "camhealth_site_level_since_timestamp_seconds",
        "Since when the site has its level, as Unix time in seconds.",
        |one, out| out.add(&[one.id()], seconds(one.status.since)),
    ),
    Family::gauge("camhealth_site_latitude_degrees", "Where the site lies, north of the equator.", |one, out| {
        out.maybe(&[one.id()], one.site.location.map(|location| location.latitude));
    }),
    Family::gauge("camhealth_site_longitude_degrees", "Where the site lies, east of Greenwich.", |one, out| {
        out.maybe(&[one.id()], one.site.location.map(|location| location.longitude));
    }),
    Family::gauge("camhealth_site_camera_info", "A camera that sees a view of the site; always 1.", |one, out| {
        let cameras: BTreeSet<_> = one.site.watchers().map(|watcher| &watcher.camera).collect();
        for camera in cameras {
            out.add(&[("camera", camera.as_str()), one.hamlet(), one.id()], 1.0);
        }
    }),
    Family::gauge("camhealth_view_state", "1 for whether the view is seen, else 0.", |one, out| {
        for view in &one.status.views {
            for state in ViewState::ALL {
                let labels = [one.id(), ("state", state.as_str()), ("view", view.name.as_str())];
                out.add(&labels, f64::from(u8::from(view.state == state)));
            }
        }
    }),
];
