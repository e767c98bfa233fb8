//! Who may do what, and who did it.
//!
//! Pure: accounts and passes as data ([`Register`]), one table of roles ([`Role::has`]) that everything asks through
//! [`Who::may`], how quickly passwords may be tried ([`Throttle`]), and the chain of what people changed ([`Chain`]).
//! The shell makes secrets and hashes, and keeps what follows from a wish.

mod account;
mod audit;
mod forgotten;
mod register;
mod role;
mod throttle;
mod wish;

#[cfg(test)]
mod tests;

pub use account::{Account, By, Denied, Hash, Pass, PassKind, Who};
pub use audit::{Break, Chain, Deed, Entry, broken};
pub use forgotten::{Forgotten, Trail, hangs};
pub use register::{Change, Invite, Register, Wrong, is_name};
pub use role::{Right, Role};
pub use throttle::{Throttle, Try};
pub use wish::{Decided, Wish, decide};
