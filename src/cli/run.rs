//! `camhealth run`: the daemon as a process, with its signals.

use super::{FAILED, fail, loaded};
use crate::{
    clock::Clock,
    config,
    daemon::{self, Parts, Probing, Running, Signal, Signals},
};
use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = "config/camhealth.toml")]
    config: PathBuf,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    super::log_to_stderr();
    let path = arguments.config;
    let plan = match loaded(&path) {
        Ok(plan) => plan,
        Err(code) => return code,
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return fail(FAILED, &format!("cannot find this program's own file: {error}")),
    };
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return fail(FAILED, &format!("cannot listen for signals: {error}")),
    };
    let loader = Arc::new(move || config::load(&path).map_err(|problems| problems.render(false)));
    let parts = Parts { probing: Probing::Real(program), loader };
    let mut plan = plan;
    loop {
        let running = match daemon::start(plan.clone(), Clock::system(), parts.clone()).await {
            Ok(running) => running,
            Err(error) => return fail(FAILED, &error.to_string()),
        };
        tell_service_manager(sd_notify::NotifyState::Ready);
        match serve(&running, &mut signals).await {
            End::Stop => return stop(running, signals).await,
            // All that is due was planned by the old time. What was remembered is picked up again, as after any start.
            End::ClockSetBack(by) => {
                tracing::warn!(?by, "the clock was set back: starting anew");
                running.stop().await;
                plan = (parts.loader)().unwrap_or(plan);
            }
        }
    }
}

/// Why serving ends.
enum End {
    Stop,
    ClockSetBack(Duration),
}

/// Runs until a signal asks to stop, or the clock is set back.
async fn serve(running: &Running, signals: &mut Signals) -> End {
    let clock = Clock::system();
    let mut steps = clock.steps();
    loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::Stop => return End::Stop,
                Signal::Reload => {
                    if let Err(problems) = running.reload().await {
                        eprint!("{problems}");
                    }
                }
            },
            by = steps.set_back() => return End::ClockSetBack(by),
        }
    }
}

/// Stops with care; a second signal ends at once.
async fn stop(running: Running, mut signals: Signals) -> ExitCode {
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
