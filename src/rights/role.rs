//! Roles, and what each may do: one table, which pages, API and commands all go by, and which `docs/rights.md` repeats.

use crate::model::{closed, worded};

closed! {
    /// What somebody is to this monitor.
    pub enum Role {
        /// A screen that shows the wall, and a program that reads metrics.
        Wall "wall",
        /// Whoever may be on call.
        Officer "officer",
        /// Who answers for the roster, and for the families' consent.
        Chief "chief",
        /// The firm that maintains the cameras.
        Contractor "contractor",
        /// Who installs and keeps the monitor.
        Administrator "administrator",
    }
}

worded!(Role::text {
    Wall => "màn hình", "wall";
    Officer => "cán bộ trực", "officer";
    Chief => "chỉ huy", "chief";
    Contractor => "nhà thầu", "contractor";
    Administrator => "quản trị", "administrator";
});

closed! {
    /// One thing that somebody may do, or not.
    pub enum Right {
        /// See the wall, the map, lists, and each site, camera and incident.
        See "see",
        /// See by name who was told what of an incident, over which channel, and who did not answer.
        SeeTold "see_told",
        /// See what a look at a camera found step by step, what the device says of itself, and where it is.
        SeeDevices "see_devices",
        /// See reports on uptime, and take them along.
        SeeReports "see_reports",
        /// Read metrics.
        Metrics "metrics",
        /// Take an incident on.
        TakeOn "take_on",
        /// Answer for the contractor that they see to an incident.
        Respond "respond",
        /// Silence something, or end a silence.
        Silence "silence",
        /// See what can be edited on pages, but for what is only for those who edit it.
        SeeSettings "see_settings",
        /// Edit who takes turns.
        Roster "roster",
        /// Edit who stands in for whom.
        StandIns "stand_ins",
        /// See and edit how people are reached.
        Contacts "contacts",
        /// See and edit the consent to which families' cameras are looked at.
        Consent "consent",
        /// Read who lends a camera, one at a time, each time with a line in the audit trail.
        Owners "owners",
        /// Edit what sites are called.
        Names "names",
        /// Edit what cameras are called, and what is noted on them.
        Notes "notes",
        /// Edit what is out of service on purpose, in the long run.
        Maintenance "maintenance",
        /// Have the configuration read anew.
        Reload "reload",
        /// Keep accounts, and the tokens of programs and screens.
        Accounts "accounts",
        /// Read what people changed.
        Audit "audit",
    }
}

impl Right {
    /// Whether it is about the whole commune: nobody has it who is bound to areas, whatever their role.
    pub const fn is_of_the_commune(self) -> bool {
        match self {
            Self::Metrics
            | Self::Roster
            | Self::StandIns
            | Self::Contacts
            | Self::Reload
            | Self::Accounts
            | Self::Audit => true,
            Self::See
            | Self::SeeTold
            | Self::SeeDevices
            | Self::SeeReports
            | Self::TakeOn
            | Self::Respond
            | Self::Silence
            | Self::SeeSettings
            | Self::Consent
            | Self::Owners
            | Self::Names
            | Self::Notes
            | Self::Maintenance => false,
        }
    }
}

impl Role {
    /// Whether whoever has this role may do so.
    pub const fn has(self, right: Right) -> bool {
        use Right::{
            Accounts, Audit, Consent, Contacts, Maintenance, Metrics, Names, Notes, Owners, Reload, Respond, Roster,
            See, SeeDevices, SeeReports, SeeSettings, SeeTold, Silence, StandIns, TakeOn,
        };
        match self {
            Self::Wall => matches!(right, See | Metrics),
            Self::Officer => {
                matches!(right, See | SeeTold | SeeDevices | SeeReports | TakeOn | Silence | SeeSettings | StandIns)
            }
            Self::Chief => match right {
                See | SeeTold | SeeDevices | SeeReports | TakeOn | Respond | Silence | Audit | SeeSettings | Roster
                | StandIns | Contacts | Consent | Owners | Names | Notes | Maintenance => true,
                Metrics | Reload | Accounts => false,
            },
            Self::Contractor => {
                matches!(right, See | SeeDevices | SeeReports | Metrics | Respond | SeeSettings | Notes | Maintenance)
            }
            Self::Administrator => match right {
                See | SeeTold | SeeDevices | SeeReports | Metrics | TakeOn | Respond | Silence | Reload | Accounts
                | Audit | SeeSettings | Roster | StandIns | Contacts | Consent | Names | Notes | Maintenance => true,
                // Families gave their names to the commune, and not to whoever keeps its machines.
                Owners => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::one_name;

    #[test]
    fn each_role_and_right_has_one_name() {
        one_name::<Role>();
        one_name::<Right>();
    }

    #[test]
    fn everybody_sees_and_the_administrator_may_all_but_one() {
        assert!(Role::ALL.iter().all(|role| role.has(Right::See)));
        let all = Right::ALL.into_iter().filter(|right| *right != Right::Owners);
        assert!(all.into_iter().all(|right| Role::Administrator.has(right)));
        let readers: Vec<Role> = Role::ALL.into_iter().filter(|role| role.has(Right::Owners)).collect();
        assert_eq!(readers, [Role::Chief], "one role alone reads who lends a camera");
        // Who keeps accounts could make themselves anything.
        let keepers: Vec<Role> = Role::ALL.into_iter().filter(|role| role.has(Right::Accounts)).collect();
        assert_eq!(keepers, [Role::Administrator]);
    }
}
