//! An account to be made, and what it may be called.

use super::{bounds::Bounds, role::Role};

/// Letters of a name that somebody signs in by.
const LONGEST_NAME: usize = 32;

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// What they will sign in by.
    pub name: String,
    /// What others read where they did something.
    pub full_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether there may be such an account, whose password is forgotten.
    pub again: bool,
    /// The areas that they are bound to, if they are.
    pub areas: Option<Bounds>,
    /// What they are called at the provider, if they may sign in by it.
    pub openid: Option<String>,
}

/// Whether somebody can sign in by such a name.
pub fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(fits)
}
