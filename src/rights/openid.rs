//! Who a provider of OpenID Connect says somebody is, and whose account that is.

use super::hash::Hash;
use serde::{Deserialize, Serialize};

/// Letters of a name at the provider, and of a subject (OpenID Connect Core, section 2).
const LONGEST: usize = 255;

/// Somebody whom a provider vouched for: claims whose signature and time have been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Which provider.
    pub issuer: String,
    /// Whom it means: it gives this to nobody else, ever.
    pub subject: String,
    /// What they are called there, which may be another's tomorrow; nothing where it does not vouch for that.
    pub name: Option<String>,
}

/// Whom an account is of at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenId {
    /// What whoever keeps accounts said they are called there: good until the first of this name has come.
    name: String,
    /// Who came first: nobody else ever comes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Subject>,
}

/// Somebody at a provider, whatever they are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subject {
    issuer: String,
    subject: String,
}

impl OpenId {
    /// For the first who comes by this name; nothing where nobody can be called so.
    pub fn awaiting(name: &str) -> Option<Self> {
        let name = name.trim();
        let fits = (1..=LONGEST).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        fits.then(|| Self { name: name.to_owned(), subject: None })
    }

    /// What they are called at the provider, as far as anybody here was told.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether somebody has come by it.
    pub fn is_bound(&self) -> bool {
        self.subject.is_some()
    }

    /// Whether it is of this somebody.
    pub(super) fn is_of(&self, vouched: &Vouched) -> bool {
        let same = |known: &Subject| known.issuer == vouched.issuer && known.subject == vouched.subject;
        self.subject.as_ref().is_some_and(same)
    }

    /// Whether it waits for somebody who is called so. Names are compared letter by letter: a provider may tell `An` from `an`.
    pub(super) fn awaits(&self, name: &str) -> bool {
        self.subject.is_none() && self.name == name
    }

    /// The same, of this somebody from now on.
    #[must_use]
    pub(super) fn of(&self, vouched: &Vouched) -> Self {
        let subject = Subject { issuer: vouched.issuer.clone(), subject: vouched.subject.clone() };
        Self { subject: Some(subject), ..self.clone() }
    }

    /// What stands in place of a password's hash where the provider has vouched and a code is asked for.
    pub fn shown(&self) -> Option<Hash> {
        self.subject.as_ref().map(|known| Hash(format!("openid|{}|{}", known.issuer, known.subject)))
    }

    /// As the audit trail has it.
    pub(super) fn told(&self) -> String {
        match &self.subject {
            Some(Subject { issuer, subject }) => format!("{} ({subject} at {issuer})", self.name),
            None => self.name.clone(),
        }
    }
}

impl Vouched {
    /// Whether it can be kept: a provider is believed, and its letters are counted all the same.
    pub(super) fn is_sound(&self) -> bool {
        let fits = |text: &str| (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits(&self.issuer) && fits(&self.subject)
    }
}
