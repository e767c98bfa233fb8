//! `camhealth journal`: looks the journal over, and forgets what is old.

use super::{FAILED, USAGE, config_path, fail, journal_of, paint::Paint, progress::count, users};
use crate::{
    clock::Clock,
    config,
    journal::{self, Copied, Inspection, Keep, Pruned},
    rights::Break,
};
use jiff::Timestamp;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Look over the journal of a daemon that runs or does not, or a backup; exit code 3 if something is damaged.
    Check {
        /// A backup, or another journal than the configuration's.
        #[arg(conflicts_with = "config")]
        file: Option<PathBuf>,
        /// The daemon's configuration, for the journal's path.
        #[arg(long, value_name = "PATH", default_value = config_path())]
        config: PathBuf,
    },
    /// Forget what is older than the configuration keeps, while no daemon runs.
    Prune(Prune),
    /// Copy the journal from a file to the server that the configuration names, or from that to a file, while no daemon runs.
    Copy(Copy),
}

#[derive(Debug, clap::Args)]
struct Copy {
    /// The daemon's configuration: it names the journal that the other one is copied into, or from.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// A journal's file, which goes into the journal of the configuration; that must be empty.
    #[arg(long, value_name = "FILE", conflicts_with = "to", required_unless_present = "to")]
    from: Option<PathBuf>,
    /// A file that does not exist yet, into which the journal of the configuration goes.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Prune {
    /// The daemon's configuration, for the journal's path and for what is kept.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// Keep changes, incidents, messages, figures by the hour and the audit trail for so long, such as 430d.
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    history: Option<Duration>,
    /// Keep transcripts of looks for so long, such as 1d.
    #[arg(long, value_name = "LENGTH", value_parser = length)]
    transcripts: Option<Duration>,
    /// Write the file anew without the room that nothing uses; that takes as much room again for a while.
    #[arg(long)]
    vacuum: bool,
    /// Keep less history than reports need.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.what {
        What::Check { file: Some(file), .. } => check(&file.display().to_string(), |tell| journal::check(file, tell)),
        What::Check { file: None, config } => match journal_of(config) {
            Ok(settings) => check(&settings.told(), |tell| match &settings.server {
                Some(server) => journal::check_server(server, tell),
                None => journal::check(settings.path.as_deref().unwrap_or(Path::new("")), tell),
            }),
            Err(code) => code,
        },
        What::Prune(arguments) => prune(arguments),
        What::Copy(arguments) => copy(arguments),
    }
}

fn length(text: &str) -> Result<Duration, String> {
    config::parse_duration(text).ok_or_else(|| "write it like 30d, 12h or 90m".to_owned())
}

