//! `camhealth run`: the daemon as a process, with its signals.

use super::{FAILED, USAGE, fail, paint::Paint};
use crate::{
    clock::Clock,
    config,
    daemon::{self, Parts, Probing, Running, Signal, Signals},
};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = "config/camhealth.toml")]
    config: PathBuf,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    super::log_to_stderr();
    let path = arguments.config;
    let plan = match config::load(&path) {
        Ok(plan) => plan,
        Err(problems) => {
            eprint!("{}", problems.render(Paint::stderr().is_on()));
            return ExitCode::from(USAGE);
        }
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return fail(FAILED, &format!("cannot find this program's own file: {error}")),
    };
    let signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return fail(FAILED, &format!("cannot listen for signals: {error}")),
    };
    let loader = Arc::new(move || config::load(&path).map_err(|problems| problems.render(false)));
    let parts = Parts { probing: Probing::Real(program), loader };
    match daemon::start(plan, Clock::system(), parts).await {
        Ok(running) => {
            tell_service_manager(sd_notify::NotifyState::Ready);
            serve(running, signals).await
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// Runs until a signal asks to stop; a second one ends at once.
async fn serve(running: Running, mut signals: Signals) -> ExitCode {
    while signals.next().await == Signal::Reload {
        if let Err(problems) = running.reload().await {
            eprint!("{problems}");
        }
    }
    tell_service_manager(sd_notify::NotifyState::Stopping);
    tracing::info!("a second signal ends at once, without closing sessions at cameras");
    let again = async { while signals.next().await == Signal::Reload {} };
    tokio::select! {
        () = running.stop() => ExitCode::SUCCESS,
        () = again => ExitCode::from(FAILED),
    }
}

/// Without systemd there is nobody to tell, which is no error.
fn tell_service_manager(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
