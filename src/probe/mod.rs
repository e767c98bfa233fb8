//! Looks at one camera once: reach, `OPTIONS`, `DESCRIBE`, `SETUP`, `PLAY` until the evidence suffices, `TEARDOWN`;
//! and ONVIF.
//!
//! A probe makes one attempt and has no memory; retries and back-off belong to `schedule`, conclusions to `health`.
//! Each step is bounded in time and bytes. Streams are looked at by our own client (`rtsp`) and, where that meets an
//! answer it cannot use, by retina (`second`). All of it, and what third-party parsers read, happens in a worker
//! process with a hard memory limit ([`worker`]), so that one bad camera cannot end the daemon and picture data never
//! enters it. Error texts of those parsers are never passed on: they hold URLs and stream bytes.

pub mod beacon;
mod discover;
mod evidence;
mod exhaustion;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
mod gateway;
mod killings;
mod nal;
mod onvif;
mod options;
mod pool;
mod process;
mod reach;
mod rhythm;
mod rtsp;
mod sandbox;
mod second;
mod settings;
mod size;
mod soap;
mod stream;
mod syscalls;
mod text;
mod topics;
mod transcript;
mod watch;
mod wire;
pub mod worker;

pub use discover::{Candidate, ask, multicast};
pub use gateway::default_gateway;
pub use pool::Pool;
pub use process::WORKER_ARGUMENT;
pub(crate) use rtsp::tls::known_by;
pub use settings::Settings;

use crate::model::{Camera, CameraId, Check, Client, Observation};
use jiff::Timestamp;
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;
use transcript::Transcript;
use wire::{Job, Report};

/// What is asked of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How deep.
    pub check: Check,
    /// The wall-clock time now.
    pub started: Timestamp,
    /// Bytes of media after which it ends, whatever it has seen.
    pub byte_limit: u64,
}

impl Look {
    /// A look without a limit of bytes.
    pub fn new(check: Check, started: Timestamp) -> Self {
        Self { check, started, byte_limit: u64::MAX }
    }
}

/// Probes cameras; shared by all probes of the daemon.
#[derive(Debug)]
pub struct Prober {
    settings: Settings,
    pool: Pool,
    /// Cameras that only the second client can open, so that they cost one session a look and not two.
    second: Mutex<HashSet<CameraId>>,
}

impl Prober {
    /// A prober whose stream checks run in the workers of `pool`.
    pub fn new(settings: Settings, pool: Pool) -> Self {
        Self { settings, pool, second: Mutex::default() }
    }

    /// The workers, for shutdown and metrics.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Looks at `camera` once.
    ///
    /// Ends within the sum of the limits in [`Settings`], whatever the camera does; dropping the future tears down
    /// what was set up.
    pub async fn probe(&self, camera: &Camera, look: Look) -> Observation {
        let Look { check, started, .. } = look;
        let began = Instant::now();
        let mut transcript = Transcript::default();
        let report = match check {
            Check::Liveness => {
                self.answers(camera, &mut transcript).await;
                Report::default()
            }
            Check::Stream | Check::Survey => match self.answers(camera, &mut transcript).await {
                Some(address) => {
                    let job = Job::stream(camera, address, &look, self.client_of(&camera.id), &self.settings);
                    let report = self.pool.run(camera.id.as_str(), job).await;
                    self.remember_client(&camera.id, &report);
                    report
                }
                None => Report::default(),
            },
            Check::Device => match &camera.onvif {
                Some(url) => match reach::resolve(url, 80, self.settings.connect_timeout).await {
                    Ok(address) => {
                        let job = Job::onvif(url, address, camera.login.as_deref(), started, &self.settings);
                        self.pool.run(camera.id.as_str(), job).await
                    }
                    Err(failure) => Report { failure: Some(failure), ..Report::default() },
                },
                None => Report::default(),
            },
        };
        transcript.finish(check, started, began.elapsed(), report)
    }

    fn second(&self) -> MutexGuard<'_, HashSet<CameraId>> {
        self.second.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client_of(&self, camera: &CameraId) -> Client {
        if self.second().contains(camera) { Client::Retina } else { Client::Own }
    }

    fn remember_client(&self, camera: &CameraId, report: &Report) {
        match report.stream.as_ref().filter(|stream| stream.proven).map(|stream| stream.client) {
            Some(Client::Retina) => drop(self.second().insert(camera.clone())),
            Some(Client::Own) => drop(self.second().remove(camera)),
            None => {}
        }
    }

    /// The rungs that our own bounded parser can climb; the address that answered, if one did.
    async fn answers(&self, camera: &Camera, transcript: &mut Transcript) -> Option<std::net::SocketAddr> {
        let (mut stream, address) = reach::connect(&camera.rtsp, &self.settings, transcript).await?;
        if camera.rtsp.scheme() == "rtsps" {
            // TLS is spoken in workers only: here the open port must do.
            return Some(address);
        }
        let answered = options::ask(&mut stream, &camera.rtsp, &self.settings, transcript).await;
        answered.then_some(address)
    }
}
