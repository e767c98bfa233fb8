//! `camhealth agent`: the program of the small computer in a house or an alley.

use super::{BROKEN, FAILED, USAGE, fail, log, process};
use crate::{
    agent::{self, Code, Identity},
    daemon::{self, Signal},
};
use std::{path::PathBuf, process::ExitCode};
use tokio_util::sync::CancellationToken;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Join by a code of `camhealth agents add`; it is good once, for a day.
    Join {
        /// The code; spaces and line breaks in it say nothing.
        #[arg(required = true, num_args = 1..)]
        code: Vec<String>,
        /// Where the agent keeps what it needs.
        #[arg(long, value_name = "FOLDER", default_value = FOLDER)]
        folder: PathBuf,
    },
    /// Send a test by the channel of alarm.toml, by which the agent tells of a blind site while the daemon cannot be reached.
    Alarm {
        /// Where the agent keeps what it needs.
        #[arg(long, value_name = "FOLDER", default_value = FOLDER)]
        folder: PathBuf,
    },
    /// Look at the cameras that the daemon names, and tell it.
    Run {
        /// Where the agent keeps what it needs.
        #[arg(long, value_name = "FOLDER", default_value = FOLDER)]
        folder: PathBuf,
        /// How the log is written; RUST_LOG says how much of it.
        #[arg(long, value_enum, value_name = "FORM", default_value_t = log::Form::Auto)]
        log: log::Form,
        /// End with whoever started it, as the demo's agents do: when nothing can come over standard input any more.
        #[arg(long, hide = true)]
        attached: bool,
    },
}

/// Where the package's unit lets it write.
const FOLDER: &str = "/var/lib/camhealth-agent";

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    match arguments.what {
        What::Join { code, folder } => {
            let code = match Code::read(&code.concat()) {
                Ok(code) => code,
                Err(why) => return fail(USAGE, &why),
            };
            match agent::join(&folder, &code).await {
                Ok(link) => {
                    println!("joined as {link}; camhealth agent run --folder {} looks from now on", folder.display());
                    ExitCode::SUCCESS
                }
                Err(why) => fail(FAILED, &why),
            }
        }
        What::Alarm { folder } => match agent::try_channel(&folder).await {
            Ok(kind) => {
                println!("the channel ({kind}) took a test");
                ExitCode::SUCCESS
            }
            Err(why) => fail(FAILED, &why),
        },
        What::Run { folder, log, attached } => watch(folder, log, attached).await,
    }
}

async fn watch(folder: PathBuf, form: log::Form, attached: bool) -> ExitCode {
    if let Err(code) = process::begin(form, None) {
        return code;
    }
    let identity = match Identity::read(&folder) {
        Ok(identity) => identity,
        Err(why) => return fail(USAGE, &why),
    };
    let (program, mut signals) = match process::program_and_signals() {
        Ok(both) => both,
        Err(code) => return code,
    };
    tracing::info!(agent = identity.link, "looking");
    daemon::tell_service_manager(&[sd_notify::NotifyState::Ready]);
    let stop = CancellationToken::new();
    if attached {
        process::end_with_input(stop.clone());
    }
    let mut work = std::pin::pin!(agent::run(folder, identity, program, stop.clone()));
    loop {
        tokio::select! {
            outcome = work.as_mut() => {
                return match outcome {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(trouble) => fail(BROKEN, &trouble.to_string()),
                };
            }
            signal = signals.next() => if signal == Signal::Stop {
                tracing::info!("stopping");
                stop.cancel();
            },
        }
    }
}
