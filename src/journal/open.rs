//! How a journal's file is opened: looked over for damage before it is written to, or only read.

use super::{Error, place, schema, table};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    time::{Duration, Instant},
};

/// How long a start may look for damage: a big file is then gone on with, and what is found later is mended then.
const LOOKING: Duration = Duration::from_secs(5);
/// How long another program's lock, such as a backup's, is waited for. Several such waits must fit into the time after
/// which the daemon's health says that nothing gets on.
const BUSY: Duration = Duration::from_secs(1);
/// What a connection keeps of pages that it has read, in KiB; SQLite itself would keep 2 MB.
const CACHE_KIB: i64 = 512;
/// Steps of SQLite's machine between two looks at the time.
const STEPS: i32 = 10_000;

/// An empty journal in memory.
pub(super) fn memory() -> Result<Connection, Error> {
    let mut connection = Connection::open_in_memory()?;
    table::register(&connection)?;
    schema::prepare(&mut connection)?;
    Ok(connection)
}

/// Opens the file to read and write it. With `look`, it is looked over first.
pub(super) fn whole(path: &Path, look: bool) -> Result<Connection, Error> {
    header(path)?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // What may be damaged must not be changed by a mere look: it is set aside as it is.
    leave_as_it_is(&connection, true)?;
    match schema::check(&connection) {
        // One wrong letter in the header makes a format of any number; ours go up one by one.
        Err(Error::Newer { found, .. }) if found > schema::LATEST + 100 => {
            return Err(Error::Damaged(format!("there is no format {found}")));
        }
        other => other?,
    };
    if look {
        look_over(&mut connection)?;
    }
    schema::prepare(&mut connection).and_then(|()| schema::compare(&connection, schema::LATEST)).map_err(|error| {
        match error {
            // It claims a format whose tables it does not have.
            error if !error.is_disks() && !matches!(error, Error::Damaged(_)) => Error::Damaged(error.to_string()),
            error => error,
        }
    })?;
    leave_as_it_is(&connection, false)?;
    Ok(connection)
}

/// Makes an empty journal that is nobody's yet, in the place of one that was cut off: all lies in the file itself, which is moved
/// when it is whole.
pub(super) fn fresh(path: &Path) -> Result<Connection, Error> {
    place::remove(path)?;
    place::private().create_new(true).open(path)?;
    let connection = whole(path, false)?;
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    Ok(connection)
}

/// Opens a file that nobody here may write to.
pub(super) fn read_only(path: &Path) -> Result<Connection, Error> {
    reading(path, |connection| match schema::check(connection)? {
        found if found < schema::LATEST => Err(Error::Older { found, known: schema::LATEST }),
        _ => Ok(()),
    })
}

/// Opens a journal of this or of an earlier format to read it as it is: to copy it, or to look it over.
pub(super) fn any(path: &Path) -> Result<Connection, Error> {
    // A daemon looks at it at its start, even where a WAL makes up for it.
    header(path)?;
    reading(path, |connection| match schema::check(connection)? {
        found if found < 1 => Err(Error::Damaged("it is a database and no journal".to_owned())),
        found => schema::compare(connection, found),
    })
}

/// Opens a file to bring what lies in its WAL into it, whatever its format.
pub(super) fn to_fold(path: &Path) -> Result<Connection, Error> {
    header(path)?;
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens an empty file that is to become a copy, and that nobody knows before it is whole.
pub(super) fn blank(path: &Path) -> Result<Connection, Error> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    Ok(connection)
}

fn reading(path: &Path, fit: impl Fn(&Connection) -> Result<(), Error>) -> Result<Connection, Error> {
    let open = |connection: Connection| fit(&connection).map(|()| connection);
    match connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(open) {
        // In a folder that cannot be written SQLite reads only what it is told nobody changes; without a WAL that is
        // all there is.
        Err(Error::Sqlite(_)) if !has_wal(path) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            connect(&immutable(path), flags).and_then(open)
        }
        other => other,
    }
}

