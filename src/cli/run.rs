//! `camhealth run`: the daemon as a process, with its signals.

use super::{BROKEN, FAILED, config_path, fail, files, log, process};
use crate::{
    clock::Clock,
    config::{self, Config},
    daemon::{self, Broken, Parts, Probing, Running, Signal, Signals, tell_service_manager},
    journal,
    model::MemberId,
    province::{self, STANDS_BY, TAKES_OVER, WATCHES},
};
use futures_util::stream::{FuturesUnordered, StreamExt};
use sd_notify::NotifyState;
use secrecy::ExposeSecret;
use std::{
    io::{ErrorKind, IsTerminal},
    net::IpAddr,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it is asked whose turn it is.
const TURN_EVERY: Duration = Duration::from_secs(1);
/// How long a commune's port may be held yet by whoever passed its visitors on.
const PORT_IS_LET_GO: Duration = Duration::from_secs(10);
/// Reloads by signal at once: one that is read, and one that sees what changed since.
const RELOADS: usize = 2;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// How the log is written; RUST_LOG says how much of it.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = log::Form::Auto)]
    log: log::Form,
    /// One of a province's communes: the log names it, and the daemon ends with whoever started it, when nothing can come
    /// over standard input any more.
    #[arg(long, hide = true, value_name = "COMMUNE")]
    commune: Option<String>,
    /// The address of this machine among those that share the province, in the place of the one that the configuration names.
    #[arg(long, hide = true, value_name = "IP", requires = "commune")]
    address: Option<IpAddr>,
    /// This machine's name among them.
    #[arg(long, hide = true, value_name = "MEMBER", requires = "commune")]
    member: Option<String>,
    /// Addresses of the others.
    #[arg(long, hide = true, value_name = "IP", requires = "commune")]
    neighbour: Vec<IpAddr>,
}

