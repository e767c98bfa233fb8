//! A machine that shares a province's communes with others: it starts a daemon for each commune that is its own, and passes on
//! whoever comes for one that another watches.
//!
//! Each commune has a configuration, a journal in a schema of its own, and one daemon that watches it: the process that
//! `camhealth run` is elsewhere. Which machine it runs on is decided by each of them from the same roll ([`crate::placement`]); that
//! only one watches is the journal's lock and fence to hold. So a fault in one commune is no fault of its neighbours', and what is
//! said of a daemon that stands by holds here.

mod child;
mod communes;
mod figures;
mod forward;
mod member;
mod pages;
mod settings;
mod table;

pub use communes::{Commune, here, read};
pub use member::{Parts, run};
pub use settings::Settings;
pub use table::{aligned, table};

/// How the status of a daemon begins that waits for its turn.
pub const STANDS_BY: &str = "standing by";
/// The status of a daemon whose turn it is.
pub const TAKES_OVER: &str = "taking over";
/// The status of a daemon that watches.
pub const WATCHES: &str = "watching";
