//! `camhealth forget`: whatever is known of a camera goes, and a search shows that it is gone.

use super::{FAILED, USAGE, config_path, fail, loaded, paint::Paint, users};
use crate::{
    config::Config,
    journal::{self, Forgotten},
    model::{CameraId, Owner},
};
use secrecy::ExposeSecret;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The camera's id, as it was in the configuration.
    camera: String,
    /// What else names it: its name, its owner, its address. Struck out wherever it stands, and searched for.
    #[arg(long, value_name = "TEXT")]
    word: Vec<String>,
    /// The daemon's configuration, for the journal's path.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let config = match loaded(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let id = CameraId::from(arguments.camera.as_str());
    if let Some(camera) = config.fleet.cameras.get(&id) {
        let host = camera.rtsp.host_str().unwrap_or_default();
        return fail(
            USAGE,
            &format!(
                "{id} is in the configuration, and what is forgotten would be learned again. Take it out there, stop the daemon, \
                 and then:\n    camhealth forget {id} --word {:?} --word {host}",
                camera.name
            ),
        );
    }
    if !config.journal.is_kept() {
        return fail(USAGE, "[journal] path is not set: nothing is remembered; name a file there");
    }
    let names_more = names_more(&config, &arguments.camera);
    let known = config.owners.as_ref().map_or(Ok(None), |owners| owners.of(&id));
    let words = match known {
        Ok(owner) => words(arguments, owner.as_ref()),
        Err(why) => return fail(FAILED, &why),
    };
    match journal::forget(&config.journal, &id, &words, !names_more) {
        Ok(done) => {
            // Last: until then what names them is known, whatever fails before.
            let struck = config.owners.as_ref().map_or(Ok(false), |owners| owners.strike(&id));
            let struck = match struck {
                Ok(struck) => struck,
                Err(why) => return fail(FAILED, &why),
            };
            println!("{}", told(&done, (names_more, struck), Paint::stdout()));
            match done.left || !done.elsewhere.is_empty() {
                true => ExitCode::from(1),
                false => ExitCode::SUCCESS,
            }
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// What names a camera: what was given, and what stands of its owner in their file.
fn words(arguments: &Arguments, owner: Option<&Owner>) -> Vec<String> {
    let of = owner.map(|owner| [&owner.name, &owner.phone, &owner.address].map(|part| part.expose_secret().to_owned()));
    let of = of.into_iter().flatten().filter(|word| !word.trim().is_empty());
    arguments.word.iter().cloned().chain(of).collect()
}

/// Whether the id is also that of something that stays, so that finding it proves nothing.
fn names_more(config: &Config, id: &str) -> bool {
    let fleet = &config.fleet;
    let sites = fleet.sites.keys().map(|key| key.as_str());
    let links = fleet.links.keys().map(|key| key.as_str());
    let areas = fleet.areas.keys().map(|key| key.as_str());
    let devices = fleet.devices.keys().map(|key| key.as_str());
    let people = config.alert.people.keys().map(|key| key.as_str());
    let channels = config.deliver.channels.keys().map(|key| key.as_str());
    sites.chain(links).chain(areas).chain(devices).chain(people).chain(channels).any(|known| known == id)
}

fn told(done: &Forgotten, (names_more, struck): (bool, bool), paint: Paint) -> String {
    let mut lines = vec![["journal".to_owned(), done.journal.clone()]];
    let mut line = |name: &str, value: String| lines.push([name.to_owned(), value]);
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    for (table, count) in &done.gone {
        line(table, format!("{} gone", rows(*count)));
    }
    for (table, count) in &done.struck {
        line(table, format!("struck out of {}", rows(*count)));
    }
    if struck {
        line("owner", "struck out of the owners' file".to_owned());
    }
    if done.gone.is_empty() && done.struck.is_empty() && !struck {
        line("known of it", "nothing".to_owned());
    }
    let found = match (done.left, done.audited) {
        (true, _) => paint.bad("the journal still holds it; this is a fault of camhealth's"),
        (false, 0) => paint.good("no byte of it is left in the journal"),
        (false, 1) => paint.fair("1 entry of the audit trail names it, and stays until keep_audit is over"),
        (false, count) => {
            paint.fair(&format!("{count} entries of the audit trail name it, and stay until keep_audit is over"))
        }
    };
    line("search", found);
    if names_more {
        line("", "the id is also that of something else, so only --word was searched for".to_owned());
    }
    for file in &done.elsewhere {
        line("also in", paint.fair(&file.display().to_string()));
    }
    let elsewhere = "Not looked at: backups in other places, Prometheus (its delete_series), the system's log, messages that were sent.";
    format!("{}\n{}", users::table(&lines), paint.dim(elsewhere))
}
