//! A commune's daemon as a process of its own: started, watched as a service manager does, and ended.

use super::{STANDS_BY, TAKES_OVER, WATCHES};
use crate::placement::Fares;
use std::{
    collections::BTreeSet,
    net::IpAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::UnixDatagram,
    process::{Child as Process, Command},
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

/// A daemon that has not said for so long that it gets on is killed, as systemd would kill it.
const SILENT: Duration = Duration::from_secs(15);
/// A start may take longer: a configuration is read.
const STARTS: Duration = Duration::from_secs(60);
/// And so may taking over: a journal of an earlier version is brought up to date.
const TAKES: Duration = Duration::from_secs(10 * 60);
/// How long a daemon may take to end in order.
const ENDS: Duration = Duration::from_secs(10);
/// The longest pause before one that fails is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// One that has lasted for so long has not failed at its start.
const LASTED: Duration = Duration::from_secs(60);
/// A daemon that failed so often in a row fails on this machine.
const FAILS: u32 = 3;

/// How a commune's daemon is started.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) program: PathBuf,
    pub(super) commune: String,
    /// This machine's name.
    pub(super) member: String,
    /// The main file of its configuration.
    pub(super) path: PathBuf,
    pub(super) address: IpAddr,
    pub(super) log: &'static str,
    /// Where it says how it fares: a socket of its own, in a folder of ours alone.
    pub(super) socket: PathBuf,
}

/// How a daemon fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) fares: Fares,
    /// Its process.
    pub(super) process: Option<u32>,
    /// How often in a row it ended by itself soon after its start.
    pub(super) failures: u32,
    /// How often it was started again since this member began.
    pub(super) restarts: u64,
}

impl State {
    pub(super) const NEW: Self = Self { fares: Fares::Absent, process: None, failures: 0, restarts: 0 };

    /// Whether it fails on this machine.
    pub(super) fn fails(&self) -> bool {
        self.failures >= FAILS
    }
}

/// A commune's daemon, or its absence, as it is wanted.
pub(super) struct Child {
    wanted: watch::Sender<bool>,
    reloads: Arc<Notify>,
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

impl Child {
    /// None runs before it is wanted. `changed` is told of each change.
    pub(super) fn new(order: Order, changed: Arc<Notify>, neighbours: watch::Receiver<BTreeSet<IpAddr>>) -> Self {
        let (wanted, wants) = watch::channel(false);
        let (tell, state) = watch::channel(State::NEW);
        let reloads = Arc::new(Notify::new());
        let tended = Tended { order, neighbours, wants, tell, changed, reloads: reloads.clone() };
        Self { wanted, reloads, state, task: tokio::spawn(tended.run()) }
    }

    pub(super) fn want(&self, wanted: bool) {
        self.wanted.send_if_modified(|known| std::mem::replace(known, wanted) != wanted);
    }

    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Has it read its configuration anew.
    pub(super) fn reload(&self) {
        self.reloads.notify_one();
    }

    /// Ends it, and waits for that.
    pub(super) async fn end(self) {
        drop(self.wanted);
        // Where the task panicked, the process was killed with it.
        let _ = self.task.await;
    }
}

/// Why a daemon is no more.
enum Ended {
    /// It is not wanted any more.
    Unwanted,
    /// By itself, or killed by somebody.
    Itself(String),
}

struct Tended {
    order: Order,
    /// Where the other members are, as far as that is known when a daemon is started.
    neighbours: watch::Receiver<BTreeSet<IpAddr>>,
    wants: watch::Receiver<bool>,
    tell: watch::Sender<State>,
    changed: Arc<Notify>,
    reloads: Arc<Notify>,
}

impl Tended {
    /// Runs until nobody can want it any more.
    async fn run(mut self) {
        while self.wants.wait_for(|wanted| *wanted).await.is_ok() {
            let began = Instant::now();
            self.note(|state| state.fares = Fares::Changes);
            let ended = match self.start() {
                Ok((process, socket)) => self.watch(process, &socket).await,
                Err(error) => Ended::Itself(format!("it cannot be started: {error}")),
            };
            let _ = std::fs::remove_file(&self.order.socket);
            self.note(|state| (state.fares, state.process) = (Fares::Absent, None));
            let Ended::Itself(why) = ended else {
                self.note(|state| state.failures = 0);
                continue;
            };
            let lasted = began.elapsed() >= LASTED;
            self.note(|state| {
                state.failures = if lasted { 1 } else { state.failures.saturating_add(1) };
                state.restarts += 1;
            });
            let failures = self.tell.borrow().failures;
            // The first time it is tried again at once: what killed it may have been a moment's.
            let pause = match failures {
                0 | 1 => Duration::ZERO,
                more => Duration::from_secs(1 << (more - 2).min(6)).min(LONGEST_PAUSE),
            };
            tracing::warn!(commune = self.order.commune, why, again_after = ?pause, "a daemon ended");
            tokio::select! {
                () = sleep(pause) => {}
                () = unwanted(&mut self.wants) => {}
            }
        }
    }

