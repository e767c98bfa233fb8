//! `camhealth check`: validates a configuration without touching the network.

use super::{config_path, loaded, paint::Paint};
use crate::{
    clock,
    config::Config,
    edits::Standing,
    journal::{self, Keep},
    model::{AreaId, Beacon, Kind},
    probe::beacon::icmp_refusal,
};
use jiff::Timestamp;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match loaded(&arguments.config) {
        Ok(config) => {
            let (now, paint) = (clock::Clock::system().now(), Paint::stdout());
            print!("{}{}", summary(&config, now, paint), adrift(&config, now, paint));
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

/// Who is bound to areas that there are no more, where the daemon's journal can be read.
fn adrift(config: &Config, now: Timestamp, paint: Paint) -> String {
    let Some(register) = journal::people(&config.journal).ok() else {
        return String::new();
    };
    let line = |(name, areas): (&str, Vec<&AreaId>)| {
        let areas: Vec<&str> = areas.into_iter().map(AreaId::as_str).collect();
        let areas = areas.join(", ");
        format!(
            "{} {name} is bound to areas that there are no more ({areas}) and reaches nothing by them: camhealth users bind\n",
            paint.fair("!")
        )
    };
    register.adrift(&config.fleet, now).map(line).collect()
}

fn summary(config: &Config, now: Timestamp, paint: Paint) -> String {
    let fleet = &config.fleet;
    let of = |kind| fleet.cameras.values().filter(|camera| camera.kind == kind).count();
    let views: usize = fleet.sites.values().map(|site| site.views.len()).sum();
    let rows = [
        ("public cameras", of(Kind::Public)),
        ("household cameras", of(Kind::Household)),
        ("devices", fleet.devices.len()),
        ("links", fleet.links.len()),
        ("areas", fleet.areas.len()),
        ("sites", fleet.sites.len()),
        ("views", views),
        ("channels", config.deliver.channels.len()),
        ("maintenance windows", fleet.windows.len()),
        ("people on the roster", config.alert.people.len()),
    ];
    let mut text = format!("{} {}\n", paint.good("✓"), paint.bold(&fleet.commune.name));
    for (name, count) in rows {
        text += &format!("  {count:>5}  {name}\n");
    }
    let days = |keep| config.journal.keep.of(keep).as_secs() / (24 * 60 * 60);
    text += &format!(
        "  {:>5}  days of history are kept ([journal] keep_history), {} of the audit trail (keep_audit)\n",
        days(Keep::History),
        days(Keep::Audit)
    );
    if fleet.cameras.is_empty() {
        let warning = "no camera is watched yet: [commune] being_set_up says that they are to come";
        text += &format!("{} {warning}\n", paint.fair("!"));
        return text;
    }
    if config.alert.always.is_empty() && config.alert.rotations.is_empty() && config.alert.steps.is_empty() {
        let warning = "nobody is told when a site goes blind: name channels in [alert] or people in [rotation]";
        text += &format!("{} {warning}\n", paint.fair("!"));
    }
    if fleet.anchors.is_empty() {
        let warning = "without [monitor] anchors a power cut of the whole commune and a cut cable look the same";
        text += &format!("{} {warning}\n", paint.fair("!"));
    }
    let edits = config.sheet.edits();
    if !edits.is_empty() {
        text += &format!("  {:>5}  things edited on pages\n", edits.len());
    }
    for (item, line) in config.sheet.idle() {
        let why = match &line.standing {
            Standing::Unfit(why) => why,
            _ => "the files have it no more",
        };
        text += &format!("{} what was edited of {item} does not hold: {why}\n", paint.fair("!"));
    }
    for (camera, consent) in fleet.consents_ending(now) {
        let why = match consent.lacks(now, &fleet.commune.timezone) {
            Some(why) => format!("is not contacted: {why}"),
            None => format!("is contacted until {}: ask its owner again", consent.until.unwrap_or(consent.given)),
        };
        text += &format!("{} camera {:?} {why}\n", paint.fair("!"), camera.id.as_str());
    }
    let named = config.owners.as_ref().and_then(|owners| owners.cameras().ok()).unwrap_or_default();
    for id in named.iter().filter(|id| fleet.cameras.get(*id).is_none_or(|camera| camera.kind != Kind::Household)) {
        let why = format!("the owners' file names {:?}, which is no family's camera", id.as_str());
        text += &format!("{} {why}: camhealth forget {id}\n", paint.fair("!"));
    }
    let beacons = fleet.links.values().filter_map(|link| link.probe.as_ref()).chain(&fleet.anchors);
    if beacons.into_iter().any(|beacon| matches!(beacon, Beacon::Icmp(_)))
        && let Some(refusal) = icmp_refusal()
    {
        text += &format!("{} {refusal}\n", paint.fair("!"));
    }
    text
}
