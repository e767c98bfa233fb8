//! What a call is about, as the daemon answers for it while the call lasts.

use crate::{
    call::{Needless, Settled},
    model::IncidentNotice,
};
use async_trait::async_trait;

/// What a call is about.
#[async_trait]
pub trait Matter: Send + Sync {
    /// Whoever is called takes it on.
    async fn take_on(&self) -> Settled;

    /// Whoever is called passes it on.
    async fn pass_on(&self) -> Settled;

    /// Waits until nobody needs to be called any more.
    async fn needless(&self) -> Needless;

    /// The notice as things stand now.
    fn newest(&self, notice: &IncidentNotice) -> IncidentNotice;
}

/// A call that is about nothing: a test.
#[derive(Debug, Clone, Copy)]
pub struct Rehearsal;

#[async_trait]
impl Matter for Rehearsal {
    async fn take_on(&self) -> Settled {
        Settled::Done
    }

    async fn pass_on(&self) -> Settled {
        Settled::NoNext
    }

    async fn needless(&self) -> Needless {
        std::future::pending().await
    }

    fn newest(&self, notice: &IncidentNotice) -> IncidentNotice {
        notice.clone()
    }
}
