//! What a province asks of all its communes at once: an inventory of the cameras as they stand, and a month's uptime.

use super::{loaded, output, progress};
use crate::{
    clock::Clock,
    config::Config,
    journal,
    model::{Camera, CameraId, DeviceFacts, History, Kind, SiteId, Transition},
    province::{Settings, aligned},
    uptime::{self, Month, Report},
    web,
};
use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How an inventory is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Listing {
    /// A line for each camera, for spreadsheets.
    Csv,
    /// The same for programs.
    Json,
}

/// How a month is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Summary {
    /// A line for each commune, the worst first.
    Text,
    /// Each commune's table, one below the other, for spreadsheets.
    Csv,
    /// Everything.
    Json,
}

/// A camera as it stands. Of a household's neither name nor owner is told.
#[derive(Debug, Serialize)]
struct Row {
    commune: String,
    commune_name: String,
    camera: CameraId,
    name: String,
    kind: &'static str,
    state: &'static str,
    since: String,
    cause: &'static str,
    sites: String,
    hamlet: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    link: String,
    make: String,
    model: String,
    firmware: String,
}

/// Goes through all communes with what their journals remember of a span; how many could not be read, each of which was told of.
fn each(
    settings: &Settings,
    span: impl Fn(&Config, Timestamp) -> (Timestamp, Timestamp),
    mut take: impl FnMut(String, &Config, &History, Timestamp),
) -> usize {
    let (bar, mut missing) = (progress::bar(settings.communes.len(), "communes"), 0);
    for path in &settings.communes {
        let now = Clock::system().now();
        if let Ok(config) = loaded(path) {
            let id = config.journal.server.as_ref().map(|server| server.schema().to_owned());
            let id = id.unwrap_or_else(|| path.display().to_string());
            let (from, until) = span(&config, now);
            match journal::history(&config.journal, from, until) {
                Ok(history) => take(id, &config, &history, now),
                Err(error) => {
                    eprintln!("camhealth: {id}: {error}");
                    missing += 1;
                }
            }
        } else {
            missing += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    missing
}

/// A table in UTF-8 with the mark by which spreadsheets know it.
fn spreadsheet(fill: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> Result<(), csv::Error>) -> Result<String, String> {
    let mut table = csv::Writer::from_writer(Vec::from("\u{feff}".as_bytes()));
    fill(&mut table).map_err(|error| error.to_string())?;
    let bytes = table.into_inner().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What is told where not all could be read.
fn whole(missing: usize) -> Result<(), String> {
    match missing {
        0 => Ok(()),
        _ => Err(format!(
            "{missing} communes could not be read and are not in it: see above, and camhealth province check"
        )),
    }
}

/// Writes the inventory.
pub(super) fn inventory(settings: &Settings, format: Listing, out: Option<&Path>) -> Result<(), String> {
    let mut rows = Vec::new();
    let now_alone = |_: &Config, now| (now, now);
    let missing = each(settings, now_alone, |id, config, history, _| rows.extend(listed(&id, config, history)));
    let text = match format {
        Listing::Json => serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())? + "\n",
        Listing::Csv => spreadsheet(|table| rows.iter().try_for_each(|row| table.serialize(row)))?,
    };
    output(out, &text)?;
    whole(missing)
}

fn listed(id: &str, config: &Config, history: &History) -> Vec<Row> {
    let last: BTreeMap<&CameraId, &Transition> =
        history.transitions.iter().map(|transition| (&transition.camera, transition)).collect();
    let mut sites: BTreeMap<&CameraId, Vec<&SiteId>> = BTreeMap::new();
    for site in config.fleet.sites.values() {
        for watcher in site.watchers() {
            let of_camera = sites.entry(&watcher.camera).or_default();
            if !of_camera.contains(&&site.id) {
                of_camera.push(&site.id);
            }
        }
    }
    let row = |camera: &Arc<Camera>| {
        let own = sites.get(&camera.id).into_iter().flatten().filter_map(|site| config.fleet.sites.get(*site));
        let own: Vec<_> = own.collect();
        let place = own.iter().find_map(|site| site.location);
        let device = history.devices.get(&camera.id);
        let said = |say: fn(&DeviceFacts) -> &String| device.map(say).cloned().unwrap_or_default();
        let last = last.get(&camera.id);
        Row {
            commune: id.to_owned(),
            commune_name: config.fleet.commune.name.clone(),
            camera: camera.id.clone(),
            name: if camera.kind == Kind::Household { String::new() } else { camera.name.clone() },
            kind: camera.kind.as_str(),
            state: last.map_or("unknown", |last| last.to.as_str()),
            since: last.map_or_else(String::new, |last| last.since.to_string()),
            cause: last.and_then(|last| last.cause).map_or("", |cause| cause.as_str()),
            sites: own.iter().map(|site| site.name.as_str()).collect::<Vec<_>>().join("; "),
            hamlet: own.first().map_or_else(String::new, |site| site.hamlet.clone()),
            latitude: place.map(|place| place.latitude),
            longitude: place.map(|place| place.longitude),
            link: camera.link.as_ref().map_or_else(String::new, ToString::to_string),
            make: said(|facts| &facts.manufacturer),
            model: said(|facts| &facts.model),
            firmware: said(|facts| &facts.firmware),
        }
    };
    config.fleet.cameras.values().map(row).collect()
}

/// Writes a month of all communes.
pub(super) fn report(
    settings: &Settings,
    month: Option<Month>,
    format: Summary,
    out: Option<&PathBuf>,
) -> Result<(), String> {
    let month_of =
        |config: &Config, now| month.unwrap_or_else(|| Month::of(now, &config.fleet.commune.timezone).before());
    let mut reports: Vec<(String, Report)> = Vec::new();
    let span = |config: &Config, now| uptime::reach(&config.fleet, month_of(config, now), now);
    let missing = each(settings, span, |id, config, history, now| {
        let month = month_of(config, now);
        reports.push((id, uptime::of_month(&config.fleet, history, month, &config.uptime, now)));
    });
    // What is not known is no good figure.
    let share = |report: &Report| report.total.contractor.unwrap_or(-1.0);
    reports.sort_by(|(_, one), (_, other)| share(one).total_cmp(&share(other)));
    let text = match format {
        Summary::Text => summary(settings, &reports),
        Summary::Csv => tables(&reports)?,
        Summary::Json => {
            let all: BTreeMap<&str, &Report> = reports.iter().map(|(id, report)| (id.as_str(), report)).collect();
            serde_json::to_string_pretty(&all).map_err(|error| error.to_string())? + "\n"
        }
    };
    output(out.map(PathBuf::as_path), &text)?;
    whole(missing)
}

fn summary(settings: &Settings, reports: &[(String, Report)]) -> String {
    let language = settings.language;
    let heads = language.pick(
        ["XÃ", "MÃ", "SẴN SÀNG", "NHÀ THẦU", "ĐO ĐƯỢC", "ĐIỂM QUAN SÁT", "SỰ CỐ", "KẾT LUẬN"],
        ["COMMUNE", "ID", "SERVICE", "CONTRACTOR", "MEASURED", "SITES", "INCIDENTS", "VERDICT"],
    );
    let mut rows = vec![heads.map(str::to_owned)];
    for (id, report) in reports {
        let percent = |share| web::report::percent(share, language);
        rows.push([
            report.commune.clone(),
            id.clone(),
            percent(report.total.service),
            percent(report.total.contractor),
            percent(report.total.measured),
            percent(report.coverage.service),
            report.incidents.len().to_string(),
            report.total.verdict.map_or_else(String::new, |verdict| verdict.text(language).to_owned()),
        ]);
    }
    aligned(&rows) + "\n"
}

/// Each commune's table with its id before each line.
fn tables(reports: &[(String, Report)]) -> Result<String, String> {
    spreadsheet(|all| {
        for (number, (id, report)) in reports.iter().enumerate() {
            let table = web::report::csv(report)?;
            let table = table.trim_start_matches('\u{feff}');
            let mut lines = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
            for (at, line) in lines.records().enumerate() {
                let line = line?;
                let before = match (number, at) {
                    (0, 0) => ["commune", "commune_name"],
                    (_, 0) => continue,
                    _ => [id.as_str(), report.commune.as_str()],
                };
                all.write_record(before.into_iter().chain(line.iter()))?;
            }
        }
        Ok(())
    })
}
