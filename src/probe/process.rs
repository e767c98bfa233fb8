//! One worker process as the daemon sees it: started, spoken to, and asked what it died of.

use super::{
    sandbox::Layer,
    settings::JOBS_A_WORKER,
    wire::{self, Job, Reply, Report, Request, Said},
};
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use std::{
    collections::{BTreeSet, HashMap},
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{bytes::Bytes, sync::CancellationToken};

/// The hidden subcommand by which our own binary becomes a worker.
pub const WORKER_ARGUMENT: &str = "probe-worker";
/// How long a process may take to be gone after its socket is.
const REAPED_WITHIN: Duration = Duration::from_secs(2);
/// How long a worker that nobody needs any more may take to close its sessions.
const DISMISSED_WITHIN: Duration = Duration::from_secs(5);
/// After how long without a job a worker is dismissed: its memory is worth more than the hundredth of a second that starting
/// another takes.
const IDLE: Duration = Duration::from_secs(60);
/// What a worker's allocator is told: jemalloc in one arena, and without a thread of its own, which no worker may start. The
/// daemon's is told in `cli/arenas.rs`.
const MEMORY: (&str, &str) = ("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:500,muzzy_decay_ms:0");
/// Exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

/// What ended a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// It ended itself: its memory limit, a bug in a parser, or a system call that no honest worker makes.
    Crashed,
    /// It did not answer by the deadline, and we killed it.
    Hung,
    /// It said what no honest worker says.
    Misspoke,
    /// Somebody else ended it: the kernel for want of memory on the machine, a person, a service manager.
    Killed,
    /// It gave up with an exit code, as when it cannot be confined.
    GaveUp,
}

impl Death {
    /// All, in the order of their counters.
    pub(super) const ALL: [Self; 5] = [Self::Crashed, Self::Hung, Self::Misspoke, Self::Killed, Self::GaveUp];

    /// Name in metric labels.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::Misspoke => "misspoke",
            Self::Killed => "killed",
            Self::GaveUp => "gave_up",
        }
    }

    /// Whether what the worker was reading can be the reason. A worker that ran out of its own limit aborts
    /// (SIGABRT); the kernel, when the machine runs out of memory, sends SIGKILL to whoever it picks.
    pub(super) fn is_evidence(self) -> bool {
        matches!(self, Self::Crashed | Self::Hung | Self::Misspoke)
    }

    fn of(status: ExitStatus) -> Self {
        const OWN: [Signal; 7] =
            [Signal::ABORT, Signal::BUS, Signal::FPE, Signal::ILL, Signal::SEGV, Signal::SYS, Signal::TRAP];
        match (status.signal(), status.code()) {
            (Some(signal), _) if OWN.iter().any(|own| own.as_raw() == signal) => Self::Crashed,
            (Some(_), _) => Self::Killed,
            (None, Some(PANICKED)) => Self::Crashed,
            (None, _) => Self::GaveUp,
        }
    }
}

/// What is known of all workers of a pool.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    deaths: [AtomicU64; Death::ALL.len()],
    layers: OnceLock<BTreeSet<Layer>>,
}

