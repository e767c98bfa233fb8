//! What the shell asks before it does what somebody wishes: incidents that are open, and windows that are set.

use super::Monitor;
use crate::model::{Incident, Window};
use jiff::Timestamp;
use std::sync::Arc;

impl Monitor {
    /// The open incident of a number or an id.
    pub fn open_incident(&self, name: &str) -> Option<&Incident> {
        self.book.named(name).map(Arc::as_ref)
    }

    /// Whether whoever was told by a notice of an incident can pass it on.
    pub fn can_pass_on(&self, now: Timestamp, name: &str, step: u32) -> bool {
        self.book.can_pass_on(now, name, step, &self.settings.alert).is_some()
    }

    /// The exercise that is under way, if one is.
    pub fn drilling(&self) -> Option<&Incident> {
        self.book.drilling().map(Arc::as_ref)
    }

    /// Whether somebody set a window of this id that is not over.
    pub fn has_window(&self, id: &str) -> bool {
        self.window(id).is_some()
    }

    /// The window of this id that somebody set, if it is not over.
    pub fn window(&self, id: &str) -> Option<&Window> {
        self.set_windows.iter().find(|window| window.id == id)
    }

    /// How many windows people have set that are not over.
    pub fn windows_set(&self, now: Timestamp) -> usize {
        self.set_windows.iter().filter(|window| !window.is_over(now)).count()
    }
}
