//! The commands: what people type, and what is printed back.
//!
//! Exit codes: 0 done or up, 1 degraded, 2 wrong usage or configuration, 3 down or failed.

mod paint;
mod probe;

use crate::probe::{WORKER_ARGUMENT, worker};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Watches a commune's cameras and wakes the right officer when an intersection goes blind.
#[derive(Debug, Parser)]
#[command(name = "camhealth", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at one camera once, step by step.
    Probe(probe::Arguments),
    /// Internal: the confined process in which stream checks run.
    #[command(name = WORKER_ARGUMENT, hide = true)]
    Worker {
        /// Limit of data memory, in MiB.
        memory_mib: u64,
    },
}

/// Wrong usage or configuration.
const USAGE: u8 = 2;
/// Down, or the command failed.
const FAILED: u8 = 3;

/// Runs the command that the program's arguments name.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Probe(arguments) => in_runtime(probe::run(arguments)),
        Command::Worker { memory_mib } => match worker::serve(memory_mib) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(FAILED),
        },
    }
}

fn in_runtime(command: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => fail(FAILED, &format!("the runtime cannot start: {error}")),
    }
}

/// Says on standard error what went wrong, and gives the exit code.
fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("camhealth: {message}");
    ExitCode::from(code)
}
