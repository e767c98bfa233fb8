//! `camhealth reload`: has the running daemon read its configuration anew.

use super::client::{Daemon, told};
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
    // A configuration that is wrong is said to be so here, with its places, before the daemon is asked.
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    let query: &[(&str, &str)] = if arguments.force { &[("force", "1")] } else { &[] };
    told(client.ask(reqwest::Method::POST, &["-", "reload"], query, None).await)
}
