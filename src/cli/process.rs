//! How the programs that run for months begin: the daemon and an agent.

use super::{FAILED, fail, log};
use crate::daemon::Signals;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use std::{path::PathBuf, process::ExitCode};
use tokio_util::sync::CancellationToken;

/// Begins to log, for one of a province's communes with its name, and has no crash write a core: it would hold passwords of
/// cameras and keys. Else it has said what is wrong, and this is the exit code.
pub(super) fn begin(form: log::Form, commune: Option<&str>) -> Result<(), ExitCode> {
    log::start(form, commune).map_err(|error| fail(FAILED, &format!("the log cannot be written: {error}")))?;
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "a crash may write a core, with passwords in it");
    }
    Ok(())
}

/// Cancels `end` when nothing can come over standard input any more: whoever started this process is gone, or wants it gone.
pub(super) fn end_with_input(end: CancellationToken) {
    tokio::spawn(async move {
        // Nothing is ever written to it.
        let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
        end.cancel();
    });
}

/// This program's own file, which is started again as workers, and the signals that it is told by.
pub(super) fn program_and_signals() -> Result<(PathBuf, Signals), ExitCode> {
    let program = std::env::current_exe();
    let program = program.map_err(|error| fail(FAILED, &format!("cannot find this program's own file: {error}")))?;
    let signals = Signals::new().map_err(|error| fail(FAILED, &format!("cannot listen for signals: {error}")))?;
    Ok((program, signals))
}
