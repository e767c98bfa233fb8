//! When to look at which camera, how deep, and how many at once.
//!
//! [`Plan`] decides and is pure; [`run`] performs it. What a look is, the runner does not know: it is handed the
//! probe as a function.

mod bucket;
mod cadence;
mod gate;
mod plan;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it performs the plan, so it waits")]
mod runner;
mod settings;

pub use plan::{Order, Plan};
pub use runner::{Assignment, Found, Inputs, Outputs, ProbeFn, Pulse, run};
pub use settings::{Cadence, Settings};
