//! Orders the pages' certificate from an authority, and again in time. What reads the certificate's file takes a new one over.

use super::{descriptors, shared::Shared, supervise::Outcome};
use crate::{
    model::later,
    web::{self, Acme, Proofs, Renewal, Standing},
};
use jiff::Timestamp;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether one is to be ordered: somebody may have taken the file away.
const EVERY: Duration = Duration::from_secs(60);

/// Runs until the daemon stops. No failure ends it: pages go on with the certificate that there is.
pub(super) async fn run(shared: Shared, acme: Acme, listener: TcpListener, stop: CancellationToken) -> Outcome {
    let proofs = Proofs::default();
    let limits = descriptors::limits(&shared.configs.borrow());
    let serving = web::serve(web::tuned(listener), proofs.served(), limits, None, stop.child_token());
    tokio::select! {
        () = serving => {}
        () = ordering(&shared, &acme, &proofs, stop) => {}
    }
    Ok(())
}

async fn ordering(shared: &Shared, acme: &Acme, proofs: &Proofs, stop: CancellationToken) {
    let mut renewal = Renewal::default();
    loop {
        let now = shared.clock.now();
        let (read, none) = (acme.clone(), Standing { begins: now, ends: now, good: false });
        let standing = tokio::task::spawn_blocking(move || read.standing()).await.ok().flatten().unwrap_or(none);
        if renewal.due(&standing) <= now {
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = acme.order(&shared.means.http, proofs) => outcome,
            };
            shared.own.certificate.ordered(outcome.is_ok());
            match outcome {
                Ok(()) => {
                    tracing::info!(names = acme.names.join(", "), "the authority has given a certificate");
                    renewal.given();
                }
                Err(trouble) => {
                    renewal.failed(shared.clock.now());
                    let again = renewal.due(&Standing { ends: Timestamp::MIN, ..standing.clone() });
                    tracing::error!(%again, ends = %standing.ends, "no certificate was given: {trouble}");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.clock.sleep_until(later(shared.clock.now(), EVERY)) => {}
        }
    }
}