/// Looks over a journal by `look`, which hears how far it is.
fn check(journal: &str, look: impl FnOnce(&mut dyn FnMut(u64)) -> Result<Inspection, journal::Error>) -> ExitCode {
    let bar = count("checking");
    let found = look(&mut |rows| bar.set_position(rows));
    bar.finish_and_clear();
    match found {
        Ok(found) => {
            println!("{}", told(journal, &found, Clock::system().now(), Paint::stdout()));
            if found.is_sound() {
                return ExitCode::SUCCESS;
            }
            let remedy = "restart camhealth run, which goes on with what can be read, or restore a backup";
            fail(FAILED, &format!("{journal}: it is damaged: {remedy}"))
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// What was found, in lines, and the tables below them.
fn told(journal: &str, found: &Inspection, now: Timestamp, paint: Paint) -> String {
    let age = |at: Timestamp| {
        let days = now.duration_since(at).as_hours() / 24;
        format!("{} ({days} {} ago)", users::local_time(at), if days == 1 { "day" } else { "days" })
    };
    let time = |at: Option<Timestamp>| at.map_or_else(|| "none".to_owned(), age);
    let trail = match found.trail {
        None => paint.good("whole"),
        Some(Break::Changed(number)) => paint.bad(&format!("entry {number} was changed")),
        Some(Break::Gap(number)) => paint.bad(&format!("entries before {number} are missing")),
    };
    let structure = match &found.faults[..] {
        [] => vec![paint.good("sound")],
        faults => faults.iter().map(|fault| paint.bad(fault)).collect(),
    };
    let mut lines = vec![
        ["journal".to_owned(), journal.to_owned()],
        ["format".to_owned(), found.format.to_string()],
        ["size".to_owned(), format!("{}, of which nothing uses {}", size(found.bytes), size(found.unused))],
        ["first entry".to_owned(), time(found.first)],
        ["last entry".to_owned(), time(found.last)],
        ["audit trail".to_owned(), trail],
    ];
    if let Some(gone) = &found.forgotten {
        lines.push([String::new(), format!("entries up to {} ({}) were forgotten", gone.number, age(gone.at))]);
    }
    let mut label = "forgotten";
    for gone in &found.gone {
        let key = gone.keep.as_str();
        let told = match gone.until {
            _ if gone.from > now => {
                format!("{key}: more from {} on, since it became shorter", users::local_time(gone.from))
            }
            Some(until) => format!("{key}: before {}", age(until)),
            None => continue,
        };
        lines.push([std::mem::take(&mut label).to_owned(), told]);
    }
    let names = std::iter::once("structure").chain(std::iter::repeat(""));
    lines.extend(names.zip(structure).map(|(name, fault)| [name.to_owned(), fault]));
    let number = |name: &str| format!("{name:>10}");
    let mut rows = vec![["table".to_owned(), number("rows"), number("damaged")]];
    rows.extend(found.tables.iter().map(|count| {
        let damaged = count.damaged.map_or_else(|| "no sums".to_owned(), |damaged| damaged.to_string());
        [count.table.to_owned(), number(&count.rows.to_string()), number(&damaged)]
    }));
    format!("{}\n\n{}", users::table(&lines), users::table(&rows))
}

fn copy(arguments: &Copy) -> ExitCode {
    let configured = match journal_of(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let file = |path: &Path| journal::Settings { path: Some(path.to_owned()), ..journal::Settings::default() };
    let (from, to) = match (&arguments.from, &arguments.to) {
        (Some(from), _) => (file(from), configured),
        (None, to) => (configured, file(to.as_deref().unwrap_or(Path::new("")))),
    };
    let bar = count("copying");
    let copied = journal::copy(&from, &to, &mut |rows| bar.set_position(rows));
    bar.finish_and_clear();
    match copied {
        Ok(copied) => {
            println!("{}", what_was_copied(&copied));
            ExitCode::SUCCESS
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

fn what_was_copied(copied: &Copied) -> String {
    let ends = [["from".to_owned(), copied.from.clone()], ["to".to_owned(), copied.to.clone()]];
    let number = |name: &str| format!("{name:>10}");
    let mut rows = vec![["table".to_owned(), number("rows"), number("left out")]];
    rows.extend(
        copied
            .tables
            .iter()
            .map(|table| [table.name.to_owned(), number(&table.rows.to_string()), number(&table.left_out.to_string())]),
    );
    let left_out: u64 = copied.tables.iter().map(|table| table.left_out).sum();
    let told = match left_out {
        0 => "both were compared, and are the same row for row",
        _ => "both were compared, and are the same but for damaged rows, which were left out",
    };
    format!("{}\n\n{}\n\n{told}", users::table(&ends), users::table(&rows))
}

fn prune(arguments: &Prune) -> ExitCode {
    let mut settings = match journal_of(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    if let Some(length) = arguments.history {
        for keep in [Keep::History, Keep::Messages, Keep::Audit, Keep::Hours] {
            settings.keep.set(keep, length);
        }
    }
    if let Some(length) = arguments.transcripts {
        for keep in [Keep::Good, Keep::Failures] {
            settings.keep.set(keep, length);
        }
    }
    let least = Keep::History.least();
    if settings.keep.of(Keep::History) < least && !arguments.force {
        let days = least.as_secs() / (24 * 60 * 60);
        return fail(
            USAGE,
            &format!(
                "--history: reports list thirteen months, so keep {days}d or more; --force forgets what they need"
            ),
        );
    }
    let bar = count("forgetting");
    let done = journal::prune(&settings, arguments.vacuum, Clock::system().now(), &mut || bar.inc(1));
    bar.finish_and_clear();
    match done {
        Ok(done) => {
            println!("{}", forgotten(&done));
            ExitCode::SUCCESS
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

fn forgotten(done: &Pruned) -> String {
    let line = |name: &str, value: String| [name.to_owned(), value];
    let mut lines = vec![line("journal", done.journal.clone())];
    match &done.rows[..] {
        [] => lines.push(line("forgotten", "nothing".to_owned())),
        rows => lines.extend(rows.iter().map(|(table, rows)| line(table, format!("{rows} rows forgotten")))),
    }
    lines.push(line("size", format!("{}, was {}", size(done.after), size(done.before))));
    if done.unused > 0 {
        lines.push(line("unused", format!("{} of that; --vacuum gives it back", size(done.unused))));
    }
    users::table(&lines)
}

/// Bytes, for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes >= 1e9 => format!("{:.2} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.0} kB", bytes / 1e3),
    }
}