impl Ledger {
    fn count(&self, death: Death) {
        self.deaths[death as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Workers that died so far of this cause.
    pub(super) fn deaths(&self, death: Death) -> u64 {
        self.deaths[death as usize].load(Ordering::Relaxed)
    }

    /// The layers that confine the workers, as soon as one has told. All run under the same kernel.
    pub(super) fn layers(&self) -> Option<&BTreeSet<Layer>> {
        self.layers.get()
    }

    /// Only the first is heard: it has not read a byte of any camera yet.
    fn confined(&self, layers: BTreeSet<Layer>) {
        if self.layers.set(layers).is_ok() {
            let names = |there: bool| {
                let layers = Layer::ALL
                    .into_iter()
                    .filter(|layer| self.layers.get().is_some_and(|l| l.contains(layer)) == there);
                layers.map(Layer::as_str).collect::<Vec<_>>().join(", ")
            };
            tracing::info!(layers = names(true), "probe workers are confined");
            let missing = names(false);
            if !missing.is_empty() {
                tracing::warn!(missing, "this kernel lacks layers of the probe workers' confinement");
            }
        }
    }
}

/// How a worker's job ended, other than well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The worker died with the job in flight.
    Died(Death),
    /// The worker was gone before it had the job.
    Gone,
    /// No process could be started.
    NotStarted,
}

type Answer = oneshot::Sender<Result<Report, Death>>;

/// One worker process. When this is dropped, the process closes its sessions and ends.
#[derive(Debug)]
pub(super) struct Worker {
    line: Line,
    attendant: JoinHandle<()>,
}

/// The way to a worker; closed when the worker is gone.
#[derive(Debug, Clone)]
pub(super) struct Line {
    jobs: mpsc::Sender<(Job, Answer)>,
    hung: CancellationToken,
}

impl Worker {
    pub(super) fn start(program: &Path, memory_mib: u64, ledger: Arc<Ledger>) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(program)
            .arg(WORKER_ARGUMENT)
            .arg(memory_mib.to_string())
            .env_clear()
            .env(MEMORY.0, MEMORY.1)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // What a dying allocator or parser prints may hold what a camera sent.
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to the whole group; the daemon ends its workers itself.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (jobs, inbox) = mpsc::channel(JOBS_A_WORKER);
        let line = Line { jobs, hung: CancellationToken::new() };
        let attendant = tokio::spawn(attend(child, UnixStream::from_std(ours)?, inbox, line.hung.clone(), ledger));
        Ok(Self { line, attendant })
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Closes the line and waits for the process to end by itself.
    pub(super) async fn stop(self, limit: Duration) {
        let Self { line, mut attendant } = self;
        drop(line);
        if timeout(limit, &mut attendant).await.is_err() {
            tracing::warn!("a probe worker did not end in time and is killed");
            attendant.abort();
        }
    }
}

impl Line {
    pub(super) fn is_closed(&self) -> bool {
        self.jobs.is_closed()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.jobs.same_channel(&other.jobs)
    }

    pub(super) async fn ask(&self, job: &Job) -> Result<Report, Ended> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send((job.clone(), answer)).await.map_err(|_| Ended::Gone)?;
        match timeout(job.deadline(), answered).await {
            Ok(Ok(outcome)) => outcome.map_err(Ended::Died),
            Ok(Err(_)) => Err(Ended::Gone),
            Err(_) => {
                self.hung.cancel();
                Err(Ended::Died(Death::Hung))
            }
        }
    }
}

/// Why the talk with a worker ended.
enum Talk {
    /// Nobody has work for it any more.
    Dismissed,
    /// It closed its end, or died.
    Closed,
    /// It said what no honest worker says.
    Broken,
}

/// Speaks with a worker as long as it lives, and tells each waiting asker what it died of.
async fn attend(
    mut child: Child,
    socket: UnixStream,
    mut inbox: mpsc::Receiver<(Job, Answer)>,
    hung: CancellationToken,
    ledger: Arc<Ledger>,
) {
    let mut waiting: HashMap<u64, Answer> = HashMap::new();
    let talk = tokio::select! {
        talk = converse(socket, &mut inbox, &mut waiting, &ledger) => Some(talk),
        () = hung.cancelled() => None,
    };
    let limit = if matches!(talk, Some(Talk::Dismissed)) { DISMISSED_WITHIN } else { REAPED_WITHIN };
    let ended = match talk {
        Some(Talk::Dismissed | Talk::Closed) => timeout(limit, child.wait()).await.ok().and_then(Result::ok),
        Some(Talk::Broken) | None => None,
    };
    let death = match (talk, ended) {
        (Some(Talk::Dismissed), _) => None,
        (Some(Talk::Broken), _) => Some(Death::Misspoke),
        (Some(Talk::Closed), Some(status)) => Some(Death::of(status)),
        // A process that closes its end and lives on does no work either.
        (Some(Talk::Closed), None) | (None, _) => Some(Death::Hung),
    };
    if ended.is_none()
        && let Err(error) = child.kill().await
    {
        tracing::warn!(%error, "a probe worker cannot be killed");
    }
    inbox.close();
    let Some(death) = death else { return };
    ledger.count(death);
    // Nobody waits any more for a check that was cut short.
    waiting.into_values().for_each(|answer| drop(answer.send(Err(death))));
    while let Some((_, answer)) = inbox.recv().await {
        drop(answer.send(Err(death)));
    }
}

