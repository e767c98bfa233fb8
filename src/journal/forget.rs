//! A camera is forgotten: every row of it goes, words that name it are struck out of what stays, the file is written anew,
//! and its bytes are searched for what was to go.
//!
//! The audit trail stays as it is, since each entry holds the hash of the one before it; it goes in its own time. Other
//! files beside the journal, backups above all, are searched and left alone: their owner is told.

use super::{
    Error, Settings, open,
    place::{self, Place},
    restore,
    table::{self, Table},
};
use crate::model::CameraId;
use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What stands where a word was.
const STRUCK: &str = "–";
/// A file is searched in portions of so many bytes.
const PORTION: usize = 1024 * 1024;

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The journal.
    pub path: PathBuf,
    /// Rows that are gone, of each table of which any are.
    pub gone: Vec<(&'static str, u64)>,
    /// Rows in which words were struck out.
    pub struck: Vec<(&'static str, u64)>,
    /// Entries of the audit trail that name it, and stay.
    pub audited: u64,
    /// Whether the journal's bytes hold any of the words still, other than in the audit trail.
    pub left: bool,
    /// Files beside the journal that hold any of the words.
    pub elsewhere: Vec<PathBuf>,
}

/// Forgets a camera, while no daemon runs. `words` name it to people and on the network: its name, its owner, its host. The
/// search looks for them, and for `id` where that names nothing else.
pub fn forget(settings: &Settings, camera: &CameraId, words: &[String], id: bool) -> Result<Forgotten, Error> {
    let place = Place::new(settings.path.as_deref().unwrap_or(Path::new("")))?;
    let path = place.path();
    place::ordinary(path)?;
    let _lock = restore::own(&place)?;
    // A file of an earlier format is not changed in passing.
    drop(open::read_only(path).map_err(|error| error.of(path))?);
    let words = words.iter().filter(|word| !word.trim().is_empty());
    let words: Arc<[String]> = words.flat_map(|word| [word.clone(), in_json(word)]).collect();
    let done = open::whole(path, true).and_then(|connection| strike(connection, camera, &words));
    let (gone, struck) = done.map_err(|error| error.of(path))?;
    let sought: Vec<String> = words.iter().cloned().chain(id.then(|| camera.to_string())).collect();
    let audited = audited(&open::read_only(path)?, &sought).map_err(|error| error.of(path))?;
    let left = audited == 0 && holds(path, &sought)?;
    let mut elsewhere = Vec::new();
    for file in beside(path)? {
        if holds(&file, &sought)? {
            elsewhere.push(file);
        }
    }
    Ok(Forgotten { path: path.to_owned(), gone, struck, audited, left, elsewhere })
}

type Counted = Vec<(&'static str, u64)>;

fn strike(mut connection: Connection, camera: &CameraId, words: &Arc<[String]>) -> Result<(Counted, Counted), Error> {
    register(&connection, words)?;
    // What is deleted is overwritten, in what is written until the file is written anew as well.
    connection.pragma_update(None, "secure_delete", true)?;
    let transaction = connection.transaction()?;
    let (mut gone, mut struck) = (Vec::new(), Vec::new());
    for table in table::ALL {
        let mut rows = of_camera(&transaction, table, camera)?;
        if table.names_things() && !words.is_empty() {
            // Damaged rows are believed by nobody, and must not get a sum that says otherwise.
            rows += transaction.execute(
                &format!("DELETE FROM {} WHERE NOT {} AND ({})", table.name, table.is_sound(), table.mentions()),
                [],
            )? as u64;
            let changed = transaction.execute(&table.strike(), [])? as u64;
            struck.extend((changed > 0).then_some((table.name, changed)));
        }
        gone.extend((rows > 0).then_some((table.name, rows)));
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA auto_vacuum = incremental; VACUUM")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok((gone, struck))
}

/// Deletes the rows that are of a camera.
fn of_camera(connection: &Connection, table: &Table, camera: &CameraId) -> Result<u64, Error> {
    let condition = match table.name {
        _ if table.columns.contains(&"camera") => "camera = ?1",
        "login" => "device = ?1",
        // Of a body that is no JSON its sum tells already.
        "maintenance" => {
            "json_valid(body) AND json_extract(body, '$.scope.kind') = 'camera' AND json_extract(body, '$.scope.id') = ?1"
        }
        "edit" => {
            "item IN ('camera_name:' || ?1, 'notes:' || ?1, 'consent:' || ?1) OR item LIKE 'maintenance:%' AND json_valid(body) \
             AND ?1 IN (json_extract(body, '$.value.camera'), json_extract(body, '$.over.camera'))"
        }
        _ => return Ok(0),
    };
    Ok(connection.execute(&format!("DELETE FROM {} WHERE {condition}", table.name), [camera.as_str()])? as u64)
}

/// A word as it stands in JSON.
fn in_json(word: &str) -> String {
    let quoted = serde_json::Value::String(word.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Gives a connection the SQL functions `mentions` and `struck`.
fn register(connection: &Connection, words: &Arc<[String]>) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let (known, all) = (words.clone(), words.clone());
    connection.create_scalar_function("mentions", 1, flags, move |context| {
        let ValueRef::Text(text) = context.get_raw(0) else { return Ok(false) };
        Ok(known.iter().any(|word| places(text, word.as_bytes()).next().is_some()))
    })?;
    connection.create_scalar_function("struck", 1, flags, move |context| {
        let Some(text) = context.get_raw(0).as_str_or_null()? else { return Ok(None) };
        let mut text = text.to_owned();
        for word in all.iter() {
            // From the end on, so that places before stay where they are.
            let found: Vec<usize> = places(text.as_bytes(), word.as_bytes()).collect();
            for at in found.into_iter().rev() {
                if text.is_char_boundary(at) && text.is_char_boundary(at + word.len()) {
                    text.replace_range(at..at + word.len(), STRUCK);
                }
            }
        }
        Ok(Some(text))
    })
}

/// Where a word stands by itself: `10.30.4.2` is no part of `10.30.4.21`, and `ho-1` none of `ho-12`.
fn places<'t>(text: &'t [u8], word: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    // Letters beyond ASCII are parts of words, whichever they are.
    let goes_on = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let joined = move |at: usize| {
        let (before, after) = (at.checked_sub(1).and_then(|at| text.get(at)), text.get(at + word.len()));
        // A name that ends in a dash goes on where an id would.
        let next = text.get(at + word.len() + 1);
        let tied = matches!(after, Some(b'-' | b'_' | b'.')) && next.is_some_and(u8::is_ascii_alphanumeric);
        goes_on(before) || matches!(before, Some(b'-' | b'_')) || goes_on(after) || tied
    };
    let starts = 0..(text.len() + 1).saturating_sub(word.len().max(1));
    starts.filter(move |at| text[*at..].starts_with(word) && !joined(*at))
}

fn audited(connection: &Connection, words: &[String]) -> Result<u64, Error> {
    let mut statement = connection.prepare("SELECT body FROM audit")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let body: String = row.get(0)?;
        count += u64::from(words.iter().any(|word| places(body.as_bytes(), word.as_bytes()).next().is_some()));
    }
    Ok(count)
}

/// Whether the bytes of a file hold a word, wherever they do.
fn holds(path: &Path, words: &[String]) -> Result<bool, Error> {
    use io::Read;
    let mut file = fs::File::open(path)?;
    // A word, and what stands around it.
    let longest = words.iter().map(String::len).max().unwrap_or(0) + 3;
    let (mut window, mut portion) = (Vec::new(), vec![0; PORTION]);
    loop {
        let read = file.read(&mut portion)?;
        window.extend_from_slice(&portion[..read]);
        // What stands at the end is seen whole with the next portion.
        let end = if read == 0 { window.len() } else { window.len().saturating_sub(longest) };
        if words.iter().any(|word| places(&window, word.as_bytes()).any(|at| at < end)) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        window.drain(..end.saturating_sub(1));
    }
}

/// Files whose names begin as the journal's does: backups, and what was set aside.
fn beside(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_one = entry.file_name().to_string_lossy().starts_with(&name) && entry.file_type()?.is_file();
        files.extend((is_one && entry.path() != path).then(|| entry.path()));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
#[path = "forget_tests.rs"]
mod tests;