/// Opens a file of an earlier format to read what can be read of it.
pub(super) fn earlier(path: &Path) -> Result<Connection, Error> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match schema::check(&connection)? {
        found if (1..schema::LATEST).contains(&found) => Ok(connection),
        found => Err(Error::Damaged(format!("format {found} is no earlier one"))),
    }
}

/// Whether something was committed that does not lie in the file itself yet.
pub(super) fn has_wal(path: &Path) -> bool {
    fs::metadata(place::beside(path, "-wal")).is_ok_and(|known| known.len() > 0)
}

/// Whether closing leaves the files as they are, rather than tidying up.
pub(super) fn leave_as_it_is(connection: &Connection, leave: bool) -> Result<(), Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave)?;
    Ok(())
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    // Pages that were read are with the kernel too; those of a transaction stay here until it ends, however many they are.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "cache_spill", false)?;
    table::register(&connection)?;
    Ok(connection)
}

fn immutable(path: &Path) -> std::path::PathBuf {
    use std::{fmt::Write, os::unix::ffi::OsStrExt};
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => uri.push(char::from(*byte)),
            other => write!(uri, "%{other:02X}").unwrap_or_default(),
        }
    }
    uri.push_str("?immutable=1");
    uri.into()
}

/// The fields of a header that SQLite takes at their word, and in which our files do not differ.
fn header(path: &Path) -> Result<(), Error> {
    let damaged = |what: &str| Err(Error::Damaged(format!("its header names {what}")));
    let mut bytes = Vec::new();
    File::open(path)?.take(100).read_to_end(&mut bytes)?;
    if bytes.is_empty() && !has_wal(path) {
        return Ok(());
    }
    let Ok(bytes) = <[u8; 100]>::try_from(bytes) else { return damaged("nothing: the file is cut off") };
    let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    match () {
        () if !bytes.starts_with(b"SQLite format 3\0") => damaged("no database"),
        () if bytes[18..20].iter().any(|version| !matches!(version, 1 | 2)) => damaged("no known way of writing"),
        () if bytes[20..24] != [0, 64, 32, 32] => damaged("other sizes than a database has"),
        () if word(44) > 4 || word(48) != 0 => damaged("no known layout"),
        () if word(56) > 1 => damaged("another alphabet"),
        () if (word(52) == 0) != (word(64) == 0) => damaged("pages that are not there"),
        () if bytes[72..92].iter().any(|byte| *byte != 0) => damaged("what must be empty"),
        () => Ok(()),
    }
}

/// Looks for damage, the small tables and their indexes first. Rows that are not as they should be are no matter of
/// the file: they are left out where they are read.
fn look_over(connection: &mut Connection) -> Result<(), Error> {
    let began = Instant::now();
    connection.progress_handler(STEPS, Some(move || began.elapsed() > LOOKING))?;
    let looked = look_through(connection);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    match looked {
        Err(Error::Sqlite(error)) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
            tracing::info!("the journal is too big to be looked over whole in {} s", LOOKING.as_secs());
            Ok(())
        }
        other => other,
    }
}

/// Whether what SQLite found wrong is the matter of one row only.
pub(super) fn is_of_a_row(told: &str) -> bool {
    ["NULL value in", "CHECK constraint failed", "value in"].iter().any(|what| told.contains(what))
}

/// What SQLite found wrong, short enough for a line of people's.
pub(super) fn first_line(told: &str) -> String {
    told.lines().next().unwrap_or_default().chars().take(200).collect()
}

fn look_through(connection: &Connection) -> Result<(), Error> {
    let known = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let known: Vec<String> =
        connection.prepare(known)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let small = table::ALL.iter().filter(|table| !table.is_bulk()).map(|table| table.name);
    let small = small.filter(|name| known.iter().any(|known| known == name));
    for check in small.map(|name| format!("PRAGMA integrity_check({name})")).chain(["PRAGMA quick_check".to_owned()]) {
        let mut statement = connection.prepare(&check)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let told: String = row.get(0)?;
            if told != "ok" && !is_of_a_row(&told) {
                return Err(Error::Damaged(first_line(&told)));
            }
        }
    }
    Ok(())
}
