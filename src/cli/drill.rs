//! `camhealth drill`: begins an exercise, which goes through the whole chain to the key that somebody presses.

use super::client::Daemon;
use crate::request::Drill;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The site that is said to have gone blind.
    #[arg(long, value_name = "ID")]
    site: String,
    /// Who begins it.
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    daemon: Daemon,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let wish = Drill { site: arguments.site.as_str().into(), by: arguments.by };
    arguments.daemon.post(&["api", "v1", "drills"], &[], Some(&wish)).await
}
