//! Where the journals of tests lie: in files and in memory, or on a server, each in a schema of its own.

use super::{sql::Connection, *};
use sha2::Digest;

/// Where a server is whose schemas are to take the place of files, where somebody names one: then each test has a schema of its
/// own. `tests/run` starts one and runs these tests once more.
const SERVER: &str = "CAMHEALTH_TEST_POSTGRES";

/// Whether tests have a server: what is about files alone has nothing to do then.
pub(super) fn on_server() -> bool {
    std::env::var_os(SERVER).is_some()
}

fn on(path: Option<std::path::PathBuf>, name: &str) -> Settings {
    let server = std::env::var(SERVER).ok().map(|url| {
        let schema = format!("t_{:x}", sha2::Sha256::digest(name)).chars().take(40).collect::<String>();
        Arc::new(Server::new(&url, None, None, &schema).expect("an address"))
    });
    Settings { path: path.filter(|_| server.is_none()), server, ..Settings::default() }
}

/// A journal that is opened again: a file in a folder, or the schema of that folder.
pub(super) fn in_folder(folder: &std::path::Path) -> Settings {
    on(Some(folder.join("journal.sqlite3")), &folder.display().to_string())
}

/// A journal that nobody opens again.
pub(super) fn for_once() -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    on(None, &folder.path().display().to_string())
}

/// The tables of a journal of a test's own.
pub(super) fn tables() -> Connection {
    tables_of(&for_once())
}

/// The tables of a journal that nobody holds.
pub(super) fn tables_of(settings: &Settings) -> Connection {
    match (&settings.server, &settings.path) {
        (Some(server), _) => held::alone(server).expect("a schema"),
        (None, Some(path)) => {
            let file = rusqlite::Connection::open(path).expect("a file");
            table::register(&file).expect("sums");
            file.into()
        }
        (None, None) => open::memory().expect("memory").into(),
    }
}
