//! `camhealth reload`: has the running daemon read its configuration anew.

use super::client::{Daemon, NOTHING};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Take it over even if it takes away more than a tenth of the cameras, sites, links, channels or people.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    daemon: Daemon,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let query: &[(&str, &str)] = if arguments.force { &[("force", "1")] } else { &[] };
    // A configuration that is wrong is said to be so here, with its places, before the daemon is asked.
    arguments.daemon.post(&["-", "reload"], query, NOTHING).await
}
