//! The worker processes as the daemon uses them: a few shared ones, and solitary ones for suspects.
//!
//! When a shared worker dies, every check that was in flight runs again alone; the one that kills its worker again is
//! the culprit. That camera's checks run alone for the next hours ([`Killings`]), and it is named. So ten hostile cameras
//! cost ten small processes and delay nobody else. A worker that somebody else ended blames nobody: that look could not
//! tell.

use super::{
    killings::{self, Killings},
    process::{Death, Ended, Ledger, Line, Worker},
    sandbox::Layer,
    settings::JOBS_A_WORKER,
    wire::{Job, Report},
};
use crate::model::{Detail, Failure, FailureKind, Rung, RungName, told};
use jiff::Timestamp;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, time::Instant};

/// Solitary workers at once.
const SOLITARY: usize = 4;

/// Worker processes.
#[derive(Debug)]
pub struct Pool {
    program: PathBuf,
    memory_mib: u64,
    shared: Mutex<Vec<Seat>>,
    places: Semaphore,
    solitary: Semaphore,
    killings: Mutex<Killings>,
    ledger: Arc<Ledger>,
}

/// The seat of a shared worker, which is not there before it is needed, nor once it has had nothing to do.
#[derive(Debug, Default)]
struct Seat {
    worker: Option<Worker>,
    /// Jobs that were given to whoever sits here and are not over.
    busy: usize,
}

/// The first seat with room for a job. As few workers as will do are kept busy, since each takes memory of its own.
fn seat_with_room(busy: impl IntoIterator<Item = usize>) -> Option<usize> {
    busy.into_iter().position(|busy| busy < JOBS_A_WORKER)
}

impl Pool {
    /// A pool of up to `workers` processes of `program`, which must be this binary; they start when first needed.
    pub fn new(program: PathBuf, workers: usize, memory_mib: u64) -> Self {
        let workers = workers.max(1);
        Self {
            program,
            memory_mib,
            shared: Mutex::new((0..workers).map(|_| Seat::default()).collect()),
            places: Semaphore::new(workers * JOBS_A_WORKER),
            solitary: Semaphore::new(SOLITARY),
            killings: Mutex::default(),
            ledger: Arc::default(),
        }
    }

    /// Workers that died so far, by cause: `crashed`, `hung` and `misspoke` are what a camera's answers can bring
    /// about, `killed` and `gave_up` are not.
    pub fn deaths(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Death::ALL.into_iter().map(|death| (death.as_str(), self.ledger.deaths(death)))
    }

