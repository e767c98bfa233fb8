//! The worker processes as the daemon sees them: a few shared ones, and solitary ones for suspects.
//!
//! When a shared worker dies, every check that was in flight runs again alone; the one that kills its worker again is
//! the culprit, and that camera's checks run alone from then on until one ends well. So ten hostile cameras cost ten
//! small processes and delay nobody else.

use super::wire::{self, Job, Reply, Report, Request};
use crate::model::{Failure, FailureKind};
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::{HashMap, HashSet},
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    process::Stdio,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    sync::{Semaphore, mpsc, oneshot},
    time::timeout,
};
use tokio_util::bytes::Bytes;

/// The hidden subcommand by which our own binary becomes a worker.
pub const WORKER_ARGUMENT: &str = "probe-worker";
/// Checks in one shared worker at once.
const JOBS_A_WORKER: usize = 16;
/// Solitary workers at once.
const SOLITARY: usize = 4;

/// Worker processes.
#[derive(Debug)]
pub struct Pool {
    program: PathBuf,
    memory_mib: u64,
    shared: Vec<tokio::sync::Mutex<Option<Worker>>>,
    next: AtomicUsize,
    places: Semaphore,
    solitary: Semaphore,
    suspects: Mutex<HashSet<String>>,
    deaths: AtomicU64,
}

/// How a worker's job ended, other than well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The worker died with the job in flight.
    Died,
    /// No process could be started.
    NotStarted,
}

impl Pool {
    /// A pool of up to `workers` processes of `program`, which must be this binary; they start when first needed.
    pub fn new(program: PathBuf, workers: usize, memory_mib: u64) -> Self {
        let workers = workers.max(1);
        Self {
            program,
            memory_mib,
            shared: (0..workers).map(|_| tokio::sync::Mutex::new(None)).collect(),
            next: AtomicUsize::new(0),
            places: Semaphore::new(workers * JOBS_A_WORKER),
            solitary: Semaphore::new(SOLITARY),
            suspects: Mutex::default(),
            deaths: AtomicU64::new(0),
        }
    }

    /// Workers that died so far, by what cameras sent.
    pub fn deaths(&self) -> u64 {
        self.deaths.load(Ordering::Relaxed)
    }

    /// Lets the workers tear down what is open and ends them, within `limit`.
    pub async fn stop(&self, limit: Duration) {
        let workers = self.shared.iter().map(async |worker| {
            let worker = worker.lock().await.take();
            if let Some(worker) = worker {
                worker.stop(limit).await;
            }
        });
        futures_util::future::join_all(workers).await;
    }

    /// Runs a job for a camera.
    pub(super) async fn run(&self, camera: &str, job: Job) -> Report {
        if !self.suspects().contains(camera) {
            match self.run_shared(&job).await {
                Ok(report) => return report,
                Err(Ended::NotStarted) => return not_started(),
                Err(Ended::Died) => {}
            }
        }
        match self.run_alone(&job).await {
            Ok(report) => {
                self.suspects().remove(camera);
                report
            }
            Err(Ended::NotStarted) => not_started(),
            Err(Ended::Died) => {
                self.suspects().insert(camera.to_owned());
                let detail = "the camera sends more than the probe may hold in memory, or what ends its parser";
                Report { failure: Some(Failure::new(FailureKind::Oversized, detail)), ..Report::default() }
            }
        }
    }

    async fn run_shared(&self, job: &Job) -> Result<Report, Ended> {
        let _place = self.places.acquire().await.map_err(|_| Ended::NotStarted)?;
        let chosen = self.next.fetch_add(1, Ordering::Relaxed) % self.shared.len();
        let line = {
            let mut slot = self.shared[chosen].lock().await;
            match slot.as_ref().filter(|worker| !worker.line.jobs.is_closed()) {
                Some(worker) => worker.line.clone(),
                None => slot.insert(self.start()?).line.clone(),
            }
        };
        let outcome = line.ask(job).await;
        if outcome.is_err() {
            // Whoever notices first makes room for a fresh one; a worker that only hangs is killed by the drop.
            let mut slot = self.shared[chosen].lock().await;
            if slot.as_ref().is_some_and(|worker| worker.line.jobs.same_channel(&line.jobs)) {
                self.deaths.fetch_add(1, Ordering::Relaxed);
                *slot = None;
            }
        }
        outcome
    }

