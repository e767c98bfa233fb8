//! `camhealth backup`: a copy of the journal while the daemon runs; and `camhealth restore`, which puts one in its place.

use super::{FAILED, USAGE, config_path, fail, journal::size, journal_of, progress::bar as progress, users::table};
use crate::{
    clock::Clock,
    journal::{self, Inspection, Progress},
};
use indicatif::ProgressBar;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The daemon's configuration, for the journal's path.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// A file that does not exist yet, or a folder; beside the journal without it.
    #[arg(long, value_name = "FILE_OR_FOLDER")]
    to: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let settings = match journal_of(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let path = match file_of(&settings) {
        Ok(path) => path,
        Err(code) => return code,
    };
    let (clock, bar) = (Clock::system(), progress(0, "copying"));
    let began = clock.now();
    let made = journal::backup(&path, arguments.to.as_deref(), began, &mut |step| shown(&bar, &step));
    bar.finish_and_clear();
    match made {
        Ok(made) => {
            let took = clock.now().duration_since(began).as_secs_f64();
            println!("{}", lines(&made.path, &made.inspection, &[("took", format!("{took:.1} s"))]));
            warn(&made.inspection);
            ExitCode::SUCCESS
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// The journal's file. What lies on a server is backed up by that server's own means.
fn file_of(settings: &journal::Settings) -> Result<PathBuf, ExitCode> {
    match &settings.server {
        None => Ok(settings.path.clone().unwrap_or_default()),
        Some(server) => Err(fail(
            USAGE,
            &format!(
                "the journal lies at {}: back it up by pg_dump and the server's own log, as docs/postgresql.md has it; a copy as \
                 a file is made by camhealth journal copy --to FILE",
                server.told()
            ),
        )),
    }
}

/// `camhealth restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// What `camhealth backup` wrote, or a journal that was set aside.
    file: PathBuf,
    /// The daemon's configuration, for the journal's path.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// Take a backup in which single rows are damaged; they are left out.
    #[arg(long)]
    force: bool,
}

pub(super) fn restore(arguments: &Restore) -> ExitCode {
    let settings = match journal_of(&arguments.config) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let path = match file_of(&settings) {
        Ok(path) => path,
        Err(code) => return code,
    };
    let bar = progress(0, "copying");
    let now = Clock::system().now();
    let restored = journal::restore(&arguments.file, &path, arguments.force, now, &mut |step| shown(&bar, &step));
    bar.finish_and_clear();
    match restored {
        Ok(done) => {
            let aside = done.aside.map_or_else(|| "nothing".to_owned(), |aside| aside.display().to_string());
            println!("{}", lines(&done.path, &done.inspection, &[("set aside", aside)]));
            warn(&done.inspection);
            eprintln!("start camhealth run: it goes on from what the backup knew");
            ExitCode::SUCCESS
        }
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// Shows how far it is.
fn shown(bar: &ProgressBar, step: &Progress) {
    match step {
        Progress::Copied { pages, of } => {
            bar.set_length(*of);
            bar.set_position(*pages);
        }
        Progress::Checked(rows) => {
            bar.set_prefix("checking");
            bar.set_message(format!("{rows} rows"));
        }
        // Said before it is done: after a power cut it tells where to look.
        Progress::SettingAside(path) => {
            bar.suspend(|| eprintln!("the present journal is set aside: {}", path.display()));
        }
        Progress::SetAside | Progress::InPlace => {}
    }
}

fn lines(path: &Path, found: &Inspection, more: &[(&str, String)]) -> String {
    let first = [
        ("file", path.display().to_string()),
        ("size", size(found.bytes)),
        ("rows", found.rows().to_string()),
        ("format", found.format.to_string()),
    ];
    let rows = first.iter().chain(more).map(|(name, value)| [(*name).to_owned(), value.clone()]);
    table(&rows.collect::<Vec<_>>())
}

/// Says what is wrong with a copy that is good enough.
fn warn(found: &Inspection) {
    if found.damaged() > 0 {
        eprintln!(
            "{} of the rows are damaged, in the journal as in its copy; camhealth journal check names their tables",
            found.damaged()
        );
    } else if found.trail.is_some() {
        eprintln!("the chain of the audit trail is broken in the journal and in its copy: see camhealth journal check");
    }
}