    /// What a worker can die of: the names that [`Self::deaths`] gives.
    pub fn causes_of_death() -> impl Iterator<Item = &'static str> {
        Death::ALL.into_iter().map(Death::as_str)
    }

    /// Cameras that ended workers in the last six hours: id, protocol, and how often.
    pub fn culprits(&self, now: Timestamp) -> Vec<(String, &'static str, usize)> {
        let mut killings = self.killings();
        killings.all(now).map(|(camera, protocol, count)| (camera.to_owned(), protocol, count)).collect()
    }

    /// The layers of the workers' confinement and whether each is in force; nothing before a worker has told.
    pub fn sandbox(&self) -> Vec<(&'static str, bool)> {
        let layers = self.ledger.layers();
        layers.map_or_else(Vec::new, |on| Layer::ALL.into_iter().map(|one| (one.as_str(), on.contains(&one))).collect())
    }

    /// Lets the workers tear down what is open and ends them, within `limit`.
    pub async fn stop(&self, limit: Duration) {
        let workers: Vec<Worker> = self.seats().iter_mut().filter_map(|seat| seat.worker.take()).collect();
        futures_util::future::join_all(workers.into_iter().map(|worker| worker.stop(limit))).await;
    }

    /// Runs a job for a camera.
    pub(super) async fn run(&self, camera: &str, job: Job) -> Report {
        let (now, protocol, began) = (job.now(), job.protocol(), Instant::now());
        if self.killings().of(now, camera, protocol) == 0 {
            match self.run_shared(&job).await {
                Ok(report) => return report,
                Err(Ended::NotStarted) => return failed(told!(WorkerNotStarted)),
                // It may have been another camera's doing, or nobody's.
                Err(Ended::Died(_) | Ended::Gone) => {}
            }
        }
        match self.run_alone(&job).await {
            Ok(mut report) => {
                // The look itself went well, and what it saw stands.
                let count = self.killings().of(now, camera, protocol);
                if count >= killings::MANY {
                    report.rungs.push(note(began, told!(WellBut, ended(count))));
                }
                report
            }
            Err(Ended::Died(death)) if death.is_evidence() => {
                let (due, count) = {
                    let mut killings = self.killings();
                    (killings.note(now, camera, protocol), killings.of(now, camera, protocol))
                };
                if due {
                    tracing::warn!(camera, protocol, death = death.as_str(), count, "a camera ends probe workers");
                }
                let failure = Failure::new(FailureKind::Oversized, told!(EndsProbe));
                let rung = note(began, ended(count));
                Report { rungs: vec![rung], failure: Some(failure), ..Report::default() }
            }
            Err(Ended::NotStarted) => failed(told!(WorkerNotStarted)),
            Err(Ended::Died(Death::GaveUp)) => failed(told!(WorkerGaveUp)),
            Err(Ended::Died(_) | Ended::Gone) => failed(told!(WorkerKilled)),
        }
    }

    async fn run_shared(&self, job: &Job) -> Result<Report, Ended> {
        let _place = self.places.acquire().await.map_err(|_| Ended::NotStarted)?;
        let visit = self.visit()?;
        let outcome = visit.line.ask(job).await;
        if outcome.is_err() {
            visit.make_room();
        }
        outcome
    }

    /// A way to a shared worker with room for a job.
    fn visit(&self) -> Result<Visit<'_>, Ended> {
        let mut seats = self.seats();
        let chosen = seat_with_room(seats.iter().map(|seat| seat.busy)).ok_or(Ended::NotStarted)?;
        let seat = &mut seats[chosen];
        let line = match seat.worker.as_ref().filter(|worker| !worker.line().is_closed()) {
            Some(worker) => worker.line().clone(),
            None => seat.worker.insert(self.start()?).line().clone(),
        };
        seat.busy += 1;
        Ok(Visit { pool: self, chosen, line })
    }

    async fn run_alone(&self, job: &Job) -> Result<Report, Ended> {
        let _place = self.solitary.acquire().await.map_err(|_| Ended::NotStarted)?;
        let worker = self.start()?;
        let outcome = worker.line().ask(job).await;
        if outcome.is_ok() {
            worker.stop(Duration::from_secs(1)).await;
        }
        outcome
    }

    fn start(&self) -> Result<Worker, Ended> {
        Worker::start(&self.program, self.memory_mib, self.ledger.clone()).map_err(|error| {
            tracing::error!(program = %self.program.display(), %error, "a probe worker cannot be started");
            Ended::NotStarted
        })
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn killings(&self) -> MutexGuard<'_, Killings> {
        self.killings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job with a shared worker, as long as somebody waits for it.
struct Visit<'a> {
    pool: &'a Pool,
    chosen: usize,
    line: Line,
}

impl Visit<'_> {
    /// Whoever first notices that a shared worker is gone makes room for a fresh one.
    fn make_room(&self) {
        let seat = &mut self.pool.seats()[self.chosen];
        if seat.worker.as_ref().is_some_and(|worker| worker.line().is(&self.line)) {
            seat.worker = None;
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.pool.seats()[self.chosen].busy -= 1;
    }
}

/// How often what a camera sends has ended a worker.
fn ended(count: usize) -> Detail {
    let times = if count == 1 { told!(Once) } else { told!(Times, count) };
    told!(EndedWorkers, times, format_args!("{}", killings::WINDOW.as_secs() / 3600))
}

fn note(began: Instant, detail: Detail) -> Rung {
    Rung { name: RungName::Worker, ok: false, seconds: began.elapsed().as_secs_f64(), detail }
}

/// A look that could not tell.
fn failed(detail: Detail) -> Report {
    Report { failure: Some(Failure::new(FailureKind::ProbeFailed, detail)), ..Report::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_workers_as_will_do_are_kept_busy() {
        assert_eq!(seat_with_room([0, 0]), Some(0));
        assert_eq!(seat_with_room([JOBS_A_WORKER - 1, 0]), Some(0));
        assert_eq!(seat_with_room([JOBS_A_WORKER, 3, 0]), Some(1));
        assert_eq!(seat_with_room([JOBS_A_WORKER, JOBS_A_WORKER]), None);
    }
}
