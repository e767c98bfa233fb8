//! A copy of the journal, made while a daemon writes it, that is whole or is not there at all.
//!
//! SQLite copies pages from one moment of the journal, which a reader's transaction holds: what the daemon writes
//! meanwhile goes into its WAL, and waits for nothing. The copy grows under another name, is looked over, and gets its own
//! name only when all of it is on the disk.

use super::{Error, Inspection, inspect, open, place};
use jiff::Timestamp;
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Pages that are copied at once: a megabyte.
const PAGES: i32 = 256;
/// The rest after them, in which the disk is the daemon's.
const PAUSE: Duration = Duration::from_millis(5);
/// How often the disk is given what was copied. A gigabyte at the end, all at once, would hold up the daemon's own writes.
const SYNC_EVERY: u32 = 16;
/// How often a file that is busy is asked again.
const TRIES: u32 = 600;

/// How far a backup or a restore is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So many pages are copied.
    Copied {
        /// Those that are.
        pages: u64,
        /// All.
        of: u64,
    },
    /// The copy is looked over: so many rows so far.
    Checked(u64),
    /// What is in the place of the journal is about to be set aside under this name.
    SettingAside(PathBuf),
    /// It is, and nothing is changed yet.
    SetAside,
    /// The copy is the journal.
    InPlace,
}

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Where it lies.
    pub path: PathBuf,
    /// What it was found to be.
    pub inspection: Inspection,
}

/// Copies a journal, while a daemon writes it or not, to a file or into a folder, or else beside the journal.
///
/// Rows that are damaged in the journal are so in the copy, and are counted; a journal whose trees are damaged is not
/// copied.
pub fn backup(
    journal: &Path,
    to: Option<&Path>,
    now: Timestamp,
    tell: &mut dyn FnMut(Progress),
) -> Result<Made, Error> {
    let place = place::Place::new(journal)?;
    let journal = place.path();
    place::ordinary(journal)?;
    let (target, part) = target(journal, to, now)?;
    let from = open::any(journal).map_err(|error| error.of(journal))?;
    let fresh = begin(&part)?;
    let made = copy(&from, &part, &fresh, tell).and_then(|()| {
        drop(from);
        look_over(&part, tell)
    });
    let made = made.and_then(|inspection| match inspection.faults.first() {
        Some(fault) => Err(Error::Damaged(fault.clone())),
        None => publish(&part, &target).map(|()| inspection),
    });
    match made {
        Ok(inspection) => Ok(Made { path: target, inspection }),
        Err(error) => {
            // It takes room on a disk that may be full.
            let _ = place::remove(&part);
            Err(if error.is_damage() { error.of(journal) } else { error.of(&target) })
        }
    }
}

/// Where a copy goes, and the name that it has until it is whole.
fn target(journal: &Path, to: Option<&Path>, now: Timestamp) -> Result<(PathBuf, PathBuf), Error> {
    let unfit = |path: &Path, why: &str| Error::Unfit { path: path.to_owned(), why: why.to_owned() };
    let beside = |suffix: &str| place::beside(journal, suffix);
    let by_time = beside(&format!(".backup-{}", place::stamp(now)));
    let (target, part) = match to {
        Some(folder) if folder.is_dir() => {
            let name = |path: PathBuf| folder.join(path.file_name().unwrap_or_default());
            (name(by_time), name(beside(".backup.part")))
        }
        Some(file) if file.as_os_str().as_encoded_bytes().ends_with(b"/") || file.file_name().is_none() => {
            return Err(unfit(file, "there is no such folder: make it (mkdir), or name a file"));
        }
        Some(file) => (file.to_owned(), place::beside(file, ".part")),
        None => (by_time, beside(".backup.part")),
    };
    let folder = place::folder(&target);
    if !folder.is_dir() {
        return Err(unfit(folder, "there is no such folder: make it (mkdir), or name another"));
    }
    // Those names are SQLite's and the daemon's own.
    let real = fs::canonicalize(folder).map(|folder| folder.join(target.file_name().unwrap_or_default()));
    if real.is_ok_and(|real| ["-wal", "-shm", "-journal", ".lock", ".new"].iter().any(|own| real == beside(own))) {
        return Err(unfit(&target, "a file of this name belongs to the journal: choose another name"));
    }
    if fs::symlink_metadata(&target).is_ok() {
        return Err(unfit(&target, "it exists already, and is not overwritten: name a file that does not exist yet"));
    }
    Ok((target, part))
}

/// Makes the file that is to become a copy. One that an earlier backup left is removed; one that is being written is not.
fn begin(part: &Path) -> Result<File, Error> {
    let at_part = |error: io::Error| Error::File(error).of(part);
    let held = |file: &File| match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let why = "another backup is writing it: wait for that one, or name another file".to_owned();
            Err(Error::Unfit { path: part.to_owned(), why })
        }
        // Some file systems know no locks.
        _ => Ok(()),
    };
    if let Ok(left) = File::open(part) {
        held(&left)?;
        place::remove(part).map_err(at_part)?;
    }
    let file = place::private().create_new(true).open(part).map_err(at_part)?;
    held(&file)?;
    Ok(file)
}

/// Copies all pages of one moment into an empty file, which then is on the disk.
pub(super) fn copy(from: &Connection, path: &Path, file: &File, tell: &mut dyn FnMut(Progress)) -> Result<(), Error> {
    let mut to = open::blank(path)?;
    // A copy begins anew whenever somebody writes; within a transaction nothing is seen of that.
    let moment = from.unchecked_transaction()?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let backup = Backup::new(from, &mut to)?;
    let (mut steps, mut tries) = (0u32, 0u32);
    loop {
        let step = backup.step(PAGES)?;
        let progress = backup.progress();
        let of = u64::from(progress.pagecount.unsigned_abs());
        tell(Progress::Copied { pages: of.saturating_sub(u64::from(progress.remaining.unsigned_abs())), of });
        match step {
            StepResult::Done => break,
            StepResult::More => {
                steps += 1;
                if steps.is_multiple_of(SYNC_EVERY) {
                    file.sync_data()?;
                }
            }
            _ => {
                tries += 1;
                if tries > TRIES {
                    return Err(Error::Impaired("another program holds it and does not let go: end that one".into()));
                }
            }
        }
        std::thread::sleep(PAUSE);
    }
    drop(backup);
    drop(moment);
    // One file, without a WAL, that can be read where nothing can be written.
    to.pragma_update(None, "journal_mode", "delete")?;
    drop(to);
    Ok(file.sync_all()?)
}

/// Looks a copy over.
pub(super) fn look_over(copy: &Path, tell: &mut dyn FnMut(Progress)) -> Result<Inspection, Error> {
    inspect::inspect(&open::any(copy)?.into(), &mut |rows| tell(Progress::Checked(rows)))
}

/// Gives a copy its name, unless something has it by now.
fn publish(part: &Path, target: &Path) -> Result<(), Error> {
    match fs::hard_link(part, target) {
        Ok(()) => fs::remove_file(part)?,
        // Some file systems know no second name.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists || target.exists() => return Err(error.into()),
        Err(_) => fs::rename(part, target)?,
    }
    place::sync_folder(place::folder(target))
}
