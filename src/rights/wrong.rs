//! Why something about accounts is not done.

use crate::model::closed;

closed! {
    /// Why something about accounts is not done.
    pub enum Wrong {
        /// Names are letters, digits, dots and hyphens.
        Name "name",
        /// There is an account of this name.
        Taken "taken",
        /// There is none of this name.
        Unknown "unknown",
        /// Nobody else could keep accounts.
        LastAdministrator "last_administrator",
        /// The link was used, or is too old.
        Invitation "invitation",
        /// There are too many.
        TooMany "too_many",
        /// What was shown beside the password does not count.
        Code "code",
        /// There is no such area.
        Area "area",
        /// Who keeps accounts keeps those of the whole commune.
        Bound "bound",
        /// Nobody can be called so at a provider, or another account waits for that name.
        Provider "provider",
        /// No account is of whoever a provider vouched for.
        Unvouched "unvouched",
        /// There is no such passkey, or there is one already.
        Passkey "passkey",
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "a name is 1 to 32 letters of a to z, digits, dots, hyphens and underscores",
            Self::Taken => "there is an account of this name already",
            Self::Unknown => "there is no such account, or no such pass",
            Self::LastAdministrator => "nobody else can keep accounts: let another administrator sign in first",
            Self::Invitation => "this link was used, or is older than a day: ask for another",
            Self::Code => "the code is wrong, or was used: each counts once",
            Self::Area => "there is no such area: /api/v1/areas and the map list those that there are",
            Self::Bound => "an administrator keeps the whole commune: give them another role, or bind them to no area",
            Self::Provider => "a name at the provider is 1 to 255 letters, and one account alone waits for it",
            Self::Unvouched => "no account is yours: an administrator makes it first, for your name at the provider",
            Self::Passkey => "no account has this passkey, or one has it already",
            Self::TooMany => "there are as many as there may be: end some of them first",
        })
    }
}
