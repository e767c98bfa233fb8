//! Accounts of people, and passes: what a browser, a program or a screen shows to be known again.

use super::{
    bounds::Bounds,
    hash::Hash,
    openid::OpenId,
    passkey::Passkey,
    role::{Right, Role},
    second::SecondStep,
};
use crate::model::{Language, LinkId, PersonId, closed, elapsed, later, worded};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A session that nobody used for so long has ended.
const IDLE: Duration = Duration::from_secs(14 * 24 * 3600);
/// A session ends after so long, however it is used.
const LONGEST: Duration = Duration::from_secs(90 * 24 * 3600);
/// How soon an invitation is used, or is good no more.
const INVITATION: Duration = Duration::from_secs(24 * 3600);
/// How often it is noted that a pass is used: each request would be a write.
const NOTED_EVERY: Duration = Duration::from_secs(3600);

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
    /// The areas that they are bound to; the whole commune is theirs where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Bounds>,
    /// What they show beside their password, if that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondStep>,
    /// Whom they are at the provider, if they may sign in by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenId>,
    /// What they may show in place of password and code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Passkey>,
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
        /// A phone's calendar, by the address of somebody's shifts.
        Calendar "calendar",
        /// A code by which an agent joins, once. It is called as the link that the agent is.
        Joining "joining",
        /// An agent, by its public key.
        Agent "agent",
        /// A source, by `Authorization: Bearer`: it says what it knows of the cameras that hang on it, and can do nothing else. It
        /// is called as the link that it is.
        Source "source",
    }
}

worded!(PassKind::text {
    Session => "trình duyệt", "browser";
    Token => "chương trình", "program";
    Screen => "màn hình", "screen";
    Invitation => "liên kết mời", "link";
    Calendar => "lịch điện thoại", "calendar";
    Joining => "mã gắn hộp theo dõi", "code for an agent";
    Agent => "hộp theo dõi", "agent";
    Source => "nguồn tin", "source";
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
    /// The areas that a program or a screen is bound to. Of an account's, those are the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Bounds>,
    /// Whose shifts a calendar shows: somebody of the roster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Whether whoever signed in here showed a passkey, which is two steps in one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_passkey: bool,
}

impl Pass {
    /// A browser's, in which somebody has just signed in.
    pub fn session(id: Hash, account: &Account, label: String, now: Timestamp) -> Self {
        let (name, role) = (Some(account.name.clone()), account.role);
        let until = Some(later(now, LONGEST));
        Self {
            id,
            kind: PassKind::Session,
            account: name,
            label,
            role,
            created: now,
            used: now,
            until,
            areas: None,
            person: None,
            by_passkey: false,
        }
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
        Self {
            id,
            kind,
            account: None,
            label,
            role,
            created: now,
            used: now,
            until,
            areas: None,
            person: None,
            by_passkey: false,
        }
    }

    /// A phone's calendar, of somebody's shifts. It opens nothing else, so its role is never asked for.
    pub fn calendar(id: Hash, person: PersonId, name: String, (now, until): (Timestamp, Option<Timestamp>)) -> Self {
        let pass = Self::of_thing(id, PassKind::Calendar, name, Role::Wall, (now, until));
        Self { person: Some(person), ..pass }
    }

    /// A code by which an agent joins as a link.
    pub fn joining(id: Hash, link: &LinkId, now: Timestamp) -> Self {
        Self::of_thing(id, PassKind::Joining, link.to_string(), Role::Wall, (now, Some(later(now, INVITATION))))
    }

    /// The same, bound to areas.
    #[must_use]
    pub fn within(self, areas: Option<Bounds>) -> Self {
        Self { areas, ..self }
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
        /// The areas that they are bound to, if they are.
        areas: Option<Bounds>,
    },
    /// A program or a screen: what people call it.
    Thing {
        /// What people call it.
        label: String,
        /// What it may do.
        role: Role,
        /// The areas that it is bound to, if it is.
        areas: Option<Bounds>,
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
    /// Their role asks for a second step, and they have set up none.
    #[error("your role asks for a second step: sign in on the page and set it up")]
    SecondStep,
    /// It is about the whole commune, and they are bound to areas.
    #[error("this is about the whole commune, and your account is bound to areas: ask somebody whose account is not")]
    Commune,
    /// They see it, and it is not their areas' alone.
    #[error(
        "this also touches what lies outside the areas that your account is bound to: ask somebody whose account is not"
    )]
    Outside,
}

impl Denied {
    /// For whoever reads pages.
    pub fn text(self, language: Language) -> String {
        let vietnamese = match self {
            Self::SignIn => "Hãy đăng nhập trước.",
            Self::Role(_) => "Vai trò của bạn không được làm việc này.",
            Self::SecondStep => {
                "Vai trò của bạn phải có bước xác thực thứ hai: hãy đăng nhập trên trang và bật bước đó."
            }
            Self::Commune => {
                "Việc này thuộc toàn xã, còn tài khoản của bạn chỉ gắn với một số khu vực: hãy nhờ người có tài khoản toàn xã."
            }
            Self::Outside => {
                "Việc này còn ảnh hưởng ra ngoài khu vực của tài khoản bạn: hãy nhờ người có tài khoản toàn xã."
            }
        };
        language.pick(vietnamese.to_owned(), self.to_string())
    }
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
            Self::Person { role, .. } | Self::Thing { role, .. } if !role.has(right) => Err(Denied::Role(right)),
            Self::Person { .. } | Self::Thing { .. } if right.is_of_the_commune() => self.may_all(),
            Self::Person { .. } | Self::Thing { .. } => Ok(()),
        }
    }

    /// Whether they may do what is about the whole commune.
    pub fn may_all(&self) -> Result<(), Denied> {
        if self.areas().is_some() { Err(Denied::Commune) } else { Ok(()) }
    }

    /// The areas that they are bound to, if they are.
    pub fn areas(&self) -> Option<&Bounds> {
        match self {
            Self::Person { areas, .. } | Self::Thing { areas, .. } => areas.as_ref(),
            Self::Stranger | Self::Anybody | Self::Called(_) | Self::Machine => None,
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