impl Arguments {
    /// The configuration as it holds on this machine.
    fn here(&self, mut config: Config) -> Config {
        if let Some(address) = self.address {
            config.web.listen = province::here(config.web.listen, address);
        }
        config.web.neighbours.clone_from(&self.neighbour);
        config.deliver.here = self.member.as_deref().map(MemberId::from);
        config
    }
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    if let Err(code) = process::begin(arguments.log, arguments.commune.as_deref()) {
        return code;
    }
    if let Err(error) = daemon::raise_descriptors() {
        tracing::warn!(%error, "the limit of open files stays as it was");
    }
    let config = match files(&arguments.config) {
        Ok(config) => arguments.here(config),
        Err(code) => return code,
    };
    let (program, mut signals) = match process::program_and_signals() {
        Ok(both) => both,
        Err(code) => return code,
    };
    let of_a_province = arguments.commune.is_some();
    if of_a_province {
        process::end_with_input(signals.end());
    }
    let loader = Arc::new(move || {
        let read = config::load(&arguments.config).map(|config| arguments.here(config));
        read.map_err(|problems| {
            log::lines(&problems.render(false));
            // Whoever asks over HTTP may be a stranger.
            format!("the new configuration has {}; the log and camhealth check say which", problems.count())
        })
    });
    let parts = Parts { probing: Probing::Real(program), loader };
    let mut config = config;
    let mut taken_until = None;
    // What starts anew in place goes on with the configuration that ran: the files may be half of a new one.
    loop {
        if let Some(server) = config.journal.server.clone().filter(|_| config.journal.standby)
            && !stand_by(server, &mut signals).await
        {
            return ExitCode::SUCCESS;
        }
        let stands_by = config.journal.standby.then(|| config.clone());
        if stands_by.is_some() {
            tell_service_manager(&[NotifyState::Status(TAKES_OVER)]);
        }
        let running = match (daemon::start(config, Clock::system(), parts.clone()).await, stands_by) {
            (Ok(running), _) => running,
            // Whoever passed the commune's visitors on to another machine lets go of the port as it hears of this.
            (Err(daemon::Error::Listen(_, error)), Some(again))
                if of_a_province
                    && error.kind() == ErrorKind::AddrInUse
                    && Instant::now() < *taken_until.get_or_insert_with(|| Instant::now() + PORT_IS_LET_GO) =>
            {
                config = again;
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            // Another was quicker, or the server went away: that is seen while standing by.
            (Err(daemon::Error::Journal(error)), Some(again)) => {
                tracing::warn!(%error, "the journal could not be taken: standing by");
                config = again;
                continue;
            }
            (Err(error), _) => return fail(FAILED, &error.to_string()),
        };
        welcome(&running).await;
        taken_until = None;
        tell_service_manager(&[NotifyState::Ready, NotifyState::Status(WATCHES)]);
        match serve(&running, &mut signals).await {
            // All that is due was planned by the old time. What was remembered is picked up again, as after any start.
            End::ClockSetBack(by) => {
                tracing::warn!(?by, "the clock was set back: starting anew");
                config = running.config();
                running.stop().await;
            }
            End::JournalBack => {
                tracing::warn!("the journal can be read again: starting anew");
                config = running.config();
                running.stop().await;
            }
            end => return stop(running, signals, &end).await,
        }
    }
}

/// Waits until it is this daemon's turn to hold the journal; whether it is, rather than that somebody asked it to stop.
async fn stand_by(server: Arc<journal::Server>, signals: &mut Signals) -> bool {
    let mut told = String::new();
    loop {
        let asked = server.clone();
        let turn = tokio::task::spawn_blocking(move || journal::turn(&asked)).await;
        let why = match turn {
            Ok(Ok(journal::Turn::Ours)) => return true,
            Ok(Ok(journal::Turn::Others(name))) => format!("{STANDS_BY}: the journal is held by {name}"),
            Ok(Err(error)) => format!("{STANDS_BY}: {error}"),
            Err(error) => format!("{STANDS_BY}: {error}"),
        };
        if why != told {
            tracing::info!("{why}");
        }
        // Standing by is work, too: the service manager is told each time, which is what its watchdog waits for.
        tell_service_manager(&[NotifyState::Ready, NotifyState::Watchdog, NotifyState::Status(&why)]);
        told = why;
        tokio::select! {
            signal = signals.next() => if signal == Signal::Stop { return false },
            () = tokio::time::sleep(TURN_EVERY) => {}
        }
    }
}

/// While nobody can sign in, says how somebody can: with a link where a person reads it, which no log may hold.
async fn welcome(running: &Running) {
    let place = running.place();
    if std::io::stderr().is_terminal() {
        if let Some(path) = running.first_administrator().await {
            let (path, day) =
                (path.expose_secret(), "within a day, to choose the password of the first administrator, admin");
            eprintln!("nobody can sign in yet. Open this once, {day}:\n\n    {place}{path}\n");
        }
    } else if running.awaits_administrator() {
        tracing::warn!(
            "nobody can sign in yet at {place}: camhealth users add NAME --role administrator prints a link"
        );
    }
}

/// Why serving ends.
enum End {
    Stop,
    ClockSetBack(Duration),
    JournalBack,
    Broken(Broken),
}

impl End {
    /// What the service manager is told, and the exit code.
    fn told(&self) -> (String, u8) {
        match self {
            // The service manager starts it anew where it does so after a failure.
            Self::Broken(Broken { task, why }) => {
                (format!("stopping: the task {} ended: {why}", task.as_str()), BROKEN)
            }
            Self::Stop | Self::ClockSetBack(_) | Self::JournalBack => ("stopping".to_owned(), 0),
        }
    }
}

/// Runs until a signal asks to stop, the clock is set back, or a part of the daemon ends.
async fn serve(running: &Running, signals: &mut Signals) -> End {
    let clock = Clock::system();
    let mut steps = clock.steps();
    // A reload waits for files and for the disk, and must not make us deaf to the rest meanwhile. Those who ask while one
    // is read share the next.
    let mut reloads = FuturesUnordered::new();
    loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::Stop => return End::Stop,
                Signal::Reload if reloads.len() < RELOADS => reloads.push(running.reload(false)),
                Signal::Reload => {}
            },
            // Why it is refused is in the log.
            Some(_) = reloads.next() => {}
            by = steps.set_back() => return End::ClockSetBack(by),
            () = running.outdated() => return End::JournalBack,
            broken = running.broken() => return End::Broken(broken),
        }
    }
}

/// Stops with care; a second signal ends at once.
async fn stop(running: Running, mut signals: Signals, end: &End) -> ExitCode {
    let (status, code) = end.told();
    tell_service_manager(&[NotifyState::Stopping, NotifyState::Status(&status)]);
    tracing::info!("a second signal ends at once, without closing sessions at cameras");
    let again = async { while signals.next().await == Signal::Reload {} };
    tokio::select! {
        () = running.stop() => ExitCode::from(code),
        () = again => ExitCode::from(FAILED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_daemon_ends_with_a_code_of_its_own_and_names_what_broke() {
        let why = "it panicked: index 4 of 3".to_owned();
        let broken = End::Broken(Broken { task: daemon::Task::Relay, why });
        let status = "stopping: the task relay ended: it panicked: index 4 of 3".to_owned();
        assert_eq!(broken.told(), (status, 70));
        assert_eq!(End::Stop.told().1, 0);
    }
}
