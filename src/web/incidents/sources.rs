//! Where past incidents come from: functions that the daemon hands in, since edges do not import each other.

use crate::{
    model::{Found, Incident, PersonId, Sought, Timeline},
    rights::Bounds,
    uptime::{Clock, Clocks},
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::watch;

/// An incident with its timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The incident as it stands.
    pub incident: Incident,
    /// What happened to it.
    pub timeline: Timeline,
    /// How it stands under the contract; nothing where it is under no term, or is seen in part.
    pub clocks: Vec<Clock>,
}

/// Finds incidents, as far as somebody sees them. The error is for people.
type Find = dyn Fn(Sought, Option<Bounds>) -> BoxFuture<'static, Result<Found, String>> + Send + Sync;
/// Reads one by its number or its id.
type One = dyn Fn(String, Option<Bounds>) -> BoxFuture<'static, Result<Option<Told>, String>> + Send + Sync;
/// What somebody of the roster is called.
pub(in crate::web) type Names = dyn Fn(&PersonId) -> String + Send + Sync;

/// Reads incidents from the journal.
#[derive(Clone)]
pub struct Incidents {
    /// Finds them.
    pub find: Arc<Find>,
    /// Reads one.
    pub one: Arc<One>,
    /// What somebody of the roster is called; their id where it has them no more.
    pub name: Arc<Names>,
    /// How incidents that are open, or ended lately, stand under the contract.
    pub clocks: watch::Receiver<Arc<Clocks>>,
}
