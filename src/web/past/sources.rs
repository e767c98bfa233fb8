//! Where the past comes from: functions that the daemon hands in, since edges do not import each other.

use super::plot::Measured;
use crate::{
    model::CameraId,
    uptime::{Of, Range, Strip, Together},
};
use futures_util::future::BoxFuture;
use std::{fmt, sync::Arc};

/// Reads one thing's strip; `None` when there is no such thing. The error is for people.
type One = dyn Fn(Of, Range) -> BoxFuture<'static, Result<Option<Strip>, String>> + Send + Sync;
/// Reads what looks measured of a camera.
type Figures = dyn Fn(CameraId, Range) -> BoxFuture<'static, Result<Measured, String>> + Send + Sync;
/// Reads that of all sites.
type All = dyn Fn(Range) -> BoxFuture<'static, Result<Together, String>> + Send + Sync;

/// Reads the past from the journal.
#[derive(Clone)]
pub struct Sources {
    /// Of one thing.
    pub one: Arc<One>,
    /// What was measured of a camera.
    pub figures: Arc<Figures>,
    /// Of all sites.
    pub all: Arc<All>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}
