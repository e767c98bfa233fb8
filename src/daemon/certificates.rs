//! Reads the files of the pages' certificate again when they change, so that whatever renews it need not tell us.

use super::{shared::Shared, supervise::Outcome};
use crate::{model::later, web};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(10);

/// Runs until the daemon stops. A certificate that cannot be used is told once, and the one before it goes on.
pub(super) async fn run(
    shared: Shared,
    mut keyring: web::Keyring,
    encryption: watch::Sender<Arc<rustls::ServerConfig>>,
) -> Outcome {
    let mut told = None;
    shared.own.certificate.set(keyring.ends, true);
    loop {
        let next = later(shared.clock.now(), EVERY);
        tokio::select! {
            () = shared.stop.cancelled() => return Ok(()),
            () = shared.clock.sleep_until(next) => {}
        }
        // Without files any more the port stays as it is until the daemon starts anew.
        let Some(tls) = shared.configs.borrow().web.tls.clone() else { continue };
        let read = tokio::task::spawn_blocking(move || tls.read()).await;
        match read.map_err(|_| "reading the certificate failed inside camhealth".to_owned())? {
            Ok(read) => {
                told = None;
                if read.print != keyring.print {
                    tracing::info!(ends = %read.ends, "another certificate is used from now on");
                    encryption.send_replace(read.server.clone());
                    keyring = read;
                }
                shared.own.certificate.set(keyring.ends, true);
            }
            Err(unusable) => {
                shared.own.certificate.set(keyring.ends, false);
                if told.as_ref() != Some(&unusable) {
                    tracing::error!(error = %unusable, ends = %keyring.ends, "the certificate before it goes on");
                    told = Some(unusable);
                }
            }
        }
    }
}
