//! A backup takes the journal's place, and what was there is set aside and never deleted.
//!
//! In this order, so that after a power cut at any moment the journal of before or the backup lies in its place whole:
//!
//! 1. The file is opened: what is no journal, or of a newer format, is refused before anything is touched.
//! 2. The lock is taken, so that no daemon runs.
//! 3. The file is copied to `<journal>.new`, and the copy is looked over and on the disk.
//! 4. What lies in the WAL of the present journal goes into its file, so that it is one file. That of a damaged one cannot:
//!    its WAL is set aside with it, and between that and the next step a damaged file lies in the journal's place.
//! 5. The present journal gets its second name, and the folder is on the disk. Where a file system knows no second names it
//!    is moved, and for a moment no journal lies there: the name under which it lies is told before.
//! 6. The copy is moved over the journal's name, and the folder is on the disk.
//!
//! What is left of a restore that was cut off is `<journal>.new`, which the next one removes.

use super::{
    Error, Inspection, Progress, backup, open,
    place::{self, Place},
};
use jiff::Timestamp;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a daemon that is just ending is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The journal.
    pub path: PathBuf,
    /// Where the one of before lies, if there was one.
    pub aside: Option<PathBuf>,
    /// What the new one was found to be.
    pub inspection: Inspection,
}

/// Puts a backup in the journal's place. With `force`, one of which single rows are damaged too: those are left out by
/// whoever reads them.
pub fn restore(
    file: &Path,
    journal: &Path,
    force: bool,
    now: Timestamp,
    tell: &mut dyn FnMut(Progress),
) -> Result<Replaced, Error> {
    let unfit = |why: String| Error::Unfit { path: file.to_owned(), why };
    let of_file = |error: Error| match error {
        Error::Newer { found, known } => unfit(format!(
            "it has format {found}, this program knows up to {known}: restore it with the camhealth that wrote it, or a \
             newer one"
        )),
        error if error.is_damage() => {
            let why = match &error {
                Error::Damaged(why) => why.clone(),
                other => {
                    other.to_string().trim_start_matches("the journal: ").chars().take_while(|c| *c != ':').collect()
                }
            };
            unfit(format!("it is no journal, or a damaged one ({why}): name another file that camhealth backup wrote"))
        }
        other => other.of(file),
    };
    let place = Place::new(journal)?;
    place::ordinary(file)?;
    let real = fs::canonicalize(file).map_err(|error| of_file(Error::File(error)))?;
    if real == place.path() {
        return Err(unfit("it is the journal itself: name a file that camhealth backup wrote".into()));
    }
    let from = open::any(&real).map_err(of_file)?;
    let at_journal = |error: Error| error.of(place.path());
    let _lock = own(&place).map_err(at_journal)?;
    let fresh = place.beside(".new");
    place::remove(&fresh).map_err(|error| Error::File(error).of(&fresh))?;
    let inspection = made(&place, &from, &fresh, tell).and_then(|inspection| match inspection.faults.first() {
        Some(fault) => Err(Error::Damaged(fault.clone())),
        None if inspection.damaged() > 0 && !force => Err(unfit(format!(
            "{} of its rows are damaged: name another backup, or take it without them by --force",
            inspection.damaged()
        ))),
        None => Ok(inspection),
    });
    drop(from);
    let inspection = inspection.inspect_err(|_| {
        // It takes room, and is nobody's.
        let _ = place::remove(&fresh);
    });
    let inspection = inspection.map_err(|error| if error.is_damage() { of_file(error) } else { error.of(&fresh) })?;
    fold(&place).map_err(at_journal)?;
    let aside = place.is_taken().then(|| place.aside("replaced", now));
    if let Some(aside) = &aside {
        tell(Progress::SettingAside(aside.clone()));
        place.set_aside(aside).map_err(at_journal)?;
        tell(Progress::SetAside);
    }
    place.put(&fresh).map_err(at_journal)?;
    tell(Progress::InPlace);
    Ok(Replaced { path: place.path().to_owned(), aside, inspection })
}

/// Takes the journal for this process.
pub(super) fn own(place: &Place) -> Result<fs::File, Error> {
    place.make_folder()?;
    let lock = place.lock(PATIENCE)?;
    place.hand_over(&place.beside(".lock"))?;
    Ok(lock)
}

fn made(
    place: &Place,
    from: &rusqlite::Connection,
    fresh: &Path,
    tell: &mut dyn FnMut(Progress),
) -> Result<Inspection, Error> {
    let file = place::private().create_new(true).open(fresh)?;
    place.hand_over(fresh)?;
    backup::copy(from, fresh, &file, tell)?;
    backup::look_over(fresh, tell)
}

/// Brings what lies in the journal's WAL into its file, if it is not damaged.
fn fold(place: &Place) -> Result<(), Error> {
    if !place.path().exists() || !open::has_wal(place.path()) {
        return Ok(());
    }
    let folded = open::to_fold(place.path()).and_then(|connection| {
        let busy = "PRAGMA wal_checkpoint(TRUNCATE)";
        Ok(connection.query_row(busy, [], |row| row.get::<_, bool>(0))?)
    });
    match folded {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Impaired("another program reads it: end that one, and try again".into())),
        Err(error) if error.is_damage() => Ok(()),
        Err(error) => Err(error),
    }
}
