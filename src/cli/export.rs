//! `camhealth export`: the files with what was edited on pages written into them.

use super::{FAILED, config_path, fail, loaded};
use crate::config;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// The folder to write the files into, which none of them may be in yet; without it they are printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let config = match loaded(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let files = match config::export(&config) {
        Ok(files) => files,
        Err(why) => return fail(FAILED, &why),
    };
    for (item, _) in config.sheet.idle() {
        eprintln!("left out, since it does not hold: {item}");
    }
    match &arguments.out {
        None => files.iter().for_each(|(name, text)| println!("# ---- {name} ----\n{text}")),
        Some(folder) => {
            if let Err(error) = written(folder, &files) {
                return fail(FAILED, &error);
            }
            eprintln!("{} files are written to {}", files.len(), folder.display());
        }
    }
    ExitCode::SUCCESS
}

/// Writes files that nobody else reads: they hold addresses of people.
fn written(folder: &Path, files: &[(String, String)]) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        let created = fs::File::options().write(true).create_new(true).mode(0o600).open(&path);
        let done = created.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        done.map_err(|error| failed(&path, error))?;
    }
    Ok(())
}