    fn start(&self) -> std::io::Result<(Process, UnixDatagram)> {
        let order = &self.order;
        let _ = std::fs::remove_file(&order.socket);
        let socket = UnixDatagram::bind(&order.socket)?;
        let mut command = Command::new(&order.program);
        command.arg("run").arg("--config").arg(&order.path).args(["--log", order.log, "--commune", &order.commune]);
        command.arg("--address").arg(order.address.to_string()).args(["--member", &order.member]);
        for neighbour in self.neighbours.borrow().iter() {
            command.arg("--neighbour").arg(neighbour.to_string());
        }
        command.env("NOTIFY_SOCKET", &order.socket).env("WATCHDOG_USEC", SILENT.as_micros().to_string());
        command.env_remove("WATCHDOG_PID");
        // It ends when this end of its input is closed, by us or with us.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
        Ok((command.spawn()?, socket))
    }

    async fn watch(&self, mut process: Process, socket: &UnixDatagram) -> Ended {
        // Whoever waits for a process closes its input, which asks it to end.
        let (id, input) = (process.id(), process.stdin.take());
        self.note(|state| state.process = id);
        let (mut deadline, mut wants) = (Instant::now() + STARTS, self.wants.clone());
        let mut said = [0; 4096];
        loop {
            tokio::select! {
                ended = process.wait() => return Ended::Itself(how(ended)),
                length = socket.recv(&mut said) => {
                    let Ok(length) = length else { continue };
                    let text = String::from_utf8_lossy(&said[..length]).into_owned();
                    if text.lines().any(|line| line == "WATCHDOG=1" || line == "READY=1") {
                        deadline = Instant::now() + SILENT;
                    }
                    if let Some(status) = text.lines().find_map(|line| line.strip_prefix("STATUS=")) {
                        if status == TAKES_OVER {
                            deadline = Instant::now() + TAKES;
                        }
                        self.note(|state| state.fares = fares(status));
                    }
                }
                () = sleep_until(deadline) => {
                    let _ = process.start_kill();
                    let _ = process.wait().await;
                    return Ended::Itself("it said nothing for too long and was killed".to_owned());
                }
                () = self.reloads.notified() => hang_up(id),
                () = unwanted(&mut wants) => {
                    self.note(|state| state.fares = Fares::Changes);
                    drop(input);
                    end(process).await;
                    return Ended::Unwanted;
                }
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut State)) {
        let changed = self.tell.send_if_modified(|state| {
            let before = state.clone();
            change(state);
            *state != before
        });
        if changed {
            self.changed.notify_one();
        }
    }
}

/// Waits until a daemon is not wanted any more, or nobody can want it.
async fn unwanted(wants: &mut watch::Receiver<bool>) {
    let _ = wants.wait_for(|wanted| !wanted).await;
}

/// What a daemon's status says of how it fares.
fn fares(status: &str) -> Fares {
    match status {
        WATCHES => Fares::Watches,
        waits if waits.starts_with(STANDS_BY) => Fares::StandsBy,
        _ => Fares::Changes,
    }
}

fn hang_up(process: Option<u32>) {
    let process = process.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        // One that has just ended reads its configuration when it is started again.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::HUP);
    }
}

/// Waits for a daemon whose input was closed; one that does not end in order is ended by force.
async fn end(mut process: Process) {
    if tokio::time::timeout(ENDS, process.wait()).await.is_err() {
        let _ = process.start_kill();
        let _ = process.wait().await;
    }
}

fn how(ended: std::io::Result<ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// A folder for sockets, which is ours alone.
pub(super) fn folder() -> std::io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let base = std::env::var_os("RUNTIME_DIRECTORY").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join(format!("camhealth-province-{}", std::process::id()));
    // One that a process of the same number left is emptied.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// The socket of a commune's daemon.
pub(super) fn socket(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("{number}.socket"))
}
