//! `camhealth dashboards`: writes the Grafana dashboards, in both languages.

use super::{FAILED, fail};
use crate::{dashboards, model::Language};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder; vi/ and en/ are made in it. Files of an earlier version are replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match write(&arguments.out) {
        Ok(count) => {
            println!("{count} dashboards written to {}", arguments.out.display());
            ExitCode::SUCCESS
        }
        Err(message) => fail(FAILED, &message),
    }
}

fn write(out: &Path) -> Result<usize, String> {
    let mut count = 0;
    for language in Language::ALL {
        let folder = out.join(language.as_str());
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for (name, board) in dashboards::boards(language) {
            let path = folder.join(name);
            // Grafana reads the folder while we write: it must never see half a file.
            let half = path.with_extension("json.new");
            let written = fs::write(&half, dashboards::text(&board)).and_then(|()| fs::rename(&half, &path));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
            count += 1;
        }
    }
    Ok(count)
}