    async fn run_alone(&self, job: &Job) -> Result<Report, Ended> {
        let _place = self.solitary.acquire().await.map_err(|_| Ended::NotStarted)?;
        let worker = self.start()?;
        let outcome = worker.line.ask(job).await;
        match outcome {
            Ok(_) => worker.stop(Duration::from_secs(1)).await,
            Err(_) => drop(self.deaths.fetch_add(1, Ordering::Relaxed)),
        }
        outcome
    }

    fn start(&self) -> Result<Worker, Ended> {
        Worker::start(&self.program, self.memory_mib).map_err(|error| {
            tracing::error!(program = %self.program.display(), %error, "a probe worker cannot be started");
            Ended::NotStarted
        })
    }

    fn suspects(&self) -> MutexGuard<'_, HashSet<String>> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_started() -> Report {
    let failure = Failure::new(FailureKind::ProbeFailed, "the probe's worker process could not be started");
    Report { failure: Some(failure), ..Report::default() }
}

/// One worker process; killed when dropped.
#[derive(Debug)]
struct Worker {
    child: Child,
    line: Line,
}

/// The way to a worker; closed when the worker is gone.
#[derive(Debug, Clone)]
struct Line {
    jobs: mpsc::Sender<(Job, oneshot::Sender<Report>)>,
}

impl Worker {
    fn start(program: &PathBuf, memory_mib: u64) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(program)
            .arg(WORKER_ARGUMENT)
            .arg(memory_mib.to_string())
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // What a dying allocator or parser prints may hold what a camera sent.
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to the whole group; the daemon ends its workers itself.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (jobs, inbox) = mpsc::channel(JOBS_A_WORKER);
        tokio::spawn(converse(UnixStream::from_std(ours)?, inbox));
        Ok(Self { child, line: Line { jobs } })
    }

    /// Closes the line and waits for the process to end by itself.
    async fn stop(self, limit: Duration) {
        let Self { mut child, line } = self;
        drop(line);
        if timeout(limit, child.wait()).await.is_err() {
            tracing::warn!("a probe worker did not end in time and is killed");
        }
    }
}

impl Line {
    async fn ask(&self, job: &Job) -> Result<Report, Ended> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send((job.clone(), answer)).await.map_err(|_| Ended::Died)?;
        match timeout(job.deadline(), answered).await {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(_)) | Err(_) => Err(Ended::Died),
        }
    }
}

/// Carries jobs out and reports back, until either side is gone. Ending drops the waiting answers, which tells
/// each asker that the worker died.
async fn converse(socket: UnixStream, mut inbox: mpsc::Receiver<(Job, oneshot::Sender<Report>)>) {
    let (mut sink, mut replies) = wire::framed(socket).split::<Bytes>();
    let mut waiting: HashMap<u64, oneshot::Sender<Report>> = HashMap::new();
    let mut ids = 0u64..;
    loop {
        tokio::select! {
            job = inbox.recv() => {
                let (Some((job, answer)), Some(id)) = (job, ids.next()) else { break };
                let Ok(frame) = serde_json::to_vec(&Request { id, job }) else { continue };
                waiting.insert(id, answer);
                if sink.send(frame.into()).await.is_err() {
                    break;
                }
            }
            reply = replies.next() => {
                let Some(Ok(frame)) = reply else { break };
                let Ok(Reply { id, report }) = serde_json::from_slice(&frame) else { break };
                if let Some(answer) = waiting.remove(&id) {
                    // Nobody waits any more for a check that was cut short.
                    let _ = answer.send(report);
                }
            }
        }
    }
}
