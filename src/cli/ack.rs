//! `camhealth ack`: takes an incident on.

use super::client::Daemon;
use crate::request::TakeOn;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The incident's number, such as 17.
    incident: String,
    /// Who takes it on.
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    daemon: Daemon,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let path = ["api", "v1", "incidents", &arguments.incident, "ack"];
    arguments.daemon.post(&path, &[], Some(&TakeOn { by: arguments.by.clone() })).await
}
