//! What changes each week and is edited on pages, over what the files say.
//!
//! Pure: what can be edited, and by whom ([`Kind`]), edits as data that the journal keeps ([`Edits`]), what becomes of
//! somebody's wish ([`decide`]), and what comes from where ([`Sheet`]). How edits are laid over the files is the
//! configuration's: what they say is read and checked by the very rules by which files are.

mod book;
mod edit;
mod item;
mod kind;
mod sheet;

#[cfg(test)]
mod tests;

pub use book::{Decided, Refusal, Stale, Wish, decide};
pub use edit::{Change, Edit, Edits};
pub use item::{Field, Item, Value};
pub use kind::{Form, Kind, Subject};
pub use sheet::{Choices, Line, Place, Sheet, Standing};
