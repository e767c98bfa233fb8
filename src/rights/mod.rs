//! Who may do what, and who did it.
//!
//! Pure: accounts and passes as data ([`Register`]), one table of roles ([`Role::has`]) that everything asks through
//! [`Who::may`], what lies in the areas that an account is bound to ([`Reach`]), how quickly passwords may be tried ([`Throttle`]), and the chain of what people changed ([`Chain`]).
//! The shell makes secrets and hashes, and keeps what follows from a wish.

mod account;
mod audit;
mod bounds;
mod forgotten;
mod hash;
mod invite;
mod narrow;
mod openid;
mod passkey;
mod register;
mod role;
mod second;
mod throttle;
mod wish;
mod wrong;

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod openid_tests;
#[cfg(test)]
mod passkey_tests;
#[cfg(test)]
mod second_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod worlds;

pub use account::{Account, By, Denied, Pass, PassKind, Who};
pub use audit::{Break, Chain, Deed, Entry, broken};
pub use bounds::{Bounds, Outside, Reach, Touched};
pub use forgotten::{Forgotten, Trail, hangs};
pub use hash::Hash;
pub use invite::{Invite, is_name};
pub use openid::{OpenId, Vouched};
pub use passkey::{MOST as PASSKEYS, Passkey};
pub use register::{Change, Register};
pub use role::{Right, Role};
pub use second::{Proof, SecondStep, Seed};
pub use throttle::{Throttle, Try};
pub use wish::{Decided, Wish, decide};
pub use wrong::Wrong;
