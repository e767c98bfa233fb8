//! Incidents of what cannot be said: cameras that answer and prove nothing, and a monitor that sees nothing at all.

use super::Book;
use crate::{
    alert::Doubted,
    model::{Cause, Level, Reason, SiteId},
};
use jiff::Timestamp;

impl Book {
    /// A doubt about a site lasts, or is gone.
    pub fn site_doubted(&mut self, now: Timestamp, site: &SiteId, doubted: Doubted) {
        let open = self.doubt_of(site).map(|incident| incident.id.clone());
        match (doubted, open) {
            (Doubted::Since(since), None) => {
                let id = self.begin(now, Cause::Unproven(site.clone()), since, Level::Unknown);
                self.incidents.set_site(&id, site, Level::Unknown);
                self.tell(&id, Reason::CoverageUnproven);
            }
            (Doubted::NoMore, Some(id)) => {
                self.incidents.set_site(&id, site, Level::Full);
                self.close(now, &id, Reason::CoverageProven);
            }
            (Doubted::Since(_), Some(_)) | (Doubted::NoMore, None) => {}
        }
    }

    /// The monitor sees nothing at all and nothing says that its own network works.
    pub fn cut_off(&mut self, now: Timestamp, since: Timestamp) {
        if self.open_of(&Cause::Monitor).is_none() {
            let id = self.begin(now, Cause::Monitor, since, Level::Unknown);
            self.tell(&id, Reason::MonitorCutOff);
        }
    }

    /// The monitor sees again.
    pub fn sees_again(&mut self, now: Timestamp) {
        if let Some(id) = self.open_of(&Cause::Monitor).map(|incident| incident.id.clone()) {
            self.close(now, &id, Reason::MonitorRestored);
        }
    }
}
