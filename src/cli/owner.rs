//! `camhealth owner`: who lends a camera, for whoever keeps this machine; the running daemon notes it in the audit trail
//! first, and without that nothing is shown.

use super::{FAILED, USAGE, client::Daemon, fail, loaded, users};
use crate::model::CameraId;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The camera's id.
    camera: String,
    /// What for; it stands in the audit trail.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    daemon: Daemon,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let owners = match loaded(arguments.daemon.config()) {
        Ok(config) => config.owners,
        Err(code) => return code,
    };
    let Some(owners) = owners else {
        return fail(USAGE, "[privacy] owners names no file: nothing is known of who lends cameras");
    };
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    // Who runs this is known by what sudo says, which whoever is root can change; that they are root stands in the trail.
    let user = ["SUDO_USER", "USER"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    let reason = match user.is_empty() || arguments.reason.trim().is_empty() {
        true => arguments.reason.clone(),
        false => format!("{user}: {}", arguments.reason),
    };
    let reading = json!({ "camera": arguments.camera, "reason": reason });
    if let Err(why) = client.ask(Method::POST, &["api", "v1", "owner-readings"], &[], Some(&reading)).await {
        return fail(FAILED, &format!("it is not in the audit trail, so nothing is shown: {why}"));
    }
    match owners.of(&CameraId::from(arguments.camera.as_str())) {
        Ok(Some(owner)) => {
            let parts =
                [("name", &owner.name), ("phone", &owner.phone), ("address", &owner.address), ("note", &owner.note)];
            let rows = parts.map(|(name, part)| [name.to_owned(), part.expose_secret().to_owned()]);
            let rows: Vec<_> = rows.into_iter().filter(|[_, part]| !part.is_empty()).collect();
            println!("{}", users::table(&rows));
            ExitCode::SUCCESS
        }
        Ok(None) => fail(FAILED, &format!("{} has no {}", owners.path().display(), arguments.camera)),
        Err(why) => fail(FAILED, &why),
    }
}
