//! Agents: small computers in houses that look at cameras which nobody can reach from here, and tell us. They come to us; we
//! never go to them. `docs/agents.md` says how they are known and what is said.

#[cfg(any(fuzzing, test))]
pub mod fuzz;
mod key;
mod line;
mod pack;
mod routes;
mod standing;

pub use key::signed;
pub use pack::packed;
pub(super) use routes::routes;
pub(super) use standing::{AgentStanding, all};
pub use standing::{Agents, CodeFn, DoubtFn, HeardFn, PlanFn};
