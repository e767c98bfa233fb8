//! (being written)
mod settings;
pub use settings::*;
