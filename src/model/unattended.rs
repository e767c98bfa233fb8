//! A site that nobody sees and that nobody has taken on: for how long that has been so.

use super::{Incident, Level, SiteStatus, Snapshot, elapsed};
use jiff::Timestamp;
use std::time::Duration;

/// So long somebody may take to take an incident on.
pub const PATIENCE: Duration = Duration::from_secs(15 * 60);

impl Incident {
    /// Since when it waits for somebody who takes it on; `None` where somebody has, or it ended.
    pub fn waits_since(&self) -> Option<Timestamp> {
        let ran_out = self.lapsed.as_ref().map(|lapsed| lapsed.ran_out.unwrap_or(lapsed.last.at));
        (self.ack.is_none() && self.closed.is_none()).then(|| ran_out.unwrap_or(self.opened).max(self.opened))
    }
}

impl Snapshot {
    /// For how long nobody has taken a blind site on, where that is too long.
    pub fn unattended(&self, site: &SiteStatus) -> Option<Duration> {
        let id = site.incident.as_ref().filter(|_| site.level == Level::Blind)?;
        self.waits_too_long(self.incidents.iter().find(|incident| incident.id == *id)?)
    }

    /// For how long nobody has taken on an incident that blinds a site, where that is too long.
    pub fn waits_too_long(&self, incident: &Incident) -> Option<Duration> {
        let blind = || self.course(incident).level() == Level::Blind;
        let waits = elapsed(self.at, incident.waits_since()?);
        (waits >= PATIENCE && blind()).then_some(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ack, Cause, Lapsed};

    #[test]
    fn it_waits_from_its_opening_or_from_when_an_acknowledgement_ran_out() {
        let at = |second: i64| Timestamp::from_second(1_790_000_000 + second).expect("a time in this century");
        let open = Incident { opened: at(10), ..Incident::new(Cause::Site("cho".into()), at(0), Level::Blind) };
        let ack = Ack { by: "An".into(), via: "page".into(), at: at(60) };
        let lapsed = |ran_out| Some(Lapsed { count: 1, last: ack.clone(), ran_out });
        for (what, incident, since) in [
            ("nobody ever did", open.clone(), Some(at(10))),
            ("somebody has", Incident { ack: Some(ack.clone()), ..open.clone() }, None),
            ("it ended", Incident { closed: Some(at(90)), ..open.clone() }, None),
            ("it ran out", Incident { lapsed: lapsed(Some(at(900))), ..open.clone() }, Some(at(900))),
            ("an earlier version did not note when", Incident { lapsed: lapsed(None), ..open.clone() }, Some(at(60))),
        ] {
            assert_eq!(incident.waits_since(), since, "{what}");
        }
    }
}
