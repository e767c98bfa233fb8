//! `camhealth import`: a contractor's spreadsheet as camera entries.

use super::{FAILED, USAGE, fail, output, paint::Paint};
use crate::inventory::{self, RowProblem, Sheet};
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The spreadsheet: a workbook (XLSX), or CSV (UTF-8 or Windows-1258; commas, semicolons or tabs).
    #[arg(value_name = "FILE")]
    sheet: PathBuf,
    /// File for the entries, which must not exist yet; without it they are printed.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write the good rows although others are bad.
    #[arg(long)]
    skip_bad: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let name = arguments.sheet.display();
    let bytes = match std::fs::read(&arguments.sheet) {
        Ok(bytes) => bytes,
        Err(error) => return fail(USAGE, &format!("{name} cannot be read: {error}")),
    };
    let sheet = match inventory::read(&bytes) {
        Ok(sheet) => sheet,
        Err(problem) => return fail(USAGE, &format!("{name}: {problem}")),
    };
    eprint!("{}", report(&name.to_string(), &sheet, Paint::stderr()));
    if !sheet.problems.is_empty() && !arguments.skip_bad {
        return fail(USAGE, "nothing is written; mend the rows, or leave them out with --skip-bad");
    }
    if let Err(error) = output(arguments.write.as_deref(), &inventory::write(&sheet.cameras)) {
        return fail(FAILED, &error);
    }
    if sheet.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// What was read, and what is wrong with which rows.
pub(super) fn report(name: &str, sheet: &Sheet, paint: Paint) -> String {
    let mut text = String::new();
    for RowProblem { line, column, message, remedy } in &sheet.problems {
        text += &format!("{} {name}:{line}: {}: {message}\n", paint.bad("×"), paint.bold(column));
        text += &format!("  {} {remedy}\n", paint.dim("help:"));
    }
    for heading in &sheet.ignored {
        text += &format!("{} ignored: {heading}\n", paint.fair("!"));
    }
    let bad: std::collections::BTreeSet<usize> = sheet.problems.iter().map(|problem| problem.line).collect();
    let (good, bad) = (sheet.cameras.len(), bad.len());
    text + &format!("{} {good} cameras, {bad} bad rows ({})\n", paint.good("✓"), sheet.encoding)
}