/// Carries jobs out and reports back, until either side is gone, or there was nothing to do for a while.
async fn converse(
    socket: UnixStream,
    inbox: &mut mpsc::Receiver<(Job, Answer)>,
    waiting: &mut HashMap<u64, Answer>,
    ledger: &Ledger,
) -> Talk {
    let (mut sink, mut replies) = wire::framed(socket).split::<Bytes>();
    let mut ids = 0u64..;
    let (mut idle_since, mut retiring) = (Instant::now(), false);
    loop {
        tokio::select! {
            // What was sent until the moment of retiring is still done.
            () = sleep_until(idle_since + IDLE), if waiting.is_empty() && !retiring => {
                inbox.close();
                retiring = true;
            }
            job = inbox.recv(), if !(retiring && inbox.is_empty() && !waiting.is_empty()) => {
                let (Some((job, answer)), Some(id)) = (job, ids.next()) else { return Talk::Dismissed };
                let Ok(frame) = serde_json::to_vec(&Request { id, job }) else { continue };
                waiting.insert(id, answer);
                if sink.send(frame.into()).await.is_err() {
                    return Talk::Closed;
                }
            }
            reply = replies.next() => {
                let frame = match reply {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => return Talk::Broken,
                    // The end, or half a frame and then the end.
                    Some(Err(_)) | None => return Talk::Closed,
                };
                let Reply { id, report } = match wire::said(&frame) {
                    Some(Said::Done(reply)) => *reply,
                    Some(Said::Confined(layers)) => {
                        ledger.confined(layers);
                        continue;
                    }
                    None => return Talk::Broken,
                };
                if let Some(answer) = waiting.remove(&id) {
                    // Nobody waits any more for a check that was cut short.
                    let _ = answer.send(Ok(report.cleaned()));
                    idle_since = Instant::now();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_nothing_to_do_for_a_minute_is_dismissed() {
        let (ours, theirs) = UnixStream::pair().expect("a socket");
        let (jobs, mut inbox) = mpsc::channel(JOBS_A_WORKER);
        let (began, ledger) = (Instant::now(), Ledger::default());
        // Another that said when it is confined, and nothing else: no look, no end of idleness.
        let (mut waiting, mut worker) = (HashMap::new(), wire::framed(theirs));
        let confined = serde_json::to_vec(&Said::Confined(BTreeSet::new())).expect("JSON");
        worker.send(Bytes::from(confined)).await.expect("it is sent");
        let talk = converse(ours, &mut inbox, &mut waiting, &ledger).await;
        assert!(matches!(talk, Talk::Dismissed));
        assert_eq!(began.elapsed(), IDLE);
        assert!(jobs.is_closed(), "who comes now starts another");
    }

    #[test]
    fn only_what_a_worker_does_to_itself_is_evidence() {
        let by = |signal: Signal| Death::of(ExitStatus::from_raw(signal.as_raw()));
        for own in [Signal::ABORT, Signal::SEGV, Signal::SYS, Signal::ILL] {
            assert!(by(own).is_evidence(), "{own:?}");
        }
        for foreign in [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::XCPU] {
            assert_eq!(by(foreign), Death::Killed, "{foreign:?}");
        }
        assert!(!Death::Killed.is_evidence() && !Death::GaveUp.is_evidence());
        let code = |code: i32| Death::of(ExitStatus::from_raw(code << 8));
        assert_eq!([code(101), code(3), code(0)], [Death::Crashed, Death::GaveUp, Death::GaveUp]);
    }
}
