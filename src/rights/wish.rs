//! What people ask for about accounts and passes, decided with all of them at hand.

use super::account::Pass;
use super::audit::Deed;
use super::bounds::Bounds;
use super::hash::Hash;
use super::invite::Invite;
use super::openid::Vouched;
use super::passkey::Passkey;
use super::register::{Change, Register};
use super::role::{Right, Role};
use super::second::{Proof, SecondStep};
use super::wrong::Wrong;
use jiff::Timestamp;

/// A wish about accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Make an account, or let somebody choose another password; by a link whose secret has this hash.
    Invite(Invite, Hash),
    /// Choose a password: the hash of the link's secret, and that of the password.
    Choose {
        /// The link.
        invitation: Hash,
        /// The password.
        password: Hash,
    },
    /// Somebody has shown the right password.
    SignIn {
        /// Their account.
        account: String,
        /// The pass of their browser.
        pass: Hash,
        /// What the browser says it is.
        label: String,
        /// What was shown beside the password.
        proof: Option<Proof>,
    },
    /// A provider vouched for somebody.
    Vouched {
        /// Whom.
        vouched: Vouched,
        /// Their account, as it was found.
        account: String,
        /// The pass of their browser.
        pass: Hash,
        /// What the browser says it is.
        label: String,
    },
    /// Let the first who is called so at the provider sign in to an account; nobody where there is nothing.
    Provider(String, Option<String>),
    /// Be asked for a second step from now on.
    SecondStep(String, SecondStep),
    /// Ask somebody for no second step any more.
    NoSecondStep(String),
    /// Take a passkey of one's own on.
    AddPasskey(String, Passkey),
    /// Forget a passkey of one's own, by its id.
    DropPasskey(String, String),
    /// Forget all passkeys of somebody.
    NoPasskeys(String),
    /// End a session of one's own.
    SignOut(Hash),
    /// End all sessions of an account.
    SignOutEverywhere(String),
    /// Give somebody another role.
    Appoint(String, Role),
    /// Bind somebody to areas; to none where there is nothing.
    Bind(String, Option<Bounds>),
    /// Let somebody sign in no more.
    Close(String),
    /// Make a pass for a program or a screen.
    Issue(Pass),
    /// End a pass.
    Revoke(Hash),
    /// A pass was used: that is noted now and then.
    Use(Hash),
    /// An agent joins.
    Join {
        /// By this code.
        code: Hash,
        /// What it is known by from then on.
        agent: Hash,
    },
}

impl Wish {
    /// What somebody must be allowed to do for it; nothing for what they do for themselves.
    pub const fn right(&self) -> Option<Right> {
        match self {
            Self::Choose { .. }
            | Self::SignIn { .. }
            | Self::Vouched { .. }
            | Self::SecondStep(..)
            | Self::AddPasskey(..)
            | Self::DropPasskey(..)
            | Self::SignOut(_)
            | Self::SignOutEverywhere(_)
            | Self::Join { .. }
            | Self::Use(_) => None,
            Self::Invite(..)
            | Self::Appoint(..)
            | Self::Bind(..)
            | Self::Close(_)
            | Self::NoSecondStep(_)
            | Self::NoPasskeys(_)
            | Self::Provider(..)
            | Self::Issue(_)
            | Self::Revoke(_) => Some(Right::Accounts),
        }
    }

    /// The areas that it would bind somebody or something to.
    pub fn areas(&self) -> Option<&Bounds> {
        match self {
            Self::Invite(invite, _) => invite.areas.as_ref(),
            Self::Bind(_, areas) => areas.as_ref(),
            Self::Issue(pass) => pass.areas.as_ref(),
            _ => None,
        }
    }
}

/// What follows from a wish that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What is to be kept.
    pub changes: Vec<Change>,
    /// What the audit trail says of it, but for who it was; nothing of what changes nothing.
    pub deed: Option<Deed>,
}

/// Does what somebody wishes, or says why not.
pub fn decide(register: &mut Register, now: Timestamp, wish: Wish) -> Result<Decided, Wrong> {
    let (action, subject, mut outcome) = match wish {
        Wish::Use(pass) => {
            return Ok(Decided { changes: register.used(now, &pass).into_iter().collect(), deed: None });
        }
        Wish::Invite(invite, id) => ("invite", invite.name.clone(), register.invite(now, invite, id)?),
        Wish::Choose { invitation, password } => {
            let account = register.pass(now, &invitation).and_then(|pass| pass.account.clone()).unwrap_or_default();
            ("choose_password", account, register.choose(now, &invitation, password)?)
        }
        Wish::SignIn { account, pass, label, proof } => {
            // Whoever keeps accounts sees that somebody has lost their phone, or their codes.
            let action = match &proof {
                Some(Proof::Recovery(_)) => "sign_in_by_recovery_code",
                Some(Proof::Passkey { .. }) => "sign_in_by_passkey",
                Some(Proof::Code(_)) | None => "sign_in",
            };
            (action, account.clone(), register.sign_in(now, &account, (pass, label), proof.as_ref())?)
        }
        Wish::Vouched { vouched, account, pass, label } => {
            let outcome = register.enter_vouched(now, &account, (pass, label), &vouched)?;
            // Where a code is asked for, the sign-in stands in the trail when that was shown.
            match outcome.changes.iter().any(|change| matches!(change, Change::Pass(_))) {
                true => ("sign_in_by_provider", account, outcome),
                false if outcome.changes.is_empty() => return Ok(Decided { changes: Vec::new(), deed: None }),
                false => ("bind_to_provider", account, outcome),
            }
        }
        Wish::Provider(account, called) => {
            ("provider", account.clone(), register.ask_provider(&account, called.as_deref())?)
        }
        Wish::SecondStep(account, second) => {
            ("second_step", account.clone(), register.ask_second(&account, Some(second))?)
        }
        Wish::NoSecondStep(account) => ("no_second_step", account.clone(), register.ask_second(&account, None)?),
        Wish::AddPasskey(account, passkey) => {
            ("add_passkey", account.clone(), register.add_passkey(&account, passkey)?)
        }
        Wish::DropPasskey(account, id) => {
            ("drop_passkey", account.clone(), register.drop_passkeys(&account, Some(&id))?)
        }
        Wish::NoPasskeys(account) => ("no_passkeys", account.clone(), register.drop_passkeys(&account, None)?),
        Wish::SignOut(pass) => ("sign_out", String::new(), register.revoke(&pass)?),
        Wish::SignOutEverywhere(account) => {
            ("sign_out_everywhere", account.clone(), register.sign_out_everywhere(&account)?)
        }
        Wish::Appoint(account, role) => ("appoint", account.clone(), register.change(&account, Some(role), false)?),
        Wish::Bind(account, areas) => ("bind", account.clone(), register.bind(&account, areas)?),
        Wish::Close(account) => ("close", account.clone(), register.change(&account, None, true)?),
        Wish::Issue(pass) => ("issue", pass.label.clone(), register.issue(now, pass)?),
        Wish::Join { code, agent } => {
            let outcome = register.join(now, &code, agent)?;
            ("join_agent", outcome.after.clone(), outcome)
        }
        Wish::Revoke(pass) => {
            let outcome = register.revoke(&pass)?;
            ("revoke", outcome.before.clone(), outcome)
        }
    };
    // What is good no more is forgotten when there is something to write anyway.
    outcome.changes.splice(0..0, register.tidy(now));
    let deed = Deed { action, subject, before: outcome.before, after: outcome.after, ..Deed::default() };
    Ok(Decided { changes: outcome.changes, deed: Some(deed) })
}
