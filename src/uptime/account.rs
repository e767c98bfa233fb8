//! The states that a second can be in, and sums of them.

use crate::model::closed;
use serde::Serialize;
use utoipa::ToSchema;

closed! {
    /// What a second counts as. Exactly one holds in each.
    #[derive(PartialOrd, Ord)]
    pub enum Account {
        /// It works.
        Up "up",
        /// It works with a fault; of a site: every view is seen and a must-have camera is missing.
        Degraded "degraded",
        /// It does not work, by itself; of a site: a view is lost.
        Down "down",
        /// It cannot be reached because of a link that the contractor answers for.
        Unreachable "unreachable",
        /// It cannot be reached because of a line or power that others answer for.
        External "external",
        /// It rejects the login: whether it works is not known.
        Login "login",
        /// It was not seen.
        Unseen "unseen",
        /// It was out of service on purpose.
        Maintenance "maintenance",
        /// Its owner wanted no contact.
        Off "off",
        /// The monitor did not run.
        MonitorDown "monitor_down",
    }
}

closed! {
    /// The three classes of IEC 60050-192-01-23.
    pub enum Class {
        /// Able to do its work.
        Up "up",
        /// Not able to.
        Down "down",
        /// Not counted.
        Excluded "excluded",
    }
}

impl Account {
    /// Whether it counts as up, as down or not at all.
    pub fn class(self) -> Class {
        match self {
            Self::Up | Self::Degraded => Class::Up,
            Self::Down | Self::Unreachable | Self::External => Class::Down,
            Self::Login | Self::Unseen | Self::Maintenance | Self::Off | Self::MonitorDown => Class::Excluded,
        }
    }
}

/// Seconds in each state; their sum is the time that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Seconds {
    /// In `up`.
    pub up: i64,
    /// In `degraded`.
    pub degraded: i64,
    /// In `down`.
    pub down: i64,
    /// In `unreachable`.
    pub unreachable: i64,
    /// In `external`.
    pub external: i64,
    /// In `login`.
    pub login: i64,
    /// In `unseen`.
    pub unseen: i64,
    /// In `maintenance`.
    pub maintenance: i64,
    /// In `off`.
    pub off: i64,
    /// In `monitor_down`.
    pub monitor_down: i64,
}

impl Seconds {
    /// Seconds in one state.
    pub fn of(&self, account: Account) -> i64 {
        match account {
            Account::Up => self.up,
            Account::Degraded => self.degraded,
            Account::Down => self.down,
            Account::Unreachable => self.unreachable,
            Account::External => self.external,
            Account::Login => self.login,
            Account::Unseen => self.unseen,
            Account::Maintenance => self.maintenance,
            Account::Off => self.off,
            Account::MonitorDown => self.monitor_down,
        }
    }

    /// Adds seconds to one state.
    pub(super) fn add(&mut self, account: Account, seconds: i64) {
        let field = match account {
            Account::Up => &mut self.up,
            Account::Degraded => &mut self.degraded,
            Account::Down => &mut self.down,
            Account::Unreachable => &mut self.unreachable,
            Account::External => &mut self.external,
            Account::Login => &mut self.login,
            Account::Unseen => &mut self.unseen,
            Account::Maintenance => &mut self.maintenance,
            Account::Off => &mut self.off,
            Account::MonitorDown => &mut self.monitor_down,
        };
        *field += seconds;
    }

    /// Adds what another thing spent.
    pub(super) fn add_all(&mut self, other: &Self) {
        for account in Account::ALL {
            self.add(account, other.of(account));
        }
    }

    /// All seconds together.
    pub fn total(&self) -> i64 {
        Account::ALL.iter().map(|account| self.of(*account)).sum()
    }

    /// Seconds of one class.
    pub fn class(&self, class: Class) -> i64 {
        Account::ALL.iter().filter(|account| account.class() == class).map(|account| self.of(*account)).sum()
    }

    /// Availability as officers see it: up as a share of up and down, whoever is to blame. `None` where neither was.
    pub fn service(&self) -> Option<f64> {
        share(self.class(Class::Up), self.class(Class::Up) + self.class(Class::Down))
    }

    /// Availability that the contractor answers for: the same without outages of others' lines and power.
    pub fn contractor(&self) -> Option<f64> {
        let up = self.class(Class::Up);
        share(up, up + self.down + self.unreachable)
    }

    /// How much of the time in which it was to work was measured.
    pub fn measured(&self) -> Option<f64> {
        let measured = self.class(Class::Up) + self.class(Class::Down);
        share(measured, self.total() - self.maintenance - self.off)
    }
}

fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::one_name;

    #[test]
    fn each_value_has_one_name() {
        one_name::<Account>();
        one_name::<Class>();
        one_name::<crate::uptime::Verdict>();
        one_name::<crate::uptime::Reckoned>();
        one_name::<crate::uptime::Stand>();
    }
}
