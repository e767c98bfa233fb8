//! Who is told, in which order, and when they are left in peace.

use crate::model::{Ack, ChannelId, DailyHours, Level, PersonId};
use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// People, rotations and the policy of telling.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// People by id.
    pub people: BTreeMap<PersonId, Person>,
    /// Rotations, the main one first.
    pub rotations: Vec<Rotation>,
    /// Who stands in for whom, and when; the last that applies counts.
    pub overrides: Vec<Override>,
    /// Shared channels that get every notice but the steps of the escalation, whoever is on call.
    pub always: Vec<ChannelId>,
    /// The escalation; empty stands for a single step that tells whoever is on call.
    pub steps: Vec<Step>,
    /// How often the escalation begins again when nobody takes the incident on.
    pub repeat: u32,
    /// When minor incidents wait.
    pub quiet: Option<Quiet>,
    /// After so long an incident that somebody took on and that is still open is told again.
    pub ack_expires: Duration,
    /// Who is told each morning of minor faults.
    pub digest: Option<Digest>,
    /// Who is told that a channel takes nothing.
    pub maintainers: Vec<Target>,
    /// Who is told that a shift has nobody; those who keep the monitor where nobody is named.
    pub roster_keepers: Vec<Target>,
    /// Whether an exercise begins by itself each month.
    pub monthly_drill: bool,
    /// Whether there is a contract on repairs.
    pub under_contract: bool,
    /// Who of all people works for the contractor: their taking an incident on is the contractor's answer.
    pub contractors: BTreeSet<PersonId>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            people: BTreeMap::new(),
            rotations: Vec::new(),
            overrides: Vec::new(),
            always: Vec::new(),
            steps: Vec::new(),
            repeat: 0,
            quiet: None,
            ack_expires: Duration::from_secs(8 * 60 * 60),
            digest: None,
            maintainers: Vec::new(),
            roster_keepers: Vec::new(),
            monthly_drill: false,
            under_contract: false,
            contractors: BTreeSet::new(),
        }
    }
}

impl Settings {
    /// Whether somebody who takes an incident on works for the contractor. On pages and by commands people say themselves
    /// who they are, and whoever may answer for the contractor has a button for it; a link and a channel are one person's.
    pub fn answers_for_contractor(&self, ack: &Ack) -> bool {
        let mut theirs = self.contractors.iter().filter_map(|id| self.people.get(id));
        !matches!(ack.via.as_str(), "page" | "command") && theirs.any(|person| person.name == ack.by)
    }
}

/// Somebody on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name for people.
    pub name: String,
    /// Channels that reach them, the first by preference; at least one.
    pub channels: Vec<ChannelId>,
    /// Channels by which their telephone rings for an alarm, beside the message; the first by preference.
    pub calls: Vec<ChannelId>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Its name.
    pub id: String,
    /// In order; at least one.
    pub people: Vec<PersonId>,
    /// Day on which the first person's first turn begins.
    pub start: Date,
    /// Local times of handing over, at least one; several make shifts.
    pub handovers: Vec<Time>,
    /// Days in a turn; at least one, and one where there are shifts.
    pub days: u32,
    /// How long before their shift begins somebody is told of it; not at all where it is nothing.
    pub handover_notice: Duration,
}

/// Somebody stands in: leave, Tết, a typhoon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// In which rotation; in all of them when `None`.
    pub rotation: Option<String>,
    /// Who stands in; nobody yet where there is nothing: whoever has the turn is away.
    pub person: Option<PersonId>,
    /// First moment.
    pub from: Timestamp,
    /// First moment after.
    pub until: Timestamp,
    /// Why, for people.
    pub reason: String,
}

/// One step of the escalation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How long after the step before; for the first, after the incident opened.
    pub after: Duration,
    /// Who is told then.
    pub to: Vec<Target>,
}

/// Somebody or something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Whoever is on call, in all rotations.
    OnCall,
    /// Whoever is on call in one rotation.
    Rotation(String),
    /// Whoever is on call next in one rotation.
    Next(String),
    /// A person.
    Person(PersonId),
    /// A channel with nobody behind it.
    Channel(ChannelId),
}

/// Hours in which people are not woken for what can wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The hours, in local time.
    pub hours: DailyHours,
    /// Levels from this one on are told all the same.
    pub except: Level,
}

/// The daily summary of minor faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Local time.
    pub at: Time,
    /// Who gets it.
    pub to: Vec<Target>,
}
