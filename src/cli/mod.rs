//! The commands: what people type, and what is printed back.
//!
//! Exit codes: 0 done or up, 1 degraded, 2 wrong usage or configuration, 3 down or failed, 70 a part of the daemon
//! ended that must not (EX_SOFTWARE of sysexits.h): a fault of ours, after which a start from the journal helps.

mod ack;
mod agent;
mod agents;
mod arenas;
mod backup;
mod check;
mod client;
mod dashboards;
mod demo;
mod demo_agents;
mod demo_commune;
mod demo_table;
mod discover;
mod doctor;
mod drill;
mod explain;
mod export;
mod forget;
mod healthy;
mod import;
mod incident;
mod init;
mod journal;
mod log;
mod login;
mod manual;
mod oncall;
mod owner;
mod paint;
mod passes;
mod pdf;
mod probe;
mod process;
mod progress;
mod province;
mod province_export;
mod questions;
mod reload;
mod report;
mod run;
mod silence;
mod simulate;
mod users;
mod whatif;

use crate::{
    config::{self, Config},
    probe::{WORKER_ARGUMENT, worker},
};
use clap::{Parser, Subcommand};
use paint::Paint;
use std::{io::Write, path::Path, process::ExitCode};

/// Watches a commune's cameras and wakes the right officer when an intersection goes blind.
#[derive(Debug, Parser)]
#[command(name = "camhealth", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the cameras of a configuration: the daemon.
    Run(run::Arguments),
    /// Write a first configuration from a dozen answers, and look at a camera.
    Init(init::Arguments),
    /// Validate a configuration without touching the network.
    Check(check::Arguments),
    /// Say whether this machine can do what its configuration wants, and what to do where it cannot.
    Doctor(doctor::Arguments),
    /// Write the configuration with what was edited on pages, as files that can take the place of its own.
    Export(export::Arguments),
    /// Look at one camera once, step by step.
    Probe(probe::Arguments),
    /// Say why a camera stands where it stands: its last looks, the reasoning, the next look and its budgets.
    Explain(explain::Arguments),
    /// Say what would follow if cameras or links failed, and which sites one more failure blinds.
    Whatif(whatif::Arguments),
    /// Show who is on call now and next; send somebody a test message.
    Oncall(oncall::Arguments),
    /// Say whether the running daemon does its work.
    Healthy(healthy::Arguments),
    /// Have the running daemon read its configuration anew.
    Reload(reload::Arguments),
    /// Take an incident on: its escalation stops.
    Ack(ack::Arguments),
    /// Write what happened to an incident, open or past, as a file to keep: HTML, JSON or PDF.
    Incident(incident::Arguments),
    /// Begin an exercise: all goes as if a site had gone blind, up to the key that somebody presses.
    Drill(drill::Arguments),
    /// Take a site, a link or a camera out of service on purpose: its alerts are kept back until the end.
    Silence(silence::Arguments),
    /// Share the communes of a province with other machines.
    Province(province::Arguments),
    /// Keep accounts: who signs in, and what they may do.
    Users(users::Arguments),
    /// Keep what programs and screens are known by.
    Passes(passes::Arguments),
    /// Keep agents: small computers behind home routers that look at the cameras there.
    Agents(agents::Arguments),
    /// Be an agent: look at cameras behind a home router, and tell the daemon.
    Agent(agent::Arguments),
    /// Show what people changed, and whether anything of that was changed or is missing.
    Audit(passes::Audit),
    /// Report a month's uptime of each camera, site, link and make, from the journal.
    Report(report::Arguments),
    /// Copy the journal, while the daemon runs.
    Backup(backup::Arguments),
    /// Put a backup in the journal's place, while no daemon runs; the journal of before is set aside.
    Restore(backup::Restore),
    /// Look the journal over, forget what is old, or copy it to a server and back.
    Journal(journal::Arguments),
    /// Forget all that is known of a camera, while no daemon runs, and search for what might be left.
    Forget(forget::Arguments),
    /// Show who lends a camera, after the running daemon has put that into the audit trail.
    Owner(owner::Arguments),
    /// Find cameras on the network; known ones whose address changed are found again.
    Discover(discover::Arguments),
    /// Turn a contractor's spreadsheet (XLSX or CSV) into camera entries.
    Import(import::Arguments),
    /// Write the Grafana dashboards, Vietnamese and English.
    Dashboards(dashboards::Arguments),
    /// Watch 240 simulated cameras whose faults come and go.
    Demo(demo::Arguments),
    /// Serve simulated cameras on loopback and print their addresses.
    Simulate(simulate::Arguments),
    /// Write the manual's pages, one for each command, or print a shell's completions; packages are built with it.
    #[command(hide = true)]
    Manual(manual::Arguments),
    /// Internal: the confined process in which stream checks run.
    #[command(name = WORKER_ARGUMENT, hide = true)]
    Worker {
        /// Limit of data memory, in MiB.
        memory_mib: u64,
    },
}

