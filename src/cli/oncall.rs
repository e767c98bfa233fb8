//! `camhealth oncall`: who is on call now and next, and a test message to somebody over each of their channels.

use super::{FAILED, USAGE, config_path, fail, loaded, paint::Paint};
use crate::{
    alert::{self, roster},
    clock::Clock,
    config::Config,
    deliver,
    model::{IncidentId, Local, Notice, PlainNotice},
};
use jiff::Timestamp;
use std::{path::PathBuf, process::ExitCode};
use unicode_width::UnicodeWidthStr;

/// Shifts that are shown of each rotation.
const SHIFTS: usize = 7;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// Send this person a test message over each of their channels.
    #[arg(long, value_name = "PERSON")]
    test: Option<String>,
    /// Show the roster as it is at this time, such as 2027-02-06T08:00:00+07:00.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let config = match loaded(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let now = arguments.at.unwrap_or_else(|| Clock::system().now());
    match &arguments.test {
        Some(person) => test(&config, person, now).await,
        None => {
            print!("{}", roster_table(&config, now, Paint::stdout()));
            ExitCode::SUCCESS
        }
    }
}

fn roster_table(config: &Config, now: Timestamp, paint: Paint) -> String {
    let zone = &config.fleet.commune.timezone;
    let settings = &config.alert;
    let local = Local::new(zone, now);
    let name = |shift: &roster::Shift| {
        settings.people.get(&shift.person).map_or_else(|| shift.person.to_string(), |person| person.name.clone())
    };
    let mut text = String::new();
    for rotation in &settings.rotations {
        text += &format!("{}\n", paint.bold(&rotation.id));
        let shifts = roster::shifts(settings, rotation, now, zone, SHIFTS);
        let widest = shifts.iter().map(|shift| name(shift).width()).max().unwrap_or(0);
        for (number, shift) in shifts.iter().enumerate() {
            let name = name(shift);
            let padded = format!("{name}{}", " ".repeat(widest - name.width()));
            let (mark, padded) = if number == 0 { ("▶", paint.good(&padded)) } else { (" ", padded) };
            let reason = stands_in(settings, shift);
            text +=
                &format!("{mark} {padded}  {} – {}{reason}\n", local.in_week(shift.from), local.in_week(shift.until));
        }
    }
    if settings.rotations.is_empty() {
        text += "there is no rotation: add [rotation] with people, start, handover and days\n";
    }
    text
}

fn stands_in(settings: &alert::Settings, shift: &roster::Shift) -> String {
    let reason = settings.overrides.iter().rfind(|other| {
        shift.stands_in
            && other.person.as_ref() == Some(&shift.person)
            && other.from <= shift.from
            && shift.from < other.until
    });
    reason.map_or_else(String::new, |other| format!("  ({})", other.reason))
}

async fn test(config: &Config, person: &str, now: Timestamp) -> ExitCode {
    let paint = Paint::stdout();
    let Some(known) = config.alert.people.get(person) else {
        let people: Vec<&str> = config.alert.people.keys().map(|id| id.as_str()).collect();
        return fail(USAGE, &format!("there is no person {person:?}; known: {}", people.join(", ")));
    };
    let means = match deliver::Means::new(crate::probe::known_by) {
        Ok(means) => means,
        Err(error) => return fail(FAILED, &format!("no HTTP client: {error}")),
    };
    let id = IncidentId::stored(format!("test-{}", now.as_millisecond()));
    let notice = Notice::Test(PlainNotice { id, place: config.fleet.commune.name.clone(), at: now });
    let key = format!("{}-{person}", notice.key());
    let mut failed = false;
    for id in known.channels.iter().chain(&known.calls) {
        let Some(channel) = config.deliver.channels.get(id) else { continue };
        let dispatch = deliver::Dispatch {
            notice: &notice,
            key: &key,
            at: now,
            zone: &config.fleet.commune.timezone,
            page: config.deliver.page.as_ref(),
            ack: None,
            first: None,
            places: &config.deliver.places,
            matter: None,
        };
        match deliver::tell(channel, &means, dispatch).await {
            None => {}
            Some(Ok(_)) => println!("{} {id} ({}) took it", paint.good("✓"), channel.target.as_str()),
            Some(Err(refusal)) => {
                failed = true;
                println!("{} {id} ({}): {refusal}", paint.bad("✗"), channel.target.as_str());
            }
        }
    }
    if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}
