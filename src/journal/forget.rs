//! A camera is forgotten: every row of it goes, words that name it are struck out of what stays, the file is written anew,
//! and its bytes are searched for what was to go.
//!
//! The audit trail stays as it is, since each entry holds the hash of the one before it; it goes in its own time. Other
//! files beside the journal, backups above all, are searched and left alone: their owner is told. What a server keeps of what it
//! wrote (its log, backups of it) is its administrator's, and not searched.

use super::{
    Error, Settings, held, open,
    place::{self, Place},
    restore, rows,
    sql::{Connection, Value, values},
    table::{self, Table},
};
use crate::model::CameraId;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What stands where a word was.
const STRUCK: &str = "–";
/// A file is searched in portions of so many bytes.
const PORTION: usize = 1024 * 1024;

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The journal, for people.
    pub journal: String,
    /// Rows that are gone, of each table of which any are.
    pub gone: Vec<(&'static str, u64)>,
    /// Rows in which words were struck out.
    pub struck: Vec<(&'static str, u64)>,
    /// Entries of the audit trail that name it, and stay.
    pub audited: u64,
    /// Whether the journal's bytes, or a server's rows, hold any of the words still, other than in the audit trail.
    pub left: bool,
    /// Files beside the journal that hold any of the words.
    pub elsewhere: Vec<PathBuf>,
}

/// Forgets a camera, while no daemon runs. `words` name it to people and on the network: its name, its owner, its host. The
/// search looks for them, and for `id` where that names nothing else.
pub fn forget(settings: &Settings, camera: &CameraId, words: &[String], id: bool) -> Result<Forgotten, Error> {
    let words = words.iter().filter(|word| !word.trim().is_empty());
    let words: Vec<String> = words.flat_map(|word| [word.clone(), in_json(word)]).collect();
    let sought: Vec<String> = words.iter().cloned().chain(id.then(|| camera.to_string())).collect();
    if let Some(server) = &settings.server {
        let connection = held::alone(server)?;
        let (gone, struck) = strike(&connection, camera, &words)?;
        // What is deleted lies in a table's file until that is written anew.
        held::write_anew(&connection)?;
        let audited = audited(&connection, &sought)?;
        let left = audited == 0 && stands(&connection, &sought)?;
        return Ok(Forgotten { journal: settings.told(), gone, struck, audited, left, elsewhere: Vec::new() });
    }
    let place = Place::new(settings.path.as_deref().unwrap_or(Path::new("")))?;
    let path = place.path();
    place::ordinary(path)?;
    let _lock = restore::own(&place)?;
    // A file of an earlier format is not changed in passing.
    drop(open::read_only(path).map_err(|error| error.of(path))?);
    let done = open::whole(path, true).and_then(|file| {
        // What is deleted is overwritten, in what is written until the file is written anew as well.
        file.pragma_update(None, "secure_delete", true)?;
        let connection = Connection::from(file);
        let done = strike(&connection, camera, &words)?;
        if let Some(file) = connection.file() {
            file.execute_batch("PRAGMA auto_vacuum = incremental; VACUUM")?;
            file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(done)
    });
    let (gone, struck) = done.map_err(|error| error.of(path))?;
    let audited = audited(&open::read_only(path)?.into(), &sought).map_err(|error| error.of(path))?;
    let left = audited == 0 && holds(path, &sought)?;
    let mut elsewhere = Vec::new();
    for file in beside(path)? {
        if holds(&file, &sought)? {
            elsewhere.push(file);
        }
    }
    Ok(Forgotten { journal: path.display().to_string(), gone, struck, audited, left, elsewhere })
}

type Counted = Vec<(&'static str, u64)>;

fn strike(connection: &Connection, camera: &CameraId, words: &[String]) -> Result<(Counted, Counted), Error> {
    let transaction = connection.transaction()?;
    let (mut gone, mut struck) = (Vec::new(), Vec::new());
    for table in table::ALL {
        let mut rows = of_camera(&transaction, table, camera)?;
        if table.names_things() && !words.is_empty() {
            let (damaged, changed) = strike_words(&transaction, table, words)?;
            rows += damaged;
            struck.extend((changed > 0).then_some((table.name, changed)));
        }
        gone.extend((rows > 0).then_some((table.name, rows)));
    }
    transaction.commit()?;
    Ok((gone, struck))
}

/// Strikes words out of a table's rows. How many were damaged and went, and in how many words were struck out.
fn strike_words(connection: &Connection, table: &Table, words: &[String]) -> Result<(u64, u64), Error> {
    let mut damaged = Vec::new();
    let mut changed = Vec::new();
    let sql = format!("SELECT {}, {} FROM {}", table.columns.join(", "), table.sound(), table.name);
    connection.each(&sql, values![], |row| {
        let values = (0..table.columns.len()).map(|column| row.value(column).map(|value| value.owned()));
        let key = (0..table.key).map(|column| row.value(column).map(|value| value.owned()));
        let Ok(key) = key.collect::<Result<Vec<_>, _>>() else { return Ok(()) };
        match values.collect::<Result<Vec<_>, _>>() {
            // Damaged rows are believed by nobody, and must not get a sum that says otherwise.
            Err(_) => damaged.push(key),
            Ok(values) => {
                // What stands beside what names the row. Numbers stay numbers.
                let without = values.iter().enumerate().map(|(column, value)| match value {
                    Value::Text(text) if column > 0 => struck(text, words).map_or(value.clone(), Value::from),
                    _ => value.clone(),
                });
                let without: Vec<_> = without.collect();
                if without != values {
                    if rows::is_sound(row) { changed.push((key, without)) } else { damaged.push(key) }
                }
            }
        }
        Ok(())
    })?;
    let of_key = |from: usize| {
        let parts = table.columns[..table.key].iter().enumerate();
        parts.map(|(at, column)| format!("{column} = ?{}", from + at)).collect::<Vec<_>>().join(" AND ")
    };
    let delete = format!("DELETE FROM {} WHERE {}", table.name, of_key(1));
    for key in &damaged {
        connection.put(&delete, key)?;
    }
    let (update, width) = (table.update(), table.columns.len());
    let update = format!("{update} WHERE {}", of_key(width + 1));
    for (key, values) in &changed {
        connection.put(&update, &[&values[..], &key[..]].concat())?;
    }
    Ok((damaged.len() as u64, changed.len() as u64))
}

/// A text without the words, if it has any of them.
fn struck(text: &str, words: &[String]) -> Option<String> {
    let mut left = text.to_owned();
    for word in words {
        // From the end on, so that places before stay where they are.
        let found: Vec<usize> = places(left.as_bytes(), word.as_bytes()).collect();
        for at in found.into_iter().rev() {
            if left.is_char_boundary(at) && left.is_char_boundary(at + word.len()) {
                left.replace_range(at..at + word.len(), STRUCK);
            }
        }
    }
    (left != text).then_some(left)
}

/// Deletes the rows that are of a camera.
fn of_camera(connection: &Connection, table: &Table, camera: &CameraId) -> Result<u64, Error> {
    let column = match table.name {
        _ if table.columns.contains(&"camera") => "camera",
        "login" => "device",
        "maintenance" | "edit" => return of_camera_by_body(connection, table, camera),
        _ => return Ok(0),
    };
    connection.execute(&format!("DELETE FROM {} WHERE {column} = ?1", table.name), values![camera.as_str()])
}

/// The same where only what stands in a row says whose it is: windows, and what was edited.
fn of_camera_by_body(connection: &Connection, table: &Table, camera: &CameraId) -> Result<u64, Error> {
    let id = camera.as_str();
    let own = ["camera_name:", "notes:", "consent:"].map(|kind| format!("{kind}{id}"));
    let mut found = Vec::new();
    connection.each(&format!("SELECT {}, body FROM {}", table.columns[0], table.name), values![], |row| {
        let (Ok(key), Ok(body)) = (row.get::<String>(0), row.get::<String>(1)) else { return Ok(()) };
        // Of a body that is no JSON its sum tells already.
        let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let is = |path: &str| body.pointer(path).and_then(serde_json::Value::as_str) == Some(id);
        let is_of_camera = match table.name {
            "maintenance" => body.pointer("/scope/kind").is_some_and(|kind| kind == "camera") && is("/scope/id"),
            _ => own.contains(&key) || key.starts_with("maintenance:") && (is("/value/camera") || is("/over/camera")),
        };
        found.extend(is_of_camera.then_some(key));
        Ok(())
    })?;
    let delete = format!("DELETE FROM {} WHERE {} = ?1", table.name, table.columns[0]);
    for key in &found {
        connection.put(&delete, values![key])?;
    }
    Ok(found.len() as u64)
}

/// A word as it stands in JSON.
fn in_json(word: &str) -> String {
    let quoted = serde_json::Value::String(word.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
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
    let mut count = 0;
    connection.each("SELECT body FROM audit", values![], |row| {
        let body: String = row.get(0)?;
        count += u64::from(mentions(&body, words));
        Ok(())
    })?;
    Ok(count)
}

fn mentions(text: &str, words: &[String]) -> bool {
    words.iter().any(|word| places(text.as_bytes(), word.as_bytes()).next().is_some())
}

/// Whether a word stands in any row of a server's tables, other than in the audit trail.
fn stands(connection: &Connection, words: &[String]) -> Result<bool, Error> {
    let mut found = false;
    for table in table::ALL.iter().filter(|table| table.names_things()) {
        connection.each(&format!("SELECT {} FROM {}", table.columns.join(", "), table.name), values![], |row| {
            let texts = (0..table.columns.len()).filter_map(|column| row.get::<String>(column).ok());
            found |= texts.into_iter().any(|text| mentions(&text, words));
            Ok(())
        })?;
    }
    Ok(found)
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