/// Where the configuration lies if nobody says: in the folder at hand, as with a checkout, else where a package puts it.
const CONFIG_PATHS: [&str; 2] = ["config/camhealth.toml", "/etc/camhealth/camhealth.toml"];

/// The first of them that is there, or the last.
fn config_path() -> &'static str {
    let [here, installed] = CONFIG_PATHS;
    if Path::new(here).is_file() { here } else { installed }
}

/// Wrong usage or configuration.
const USAGE: u8 = 2;
/// Down, or the command failed.
const FAILED: u8 = 3;
/// Somebody answers, and whether video would come could not be seen.
const UNPROVEN: u8 = 4;

/// A part of the daemon ended that must not.
const BROKEN: u8 = 70;

/// Runs the command that the program's arguments name.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => {
            arenas::one();
            in_runtime(run::run(arguments))
        }
        Command::Init(arguments) => in_runtime(init::run(arguments)),
        Command::Check(arguments) => check::run(&arguments),
        Command::Doctor(arguments) => in_runtime(doctor::run(arguments)),
        Command::Export(arguments) => export::run(&arguments),
        Command::Probe(arguments) => in_runtime(probe::run(arguments)),
        Command::Explain(arguments) => in_runtime(explain::run(arguments)),
        Command::Whatif(arguments) => whatif::run(&arguments),
        Command::Oncall(arguments) => in_runtime(oncall::run(arguments)),
        Command::Healthy(arguments) => in_runtime(healthy::run(arguments)),
        Command::Reload(arguments) => in_runtime(reload::run(arguments)),
        Command::Ack(arguments) => in_runtime(ack::run(arguments)),
        Command::Incident(arguments) => in_runtime(incident::run(arguments)),
        Command::Drill(arguments) => in_runtime(drill::run(arguments)),
        Command::Silence(arguments) => in_runtime(silence::run(arguments)),
        Command::Province(arguments) => in_runtime(province::run(arguments)),
        Command::Users(arguments) => in_runtime(users::run(arguments)),
        Command::Passes(arguments) => in_runtime(passes::run(arguments)),
        Command::Agents(arguments) => in_runtime(agents::run(arguments)),
        Command::Agent(arguments) => {
            arenas::one();
            in_runtime(agent::run(arguments))
        }
        Command::Audit(arguments) => in_runtime(passes::audit(arguments)),
        Command::Report(arguments) => report::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Journal(arguments) => journal::run(&arguments),
        Command::Forget(arguments) => forget::run(&arguments),
        Command::Owner(arguments) => in_runtime(owner::run(arguments)),
        Command::Discover(arguments) => in_runtime(discover::run(arguments)),
        Command::Import(arguments) => import::run(&arguments),
        Command::Dashboards(arguments) => dashboards::run(&arguments),
        Command::Demo(arguments) => in_runtime(demo::run(arguments)),
        Command::Simulate(arguments) => in_runtime(simulate::run(arguments)),
        Command::Manual(arguments) => manual::run(&arguments),
        Command::Worker { memory_mib } => match worker::serve(memory_mib) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(FAILED),
        },
    }
}

fn in_runtime(command: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(command);
            // A thread that reads from a disk or a file server that does not answer must not keep the process.
            runtime.shutdown_background();
            code
        }
        Err(error) => fail(FAILED, &format!("the runtime cannot start: {error}")),
    }
}

/// The configuration that the files say; otherwise it has said what is wrong, and this is the exit code.
fn files(path: &Path) -> Result<Config, ExitCode> {
    config::load(path).map_err(|problems| {
        eprint!("{}", problems.render(Paint::stderr().is_on()));
        ExitCode::from(USAGE)
    })
}

/// The configuration with what people edited on pages, as the daemon has it.
fn loaded(path: &Path) -> Result<Config, ExitCode> {
    let config = files(path)?;
    let edits = crate::journal::edits(&config.journal).map_err(|error| error.to_string());
    match edits.and_then(|edits| if edits.is_empty() { Ok(config.clone()) } else { config.edited(&edits) }) {
        Ok(edited) => Ok(edited),
        Err(why) => {
            eprintln!("camhealth: what was edited on pages is left out: {why}");
            Ok(config)
        }
    }
}

/// The journal that a configuration names; otherwise it has said what is wrong, and this is the exit code.
fn journal_of(path: &Path) -> Result<crate::journal::Settings, ExitCode> {
    let settings = files(path)?.journal;
    match settings.is_kept() {
        true => Ok(settings),
        false => Err(fail(USAGE, "[journal] path is not set: nothing is remembered; name a file there")),
    }
}

/// Prints entries, or writes them to a file that must not exist yet: nobody's edits are lost.
fn output(file: Option<&Path>, text: &str) -> Result<(), String> {
    let Some(path) = file else {
        print!("{text}");
        return Ok(());
    };
    let created = std::fs::File::options().write(true).create_new(true).open(path);
    let written = created.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: {error}; name a file that does not exist yet", path.display()))?;
    eprintln!("written to {}", path.display());
    Ok(())
}

/// Says on standard error what went wrong, and gives the exit code.
fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("camhealth: {message}");
    ExitCode::from(code)
}
