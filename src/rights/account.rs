//! Accounts of people, and passes: what a browser, a program or a screen shows to be known again.

use super::role::{Right, Role};
use crate::model::{closed, elapsed, later, worded};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A session that nobody used for so long has ended.
const IDLE: Duration = Duration::from_secs(14 * 24 * 3600);
/// A session ends after so long, however it is used.
const LONGEST: Duration = Duration::from_secs(90 * 24 * 3600);
/// How soon an invitation is used, or is good no more.
const INVITATION: Duration = Duration::from_secs(24 * 3600);
/// How often it is noted that a pass is used: each request would be a write.
const NOTED_EVERY: Duration = Duration::from_secs(3600);

/// What stands in place of a secret, so that the journal gives none away: of a password the Argon2id hash, of a pass the
/// SHA-256 hash. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub String);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What they sign in by, in lower case.
    pub name: String,
    /// What others read where they did something.
    pub full_name: String,
    /// What they may do.
    pub role: Role,
    /// How their password is told; none before they have chosen one.
    pub password: Option<Hash>,
    /// When it was made.
    pub created: Timestamp,
    /// Whether they can sign in no more. Their name stays in what they did.
    pub closed: bool,
}

closed! {
    /// What shows a pass.
    pub enum PassKind {
        /// A browser in which somebody signed in.
        Session "session",
        /// A program, by `Authorization: Bearer`.
        Token "token",
        /// A screen that nobody signs in at, by a link that is opened there once.
        Screen "screen",
        /// A link by which somebody chooses a password, once.
        Invitation "invitation",
    }
}

worded!(PassKind::text {
    Session => "trình duyệt", "browser";
    Token => "chương trình", "program";
    Screen => "màn hình", "screen";
    Invitation => "liên kết mời", "link";
});

/// What somebody or something is known by, without a password each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The hash of what is shown. It serves as its name, too.
    pub id: Hash,
    /// What shows it.
    pub kind: PassKind,
    /// The account that it belongs to; a program's or a screen's has none.
    pub account: Option<String>,
    /// What people call it: the browser, the program or the screen.
    pub label: String,
    /// What it allows. Of an account's, that is the account's.
    pub role: Role,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to the hour.
    pub used: Timestamp,
    /// From when on it is good no more, however it is used.
    pub until: Option<Timestamp>,
}

impl Pass {
    /// A browser's, in which somebody has just signed in.
    pub fn session(id: Hash, account: &Account, label: String, now: Timestamp) -> Self {
        let (name, role) = (Some(account.name.clone()), account.role);
        let until = Some(later(now, LONGEST));
        Self { id, kind: PassKind::Session, account: name, label, role, created: now, used: now, until }
    }

    /// One by which somebody chooses a password.
    pub fn invitation(id: Hash, account: &Account, now: Timestamp) -> Self {
        let until = Some(later(now, INVITATION));
        Self { kind: PassKind::Invitation, until, ..Self::session(id, account, account.full_name.clone(), now) }
    }

    /// A program's or a screen's.
    pub fn of_thing(
        id: Hash,
        kind: PassKind,
        label: String,
        role: Role,
        (now, until): (Timestamp, Option<Timestamp>),
    ) -> Self {
        Self { id, kind, account: None, label, role, created: now, used: now, until }
    }

    /// Whether it is still good.
    pub fn is_good(&self, now: Timestamp) -> bool {
        let idle = self.kind == PassKind::Session && elapsed(now, self.used) > IDLE;
        !idle && self.until.is_none_or(|until| now < until)
    }

    /// Whether it is to be noted that it is used now.
    pub fn is_to_be_noted(&self, now: Timestamp) -> bool {
        elapsed(now, self.used) >= NOTED_EVERY
    }
}

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Nobody that is known.
    Stranger,
    /// Whoever stands at a monitor that asks nobody who they are.
    Anybody,
    /// Somebody who signed in: account and full name.
    Person {
        /// The account.
        account: String,
        /// What others read where they did something.
        name: String,
        /// What they may do.
        role: Role,
        /// Their browser's pass.
        pass: Hash,
    },
    /// A program or a screen: what people call it.
    Thing {
        /// What people call it.
        label: String,
        /// What it may do.
        role: Role,
    },
    /// Whom a signed link is for, or whose chat a bot heard: what they may do, the link or the chat says.
    Called(String),
    /// Whoever can read the journal on this machine: its administrator.
    Machine,
}

/// Why something is not done for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// They must sign in first.
    #[error("sign in first")]
    SignIn,
    /// Their role does not allow it.
    #[error("your role does not allow this ({})", .0.as_str())]
    Role(Right),
}

impl Who {
    /// Whether they may do so. This is the one place that decides it.
    pub fn may(&self, right: Right) -> Result<(), Denied> {
        match self {
            Self::Stranger => Err(Denied::SignIn),
            // Who reads about a family is a person with a name: where nobody is asked for one, nobody does, and no program.
            Self::Anybody if right == Right::Owners => Err(Denied::SignIn),
            Self::Thing { .. } if right == Right::Owners => Err(Denied::Role(right)),
            Self::Anybody | Self::Machine => Ok(()),
            Self::Called(_) if right == Right::TakeOn => Ok(()),
            Self::Called(_) => Err(Denied::Role(right)),
            Self::Person { role, .. } | Self::Thing { role, .. } if role.has(right) => Ok(()),
            Self::Person { .. } | Self::Thing { .. } => Err(Denied::Role(right)),
        }
    }

    /// How people know them.
    pub fn shown(&self) -> &str {
        match self {
            Self::Person { name, .. } => name,
            other => other.name(),
        }
    }

    /// How the audit trail names them.
    pub fn name(&self) -> &str {
        match self {
            Self::Stranger | Self::Anybody => "–",
            Self::Person { account, .. } => account,
            Self::Called(name) => name,
            Self::Thing { label, .. } => label,
            Self::Machine => "camhealth",
        }
    }
}

/// Somebody's wish, as the event loop takes it: who it is of, and from which address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who asks.
    pub who: Who,
    /// From which address, where it came over the network.
    pub from: String,
}

impl By {
    /// The machine's own: a signal, or whoever embeds the daemon.
    pub fn machine() -> Self {
        Self { who: Who::Machine, from: String::new() }
    }
}
