//! `camhealth province`: several machines share the communes of a province.

use super::{
    FAILED, USAGE, fail, log,
    paint::Paint,
    process,
    province_export::{self, Listing, Summary},
};
use crate::{
    clock::Clock,
    config,
    daemon::raise_descriptors,
    journal,
    model::{CommuneId, MemberId},
    province::{self, Parts, Settings},
    uptime::Month,
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Where a package puts it.
const CONFIG: &str = "/etc/camhealth/province.toml";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The province's file on this machine.
    #[arg(long, global = true, value_name = "PATH", default_value = CONFIG)]
    config: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Watch this machine's share of the communes, and take over those of machines that are gone.
    Run {
        /// How the log is written; RUST_LOG says how much of it.
        #[arg(long, value_enum, value_name = "FORM", default_value_t = log::Form::Auto)]
        log: log::Form,
    },
    /// Validate the province's file and the configuration of each commune, without touching the network.
    Check,
    /// Show the machines, and which commune is where.
    Status,
    /// List all cameras of all communes with their states, from their configurations and journals.
    Inventory {
        /// What is written.
        #[arg(long, value_enum, default_value_t = Listing::Csv)]
        format: Listing,
        /// Write to this file, which must not exist yet.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Report a month's uptime of all communes, the worst first.
    Report {
        /// The month, such as 2026-10; the last one that is over without it.
        #[arg(long, value_name = "YEAR-MONTH")]
        month: Option<Month>,
        /// What is written.
        #[arg(long, value_enum, default_value_t = Summary::Text)]
        format: Summary,
        /// Write to this file, which must not exist yet.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Move a commune to another machine and keep it there; without --to it may be anywhere again.
    Move {
        /// The commune, by the id that the status shows: the schema of its journal.
        commune: String,
        /// The machine.
        #[arg(long, value_name = "MACHINE")]
        to: Option<String>,
    },
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let path = arguments.config;
    let settings = match settings(&path) {
        Ok(settings) => settings,
        Err(problems) => {
            eprint!("{}", problems.render(Paint::stderr().is_on()));
            return ExitCode::from(USAGE);
        }
    };
    match arguments.what {
        What::Run { log } => watch(settings, path, log).await,
        What::Check => check(&settings),
        What::Status => status(&settings).await,
        What::Inventory { format, out } => done(province_export::inventory(&settings, format, out.as_deref())),
        What::Report { month, format, out } => done(province_export::report(&settings, month, format, out.as_ref())),
        What::Move { commune, to } => wish(&settings, &commune, to.as_deref()).await,
    }
}

fn done(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(FAILED, &why),
    }
}

fn settings(path: &Path) -> Result<Settings, config::Problems> {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    config::province(path, &machine)
}

async fn watch(settings: Settings, path: PathBuf, form: log::Form) -> ExitCode {
    if let Err(code) = process::begin(form, None) {
        return code;
    }
    if let Err(error) = raise_descriptors() {
        tracing::warn!(%error, "the limit of open files stays as it was");
    }
    let (program, signals) = match process::program_and_signals() {
        Ok(both) => both,
        Err(code) => return code,
    };
    let loader = Box::new(move || match self::settings(&path) {
        Ok(settings) => Some(settings),
        Err(problems) => {
            log::lines(&problems.render(false));
            None
        }
    });
    tracing::info!(member = settings.member.as_str(), roll = settings.server.told(), "sharing a province");
    match province::run(settings, Parts { program, log: form.as_str(), loader, signals }).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(FAILED, &why),
    }
}

fn check(settings: &Settings) -> ExitCode {
    let (communes, problems) = province::read(settings);
    problems.iter().for_each(|problem| eprint!("{problem}"));
    let cameras: u64 = communes.iter().map(|commune| u64::from(commune.listed.cameras)).sum();
    let paint = Paint::stdout();
    let mark = if problems.is_empty() { paint.good("✓") } else { paint.bad("✗") };
    println!("{mark} {}", paint.bold(&settings.name));
    println!(
        "  {:>6}  communes\n  {cameras:>6}  cameras\n  {:>6}  configurations with problems",
        communes.len(),
        problems.len()
    );
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(USAGE) }
}

/// Asks the roll, which blocks.
async fn asked<T: Send + 'static>(
    settings: &Settings,
    ask: impl FnOnce(&journal::Server) -> Result<T, journal::Error> + Send + 'static,
) -> Result<T, ExitCode> {
    let server = settings.server.clone();
    match tokio::task::spawn_blocking(move || ask(&server)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(fail(FAILED, &format!("the roll: {error}"))),
        Err(error) => Err(fail(FAILED, &error.to_string())),
    }
}

async fn status(settings: &Settings) -> ExitCode {
    match asked(settings, journal::province).await {
        Ok(province) => {
            print!("{}", province::table(settings, &province, Clock::system().now()));
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

async fn wish(settings: &Settings, commune: &str, to: Option<&str>) -> ExitCode {
    let province = match asked(settings, journal::province).await {
        Ok(province) => province,
        Err(code) => return code,
    };
    let (commune, to) = (CommuneId::from(commune), to.map(MemberId::from));
    if let Some(unknown) = to.as_ref().filter(|to| !province.members.contains_key(*to)) {
        let known: Vec<&str> = province.members.keys().map(MemberId::as_str).collect();
        return fail(
            USAGE,
            &format!("there is no machine {:?} in the roll: name one of {}", unknown.as_str(), known.join(", ")),
        );
    }
    let (id, wanted) = (commune.clone(), to.clone());
    match asked(settings, move |server| journal::wish(server, &id, wanted.as_ref())).await {
        Ok(true) => {
            match to {
                Some(to) => println!(
                    "{commune} goes to {to} and stays there as long as that machine runs: camhealth province status shows it"
                ),
                None => println!("{commune} stays where it is, and may be moved again"),
            }
            ExitCode::SUCCESS
        }
        Ok(false) => fail(
            USAGE,
            &format!("there is no commune {:?} in the roll: camhealth province status lists them", commune.as_str()),
        ),
        Err(code) => code,
    }
}
