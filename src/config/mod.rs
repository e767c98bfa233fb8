//! (being written)
mod plan;
pub use plan::Plan;
