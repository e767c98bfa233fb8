//! Looks at one camera once: reach, `OPTIONS`, `DESCRIBE`, `SETUP`, `PLAY` until the evidence suffices, `TEARDOWN`;
//! and ONVIF.
//!
//! A probe makes one attempt and has no memory; retries and back-off belong to `schedule`, conclusions to `health`.
//! Each step is bounded in time and bytes. What third-party parsers read of a camera's answers they read in a worker
//! process with a hard memory limit ([`worker`]), so that one bad camera cannot end the daemon and picture data never
//! enters it. Error texts of those parsers are never passed on: they hold URLs and stream bytes.

mod evidence;
mod nal;
mod onvif;
mod options;
mod pool;
mod reach;
mod response;
mod sandbox;
mod settings;
mod stream;
mod transcript;
mod wire;
pub mod worker;

pub use pool::{Pool, WORKER_ARGUMENT};
pub use settings::Settings;

use crate::model::{Camera, Check, Observation};
use jiff::Timestamp;
use tokio::time::Instant;
use transcript::Transcript;
use wire::{Job, Report};

/// Probes cameras; shared by all probes of the daemon.
#[derive(Debug)]
pub struct Prober {
    settings: Settings,
    pool: Pool,
}

impl Prober {
    /// A prober whose stream checks run in the workers of `pool`.
    pub fn new(settings: Settings, pool: Pool) -> Self {
        Self { settings, pool }
    }

    /// The workers, for shutdown and metrics.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Looks at `camera` once, as deep as `check` says. `started` is the wall-clock time now.
    ///
    /// Ends within the sum of the limits in [`Settings`], whatever the camera does; dropping the future tears down
    /// what was set up.
    pub async fn probe(&self, camera: &Camera, check: Check, started: Timestamp) -> Observation {
        let began = Instant::now();
        let mut transcript = Transcript::default();
        let report = match check {
            Check::Liveness => {
                self.answers(camera, &mut transcript).await;
                Report::default()
            }
            Check::Stream => match self.answers(camera, &mut transcript).await {
                Some(address) => {
                    let job = Job::stream(camera, address, &self.settings);
                    self.pool.run(camera.id.as_str(), job).await
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

    /// The rungs that our own bounded parser can climb; the address that answered, if one did.
    async fn answers(&self, camera: &Camera, transcript: &mut Transcript) -> Option<std::net::SocketAddr> {
        let (mut stream, address) = reach::connect(&camera.rtsp, &self.settings, transcript).await?;
        let answered = options::ask(&mut stream, &camera.rtsp, &self.settings, transcript).await;
        answered.then_some(address)
    }
}
