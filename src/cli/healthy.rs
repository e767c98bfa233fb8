//! `camhealth healthy`: whether the running daemon does its work, as an exit code, for containers and scripts.

use super::client::{Daemon, NOTHING, told};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    daemon: Daemon,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    told(client.ask(reqwest::Method::GET, &["-", "healthy"], &[], NOTHING).await)
}
