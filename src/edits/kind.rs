//! What can be edited on pages: which keys of which tables, and by whom. Devices, links and secrets stay in files.

use crate::{
    model::{closed, worded},
    rights::Right,
};

closed! {
    /// What a page of its own is about.
    pub enum Subject {
        /// Who takes turns.
        Roster "roster",
        /// Who stands in for whom, and when.
        StandIns "stand-ins",
        /// How people are reached.
        People "people",
        /// Which families agreed to what.
        Consent "consent",
        /// What is out of service on purpose.
        Maintenance "maintenance",
        /// What sites are called.
        Sites "sites",
        /// What cameras are called, and what is noted on them and on recorders.
        Cameras "cameras",
    }
}

worded!(Subject::text {
    Roster => "Lịch trực", "Roster";
    StandIns => "Trực thay", "Stand-ins";
    People => "Tên và kênh liên lạc", "People's names and channels";
    Consent => "Đồng ý của chủ hộ", "Families' consent";
    Maintenance => "Bảo trì", "Maintenance";
    Sites => "Tên điểm", "Names of sites";
    Cameras => "Tên và ghi chú camera, đầu ghi", "Names and notes of cameras and recorders";
});

closed! {
    /// One thing that can be edited.
    #[derive(PartialOrd, Ord)]
    pub enum Kind {
        /// The turns of a rotation.
        Roster "roster",
        /// Somebody stands in.
        StandIn "stand_in",
        /// Over which channels somebody is reached, the first by preference.
        Reach "reach",
        /// Which telephones ring for somebody's alarms, the first by preference.
        Calls "calls",
        /// The number, chat or mail address that a channel leads to.
        Address "address",
        /// The consent to which a family's camera is looked at.
        Consent "consent",
        /// A window of maintenance.
        Maintenance "maintenance",
        /// What a site is called.
        SiteName "site_name",
        /// What a camera on the road is called; names of families' cameras stay in the files.
        CameraName "camera_name",
        /// What is noted on a camera.
        Notes "notes",
        /// What is noted on a recorder.
        RecorderNotes "recorder_notes",
        /// What people call somebody on call.
        PersonName "person_name",
    }
}

/// How the value of a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true`, or nothing.
    Truth,
    /// Several texts.
    List,
}

impl Subject {
    /// What somebody must be allowed to do to see its page: addresses of people and of families' cameras are for those who
    /// keep them.
    pub const fn seen_with(self) -> Right {
        match self {
            Self::People => Right::Contacts,
            Self::Consent => Right::Consent,
            Self::Roster | Self::StandIns | Self::Maintenance | Self::Sites | Self::Cameras => Right::SeeSettings,
        }
    }

    /// What somebody must be allowed to do to edit it.
    pub const fn right(self) -> Right {
        match self {
            Self::Roster => Right::Roster,
            Self::StandIns => Right::StandIns,
            Self::People => Right::Contacts,
            Self::Consent => Right::Consent,
            Self::Maintenance => Right::Maintenance,
            Self::Sites => Right::Names,
            Self::Cameras => Right::Notes,
        }
    }

    /// Whether it is about the whole commune: nobody sees it who is bound to areas.
    pub const fn is_of_the_commune(self) -> bool {
        self.right().is_of_the_commune()
    }

    /// What is edited on its page.
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Roster => &[Kind::Roster],
            Self::StandIns => &[Kind::StandIn],
            Self::People => &[Kind::PersonName, Kind::Reach, Kind::Calls, Kind::Address],
            Self::Consent => &[Kind::Consent],
            Self::Maintenance => &[Kind::Maintenance],
            Self::Sites => &[Kind::SiteName],
            Self::Cameras => &[Kind::CameraName, Kind::Notes, Kind::RecorderNotes],
        }
    }
}

impl Kind {
    /// The page on which it is edited.
    pub const fn subject(self) -> Subject {
        match self {
            Self::Roster => Subject::Roster,
            Self::StandIn => Subject::StandIns,
            Self::Reach | Self::Calls | Self::Address | Self::PersonName => Subject::People,
            Self::Consent => Subject::Consent,
            Self::Maintenance => Subject::Maintenance,
            Self::SiteName => Subject::Sites,
            Self::CameraName | Self::Notes | Self::RecorderNotes => Subject::Cameras,
        }
    }

    /// The table of the configuration in whose entries it stands.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Roster => "rotation",
            Self::StandIn => "override",
            Self::Reach | Self::Calls | Self::PersonName => "person",
            Self::Address => "channel",
            Self::Consent | Self::CameraName | Self::Notes => "camera",
            Self::Maintenance => "maintenance",
            Self::SiteName => "site",
            Self::RecorderNotes => "recorder",
        }
    }

    /// The key whose table holds all of it, where its keys do not stand in the entry itself.
    pub const fn within(self) -> Option<&'static str> {
        match self {
            Self::Consent => Some("consent"),
            _ => None,
        }
    }

    /// Whether an edit is an entry of its own, beside those of the files; of one in the files an edit that says nothing
    /// strikes it out.
    pub const fn is_added(self) -> bool {
        matches!(self, Self::StandIn | Self::Maintenance)
    }

    /// Whether an edit leaves alone what it does not name: a channel has one of several keys.
    pub const fn is_partial(self) -> bool {
        matches!(self, Self::Address)
    }

    /// Its keys.
    pub const fn keys(self) -> &'static [(&'static str, Form)] {
        use Form::{List, Number, Text, Truth};
        match self {
            Self::Roster => &[("people", List), ("start", Text), ("handover", List), ("days", Number)],
            Self::StandIn => &[("rotation", Text), ("person", Text), ("from", Text), ("until", Text), ("reason", Text)],
            Self::Reach => &[("channels", List)],
            Self::Calls => &[("calls", List)],
            Self::Address => &[("phone", Text), ("chat", Text), ("to", Text)],
            Self::Consent => &[("given", Text), ("scope", Text), ("until", Text)],
            Self::Maintenance => &[
                ("camera", Text),
                ("site", Text),
                ("link", Text),
                ("area", Text),
                ("hamlet", Text),
                ("all", Truth),
                ("from", Text),
                ("until", Text),
                ("hours", Text),
                ("days", List),
                ("author", Text),
                ("reason", Text),
            ],
            Self::SiteName | Self::CameraName | Self::PersonName => &[("name", Text)],
            Self::Notes | Self::RecorderNotes => &[("notes", Text)],
        }
    }
}
