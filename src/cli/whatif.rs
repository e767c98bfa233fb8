//! `camhealth whatif`: what would follow if cameras or links failed, and which sites hang by a thread.

use super::{USAGE, config_path, fail, loaded, paint::Paint};
use crate::{
    coverage::{Fragile, WhatIf, what_if},
    model::{CameraId, Fleet, Level, LinkId},
};
use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};
use unicode_width::UnicodeWidthStr;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Cameras and links that are down, by id; everything else works.
    #[arg(long, value_name = "ID", num_args = 1..)]
    down: Vec<String>,
    /// Ask for the night, when views may need other numbers of cameras.
    #[arg(long)]
    night: bool,
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let config = match loaded(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let fleet = &config.fleet;
    let mut cameras: BTreeSet<CameraId> = BTreeSet::new();
    let mut links: BTreeSet<LinkId> = BTreeSet::new();
    for id in &arguments.down {
        if fleet.cameras.contains_key(id.as_str()) {
            cameras.insert(id.as_str().into());
        } else if fleet.links.contains_key(id.as_str()) {
            links.insert(id.as_str().into());
        } else {
            return fail(USAGE, &format!("--down: there is no camera or link {id:?}"));
        }
    }
    let answer = what_if(fleet, &cameras, &links, arguments.night);
    if arguments.json {
        println!("{:#}", json(&answer));
    } else {
        print!("{}", text(fleet, &answer, Paint::stdout()));
    }
    ExitCode::SUCCESS
}

fn text(fleet: &Fleet, answer: &WhatIf, paint: Paint) -> String {
    let percent = answer.coverage.ratio().unwrap_or(0.0) * 100.0;
    let (covered, total) = (answer.coverage.covered, answer.coverage.total);
    let mut text = format!(
        "{} cameras down: {} of the commune is covered ({covered} of {total} views)\n",
        answer.down.len(),
        paint.bold(&format!("{percent:.0} %")),
    );
    let name = |id: &crate::model::SiteId| fleet.sites.get(id).map_or_else(|| id.to_string(), |site| site.name.clone());
    let widest = answer.levels.keys().map(|id| name(id).width()).max().unwrap_or(0);
    let pad = |text: &str| format!("{text}{}", " ".repeat(widest.saturating_sub(text.width())));
    for (id, level) in answer.levels.iter().filter(|(_, level)| **level != Level::Full) {
        let lost = answer.lost.get(id).map(|views| views.join("; ")).unwrap_or_default();
        let level = paint.level(*level, &format!("{:<8}", level.as_str()));
        text += &format!("  {}  {level}  {lost}\n", pad(&name(id)));
    }
    if answer.fragile.is_empty() {
        text += &format!("{} no site is one failure away from blind\n", paint.good("✓"));
        return text;
    }
    text += &format!("{} one failure away from blind:\n", paint.fair("!"));
    for fragile in &answer.fragile {
        text += &format!("  {}  {}\n", pad(&name(&fragile.site)), causes(fragile).join("  "));
    }
    text
}

fn causes(fragile: &Fragile) -> Vec<String> {
    let list = |what: &str, ids: Vec<String>| (!ids.is_empty()).then(|| format!("{what} {}", ids.join(", ")));
    let cameras = list("camera", fragile.cameras.iter().map(ToString::to_string).collect());
    let devices = list("recorder", fragile.devices.iter().map(ToString::to_string).collect());
    let links = list("link", fragile.links.iter().map(ToString::to_string).collect());
    [cameras, devices, links].into_iter().flatten().collect()
}

fn json(answer: &WhatIf) -> serde_json::Value {
    let fragile = answer.fragile.iter().map(|fragile| {
        serde_json::json!({
            "site": fragile.site,
            "cameras": fragile.cameras,
            "recorders": fragile.devices,
            "links": fragile.links,
        })
    });
    serde_json::json!({
        "down": answer.down,
        "coverage_ratio": answer.coverage.ratio(),
        "levels": answer.levels,
        "views_lost": answer.lost,
        "one_failure_from_blind": fragile.collect::<Vec<_>>(),
    })
}
