//! The agent: the same looks as the daemon's, made by a small computer behind a home router, which goes to the daemon and tells.
//! Nothing listens here. What it saw is on its disk until the daemon has it on its own.

mod alarm;
mod identity;
mod line;
mod plan;
mod store;
mod telling;
mod ticks;
mod work;

pub use identity::{Code, Identity, join};
pub use telling::try_channel;
pub use work::{Trouble, run};
